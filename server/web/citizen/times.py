"""What a station offers somebody: the days of a month, the times of a day; and how forms name them.

It takes no place: what is shown may be gone when it is chosen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from flask import request

from scheduler import offers
from scheduler.database import reading
from scheduler.offers import Offer
from scheduler.slots import SlotRef
from server.cases import needs
from server.cases.needs import Need
from server.clock import HERE
from server.rules import dates
from server.web.availability import window
from server.web.citizen.desk import Draft, desk
from server.web.citizen.month import Month, after, asked, month

NOON = 12
LONGEST = 60
"""Characters of a time's name in a form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """A time that still has a place."""

    offer: Offer
    first: bool
    """Whether it is kept for those who are let go first."""


def barred_days(draft: Draft, first: date, last: date) -> frozenset[date]:
    """Return the days on which this citizen may not come."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return frozenset(
        day for day in days if (outcome := draft.outcome(day)) is not None and not outcome.may_book
    )


def month_of(draft: Draft, station: str) -> Month:
    """Return the asked month at a station, with the days on which this citizen still fits in."""
    here, today = desk(), desk().today()
    first = max(asked(request.args.get("month"), today), today)
    last = after(first) - timedelta(days=1)
    need = draft.need(first)
    with reading(here.engine) as session:
        lanes = needs.lanes(session, station, goes_first=need.goes_first)
    offered = window().month(
        station, first=first, last=last, now=here.now(), lanes=lanes, length=need.minutes
    )
    by_day = {day.date: day for day in offered}
    barred = barred_days(draft, first, last)
    return month(first.replace(day=1), by_day, today=today, barred=barred)


def times_of(need: Need, station: str, day: date) -> tuple[Time, ...]:
    """Return the times of a day that still have a place for somebody who needs so much."""
    here = desk()
    with reading(here.engine) as session:
        everybody = needs.lanes(session, station, goes_first=False)
        lanes = needs.lanes(session, station, goes_first=need.goes_first)
        found = offers.times(
            session, station, day, now=here.now(), lanes=lanes, length=need.minutes
        )
    return tuple(
        Time(offer=offer, first=offer.slot.lane not in everybody)
        for offer in found
        if offer.free > 0
    )


def by_half_day(found: Iterable[Time]) -> dict[str, list[Time]]:
    """Return the times of the morning and of the afternoon."""
    halves: dict[str, list[Time]] = {"time.morning": [], "time.afternoon": []}
    for time in found:
        early = time.offer.slot.starts_at.astimezone(HERE).hour < NOON
        halves["time.morning" if early else "time.afternoon"].append(time)
    return {name: some for name, some in halves.items() if some}


def slot_name(slot: SlotRef) -> str:
    """Return how a form names a time: ``2026-11-30T02:15+00:00 regular``."""
    return f"{slot.starts_at.astimezone(UTC).isoformat(timespec='minutes')} {slot.lane}"


def slot_named(text: str, station: str, *, today: date) -> SlotRef | None:
    """Return the slot a form names, or None where it names none that may be offered."""
    moment, _, lane = text.partition(" ")
    if len(text) > LONGEST or not lane.replace("-", "_").isidentifier():
        return None
    starts_at = dates.moment(moment)
    if starts_at is None or not dates.may_be_offered(starts_at, today=today):
        return None
    return SlotRef(place=station, starts_at=starts_at, lane=lane)
