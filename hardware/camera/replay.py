"""Playing back a folder of pictures or a video as if a camera saw it.

It announces itself as simulated, begins again at the end, and judges nothing.
"""

import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.camera.port import CameraInfo, Frame
from hardware.errors import Garbled, Unplugged

_KINDS: Final = frozenset({".jpg", ".jpeg", ".png"})
_FPS: Final = 15
_MAX_BYTES: Final = 32 * 1024 * 1024
_MAX_SIDE: Final = 8192
_PNG: Final = b"\x89PNG\r\n\x1a\n"


class _Paced:
    """Frames at a steady pace."""

    def __init__(
        self, fps: float, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._period, self._clock, self._sleep = 1 / fps, clock, sleep
        self._due = clock()
        self._number = 0
        self._open = True

    def _frame(self, name: str, take: Callable[[], NDArray[np.uint8]]) -> Frame:
        if not self._open:
            raise Unplugged(f"{name} is closed")
        wait = self._due - self._clock()
        if wait > 0:
            self._sleep(wait)
        pixels = take()
        at = self._clock()
        self._due = max(self._due + self._period, at)
        frame = Frame(pixels=pixels, at=at, number=self._number)
        self._number += 1
        return frame


class FolderCamera(_Paced):
    """The JPEG and PNG files of a folder by name, over and over."""

    def __init__(
        self,
        folder: Path,
        fps: float = _FPS,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(fps, clock, sleep)
        if not folder.is_dir():
            raise Unplugged(f"{folder} is not a folder")
        self._files = sorted(
            file for file in folder.iterdir() if file.suffix.lower() in _KINDS and file.is_file()
        )
        if not self._files:
            raise Unplugged(f"{folder} holds no pictures")
        self._folder = folder
        self._at = 0
        height, width = _picture(self._files[0]).shape[:2]
        self._size = width, height

    @property
    def info(self) -> CameraInfo:
        """Return what the camera says of itself: that it is simulated."""
        return CameraInfo(
            name=f"pictures of {self._folder.name}",
            simulated=True,
            width=self._size[0],
            height=self._size[1],
        )

    def read(self) -> Frame:
        """Return the next picture, waiting for its time.

        Raises:
            Unplugged: closed, or the file went away.
            Garbled: the file is not a picture.
        """
        return self._frame(str(self._folder), self._next)

    def close(self) -> None:
        """Let the folder go; may be called twice."""
        self._open = False

    def _next(self) -> NDArray[np.uint8]:
        file = self._files[self._at]
        self._at = (self._at + 1) % len(self._files)
        return _picture(file)


class VideoCamera(_Paced):
    """A video file, over and over, at its own pace."""

    def __init__(
        self,
        file: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not file.is_file():
            raise Unplugged(f"{file} is not there")
        self._file = file
        self._video = cv2.VideoCapture(str(file))
        fps = float(self._video.get(cv2.CAP_PROP_FPS))
        width = int(self._video.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._video.get(cv2.CAP_PROP_FRAME_HEIGHT))
        if not self._video.isOpened() or width <= 0 or height <= 0:
            self._video.release()
            raise Unplugged(f"{file} is not a video")
        super().__init__(fps if 1 <= fps <= 120 else _FPS, clock, sleep)  # noqa: PLR2004 - sane
        self._size = width, height

    @property
    def info(self) -> CameraInfo:
        """Return what the camera says of itself: that it is simulated."""
        return CameraInfo(
            name=f"video {self._file.name}",
            simulated=True,
            width=self._size[0],
            height=self._size[1],
        )

    def read(self) -> Frame:
        """Return the next frame, waiting for its time.

        Raises:
            Unplugged: closed.
            Garbled: the video gives no frame even from its beginning.
        """
        return self._frame(str(self._file), self._next)

    def close(self) -> None:
        """Let the file go; may be called twice."""
        self._open = False
        self._video.release()

    def _next(self) -> NDArray[np.uint8]:
        good, pixels = self._video.read()
        if not good:
            self._video.set(cv2.CAP_PROP_POS_FRAMES, 0)
            good, pixels = self._video.read()
        if not good:
            raise Garbled(f"{self._file} gives no frames")
        return np.ascontiguousarray(pixels, np.uint8)


def _picture(file: Path) -> NDArray[np.uint8]:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise Garbled(f"{file} is too large for a picture")
        data = file.read_bytes()
    except OSError as error:
        raise Unplugged(f"{file} went away") from error
    # A PNG of some kilobytes may declare gigabytes of pixels; a JPEG cannot.
    if data.startswith(_PNG) and max(struct.unpack(">II", data[16:24].ljust(8))) > _MAX_SIDE:
        raise Garbled(f"{file} declares more than {_MAX_SIDE} pixels a side")
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error as error:
        raise Garbled(f"{file} is not a picture") from error
    if pixels is None:
        raise Garbled(f"{file} is not a picture")
    return np.ascontiguousarray(pixels, np.uint8)
