"""What is noticed while the person stands there: a wrong finger or hand."""

import numpy as np
import pytest

from biometrics.finger.hints import FingerHint
from biometrics.finger.judge import FingerJudge
from biometrics.finger.plan import LEFT, RIGHT, THUMBS, Step, Touch
from biometrics.finger.visit import (
    Alert,
    FingerVisit,
    Item,
    NotNow,
    Outcome,
)
from hardware.finger.hand import SimulatedHand
from tests.presses import (
    AT,
    BLANK,
    FAINT,
    OFFICER,
    SLAPS,
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
)


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


def test_the_judge_in_earnest_tells_a_roll_from_the_neighbours_flat_finger() -> None:
    hand = SimulatedHand(2)
    with FingerJudge() as judge:
        visit = FingerVisit(
            steps=(Step(positions=(2, 3), touch=Touch.SLAP), *rolls((2, 3))),
            tries=3,
            accept_at=20,
            keep_from=20,
            judge=judge,
            rng=np.random.default_rng(1),
        )
        lay(visit, {position: hand.finger(position).impression(3) for position in (2, 3)})
        wrong = lay(visit, {2: hand.finger(3).rolled(4)})[2]
        assert (wrong.alert, wrong.same_as) == (Alert.NEIGHBOURS_SWAPPED, 3)
        right = lay(visit, {2: hand.finger(2).rolled(5)})[2]
        assert (right.outcome, right.alert) == (Outcome.TAKEN, None)
