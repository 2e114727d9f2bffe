"""The fingers of one visit: which is wanted next, which impression is kept, who must decide.

It drives no reader, reads no clock, draws nothing and runs no thread.

```
FingerVisitError
+-- PlanInvalid      the plan cannot be followed by anybody
+-- NotWanted        this position is not asked for now
+-- NotNow           this cannot be decided in the state the position is in
+-- OfficerNeeded    only an officer may do this
```
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.capture import FINGERS, ImpressionKind, Missing, MissingReason, Print
from biometrics.finger import limits
from biometrics.finger.attempts import Attempts, Impression
from biometrics.finger.hints import FingerHint
from biometrics.finger.impression import png
from biometrics.finger.judge import Judge, Seen
from biometrics.finger.quality import Quality

_MOST_TRIES: Final = 10
_MOST_CONTROLS: Final = 2
_BEST: Final = 100


class FingerVisitError(ValueError):
    """Something was asked that does not fit; nothing has changed."""


class PlanInvalid(FingerVisitError):
    """The plan cannot be followed by anybody."""


class NotWanted(FingerVisitError):
    """This position is not asked for now."""


class NotNow(FingerVisitError):
    """This cannot be decided in the state the position is in."""


class OfficerNeeded(FingerVisitError):
    """Only an officer may do this."""


class PositionState(enum.StrEnum):
    """Where one position stands."""

    OPEN = "open"
    TAKEN = "taken"
    UNDECIDED = "undecided"
    MISSING = "missing"


class Outcome(enum.StrEnum):
    """What became of an impression.

    TAKEN: the position has its print. AGAIN: one more try, please. UNDECIDED: no try is
    left and an officer decides. CONFIRMED: a control press showed the right finger.
    SWAPPED: a control press showed the finger of another position; both are open again.
    """

    TAKEN = "taken"
    AGAIN = "again"
    UNDECIDED = "undecided"
    CONFIRMED = "confirmed"
    SWAPPED = "swapped"


class DecisionKind(enum.StrEnum):
    """What an officer decided about a position."""

    KEEP = "keep"
    MISSING = "missing"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision of an officer, for the visit's journal."""

    position: int
    kind: DecisionKind
    officer: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What became of one impression.

    Attributes:
        outcome: see `Outcome`.
        kept: True where it is now the best of its position.
        minutiae_count: minutiae seen in it.
        hint: what to say to the person, None where nothing needs saying.
        try_number: counted from 1 at this position (control presses count on their own).
        tries_left: 0 where the position is settled or an officer decides.
        same_as: the other position whose finger this is, else None.
        reopened: positions that are open again because of it.
    """

    outcome: Outcome
    kept: bool
    quality: Quality
    minutiae_count: int
    hint: FingerHint | None
    try_number: int
    tries_left: int
    same_as: int | None
    reopened: tuple[int, ...]


class _Finger:
    """One position of the plan."""

    def __init__(self) -> None:
        self.state = PositionState.OPEN
        self.attempts = Attempts()
        self.missing: Missing | None = None


class FingerVisit:
    """All fingers of a visit, from the first try to the last control press."""

    def __init__(
        self,
        *,
        plan: Iterable[int],
        tries: int,
        accept_at: int,
        keep_from: int,
        judge: Judge,
        rng: np.random.Generator,
        controls: int = 1,
    ) -> None:
        """Begin with every position open.

        Args:
            plan: positions by ISO/IEC 19794-2 (1 right thumb .. 10 left little), in order.
            tries: impressions of one position before an officer is asked, 1..10.
            accept_at: NFIQ 2 from which an impression is taken at once.
            keep_from: NFIQ 2 from which the best is kept when no try is left.
            judge: says what an impression shows.
            rng: draws the control presses.
            controls: how many positions are asked for again at the end, 0..2.

        Raises:
            PlanInvalid: a position twice or outside 1..10, or a number out of its range.
        """
        positions = tuple(plan)
        if len(set(positions)) < len(positions) or not set(positions) <= set(FINGERS):
            raise PlanInvalid(f"not a plan of fingers: {positions}")
        if not 1 <= tries <= _MOST_TRIES:
            raise PlanInvalid(f"{tries} tries")
        if not 0 <= keep_from <= accept_at <= _BEST:
            raise PlanInvalid(f"keep from {keep_from}, accept at {accept_at}")
        if not 0 <= controls <= _MOST_CONTROLS:
            raise PlanInvalid(f"{controls} control presses")
        self.plan: Final = positions
        self.tries: Final = tries
        self.accept_at: Final = accept_at
        self.keep_from: Final = keep_from
        self._judge = judge
        self._rng = rng
        self._wanted_controls = controls
        self._fingers = {position: _Finger() for position in positions}
        self._controls: list[int] | None = None
        self._control_tries = 0
        self._suspects: set[int] = set()
        self._decisions: list[Decision] = []

    @property
    def wanted(self) -> int | None:
        """Return the position to ask for now.

        None while only officers can go on (see `needs_officer`) and when all is done.
        """
        for position, finger in self._fingers.items():
            if finger.state is PositionState.OPEN:
                return position
        if self._undecided() or not self._controls or self._control_failed():
            return None
        return self._controls[0]

    @property
    def control(self) -> bool:
        """True while `wanted` is asked for a second time, to notice swapped fingers."""
        wanted = self.wanted
        return wanted is not None and self._fingers[wanted].state is PositionState.TAKEN

    @property
    def needs_officer(self) -> tuple[int, ...]:
        """Return the positions an officer must decide: keep, missing or reopen."""
        waiting = self._undecided()
        if not waiting and self._control_failed() and self._controls:
            return (self._controls[0],)
        return waiting

    @property
    def complete(self) -> bool:
        """True when every position has a print or a reason and the control presses are done."""
        return self.wanted is None and not self.needs_officer

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Return what officers decided, in order."""
        return tuple(self._decisions)

    @property
    def missings(self) -> tuple[Missing, ...]:
        """Return the positions recorded as not capturable, in the plan's order."""
        found = (finger.missing for finger in self._fingers.values())
        return tuple(missing for missing in found if missing is not None)

    def state(self, position: int) -> PositionState:
        """Return where a position stands.

        Raises:
            NotWanted: it is not in the plan.
        """
        return self._finger(position).state

    def tries_left(self, position: int) -> int:
        """Return how many impressions of a position may still come; 0 unless it is open.

        Raises:
            NotWanted: it is not in the plan.
        """
        finger = self._finger(position)
        return self.tries - finger.attempts.count if finger.state is PositionState.OPEN else 0

    def offer(self, position: int, pixels: NDArray[np.uint8], dpi: int, reader: str) -> Offered:
        """Take one impression of a position, or of a control press.

        Args:
            position: any open position of the plan, or the control position.
            pixels: height x width, uint8, dark ridges on light ground.
            dpi: of the reader.
            reader: what goes on record as its name.

        Raises:
            NotWanted: the position is neither open nor the control position.
            ImpressionInvalid: see `impression.at_500_dpi`; no try is used up.
        """
        finger = self._finger(position)
        control = finger.state is PositionState.TAKEN and position == self.wanted
        if finger.state is not PositionState.OPEN and not control:
            raise NotWanted(f"position {position} is {finger.state}")
        seen = self._judge.judge(pixels, dpi)
        if control:
            return self._controlled(position, seen)
        height, width = pixels.shape
        impression = Impression(
            seen=seen, image=png(pixels), width=width, height=height, dpi=dpi, reader=reader
        )
        return self._tried(position, finger, impression)

    def missing(self, position: int, reason: MissingReason, officer: str, at: datetime) -> None:
        """Record that a finger cannot be captured; what was taken of it is dropped.

        Raises:
            NotWanted: the position is not in the plan.
            NotNow: it is recorded already.
            OfficerNeeded: no officer is named.
        """
        finger = self._finger(position)
        if finger.state is PositionState.MISSING:
            raise NotNow(f"position {position} is missing already")
        self._decide(position, DecisionKind.MISSING, officer, at)
        finger.attempts = Attempts()
        finger.state = PositionState.MISSING
        finger.missing = Missing(
            position=position,
            reason=reason,
            permanent=reason.lasting[0],
            officer=officer,
            at=at,
        )
        if self._controls and position in self._controls:
            self._controls.remove(position)
            self._control_tries = 0
        self._settle()

    def keep(self, position: int, officer: str, at: datetime) -> None:
        """Keep the best impression although it is poor or disputed, or waive its control press.

        Raises:
            NotWanted: the position is not in the plan.
            NotNow: it does not wait for an officer, or nothing of it could be used.
            OfficerNeeded: no officer is named.
        """
        finger = self._finger(position)
        if position not in self.needs_officer:
            raise NotNow(f"position {position} does not wait for an officer")
        if finger.attempts.best is None:
            raise NotNow(f"there is nothing of position {position} to keep")
        self._decide(position, DecisionKind.KEEP, officer, at)
        if finger.state is PositionState.UNDECIDED:
            finger.state = PositionState.TAKEN
            self._settle()
        else:
            self._next_control()

    def reopen(self, position: int, *, officer: str | None = None, at: datetime) -> None:
        """Begin a position anew with all its tries; what was taken of it is dropped.

        A citizen may redo a print that was taken; all else takes an officer.

        Raises:
            NotWanted: the position is not in the plan.
            NotNow: it is open.
            OfficerNeeded: it waits for an officer or is recorded as missing.
        """
        finger = self._finger(position)
        if finger.state is PositionState.OPEN:
            raise NotNow(f"position {position} is open")
        if officer is not None:
            self._decide(position, DecisionKind.REOPEN, officer, at)
        elif finger.state is not PositionState.TAKEN or position in self.needs_officer:
            raise OfficerNeeded(f"position {position} is {finger.state}")
        self._open(position)

    def prints(self) -> tuple[Print, ...]:
        """Return the prints that were taken, in the plan's order."""
        return tuple(
            _print(position, finger.attempts.best, finger.attempts.count)
            for position, finger in self._fingers.items()
            if finger.state is PositionState.TAKEN and finger.attempts.best is not None
        )

    def _finger(self, position: int) -> _Finger:
        if position not in self._fingers:
            raise NotWanted(f"position {position} is not in the plan")
        return self._fingers[position]

    def _tried(self, position: int, finger: _Finger, impression: Impression) -> Offered:
        attempts, seen = finger.attempts, impression.seen
        attempts.count += 1
        hint = _unusable(seen)
        same_as = None if hint else self._same_as(position, seen)
        if same_as is not None:
            hint = FingerHint.SAME_FINGER
        elif hint is None and not attempts.add(impression):
            hint = FingerHint.OTHER_FINGER
        best = attempts.best
        worth = -1.0 if best is None or attempts.disputed else best.rank[0]
        if hint is None and worth >= self.accept_at:
            finger.state = PositionState.TAKEN
        elif attempts.count >= self.tries:
            kept = worth >= self.keep_from
            finger.state = PositionState.TAKEN if kept else PositionState.UNDECIDED
        outcome = _OUTCOMES[finger.state]
        if outcome is not Outcome.TAKEN:
            hint = hint or seen.quality.hint or FingerHint.AGAIN
        self._settle()
        return Offered(
            outcome=outcome,
            kept=best is impression,
            quality=seen.quality,
            minutiae_count=len(seen.minutiae),
            hint=hint,
            try_number=attempts.count,
            tries_left=self.tries_left(position),
            same_as=same_as,
            reopened=(),
        )

    def _controlled(self, position: int, seen: Seen) -> Offered:
        self._control_tries += 1
        number, hint = self._control_tries, _unusable(seen)
        own = 0.0 if hint else self._fingers[position].attempts.likeness(seen.minutiae)
        same_as = None if hint else self._same_as(position, seen, above=own)
        outcome, reopened = Outcome.AGAIN, tuple[int, ...]()
        if same_as is not None:
            outcome, hint, reopened = Outcome.SWAPPED, FingerHint.OTHER_FINGER, (position, same_as)
            for suspect in reopened:
                self._open(suspect)
        elif own >= limits.CONTROL_FROM.value:
            outcome = Outcome.CONFIRMED
            self._next_control()
        else:
            hint = hint or seen.quality.hint or FingerHint.OTHER_FINGER
            if self._control_failed():
                outcome = Outcome.UNDECIDED
        return Offered(
            outcome=outcome,
            kept=False,
            quality=seen.quality,
            minutiae_count=len(seen.minutiae),
            hint=hint,
            try_number=number,
            tries_left=self.tries - number if outcome is Outcome.AGAIN else 0,
            same_as=same_as,
            reopened=reopened,
        )

    def _same_as(self, position: int, seen: Seen, *, above: float = 0.0) -> int | None:
        """Return the other position that shows this finger for certain, the likest."""
        scores = {
            other: finger.attempts.likeness(seen.minutiae)
            for other, finger in self._fingers.items()
            if other != position
        }
        likest = max(scores, key=lambda other: scores[other], default=None)
        if likest is None or scores[likest] < max(limits.SAME_FROM.value, above):
            return None
        return likest

    def _undecided(self) -> tuple[int, ...]:
        return tuple(
            position
            for position, finger in self._fingers.items()
            if finger.state is PositionState.UNDECIDED
        )

    def _control_failed(self) -> bool:
        return bool(self._controls) and self._control_tries >= self.tries

    def _next_control(self) -> None:
        if self._controls:
            self._controls.pop(0)
        self._control_tries = 0

    def _settle(self) -> None:
        """Draw the control presses once nothing is open and no officer is awaited.

        Where fingers were swapped before, they are the ones that are asked for again. A print
        that an officer kept although it is poor is not: it could not confirm anything.
        """
        waiting = {PositionState.OPEN, PositionState.UNDECIDED}
        if any(finger.state in waiting for finger in self._fingers.values()):
            self._controls = None
            return
        if self._controls is not None:
            return
        pool = [
            position
            for position, finger in self._fingers.items()
            if finger.attempts.best is not None and finger.attempts.best.rank[0] >= self.keep_from
        ]
        if len(pool) <= 1:
            pool = []
        pool = [position for position in pool if position in self._suspects] or pool
        count = min(self._wanted_controls, len(pool))
        self._controls = [int(p) for p in self._rng.choice(pool, count, replace=False)]
        self._control_tries = 0

    def _open(self, position: int) -> None:
        self._fingers[position] = _Finger()
        self._fingers = {place: self._fingers[place] for place in self.plan}
        self._suspects.add(position)
        self._controls = None
        self._control_tries = 0

    def _decide(self, position: int, kind: DecisionKind, officer: str, at: datetime) -> None:
        if not officer.strip():
            raise OfficerNeeded("a decision names the officer who took it")
        self._decisions.append(Decision(position=position, kind=kind, officer=officer, at=at))


_OUTCOMES: Final = {
    PositionState.OPEN: Outcome.AGAIN,
    PositionState.TAKEN: Outcome.TAKEN,
    PositionState.UNDECIDED: Outcome.UNDECIDED,
}


def _unusable(seen: Seen) -> FingerHint | None:
    """Return the hint for an impression that says nothing at all, else None."""
    if not seen.quality.finger:
        return FingerHint.NOT_A_FINGER
    if len(seen.minutiae) < limits.FEWEST_MINUTIAE.value:
        return seen.quality.hint or FingerHint.AGAIN
    return None


def _print(position: int, best: Impression, attempts: int) -> Print:
    quality = best.seen.quality
    return Print(
        position=position,
        kind=ImpressionKind.PLAIN,
        image=best.image,
        width=best.width,
        height=best.height,
        dpi=best.dpi,
        nfiq2=quality.nfiq2,
        estimate=quality.estimate,
        minutiae=len(best.seen.minutiae),
        template=None,
        support=None,
        agreement=None,
        attempts=attempts,
        reader=best.reader,
    )
