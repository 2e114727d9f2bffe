"""Reads the planner's forms: what a station is like, and the plan to be opened, or what is wrong.

It knows no database and runs no plan.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

from werkzeug.datastructures import MultiDict

from scheduler.planner import Inputs, Opening, Pattern, Promise, ServiceTimes
from scheduler.planner.applying import Wanted
from scheduler.planner.learning import Learnt
from scheduler.planner.search import MOST_PLACES

Form = MultiDict[str, str]
Errors = dict[str, str]
"""The key of a sentence by field."""

LARGEST: Final = 9
"""Characters of a number or a time."""
FARTHEST: Final = timedelta(days=365)
"""[D] A plan that begins later is a slip of the keyboard."""
RANGES: Final[dict[str, tuple[float, float]]] = {
    "servers": (1, 20),
    "mean": (3, 60),
    "no_show": (0, 60),
    "walk_ins": (0, 30),
    "failure": (0, 50),
    "wait": (5, 120),
    "overtime": (0, 120),
    "seed": (0, 999_999_999),
}
"""[D] What a station may be told to be like; more is a slip, or would take too long to try."""
WHOLE: Final = frozenset({"servers", "seed"})
HALVES: Final = (("opens", "closes"), ("opens2", "closes2"))
SEED: Final = 1
"""[D] Of the first try; any other is as good."""
FALLBACK: Final = (Opening(opens=time(7, 30), closes=time(11, 30)),)
"""[D] Where a lane has no hours yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the planner is told, and the values of the form that say so."""

    inputs: Inputs
    seed: int
    pattern: Pattern | None
    """None: the planner chooses."""


class Wrong(Exception):
    """Something entered cannot be; `errors` says what, by field."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(errors)
        self.errors = errors


def defaults(learnt: Learnt) -> dict[str, str]:
    """Return the form as the station's own days fill it in."""
    openings = learnt.openings or FALLBACK
    found = {
        "servers": str(learnt.servers),
        "mean": f"{learnt.service.mean:.1f}",
        "no_show": f"{100 * learnt.no_show:.0f}",
        "walk_ins": f"{learnt.walk_ins_per_hour:.1f}",
        "failure": "0",
        "wait": f"{Promise().wait:.0f}",
        "overtime": f"{Promise().overtime:.0f}",
        "pattern": "",
        "seed": str(SEED),
    }
    for (opens, closes), opening in zip(HALVES, openings, strict=False):
        found |= {opens: f"{opening.opens:%H:%M}", closes: f"{opening.closes:%H:%M}"}
    return found


def number(text: str, low: float, high: float, *, whole: bool) -> float | None:
    """Return a number a person wrote, with a point or a comma, or None where it is none."""
    text = text.strip().replace(",", ".")
    digits = text.replace(".", "", 0 if whole else 1)
    if len(text) > LARGEST or not (digits.isascii() and digits.isdigit()):
        return None
    found = float(text)
    return found if low <= found <= high else None


def _time(text: str) -> time | None:
    try:
        found = time.fromisoformat(text) if len(text) == len("07:30") else None
    except ValueError:
        return None
    return found


def _openings(form: Form, length: int) -> tuple[tuple[Opening, ...], Errors]:
    found: list[Opening] = []
    wrong: Errors = {}
    for first, last in HALVES:
        opens, closes = form.get(first, ""), form.get(last, "")
        if not opens and not closes and found:
            continue
        begins, ends = _time(opens), _time(closes)
        try:
            opening = Opening(opens=begins, closes=ends) if begins and ends else None
        except ValueError:
            opening = None
        if opening is None or opening.minutes < length:
            wrong[first] = "plan.wrong.opens"
        elif found and opening.opens < found[-1].closes:
            wrong[first] = "plan.wrong.opens2"
        else:
            found.append(opening)
    return tuple(found), wrong


def read(form: Form, learnt: Learnt, *, length: int) -> Told:
    """Return what the planner is told.

    Raises:
        Wrong: something entered cannot be.
    """
    given = {
        name: number(form.get(name, ""), low, high, whole=name in WHOLE)
        for name, (low, high) in RANGES.items()
    }
    wrong = {name: f"plan.wrong.{name}" for name, value in given.items() if value is None}
    openings, bad_hours = _openings(form, length)
    chosen = form.get("pattern", "")
    if chosen and chosen not in set(Pattern):
        wrong["pattern"] = "plan.wrong.pattern"
    if wrong or bad_hours:
        raise Wrong({**wrong, **bad_hours})
    value = {name: float(found) for name, found in given.items() if found is not None}
    inputs = Inputs(
        servers=int(value["servers"]),
        openings=openings,
        service=_service(learnt, value["mean"]),
        length=length,
        no_show=value["no_show"] / 100,
        lateness=learnt.lateness,
        walk_ins_per_hour=value["walk_ins"],
        priority=learnt.priority,
        failure=value["failure"] / 100,
        promise=Promise(wait=value["wait"], overtime=value["overtime"]),
    )
    return Told(inputs=inputs, seed=int(value["seed"]), pattern=Pattern(chosen) if chosen else None)


def _service(learnt: Learnt, mean: float) -> ServiceTimes:
    """Return the station's own times, stretched where an officer expects another mean."""
    same = f"{learnt.service.mean:.1f}" == f"{mean:.1f}"
    stretch = 1.0 if same else mean / learnt.service.mean
    return ServiceTimes(samples=tuple(minutes * stretch for minutes in learnt.service.minutes))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToOpen:
    """A plan to be opened from a day on."""

    plan: Wanted
    first_day: date
    weekdays: frozenset[int]
    seed: int


def to_open(form: Form, *, length: int, today: date) -> ToOpen:
    """Return the plan that is to be opened.

    Raises:
        Wrong: something entered cannot be.
    """
    openings, wrong = _openings(form, length)
    fields = [f"places{n}" for n in range(1, len(openings) + 1)]
    counts = [number(form.get(name, ""), 0, MOST_PLACES, whole=True) for name in fields]
    wrong |= {
        name: "plan.wrong.places"
        for name, count in zip(fields, counts, strict=True)
        if count is None
    }
    if not wrong and not any(counts):
        wrong["places1"] = "plan.wrong.places"
    servers, seed = (
        number(form.get(name, ""), *RANGES[name], whole=True) for name in ("servers", "seed")
    )
    days = {text for text in form.getlist("days") if text in _DAYS}
    first = _first_day(form.get("first", ""), today)
    pattern = form.get("pattern", "")
    said: dict[str, tuple[bool, str]] = {
        "pattern": (pattern in set(Pattern), "plan.wrong.pattern"),
        "servers": (servers is not None, "plan.wrong.servers"),
        "seed": (seed is not None, "plan.wrong.seed"),
        "days": (bool(days), "hours.wrong.days"),
        "first": (first is not None, "plan.wrong.first"),
    }
    wrong |= {name: key for name, (fits, key) in said.items() if not fits}
    if wrong or first is None or servers is None or seed is None:
        raise Wrong(wrong)
    return ToOpen(
        plan=Wanted(
            pattern=Pattern(pattern),
            openings=openings,
            places=tuple(int(count or 0) for count in counts),
            servers=int(servers),
            length=length,
        ),
        first_day=first,
        weekdays=frozenset(int(text) for text in days),
        seed=int(seed),
    )


_DAYS: Final[Collection[str]] = frozenset("0123456")


def _first_day(text: str, today: date) -> date | None:
    try:
        found = date.fromisoformat(text) if len(text) == len("2026-11-25") else None
    except ValueError:
        return None
    return found if found and today < found <= today + FARTHEST else None
