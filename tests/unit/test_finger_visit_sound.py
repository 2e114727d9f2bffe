"""Whatever citizens and officers do, in whatever order, a visit of fingers stays sound."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from biometrics.capture import ImpressionKind, MissingReason
from biometrics.finger.decisions import FingerVisitError
from biometrics.finger.known import Hit, HitKind
from biometrics.finger.plan import Step, Touch
from biometrics.finger.visit import Item, ItemState, NotNow, OfficerNeeded, Outcome
from tests.presses import (
    AT,
    BLANK,
    FAINT,
    OFFICER,
    Acquaintances,
    begin,
    by_item,
    lay,
    press,
    read,
    rolls,
)

PLANS = (
    tuple(Step(positions=(position,), touch=Touch.SINGLE) for position in (1, 2, 3)),
    (
        Step(positions=(2, 3), touch=Touch.SLAP),
        Step(positions=(7, 8), touch=Touch.SLAP),
        Step(positions=(1, 6), touch=Touch.THUMBS),
    ),
    (
        Step(positions=(2, 3), touch=Touch.SLAP),
        Step(positions=(7,), touch=Touch.SLAP),
        *rolls((2, 3, 7)),
    ),
)
COLLEAGUES, STRANGERS = 11, 12
fingers = st.sampled_from((1, 2, 2, 3, 3, 6, 7, 7, 8, BLANK, FAINT, COLLEAGUES, STRANGERS))
qualities = st.sampled_from((10, 36, 49, 50, 70, 90))


class Sitting(RuleBasedStateMachine):
    """Presses as asked, mostly right; decisions by officers; redoing by the citizen."""

    @initialize(
        plan=st.sampled_from(PLANS),
        tries=st.integers(1, 3),
        controls=st.integers(0, 2),
        seed=st.integers(0, 99),
    )
    def sit_down(self, plan: tuple[Step, ...], tries: int, controls: int, seed: int) -> None:
        known = Acquaintances(
            hits={
                COLLEAGUES: Hit(kind=HitKind.OFFICER, who="CB-12", score=20.0),
                STRANGERS: Hit(kind=HitKind.TODAY, who="TN-26-4F7K", score=20.0),
            }
        )
        self.visit = begin(plan, tries=tries, controls=controls, seed=seed, known=known)
        self.touch = 0

    @precondition(lambda self: self.visit.wanted is not None)
    @rule(data=st.data(), right=st.booleans())
    def touch_as_asked(self, data: st.DataObject, right: bool) -> None:
        visit, step = self.visit, self.visit.wanted
        assert step is not None
        self.touch = (self.touch + 1) % 256
        shown = {
            position: press(
                position if right else data.draw(fingers), data.draw(qualities), self.touch
            )
            for position in step.positions
        }
        control = visit.control
        tries_before = {
            position: visit.tries_left(Item(position=position, kind=step.kind))
            for position in step.positions
        }
        offered = lay(visit, shown)
        assert set(offered) == set(step.positions)
        for position, one in offered.items():
            assert 1 <= one.try_number <= visit.tries
            assert (one.hint is None) is (one.outcome in {Outcome.TAKEN, Outcome.CONFIRMED}) or (
                one.outcome is Outcome.TAKEN
            )
            assert (one.outcome is Outcome.SWAPPED) is bool(one.reopened)
            if one.outcome is Outcome.AGAIN and not control:
                assert one.tries_left == tries_before[position] - 1 > 0
            if one.alert is not None and not control:
                assert one.outcome is not Outcome.TAKEN or not one.kept

    @rule(data=st.data())
    def redo(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(self.visit.items))
        try:
            self.visit.reopen(item, at=AT)
        except (NotNow, OfficerNeeded):
            return
        assert self.visit.state(item) is ItemState.OPEN

    @rule(data=st.data())
    def let_a_roll_be(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(self.visit.items))
        if data.draw(st.integers(0, 9)) > 0:
            return
        try:
            self.visit.waive(item, OFFICER, AT)
        except NotNow:
            return
        assert item.kind is ImpressionKind.ROLLED

    @precondition(lambda self: self.visit.needs_officer)
    @rule(data=st.data(), keep=st.booleans())
    def decide(self, data: st.DataObject, keep: bool) -> None:
        item = data.draw(st.sampled_from(self.visit.needs_officer))
        count = len(self.visit.decisions)
        try:
            if keep:
                self.visit.keep(item, OFFICER, AT)
            else:
                self.visit.missing(item.position, MissingReason.WORN, None, OFFICER, AT)
        except NotNow:
            assert keep
            self.visit.reopen(item, officer=OFFICER, at=AT)
        assert len(self.visit.decisions) == count + 1
        assert item not in self.visit.needs_officer

    @precondition(lambda self: self.visit.needs_officer)
    @rule(data=st.data())
    def decide_without_a_name(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(self.visit.needs_officer))
        before = (self.visit.wanted, self.visit.needs_officer, self.visit.decisions)
        with pytest.raises(FingerVisitError):
            self.visit.keep(item, " ", AT)
        with pytest.raises(OfficerNeeded):
            self.visit.missing(item.position, MissingReason.WORN, None, "", AT)
        assert before == (self.visit.wanted, self.visit.needs_officer, self.visit.decisions)

    @invariant()
    def somebody_is_always_on_the_move(self) -> None:
        if not hasattr(self, "visit"):
            return
        visit = self.visit
        assert visit.complete is (visit.wanted is None and not visit.needs_officer)
        if visit.wanted is not None and not visit.control:
            kind = visit.wanted.kind
            for position in visit.wanted.positions:
                assert visit.tries_left(Item(position=position, kind=kind)) > 0

    @invariant()
    def every_item_is_a_print_or_has_a_reason_once_all_is_done(self) -> None:
        if not hasattr(self, "visit") or not self.visit.complete:
            return
        prints = by_item(self.visit.prints())
        missing = {one.position for one in self.visit.missings}
        for item in self.visit.items:
            ways = (item in prints, item.position in missing, item in self.visit.waived)
            assert sum(ways) == 1

    @invariant()
    def no_finger_stands_in_two_positions_and_no_blank_in_any(self) -> None:
        if not hasattr(self, "visit") or not self.visit.complete:
            return
        where: dict[int, int] = {}
        for found in self.visit.prints():
            finger, _, _ = read(found.image)
            assert finger != BLANK
            if finger != FAINT:
                assert where.setdefault(finger, found.position) == found.position

    def teardown(self) -> None:
        if hasattr(self, "visit"):
            for decision in self.visit.decisions:
                assert decision.officer == OFFICER


Sitting.TestCase.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, derandomize=True
)
test_whatever_happens_the_visit_stays_sound = Sitting.TestCase
