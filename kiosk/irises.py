"""The step before the iris scanner, only where the procedure wants it and a scanner is set.

Everything here is called with a booth and takes its lock where it changes something.
"""

from biometrics.capture import Absence, AbsenceReason, Part
from kiosk.booth import Booth
from kiosk.eyes import TRIES, Looked
from kiosk.life import VisitEvent
from kiosk.screens import Screen


def begin(booth: Booth) -> None:
    """Take both irises from now on."""
    taker, sitting = booth.fittings.irises, booth.sitting
    if taker is not None:
        taker.begin(lambda looked: looked_at(booth, sitting, looked))


def looked_at(booth: Booth, sitting: str, looked: Looked) -> None:
    """Take in what the scanner saw."""
    with booth.lock:
        if not booth.same(sitting) or booth.under is not Screen.IRISES:
            return
        booth.changed()
        if looked.irises and not looked.failed:
            booth.seen()
        if not looked.lacking:
            booth.visit.note("irises_taken", at=booth.fittings.clock.now())
            booth.visit.irises = looked.irises
            complete(booth)
        elif looked.failed >= TRIES:
            booth.call()


def let_be(booth: Booth, officer: str) -> None:
    """Go on without irises, because an officer says so."""
    at = booth.fittings.clock.now()
    absence = Absence(part=Part.IRIS, reason=AbsenceReason.NOT_CAPTURED, officer=officer, at=at)
    booth.visit.absences = (*booth.visit.absences, absence)
    booth.visit.note("irises_let_be", at=at, detail=officer)
    complete(booth)


def complete(booth: Booth) -> None:
    """Go on to what the citizen reads back."""
    if booth.fittings.irises is not None:
        booth.fittings.irises.end()
    booth.happen(VisitEvent.COMPLETE_IRISES)
