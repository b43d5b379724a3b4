"""Sends pictures to a live channel of Mantel: plots, camera frames, whatever a script makes.

    from mantel_push import Pusher
    plot = Pusher("http://localhost:8080/push/plot")
    plot.push(figure)        # a Matplotlib figure, a NumPy array, a PIL image, or the bytes of a picture file

    MPLBACKEND=module://mantel_push MANTEL_PUSH=http://localhost:8080/push/plot python script.py

The second way needs no line in the script: each figure is sent whenever it is drawn, by `plt.show()`,
`plt.pause()` or `figure.canvas.draw()`.

`push` comes back at once: a thread of its own sends the newest picture, and leaves out those for which it had no
time. A server that is away is tried again; the script never hears of it but by what `push` returns. With `wait=True`
it comes back when a viewer's frame has been made of the picture, or a newer one was sent.

Only the standard library is needed. Python 3.9 and later.
"""

import asyncio
import base64
import http.client
import io
import json
import os
import ssl
import threading
import time
import urllib.parse
import weakref

__all__ = ["Pusher", "Pushed"]

# Seconds. A picture is given up when the server takes no byte of it for so long.
TIMEOUT = 10
# A server that is away is tried again after so long, and after twice as long each time.
FIRST_RETRY, LAST_RETRY = 0.2, 5
# Seconds that the end of a script waits for its last picture.
AT_EXIT = 2


class Pushed:
    """What became of the pictures so far, as `push` returns it.

    sent, dropped: how many were sent, and how many a newer one came before.
    frame: the number that the server gave the last one; None while it has taken none.
    viewers: how many watched then.
    error: why the last one could not be sent, in a sentence; None when it was.
    """

    __slots__ = ("sent", "dropped", "frame", "viewers", "error")

    def __init__(self, sent=0, dropped=0, frame=None, viewers=0, error=None):
        self.sent, self.dropped, self.frame, self.viewers, self.error = sent, dropped, frame, viewers, error

    def __repr__(self):
        return "Pushed(sent={}, dropped={}, frame={}, viewers={}, error={!r})".format(
            self.sent, self.dropped, self.frame, self.viewers, self.error
        )


class _Picture:
    __slots__ = ("body", "headers", "waits", "done")

    def __init__(self, body, headers, waits):
        self.body, self.headers, self.waits, self.done = body, headers, waits, threading.Event()


