"""A real camera through OpenCV (V4L2 or whatever the system offers).

It sets size and rate and reads; it adjusts no picture.
"""

import os
import threading
import time
from typing import Final

import cv2
import numpy as np

from hardware.camera.port import CameraInfo, Frame
from hardware.errors import Silent, Unplugged

_SIZE: Final = (1280, 720)
_FPS: Final = 30
_PATIENCE: Final = 2.0
_LOST_AFTER: Final = 3
"""Failed reads at once after which a device counts as gone."""


class DeviceCamera:
    """One camera of this machine.

    Args:
        index: its number, or its path: ``/dev/v4l/by-id/...`` does not change when cables do.

    Raises:
        Unplugged: there is no such camera.
    """

    def __init__(self, index: int | str) -> None:
        # OpenCV prints its own warnings for every number that is not there.
        os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
        self._index = index
        # OpenCV takes a link for a file: it wants the device itself.
        self._device = cv2.VideoCapture(
            index if isinstance(index, int) else os.path.realpath(index)
        )
        if not self._device.isOpened():
            self._device.release()
            raise Unplugged(f"camera {index} is not there; check its cable")
        self._device.set(cv2.CAP_PROP_FRAME_WIDTH, _SIZE[0])
        self._device.set(cv2.CAP_PROP_FRAME_HEIGHT, _SIZE[1])
        self._device.set(cv2.CAP_PROP_FPS, _FPS)
        # One frame at most waits, so that what is judged is what is seen.
        self._device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._number = 0
        self._wanted = threading.Condition()
        self._latest: Frame | None = None
        self._gone: str | None = None
        self._closing = False
        self._reader = threading.Thread(target=self._run, name=f"camera-{index}", daemon=True)
        self._reader.start()

    @property
    def info(self) -> CameraInfo:
        """Return what the camera says of itself."""
        width = int(self._device.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._device.get(cv2.CAP_PROP_FRAME_HEIGHT))
        return CameraInfo(name=f"camera {self._index}", simulated=False, width=width, height=height)

    def read(self) -> Frame:
        """Return the newest frame that was not returned yet.

        Raises:
            Unplugged: the camera went away or was closed.
            Silent: no frame came within two seconds.
        """
        with self._wanted:
            arrived = self._wanted.wait_for(
                lambda: self._latest is not None or self._gone is not None, timeout=_PATIENCE
            )
            if self._gone is not None:
                raise Unplugged(self._gone)
            frame, self._latest = self._latest, None
        if not arrived or frame is None:
            raise Silent(f"camera {self._index} gives no pictures; unplug it and plug it in again")
        return frame

    def close(self) -> None:
        """Let the device go; may be called twice."""
        with self._wanted:
            self._closing = True
            self._gone = self._gone or f"camera {self._index} is closed"
            self._wanted.notify_all()
        # A driver that hangs keeps its thread, not ours.
        self._reader.join(_PATIENCE)
        if not self._reader.is_alive():
            self._device.release()

    def _run(self) -> None:
        failed = 0
        while not self._closing:
            good, pixels = self._device.read()
            if not good:
                failed += 1
                if failed >= _LOST_AFTER:
                    with self._wanted:
                        self._gone = f"camera {self._index} went away; check its cable"
                        self._wanted.notify_all()
                    return
                continue
            failed = 0
            with self._wanted:
                self._latest = Frame(
                    pixels=np.ascontiguousarray(pixels, np.uint8),
                    at=time.monotonic(),
                    number=self._number,
                )
                self._number += 1
                self._wanted.notify_all()
