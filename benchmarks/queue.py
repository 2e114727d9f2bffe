"""Measures the queue of the day in simulated days: waits by discipline, and kept promises.

Run `python -m benchmarks.queue` (about two minutes; `--quick` for a tenth); it has a fixed seed.
The order is the live queue's own (`scheduler.line`), the promises are the live ones
(`scheduler.waits.of`) told to each person on arrival from what the office knows at that moment.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scheduler import habits, service, simulation, waits
from scheduler.forecast import Busy, Expected, Outlook, Standing
from scheduler.habits import Habits
from scheduler.line import RULES, Rules
from scheduler.service import Service
from scheduler.simulation import Days, Discipline, Minutes, Setting

Learnt = tuple[Service, Habits]
SEED = 20261125
LEARNT_OF, RENEWED = 5, 10
"""Half-days that are learnt of, and after how many that is done anew."""
PLANNED = 15
HALF_DAY = 240.0
TARGETS = {"booked": 24.0, "walk-in": 37.0, "priority": 16.0}
COVERED = (0.78, 0.85)
BUSY = Setting(
    servers=2,
    open_minutes=HALF_DAY,
    booked=simulation.evenly(40, HALF_DAY),
    mean=10.0,
    cv=0.4,
    walk_ins_per_hour=3.0,
)
"""What the targets are set for: two kiosks, a half-day, 40 appointments, 3 walk-ins an hour."""


def groups(days: Days) -> dict[str, NDArray[np.bool_]]:
    """Return who belongs to which group; priority people are in two."""
    return {"booked": ~days.walk_in, "walk-in": days.walk_in, "priority": days.priority}


def p95(days: Days, starts: Minutes) -> dict[str, float]:
    """Return the 95 % quantile of the wait by group, minutes."""
    waited = simulation.waits(days, starts)
    return {
        name: float(np.nanquantile(np.where(who, waited, np.nan), 0.95))
        for name, who in groups(days).items()
    }


def compare_disciplines(count: int) -> None:
    """Print the waits under each discipline, and of other choices of the merged line."""
    days = simulation.draw(BUSY, np.random.default_rng(SEED), count)
    print(f"\np95 of the wait after one's own time, minutes; n = {count} half-days")
    print(f"{'discipline':38}" + "".join(f"{name:>10}" for name in TARGETS))

    def line(name: str, discipline: Discipline, rules: Rules = RULES) -> None:
        found = p95(days, simulation.run(BUSY, days, discipline, rules))
        print(f"{name:38}" + "".join(f"{found[group]:10.1f}" for group in TARGETS))

    line("first come, first served", Discipline.ARRIVAL)
    line("appointments first", Discipline.BOOKED_FIRST)
    line("merged by due time (ours)", Discipline.MERGED)
    print(f"{'target':38}" + "".join(f"{limit:10.1f}" for limit in TARGETS.values()))
    for head_start in (0.0, 10.0, 15.0, 20.0):
        for offset in (0.0, 5.0, 8.5, 15.0):
            rules = replace(RULES, head_start=head_start, walk_in_offset=offset)
            line(f"  head start {head_start:g}, walk-ins + {offset:g}", Discipline.MERGED, rules)
    for grace in (0.0, 30.0):
        line(f"  grace {grace:g}", Discipline.MERGED, replace(RULES, grace=grace))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one person was told on arrival, and what came."""

    p80: float
    formula: float
    """What ZMS says: (people ahead + 1) x mean / kiosks."""
    waited: float


def outlook(
    setting: Setting,
    days: Days,
    day: int,
    starts: Minutes,
    at: float,
    learnt: tuple[Service, Habits],
) -> Outlook:
    """Return what the office knows at a moment of a day, and nothing of what is to come."""
    came, began = days.arrivals[day], starts[day]
    ends = began + days.durations[day]
    due = simulation.dues(days)[day] - at
    waiting = np.flatnonzero((came < at) & (began > at))
    serving = np.flatnonzero((began <= at) & (ends > at))
    absent = np.flatnonzero(~days.walk_in[day] & (came > at))
    return Outlook(
        servers=setting.servers,
        busy=tuple(Busy(elapsed=at - float(began[n]), planned=PLANNED) for n in serving),
        here=tuple(
            Standing(
                due=float(due[n]),
                priority=bool(days.priority[day, n]),
                planned=PLANNED,
                booked=not days.walk_in[day, n],
            )
            for n in waiting
        ),
        expected=tuple(
            Expected(starts=float(days.starts[day, n]) - at, planned=PLANNED) for n in absent
        ),
        service=learnt[0],
        habits=learnt[1],
    )


