"""The reader's thread: asks for one touch after another and says how each went.

It judges no ridges (`biometrics.finger` does) and decides no step of the visit.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from biometrics.capture import MAX_NAME, Missing, Print
from biometrics.finger.hints import FingerHint
from biometrics.finger.impression import ImpressionInvalid
from biometrics.finger.plan import Step
from biometrics.finger.visit import FingerVisit, Offered, Touched
from hardware.errors import Broken
from hardware.finger.port import FingerReader, Impression, NoImage, ReaderInfo, Touch, Wanted
from kiosk.glass import Glass
from kiosk.standing import Phase, Standing, standing_of

log = logging.getLogger(__name__)

TOUCH_WITHIN: Final = 12.0
"""Seconds of one wait for fingers: an image alone takes 7 s over a line of 57 600 baud."""
LIFT_WITHIN: Final = 2.0
LIFT_SHOWN: Final = 1.2
"""Seconds for which everybody is asked to lift: some readers cannot tell whether a hand has gone,
and would take it for the next one."""
AGAIN_AFTER: Final = 1.0
"""Seconds until a reader that went away is looked for again."""
_STEP: Final = 0.04
"""Share of an image between two reports of its progress."""

Report = Callable[[Standing, tuple[Offered, ...]], None]
"""Told of every change; with the impressions' fate where there were any."""


class FingerTaker:
    """The reader, used by one thread; it survives a reader that goes away and comes back.

    Args:
        open_: opens the reader; raises `Broken` where it is not there.
        told: called with True when the reader works and False when it stops to.
        lift_shown: seconds for which everybody is asked to lift the fingers, at least.
    """

    def __init__(
        self,
        open_: Callable[[], FingerReader],
        told: Callable[[bool], None],
        *,
        lift_shown: float = LIFT_SHOWN,
    ) -> None:
        self._open = open_
        self._told = told
        self._lift_shown = lift_shown
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
            self._standing = standing_of(visit, Standing())
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
            fresh = replace(self._standing, offered=(), mend=None, live=None)
            self._standing = standing_of(self._visit, fresh)
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

    def _still_asked(self, visit: FingerVisit, step: Step) -> bool:
        return self._visit is visit and self._pauses == self._asked_at and visit.wanted == step

    def _touch(self, reader: FingerReader, visit: FingerVisit) -> None:
        with self._wake:
            step = visit.wanted
        if step is None:
            return
        self._change(phase=Phase.PLACE, progress=0.0, live=None)
        wanted = Wanted(positions=step.positions, touch=Touch(step.touch.value))
        # Four fingers at once are no finger to the judge of live pictures.
        alone = len(step.positions) == 1
        glass = Glass(self._live, reader.info.dpi) if alone else None
        result = reader.capture(
            wanted, deadline=TOUCH_WITHIN, progress=self._progress, preview=glass
        )
        if isinstance(result, NoImage):
            self._mend(reader, visit, step, result)
            return
        self._change(phase=Phase.JUDGING, progress=1.0, mend=None, live=None)
        self._judge(visit, step, result)
        self._change(phase=Phase.LIFT, progress=0.0)
        self._await_lift(reader)
        self._change(phase=Phase.PLACE, progress=0.0)

    def _mend(self, reader: FingerReader, visit: FingerVisit, step: Step, what: NoImage) -> None:
        with self._wake:
            asked = self._still_asked(visit, step)
        if asked and what is not NoImage.NO_FINGER:
            self._change(mend=what, phase=Phase.LIFT, offered=(), live=None)
            self._await_lift(reader)

    def _judge(self, visit: FingerVisit, step: Step, touch: tuple[Impression, ...]) -> None:
        """Offer a touch to the visit, unless help came or went meanwhile: it is thrown away then.

        It is looked at outside the lock: that takes seconds, and nobody may wait for it.
        """
        with self._wake:
            if not self._still_asked(visit, step):
                return
        try:
            looked = visit.look([self._touched(one) for one in touch])
            with self._wake:
                if not self._still_asked(visit, step):
                    return
                offered = visit.offer(step, looked)
                fresh = replace(self._standing, phase=Phase.LIFT, offered=offered)
                self._standing = standing_of(visit, fresh)
        except ImpressionInvalid:
            log.warning("the reader gave an image nobody can judge", exc_info=True)
            return
        self._say(offered)

    def _touched(self, one: Impression) -> Touched:
        name = self._info.name if self._info else one.serial
        return Touched(
            position=one.position,
            pixels=one.pixels,
            dpi=one.dpi,
            reader=f"{name} {one.serial}"[:MAX_NAME],
        )

    def _await_lift(self, reader: FingerReader) -> None:
        with self._wake:
            self._wake.wait_for(lambda: self._stop, timeout=self._lift_shown)
        while not self._stop and self._visit is not None:
            if reader.wait_lifted(deadline=LIFT_WITHIN):
                return

    def _progress(self, share: float) -> None:
        before = self._standing.progress
        if share - before >= _STEP or share < before or self._standing.phase is Phase.PLACE:
            self._change(phase=Phase.READING, progress=share, mend=None, offered=(), live=None)

    def _live(self, hint: FingerHint | None) -> None:
        if self._standing.phase is Phase.PLACE:
            self._change(live=hint)

    def _change(self, **values: object) -> None:
        with self._wake:
            if self._visit is None:
                return
            self._standing = standing_of(self._visit, replace(self._standing, **values))  # type: ignore[arg-type]  # checked by the callers above
        self._say(())

    def _say(self, offered: tuple[Offered, ...]) -> None:
        # Never under the lock: whoever is told may hold its own and be asking for ours.
        report, standing = self._report, self._standing
        if report is not None:
            report(standing, offered)
