"""Boxes around what is bright in the frames of a camera or a file: python3 boxes.py http://localhost:8080/push/cam 0"""

import sys
import time

import cv2
from mantel_push import Pusher, bgr

source = sys.argv[2]
capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
with Pusher(sys.argv[1]) as cam:
    while True:
        taken_at = time.time()
        is_there, frame = capture.read()
        if not is_there:
            break
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        _, bright = cv2.threshold(grey, 127, 255, cv2.THRESH_BINARY)
        shapes, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for shape in shapes:
            x, y, width, height = cv2.boundingRect(shape)
            cv2.rectangle(frame, (x - 8, y - 8), (x + width + 8, y + height + 8), (60, 165, 40), 8)
        cam.push(bgr(frame), caption="{} found".format(len(shapes)), taken_at=taken_at)
print(cam.pushed)
