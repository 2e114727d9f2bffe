"""Control presses: a finger asked for again at the end, to see that none was swapped."""

import pytest

from biometrics.finger.hints import FingerHint
from biometrics.finger.visit import (
    Alert,
    FingerVisit,
    OfficerNeeded,
    Outcome,
)
from tests.presses import (
    ALL_TEN,
    AT,
    OFFICER,
    asked,
    begin,
    plain,
    put,
    recorded,
    singles,
    waits,
)


def controlled(visit: FingerVisit) -> list[int]:
    """Press what is asked for until nothing is; return what was."""
    presses = []
    while visit.wanted is not None:
        presses.append(asked(visit))
        put(visit, presses[-1], 60, 5)
    return presses


def test_a_control_press_confirms_the_finger() -> None:
    visit = begin(controls=1)
    controls = []
    for position in (1, 2, 3):
        controls.append(visit.control)
        put(visit, position)
    controls.append(visit.control)
    assert controls == [False, False, False, True]
    confirmed = put(visit, asked(visit), 60, 5)
    assert (confirmed.outcome, confirmed.kept) == (Outcome.CONFIRMED, False)
    assert visit.complete
    assert [found.nfiq2 for found in visit.prints()] == [70, 70, 70]


def test_a_control_press_that_is_better_than_what_was_taken_goes_on_record_instead() -> None:
    visit = begin(controls=1)
    for position in (1, 2, 3):
        put(visit, position, 55)
    position = asked(visit)
    confirmed = put(visit, position, 90, 5)
    assert (confirmed.outcome, confirmed.kept) == (Outcome.CONFIRMED, True)
    assert dict(visit.scores)[plain(position)] == 90


def test_the_generator_of_the_caller_draws_the_control_presses() -> None:
    drawn: set[tuple[int, ...]] = set()
    for seed in range(12):
        pairs = []
        for _ in range(2):
            visit = begin(controls=2, seed=seed)
            for position in (1, 2, 3):
                put(visit, position)
            pairs.append(tuple(controlled(visit)))
        assert pairs[0] == pairs[1]
        assert len(set(pairs[0])) == 2
        drawn.add(pairs[0])
    assert len(drawn) > 2


def test_swapped_fingers_show_at_the_control_press_and_both_begin_anew() -> None:
    visit = begin(singles((2, 3)), controls=1)
    put(visit, 3)
    put(visit, 2)
    position = asked(visit)
    swapped = put(visit, position, 60, 5)
    assert swapped.outcome is Outcome.SWAPPED
    assert (swapped.hint, swapped.alert) == (FingerHint.NEIGHBOUR, Alert.NEIGHBOURS_SWAPPED)
    assert swapped.same_as == 5 - position
    assert set(swapped.reopened) == {plain(2), plain(3)}
    assert visit.prints() == ()
    put(visit, 2, 70, 1)
    put(visit, 3, 70, 1)
    assert visit.control
    put(visit, asked(visit), 60, 6)
    assert visit.complete
    assert [finger for finger, _, _ in recorded(visit)] == [2, 3]


def test_fingers_that_are_swapped_again_and_again_wait_for_an_officer() -> None:
    visit = begin(singles((2, 3)), controls=1)
    for touch in range(2):
        put(visit, 3, 70, 2 * touch)
        put(visit, 2, 70, 2 * touch)
        outcome = put(visit, asked(visit), 60, 2 * touch + 1).outcome
    assert outcome is Outcome.UNDECIDED
    assert set(waits(visit)) == {2, 3}
    for position in (2, 3):
        visit.reopen(plain(position), officer=OFFICER, at=AT)
    put(visit, 2, 80, 7)
    put(visit, 3, 80, 7)
    assert put(visit, asked(visit), 60, 8).outcome is Outcome.CONFIRMED
    assert visit.complete


def test_after_a_swap_it_is_the_swapped_fingers_that_are_controlled() -> None:
    for seed in range(8):
        visit = begin(singles(ALL_TEN), controls=1, seed=seed)
        for position in ALL_TEN:
            put(visit, position)
        position = asked(visit)
        other = position % 10 + 1
        assert put(visit, other, 60, 5).outcome is Outcome.SWAPPED
        put(visit, position, 70, 1, at=position)
        put(visit, other, 70, 1, at=other)
        assert asked(visit) in {position, other}


def test_a_control_press_that_never_matches_waits_for_an_officer_who_may_waive_it() -> None:
    visit = begin(singles((1, 2)), controls=1)
    put(visit, 1)
    put(visit, 2)
    position = asked(visit)
    outcomes = [put(visit, 9, 60, touch).outcome for touch in range(3)]
    assert outcomes == [Outcome.AGAIN, Outcome.AGAIN, Outcome.UNDECIDED]
    assert waits(visit) == (position,)
    with pytest.raises(OfficerNeeded):
        visit.reopen(plain(position), at=AT)
    visit.keep(plain(position), OFFICER, AT)
    assert visit.complete
    assert len(visit.prints()) == 2


def test_a_print_too_poor_to_confirm_anything_is_not_controlled() -> None:
    visit = begin(singles((1, 2, 3)), tries=1, controls=2)
    put(visit, 1, 10)
    put(visit, 2)
    put(visit, 3)
    visit.keep(plain(1), OFFICER, AT)
    assert set(controlled(visit)) == {2, 3}


def test_a_single_finger_is_not_controlled() -> None:
    visit = begin(singles((6,)), controls=2)
    put(visit, 6)
    assert visit.complete
