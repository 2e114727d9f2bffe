"""An appointment's life: what takes a place, what is live, and that all else is refused."""

import itertools

import pytest

from scheduler.life import LIFE, AppointmentEvent, AppointmentState, NotNow, after

S, E = AppointmentState, AppointmentEvent


def test_a_walk_through_the_office_ends_served() -> None:
    state = S.HELD
    for event in (E.CONFIRM, E.ARRIVE, E.LEAVE, E.ARRIVE, E.SERVE):
        state = after(state, event)
    assert state is S.SERVED


def test_what_is_not_in_the_table_is_refused() -> None:
    for state, event in itertools.product(S, E):
        if event not in LIFE[state]:
            with pytest.raises(NotNow, match=event):
                after(state, event)


def test_only_what_came_or_may_come_takes_a_place() -> None:
    assert {state for state in S if state.takes_a_place} == {S.HELD, S.BOOKED, S.ARRIVED, S.SERVED}


def test_what_is_over_is_not_live() -> None:
    assert {state for state in S if state.live} == {S.HELD, S.BOOKED, S.ARRIVED}


def test_an_event_never_takes_a_place_that_was_not_taken() -> None:
    for state, events in LIFE.items():
        for to in events.values():
            assert state.takes_a_place or not to.takes_a_place