class Pusher:
    """Sends pictures to one channel. Safe to use from several threads; one thread of its own sends.

    url: `http://HOST:8080/push/NAME`; a user and a password, or `?token=…`, may stand in it.
    """

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("this is no address to push to, which is like http://HOST:8080/push/NAME: " + repr(url))
        self._parts = parts
        self._path = parts.path or "/"
        self._headers = {"User-Agent": "mantel_push"}
        if parts.username is not None:
            pair = urllib.parse.unquote(parts.username) + ":" + urllib.parse.unquote(parts.password or "")
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        self._lock = threading.Condition()
        self._next = None
        self._sending = False
        self._closed = False
        self._pushed = Pushed()
        self._thread = None
        self._pid = os.getpid()

    def push(self, image, caption=None, taken_at=None, stays=None, wait=False, timeout=None):
        """Sends a picture, and tells what became of those before it.

        image: the bytes of a picture file, a Matplotlib figure, a PIL image, or a NumPy array of 8 bits a channel:
            grey (h, w), RGB (h, w, 3) or RGBA (h, w, 4). `bgr(array)` is for what OpenCV reads.
        caption: words that belong to it. taken_at: when it was taken, in seconds since 1970. stays: for how many
            seconds it is good, for channels that say when nothing new has come.
        wait: whether to come back only when it was taken, or could not be in `timeout` seconds.
        """
        picture = self._picture(image, caption, taken_at, stays, wait)
        self._put(picture)
        if wait:
            picture.done.wait(timeout)
        return self.pushed

    async def push_async(self, image, caption=None, taken_at=None, stays=None, wait=False, timeout=None):
        """The same for an event loop, which goes on meanwhile; with `wait` a producer is as fast as its viewers."""
        # Drawing a figure may take a while; only its own thread may touch it, which is this one.
        picture = self._picture(image, caption, taken_at, stays, wait)
        self._put(picture)
        if wait:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, picture.done.wait, timeout)
        return self.pushed

    @property
    def pushed(self):
        """What became of the pictures so far."""
        with self._lock:
            p = self._pushed
            return Pushed(p.sent, p.dropped, p.frame, p.viewers, p.error)

    def close(self, timeout=AT_EXIT):
        """Sends what is left, as far as `timeout` seconds allow, and ends."""
        deadline = time.monotonic() + timeout
        with self._lock:
            while (self._next is not None or self._sending) and self._thread is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._lock.wait(left)
            self._closed = True
            self._lock.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _picture(self, image, caption, taken_at, stays, waits):
        body, content_type = _body_of(image)
        headers = {"Content-Type": content_type}
        if caption is not None:
            headers["X-Caption"] = urllib.parse.quote(caption)
        if taken_at is not None:
            headers["X-Timestamp"] = "%.6f" % taken_at
        if stays is not None:
            headers["X-Duration-Ms"] = str(int(stays * 1000))
        return _Picture(body, headers, waits)

    def _put(self, picture):
        with self._lock:
            if self._closed:
                raise ValueError("this pusher was closed")
            # A child that was forked has the object, but not its thread.
            if self._thread is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._thread = threading.Thread(target=_send_all, args=(weakref.ref(self), self._lock), daemon=True)
                self._thread.start()
                _open.add(self)
            if self._next is not None:
                self._pushed.dropped += 1
                self._next.done.set()
            self._next = picture
            self._lock.notify_all()

    def _connect(self):
        parts = self._parts
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=TIMEOUT, context=context)
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)

    def _target(self, waits):
        keys = [key for key in [self._parts.query, "when-full=wait" if waits else ""] if key]
        return self._path + ("?" + "&".join(keys) if keys else "")

    def _send(self, connection, picture):
        """One picture by one request. Raises OSError or HTTPException; tells whether the server took it."""
        connection.request("POST", self._target(picture.waits), picture.body, dict(self._headers, **picture.headers))
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        if response.status != 200:
            return None, "{}: {}".format(response.status, text.strip().splitlines()[0] if text.strip() else "no reason")
        return json.loads(text), None


def _send_all(reference, lock):
    """What the thread does: the newest picture, until its pusher is closed or nobody has it any more."""
    connection, retry = None, FIRST_RETRY
    while True:
        with lock:
            pusher = reference()
            if pusher is None or pusher._closed:
                break
            if pusher._next is None:
                pusher = None
                lock.wait(1)
                continue
            picture, pusher._next, pusher._sending = pusher._next, None, True
        answer, error, is_away = None, None, False
        try:
            if connection is None:
                connection = pusher._connect()
            answer, error = pusher._send(connection, picture)
        except (OSError, http.client.HTTPException, ValueError) as trouble:
            error, is_away = "the server can't be reached: {}".format(trouble or type(trouble).__name__), True
            connection.close()
            connection = None
        with lock:
            state = pusher._pushed
            pusher._sending = False
            if answer is not None:
                state.sent += 1
                state.frame, state.viewers, state.error = answer.get("frame"), answer.get("viewers", 0), None
                retry = FIRST_RETRY
            else:
                state.error = error
                if is_away and pusher._next is None and not pusher._closed:
                    # Still the newest: it is sent when the server is back.
                    pusher._next, picture = picture, None
                else:
                    state.dropped += 1
            if picture is not None:
                picture.done.set()
            lock.notify_all()
            if is_away:
                pusher = None
                lock.wait(retry)
                retry = min(retry * 2, LAST_RETRY)
    if connection is not None:
        connection.close()


# What is left is sent when the script ends.
_open = weakref.WeakSet()


def _at_exit():
    for pusher in list(_open):
        pusher.close()


# Threads are waited for before `atexit` runs, daemons aside; this runs with them still there.
try:
    threading._register_atexit(_at_exit)
except (AttributeError, RuntimeError):
    import atexit

    atexit.register(_at_exit)


