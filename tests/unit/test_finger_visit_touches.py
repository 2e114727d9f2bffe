"""Touches of several fingers, and what happens while one is looked at."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from biometrics.capture import MissingReason
from biometrics.finger.hints import FingerHint
from biometrics.finger.judge import Seen
from biometrics.finger.plan import LEFT, RIGHT, THUMBS, Step, Touch
from biometrics.finger.visit import (
    ItemState,
    NotNow,
    NotWanted,
    Outcome,
    Touched,
)
from tests.presses import (
    ALL_TEN,
    AT,
    OFFICER,
    SLAPS,
    Reading,
    asked,
    begin,
    lay,
    plain,
    press,
    put,
    rolled,
    rolls,
    singles,
    slap,
)

SINGLE_TOO = frozenset({Touch.SLAP, Touch.THUMBS, Touch.SINGLE, Touch.ROLLED})


def test_a_slap_takes_its_fingers_at_once_and_asks_again_for_the_poor_one_alone() -> None:
    visit = begin(SLAPS, takes=SINGLE_TOO)
    pictures = {position: press(position) for position in RIGHT} | {4: press(4, 38)}
    offered = lay(visit, pictures)
    assert {position: one.outcome for position, one in offered.items()} == {
        2: Outcome.TAKEN,
        3: Outcome.TAKEN,
        4: Outcome.AGAIN,
        5: Outcome.TAKEN,
    }
    assert offered[4].hint is FingerHint.TOO_DRY
    assert visit.wanted == Step(positions=(4,), touch=Touch.SINGLE)
    assert put(visit, 4, 80, 1).outcome is Outcome.TAKEN
    assert visit.wanted == SLAPS[1]


def test_a_reader_that_takes_no_single_finger_is_asked_for_a_slap_of_one() -> None:
    visit = begin(SLAPS)
    lay(visit, {position: press(position) for position in RIGHT} | {4: press(4, 38)})
    assert visit.wanted == Step(positions=(4,), touch=Touch.SLAP)


def test_two_poor_fingers_are_asked_for_together() -> None:
    visit = begin(SLAPS, takes=SINGLE_TOO)
    lay(visit, {position: press(position, 38 if position < 4 else 70) for position in RIGHT})
    assert visit.wanted == Step(positions=(2, 3), touch=Touch.SLAP)


def test_a_finger_that_did_not_come_uses_up_a_try_and_is_asked_for() -> None:
    visit = begin(SLAPS, tries=2, takes=SINGLE_TOO)
    offered = lay(visit, {position: press(position) for position in (2, 3, 5)})
    assert (offered[4].outcome, offered[4].hint) == (Outcome.AGAIN, FingerHint.NOT_SHOWN)
    assert (offered[4].quality, offered[4].minutiae_count) == (None, 0)
    assert lay(visit, {})[4].outcome is Outcome.UNDECIDED
    assert visit.state(plain(4)) is ItemState.UNDECIDED
    with pytest.raises(NotNow):
        visit.keep(plain(4), OFFICER, AT)


def test_a_finger_that_is_missing_is_left_out_of_later_touches() -> None:
    visit = begin((*SLAPS, *rolls(ALL_TEN)))
    visit.missing(3, MissingReason.AMPUTATED, None, OFFICER, AT)
    assert visit.wanted == Step(positions=(2, 4, 5), touch=Touch.SLAP)
    for hand in ((2, 4, 5), LEFT, THUMBS):
        slap(visit, hand)
    for position in ALL_TEN:
        if position != 3:
            put(visit, position, 70, 9)
    assert visit.complete
    assert len(visit.prints()) == 18
    assert visit.state(rolled(3)) is ItemState.MISSING
    assert len(visit.missings) == 1


def test_the_plan_in_full_is_thirteen_touches_and_needs_no_control_press() -> None:
    visit = begin((*SLAPS, *rolls(ALL_TEN)), controls=2)
    touches = 0
    while (step := visit.wanted) is not None:
        kept = slap(visit, step.positions, 70, touches)
        assert {one.outcome for one in kept.values()} == {Outcome.TAKEN}
        touches += 1
    assert touches == 13
    assert visit.complete
    prints = visit.prints()
    assert len(prints) == 20
    assert all(one.support is not None and (one.agreement or 0) > 5 for one in prints)


def test_slaps_without_rolls_end_with_a_control_press_of_one_finger() -> None:
    visit = begin(SLAPS, controls=2, takes=SINGLE_TOO)
    for step in SLAPS:
        slap(visit, step.positions)
    assert visit.control
    assert visit.wanted is not None
    assert visit.wanted.touch is Touch.SINGLE
    for _ in range(2):
        assert put(visit, asked(visit), 70, 5).outcome is Outcome.CONFIRMED
    assert visit.complete


@pytest.mark.parametrize(
    "came", [{2: 2, 3: 3, 4: 4, 5: 5, 7: 7}, {1: 1}], ids=["one too many", "another"]
)
def test_a_finger_that_was_not_asked_for_changes_nothing(came: dict[int, int]) -> None:
    visit = begin(SLAPS)
    with pytest.raises(NotWanted):
        lay(visit, {position: press(finger) for position, finger in came.items()})
    assert visit.tries_left(plain(2)) == 3
    assert slap(visit, RIGHT)[2].outcome is Outcome.TAKEN


def test_two_impressions_for_one_position_change_nothing() -> None:
    visit = begin(singles((1, 2)))
    step = visit.wanted
    assert step is not None
    touches = [
        Touched(position=1, pixels=press(1, 70, touch), dpi=500, reader="r") for touch in (0, 1)
    ]
    with pytest.raises(NotWanted):
        visit.offer(step, visit.look(touches))
    assert visit.tries_left(plain(1)) == 3


class Slow(Reading):
    """A judge who waits until the test lets go."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def judge(self, pixels: NDArray[np.uint8], dpi: int) -> Seen:
        self.asked.set()
        assert self.go_on.wait(20)
        return super().judge(pixels, dpi)


