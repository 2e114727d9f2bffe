"""Finds how many people can be booked, and in which pattern, so that the promise is kept.

It opens no slots: `scheduler.planner.applying` does, once somebody wants the plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scheduler.planner.inputs import Inputs, Opening, Promise
from scheduler.planner.patterns import Layout, Pattern, lay_out, starts
from scheduler.planner.trial import MOST_TRIALS, TRIALS, Outcome, People

MOST_PLACES = 400
"""[D] People in one opening; more are several halls."""
WORK = 8_000_000
"""[D] Half-days times people squared of one evaluation: keeps a plan of a huge hall within its
time. There fewer half-days say as much, as each has more people."""
FEWEST_TRIALS = 40
LOOKS_ABOVE, STRIDE = 6, 50
"""[D] How many numbers above the one that was found are tried, and which part of it they are
apart: overtime grows so slowly with the places that chance makes it fall now and then."""
AGAIN = 3
"""[D] Times as many half-days as in the search, with other people, on which a plan is proved."""
CURVE = tuple(step / 100 for step in range(60, 135, 5))
"""[D] Shares of the planned places that the curve shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """An opening as it is planned."""

    opening: Opening
    layout: Layout
    """Empty: no number of people keeps the promise."""
    outcome: Outcome | None
    """On half-days with other people than those the plan was found on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A pattern beside the others, for the longest opening."""

    pattern: Pattern
    most: Outcome | None
    """With the most places that keep the promise; None: none do."""
    same: Outcome
    """With the places that are planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many places to open, in which pattern, and what that is like."""

    inputs: Inputs
    seed: int
    trials: int
    """Half-days of the search; the plan was proved on `AGAIN` times as many."""
    pattern: Pattern
    halves: tuple[Half, ...]
    compared: tuple[Compared, ...]
    curve: tuple[Outcome, ...]
    """The chosen pattern in the longest opening, from few places to too many."""
    hourly: int
    """Places of a day that keep the promise in blocks of an hour."""
    apart: int | None
    """Places of a day if each kiosk had a line and appointments of its own; None: there is one."""

    @property
    def places(self) -> int:
        """Places of a day."""
        return sum(row.places for half in self.halves for row in half.layout)

    @property
    def naive(self) -> float:
        """Places of a day if everybody came and took the mean time without a gap."""
        minutes = sum(half.opening.minutes for half in self.halves)
        return minutes * self.inputs.servers / self.inputs.service.average

    @property
    def overbooking(self) -> float:
        """Planned places over naive ones: computed, not guessed from those who stay away."""
        return self.places / self.naive


