"""Says who would lose their time by a change of the calendar before it is made, and makes it.

What is said and what is done come from the same plan, so they cannot differ; between the two
others may book, and they are found when it is done.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, calendar, horizon, places, plan
from scheduler.booking import Appointment, SlotRef
from scheduler.horizon import Opened
from scheduler.places import WALK_IN, Place, Rule, Unlike
from scheduler.stranded import LIVE
from scheduler.tables import AppointmentRow, FurtherRow, PlaceRow, Scope, SlotRow

Days = Mapping[tuple[Scope, date], Unlike]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddHours:
    """Weekly hours are added."""

    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class EndHours:
    """A rule ends on the day `last`."""

    number: int
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDay:
    """A day becomes unlike its weekday; entered again, what was said of it before is replaced."""

    unlike: Unlike
    scope: Scope = Scope.PLACE
    code: str = ""
    """Of the place or province; empty for the nation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDay:
    """A day becomes as its weekday again."""

    day: date
    scope: Scope = Scope.PLACE
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePlace:
    """The place takes nobody any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Changes that are made one after the other, at once."""

    changes: tuple["Change", ...]


Change = AddHours | EndHours | AddDay | RemoveDay | ClosePlace | Together


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Somebody who would lose their time."""

    slot: SlotRef
    """The slot that goes: a further one, where the appointment is longer than its first."""
    appointment: Appointment


def _changed(
    change: Change, place: Place, rules: tuple[Rule, ...], days: Days
) -> tuple[Place, tuple[Rule, ...], Days]:
    """Return the calendar of a place as it would be."""
    match change:
        case AddHours(rule=rule):
            return place, (*rules, rule), days
        case EndHours(number=number, last=last):
            ended = (replace(r, valid_to=last) if r.number == number else r for r in rules)
            return place, tuple(ended), days
        case AddDay(unlike=unlike, scope=scope):
            return place, rules, {**days, (scope, unlike.day): unlike}
        case RemoveDay(day=day, scope=scope):
            left = {key: unlike for key, unlike in days.items() if key != (scope, day)}
            return place, rules, left
        case ClosePlace():
            return replace(place, open=False), rules, days
        case Together(changes=changes):
            for one in changes:
                place, rules, days = _changed(one, place, rules, days)
            return place, rules, days


def _days(change: Change, first: date, last: date) -> tuple[date, date]:
    """Return the days a change is about, of those that are open."""
    match change:
        case AddHours(rule=rule):
            return max(first, rule.valid_from), min(last, rule.valid_to or last)
        case EndHours(last=ended):
            return max(first, min(ended, last)), last
        case AddDay(unlike=Unlike(day=day)) | RemoveDay(day=day):
            return max(first, day), min(last, day)
        case ClosePlace():
            return first, last
        case Together(changes=changes):
            each = [_days(one, first, last) for one in changes]
            return min(begin for begin, _ in each), max(end for _, end in each)


def preview(session: Session, place: str, *, change: Change, now: datetime) -> tuple[Conflict, ...]:
    """Return who would lose their time at a place by a change, by time; nothing is changed.

    Raises:
        PlaceUnknown: there is no such place.
    """
    here = places.find(session, place)
    through = session.execute(
        sa.select(PlaceRow.opened_through).where(PlaceRow.code == place)
    ).scalar_one()
    today = now.astimezone(calendar.HERE).date()
    first, last = _days(change, today, through or today)
    if first > last:
        return ()
    here, rules, days = _changed(
        change,
        here,
        places.rules(session, place),
        places.entered(session, here, first=first, last=last),
    )
    stay = horizon.wanted(here, rules, places.flat(days), first=first, last=last, now=now)
    begins, ended = plan.bounds(first, last)
    rows = session.execute(
        sa.select(SlotRow.starts_at, SlotRow.lane)
        .where(SlotRow.place == place, SlotRow.starts_at > now, SlotRow.taken > 0, SlotRow.offered)
        .where(SlotRow.starts_at >= begins, SlotRow.starts_at < ended, SlotRow.lane != WALK_IN)
        .order_by(SlotRow.starts_at, SlotRow.lane)
    ).all()
    gone = [(starts_at, lane) for starts_at, lane in rows if (starts_at, lane) not in stay]
    return _in(session, place, gone)


def _in(session: Session, place: str, gone: list[plan.Key]) -> tuple[Conflict, ...]:
    """Return who has a live appointment in the slots, each once."""
    found: dict[str, Conflict] = {}
    for starts_at, lane in gone:
        further = sa.select(FurtherRow.appointment_id).where(
            FurtherRow.place == place, FurtherRow.starts_at == starts_at, FurtherRow.lane == lane
        )
        first = sa.and_(
            AppointmentRow.place == place,
            AppointmentRow.starts_at == starts_at,
            AppointmentRow.lane == lane,
        )
        ids = session.scalars(
            sa.select(AppointmentRow.id)
            .where(sa.or_(first, AppointmentRow.id.in_(further)), AppointmentRow.state.in_(LIVE))
            .order_by(AppointmentRow.created_at, AppointmentRow.id)
        )
        slot = SlotRef(place=place, starts_at=starts_at, lane=lane)
        for id_ in ids:
            one = Conflict(slot=slot, appointment=booking.find(session, id_))
            found.setdefault(str(id_), one)
    return tuple(found.values())


def make(session: Session, place: str, *, change: Change) -> int | None:
    """Make a change that touches at least this place; return the number of a rule that was added.

    Slots follow when the touched places are opened anew (`horizon.materialise`).

    Raises:
        PlaceUnknown: there is no such place.
        LookupError: there is no such rule at this place.
        sqlalchemy.exc.IntegrityError: hours, step, capacity, validity or day make no sense.
    """
    match change:
        case AddHours(rule=rule):
            return places.add_rule(session, place, rule)
        case EndHours(number=number, last=last):
            if places.place_of_rule(session, number) != place:
                raise LookupError(f"no rule {number} at {place}")
            places.end_rule(session, number, last=last)
        case AddDay(unlike=unlike, scope=scope, code=code):
            places.remove_exception(session, unlike.day, scope=scope, code=code)
            places.add_exception(session, unlike, scope=scope, code=code)
        case RemoveDay(day=day, scope=scope, code=code):
            places.remove_exception(session, day, scope=scope, code=code)
        case ClosePlace():
            places.close_place(session, place)
        case Together(changes=changes):
            for one in changes:
                make(session, place, change=one)
    return None


def apply(
    session: Session, place: str, *, change: Change, first: date, last: date, now: datetime
) -> Opened:
    """Make a change and open the place anew; whoever lost their time is written down.

    Raises:
        PlaceUnknown: there is no such place.
        LookupError: there is no such rule at this place.
        sqlalchemy.exc.IntegrityError: the change makes no sense.
    """
    make(session, place, change=change)
    return horizon.materialise(session, place, first=first, last=last, now=now)