def test_while_a_touch_is_looked_at_officers_decide_and_a_touch_they_overtook_is_refused() -> None:
    judge = Slow()
    visit = begin(singles((1, 2)), judge=judge)
    step = visit.wanted
    assert step is not None
    touched = [Touched(position=1, pixels=press(1), dpi=500, reader="r")]
    with ThreadPoolExecutor(max_workers=1) as other:
        looking = other.submit(visit.look, touched)
        assert judge.asked.wait(20)
        visit.missing(1, MissingReason.BANDAGED, None, OFFICER, AT)
        assert asked(visit) == 2
        judge.go_on.set()
        looked = looking.result(20)
    before = (visit.wanted, visit.prints(), visit.decisions, visit.missings)
    with pytest.raises(NotWanted):
        visit.offer(step, looked)
    assert (visit.wanted, visit.prints(), visit.decisions, visit.missings) == before
    visit.reopen(plain(1), officer=OFFICER, at=AT)
    assert visit.offer(step, looked)[0].outcome is Outcome.TAKEN


def test_what_is_taken_while_another_touch_is_looked_at_is_compared_with_it_all_the_same() -> None:
    visit = begin(singles((1, 2)))
    looked = visit.look([Touched(position=2, pixels=press(1, 70, 1), dpi=500, reader="r")])
    put(visit, 1)
    step = visit.wanted
    assert step is not None
    assert visit.offer(step, looked)[0].same_as == 1


def test_looking_changes_nothing() -> None:
    visit = begin(singles((1, 2)), controls=1)
    put(visit, 1, 40)
    before = (visit.wanted, visit.scores, visit.tries_left(plain(1)))
    for touch in range(5):
        visit.look([Touched(position=1, pixels=press(2, 90, touch), dpi=500, reader="r")])
    assert (visit.wanted, visit.scores, visit.tries_left(plain(1))) == before
    assert put(visit, 2, 90, 0, at=2).alert is None
