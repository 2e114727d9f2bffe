"""A reader for rehearsals: libfprint's own virtual image driver, and hands that press on it.

It needs libfprint installed, announces itself as simulated, and no real finger comes from it.
"""

import socket
import struct
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hardware.errors import Broken, Unplugged
from hardware.finger.hand import SingleTouches
from hardware.finger.port import Impression, NoImage, Preview, ReaderInfo, Wanted
from hardware.finger.synthesis import Condition
from hardware.libfprint.reader import LibfprintReader

_SIDES: Final = struct.Struct("=ii")
"""How the driver wants a picture's width and height; its grey bytes follow."""
_CONNECT: Final = 5.0


class SimulatedLibfprint:
    """A `FingerReader` over the driver `virtual_image`, with a hand beside it.

    Raises:
        Unplugged: libfprint or its binding is not installed.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="thunhan-libfprint-")
        self._path = str(Path(self._folder.name) / "image")
        self._lock = threading.Lock()
        self._glass = b""
        """What lies on it, as the driver wants it; empty for nothing."""
        self._awaited = False
        self._link: socket.socket | None = None
        self._touches = SingleTouches()
        try:
            self._reader = LibfprintReader(
                environment={"FP_VIRTUAL_IMAGE": self._path}, simulated=True, waiting=self._asked
            )
        except Broken:
            self._folder.cleanup()
            raise

    @property
    def info(self) -> ReaderInfo:
        """Return what the reader says of itself: that it is simulated."""
        return self._reader.info

    @property
    def process_id(self) -> int | None:
        """Return the helper's process id, None where none runs."""
        return self._reader.process_id

    def present(self, person_seed: int, *positions: int, condition: str = Condition.WELL) -> None:
        """Put a finger on the glass, in place of what lies there; each time it lies otherwise.

        Raises:
            ValueError: see `hand.SingleTouches.draw`.
        """
        pixels = self._touches.draw(person_seed, positions, condition)
        height, width = pixels.shape
        with self._lock:
            self._glass = _SIDES.pack(width, height) + pixels.tobytes()
            self._send()

    def lift(self) -> None:
        """Take the finger off the glass."""
        with self._lock:
            self._glass = b""

    def capture(
        self,
        wanted: Wanted,
        *,
        deadline: float,
        progress: Callable[[float], None] | None = None,
        preview: Preview | None = None,
    ) -> tuple[Impression] | NoImage:
        """Wait for a finger and take one impression; as `LibfprintReader.capture`."""
        try:
            return self._reader.capture(
                wanted, deadline=deadline, progress=progress, preview=preview
            )
        finally:
            with self._lock:
                self._awaited = False

    def wait_lifted(self, *, deadline: float) -> bool:
        """Wait until no finger lies on the glass; as `LibfprintReader.wait_lifted`."""
        lifted = self._reader.wait_lifted(deadline=deadline)
        with self._lock:
            return lifted and not self._glass

    def close(self) -> None:
        """Let the driver go; may be called twice."""
        self._reader.close()
        with self._lock:
            self._hang_up()
        self._folder.cleanup()

    def _asked(self) -> None:
        with self._lock:
            self._awaited = True
            self._send()

    def _send(self) -> None:
        """Give the driver what lies on the glass, once for each time it waits."""
        if not self._glass or not self._awaited:
            return
        self._awaited = False
        for fresh in (False, True):
            try:
                self._connected(fresh=fresh).sendall(self._glass)
            except OSError:
                continue
            return
        raise Unplugged("libfprint's virtual driver is gone")

    def _connected(self, *, fresh: bool) -> socket.socket:
        if fresh:
            self._hang_up()
        if self._link is None:
            self._link = socket.socket(socket.AF_UNIX)
            self._link.settimeout(_CONNECT)
            self._link.connect(self._path)
        return self._link

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
