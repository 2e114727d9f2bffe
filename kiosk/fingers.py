"""The reader's thread: asks for one finger after another and says how each touch went.

It judges no ridges (`biometrics.finger` does) and decides no step of the visit.
"""

import enum
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from biometrics.capture import MAX_NAME, Missing, Print
from biometrics.finger.impression import ImpressionInvalid
from biometrics.finger.visit import FingerVisit, Offered, PositionState
from hardware.errors import Broken
from hardware.finger.port import FingerReader, Impression, NoImage, ReaderInfo, Touch, Wanted

log = logging.getLogger(__name__)

TOUCH_WITHIN: Final = 12.0
"""Seconds of one wait for a finger: an image alone takes 7 s over a line of 57 600 baud."""
LIFT_WITHIN: Final = 2.0
AGAIN_AFTER: Final = 1.0
"""Seconds until a reader that went away is looked for again."""
_STEP: Final = 0.04
"""Share of an image between two reports of its progress."""


class Phase(enum.StrEnum):
    """What the person at the glass should know."""

    PLACE = "place"
    READING = "reading"
    JUDGING = "judging"
    LIFT = "lift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far the fingers have come.

    Attributes:
        wanted: position that is asked for now; None when officers must decide or all is done.
        control: it is asked for again, to see that no finger was swapped.
        progress: share of the image that has come over, 0..1.
        mend: what the reader itself could not use of the last touch.
        offered: what became of the last impression, None before the first.
        offered_as: the position it was offered as.
        scores: quality 0..100 by position that is taken.
        undecided: positions that wait for an officer.
        try_number, tries: of the wanted finger.
    """

    plan: tuple[int, ...] = ()
    wanted: int | None = None
    control: bool = False
    phase: Phase = Phase.PLACE
    progress: float = 0.0
    mend: NoImage | None = None
    offered: Offered | None = None
    offered_as: int | None = None
    scores: tuple[tuple[int, int], ...] = ()
    missing: tuple[int, ...] = ()
    undecided: tuple[int, ...] = ()
    try_number: int = 1
    tries: int = 1
    complete: bool = False


Report = Callable[[Standing, Offered | None], None]
"""Told of every change; with the impression's fate where there was one."""


