"""What is noticed while the person stands there: a wrong finger, hand or person."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from biometrics.capture import MissingReason
from biometrics.finger.hints import FingerHint
from biometrics.finger.judge import Seen
from biometrics.finger.known import Hit, HitKind
from biometrics.finger.plan import LEFT, RIGHT, THUMBS, Step, Touch
from biometrics.finger.visit import (
    Alert,
    Item,
    ItemState,
    NotNow,
    NotWanted,
    OfficerNeeded,
    Outcome,
    Touched,
)
from tests.presses import (
    ALL_TEN,
    AT,
    BLANK,
    BLIND,
    FAINT,
    OFFICER,
    SLAPS,
    Acquaintances,
    Reading,
    asked,
    begin,
    lay,
    plain,
    press,
    put,
    recorded,
    rolled,
    rolls,
    singles,
    slap,
    waits,
)

SINGLE_TOO = frozenset({Touch.SLAP, Touch.THUMBS, Touch.SINGLE, Touch.ROLLED})
COLLEAGUE = "CB-12"


def met(finger: int, kind: HitKind, who: str) -> Acquaintances:
    return Acquaintances(hits={finger: Hit(kind=kind, who=who, score=20.0)})


# Touches of several fingers


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


# The wrong finger


def test_one_finger_at_two_places_of_a_slap_is_believed_at_neither() -> None:
    visit = begin(SLAPS)
    offered = lay(visit, {2: press(2), 3: press(2, 70, 1), 4: press(4), 5: press(5)})
    assert [offered[position].alert for position in RIGHT] == [
        Alert.SAME_FINGER,
        Alert.SAME_FINGER,
        None,
        None,
    ]
    assert (offered[2].same_as, offered[3].same_as) == (3, 2)
    assert visit.wanted == Step(positions=(2, 3), touch=Touch.SLAP)


def test_the_hand_that_was_taken_before_is_called_the_other_hand() -> None:
    visit = begin(SLAPS)
    slap(visit, RIGHT)
    offered = slap(visit, (5, 4, 3, 2), 70, 1)
    assert {one.hint for one in offered.values()} == {FingerHint.OTHER_HAND}
    assert {one.alert for one in offered.values()} == {Alert.HANDS_SWAPPED}
    assert {position: one.same_as for position, one in offered.items()} == {7: 5, 8: 4, 9: 3, 10: 2}
    assert {one.outcome for one in offered.values()} == {Outcome.AGAIN}
    assert slap(visit, LEFT)[7].outcome is Outcome.TAKEN


def test_the_other_hand_is_told_also_where_some_of_its_fingers_are_too_poor() -> None:
    visit = begin(SLAPS)
    slap(visit, RIGHT)
    pictures = {7: press(FAINT), 8: press(4, 70, 1), 9: press(3, 70, 1), 10: press(BLANK)}
    offered = lay(visit, pictures)
    assert [offered[position].hint for position in LEFT] == [
        FingerHint.AGAIN,
        FingerHint.OTHER_HAND,
        FingerHint.OTHER_HAND,
        FingerHint.NOT_A_FINGER,
    ]


def test_the_same_wrong_hand_twice_puts_the_first_in_doubt_and_both_begin_anew() -> None:
    visit = begin(SLAPS)
    slap(visit, (10, 9, 8, 7))
    slap(visit, LEFT, 70, 1)
    offered = slap(visit, LEFT, 70, 2)
    assert {one.outcome for one in offered.values()} == {Outcome.SWAPPED}
    assert visit.wanted == SLAPS[0]
    slap(visit, RIGHT, 70, 3)
    slap(visit, LEFT, 70, 4)
    slap(visit, THUMBS)
    assert visit.complete
    assert [finger for finger, _, _ in recorded(visit)] == [*RIGHT, *LEFT, *THUMBS]


def test_thumbs_that_are_crossed_show_at_the_rolls() -> None:
    visit = begin((SLAPS[2], *rolls(THUMBS)))
    slap(visit, (6, 1))
    first = put(visit, 1, 70, 1)
    assert (first.hint, first.outcome) == (FingerHint.OTHER_HAND, Outcome.AGAIN)
    second = put(visit, 1, 70, 2)
    assert second.outcome is Outcome.SWAPPED
    assert set(second.reopened) == {rolled(1), plain(1), plain(6)}
    assert visit.wanted == SLAPS[2]
    slap(visit, THUMBS, 70, 3)
    put(visit, 1, 70, 4)
    put(visit, 6, 70, 5)
    assert visit.complete
    assert [finger for finger, _, _ in recorded(visit)] == [1, 6, 1, 6]


def test_neighbours_that_were_swapped_show_at_the_second_roll_and_begin_anew() -> None:
    visit = begin((*singles((2, 3)), *rolls((2, 3))))
    put(visit, 3)
    put(visit, 2)
    first = put(visit, 2, 70, 1)
    assert (first.outcome, first.hint, first.alert) == (
        Outcome.AGAIN,
        FingerHint.NEIGHBOUR,
        Alert.NEIGHBOURS_SWAPPED,
    )
    second = put(visit, 2, 70, 2)
    assert second.outcome is Outcome.SWAPPED
    assert set(second.reopened) == {rolled(2), plain(2), plain(3)}
    for touch, position in enumerate((2, 3, 2, 3), start=3):
        assert put(visit, position, 70, touch).outcome is Outcome.TAKEN
    assert visit.complete
    assert [finger for finger, _, _ in recorded(visit)] == [2, 3, 2, 3]


def test_the_wrong_finger_at_a_roll_is_put_right_without_taking_anything_anew() -> None:
    visit = begin((SLAPS[0], *rolls(RIGHT)))
    slap(visit, RIGHT)
    wrong = put(visit, 3, 70, 1)
    assert (wrong.outcome, wrong.hint, wrong.same_as) == (Outcome.AGAIN, FingerHint.NEIGHBOUR, 3)
    for touch, position in enumerate(RIGHT, start=2):
        assert put(visit, position, 70, touch).outcome is Outcome.TAKEN
    assert visit.complete


def test_a_roll_of_a_finger_nobody_showed_before_is_not_the_flat_one() -> None:
    visit = begin((SLAPS[0], *rolls(RIGHT)))
    slap(visit, RIGHT)
    other = put(visit, 9, 70, 1)
    assert (other.outcome, other.hint, other.alert) == (
        Outcome.AGAIN,
        FingerHint.DIFFERS,
        Alert.ROLLED_DIFFERS,
    )
    assert put(visit, 2, 70, 2).outcome is Outcome.TAKEN


def test_a_poor_roll_is_never_called_another_finger() -> None:
    visit = begin((*singles((2,)), *rolls((2,))))
    put(visit, 2)
    assert put(visit, 9, 30, 1).alert is None


def test_an_officer_may_keep_a_roll_that_only_seems_to_be_another_finger() -> None:
    visit = begin((*singles((2,)), *rolls((2,))), tries=1)
    put(visit, 2)
    assert put(visit, 9, 70, 1).outcome is Outcome.UNDECIDED
    visit.keep(rolled(2), OFFICER, AT)
    assert visit.complete
    assert recorded(visit) == [(2, 70, 0), (9, 70, 1)]


def test_an_officer_may_let_a_roll_be_where_the_flat_finger_is_there() -> None:
    visit = begin((*singles((2,)), *rolls((2,))))
    put(visit, 2)
    visit.waive(rolled(2), OFFICER, AT)
    assert visit.complete
    assert visit.waived == (rolled(2),)
    assert [one.position for one in visit.prints()] == [2]
    visit.reopen(rolled(2), officer=OFFICER, at=AT)
    assert visit.wanted == rolls((2,))[0]


@pytest.mark.parametrize("item", [plain(2), rolled(3)], ids=["flat", "rolled only"])
def test_nothing_is_let_be_that_would_leave_no_impression(item: Item) -> None:
    visit = begin((*singles((2,)), *rolls((2, 3))))
    with pytest.raises(NotNow):
        visit.waive(item, OFFICER, AT)


# Nobody's, an officer's, somebody else's finger


def test_a_picture_that_came_before_is_no_touch_wherever_it_comes_again() -> None:
    visit = begin(singles((1, 2)), controls=1)
    put(visit, 1, 40)
    again = put(visit, 1, 40)
    assert (again.outcome, again.hint, again.alert) == (
        Outcome.AGAIN,
        FingerHint.REPLAY,
        Alert.REPLAY,
    )
    put(visit, 1, 70, 1)
    assert put(visit, 1, 70, 1).alert is Alert.REPLAY
    put(visit, 2, 70, 2)
    position = asked(visit)
    assert put(visit, position, 70, position).alert is Alert.REPLAY
    assert put(visit, position, 70, 5).outcome is Outcome.CONFIRMED


def test_a_picture_is_remembered_also_after_an_officer_rejected_it() -> None:
    visit = begin(singles((1,)))
    put(visit, 1)
    visit.reopen(plain(1), officer=OFFICER, at=AT)
    assert put(visit, 1).alert is Alert.REPLAY


def test_an_empty_glass_is_no_replay() -> None:
    visit = begin(singles((1,)))
    assert [put(visit, BLANK, 0).hint for _ in range(2)] == [FingerHint.NOT_A_FINGER] * 2


def test_one_picture_at_two_places_of_a_slap_is_believed_at_neither() -> None:
    visit = begin((SLAPS[2],))
    offered = slap(visit, (1, 1))
    assert {one.alert for one in offered.values()} == {Alert.REPLAY}


def test_an_officers_finger_is_not_taken_and_the_officer_is_named_to_the_journal_only() -> None:
    visit = begin(singles((1, 2)), known=met(9, HitKind.OFFICER, COLLEAGUE))
    shown = put(visit, 9)
    assert (shown.outcome, shown.hint, shown.alert, shown.who) == (
        Outcome.AGAIN,
        FingerHint.OFFICER,
        Alert.OFFICER,
        COLLEAGUE,
    )
    assert put(visit, 1).outcome is Outcome.TAKEN
    assert recorded(visit) == [(1, 70, 0)]


def test_an_officer_who_came_as_a_citizen_needs_another_officer_and_only_once() -> None:
    known = Acquaintances(
        hits={finger: Hit(kind=HitKind.OFFICER, who=COLLEAGUE, score=20.0) for finger in (1, 2)}
    )
    visit = begin(singles((1, 2)), tries=2, known=known)
    assert [put(visit, 1, 70, touch).outcome for touch in (0, 1)] == [
        Outcome.AGAIN,
        Outcome.UNDECIDED,
    ]
    with pytest.raises(OfficerNeeded):
        visit.keep(plain(1), COLLEAGUE, AT)
    assert visit.decisions == ()
    visit.keep(plain(1), OFFICER, AT)
    assert put(visit, 2).outcome is Outcome.TAKEN
    assert visit.complete


def test_an_officers_finger_is_not_kept_where_another_position_has_it() -> None:
    visit = begin(singles((1, 2)), tries=1, known=met(9, HitKind.OFFICER, COLLEAGUE))
    put(visit, 9, 70, 0)
    put(visit, 9, 70, 1)
    visit.keep(plain(1), OFFICER, AT)
    with pytest.raises(NotNow):
        visit.keep(plain(2), OFFICER, AT)
    assert waits(visit) == (2,)


def test_a_persons_own_impression_is_kept_before_an_officers() -> None:
    visit = begin(singles((1,)), tries=2, known=met(9, HitKind.OFFICER, COLLEAGUE))
    put(visit, 1, 20)
    put(visit, 9, 90)
    visit.keep(plain(1), OFFICER, AT)
    assert recorded(visit) == [(1, 20, 0)]


def test_a_finger_seen_today_for_another_dossier_waits_for_an_officer_at_once() -> None:
    hit = Hit(kind=HitKind.TODAY, who="TN-26-4F7K", score=20.0)
    visit = begin(SLAPS, known=Acquaintances(hits=dict.fromkeys(RIGHT, hit)))
    offered = slap(visit, RIGHT)
    assert {one.alert for one in offered.values()} == {Alert.SEEN_TODAY}
    assert {one.who for one in offered.values()} == {"TN-26-4F7K"}
    assert {one.outcome for one in offered.values()} == {Outcome.UNDECIDED}
    assert visit.needs_officer == tuple(plain(position) for position in RIGHT)
    visit.keep(plain(2), OFFICER, AT)
    assert visit.needs_officer == ()
    assert len(visit.prints()) == 4
    assert len(visit.decisions) == 1


def test_a_finger_seen_today_at_the_control_press_waits_for_an_officer_too() -> None:
    known = Acquaintances()
    visit = begin(singles((1, 2)), controls=1, known=known)
    put(visit, 1)
    put(visit, 2)
    position = asked(visit)
    known.hits[position] = Hit(kind=HitKind.TODAY, who="TN-26-4F7K", score=20.0)
    pressed = put(visit, position, 70, 5)
    assert (pressed.outcome, pressed.alert) == (Outcome.UNDECIDED, Alert.SEEN_TODAY)
    assert waits(visit) == (position,)
    visit.keep(plain(position), OFFICER, AT)
    assert visit.complete


@pytest.mark.parametrize("finger", [FAINT, BLIND], ids=["few minutiae", "none looked for"])
def test_a_finger_too_faint_to_be_told_from_others_is_kept_by_an_officer_only(finger: int) -> None:
    visit = begin(singles((1,)), tries=2)
    put(visit, finger, 90, 0)
    assert put(visit, finger, 80, 1).outcome is Outcome.UNDECIDED
    visit.keep(plain(1), OFFICER, AT)
    assert recorded(visit) == [(finger, 90, 0)]
    assert visit.prints()[0].minutiae == (5 if finger == FAINT else 0)
    assert (visit.prints()[0].template is None) is (finger == BLIND)


# Two threads


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