def bgr(array):
    """An array whose colours are in the order of OpenCV."""
    return _Bgr(array)


class _Bgr:
    def __init__(self, array):
        self.array = array


def _body_of(image):
    """The bytes to send, and their content type. Nothing that the caller may change later is kept."""
    if isinstance(image, (bytes, bytearray, memoryview)):
        return bytes(image), "application/octet-stream"
    layout = "rgb8"
    if isinstance(image, _Bgr):
        image, layout = image.array, "bgr8"
    if hasattr(image, "savefig") and hasattr(image, "canvas"):
        return _figure(image)
    if hasattr(image, "__array_interface__") and hasattr(image, "mode"):
        return _pil(image)
    if hasattr(image, "shape") and hasattr(image, "tobytes"):
        return _array(image, layout)
    raise TypeError("a picture is bytes, a Matplotlib figure, a PIL image or an array, not " + type(image).__name__)


def _array(array, layout):
    if str(array.dtype) != "uint8":
        raise TypeError("an array has 8 bits a channel (uint8), not " + str(array.dtype))
    shape = array.shape
    if len(shape) == 2 or len(shape) == 3 and shape[2] == 1:
        layout = "gray8"
    elif len(shape) == 3 and shape[2] == 4 and layout == "rgb8":
        layout = "rgba8"
    elif len(shape) != 3 or shape[2] != 3:
        raise TypeError("an array is (height, width), (height, width, 3) or (height, width, 4), not " + str(shape))
    return array.tobytes(), "image/x-{}; width={}; height={}".format(layout, shape[1], shape[0])


def _pil(image):
    layouts = {"L": "gray8", "RGB": "rgb8", "RGBA": "rgba8"}
    if image.mode not in layouts:
        image = image.convert("RGBA" if "A" in image.mode or "transparency" in image.info else "RGB")
    kind = "image/x-{}; width={}; height={}".format(layouts[image.mode], image.width, image.height)
    return image.tobytes(), kind


def _figure(figure):
    # With Agg and without pyplot: it works from any thread, and no figure is kept.
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = figure.canvas
    if not isinstance(canvas, FigureCanvasAgg):
        canvas = FigureCanvasAgg(figure)
        figure.set_canvas(canvas)
    FigureCanvasAgg.draw(canvas)
    return _drawn(canvas)


def _drawn(canvas):
    width, height = canvas.get_width_height(physical=True)
    return bytes(canvas.buffer_rgba()), "image/x-rgba8; width={}; height={}".format(width, height)


# What follows makes this module a backend of Matplotlib; without Matplotlib it is left out.
def _backend():
    from matplotlib.backend_bases import FigureManagerBase
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    class Canvas(FigureCanvasAgg):
        """A canvas that sends what is drawn on it."""

        is_sent = False

        def draw(self):
            super().draw()
            self.is_sent = True
            body, kind = _drawn(self)
            _backend_pusher()._put(_Picture(body, {"Content-Type": kind}, False))

        def draw_idle(self, *args, **kwargs):
            if not self._is_idle_drawing:
                with self._idle_draw_cntx():
                    self.draw(*args, **kwargs)

    class Manager(FigureManagerBase):
        """Shows a figure by sending it: there is no window to wait for."""

        def show(self):
            # What was drawn already has been sent.
            if self.canvas.figure.stale or not self.canvas.is_sent:
                self.canvas.draw()

        @classmethod
        def pyplot_show(cls, *, block=None):
            from matplotlib._pylab_helpers import Gcf

            for manager in Gcf.get_all_fig_managers():
                manager.show()

    Canvas.manager_class = Manager
    return Canvas, Manager


_of_backend = None


def _backend_pusher():
    global _of_backend
    if _of_backend is None:
        _of_backend = Pusher(os.environ.get("MANTEL_PUSH", "http://localhost:8080/push/plot"))
    return _of_backend


def __getattr__(name):
    if name in ("FigureCanvas", "FigureManager"):
        globals()["FigureCanvas"], globals()["FigureManager"] = _backend()
        return globals()[name]
    raise AttributeError("module {!r} has no attribute {!r}".format(__name__, name))
