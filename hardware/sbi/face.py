"""A face device that speaks SBI as a `Camera`, over its live picture; and its own photographs.

It judges no picture beyond what `verify` does; live pictures are signed by nobody.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from hardware.camera.port import CameraInfo, Frame
from hardware.errors import Broken, Garbled, Refused, Silent, Unplugged
from hardware.sbi.asked import ask_face
from hardware.sbi.client import SCORE, SbiClient
from hardware.sbi.live import START
from hardware.sbi.outcomes import Mendable
from hardware.sbi.port import FacePicture
from hardware.sbi.preview import read_jpeg
from hardware.sbi.stream import Picture
from hardware.sbi.vocabulary import ErrorCode, SubId

_PATIENCE: Final = 2.0
"""Seconds without a frame after which the camera counts as silent."""
_STREAM: Final = 240.0
"""Seconds that a stream is asked for; the interface's own limit is five minutes."""
_ORDERLY: Final = {ErrorCode.SUCCESS, ErrorCode.STREAM_ENDED}
"""Codes with which a stream ends when it should."""
_PAUSE: Final = 0.25
"""Seconds before a stream that ended or failed is asked for again."""


class SbiCamera:
    """A device as a `Camera`: the newest live picture, asked for again whenever it ends.

    Args:
        client: of a face device.
        simulated: True only where a stand-in is behind the service.
        clock: monotonic seconds.

    Raises:
        Unplugged, Distrusted: as `SbiClient.find`.
    """

    def __init__(
        self,
        client: SbiClient,
        *,
        simulated: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._simulated, self._clock = client, simulated, clock
        self._name = client.find().identity.name
        self._size = (0, 0)
        self._number = 0
        self._changed = threading.Condition()
        self._latest: Frame | None = None
        self._broken: Broken | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sbi-camera", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(
                lambda: self._number > 0 or self._broken is not None, timeout=START
            )

    @property
    def info(self) -> CameraInfo:
        """Return what the camera says of itself; its size is that of the last frame, or 0."""
        height, width = self._size
        return CameraInfo(name=self._name, simulated=self._simulated, width=width, height=height)

    def read(self) -> Frame:
        """Return the newest frame that was not returned yet.

        Raises:
            Unplugged: the device went away or was closed; it is looked for again meanwhile.
            Silent: no frame came within two seconds.
            Garbled, Refused, Distrusted: what its service says instead.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._latest is not None or self._closed.is_set(), timeout=_PATIENCE
            )
            if self._closed.is_set():
                raise Unplugged(f"{self._name} is closed")
            frame, self._latest = self._latest, None
            broken, self._broken = self._broken, None
        if frame is not None:
            return frame
        if broken is not None:
            raise broken
        raise Silent(f"{self._name} gives no pictures; unplug it and plug it in again")

    def photograph(
        self, missing: Sequence[int] = (), *, deadline: float, score: int = SCORE
    ) -> FacePicture | None:
        """Take one photograph, signed and verified; None where no face is there.

        Args:
            missing: fingers that are not there: then it is the photo that proves it.
            deadline: seconds from now until the whole command must have ended.
            score: quality 0..100 at which the device takes the picture by itself.

        Raises:
            Unplugged, Silent, Garbled, Refused, Distrusted: as `SbiClient.capture`.
            ValueError: there is no such finger.
        """
        taken = self._client.capture(ask_face(missing), deadline=deadline, score=score)
        if isinstance(taken, Mendable):
            return None
        picture = taken[0].picture
        if not isinstance(picture, FacePicture):
            raise Garbled(f"a {type(picture).__name__} in place of a face")
        return picture

    def close(self) -> None:
        """Let the device go; may be called twice."""
        self._closed.set()
        self._client.close()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                for picture in self._client.stream(SubId.UNKNOWN, seconds=_STREAM):
                    if isinstance(picture, Picture):
                        self._take(picture.jpeg)
                    elif picture.code not in _ORDERLY:
                        raise Refused(f"{self._name}: {picture.said}", picture.code or 0)
            except Broken as error:
                with self._changed:
                    self._broken = error
                    self._changed.notify_all()
            self._closed.wait(_PAUSE)

    def _take(self, jpeg: bytes) -> None:
        pixels = read_jpeg(jpeg, colour=True)
        if pixels is None:
            return
        with self._changed:
            self._size = (pixels.shape[0], pixels.shape[1])
            self._latest = Frame(pixels=pixels, at=self._clock(), number=self._number)
            self._number += 1
            self._broken = None
            self._changed.notify_all()
