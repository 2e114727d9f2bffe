"""Measures the queue of the day in simulated days: waits by discipline, and kept promises.

Run `python -m benchmarks.queue` (two minutes; `--quick` for a tenth of the days); seeds are fixed.
The order is the live queue's own (`scheduler.line`), the promises are the live ones
(`scheduler.waits.of`) told to each person on arrival from what the office knows at that moment.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scheduler import admission, habits, service, simulation, waits
from scheduler.forecast import Busy, Expected, Outlook, Standing
from scheduler.habits import Habits
from scheduler.line import RULES, Rules
from scheduler.service import Service
from scheduler.simulation import Days, Discipline, Minutes, Setting

Learnt = tuple[Service, Habits]
SEED = 20261125
FEW = 200
"""Half-days of one block: how far figures of so few are off."""
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
    blocks = [
        p95(block, simulation.run(BUSY, block))
        for block in (simulation.draw(BUSY, np.random.default_rng(n), FEW) for n in range(FEW))
    ]
    for share in (0.05, 0.95):
        spread = (np.quantile([block[group] for block in blocks], share) for group in TARGETS)
        name = f"  of {FEW} half-days only: {share:.0%} below"
        print(f"{name:38}" + "".join(f"{found:10.1f}" for found in spread))
    for head_start in (0.0, 12.0, 16.0, 20.0):
        for offset in (0.0, 7.5, 10.0, 15.0):
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
        "kiosks   cv  load       n  ours  of who is told > 0   ZMS's formula   told - waited, mean"
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


def admit(count: int) -> None:
    """Print what becomes of a half-day where walk-ins are told when to come."""
    rng = np.random.default_rng(SEED)
    learnt = learn(BUSY, rng, LEARNT_OF)
    days = simulation.draw(BUSY, rng, count)
    open_door = _served(days, simulation.run(BUSY, days))
    said = {admission.Say.NOW: 0, admission.Say.COME_BACK: 0, admission.Say.BOOK: 0}
    admitted, starts = days, simulation.run(BUSY, days)
    for day in range(count):
        comes = np.flatnonzero(days.walk_in[day] & np.isfinite(days.arrivals[day]))
        shut = days.arrivals[day : day + 1].copy()
        shut[:, comes] = np.inf
        today = _only(days, day, shut)
        for n in comes[np.argsort(days.arrivals[day, comes])]:
            at = float(days.arrivals[day, n])
            known = outlook(BUSY, today, 0, simulation.run(BUSY, today), at, learnt)
            told = today.arrivals[0][today.walk_in[0] & (today.arrivals[0] > at)] - at
            back = (
                Standing(
                    due=float(RULES.due_walk_in(then)),
                    priority=False,
                    planned=PLANNED,
                    arrives=float(then),
                )
                for then in told[np.isfinite(told)]
            )
            known = replace(known, here=(*known.here, *back))
            found = admission.first_time(
                known,
                [(-at, HALF_DAY - at)],
                past_ten=at % admission.STEP,
                minutes=PLANNED,
                priority=bool(days.priority[day, n]),
            )
            match found:
                case None:
                    said[admission.Say.BOOK] += 1
                    continue
                case (0.0, _):
                    said[admission.Say.NOW] += 1
                case _:
                    said[admission.Say.COME_BACK] += 1
            shut = today.arrivals.copy()
            shut[0, n] = at + found[0]
            today = _only(days, day, shut)
        admitted.arrivals[day] = today.arrivals[0]
        starts[day] = simulation.run(BUSY, today)[0]
    print(f"\nwalk-ins let in by forecast; n = {count} half-days of the same setting")
    print("               p95 wait: booked   walk-in  priority  served  done after closing, p90")
    print(f"everybody may come {open_door}")
    print(f"told when to come  {_served(admitted, starts)}")
    total = sum(said.values())
    print("told: " + ", ".join(f"{say.value} {n / total:.2f}" for say, n in said.items()))


def _only(days: Days, day: int, arrivals: Minutes) -> Days:
    """Return one day with other arrivals; walk-ins are due after theirs."""
    one = slice(day, day + 1)
    return Days(
        arrivals=arrivals,
        starts=np.where(days.walk_in[one], arrivals, days.starts[one]),
        walk_in=days.walk_in[one],
        priority=days.priority[one],
        durations=days.durations[one],
    )


def _served(days: Days, starts: Minutes) -> str:
    waited = p95(days, starts)
    came = np.isfinite(starts)
    ends = np.where(came, starts + days.durations, 0.0).max(axis=1)
    over = float(np.quantile(np.maximum(ends - HALF_DAY, 0.0), 0.9))
    figures = "".join(f"{waited[group]:10.1f}" for group in TARGETS)
    return f"   {figures}{came.sum(axis=1).mean():8.1f}{over:14.1f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the days")
    few = parser.parse_args().quick
    began = time.perf_counter()
    compare_disciplines(2_000 if few else 40_000)
    admit(10 if few else 100)
    compare_promises(10 if few else 100)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
