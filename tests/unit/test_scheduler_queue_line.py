"""The order of the line: nobody starves, nobody waits before an idle kiosk, whoever comes."""

from typing import TypedDict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scheduler.line import RULES, Rules
from scheduler.simulation import serve


class Person(TypedDict):
    arrives: int
    appointment: int | None
    priority: bool
    takes: int


PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "arrives": st.integers(0, 240),
            "appointment": st.none() | st.integers(-20, 260),
            "priority": st.booleans(),
            "takes": st.integers(1, 60),
        }
    ),
    min_size=2,
    max_size=25,
)
BOUND = RULES.head_start + RULES.grace
"""Minutes after somebody's rank; who comes later does not overtake them."""
SERVERS = st.integers(1, 4)
Minutes = NDArray[np.float64]


def came(people: list[Person]) -> Minutes:
    return np.asarray([p["arrives"] for p in people], float)


def takes(people: list[Person]) -> Minutes:
    return np.asarray([p["takes"] for p in people], float)


def ranks(people: list[Person], rules: Rules = RULES) -> Minutes:
    starts = np.asarray([np.nan if (a := p["appointment"]) is None else a for p in people], float)
    booked = rules.due_booked(starts, came(people))
    due = np.where(np.isnan(starts), rules.due_walk_in(came(people)), booked)
    ranked: Minutes = rules.rank(due, [p["priority"] for p in people])
    return ranked


def begun(people: list[Person], servers: int, rules: Rules = RULES) -> Minutes:
    free_at = np.zeros((1, servers))
    starts: Minutes = serve(
        came(people)[None], ranks(people, rules)[None], takes(people)[None], free_at
    )[0]
    assert np.isfinite(starts).all(), "everybody is served"
    assert (starts >= came(people)).all()
    return starts


@settings(max_examples=200, deadline=None)
@given(people=PEOPLE, servers=SERVERS)
def test_whoever_comes_later_than_a_bound_is_called_later(
    people: list[Person], servers: int
) -> None:
    starts = begun(people, servers)
    bound = np.maximum(ranks(people) + BOUND, came(people))
    later = came(people)[None, :] > bound[:, None]  # row: who waits; column: who comes too late
    assert (starts[None, :] >= starts[:, None])[later].all()


def test_without_an_end_of_the_head_start_somebody_would_starve() -> None:
    """The bound can fail: with priority before everything it does."""
    first = {"appointment": None, "priority": True, "takes": 10}
    people = [
        Person(arrives=0, appointment=None, priority=False, takes=10),
        *(Person(arrives=10 * n, **first) for n in range(12)),  # type: ignore[typeddict-item]
    ]
    starved = begun(people, 1, Rules(head_start=1000.0))
    assert starved[0] == 120.0
    assert begun(people, 1)[0] <= ranks(people)[0] + BOUND + 10.0


@settings(max_examples=200, deadline=None)
@given(people=PEOPLE, servers=SERVERS)
def test_no_kiosk_is_idle_while_somebody_waits(people: list[Person], servers: int) -> None:
    starts = begun(people, servers)
    for waited in np.flatnonzero(starts > came(people)):
        before = starts[waited] - 0.5
        assert ((starts <= before) & (starts + takes(people) > before)).sum() == servers


@settings(max_examples=100, deadline=None)
@given(people=PEOPLE, servers=SERVERS)
def test_who_is_not_due_is_called_only_where_nobody_who_is_due_waits(
    people: list[Person], servers: int
) -> None:
    starts, rank = begun(people, servers), ranks(people)
    for early in np.flatnonzero(rank > starts):
        due = (came(people) <= starts[early]) & (rank <= starts[early])
        assert (starts[due] <= starts[early]).all()
