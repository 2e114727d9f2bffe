"""The ways bytes go to a printer and come back: a device file, a serial port, a plain file.

It knows no command.
"""

import os
import select
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import serial

from hardware.errors import Unplugged

_TICK: Final = 0.05
"""Seconds a single look at the device may wait: so often a deadline is looked at."""
_AT_ONCE: Final = 4096


class Wire(Protocol):
    """A line to a printer."""

    def write(self, data: bytes, until: float) -> bool:
        """Send `data`; False where the printer did not take it all until the clock says `until`.

        Raises:
            Unplugged: the printer went away.
        """
        ...

    def read(self, until: float) -> bytes:
        """Return what has come, waiting for the first byte; empty after `until`.

        Raises:
            Unplugged: the printer went away.
        """
        ...

    def close(self) -> None:
        """Let the device go; may be called twice."""
        ...


class FileWire:
    """An opened file that never blocks: of a device, a port or a plain file.

    Args:
        path: for what is said of it.
        handle: of the opened file; closed with the wire.
        answers: whether anything ever comes back.
        clock: monotonic seconds.
    """

    def __init__(
        self, path: str, handle: int, *, answers: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path, self._handle, self._answers, self._clock = path, handle, answers, clock

    def write(self, data: bytes, until: float) -> bool:
        """Send `data`; False where the printer did not take it all until the clock says `until`.

        Raises:
            Unplugged: the printer went away.
        """
        left = memoryview(data)
        try:
            while left:
                _, ready, _ = select.select([], [self._handle], [], _TICK)
                if ready:
                    with suppress(BlockingIOError):
                        left = left[os.write(self._handle, left[:_AT_ONCE]) :]
                if left and self._clock() >= until:
                    return False
        except (OSError, ValueError) as error:
            raise self._gone() from error
        return True

    def read(self, until: float) -> bytes:
        """Return what has come, waiting for the first byte; empty after `until`.

        Raises:
            Unplugged: the printer went away.
        """
        if not self._answers:
            return b""
        try:
            while True:
                ready, _, _ = select.select([self._handle], [], [], _TICK)
                if ready:
                    with suppress(BlockingIOError):
                        got = os.read(self._handle, _AT_ONCE)
                        if got:
                            return got
                        # USB printers send empty packets again and again.
                        select.select([], [], [], _TICK)
                if self._clock() >= until:
                    return b""
        except (OSError, ValueError) as error:
            raise self._gone() from error

    def close(self) -> None:
        """Let the device go; may be called twice."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def _gone(self) -> Unplugged:
        return Unplugged(f"{self._path}: the printer went away; plug it in again")


def open_device(path: str) -> FileWire:
    """Return the wire to a device file such as ``/dev/usb/lp0``.

    Raises:
        Unplugged: it is not there, is no device, or may not be opened.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise Unplugged(
            f"{path}: cannot be opened ({error.strerror}); is the printer plugged in, and does "
            "this user belong to the group lp?"
        ) from error
    if stat.S_ISCHR(os.fstat(handle).st_mode):
        return FileWire(path, handle, answers=True)
    os.close(handle)
    raise Unplugged(f"{path}: is no device")


def open_port(path: str, baud: int) -> FileWire:
    """Return the wire to a printer on a serial port, 8N1 without flow control.

    Pictures come more slowly over such a line than any printer prints, so none is needed.

    Raises:
        Unplugged: there is no such port, or it may not be opened.
    """
    try:
        port = serial.Serial(path, baud, exclusive=True)
        # pyserial knows how to set a port up, but not how much of a write was taken.
        handle = os.dup(port.fileno())
        port.close()
    except (OSError, ValueError) as error:
        raise Unplugged(f"{path}: cannot be opened; is the printer plugged in?") from error
    return FileWire(path, handle, answers=True)


def open_file(path: Path) -> FileWire:
    """Return the wire that appends to a plain file; it asks for no paper.

    Raises:
        Unplugged: it cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, 0o600)
    except OSError as error:
        raise Unplugged(f"{path}: cannot be written ({error.strerror})") from error
    return FileWire(str(path), handle, answers=False)
