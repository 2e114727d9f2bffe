"""A scanner that types like a keyboard (USB HID), kept from typing into the page.

Its keys are taken from the kernel for this process alone; other keyboards are left as they are.
"""

import fcntl
import os
import select
import threading
import time
from collections.abc import Callable
from typing import Final

from hardware.codes.keys import EVENT, Typed
from hardware.codes.port import CodeReaderInfo
from hardware.codes.waiting import TICK, Waiting
from hardware.errors import Unplugged

_GRAB: Final = 0x40044590
"""EVIOCGRAB of linux/input.h."""
_NAME: Final = 0x81004506
"""EVIOCGNAME for 256 bytes."""
_AT_ONCE: Final = 256 * EVENT.size


def take(handle: int) -> str:
    """Take an input device for this process alone, and return its name.

    Raises:
        OSError: it is no input device, or another process has it.
    """
    fcntl.ioctl(handle, _GRAB, 1)
    name = bytearray(256)
    fcntl.ioctl(handle, _NAME, name)
    return name.split(b"\0")[0].decode("utf-8", "replace")


class KeyboardScanner:
    """A scanner at ``/dev/input/by-id/...-event-kbd``.

    Args:
        path: of the input device.
        clock: monotonic seconds.
        taking: takes the opened device for this process alone and returns its name.

    Raises:
        Unplugged: there is no such device, it may not be opened or cannot be taken.
    """

    def __init__(
        self,
        path: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        taking: Callable[[int], str] = take,
    ) -> None:
        self._path, self._taking = path, taking
        self._typed = Typed()
        self._waiting = Waiting(self._typed, self._receive, clock)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._name = ""
        self._handle: int | None = self._open()

    @property
    def info(self) -> CodeReaderInfo:
        """Return what is known of the scanner."""
        return CodeReaderInfo(name=self._name, path=self._path, simulated=False)

    def read(self, *, deadline: float) -> str | None:
        """Return the text of the next code; None if none was read within `deadline` seconds.

        Raises:
            Unplugged: the scanner went away, or was closed; the next call looks for it again.
        """
        return self._waiting.next(deadline)

    def close(self) -> None:
        """Let the device go; may be called twice, and from another thread than `read`."""
        self._closed.set()
        self._drop()

    def _receive(self) -> bytes:
        with self._lock:
            if self._closed.is_set():
                raise Unplugged(f"{self._path}: the scanner was closed")
            if self._handle is None:
                self._handle = self._open()
            handle = self._handle
            try:
                ready, _, _ = select.select([handle], [], [], TICK)
                got = os.read(handle, _AT_ONCE) if ready else None
            except OSError as error:
                self._let_go()
                raise self._gone() from error
            if got == b"":
                self._let_go()
                raise self._gone()
            return got or b""

    def _open(self) -> int:
        self._typed.forget()
        handle = None
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            self._name = self._taking(handle)
        except OSError as error:
            if handle is not None:
                os.close(handle)
            raise Unplugged(
                f"{self._path}: cannot be taken ({error.strerror}); is the scanner plugged in, "
                "and does this user belong to the group input?"
            ) from error
        return handle

    def _gone(self) -> Unplugged:
        return Unplugged(f"{self._path}: the scanner went away; plug it in again")

    def _drop(self) -> None:
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            # The kernel ends the exclusive hold with the handle.
            os.close(handle)
