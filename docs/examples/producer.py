"""Frames from an event loop, as fast as viewers take them: python3 producer.py http://localhost:8080/push/sim [FRAMES]"""

import asyncio
import sys

import numpy
from mantel_push import Pusher


async def frames(n_frames):
    for n in range(n_frames):
        frame = numpy.zeros((360, 640, 3), numpy.uint8)
        frame[:, : 640 * (n + 1) // n_frames] = (40, 165, 60)
        yield frame
        await asyncio.sleep(0)  # whatever else the loop has to do


async def main(url, n_frames):
    sim = Pusher(url)
    async for frame in frames(n_frames):
        # With wait=True the next frame is made when somebody has this one, and none is left out.
        pushed = await sim.push_async(frame, wait=True)
        if pushed.error:
            print(pushed.error)
    print(pushed)


asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000))
