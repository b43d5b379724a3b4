"""A clock in Latin and Chinese: python3 clock.py http://localhost:8080/push/clock [SECONDS]"""

import sys
import time

from PIL import Image, ImageDraw, ImageFont
from mantel_push import Pusher

font = ImageFont.truetype("NotoSansCJK-Regular.ttc", 52)
end = time.time() + float(sys.argv[2] if len(sys.argv) > 2 else "inf")
with Pusher(sys.argv[1]) as clock:
    while time.time() < end:
        now = time.localtime()
        image = Image.new("RGB", (640, 360), (20, 20, 40))
        draw = ImageDraw.Draw(image)
        draw.text((320, 100), time.strftime("%A, %H:%M:%S", now), "white", font, "mm")
        day = "{}年{}月{}日 星期{}".format(now.tm_year, now.tm_mon, now.tm_mday, "一二三四五六日"[now.tm_wday])
        draw.text((320, 250), day, (225, 205, 50), font, "mm")
        clock.push(image, caption=day)
        time.sleep(1 - time.time() % 1)
