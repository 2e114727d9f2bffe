"""The planner: right by theory, the same for the same seed, and its promise kept on other days."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import time
from itertools import pairwise
from math import factorial

import numpy as np
import pytest

from scheduler import planner
from scheduler.planner import Inputs, Opening, Pattern, Promise, ServiceTimes, learning
from scheduler.planner.patterns import lay_out, starts
from scheduler.planner.search import keeps
from scheduler.planner.trial import Outcome, People

MORNING = Opening(opens=time(7, 30), closes=time(11, 30))
AFTERNOON = Opening(opens=time(13, 30), closes=time(17))
TWO = Inputs(servers=2, openings=(MORNING,), service=ServiceTimes(mean=10.0, cv=0.4))
"""Two kiosks and a morning, as the tables of the field sheet have them."""
SINGLE = frozenset({Pattern.STAGGERED, Pattern.BAILEY_HALF, Pattern.BAILEY_WELCH, Pattern.DOME})


def tried(
    inputs: Inputs, pattern: Pattern, places: int, *, seed: int = 1, trials: int = 400
) -> Outcome:
    minutes = inputs.openings[0].minutes
    people = People(inputs=inputs, minutes=minutes, seed=seed, most=250, trials=trials)
    layout = lay_out(pattern, places, minutes=minutes, servers=inputs.servers, length=inputs.length)
    return people.try_out(starts(layout))


@pytest.mark.parametrize("pattern", Pattern)
@pytest.mark.parametrize("servers", [1, 2, 5])
def test_a_pattern_has_exactly_its_places_within_the_hours(pattern: Pattern, servers: int) -> None:
    for places in (1, 2, 7, 24, 53, 111, 260):
        layout = lay_out(pattern, places, minutes=240, servers=servers, length=15)
        times = starts(layout)
        assert len(times) == places
        assert times[0] == 0
        assert times[-1] < 240
        assert all(row.count > 0 and row.capacity > 0 for row in layout)


def test_a_slot_of_a_pattern_is_long_enough_for_one_person_and_too_short_for_two() -> None:
    for pattern in SINGLE:
        for places in range(16, 120, 7):
            for row in lay_out(pattern, places, minutes=240, servers=3, length=15):
                assert 15 <= row.step < 30, (pattern, places)


def test_slots_that_begin_together_are_equally_long() -> None:
    # Rules that meet add up, and their slot is as long as the longest of them.
    for pattern in Pattern:
        for places in (10, 53, 110):
            seen: dict[int, int] = {}
            for row in lay_out(pattern, places, minutes=240, servers=4, length=15):
                for at in row.starts():
                    assert seen.setdefault(at, row.step) == row.step, (pattern, places)


def test_staggered_distances_differ_by_rounding_only() -> None:
    distances = np.diff(starts(lay_out(Pattern.STAGGERED, 53, minutes=240, servers=2, length=15)))
    assert set(distances.tolist()) <= {4, 5}


def test_more_come_at_the_opening_and_fewer_at_the_end() -> None:
    def of(pattern: Pattern) -> tuple[int, ...]:
        return starts(lay_out(pattern, 60, minutes=240, servers=4, length=15))

    at_opening = [of(p).count(0) for p in (Pattern.STAGGERED, Pattern.BAILEY_HALF)]
    assert at_opening == [1, 3]
    assert of(Pattern.BAILEY_WELCH).count(0) == 5
    assert of(Pattern.BAILEY_WELCH)[-1] < of(Pattern.STAGGERED)[-1]


@pytest.mark.parametrize("places", [0, -3])
def test_nobody_is_no_pattern(places: int) -> None:
    with pytest.raises(ValueError, match="places"):
        lay_out(Pattern.STAGGERED, places, minutes=240, servers=1, length=15)


def erlang_c(servers: int, load: float, mean: float) -> float:
    """Mean wait of M/M/k, minutes (Erlang 1917)."""
    top = load**servers / factorial(servers) * servers / (servers - load)
    below = sum(load**n / factorial(n) for n in range(servers)) + top
    return top / below * mean / (servers - load)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.6), (2, 1.4), (4, 3.0)])
def test_poisson_arrivals_wait_as_long_as_erlang_says(servers: int, load: float) -> None:
    mean, minutes, warm, days = 10.0, 1500, 500.0, 200
    inputs = Inputs(
        servers=servers,
        openings=(MORNING,),
        service=ServiceTimes(mean=mean, cv=1.0),
        walk_ins_per_hour=60 * load / mean,
    )
    people = People(inputs=inputs, minutes=minutes, seed=5, most=0, trials=days)
    drawn = people.days(())
    began = people.began(drawn)
    counted = np.isfinite(began) & (drawn.arrivals > warm)
    waited = np.where(counted, began, 0.0) - np.where(counted, drawn.arrivals, 0.0)
    by_day = waited.sum(axis=1) / counted.sum(axis=1)
    error = float(by_day.std() / np.sqrt(days))
    expected = erlang_c(servers, load, mean)
    assert abs(float(by_day.mean()) - expected) < 3 * error
    assert error < 0.12 * expected, "the check is sharp enough to fail"


MINUTES_OF_TABLE = [
    # pattern, mean wait, p95, overtime p90: field sheet 5.1, 52 places
    (Pattern.AT_ONCE, 104.6, 202.0, 10.0),
    (Pattern.BLOCKS_60, 18.7, 48.0, 10.0),
    (Pattern.BLOCKS_30, 11.1, 33.0, 10.0),
    (Pattern.STAGGERED, 3.1, 14.0, 20.0),
    (Pattern.BAILEY_WELCH, 4.8, 19.0, 14.0),
    (Pattern.BAILEY_HALF, 3.7, 16.0, 16.0),
    (Pattern.DOME, 2.8, 13.0, 22.0),
]


@pytest.mark.parametrize(("pattern", "mean", "p95", "overtime"), MINUTES_OF_TABLE)
def test_patterns_wait_as_the_table_of_the_field_says(
    pattern: Pattern, mean: float, p95: float, overtime: float
) -> None:
    found = tried(TWO, pattern, 52)
    assert found.mean_wait == pytest.approx(mean, rel=0.25)
    assert found.p95_wait == pytest.approx(p95, rel=0.2)
    assert found.overtime == pytest.approx(overtime, abs=4.5)


@pytest.mark.parametrize(
    ("servers", "no_show", "staggered", "bailey", "hourly"),
    [(1, 0.15, 25, 24, 13), (2, 0.15, 53, 51, 29), (4, 0.15, 110, 111, 64)],
)
def test_as_many_places_keep_the_promise_as_the_table_of_the_field_says(
    servers: int, no_show: float, staggered: int, bailey: int, hourly: int
) -> None:
    inputs = replace(TWO, servers=servers, no_show=no_show)
    most = {c.pattern: c.most.places for c in planner.plan(inputs, seed=1).compared if c.most}
    assert most[Pattern.STAGGERED] == pytest.approx(staggered, rel=0.07)
    assert most[Pattern.BAILEY_HALF] == pytest.approx(bailey, rel=0.09)
    assert most[Pattern.BLOCKS_60] == pytest.approx(hourly, rel=0.09)


def test_the_same_seed_gives_the_same_plan_and_another_one_a_similar_one() -> None:
    one, again = planner.plan(TWO, seed=7), planner.plan(TWO, seed=7)
    assert one == again
    other = planner.plan(TWO, seed=8)
    assert other.curve != one.curve
    assert other.places == pytest.approx(one.places, abs=4)


@pytest.mark.parametrize("servers", [1, 3])
def test_a_plan_keeps_its_promise_to_people_it_was_not_found_on(servers: int) -> None:
    inputs = replace(TWO, servers=servers, openings=(MORNING, AFTERNOON))
    found = planner.plan(inputs, seed=3)
    assert [half.opening for half in found.halves] == [MORNING, AFTERNOON]
    for half in found.halves:
        assert half.outcome is not None
        assert keeps(half.outcome, inputs.promise)
        people = People(
            inputs=inputs, minutes=half.opening.minutes, seed=991, most=200, trials=1000
        )
        again = people.try_out(starts(half.layout))
        assert again.p95_wait <= inputs.promise.wait + 2.0
        assert again.overtime <= inputs.promise.overtime + 3.0


def rising(values: Sequence[float], slack: float) -> bool:
    return all(b >= a - slack for a, b in pairwise(values))


def test_more_places_never_mean_less_waiting_for_the_same_people() -> None:
    for pattern in (Pattern.STAGGERED, Pattern.BLOCKS_60):
        found = [tried(TWO, pattern, n, trials=200) for n in range(30, 76, 5)]
        # Whole minutes between people leave up to two minutes of play.
        assert rising([one.p95_wait for one in found], 2.0), pattern
        assert rising([one.served for one in found], 0.0), pattern
        assert found[-1].p95_wait > found[0].p95_wait + 10


def test_overbooking_is_less_than_making_up_for_all_who_stay_away() -> None:
    for no_show in (0.1, 0.2, 0.3):
        found = planner.plan(replace(TWO, no_show=no_show), seed=2)
        assert 0.9 < found.overbooking < 1 / (1 - no_show)


def test_more_stay_away_the_more_are_booked() -> None:
    places = [planner.plan(replace(TWO, no_show=p), seed=2).places for p in (0.0, 0.15, 0.3)]
    assert places == sorted(set(places))


def test_hourly_blocks_and_separate_lines_lose_many_places() -> None:
    found = planner.plan(replace(TWO, servers=4), seed=1)
    assert found.places > 1.6 * found.hourly
    assert found.apart is not None
    assert found.places > 1.15 * found.apart
    assert planner.plan(replace(TWO, servers=1), seed=1).apart is None


def test_walk_ins_failures_and_longer_service_cost_places() -> None:
    plain = planner.plan(TWO, seed=1).places
    for worse in (
        replace(TWO, walk_ins_per_hour=2.0),
        replace(TWO, failure=0.3),
        replace(TWO, service=ServiceTimes(mean=12.0, cv=0.4)),
        replace(TWO, service=ServiceTimes(mean=10.0, cv=0.9)),
        replace(TWO, promise=Promise(wait=10.0, overtime=10.0)),
    ):
        assert planner.plan(worse, seed=1).places < plain, worse


def test_a_failing_kiosk_stops_for_the_time_of_its_repair() -> None:
    sure = replace(TWO, servers=1, failure=1.0, no_show=0.0, repair=60.0)
    broken, whole = (
        tried(sure, Pattern.STAGGERED, 12),
        tried(replace(sure, failure=0.0), Pattern.STAGGERED, 12),
    )
    assert broken.served == whole.served == 12
    assert broken.mean_wait > whole.mean_wait + 5


def test_where_nothing_keeps_the_promise_nothing_is_planned() -> None:
    never = Inputs(
        servers=1,
        openings=(MORNING,),
        service=ServiceTimes(mean=30.0, cv=0.5),
        walk_ins_per_hour=6.0,
        promise=Promise(wait=5.0, overtime=0.0),
    )
    found = planner.plan(never, seed=1)
    assert found.places == 0
    assert [half.outcome for half in found.halves] == [None]
    assert all(compared.most is None for compared in found.compared)


def test_measured_times_are_drawn_with_their_mean_and_between_each_other() -> None:
    measured = ServiceTimes(samples=(6.0, 8.0, 9.0, 11.0, 12.0, 20.0))
    inputs = replace(TWO, service=measured)
    people = People(inputs=inputs, minutes=240, seed=1, most=50, trials=400)
    drawn = people.days(tuple(range(0, 200, 4))).durations
    assert float(drawn.mean()) == pytest.approx(measured.average)
    assert len(np.unique(drawn.round(3))) > 1000
    assert 5.5 < drawn.min() < drawn.max() < 22


def test_who_stays_away_is_the_share_that_was_told() -> None:
    found = tried(replace(TWO, no_show=0.25), Pattern.STAGGERED, 40, trials=1000)
    assert found.served == pytest.approx(30, abs=0.5)
    assert found.walk_ins == 0
    assert found.p95_walk_in is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"servers": 0},
        {"servers": 10**6},
        {"no_show": 1.0},
        {"walk_ins_per_hour": -1.0},
        {"openings": ()},
        {"length": 500},
        {"failure": 2.0},
    ],
)
def test_what_no_station_is_like_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="like that"):
        replace(TWO, **wrong)  # type: ignore[arg-type]


def test_hours_and_times_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="open from"):
        Opening(opens=time(11), closes=time(8))
    for nothing in ({}, {"mean": 0.0}, {"mean": 10.0, "cv": 0.0}, {"samples": (5.0, 0.0)}):
        with pytest.raises(ValueError, match=r"service times|no time"):
            ServiceTimes(**nothing)


@pytest.mark.parametrize(("times", "of"), [(0, 10), (3, 20), (49, 50)])
def test_a_share_lies_within_its_interval(times: int, of: int) -> None:
    low, high = learning.interval(times, of)
    assert 0 <= low <= times / of <= high <= 1
    assert (
        high - low
        > learning.interval(times * 10, of * 10)[1] - learning.interval(times * 10, of * 10)[0]
    )
