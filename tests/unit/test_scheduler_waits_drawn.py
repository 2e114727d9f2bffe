"""Announced waits, drawn: whoever is called before counts, and they hold for 8 of 10."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import queue as measurement
from scheduler import forecast, habits, simulation, waits
from scheduler.forecast import Busy, Expected, Outlook, Standing
from scheduler.line import RULES
from scheduler.service import Sample, Service
from scheduler.simulation import Discipline, Setting
from scheduler.waits import Promise

TEN = Service(by_length={15: Sample(minutes=(10.0,), known=1)})
"""Everybody takes ten minutes."""
SURE = habits.Habits(lateness=(0.0,), no_show=0.0, priority=0.0)
"""Everybody comes, on time."""


def outlook(
    here: Sequence[Standing] = (),
    *,
    servers: int = 1,
    busy: Sequence[Busy] = (),
    expected: Sequence[Expected] = (),
    opens: float = 0.0,
) -> Outlook:
    return Outlook(
        servers=servers,
        busy=tuple(busy),
        here=tuple(here),
        expected=tuple(expected),
        service=TEN,
        habits=SURE,
        opens=opens,
    )


def standing(due: float, *, priority: bool = False) -> Standing:
    return Standing(due=due, priority=priority, planned=15)


ME = standing(RULES.walk_in_offset)


@pytest.mark.parametrize(
    ("known", "wait"),
    [
        (outlook(), 0),
        (outlook([standing(0)]), 10),
        (outlook([standing(0), standing(1), standing(2)], servers=2), 10),
        (outlook([standing(30)]), 0),  # early for an appointment: is called after me
        (outlook([standing(RULES.walk_in_offset + RULES.head_start - 1, priority=True)]), 10),
        (outlook([standing(RULES.walk_in_offset + RULES.head_start + 1, priority=True)]), 0),
        (outlook(busy=[Busy(elapsed=4.0, planned=15)]), 6),
        (outlook([standing(0)], busy=[Busy(elapsed=4.0, planned=15)]), 16),
        # Not here yet, but due before me and here before it is my turn.
        (outlook([standing(0)], expected=[Expected(starts=5.0, planned=15)]), 20),
        (outlook([standing(0)], expected=[Expected(starts=20.0, planned=15)]), 10),
        (outlook(opens=25.0), 25),
    ],
)
def test_whoever_is_called_before_counts(known: Outlook, wait: int) -> None:
    assert waits.of(known, ME) == Promise(p80_minutes=wait, likely_minutes=wait)


def test_a_closed_hall_promises_nothing() -> None:
    assert waits.of(outlook(servers=0), ME) is None


def test_who_has_been_served_longer_than_anybody_is_nearly_done() -> None:
    told = waits.of(outlook(busy=[Busy(elapsed=40.0, planned=15)]), ME)
    assert told is not None
    assert 0 < told.likely_minutes < told.p80_minutes < 10


def test_who_is_late_comes_the_less_likely_the_later_it_is() -> None:
    come = habits.Habits(lateness=tuple(float(n) for n in range(-20, 20)), no_show=0.2, priority=0)
    known = [Expected(starts=starts, planned=15) for starts in (30.0, 0.0, -10.0, -18.0, -25.0)]
    seen = Outlook(servers=1, busy=(), here=(), expected=tuple(known), service=TEN, habits=come)
    drawn = forecast.draw(seen, np.random.default_rng(1), draws=4000)
    comes = np.isfinite(drawn.arrivals)
    assert (drawn.arrivals[comes] >= 0).all(), "nobody comes in the past"
    shares = comes.mean(axis=0)
    assert shares[0] == pytest.approx(0.8, abs=0.02)
    assert list(shares) == sorted(shares, reverse=True)
    assert shares[-1] == 0.0
    assert (drawn.dues[:, 1] >= 0).all()


SOME = Setting(
    servers=3,
    open_minutes=240.0,
    booked=simulation.evenly(60, 240.0),
    mean=10.0,
    cv=0.5,
    walk_ins_per_hour=4.0,
)


@pytest.mark.parametrize("gamma", [False, True])
def test_eight_of_ten_people_are_served_within_what_they_were_told(gamma: bool) -> None:
    setting = replace(SOME, gamma=gamma)
    told = list(measurement.promises(setting, np.random.default_rng(3), 20))
    assert len(told) > 1000
    kept = np.mean([t.waited <= t.p80 for t in told])
    naive = np.mean([t.waited <= t.formula for t in told])
    assert 0.74 <= kept <= 0.90
    assert naive < kept - 0.05, "people ahead times the mean promises too little"


def test_the_merged_line_is_fair_to_all_three() -> None:
    days = simulation.draw(measurement.BUSY, np.random.default_rng(2), 1500)
    p95 = {
        how: measurement.p95(days, simulation.run(measurement.BUSY, days, how))
        for how in Discipline
    }
    assert p95[Discipline.BOOKED_FIRST]["walk-in"] > 2 * p95[Discipline.MERGED]["walk-in"]
    assert p95[Discipline.MERGED]["booked"] < p95[Discipline.ARRIVAL]["booked"]
    assert p95[Discipline.MERGED]["priority"] < 0.65 * p95[Discipline.ARRIVAL]["priority"]


def test_simulated_service_times_have_the_mean_and_spread_that_were_asked_for() -> None:
    for gamma in (False, True):
        days = simulation.draw(replace(SOME, gamma=gamma), np.random.default_rng(4), 500)
        assert days.durations.mean() == pytest.approx(10.0, rel=0.02)
        assert days.durations.std() == pytest.approx(5.0, rel=0.04)
        assert np.isinf(days.arrivals[:, :60]).mean() == pytest.approx(0.15, abs=0.01)
