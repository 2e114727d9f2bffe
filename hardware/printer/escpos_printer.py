"""The driver of ESC/POS receipt printers, whatever wire they hang on.

It draws nothing: see `kiosk.paper`.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from hardware.errors import Silent, Unplugged
from hardware.printer import commands
from hardware.printer.port import Dots, NotPrinted, PrinterInfo, PrinterStatus
from hardware.printer.wire import Wire

_ANSWER: Final = 0.5
"""Seconds for one answer about the printer's state; they are given at once."""
T = TypeVar("T")


class EscposPrinter:
    """A printer as a `Printer`.

    After `Unplugged` the next call looks for the printer again.

    Args:
        info: what is known of it.
        open_: opens the wire to it; raises `Unplugged`.
        clock: monotonic seconds.

    Raises:
        Unplugged: it is not there.
    """

    def __init__(
        self,
        info: PrinterInfo,
        open_: Callable[[], Wire],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._info, self._open, self._clock = info, open_, clock
        self._lock = threading.Lock()
        self._closed = False
        self._done = False
        """The printer said that all before `ASK_DONE` is on paper."""
        self._wire: Wire | None = open_()

    @property
    def info(self) -> PrinterInfo:
        """Return what is known of the printer."""
        return self._info

    def status(self, *, deadline: float) -> PrinterStatus | None:
        """Return how it is; None where it does not answer such questions within `deadline` s.

        Raises:
            Unplugged: the printer went away; the next call looks for it again.
        """
        with self._lock:
            return self._guarded(lambda wire: self._ask(wire, self._clock() + deadline))

    def print(self, dots: Dots, *, deadline: float) -> NotPrinted | None:
        """Print a picture and cut the paper behind it; return why it could not be.

        A printer that answers questions is asked before, and again once it has taken all; one
        that does not is believed to have printed what it took.

        Raises:
            Unplugged: the printer went away; the next call looks for it again.
            Silent: it takes no more bytes and does not say why.
            ValueError: wider than the paper, or no picture.
        """
        if dots.ndim == 2 and dots.shape[1] > self._info.width:  # noqa: PLR2004 - rows, columns
            raise ValueError(f"{dots.shape[1]} dots on {self._info.width}")
        whole = b"".join((commands.START, *commands.picture(dots), commands.FEED, commands.CUT))
        with self._lock:
            until = self._clock() + deadline
            return self._guarded(lambda wire: self._print(wire, whole, until))

    def close(self) -> None:
        """Let the device go; may be called twice."""
        with self._lock:
            self._closed = True
            self._drop()

    def _print(self, wire: Wire, whole: bytes, until: float) -> NotPrinted | None:
        before = self._ask(wire, until)
        if before is not None and before.hindrance is not None:
            return before.hindrance
        taken = wire.write(whole, until)
        if before is None and taken:
            return None
        # The roll may have ended within the receipt: what was taken is not what was printed.
        self._done = False
        if taken:
            taken = wire.write(commands.ASK_DONE, until)
        while True:
            now = self._ask(wire, self._clock() + _ANSWER)
            if now is not None and now.hindrance is not None:
                wire.write(commands.FORGET, self._clock() + _ANSWER)
                return now.hindrance
            if taken and self._done:
                return None
            if self._clock() >= until:
                if taken and now is not None:
                    # It is well and took everything; some never answer `ASK_DONE`.
                    return None
                break
            self._hear(wire, min(until, self._clock() + _ANSWER))
        raise Silent(f"{self._info.path}: the printer got stuck; switch it off and on again")

    def _ask(self, wire: Wire, until: float) -> PrinterStatus | None:
        # A picture may hold the bytes of a question, which a printer then answers.
        while self._hear(wire, self._clock()):
            pass
        answers = bytearray()
        for question in commands.QUESTIONS:
            answer = self._answer(wire, question, min(until, self._clock() + _ANSWER))
            if answer is None:
                return None
            answers.append(answer)
        return commands.status_of(bytes(answers))

    def _answer(self, wire: Wire, question: bytes, until: float) -> int | None:
        if not wire.write(question, until):
            return None
        while True:
            got = self._hear(wire, until)
            for octet in got:
                if commands.is_answer(octet):
                    return octet
            if not got:
                return None

    def _hear(self, wire: Wire, until: float) -> bytes:
        got = wire.read(until)
        self._done = self._done or any(map(commands.is_done, got))
        return got

    def _guarded(self, use: Callable[[Wire], T]) -> T:
        """Use the wire, found again where it was lost; lose it where it went away."""
        if self._closed:
            raise Unplugged(f"{self._info.path}: the printer was closed")
        wire = self._wire = self._wire or self._open()
        try:
            return use(wire)
        except Unplugged:
            self._drop()
            raise

    def _drop(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()
