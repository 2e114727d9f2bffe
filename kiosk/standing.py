"""How far the fingers have come, as one value that screens, voice and rehearsals read.

It changes nothing; what it says is taken from the visit of `biometrics.finger`.
"""

import enum
from dataclasses import dataclass, replace
from typing import Final

from biometrics.capture import ImpressionKind, Print
from biometrics.finger.hints import FingerHint
from biometrics.finger.plan import Step
from biometrics.finger.visit import FingerVisit, Item, ItemState, Offered, Outcome
from hardware.finger.port import NoImage


class Phase(enum.StrEnum):
    """What the person at the glass should know."""

    PLACE = "place"
    READING = "reading"
    JUDGING = "judging"
    LIFT = "lift"


class Mark(enum.StrEnum):
    """How a finger is drawn."""

    OPEN = "open"
    WANTED = "wanted"
    AGAIN = "again"
    """It is wanted, and was given before."""
    TAKEN = "taken"
    UNDECIDED = "undecided"
    MISSING = "missing"


_MARKS: Final = {
    ItemState.OPEN: Mark.OPEN,
    ItemState.TAKEN: Mark.TAKEN,
    ItemState.UNDECIDED: Mark.UNDECIDED,
    ItemState.MISSING: Mark.MISSING,
    ItemState.WAIVED: Mark.MISSING,
}
_GOOD: Final = frozenset({Outcome.TAKEN, Outcome.CONFIRMED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far the fingers have come.

    Attributes:
        plan: positions that are wanted, in their order.
        kinds: kinds of impressions in the plan.
        kind: which of them is being taken, and drawn.
        wanted: the touch that is asked for now; None when officers must decide or all is done.
        control: it is asked for again, to see that no finger was swapped.
        progress: share of the image that has come over, 0..1.
        live: what the live picture says of the glass before the touch.
        mend: what the reader itself could not use of the last touch.
        offered: what became of the last touch's impressions, empty before the first.
        marks: how each finger stands, of the present kind.
        scores: quality 0..100 by what is taken.
        undecided: what waits for an officer.
        try_number, tries: of the wanted touch.
        proof_wanted: a picture of the hands is to be taken.
    """

    plan: tuple[int, ...] = ()
    kinds: tuple[ImpressionKind, ...] = ()
    kind: ImpressionKind = ImpressionKind.PLAIN
    wanted: Step | None = None
    control: bool = False
    phase: Phase = Phase.PLACE
    progress: float = 0.0
    live: FingerHint | None = None
    mend: NoImage | None = None
    offered: tuple[Offered, ...] = ()
    marks: tuple[tuple[int, Mark], ...] = ()
    scores: tuple[tuple[Item, int], ...] = ()
    undecided: tuple[Item, ...] = ()
    try_number: int = 1
    tries: int = 1
    proof_wanted: bool = False
    complete: bool = False

    @property
    def taken(self) -> tuple[int, ...]:
        """Return the positions whose print of the present kind is there."""
        return self._marked(Mark.TAKEN)

    @property
    def missing(self) -> tuple[int, ...]:
        """Return the positions that cannot be captured, or not in the present way."""
        return self._marked(Mark.MISSING)

    @property
    def done(self) -> int:
        """Return how many fingers are settled, of the present kind."""
        return len(self.marks) if self.control else len(self.taken) + len(self.missing)

    @property
    def went_well(self) -> bool:
        """True where all of the last touch could be used."""
        return bool(self.offered) and all(one.outcome in _GOOD for one in self.offered)

    def _marked(self, mark: Mark) -> tuple[int, ...]:
        return tuple(position for position, one in self.marks if one is mark)


def standing_of(visit: FingerVisit, before: Standing) -> Standing:
    """Return how far `visit` has come; what the reader does stays as it was `before`."""
    wanted = visit.wanted
    waiting = visit.needs_officer
    kind = before.kind
    if wanted is not None:
        kind = wanted.kind
    elif waiting:
        kind = waiting[0].kind
    return replace(
        before,
        plan=tuple(sorted(visit.plan)),
        kinds=tuple(dict.fromkeys(step.kind for step in visit.steps)),
        kind=kind,
        wanted=wanted,
        control=visit.control,
        marks=tuple(
            (item.position, _mark(visit, item, wanted))
            for step in visit.steps
            if step.kind is kind
            for item in items_of(step)
        ),
        scores=visit.scores,
        undecided=waiting,
        try_number=_try(visit, wanted),
        tries=visit.tries,
        proof_wanted=visit.proof_wanted,
        complete=visit.complete,
    )


def _mark(visit: FingerVisit, item: Item, wanted: Step | None) -> Mark:
    if wanted is None or item.kind is not wanted.kind or item.position not in wanted.positions:
        return _MARKS[visit.state(item)]
    again = not visit.control and visit.tries_left(item) < visit.tries
    return Mark.AGAIN if again else Mark.WANTED


def _try(visit: FingerVisit, wanted: Step | None) -> int:
    if wanted is None or visit.control:
        return 1
    return visit.tries - min(visit.tries_left(item) for item in items_of(wanted)) + 1


def items_of(step: Step) -> tuple[Item, ...]:
    """Return what a touch is to give."""
    return tuple(Item(position=position, kind=step.kind) for position in step.positions)


def score_of(one: Print) -> int:
    """Return a print's quality, 0..100: NFIQ 2 where it could be had."""
    return round(one.estimate) if one.nfiq2 is None else one.nfiq2
