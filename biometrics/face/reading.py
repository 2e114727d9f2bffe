"""Reads pictures whose bytes nobody vouches for: decoded in a sandbox, back come pixels alone.

For processes that hold keys. It judges nothing and keeps nothing.
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.images import ImageRefused, Reason, decode
from biometrics.sandbox.room import JobEnded, Room
from biometrics.sandbox.wire import Limits
from biometrics.sandbox.zygote import Work

MAX_SIDE: Final = 1200
"""Pixels of the longer side that come back: a master picture whole, more is shrunk."""
_LIMITS: Final = Limits(request=32 * 1024 * 1024, answer=MAX_SIDE * MAX_SIDE * 3 + 4096)
_COLOURS: Final = 3


def prepare() -> Work:
    """Return what is run in the sandbox, with the decoders warmed."""
    cv2.setNumThreads(1)
    blank = np.zeros((64, 64, 3), np.uint8)
    for kind in (".jpg", ".png"):
        decode(cv2.imencode(kind, blank)[1].tobytes())

    def work(data: bytes, _argument: str) -> tuple[dict[str, Any], bytes]:
        try:
            pixels = decode(data)
        except ImageRefused as refused:
            return {"refused": refused.reason.value, "why": str(refused)}, b""
        shrink = MAX_SIDE / max(pixels.shape[:2])
        if shrink < 1:
            height, width = (max(1, round(side * shrink)) for side in pixels.shape[:2])
            small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
            pixels = np.asarray(small, np.uint8)
        return {"height": pixels.shape[0], "width": pixels.shape[1]}, pixels.tobytes()

    return work


class Reader:
    """A sandbox of its own for one picture at a time; may be shared by threads."""

    def __init__(self) -> None:
        self._room = Room("biometrics.face.reading:prepare", limits=_LIMITS, places=1)

    def start(self) -> None:
        """Start the sandbox, so that what does not work is said early.

        Raises:
            RoomBroken: it does not start.
        """
        self._room.start()

    def close(self) -> None:
        """End the sandbox."""
        self._room.close()

    def read(self, data: bytes) -> NDArray[np.uint8]:
        """Return the pixels of a JPEG or PNG, height x width x 3, blue-green-red.

        A picture with a side over `MAX_SIDE` comes back shrunk.

        Raises:
            ImageRefused: see `images.decode`; or decoding took more time or memory than it may.
            RoomFull: another picture is read for too long.
            RoomBroken: the sandbox does not start.
        """
        try:
            answer = self._room.run(data)
        except JobEnded as ended:
            raise ImageRefused("reading the picture takes too much", Reason.TOO_LARGE) from ended
        said, beside = answer.said, answer.beside
        if "refused" in said:
            raise ImageRefused(str(said.get("why"))[:200], _reason(said["refused"]))
        # The job may have been taken over: its word is held to what it sent.
        height, width = _side(said.get("height")), _side(said.get("width"))
        if not height or len(beside) != height * width * _COLOURS:
            raise ImageRefused("what read the picture answers nonsense", Reason.BROKEN)
        return np.frombuffer(beside, np.uint8).reshape(height, width, _COLOURS)


def _side(value: object) -> int:
    return value if isinstance(value, int) and 0 < value <= MAX_SIDE else 0


def _reason(value: object) -> Reason:
    try:
        return Reason(str(value))
    except ValueError:
        return Reason.BROKEN
