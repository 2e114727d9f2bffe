"""A scanner on a serial port (RS-232, or USB as a virtual port).

It sets nothing in the scanner: what it reads and how it ends a code is set by the maker's sheet.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

import serial

from hardware.codes.lines import Lines
from hardware.codes.port import CodeReaderInfo
from hardware.codes.waiting import TICK, Waiting
from hardware.errors import Unplugged

BAUD: Final = 9600
"""Bits a second, as scanners leave the factory; a virtual port heeds none."""


class SerialScanner:
    """A scanner that sends each code as a line.

    Args:
        port: path of the serial device.
        clock: monotonic seconds.

    Raises:
        Unplugged: there is no such port, or it may not be opened.
    """

    def __init__(
        self, port: str, *, baud: int = BAUD, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._port, self._baud = port, baud
        self._lines = Lines()
        self._waiting = Waiting(self._lines, self._receive, clock)
        self._closed = threading.Event()
        self._line: serial.Serial | None = self._open()

    @property
    def info(self) -> CodeReaderInfo:
        """Return what is known of the scanner."""
        name = f"serial scanner, {self._baud} baud"
        return CodeReaderInfo(name=name, path=self._port, simulated=False)

    def read(self, *, deadline: float) -> str | None:
        """Return the text of the next code; None if none was read within `deadline` seconds.

        Raises:
            Unplugged: the scanner went away, or was closed; the next call looks for it again.
        """
        return self._waiting.next(deadline)

    def close(self) -> None:
        """Let the port go; may be called twice, and from another thread than `read`."""
        self._closed.set()
        self._drop()

    def _receive(self) -> bytes:
        if self._closed.is_set():
            raise Unplugged(f"{self._port}: the scanner was closed")
        line = self._line
        if line is None:
            line = self._line = self._open()
        try:
            return bytes(line.read(max(1, line.in_waiting)))
        except (OSError, TypeError) as error:
            # pyserial raises TypeError where another thread closed the port meanwhile.
            self._drop()
            raise Unplugged(f"{self._port}: the scanner went away; plug it in again") from error

    def _open(self) -> serial.Serial:
        self._lines.forget()
        try:
            return serial.Serial(self._port, self._baud, timeout=TICK, exclusive=True)
        except (OSError, ValueError) as error:
            raise Unplugged(
                f"{self._port}: cannot be opened; is the scanner plugged in?"
            ) from error

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            try:
                line.close()
            except OSError:
                # The device is gone: nothing is left to close.
                return
