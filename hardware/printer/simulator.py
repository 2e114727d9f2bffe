"""A roll of paper that stands in for a printer: it reads ESC/POS and keeps the dots it printed.

It understands what our driver sends and real-time questions; anything else is `NotUnderstood`.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from hardware.errors import Unplugged
from hardware.printer.commands import FORGET, MOST_ROWS
from hardware.printer.port import Dots

_LINE: Final = 30
"""Dots of a line feed: the printer's own 1/6 inch and a bit, rounded."""
_TICK: Final = 0.01


class NotUnderstood(Exception):
    """Bytes that no command of this printer begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How the printer is.

    Attributes:
        paper: rows of dots until the roll is empty; None: plenty.
        near_end: the sensor of the roll's end says so.
        deaf: it answers no question, as cheap ones do.
        stuck: it takes no bytes, whatever its state.
    """

    paper: int | None = None
    near_end: bool = False
    cover_open: bool = False
    fault: bool = False
    online: bool = True
    deaf: bool = False
    stuck: bool = False
    plugged: bool = True


class PaperRoll:
    """A printer in memory, as the `Wire` that leads to it.

    Attributes:
        receipts: what was printed, cut by cut.
    """

    def __init__(
        self,
        *,
        width: int = 576,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._width, self._clock, self._sleep = width, clock, sleep
        self._lock = threading.Lock()
        self._condition = Condition()
        self._bytes = bytearray()
        self._answers: deque[int] = deque()
        self._rows: list[Dots] = []
        self.receipts: list[Dots] = []

    @property
    def uncut(self) -> int:
        """Return the rows that were printed since the last cut."""
        return sum(len(rows) for rows in self._rows)

    def become(self, condition: Condition) -> None:
        """Have the printer be so from now on."""
        with self._lock:
            self._condition = condition
            self._work()

    def connect(self) -> "PaperRoll":
        """Return the wire.

        Raises:
            Unplugged: it is not plugged in.
        """
        self._plugged()
        return self

    def write(self, data: bytes, until: float) -> bool:
        """Take bytes; what was understood is printed at once."""
        self._plugged()
        with self._lock:
            if self._condition.stuck:
                stuck = True
            else:
                stuck = False
                self._hear(data)
                self._bytes += data
                if data == FORGET:
                    # In real time: also while nothing can be printed.
                    self._bytes.clear()
                    self._rows.clear()
                self._work()
        if stuck:
            while self._clock() < until:
                self._sleep(_TICK)
        return not stuck

    def read(self, until: float) -> bytes:
        """Return the answers that wait; empty after `until`."""
        while True:
            self._plugged()
            with self._lock:
                got = bytes(self._answers)
                self._answers.clear()
            if got or self._clock() >= until:
                return got
            self._sleep(_TICK)

    def close(self) -> None:
        """Nothing is held."""

    def _plugged(self) -> None:
        if not self._condition.plugged:
            raise Unplugged("the simulated printer is not plugged in")

    def _hear(self, data: bytes) -> None:
        """Answer DLE EOT wherever it stands, also within a picture, as real printers do."""
        start = data.find(b"\x10\x04")
        while 0 <= start < len(data) - 2:
            answer = self._status(data[start + 2])
            if answer is not None and not self._condition.deaf:
                self._answers.append(answer)
            start = data.find(b"\x10\x04", start + 1)

    def _status(self, number: int) -> int | None:
        now = self._condition
        offline = not now.online or now.cover_open or now.fault or now.paper == 0
        bits = {
            1: 0b1000 * offline,
            2: 0b100 * now.cover_open + 0b10_0000 * (now.paper == 0) + 0b100_0000 * now.fault,
            3: 0b1000 * now.fault,
            4: 0b1100 * (now.near_end or now.paper == 0) + 0b110_0000 * (now.paper == 0),
        }.get(number)
        return None if bits is None else 0b1_0010 | bits

    def _work(self) -> None:
        while self._bytes and not self._held_up():
            for begins, run in self._commands():
                if self._bytes.startswith(begins):
                    used = run()
                    break
                if begins.startswith(bytes(self._bytes)):
                    return
            else:
                raise NotUnderstood(bytes(self._bytes[:8]).hex(" "))
            if used is None:
                return
            del self._bytes[:used]

    def _held_up(self) -> bool:
        now = self._condition
        return now.cover_open or now.fault or not now.online or now.paper == 0

    def _commands(self) -> tuple[tuple[bytes, Callable[[], int | None]], ...]:
        return (
            (b"\x1b@", lambda: 2),
            (b"\x1bd", self._feed),
            (b"\x1dv0", self._picture),
            (b"\x1dV", self._cut),
            (b"\x1dr", self._tell),
            (b"\x10\x04", lambda: 3 if len(self._bytes) >= 3 else None),  # noqa: PLR2004
        )

    def _feed(self) -> int | None:
        if len(self._bytes) < 3:  # noqa: PLR2004 - ESC d n
            return None
        self._put(np.zeros((_LINE * self._bytes[2], self._width), np.bool_))
        return 3

    def _picture(self) -> int | None:
        if len(self._bytes) < 8:  # noqa: PLR2004 - GS v 0 m xL xH yL yH
            return None
        across = int.from_bytes(self._bytes[4:6], "little")
        rows = int.from_bytes(self._bytes[6:8], "little")
        if self._bytes[3] or across * 8 > self._width + 7 or rows > MOST_ROWS:
            raise NotUnderstood(f"a picture of {across} x {rows} bytes")
        end = 8 + across * rows
        if len(self._bytes) < end:
            return None
        packed = np.frombuffer(bytes(self._bytes[8:end]), np.uint8).reshape(rows, across)
        dots = np.zeros((rows, self._width), np.bool_)
        unpacked = np.unpackbits(packed, axis=1)[:, : self._width].astype(np.bool_)
        dots[:, : unpacked.shape[1]] = unpacked
        self._put(dots)
        return end

    def _put(self, rows: Dots) -> None:
        paper = self._condition.paper
        if paper is not None:
            rows = rows[:paper]
            self._condition = replace(self._condition, paper=paper - len(rows))
        self._rows.append(rows)

    def _cut(self) -> int | None:
        if len(self._bytes) < 3:  # noqa: PLR2004 - GS V m
            return None
        self.receipts.append(np.vstack(self._rows) if self._rows else np.zeros((0, 0), np.bool_))
        self._rows = []
        return 3

    def _tell(self) -> int | None:
        if len(self._bytes) < 3:  # noqa: PLR2004 - GS r n
            return None
        if not self._condition.deaf:
            self._answers.append(0b11 if self._condition.near_end else 0)
        return 3