class FingerTaker:
    """The reader, used by one thread; it survives a reader that goes away and comes back.

    Args:
        open_: opens the reader; raises `Broken` where it is not there.
        told: called with True when the reader works and False when it stops to.
    """

    def __init__(self, open_: Callable[[], FingerReader], told: Callable[[bool], None]) -> None:
        self._open = open_
        self._told = told
        self._wake = threading.Condition()
        self._visit: FingerVisit | None = None
        self._report: Report | None = None
        self._paused = False
        self._pauses = self._asked_at = 0
        """How often help came or went: now, and when the finger under way was asked for."""
        self._standing = Standing()
        self._info: ReaderInfo | None = None
        self._reader: FingerReader | None = None
        self._stop = False
        self._working: bool | None = None
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    def start(self) -> None:
        """Begin; the reader is opened at once, so that a missing one is said early."""
        self._thread.start()

    def stop(self) -> None:
        """Let the reader go, also in the middle of a wait for a finger."""
        with self._wake:
            self._stop = True
            reader = self._reader
            self._wake.notify_all()
        if reader is not None:
            reader.close()
        if self._thread.is_alive():
            self._thread.join(timeout=LIFT_WITHIN + 1)

    @property
    def info(self) -> ReaderInfo | None:
        """Return what the reader says of itself, None before it was opened once."""
        return self._info

    def lent(self) -> FingerReader | None:
        """Return the reader for an examination; None while it is away or a finger is wanted."""
        with self._wake:
            return self._reader if self._working and self._visit is None else None

    @property
    def standing(self) -> Standing:
        """Return how far the fingers have come."""
        return self._standing

    @property
    def paused(self) -> bool:
        """True while nobody is asked for a finger although some are wanted."""
        return self._paused

    def begin(self, visit: FingerVisit, report: Report) -> None:
        """Ask for the fingers of `visit` from now on."""
        with self._wake:
            self._visit, self._report, self._paused = visit, report, False
            self._standing = _standing_of(visit, Standing())
            self._wake.notify_all()

    def end(self) -> None:
        """Ask for no finger any more, and let everything taken go."""
        with self._wake:
            self._visit = self._report = None
            self._standing = Standing()
            self._wake.notify_all()

    def pause(self, *, paused: bool) -> None:
        """Hold on while an officer helps, or go on; a touch under way is thrown away."""
        with self._wake:
            self._paused = paused
            self._pauses += 1
            self._wake.notify_all()

    def decide(self, how: Callable[[FingerVisit], None]) -> Standing:
        """Let an officer's decision happen between two touches, and return what is then.

        Raises:
            FingerVisitError: it does not fit.
            LookupError: no fingers are being taken.
        """
        with self._wake:
            if self._visit is None:
                raise LookupError("no fingers are being taken")
            how(self._visit)
            fresh = replace(self._standing, offered=None, offered_as=None, mend=None)
            self._standing = _standing_of(self._visit, fresh)
            self._wake.notify_all()
            return self._standing

    def result(self) -> tuple[tuple[Print, ...], tuple[Missing, ...]]:
        """Return the prints and what is missing; empty where no fingers are being taken."""
        with self._wake:
            if self._visit is None:
                return (), ()
            return self._visit.prints(), self._visit.missings

    def _run(self) -> None:
        while not self._stop:
            try:
                self._serve(self._open())
            except Broken as error:
                if not self._stop:
                    log.warning("no reader: %s", error)
                    self._broke()
            except Exception:
                # Whatever a driver comes up with, a reader that is not asked must be said.
                log.exception("the reader failed as no reader should")
                self._broke()
            with self._wake:
                self._wake.wait_for(lambda: self._stop, timeout=AGAIN_AFTER)

    def _serve(self, reader: FingerReader) -> None:
        self._reader = reader
        try:
            self._info = reader.info
            self._tell(working=True)
            while (visit := self._next_visit()) is not None:
                self._touch(reader, visit)
                self._tell(working=True)
        finally:
            reader.close()

    def _broke(self) -> None:
        self._change(phase=Phase.PLACE, progress=0.0)
        self._tell(working=False)

    def _tell(self, *, working: bool) -> None:
        if working is not self._working:
            self._working = working
            self._told(working)

    def _next_visit(self) -> FingerVisit | None:
        """Return the visit that wants a finger, waiting for one; None to stop."""
        with self._wake:
            self._wake.wait_for(
                lambda: (
                    self._stop
                    or (
                        self._visit is not None
                        and not self._paused
                        and self._visit.wanted is not None
                    )
                )
            )
            self._asked_at = self._pauses
            return None if self._stop else self._visit

    def _still_asked(self, visit: FingerVisit, position: int) -> bool:
        return self._visit is visit and self._pauses == self._asked_at and visit.wanted == position

    def _touch(self, reader: FingerReader, visit: FingerVisit) -> None:
        position = visit.wanted
        if position is None:
            return
        self._change(phase=Phase.PLACE, progress=0.0)
        wanted = Wanted(positions=(position,), touch=Touch.SINGLE)
        result = reader.capture(wanted, deadline=TOUCH_WITHIN, progress=self._progress)
        with self._wake:
            asked = self._still_asked(visit, position)
        if not asked:
            if not isinstance(result, NoImage):
                # The finger is still on the glass, and nobody would know what is waited for.
                self._change(phase=Phase.LIFT, progress=0.0)
                self._await_lift(reader)
            return
        if isinstance(result, NoImage):
            if result is not NoImage.NO_FINGER:
                self._change(mend=result, phase=Phase.LIFT, offered=None)
                self._await_lift(reader)
            return
        self._change(phase=Phase.JUDGING, progress=1.0, mend=None)
        self._offer(visit, position, result[0])
        self._change(phase=Phase.LIFT)
        self._await_lift(reader)
        self._change(phase=Phase.PLACE, progress=0.0)

    def _offer(self, visit: FingerVisit, position: int, touch: Impression) -> None:
        with self._wake:
            if not self._still_asked(visit, position):
                return
            reader = self._info.name if self._info else touch.serial
            try:
                offered = visit.offer(
                    position, touch.pixels, touch.dpi, f"{reader} {touch.serial}"[:MAX_NAME]
                )
            except ImpressionInvalid:
                log.warning("the reader gave an image nobody can judge", exc_info=True)
                return
            fresh = replace(self._standing, phase=Phase.LIFT, offered=offered, offered_as=position)
            self._standing = _standing_of(visit, fresh)
        self._say(offered)

    def _await_lift(self, reader: FingerReader) -> None:
        while not self._stop and self._visit is not None:
            if reader.wait_lifted(deadline=LIFT_WITHIN):
                return

    def _progress(self, share: float) -> None:
        before = self._standing.progress
        if share - before >= _STEP or share < before or self._standing.phase is Phase.PLACE:
            self._change(phase=Phase.READING, progress=share, mend=None, offered=None)

    def _change(self, **values: object) -> None:
        with self._wake:
            if self._visit is None:
                return
            self._standing = _standing_of(self._visit, replace(self._standing, **values))  # type: ignore[arg-type]  # checked by the callers above
        self._say(None)

    def _say(self, offered: Offered | None) -> None:
        # Never under the lock: whoever is told may hold its own and be asking for ours.
        report, standing = self._report, self._standing
        if report is not None:
            report(standing, offered)


def _standing_of(visit: FingerVisit, before: Standing) -> Standing:
    wanted = visit.wanted
    missing = tuple(
        position for position in visit.plan if visit.state(position) is PositionState.MISSING
    )
    number = 1
    if wanted is not None and not visit.control:
        number = visit.tries - visit.tries_left(wanted) + 1
    return replace(
        before,
        plan=visit.plan,
        wanted=wanted,
        control=visit.control,
        scores=tuple((one.position, score_of(one)) for one in visit.prints()),
        missing=missing,
        undecided=visit.needs_officer,
        try_number=number,
        tries=visit.tries,
        complete=visit.complete,
    )


def score_of(one: Print) -> int:
    """Return a print's quality, 0..100: NFIQ 2 where it could be had."""
    return round(one.estimate) if one.nfiq2 is None else one.nfiq2