def learn(setting: Setting, rng: np.random.Generator, before: int) -> Learnt:
    """Return what was learnt of so many days before."""
    days = simulation.draw(setting, rng, before)
    came = np.isfinite(days.arrivals)
    booked = ~days.walk_in
    times = days.durations[came][-service.MOST :]
    late = days.arrivals[came & booked] - days.starts[came & booked]
    late = late[-habits.MOST :]
    return (
        Service(by_length={PLANNED: service.blended((float(t) for t in times), planned=PLANNED)}),
        habits.blended(
            [float(minutes) for minutes in late],
            missed=int((booked & ~came).sum()),
            served=int((booked & came).sum()),
            priority=int(days.priority[came & booked][-habits.MOST :].sum()),
        ),
    )


def promises(setting: Setting, rng: np.random.Generator, count: int) -> Iterator[Told]:
    """Yield what everybody was told who came after opening; what was learnt is renewed."""
    for _ in range(0, count, RENEWED):
        learnt = learn(setting, rng, LEARNT_OF)
        days = simulation.draw(setting, rng, min(count, RENEWED))
        yield from _promises(setting, days, learnt)


def _promises(setting: Setting, days: Days, learnt: Learnt) -> Iterator[Told]:
    starts = simulation.run(setting, days)
    ranks = simulation.ranks(days, Discipline.MERGED)
    due = simulation.dues(days)
    for day, n in zip(*np.nonzero(np.isfinite(days.arrivals) & (days.arrivals > 0)), strict=True):
        at = float(days.arrivals[day, n])
        known = outlook(setting, days, day, starts, at, learnt)
        me = Standing(
            due=float(due[day, n]) - at, priority=bool(days.priority[day, n]), planned=PLANNED
        )
        told = waits.of(known, me)
        assert told is not None
        ahead = (days.arrivals[day] < at) & (starts[day] > at) & (ranks[day] <= ranks[day, n])
        mean = learnt[0].of(PLANNED).mean
        yield Told(
            p80=told.p80_minutes,
            formula=(int(ahead.sum()) + 1) * mean / setting.servers,
            waited=float(starts[day, n]) - at,
        )


def compare_promises(count: int) -> None:
    """Print the share of people served within what they were told, by load."""
    rng = np.random.default_rng(SEED)
    print(f"\nshare of people served within what they were told; {count} half-days a line")
    print(
        "kiosks   cv  load       n  ours  of who is told > 0   ZMS's formula   ours - actual mean"
    )
    everybody: list[Told] = []
    for servers in (1, 2, 3, 4):
        for cv in (0.3, 0.5, 0.8):
            for load in (0.8, 0.95):
                people = load * servers * HALF_DAY / BUSY.mean
                setting = replace(
                    BUSY,
                    servers=servers,
                    cv=cv,
                    booked=simulation.evenly(round(0.75 * people / (1 - BUSY.no_show)), HALF_DAY),
                    walk_ins_per_hour=0.25 * people / (HALF_DAY / 60),
                )
                told = list(promises(setting, rng, count))
                everybody += told
                print(f"{servers:6}{cv:5}{load:6.2f}" + _kept(told))
    print(f"{'all':17}" + _kept(everybody))
    print(f"target {COVERED[0]} to {COVERED[1]}")


def _share(told: list[Told], says: Callable[[Told], float]) -> float:
    return float(np.mean([t.waited <= says(t) for t in told])) if told else float("nan")


def _kept(told: list[Told]) -> str:
    some = [t for t in told if t.p80 > 0]
    over = np.mean([t.p80 - t.waited for t in told])
    return (
        f"{len(told):8}{_share(told, lambda t: t.p80):6.2f}{_share(some, lambda t: t.p80):15.2f}"
        f"{_share(told, lambda t: t.formula):21.2f}{over:15.1f}"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the days")
    few = parser.parse_args().quick
    began = time.perf_counter()
    compare_disciplines(1_000 if few else 10_000)
    compare_promises(10 if few else 100)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
