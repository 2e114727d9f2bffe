"""What a day at a place is like and which slots it has, from weekly hours and the calendar.

It asks no database.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from scheduler import calendar
from scheduler.calendar import HERE, Words
from scheduler.places import Rule, Unlike
from scheduler.tables import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What a day at a place is like."""

    weekday: int | None
    """Whose weekly hours it has, 0 is Monday; None: it is closed."""
    until: time | None = None
    """When it ends early."""
    why: Words | None = None
    """Why it is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A slot as it should be."""

    minutes: int
    capacity: int
    public_capacity: int


Key = tuple[datetime, str]
"""Start and lane of a slot at a place."""


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield the days from `first` to `last`, both included."""
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


def bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """Return the moments at which the day `first` begins and the day `last` has ended."""
    begins = datetime.combine(first, time(), HERE)
    ended = datetime.combine(last, time(), HERE) + timedelta(days=1)
    return begins.astimezone(UTC), ended.astimezone(UTC)


def hours(day: date, unlike: Unlike | None) -> Hours:
    """Return whose hours a day has.

    An exception that was entered outweighs the nation's calendar, and that the week.
    """
    match unlike:
        case Unlike(kind=Kind.CLOSED, words=vi, words_en=en):
            said = calendar.closed()
            return Hours(weekday=None, why=Words(vi=vi or said.vi, en=en or vi or said.en))
        case Unlike(kind=Kind.MAKE_UP_DAY, as_weekday=weekday):
            return Hours(weekday=weekday)
        case Unlike(kind=Kind.SHORT_DAY, closes=until):
            return Hours(weekday=day.weekday(), until=until)
    name = calendar.holiday(day)
    if name is not None:
        return Hours(weekday=None, why=name)
    made_up = calendar.make_up_for(day)
    weekday = day.weekday() if made_up is None else made_up
    return Hours(weekday=weekday, until=calendar.closes_early(day))


def in_force(rules: Sequence[Rule], day: date, weekday: int) -> Iterator[Rule]:
    """Yield the rules that give a day with the hours of `weekday` its slots."""
    for rule in rules:
        if weekday in rule.weekdays and rule.valid_from <= day <= (rule.valid_to or day):
            yield rule


def _starts(rule: Rule, day: date, until: time | None) -> Iterator[datetime]:
    closes = datetime.combine(day, min(rule.closes, until) if until else rule.closes, HERE)
    at, step = datetime.combine(day, rule.opens, HERE), timedelta(minutes=rule.step)
    while at + step <= closes:
        yield at.astimezone(UTC)
        at += step


def slots(
    rules: Sequence[Rule], unlike: Mapping[date, Unlike], *, first: date, last: date
) -> dict[Key, Planned]:
    """Return the slots from `first` to `last`; where rules of a lane meet, their places add up."""
    planned: dict[Key, Planned] = {}
    for day in days_between(first, last):
        like = hours(day, unlike.get(day))
        if like.weekday is None:
            continue
        for rule in in_force(rules, day, like.weekday):
            for start in _starts(rule, day, like.until):
                there = planned.get((start, rule.lane))
                planned[start, rule.lane] = Planned(
                    minutes=max(there.minutes, rule.step) if there else rule.step,
                    capacity=rule.capacity + (there.capacity if there else 0),
                    public_capacity=rule.public + (there.public_capacity if there else 0),
                )
    return planned
