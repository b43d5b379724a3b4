"""A Matplotlib plot in real time: python3 plot.py http://localhost:8080/push/plot [SECONDS]"""

import math
import sys
import time

from matplotlib.figure import Figure
from mantel_push import Pusher

seconds = float(sys.argv[2]) if len(sys.argv) > 2 else math.inf
figure = Figure(figsize=(8, 4.5), dpi=80)
axes = figure.subplots()
axes.set(ylim=(-1.2, 1.2), title="A wave, as it comes")
(line,) = axes.plot([], [], color="tab:red", linewidth=12)
times, values = [], []
with Pusher(sys.argv[1]) as plot:
    start = now = time.time()
    while now - start < seconds:
        now = time.time()
        times.append(now - start)
        values.append(math.sin(times[-1]))
        line.set_data(times[-100:], values[-100:])
        axes.set_xlim(times[-100:][0], times[-1] + 0.1)
        plot.push(figure, taken_at=now)
        time.sleep(0.1)
print(plot.pushed)
