"""The camera's two threads: one reads frames, one looks at the newest; and the live picture.

It decides no step: whoever gives it an eye is told what the eye saw (see `sitting`).
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.camera.port import Camera, CameraInfo, Frame
from hardware.errors import Broken
from kiosk import scan
from kiosk.thread import Running

log = logging.getLogger(__name__)

LIVE_QUALITY: Final = 75
"""JPEG; 2 MB/s at 1280 x 720 and 15 frames a second."""
KEPT_QUALITY: Final = 92
"""JPEG of a frame that is kept."""
AGAIN_AFTER: Final = 1.0
"""Seconds until a camera that went away is looked for again."""
SCAN_EVERY: Final = 3
"""Frames; a code is held up for a second, five looks in it are enough."""
_WAIT: Final = 0.5

Eye = Callable[[Frame], None]


def jpeg(pixels: NDArray[np.uint8], quality: int = KEPT_QUALITY) -> bytes:
    """Return a frame as a JPEG."""
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


class Lens(Running):
    """The camera, read by one thread; it survives a camera that goes away and comes back.

    Args:
        open_: opens the camera; raises `Broken` where it is not there.
        told: called with True when the camera works and False when it stops to.
    """

    def __init__(self, open_: Callable[[], Camera], told: Callable[[bool], None]) -> None:
        super().__init__("camera")
        self._open = open_
        self._told = told
        self._new = threading.Condition()
        self._frame: Frame | None = None
        self._count = 0
        self._encoding = threading.Lock()
        self._jpeg: tuple[int, bytes] = (0, b"")
        self._info: CameraInfo | None = None

    @property
    def info(self) -> CameraInfo | None:
        """Return what the camera says of itself, None before it was opened once."""
        return self._info

    def newest(self, after: int) -> Frame | None:
        """Return the newest frame once its number is over `after`; None after half a second.

        Frames are numbered anew here: a camera that comes back begins at nought again.

        What is returned is shared: nobody may draw in it.
        """
        with self._new:
            if self._count <= after:
                self._new.wait(_WAIT)
            if self._frame is None or self._count <= after:
                return None
            return self._frame

    def jpegs(self, *, while_: Callable[[], bool]) -> Iterator[bytes]:
        """Yield the live picture as JPEGs while `while_` says so; each is encoded once for all."""
        seen = 0
        while while_() and not self._stop.is_set():
            frame = self.newest(seen)
            if frame is None:
                continue
            seen = frame.number
            yield self._encoded(frame)

    def _encoded(self, frame: Frame) -> bytes:
        # Under a lock, so that a second client waits for the first one's picture; not under the
        # frames' own, so that judging does not wait for either.
        with self._encoding:
            if self._jpeg[0] != frame.number:
                self._jpeg = (frame.number, jpeg(frame.pixels, LIVE_QUALITY))
            return self._jpeg[1]

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read(self._open())
            except Broken as error:
                log.warning("no camera: %s", error)
                self._told(False)  # noqa: FBT003 - works or does not
            except Exception:
                # Whatever a driver comes up with, a camera that is not read must be said.
                log.exception("the camera failed as no camera should")
                self._told(False)  # noqa: FBT003 - works or does not
            self._stop.wait(AGAIN_AFTER)

    def _read(self, camera: Camera) -> None:
        working = False
        try:
            self._info = camera.info
            while not self._stop.is_set():
                frame = camera.read()
                with self._new:
                    self._count += 1
                    self._frame = replace(frame, number=self._count)
                    self._new.notify_all()
                if not working:
                    working = True
                    self._told(True)  # noqa: FBT003 - works or does not
        finally:
            camera.close()
            with self._new:
                # What was before the lens a while ago is nobody's portrait.
                self._frame = None


class Watch(Running):
    """One thread that shows the newest frame to the eye of the moment; others are dropped."""

    def __init__(self, lens: Lens) -> None:
        super().__init__("watch")
        self._lens = lens
        self._lock = threading.Lock()
        self._eye: Eye | None = None

    def use(self, eye: Eye | None) -> None:
        """Look with `eye` from the next frame on; None looks away."""
        with self._lock:
            self._eye = eye

    def _run(self) -> None:
        seen, said = 0, ""
        while not self._stop.is_set():
            frame = self._lens.newest(seen)
            if frame is None:
                continue
            seen = frame.number
            with self._lock:
                eye = self._eye
            if eye is None:
                continue
            try:
                eye(frame)
            except Exception as error:
                # A frame nobody foresaw must not blind the kiosk for the rest of the day, nor
                # fill its disk with the same lines fifteen times a second.
                if repr(error) != said:
                    said = repr(error)
                    log.exception("a frame could not be looked at")


class CodeEye:
    """Looks for a QR code in every third frame and reports each text it sees."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._count = 0

    def __call__(self, frame: Frame) -> None:
        """Look at one frame."""
        self._count += 1
        if self._count % SCAN_EVERY:
            return
        text = scan.look(frame.pixels)
        if text is not None:
            self._report(text)
