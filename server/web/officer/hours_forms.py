"""Reads the forms of the pages of hours: a change of the calendar, or what is wrong with it.

It knows no database beyond the names of lanes and rules it is given.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

from werkzeug.datastructures import MultiDict

from scheduler.conflicts import AddDay, AddHours, Change, EndHours, RemoveDay
from scheduler.places import Rule, Unlike
from scheduler.tables import Kind, LaneKind, Scope
from server.rules import fields

FARTHEST: Final = timedelta(days=800)
"""[D] A day farther away is a slip of the keyboard."""
STEPS: Final = range(5, 241)
"""[D] Minutes of a slot: shorter than anybody is served, longer than anybody waits."""
MOST_PEOPLE: Final = 200
"""[D] People in one slot; more than any office has kiosks."""
MOST_SERVERS: Final = 100
LONGEST_NUMBER: Final = 9
CARRIED: Final = (
    *("what", "lane", "days", "opens", "closes", "step", "capacity", "public", "first", "last"),
    *("rule", "day", "kind", "as_weekday", "ends", "words", "words_en", "source"),
)
"""Every field of these forms, as it is carried to the page that asks whether somebody is sure."""

Form = MultiDict[str, str]
Errors = dict[str, str]
"""The key of a sentence by field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneAsked:
    """A lane as it should be."""

    code: str
    kind: LaneKind
    servers: int


class Wrong(Exception):
    """Something entered cannot be; `errors` says what, by field."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(errors)
        self.errors = errors


def carried(form: Form) -> dict[str, list[str]]:
    """Return what was entered, for a form that sends it again."""
    return {name: form.getlist(name) for name in CARRIED if form.get(name)}


def _day(text: str, today: date) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if len(text) == len("2026-11-25") and abs(found - today) <= FARTHEST else None


def _time(text: str) -> time | None:
    try:
        found = time.fromisoformat(text)
    except ValueError:
        return None
    plain = found.tzinfo is None and not found.second and not found.microsecond
    return found if plain else None


def _number(text: str) -> int | None:
    text = text.strip()
    usable = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
    return int(text) if usable else None


def _within(text: str, span: range) -> int | None:
    found = _number(text)
    return found if found is not None and found in span else None


def _line(text: str) -> str | None:
    """Return a line of words, or None where there is none or it is none."""
    try:
        return fields.line(text[:400], longest=200) or None
    except fields.Refused:
        return None


def change(
    form: Form, *, today: date, lanes: Collection[str], rules: Collection[int], place: str
) -> Change:
    """Return the change a form asks for.

    Raises:
        Wrong: it asks for something that cannot be.
    """
    match form.get("what"):
        case "hours":
            return _hours(form, today, lanes)
        case "end":
            return _end(form, today, rules)
        case "day":
            return _unlike(form, today, place)
        case "alike":
            return _alike(form, today, place)
    raise Wrong({"what": "hours.wrong.what"})


def _raise(found: Mapping[str, object], required: Mapping[str, str]) -> None:
    wrong = {name: key for name, key in required.items() if found.get(name) is None}
    if wrong:
        raise Wrong(wrong)


def _hours(form: Form, today: date, lanes: Collection[str]) -> AddHours:
    days = {_within(text, range(7)) for text in form.getlist("days")} - {None}
    opens, closes = _time(form.get("opens", "")), _time(form.get("closes", ""))
    step = _within(form.get("step", ""), STEPS)
    capacity = _within(form.get("capacity", ""), range(1, MOST_PEOPLE + 1))
    public = capacity if not form.get("public") else _number(form.get("public", ""))
    first, last = _day(form.get("first", ""), today), _day(form.get("last", ""), today)
    lane = form.get("lane") if form.get("lane") in lanes else None
    found = {
        "lane": lane,
        "days": days or None,
        "opens": opens,
        "closes": closes,
        "step": step,
        "capacity": capacity,
        "public": public,
        "first": first,
        "last": last if form.get("last") else True,
    }
    _raise(found, {name: f"hours.wrong.{name}" for name in found})
    assert opens and closes and step and capacity and first and lane  # noqa: PT018, S101 - said above
    later = {
        "closes": opens < closes,
        "step": _minutes(closes) - _minutes(opens) >= step,
        "public": public is not None and public <= capacity,
        "first": first >= today,
        "last": last is None or last >= first,
    }
    wrong = {name: f"hours.wrong.{name}" for name, fits in later.items() if not fits}
    if wrong:
        raise Wrong(wrong)
    return AddHours(
        rule=Rule(
            weekdays=frozenset(day for day in days if day is not None),
            opens=opens,
            closes=closes,
            step=step,
            capacity=capacity,
            public_capacity=public,
            lane=lane,
            valid_from=first,
            valid_to=last,
        )
    )


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _end(form: Form, today: date, rules: Collection[int]) -> EndHours:
    number, last = _number(form.get("rule", "")), _day(form.get("last", ""), today)
    if number not in rules or number is None:
        raise Wrong({"what": "hours.wrong.rule"})
    if last is None or last < today - timedelta(days=1):
        raise Wrong({f"last-{number}": "hours.wrong.end"})
    return EndHours(number=number, last=last)


def _unlike(form: Form, today: date, place: str) -> AddDay:
    day = _day(form.get("day", ""), today)
    kind = {kind.value: kind for kind in Kind}.get(form.get("kind", ""))
    as_weekday = _within(form.get("as_weekday", ""), range(7))
    ends = _time(form.get("ends", ""))
    source, words = _line(form.get("source", "")), _line(form.get("words", ""))
    found = {
        "day": day if day is not None and day >= today else None,
        "kind": kind,
        "as_weekday": as_weekday if kind is Kind.MAKE_UP_DAY else True,
        "ends": ends if kind is Kind.SHORT_DAY else True,
        "source": source,
        "words": words if kind is Kind.CLOSED else True,
    }
    _raise(found, {name: f"hours.wrong.{name}" for name in found})
    assert day and kind and source  # noqa: PT018, S101 - said above
    return AddDay(
        unlike=Unlike(
            day=day,
            kind=kind,
            as_weekday=as_weekday if kind is Kind.MAKE_UP_DAY else None,
            closes=ends if kind is Kind.SHORT_DAY else None,
            words=words,
            words_en=_line(form.get("words_en", "")),
            source=source,
        ),
        scope=Scope.PLACE,
        code=place,
    )


def _alike(form: Form, today: date, place: str) -> RemoveDay:
    day = _day(form.get("day", ""), today)
    if day is None:
        raise Wrong({"what": "hours.wrong.day"})
    return RemoveDay(day=day, scope=Scope.PLACE, code=place)


def lane(form: Form) -> LaneAsked:
    """Return the lane a form asks for; its code is what it is for.

    Raises:
        Wrong: it asks for something that cannot be.
    """
    kind = {kind.value: kind for kind in LaneKind}.get(form.get("lane_kind", ""))
    servers = _within(form.get("servers", ""), range(1, MOST_SERVERS + 1))
    found = {"lane_kind": kind, "servers": servers}
    _raise(found, {name: f"hours.wrong.{name}" for name in found})
    assert kind and servers  # noqa: PT018, S101 - said above
    return LaneAsked(code=form.get("lane") or kind.value, kind=kind, servers=servers)
