"""A plan of places: who would lose their time by it, and opening it, written down.

How a plan is found is known in `scheduler.planner`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from scheduler.horizon import Opened
from scheduler.planner import applying
from scheduler.planner.applying import Wanted
from server.cases import hours
from server.cases.hours import Losing
from server.cases.officers import Acting
from server.store import audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A plan to be opened, where and from when on."""

    place: str
    lane: str
    plan: Wanted
    first_day: date
    weekdays: frozenset[int]


def losing(session: Session, asked: Asked, *, now: datetime) -> tuple[Losing, ...]:
    """Return who would lose their time; nothing is changed.

    Raises:
        PlaceUnknown: there is no such place.
        NothingPlanned: the plan has no places.
        ValueError: an opening holds no appointment.
    """
    change = applying.change(
        session,
        asked.place,
        asked.lane,
        asked.plan,
        first_day=asked.first_day,
        weekdays=asked.weekdays,
    )
    return hours.losing(session, asked.place, change=change, now=now)


def apply(
    session: Session,
    asked: Asked,
    *,
    officer: Acting,
    seed: int,
    said: Mapping[str, object],
    now: datetime,
) -> Opened:
    """Open a plan and write down who did it, by which seed it was found and what it was told of.

    Raises:
        PlaceUnknown: there is no such place.
        NothingPlanned: the plan has no places.
        ValueError: an opening holds no appointment.
        sqlalchemy.exc.IntegrityError: the hours make no sense.
    """
    done = applying.apply(
        session,
        asked.place,
        asked.lane,
        asked.plan,
        first_day=asked.first_day,
        last_day=max(hours.last_day(now), asked.first_day),
        weekdays=asked.weekdays,
        now=now,
    )
    audit.append(
        session,
        at=now,
        actor=officer.actor,
        action="calendar.plan",
        subject=f"place:{asked.place}",
        detail={
            "lane": asked.lane,
            "pattern": asked.plan.pattern.value,
            "hours": [f"{one.opens:%H:%M}-{one.closes:%H:%M}" for one in asked.plan.openings],
            "places": list(asked.plan.places),
            "servers": asked.plan.servers,
            "length": asked.plan.length,
            "days": sorted(asked.weekdays),
            "first": asked.first_day.isoformat(),
            "seed": seed,
            "told": dict(said),
            "withdrawn": done.withdrawn,
        },
    )
    return done
