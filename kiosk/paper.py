"""The paper a citizen takes home: what stands on it, and the thread that has it printed.

Nobody waits for it: where it cannot be printed that is said, and the number stays on the screen.
It holds no name, no picture and nothing of a finger.
"""

import enum
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from typing import Final

from biometrics.words import Text, Words
from hardware.errors import Broken
from hardware.printer.open import open_printer
from hardware.printer.port import Dots, NotPrinted, Printer, PrinterInfo, PrinterStatus
from kiosk.clock import HERE
from kiosk.sheet import Sheet
from kiosk.thread import Running

log = logging.getLogger(__name__)

NO_PRINTER: Final = "none"
"""The setting of a kiosk without one."""
WITHIN: Final = 90.0
"""Seconds a paper may take: 13 cm, over a line of 9600 baud about a minute."""
_ANSWER: Final = 2.0
_UNIT: Final = 24
"""Dots of letters in running text on wide paper: 3 mm, as large as newsprint."""
_WIDE: Final = 500
"""Dots across from which paper counts as wide."""


class Fate(enum.StrEnum):
    """What became of the last paper; its sentence stands under ``paper.<fate>``."""

    PRINTING = "printing"
    PRINTED = "printed"
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    NOT_READY = "not_ready"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a citizen may want to know at home.

    Attributes:
        number: of the capture, as on the screen.
        at: when it was sealed.
        dossier: its code; with the birth date, which is not here, it shows the dossier's state.
        link: address of the page that shows it; None where the kiosk knows none.
        rehearsal: a stand-in took part, or it is a trial: it says that it is worth nothing.
    """

    station: str
    number: str
    at: datetime
    dossier: str
    link: str | None
    rehearsal: bool
    language: str = "vi"


@cache
def paper_words() -> Words:
    """Return what stands on the paper and what is said of it, keyed ``paper....``."""
    return Words(files("kiosk").joinpath("texts", "paper.json"))


def said(fate: Fate) -> Text:
    """Return what the screen says of the last paper."""
    return paper_words()[f"paper.{fate}"]


def draw(paper: Confirmation, width: int) -> Dots:
    """Return the confirmation as dots, `width` across."""
    say = partial(paper_words().say, language=paper.language)
    unit = _UNIT if width >= _WIDE else round(_UNIT * 0.85)
    sheet = Sheet(width)
    if paper.rehearsal:
        sheet.band(say("paper.rehearsal"), unit)
        sheet.skip(unit)
    sheet.mark(3 * unit)
    sheet.skip(unit // 2)
    sheet.words(say("paper.title"), round(1.5 * unit), "Bold", align="centre")
    sheet.words(paper.station, unit, "SemiBold", align="centre")
    sheet.skip(unit // 2)
    sheet.boxed(say("paper.number"), paper.number, round(2.5 * unit))
    sheet.skip(unit)
    sheet.pair(say("paper.time"), f"{paper.at.astimezone(HERE):%H:%M, %d/%m/%Y}", unit)
    sheet.pair(say("paper.dossier"), paper.dossier, unit)
    sheet.skip(unit // 2)
    sheet.rule()
    sheet.skip(unit // 2)
    sheet.words(say("paper.next"), round(1.15 * unit), "Bold")
    sheet.skip(unit // 4)
    for number in (1, 2, 3):
        sheet.numbered(number, say(f"paper.next.{number}"), unit)
    sheet.skip(unit // 4)
    if paper.link is None:
        sheet.words(say("paper.look.typed"), unit)
    else:
        beside = (say("paper.look"), say("paper.look.how"))
        sheet.code(paper.link, round(width * 0.42), beside, unit)
        sheet.words(paper.link.removeprefix("https://"), round(0.9 * unit), "SemiBold")
    sheet.skip(unit // 2)
    sheet.rule(dashed=True)
    sheet.skip(unit // 2)
    sheet.words(say("paper.keep"), round(0.85 * unit))
    return sheet.dots()


def draw_trial(width: int, at: datetime) -> Dots:
    """Return what an officer prints to see that the printer works."""
    words = paper_words()
    sheet = Sheet(width)
    sheet.mark(3 * _UNIT)
    sheet.words(words["paper.test"].vi, round(1.5 * _UNIT), "Bold", align="centre")
    sheet.words(f"{at.astimezone(HERE):%H:%M, %d/%m/%Y}", _UNIT, align="centre")
    sheet.rule()
    sheet.skip(_UNIT // 2)
    sheet.words(words["paper.test.text"].vi, _UNIT)
    return sheet.dots()


class Paper(Running):
    """The printer, used by one thread for one paper at a time.

    It is opened for each paper, so that a cable may be pulled at any time in between.

    Args:
        spec: of the printer, see `hardware.printer.open`.
        told: called after each change of `fate`.
        open_: opens a printer; raises `Broken` where it is not there.
    """

    def __init__(
        self,
        spec: str,
        told: Callable[[], None],
        *,
        open_: Callable[[str], Printer] = open_printer,
    ) -> None:
        super().__init__("paper")
        self._spec, self._told, self._open = spec, told, open_
        self._new = threading.Condition()
        self._next: Confirmation | None = None
        self._using = threading.Lock()
        self._fate: Fate | None = None

    @property
    def fate(self) -> Fate | None:
        """Return what became of the last paper, None before one and after `forget`."""
        return self._fate

    def print_confirmation(self, paper: Confirmation) -> None:
        """Have a paper printed; returns at once."""
        with self._new:
            self._next = paper
            self._fate = Fate.PRINTING
            self._new.notify()
        self._told()

    def forget(self) -> None:
        """Forget the last paper: the next person is here."""
        with self._new:
            self._next = None
            self._fate = None

    def status(self) -> tuple[PrinterInfo, PrinterStatus | None]:
        """Return what the printer is and how it does, None where it does not say.

        Raises:
            Broken: it is not there, or went away.
        """
        with self._using:
            printer = self._open(self._spec)
            try:
                return printer.info, printer.status(deadline=_ANSWER)
            finally:
                printer.close()

    def print_trial(self, at: datetime) -> Fate:
        """Print what shows an officer that the printer works, and wait for it."""
        return self._printed(lambda width: draw_trial(width, at))

    def stop(self) -> None:
        """End after the paper under way."""
        self._stop.set()
        with self._new:
            self._new.notify()
        super().stop()

    def _run(self) -> None:
        while True:
            with self._new:
                self._new.wait_for(lambda: self._next is not None or self._stop.is_set())
                paper, self._next = self._next, None
            if paper is None:
                return
            fate = self._printed(partial(draw, paper))
            with self._new:
                # Of somebody who has left meanwhile nothing is said to the next person.
                if self._fate is Fate.PRINTING and self._next is None:
                    self._fate = fate
            self._told()

    def _printed(self, drawn: Callable[[int], Dots]) -> Fate:
        try:
            with self._using:
                printer = self._open(self._spec)
                try:
                    hindrance = printer.print(drawn(printer.info.width), deadline=WITHIN)
                finally:
                    printer.close()
        except Broken as error:
            log.warning("no paper: %s", error)
            return Fate.BROKEN
        except Exception:
            # A paper is worth no visit: whatever is wrong with it, the next one is tried.
            log.exception("a paper could not be printed")
            return Fate.BROKEN
        if hindrance is None:
            return Fate.PRINTED
        log.warning("no paper: %s", hindrance)
        return _FATES[hindrance]


_FATES: Final = {
    NotPrinted.PAPER_OUT: Fate.PAPER_OUT,
    NotPrinted.COVER_OPEN: Fate.COVER_OPEN,
    NotPrinted.NOT_READY: Fate.NOT_READY,
}
