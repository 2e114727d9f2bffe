"""Ten fingers, some tries each: what is kept, what is refused, and who decides the rest."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from numpy.typing import NDArray

from biometrics.capture import ImpressionKind, MissingReason
from biometrics.finger.compare import SAME_FROM, compare
from biometrics.finger.hints import FingerHint
from biometrics.finger.impression import ImpressionInvalid
from biometrics.finger.judge import FingerJudge, Seen
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.plan import Step, Touch
from biometrics.finger.quality import Quality
from biometrics.finger.visit import (
    DecisionKind,
    FingerVisit,
    Item,
    ItemState,
    NotNow,
    NotWanted,
    Offered,
    OfficerNeeded,
    Outcome,
    PlanInvalid,
    Touched,
)
from hardware.finger.hand import SimulatedHand

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
BLANK = 0
ALL_TEN = tuple(range(1, 11))


@cache
def _finger(number: int) -> NDArray[np.float32]:
    """Forty minutiae that no other number shares."""
    rng = np.random.default_rng(number)
    low, high = [0, 0, -np.pi, 0.6], [260, 300, np.pi, 1.0]
    return rng.uniform(low, high, (40, 4)).astype(np.float32)


@cache
def _minutiae(number: int, touch: int) -> Minutiae:
    if number == BLANK:
        return Minutiae(points=np.empty((0, 4), np.float32))
    rng = np.random.default_rng([number, touch])
    moved = _finger(number)[rng.permutation(40)[:34]].copy()
    moved[:, :2] += rng.normal(0, 1.5, (34, 2)) + rng.uniform(-20, 20, 2)
    moved[:, 2] += rng.normal(0, 0.05, 34)
    return Minutiae(points=moved.astype(np.float32))


def press(finger: int, nfiq2: int, touch: int = 0) -> NDArray[np.uint8]:
    """A picture that says which finger it is of, how good it is, and which touch."""
    pixels = np.full((64, 64), 255, np.uint8)
    pixels[0, :3] = (finger, nfiq2, touch)
    return pixels


class Reading:
    """Judges the pictures of `press`."""

    def judge(self, pixels: NDArray[np.uint8], dpi: int) -> Seen:
        if pixels.ndim != 2 or dpi != 500:
            raise ImpressionInvalid("not a picture")
        finger, nfiq2, touch = (int(value) for value in pixels[0, :3])
        quality = Quality(
            nfiq2=nfiq2,
            estimate=float(nfiq2),
            hint=None if nfiq2 > 40 else FingerHint.TOO_DRY,
            findings=(),
            finger=finger != BLANK,
        )
        return Seen(quality=quality, minutiae=_minutiae(finger, touch))


def singles(plan: tuple[int, ...]) -> tuple[Step, ...]:
    return tuple(Step(positions=(position,), touch=Touch.SINGLE) for position in plan)


def plain(position: int) -> Item:
    return Item(position=position, kind=ImpressionKind.PLAIN)


def begin(
    plan: tuple[int, ...] = (1, 2, 3), *, tries: int = 3, controls: int = 0, seed: int = 0
) -> FingerVisit:
    return FingerVisit(
        steps=singles(plan),
        tries=tries,
        accept_at=50,
        keep_from=35,
        judge=Reading(),
        rng=np.random.default_rng(seed),
        controls=controls,
    )


def put(
    visit: FingerVisit, finger: int, nfiq2: int = 70, touch: int = 0, *, at: int | None = None
) -> Offered:
    position = wanted(visit) if at is None else at
    return show(visit, position, press(finger, nfiq2, touch))


def show(visit: FingerVisit, position: int, pixels: NDArray[np.uint8]) -> Offered:
    looked = visit.look([Touched(position=position, pixels=pixels, dpi=500, reader="reader 7")])
    (offered,) = visit.offer(Step(positions=(position,), touch=Touch.SINGLE), looked)
    return offered


def wanted(visit: FingerVisit) -> int:
    step = visit.wanted
    assert step is not None
    (position,) = step.positions
    return position


def waits(visit: FingerVisit) -> tuple[int, ...]:
    """Who waits for an officer, while nobody is asked to press anything."""
    assert visit.wanted is None
    assert not visit.complete
    return tuple(item.position for item in visit.needs_officer)


def test_good_fingers_are_taken_at_the_first_try_in_the_plans_order() -> None:
    visit = begin((2, 1, 7))
    for position in (2, 1, 7):
        assert wanted(visit) == position
        taken = put(visit, position)
        assert (taken.outcome, taken.kept, taken.hint, taken.tries_left) == (
            Outcome.TAKEN,
            True,
            None,
            0,
        )
    assert visit.complete
    assert [found.position for found in visit.prints()] == [2, 1, 7]


def test_a_print_keeps_its_picture_losslessly_with_what_was_seen_in_it() -> None:
    visit = begin((4,))
    put(visit, 4, 72, 3)
    (kept,) = visit.prints()
    picture = cv2.imdecode(np.frombuffer(kept.image, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert np.array_equal(picture, press(4, 72, 3))
    assert (kept.width, kept.height, kept.dpi, kept.reader) == (64, 64, 500, "reader 7")
    assert (kept.nfiq2, kept.estimate, kept.minutiae, kept.attempts) == (72, 72.0, 34, 1)


def test_a_poor_impression_asks_for_another_with_a_hint_and_the_best_is_kept() -> None:
    visit = begin((1,))
    assert put(visit, 1, 40, 0).hint is FingerHint.TOO_DRY
    second = put(visit, 1, 45, 1)
    assert (second.outcome, second.kept, second.hint) == (Outcome.AGAIN, True, FingerHint.AGAIN)
    third = put(visit, 1, 38, 2)
    assert (third.outcome, third.kept, third.try_number) == (Outcome.TAKEN, False, 3)
    assert [(found.nfiq2, found.attempts) for found in visit.prints()] == [(45, 3)]


def test_what_is_too_poor_after_all_tries_waits_for_an_officer_while_others_go_on() -> None:
    visit = begin((1, 2))
    outcomes = [put(visit, 1, 20, touch, at=1).outcome for touch in range(3)]
    assert outcomes == [Outcome.AGAIN, Outcome.AGAIN, Outcome.UNDECIDED]
    assert wanted(visit) == 2
    put(visit, 2)
    assert waits(visit) == (1,)
    visit.keep(plain(1), "CB-07", AT)
    assert visit.complete
    assert [found.nfiq2 for found in visit.prints()] == [20, 70]
    (decision,) = visit.decisions
    assert (decision.position, decision.kind, decision.officer, decision.at) == (
        1,
        DecisionKind.KEEP,
        "CB-07",
        AT,
    )


def test_an_officer_may_record_the_finger_as_missing_instead() -> None:
    visit = begin((1,), tries=1)
    put(visit, 1, 10)
    visit.missing(1, MissingReason.WORN, None, "CB-07", AT)
    assert visit.complete
    assert visit.prints() == ()
    (gone,) = visit.missings
    assert (gone.position, gone.reason, gone.officer) == (1, MissingReason.WORN, "CB-07")


def test_a_missing_finger_is_never_asked_for() -> None:
    visit = begin()
    visit.missing(2, MissingReason.AMPUTATED, None, "CB-07", AT)
    put(visit, 1)
    assert wanted(visit) == 3
    with pytest.raises(NotWanted):
        show(visit, 2, press(2, 70))
    with pytest.raises(NotNow):
        visit.missing(2, MissingReason.AMPUTATED, None, "CB-07", AT)


@pytest.mark.parametrize("officer", ["", "   "])
def test_nobody_decides_without_a_name(officer: str) -> None:
    visit = begin((1,), tries=1)
    put(visit, 1, 10)
    with pytest.raises(OfficerNeeded):
        visit.keep(plain(1), officer, AT)
    with pytest.raises(OfficerNeeded):
        visit.missing(1, MissingReason.WORN, None, officer, AT)
    with pytest.raises(OfficerNeeded):
        visit.reopen(plain(1), officer=officer, at=AT)
    assert visit.state(plain(1)) is ItemState.UNDECIDED
    assert visit.decisions == ()


def test_nothing_can_be_kept_where_no_finger_was_seen() -> None:
    visit = begin((1,), tries=2)
    hints = [put(visit, BLANK, 99).hint for _ in range(2)]
    assert hints == [FingerHint.NOT_A_FINGER] * 2
    assert visit.needs_officer == (plain(1),)
    with pytest.raises(NotNow):
        visit.keep(plain(1), "CB-07", AT)


def test_a_finger_that_was_taken_already_is_refused_and_named() -> None:
    visit = begin()
    put(visit, 1)
    again = put(visit, 1, 80, 1)
    assert (again.outcome, again.kept, again.hint, again.same_as) == (
        Outcome.AGAIN,
        False,
        FingerHint.SAME_FINGER,
        1,
    )
    assert put(visit, 2).outcome is Outcome.TAKEN


def test_a_citizen_may_redo_a_finger_that_was_taken_wrongly() -> None:
    visit = begin((2, 3))
    put(visit, 3)
    assert put(visit, 3, 70, 1).same_as == 2
    visit.reopen(plain(2), at=AT)
    assert wanted(visit) == 2
    put(visit, 2)
    put(visit, 3, 70, 1)
    assert visit.complete
    assert visit.decisions == ()


def test_only_an_officer_reopens_what_waits_or_is_missing() -> None:
    visit = begin((1, 2), tries=1)
    put(visit, 1, 10)
    visit.missing(2, MissingReason.BANDAGED, None, "CB-07", AT)
    for position in (1, 2):
        with pytest.raises(OfficerNeeded):
            visit.reopen(plain(position), at=AT)
        visit.reopen(plain(position), officer="CB-07", at=AT)
        assert visit.state(plain(position)) is ItemState.OPEN
        assert visit.tries_left(plain(position)) == 1
    with pytest.raises(NotNow):
        visit.reopen(plain(1), officer="CB-07", at=AT)
    assert visit.missings == ()


def test_a_retry_that_clearly_shows_another_finger_is_told_so() -> None:
    visit = begin((1,))
    put(visit, 1, 45, 0)
    other = put(visit, 2, 80, 0)
    assert (other.outcome, other.kept, other.hint) == (
        Outcome.AGAIN,
        False,
        FingerHint.OTHER_FINGER,
    )
    assert put(visit, 1, 60, 1).outcome is Outcome.TAKEN
    assert [found.nfiq2 for found in visit.prints()] == [60]


def test_two_against_one_show_that_the_first_finger_was_the_wrong_one() -> None:
    visit = begin((1,))
    put(visit, 2, 45, 0)
    put(visit, 1, 80, 0)
    third = put(visit, 1, 70, 1)
    assert (third.outcome, third.hint) == (Outcome.TAKEN, None)
    assert [found.nfiq2 for found in visit.prints()] == [80]


def test_fingers_that_contradict_each_other_to_the_end_wait_for_an_officer() -> None:
    visit = begin((1,), tries=2)
    put(visit, 1, 45, 0)
    assert put(visit, 2, 80, 0).outcome is Outcome.UNDECIDED
    assert visit.needs_officer == (plain(1),)


def test_a_poor_impression_is_never_called_another_finger() -> None:
    visit = begin((1,))
    put(visit, 1, 30, 0)
    assert put(visit, 2, 30, 0).hint is FingerHint.TOO_DRY


def test_pixels_that_are_no_picture_use_up_no_try() -> None:
    visit = begin((1,))
    with pytest.raises(ImpressionInvalid):
        show(visit, 1, np.zeros((64, 64, 3), np.uint8))
    assert visit.tries_left(plain(1)) == 3


def test_a_control_press_confirms_the_finger() -> None:
    visit = begin(controls=1)
    controls = []
    for position in (1, 2, 3):
        controls.append(visit.control)
        put(visit, position)
    controls.append(visit.control)
    assert controls == [False, False, False, True]
    asked = wanted(visit)
    confirmed = put(visit, asked, 60, 5)
    assert (confirmed.outcome, confirmed.kept) == (Outcome.CONFIRMED, False)
    assert visit.complete
    assert [found.nfiq2 for found in visit.prints()] == [70, 70, 70]


def test_the_generator_of_the_caller_draws_the_control_presses() -> None:
    drawn: set[tuple[int, ...]] = set()
    for seed in range(12):
        pairs = []
        for _ in range(2):
            visit = begin(controls=2, seed=seed)
            for position in (1, 2, 3):
                put(visit, position)
            asked = []
            while visit.wanted is not None:
                asked.append(visit.wanted)
                put(visit, visit.wanted, 60, 5)
            pairs.append(tuple(asked))
        assert pairs[0] == pairs[1]
        assert len(set(pairs[0])) == 2
        drawn.add(pairs[0])
    assert len(drawn) > 2


def test_swapped_fingers_show_at_the_control_press_and_both_begin_anew() -> None:
    visit = begin((2, 3), controls=1)
    put(visit, 3)
    put(visit, 2)
    asked = wanted(visit)
    swapped = put(visit, asked, 60, 5)
    assert swapped.outcome is Outcome.SWAPPED
    assert swapped.hint is FingerHint.OTHER_FINGER
    assert swapped.same_as == 5 - asked
    assert set(swapped.reopened) == {2, 3}
    assert visit.prints() == ()
    put(visit, 2)
    put(visit, 3)
    assert visit.control
    put(visit, wanted(visit), 60, 6)
    assert visit.complete


def test_after_a_swap_it_is_the_swapped_fingers_that_are_controlled() -> None:
    for seed in range(8):
        visit = begin(ALL_TEN, controls=1, seed=seed)
        for position in ALL_TEN:
            put(visit, position)
        asked = wanted(visit)
        other = asked % 10 + 1
        assert put(visit, other, 60, 5).outcome is Outcome.SWAPPED
        put(visit, asked, at=asked)
        put(visit, other, at=other)
        assert wanted(visit) in {asked, other}


def test_a_control_press_that_never_matches_waits_for_an_officer_who_may_waive_it() -> None:
    visit = begin((1, 2), controls=1)
    put(visit, 1)
    put(visit, 2)
    asked = wanted(visit)
    outcomes = [put(visit, 9, 60, touch).outcome for touch in range(3)]
    assert outcomes == [Outcome.AGAIN, Outcome.AGAIN, Outcome.UNDECIDED]
    assert waits(visit) == (asked,)
    with pytest.raises(OfficerNeeded):
        visit.reopen(plain(asked), at=AT)
    visit.keep(plain(asked), "CB-07", AT)
    assert visit.complete
    assert len(visit.prints()) == 2


def test_a_print_too_poor_to_confirm_anything_is_not_controlled() -> None:
    visit = begin((1, 2, 3), tries=1, controls=2)
    put(visit, 1, 10)
    put(visit, 2)
    put(visit, 3)
    visit.keep(plain(1), "CB-07", AT)
    asked = []
    while visit.wanted is not None:
        asked.append(visit.wanted)
        put(visit, visit.wanted, 60, 5)
    assert set(asked) == {2, 3}


def test_a_single_finger_is_not_controlled() -> None:
    visit = begin((6,), controls=2)
    put(visit, 6)
    assert visit.complete


def test_an_empty_plan_is_complete_at_once() -> None:
    assert begin(()).complete


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": singles((1, 1))},
        {"steps": singles((0,))},
        {"steps": singles((11,))},
        {"tries": 0},
        {"tries": 11},
        {"accept_at": 101},
        {"keep_from": -1},
        {"keep_from": 51},
        {"controls": 3},
        {"controls": -1},
    ],
)
def test_a_plan_nobody_can_follow_is_refused(wrong: dict[str, object]) -> None:
    plan: dict[str, object] = {"steps": singles((1,)), "tries": 3, "accept_at": 50, "keep_from": 35}
    with pytest.raises(PlanInvalid):
        FingerVisit(
            judge=Reading(),
            rng=np.random.default_rng(0),
            **{**plan, **wrong},  # type: ignore[arg-type]  # the table holds wrong values
        )


def test_a_position_outside_the_plan_is_refused_everywhere() -> None:
    visit = begin((1,))
    with pytest.raises(NotWanted):
        show(visit, 2, press(2, 70))
    with pytest.raises(NotWanted):
        visit.keep(plain(2), "CB-07", AT)
    with pytest.raises(NotWanted):
        visit.missing(2, MissingReason.WORN, None, "CB-07", AT)
    with pytest.raises(NotWanted):
        visit.reopen(plain(2), officer="CB-07", at=AT)
    with pytest.raises(NotWanted):
        visit.state(plain(2))


def test_the_fingers_made_here_are_alike_only_to_themselves() -> None:
    for finger in ALL_TEN:
        assert compare(_minutiae(finger, 0), _minutiae(finger, 1)) > 2 * SAME_FROM
        for other in ALL_TEN[finger:]:
            assert compare(_minutiae(finger, 0), _minutiae(other, 0)) < SAME_FROM / 2


def test_a_visit_with_a_simulated_hand_and_the_judge_in_earnest() -> None:
    hand = SimulatedHand(11)

    def touch(position: int, number: int) -> NDArray[np.uint8]:
        return hand.finger(position).impression(number)

    with FingerJudge() as judge:
        visit = FingerVisit(
            steps=singles((1, 2, 7)),
            tries=3,
            accept_at=30,
            keep_from=20,
            judge=judge,
            rng=np.random.default_rng(4),
            controls=1,
        )
        for position in (1, 2, 7):
            assert show(visit, position, touch(position, 1)).kept
            if position == 1:
                again = show(visit, 2, touch(1, 2))
                assert (again.hint, again.same_as) == (FingerHint.SAME_FINGER, 1)
        asked = wanted(visit)
        other = 1 if asked != 1 else 2
        swapped = show(visit, asked, touch(other, 3))
        assert (swapped.outcome, swapped.same_as) == (Outcome.SWAPPED, other)
        for position in sorted((asked, other)):
            show(visit, position, touch(position, 4))
        asked = wanted(visit)
        confirmed = show(visit, asked, touch(asked, 5))
        assert confirmed.outcome is Outcome.CONFIRMED
        assert visit.complete
        assert [found.nfiq2 is not None for found in visit.prints()] == [True, True, True]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    finger: int
    nfiq2: int
    number: int


touches = st.builds(
    Pressed,
    finger=st.sampled_from((BLANK, 1, 2, 3, 4, 9)),
    nfiq2=st.sampled_from((10, 36, 49, 50, 90)),
    number=st.integers(0, 5),
)
positions = st.sampled_from((1, 2, 3, 4))


class Sitting(RuleBasedStateMachine):
    """Whatever citizens and officers do, in whatever order."""

    @initialize(tries=st.integers(1, 3), controls=st.integers(0, 2), seed=st.integers(0, 99))
    def sit_down(self, tries: int, controls: int, seed: int) -> None:
        self.visit = begin((1, 2, 3, 4), tries=tries, controls=controls, seed=seed)

    @precondition(lambda self: self.visit.wanted is not None)
    @rule(touch=touches)
    def press_as_asked(self, touch: Pressed) -> None:
        position = wanted(self.visit)
        before = {found.position: found for found in self.visit.prints()}
        control = self.visit.control
        seen = put(self.visit, touch.finger, touch.nfiq2, touch.number)
        assert 1 <= seen.try_number <= self.visit.tries
        if control and seen.outcome is not Outcome.SWAPPED:
            assert {found.position: found for found in self.visit.prints()} == before
        if seen.outcome is Outcome.TAKEN:
            kept = {found.position: found for found in self.visit.prints()}[position]
            assert (kept.nfiq2 or 0) >= self.visit.keep_from
        if seen.outcome in {Outcome.AGAIN, Outcome.UNDECIDED, Outcome.SWAPPED}:
            assert seen.hint is not None
        for position in seen.reopened:
            assert self.visit.state(plain(position)) is ItemState.OPEN

    @rule(position=positions, touch=touches)
    def press_for_any_position(self, position: int, touch: Pressed) -> None:
        asked = self.visit.state(plain(position)) is ItemState.OPEN or position == self.visit.wanted
        pixels = press(touch.finger, touch.nfiq2, touch.number)
        if asked:
            self.show(visit, position, pixels)
        else:
            with pytest.raises(NotWanted):
                self.show(visit, position, pixels)

    @rule(position=positions)
    def redo(self, position: int) -> None:
        try:
            self.visit.reopen(plain(position), at=AT)
        except (NotNow, OfficerNeeded):
            return
        assert self.visit.state(plain(position)) is ItemState.OPEN

    @precondition(lambda self: self.visit.needs_officer)
    @rule(data=st.data(), keep=st.booleans())
    def decide(self, data: st.DataObject, keep: bool) -> None:
        position = data.draw(st.sampled_from(self.visit.needs_officer))
        count = len(self.visit.decisions)
        try:
            if keep:
                self.visit.keep(plain(position), "CB-07", AT)
            else:
                self.visit.missing(position, MissingReason.WORN, "CB-07", AT)
        except NotNow:
            assert keep
            self.visit.reopen(plain(position), officer="CB-07", at=AT)
        assert len(self.visit.decisions) == count + 1
        assert position not in self.visit.needs_officer

    @invariant()
    def somebody_is_always_on_the_move(self) -> None:
        if not hasattr(self, "visit"):
            return
        waiting = (self.visit.wanted is not None) + self.visit.complete
        assert waiting == (0 if self.visit.wanted is None and self.visit.needs_officer else 1)

    @invariant()
    def every_position_is_a_print_or_a_reason_once_all_is_done(self) -> None:
        if not hasattr(self, "visit") or not self.visit.complete:
            return
        settled = [found.position for found in self.visit.prints()]
        settled += [found.position for found in self.visit.missings]
        assert sorted(settled) == [1, 2, 3, 4]

    @invariant()
    def no_finger_stands_in_two_positions(self) -> None:
        if not hasattr(self, "visit"):
            return
        fingers = []
        for found in self.visit.prints():
            picture = cv2.imdecode(np.frombuffer(found.image, np.uint8), cv2.IMREAD_UNCHANGED)
            assert picture is not None
            fingers.append(int(picture[0, 0]))
        assert len(set(fingers)) == len(fingers)
        assert BLANK not in fingers


Sitting.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
test_whatever_happens_the_visit_stays_sound = Sitting.TestCase
