"""Measures the planner: one evaluation, a whole plan, and its tables beside those of the field.

Run `python -m benchmarks.planner` (about a minute); it has a fixed seed. "Sheet" is what other
simulations of the same settings found (see docs/planner.md).
"""

import datetime as dt
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from scheduler import planner
from scheduler.planner import Inputs, Opening, Pattern, ServiceTimes
from scheduler.planner.patterns import lay_out, starts
from scheduler.planner.search import keeps
from scheduler.planner.trial import Outcome, People

SEED = 20261125
MORNING = Opening(opens=dt.time(7, 30), closes=dt.time(11, 30))
AFTERNOON = Opening(opens=dt.time(13, 30), closes=dt.time(17))
TWO = Inputs(servers=2, openings=(MORNING,), service=ServiceTimes(mean=10.0, cv=0.4))
MANY = 2000
PATTERNS = {
    Pattern.AT_ONCE: (104.6, 202, 10, 4882),
    Pattern.BLOCKS_60: (18.7, 48, 10, 1085),
    Pattern.BLOCKS_30: (11.1, 33, 10, 751),
    Pattern.STAGGERED: (3.1, 14, 20, 537),
    Pattern.BAILEY_WELCH: (4.8, 19, 14, 504),
    Pattern.BAILEY_HALF: (3.7, 16, 16, 496),
    Pattern.DOME: (2.8, 13, 22, 551),
}
"""Of 52 places: mean wait, p95, overtime p90, cost."""
MOST = {
    (1, 0.15): (25, 24, 13),
    (2, 0.15): (53, 51, 29),
    (4, 0.15): (110, 111, 64),
    (6, 0.20): (175, 177, 98),
}
"""By kiosks and share that stays away: places staggered, Bailey, in hourly blocks."""


def outcome(inputs: Inputs, pattern: Pattern, places: int, trials: int, seed: int) -> Outcome:
    """Return what a pattern is like."""
    minutes = inputs.openings[0].minutes
    people = People(inputs=inputs, minutes=minutes, seed=seed, most=300, trials=trials)
    layout = lay_out(pattern, places, minutes=minutes, servers=inputs.servers, length=inputs.length)
    return people.try_out(starts(layout))


def median_time(work: Callable[[], object], times: int) -> float:
    """Return the median of how long the work takes, seconds."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def one_by_one(places: int, trials: int) -> None:
    """Simulate staggered half-days of two kiosks person by person, as a yardstick of speed."""
    rng = np.random.default_rng(SEED)
    for _ in range(trials):
        free = [0.0, 0.0]
        came = sorted(
            (n * 240 / places + float(rng.normal(-6, 8)), float(rng.gamma(6.25, 1.6)))
            for n in range(places)
            if rng.random() > TWO.no_show
        )
        for arrived, served in came:
            first = free.index(min(free))
            free[first] = max(free[first], arrived) + served


def speed() -> None:
    """Print how long an evaluation and a plan take."""
    print("\nspeed, median; the machine's load counts, so compare the ratios")
    one = median_time(lambda: outcome(TWO, Pattern.BAILEY_HALF, 53, 200, SEED), 20)
    loop = median_time(lambda: one_by_one(53, 200), 5)
    print(f"one evaluation (200 half-days, 53 places): {one * 1000:.0f} ms")
    print(f"the same person by person:                 {loop * 1000:.0f} ms = x{loop / one:.1f}")
    for servers in (1, 2, 4, 8):
        inputs = replace(TWO, servers=servers, openings=(MORNING, AFTERNOON))
        taken = median_time(partial(planner.plan, inputs, seed=SEED), 1)
        print(
            f"whole plan of a day, {servers} kiosks: {taken:.2f} s = {taken / one:.0f} evaluations"
        )


def patterns() -> None:
    """Print the patterns beside the sheet."""
    print(f"\n2 kiosks, 240 min, mean 10, CV 0.4, 15 % stay away, 52 places; n = {MANY} half-days")
    print(f"{'pattern':14}{'mean wait':>18}{'p95':>16}{'overtime p90':>16}{'cost':>18}")
    for pattern, sheet in PATTERNS.items():
        one = outcome(TWO, pattern, 52, MANY, SEED)
        ours = (one.mean_wait, one.p95_wait, one.overtime, one.cost)
        cells = (f"{a:8.1f} ({b:g})" for a, b in zip(ours, sheet, strict=True))
        print(f"{pattern:14}" + "".join(f"{cell:>17}" for cell in cells))


def most_places() -> None:
    """Print how many places keep the promise beside the sheet, and whether they keep it again."""
    print("\nplaces of a morning that keep the promise (sheet); proved on 2000 other half-days")
    print(
        f"{'k':>2}{'away':>6}{'naive':>7}{'staggered':>12}{'bailey_half':>13}{'hourly':>10}", end=""
    )
    print(f"{'plan':>6}{'factor':>8}{'1/(1-p)':>9}{'p95':>6}{'over':>6}{'apart':>7}")
    for (servers, no_show), sheet in MOST.items():
        inputs = replace(TWO, servers=servers, no_show=no_show)
        plan = planner.plan(inputs, seed=SEED)
        most = {one.pattern: one.most.places if one.most else 0 for one in plan.compared}
        kinds = (Pattern.STAGGERED, Pattern.BAILEY_HALF, Pattern.BLOCKS_60)
        cells = [f"{most[kind]} ({n})" for kind, n in zip(kinds, sheet, strict=True)]
        again = outcome(inputs, plan.pattern, plan.places, MANY, SEED + 99)
        print(
            f"{servers:2}{no_show:6.0%}{plan.naive:7.0f}{cells[0]:>12}{cells[1]:>13}{cells[2]:>10}"
            f"{plan.places:6}{plan.overbooking:8.2f}{1 / (1 - no_show):9.2f}"
            f"{again.p95_wait:6.1f}{again.overtime:6.1f}{plan.apart or '-':>7}"
            f"{'' if keeps(again, inputs.promise) else '  a little over'}"
        )


def walk_ins() -> None:
    """Print what keeping time for people without an appointment costs."""
    print("\nplaces of a morning by walk-ins an hour and kiosk; share of those without any")
    for servers in (1, 2, 4):
        plain = planner.plan(replace(TWO, servers=servers), seed=SEED).places
        cells = []
        for each in (0.25, 0.5, 0.75):
            inputs = replace(TWO, servers=servers, walk_ins_per_hour=each * servers)
            places = planner.plan(inputs, seed=SEED).places
            cells.append(f"{each}: {places} (-{1 - places / plain:.0%})")
        print(f"k={servers}: {plain}; " + "; ".join(cells))


def main() -> None:
    """Print everything."""
    speed()
    patterns()
    most_places()
    walk_ins()


if __name__ == "__main__":
    main()
