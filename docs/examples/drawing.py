"""A drawing by Pillow alone: python3 drawing.py http://localhost:8080/push/drawing [FRAMES]"""

import sys
import time

from PIL import Image, ImageDraw
from mantel_push import Pusher

with Pusher(sys.argv[1]) as drawing:
    for n in range(1, 1 + int(sys.argv[2] if len(sys.argv) > 2 else 1000)):
        image = Image.new("RGB", (640, 360), (45, 70, 210))
        draw = ImageDraw.Draw(image)
        radius = 100 + 40 * (n % 2)
        draw.ellipse((320 - radius, 180 - radius, 320 + radius, 180 + radius), fill=(225, 205, 50))
        drawing.push(image)
        time.sleep(0.05)
