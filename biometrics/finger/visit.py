"""The fingers of one visit: which touch is wanted next, what is kept, who must decide.

It drives no reader, reads no clock, draws nothing and runs no thread.

`look` may run in any thread, one call at a time, while others use the visit: it only reads.
Everything else is for one thread at a time: a caller with several holds one lock of its own
around each call, `offer` included, which takes milliseconds.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

import numpy as np

from biometrics.capture import ImpressionKind, Missing, MissingReason, Print
from biometrics.finger import doubts, taking
from biometrics.finger.board import Board, Rules
from biometrics.finger.decisions import (
    Decision,
    DecisionKind,
    FingerVisitError,
    NotNow,
    NotWanted,
    OfficerNeeded,
    PlanInvalid,
    ReasonInvalid,
)
from biometrics.finger.impression import png
from biometrics.finger.judge import Judge
from biometrics.finger.known import NOBODY, Known
from biometrics.finger.offers import (
    Alert,
    Impression,
    Item,
    ItemState,
    Looked,
    Offered,
    Outcome,
    Touched,
    digest_of,
)
from biometrics.finger.plan import Step, Touch
from biometrics.finger.prints import print_of
from biometrics.finger.sequence import Controls, items_of

__all__ = [
    "Alert",
    "Decision",
    "DecisionKind",
    "FingerVisit",
    "FingerVisitError",
    "Item",
    "ItemState",
    "Looked",
    "NotNow",
    "NotWanted",
    "Offered",
    "OfficerNeeded",
    "Outcome",
    "PlanInvalid",
    "ReasonInvalid",
    "Touched",
]

_MOST_REDOS: Final = 2
"""How often a citizen may begin a finger anew; then an officer looks."""


class FingerVisit:
    """All fingers of a visit, from the first try to the last control press."""

    def __init__(
        self,
        *,
        steps: Iterable[Step],
        tries: int,
        accept_at: int,
        keep_from: int,
        judge: Judge,
        rng: np.random.Generator,
        controls: int = 1,
        known: Known = NOBODY,
        takes: Collection[Touch] | None = None,
    ) -> None:
        """Begin with every item open.

        Args:
            steps: the touches to ask for, in order, as `plan.steps` gives them.
            tries: impressions of one item before an officer is asked, 1..10.
            accept_at: NFIQ 2 from which an impression is taken at once.
            keep_from: NFIQ 2 from which the best is kept when no try is left.
            judge: says what an impression shows; used by `look` only.
            rng: draws the control presses.
            controls: how many fingers are asked for again at the end, 0..2.
            known: fingers that must not come, or that were here today; used by `look` only.
            takes: what the reader can take; None: no touch but those of the steps.

        Raises:
            PlanInvalid: an item twice, fingers that no such touch takes, or a number out of
                its range.
        """
        self.steps: Final = tuple(steps)
        self.tries: Final = tries
        self._judge = judge
        self._known = known
        self._board = Board(
            steps=self.steps,
            takes={step.touch for step in self.steps} if takes is None else takes,
            rules=Rules(tries=tries, accept_at=accept_at, keep_from=keep_from),
            controls=Controls(controls, rng),
        )
        self.items: Final = self._board.sequence.items
        self.plan: Final = tuple(dict.fromkeys(item.position for item in self.items))
        """Positions, each once, in the order in which they are asked for first."""
        self._decisions: list[Decision] = []

    @property
    def wanted(self) -> Step | None:
        """Return the touch to ask for now: of a step, the positions that are still open.

        None while only officers can go on (see `needs_officer`) and when all is done.
        """
        return self._board.wanted

    @property
    def control(self) -> bool:
        """True while `wanted` is asked for a second time, to notice swapped fingers."""
        return not self._board.standing(ItemState.OPEN) and self.wanted is not None

    @property
    def needs_officer(self) -> tuple[Item, ...]:
        """Return the items an officer must decide: keep, missing, waive or reopen."""
        return self._board.waiting

    @property
    def complete(self) -> bool:
        """True when every item has a print or a reason and the control presses are done."""
        return self.wanted is None and not self.needs_officer

    @property
    def proof_wanted(self) -> bool:
        """True where a finger is missing for a reason that a picture proves."""
        return any(missing.reason.shown for missing in self.missings)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Return what officers decided, in order."""
        return tuple(self._decisions)

    @property
    def missings(self) -> tuple[Missing, ...]:
        """Return the positions recorded as not capturable, in the plan's order."""
        lost = self._board.standing(ItemState.MISSING)
        found = {item.position: self._board.finger(item).missing for item in lost}
        return tuple(missing for missing in found.values() if missing is not None)

    @property
    def waived(self) -> tuple[Item, ...]:
        """Return the rolled impressions that officers let be, in the plan's order."""
        return self._board.standing(ItemState.WAIVED)

    @property
    def scores(self) -> tuple[tuple[Item, int], ...]:
        """Return the quality, 0..100, of what was taken, in the plan's order."""
        return tuple((item, round(best.worth)) for item, best in self._board.taken().items())

    def state(self, item: Item) -> ItemState:
        """Return where an item stands.

        Raises:
            NotWanted: it is not in the plan.
        """
        return self._board.finger(item).state

    def tries_left(self, item: Item) -> int:
        """Return how many impressions of an item may still come; 0 unless it is open.

        Raises:
            NotWanted: it is not in the plan.
        """
        finger = self._board.finger(item)
        return self.tries - finger.tries if finger.state is ItemState.OPEN else 0

    def look(self, touches: Iterable[Touched]) -> tuple[Looked, ...]:
        """Return what the fingers of a touch show; about half a second each, nothing changes.

        Raises:
            ImpressionInvalid: see `impression.at_500_dpi`; no try is used up.
        """
        return tuple(self._look(touched) for touched in touches)

    def offer(self, step: Step, looked: Iterable[Looked]) -> tuple[Offered, ...]:
        """Take one touch, and say what became of each finger that was asked for.

        Args:
            step: what was asked for: `wanted` as it was then, or any open items.
            looked: what `look` made of what came, in any order; a finger that did not come
                uses up a try as well.

        Raises:
            NotWanted: something of the step is neither open nor the control press, or a
                finger came that was not asked for, or twice; nothing has changed.
        """
        control = self.control and step == self.wanted
        shown = self._shown_by(step, looked, control=control)
        came = [one for one in shown.values() if one is not None]
        usable = {item: one for item, one in shown.items() if one and one.impression.usable}
        found = doubts.find(self._board.scene(usable))
        self._board.remember(came)
        take = taking.pressed_again if control else taking.tried
        offered = tuple(
            take(self._board, item, one, found.get(item)) for item, one in shown.items()
        )
        self._board.settle()
        return offered

    def missing(
        self,
        position: int,
        reason: MissingReason,
        permanent: bool | None,  # noqa: FBT001 - a column of the record
        officer: str,
        at: datetime,
    ) -> None:
        """Record that a finger cannot be captured in any way; what was taken of it is dropped.

        Args:
            position: the finger.
            reason: why.
            permanent: False where a later visit could bring it; None is what is usual.
            officer: who says so.
            at: when.

        Raises:
            NotWanted: the position is not in the plan.
            NotNow: it is recorded already.
            ReasonInvalid: the reason does not last so long, or so short.
            OfficerNeeded: no officer is named.
        """
        items = self._board.items_at(position)
        if self._board.finger(items[0]).state is ItemState.MISSING:
            raise NotNow(f"position {position} is missing already")
        lasting = reason.lasting[0] if permanent is None else permanent
        if lasting not in reason.lasting:
            raise ReasonInvalid(f"{reason} lasts otherwise")
        self._decide(items[0], DecisionKind.MISSING, officer, at)
        record = Missing(
            position=position, reason=reason, permanent=lasting, officer=officer, at=at
        )
        self._board.lose(items, record)
        self._board.settle()

    def waive(self, item: Item, officer: str, at: datetime) -> None:
        """Let a rolled impression be, where the finger is there but cannot be rolled.

        Raises:
            NotWanted: it is not in the plan.
            NotNow: it is not rolled, not asked for flat as well, or neither open nor waiting.
            OfficerNeeded: no officer is named.
        """
        finger = self._board.finger(item)
        flat = Item(position=item.position, kind=ImpressionKind.PLAIN)
        if item == flat or flat not in self.items:
            raise NotNow(f"position {item.position} would have no impression left")
        if finger.state not in {ItemState.OPEN, ItemState.UNDECIDED}:
            raise NotNow(f"{item} is {finger.state}")
        self._decide(item, DecisionKind.WAIVE, officer, at)
        self._board.waive(item)
        self._board.settle()

    def keep(self, item: Item, officer: str, at: datetime) -> None:
        """Keep the best impression although it is poor or doubted, or waive its control press.

        Whoever keeps a finger that was seen today, or another officer's, vouches for it: the
        same person's next fingers raise no alert.

        Raises:
            NotWanted: the item is not in the plan.
            NotNow: it does not wait for an officer, nothing of it could be used, or another
                position has this finger.
            OfficerNeeded: no officer is named, or it is this officer's own finger.
        """
        finger = self._board.finger(item)
        if item not in self.needs_officer:
            raise NotNow(f"{item} does not wait for an officer")
        held = self._held(item, officer) if finger.attempts.best is None else None
        self._decide(item, DecisionKind.KEEP, officer, at)
        finger.trusted = True
        if finger.state is not ItemState.UNDECIDED:
            self._board.controls.done()
            return
        self._board.keep(item)
        if held is not None:
            finger.attempts.add(held.impression)
            self._board.vouch(() if held.hit is None else (held.hit.who,))
        self._board.vouch(finger.seen_today)
        self._board.settle()

    def reopen(self, item: Item, *, officer: str | None = None, at: datetime) -> None:
        """Begin an item anew with all its tries; a finger that was missing, in all its ways.

        A citizen may redo twice what was taken; what was shown before then counts again once it
        proves to be the same finger. All else takes an officer, who rejects what was shown.

        Raises:
            NotWanted: the item is not in the plan.
            NotNow: it is open.
            OfficerNeeded: it waits for an officer, is missing or waived, or was redone twice.
        """
        finger = self._board.finger(item)
        if finger.state is ItemState.OPEN:
            raise NotNow(f"{item} is open")
        if officer is not None:
            self._decide(item, DecisionKind.REOPEN, officer, at)
            lost = finger.state is ItemState.MISSING
            self._board.clear(self._board.items_at(item.position) if lost else (item,))
        elif finger.state is not ItemState.TAKEN or item in self.needs_officer:
            raise OfficerNeeded(f"{item} is {finger.state}")
        elif finger.redos >= _MOST_REDOS:
            raise OfficerNeeded(f"{item} was begun anew {finger.redos} times")
        else:
            finger.redos += 1
            self._board.begin_anew(item)
        self._board.settle()

    def prints(self) -> tuple[Print, ...]:
        """Return the prints that were taken, with their records, in the plan's order."""
        taken = self._board.taken()
        return tuple(self._print(item, best, taken) for item, best in taken.items())

    def _print(self, item: Item, best: Impression, taken: dict[Item, Impression]) -> Print:
        finger = self._board.finger(item)
        others = [(item, one) for one in finger.attempts.candidates if one is not best]
        others += [
            (other, one)
            for other, one in taken.items()
            if other.position == item.position and other != item
        ]
        return print_of(
            item, best, others, attempts=finger.looked_at, likeness=self._board.likeness
        )

    def _look(self, touched: Touched) -> Looked:
        seen = self._judge.judge(touched.pixels, touched.dpi)
        height, width = touched.pixels.shape
        impression = Impression(
            seen=seen,
            image=png(touched.pixels),
            width=width,
            height=height,
            dpi=touched.dpi,
            reader=touched.reader,
            digest=digest_of(touched.pixels),
        )
        hit = None
        if seen.minutiae is not None and impression.usable:
            hit = self._known.find(seen.minutiae)
            # So that `offer` finds these scores computed.
            self._board.likeness.most(impression, self._board.shown)
        return Looked(position=touched.position, impression=impression, hit=hit)

    def _shown_by(
        self, step: Step, looked: Iterable[Looked], *, control: bool
    ) -> dict[Item, Looked | None]:
        """Return what came for each item of a step, None for what did not come."""
        shown: dict[Item, Looked | None] = dict.fromkeys(items_of(step))
        for item in shown:
            state = self.state(item)
            if state is not ItemState.OPEN and not control:
                raise NotWanted(f"{item} is {state}")
        for one in looked:
            item = Item(position=one.position, kind=step.kind)
            if item not in shown or shown[item] is not None:
                raise NotWanted(f"position {one.position} came unasked, or twice")
            shown[item] = one
        return shown

    def _held(self, item: Item, officer: str) -> Looked:
        """Return what only an officer could keep: what is nobody's finger, then another's."""
        held = self._board.finger(item).held
        if not held:
            raise NotNow(f"there is nothing of {item} to keep")
        allowed = [one for one in held if one.hit is None or one.hit.who != officer]
        if not allowed:
            raise OfficerNeeded("an officer does not keep their own finger")
        best = max(allowed, key=lambda one: (one.hit is None, one.impression.worth))
        if doubts.elsewhere(self._board.scene({}), item, best) is not None:
            raise NotNow("another position has this finger")
        return best

    def _decide(self, item: Item, kind: DecisionKind, officer: str, at: datetime) -> None:
        if not officer.strip():
            raise OfficerNeeded("a decision names the officer who took it")
        self._decisions.append(Decision(item=item, kind=kind, officer=officer, at=at))