@dataclass(frozen=True, kw_only=True)
class _Search:
    """Evaluations of one length of opening, each made once."""

    inputs: Inputs
    minutes: int
    people: People
    done: dict[tuple[Pattern, int], Outcome]

    def of(self, pattern: Pattern, places: int) -> Outcome:
        key = (pattern, places)
        if key not in self.done:
            self.done[key] = self.people.try_out(starts(self.layout(pattern, places)))
        return self.done[key]

    def layout(self, pattern: Pattern, places: int) -> Layout:
        return lay_out(
            pattern,
            places,
            minutes=self.minutes,
            servers=self.inputs.servers,
            length=self.inputs.length,
        )

    def most(self, pattern: Pattern) -> int:
        """Return the largest number of places that keeps the promise; 0: none does.

        Method: bisection, as more people never wait less but for whole minutes and for chance;
        these are why some numbers above are tried, too.
        """
        top = self.people.most
        kept = self._between(pattern, 0, top)
        stride = max(kept // STRIDE, 1)
        above = range(kept + stride, min(kept + LOOKS_ABOVE * stride, top - 1) + 1, stride)
        found = [n for n in above if self._keeps(pattern, n)]
        return self._between(pattern, found[-1], found[-1] + stride) if found else kept

    def _between(self, pattern: Pattern, kept: int, broken: int) -> int:
        while broken - kept > 1:
            middle = (kept + broken) // 2
            if self._keeps(pattern, middle):
                kept = middle
            else:
                broken = middle
        return kept

    def _keeps(self, pattern: Pattern, places: int) -> bool:
        return keeps(self.of(pattern, places), self.inputs.promise)


def keeps(outcome: Outcome, promise: Promise) -> bool:
    """Return whether the promise is kept to citizens and to those who work there."""
    return outcome.p95_wait <= promise.wait and outcome.overtime <= promise.overtime


def enough(inputs: Inputs, minutes: int) -> int:
    """Return more people than can be promised anything in an opening."""
    naive = minutes * inputs.servers / inputs.service.average / (1 - inputs.no_show)
    late = inputs.promise.overtime * inputs.servers / inputs.service.average
    return min(int(1.2 * naive + late) + 2 * inputs.servers + 8, MOST_PLACES)


def trials_for(most: int) -> int:
    """Return on how many half-days of so many people a plan is tried."""
    return int(np.clip(WORK // most**2, FEWEST_TRIALS, TRIALS))


def _search(inputs: Inputs, minutes: int, seed: int) -> _Search:
    most = enough(inputs, minutes)
    walk_ins = round(inputs.walk_ins_per_hour * minutes / 60)
    trials = trials_for(most + walk_ins)
    people = People(inputs=inputs, minutes=minutes, seed=seed, most=most, trials=trials)
    return _Search(inputs=inputs, minutes=minutes, people=people, done={})


def plan(inputs: Inputs, *, seed: int, pattern: Pattern | None = None) -> Plan:
    """Return how many places to open so that the promise is kept.

    Args:
        inputs: what the station is like.
        seed: of all that is drawn; the same seed and inputs give the same plan.
        pattern: the pattern that is wanted; None: the one that serves most people, of equal ones
            the one of least cost.
    """
    lengths = sorted({opening.minutes for opening in inputs.openings}, reverse=True)
    searches = {minutes: _search(inputs, minutes, seed) for minutes in lengths}
    longest = searches[lengths[0]]
    most = {one: longest.most(one) for one in Pattern}
    chosen = pattern or max(most, key=lambda one: (most[one], -_cost(longest, one, most[one])))
    halves = {minutes: _prove(search, chosen, seed) for minutes, search in searches.items()}
    planned = halves[lengths[0]]
    shown = max(sum(row.places for row in planned[0]), 1)
    return Plan(
        inputs=inputs,
        seed=seed,
        trials=longest.people.trials,
        pattern=chosen,
        halves=tuple(
            Half(
                opening=opening,
                layout=halves[opening.minutes][0],
                outcome=halves[opening.minutes][1],
            )
            for opening in inputs.openings
        ),
        compared=tuple(
            Compared(
                pattern=one,
                most=longest.of(one, most[one]) if most[one] else None,
                same=longest.of(one, shown),
            )
            for one in Pattern
        ),
        curve=_curve(longest, chosen, shown),
        hourly=_of_day(inputs, searches, Pattern.BLOCKS_60),
        apart=_apart(inputs, seed, chosen),
    )


def _cost(search: _Search, pattern: Pattern, places: int) -> float:
    return search.of(pattern, places).cost if places else 0.0


def _prove(search: _Search, pattern: Pattern, seed: int) -> tuple[Layout, Outcome | None]:
    """Return the places that keep the promise to other people, too, than those of the search.

    The best of many numbers on one set of half-days looks better there than it is.
    """
    others = People(
        inputs=search.inputs,
        minutes=search.minutes,
        seed=seed + 1,
        most=search.people.most,
        trials=min(AGAIN * search.people.trials, MOST_TRIALS),
    )
    for places in range(search.most(pattern), 0, -1):
        layout = search.layout(pattern, places)
        outcome = others.try_out(starts(layout))
        if keeps(outcome, search.inputs.promise):
            return layout, outcome
    return (), None


def _curve(search: _Search, pattern: Pattern, places: int) -> tuple[Outcome, ...]:
    numbers = sorted({max(round(share * places), 1) for share in CURVE})
    return tuple(search.of(pattern, n) for n in numbers if n <= search.people.most)


def _of_day(inputs: Inputs, searches: Mapping[int, _Search], pattern: Pattern) -> int:
    return sum(searches[opening.minutes].most(pattern) for opening in inputs.openings)


def _apart(inputs: Inputs, seed: int, pattern: Pattern) -> int | None:
    if inputs.servers == 1:
        return None
    alone = replace(inputs, servers=1, walk_ins_per_hour=inputs.walk_ins_per_hour / inputs.servers)
    return inputs.servers * _of_day(alone, _each(alone, seed, inputs.openings), pattern)


def _each(inputs: Inputs, seed: int, openings: Sequence[Opening]) -> Mapping[int, _Search]:
    lengths = {opening.minutes for opening in openings}
    return {minutes: _search(inputs, minutes, seed) for minutes in lengths}
