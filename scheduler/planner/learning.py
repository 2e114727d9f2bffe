"""What a station's own days say for a plan: service, who stays away and how early they booked.

It changes nothing; where little was measured a prior stands in, and the numbers of people say so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import habits, lanes, places, service
from scheduler.calendar import HERE
from scheduler.life import AppointmentState
from scheduler.places import WALK_IN, Rule
from scheduler.planner.inputs import Opening
from scheduler.service import Sample
from scheduler.tables import AppointmentRow
from scheduler.tables_day import QueueRow

LEADS = (1, 7, 14)
"""[D] Days between booking and appointment at which the rows of the table end."""
MOST_APPOINTMENTS = 5000
"""[D] The latest appointments say enough."""
THIN = 60
"""[D] Fewer served people than this are called little: their mean is off by more than 5 %."""
SURE = 1.645
"""Standard deviations to either side that hold 90 % of a normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Who did not come, of those who booked so many days ahead."""

    first: int
    last: int | None
    """Days; None: and more."""
    missed: int
    known: int
    """Appointments that are over: served or missed."""
    share: float
    """Who does not come, with the prior where few are known."""
    low: float
    high: float
    """Between which the share lies with 90 % probability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What a station's last four weeks say."""

    servers: int
    openings: tuple[Opening, ...]
    """Of its commonest day; empty: the lane has no hours."""
    service: Sample
    lateness: tuple[float, ...]
    priority: float
    no_show: float
    known: int
    """Appointments by which `no_show` is known."""
    leads: tuple[Lead, ...]
    walk_ins_per_hour: float
    days: int
    """Days on which anybody was in the waiting room."""

    @property
    def thin(self) -> bool:
        """Whether too little was measured to lean on it."""
        return self.service.known < THIN or self.known < THIN


def learn(session: Session, place: str, *, now: datetime, lane: str, length: int) -> Learnt:
    """Return what the last four weeks of a place say of a lane.

    Args:
        session: a transaction.
        place: where.
        now: the time.
        lane: whose hours and kiosks are meant.
        length: minutes most people are planned for.

    Raises:
        LookupError: there is no such lane.
    """
    known = {one.code: one for one in lanes.of(session, place)}
    if lane not in known:
        raise LookupError(f"no lane {lane} at {place}")
    today = now.astimezone(HERE).date()
    openings = hours([rule for rule in places.rules(session, place) if rule.lane == lane], today)
    habit = habits.measured(session, place, now=now)
    leads = by_lead(session, place, now=now)
    walked, days = _walk_ins(session, place, now)
    open_hours = days * sum(opening.minutes for opening in openings) / 60
    return Learnt(
        servers=known[lane].servers,
        openings=openings,
        service=service.measured(session, place, now=now).of(length),
        lateness=habit.lateness,
        priority=habit.priority,
        no_show=habit.no_show,
        known=sum(lead.known for lead in leads),
        leads=leads,
        walk_ins_per_hour=walked / open_hours if open_hours else 0.0,
        days=days,
    )


def hours(rules: Sequence[Rule], today: date) -> tuple[Opening, ...]:
    """Return the hours in which rules that hold give slots, joined, of the fullest weekday."""
    held = [rule for rule in rules if rule.valid_to is None or rule.valid_to >= today]
    began = [rule for rule in held if rule.valid_from <= today] or held
    by_day = [
        sorted((rule.opens, rule.closes) for rule in began if day in rule.weekdays)
        for day in range(7)
    ]
    joined: list[tuple[time, time]] = []
    for opens, closes in max(by_day, key=len):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        else:
            joined.append((opens, closes))
    return tuple(Opening(opens=opens, closes=closes) for opens, closes in joined)


def by_lead(session: Session, place: str, *, now: datetime) -> tuple[Lead, ...]:
    """Return who did not come in the last four weeks, by how many days ahead they booked."""
    rows = session.execute(
        sa.select(AppointmentRow.starts_at, AppointmentRow.created_at, AppointmentRow.state)
        .where(
            AppointmentRow.place == place,
            AppointmentRow.starts_at.between(now - service.LOOKS_BACK, now),
            AppointmentRow.state.in_((AppointmentState.SERVED, AppointmentState.MISSED)),
            AppointmentRow.lane != WALK_IN,
        )
        .order_by(AppointmentRow.starts_at.desc())
        .limit(MOST_APPOINTMENTS)
    )
    seen = [
        ((starts.astimezone(HERE).date() - made.astimezone(HERE).date()).days, state)
        for starts, made, state in rows
    ]
    ends = (*LEADS, None)
    begins = (0, *(last + 1 for last in LEADS))
    return tuple(_lead(first, last, seen) for first, last in zip(begins, ends, strict=True))


def _lead(first: int, last: int | None, seen: Sequence[tuple[int, AppointmentState]]) -> Lead:
    inside = [state for ahead, state in seen if first <= ahead and (last is None or ahead <= last)]
    missed = sum(state is AppointmentState.MISSED for state in inside)
    weight = habits.PRIOR_WEIGHT
    low, high = interval(missed + habits.PRIOR_NO_SHOW * weight, len(inside) + weight)
    return Lead(
        first=first,
        last=last,
        missed=missed,
        known=len(inside),
        share=(missed + habits.PRIOR_NO_SHOW * weight) / (len(inside) + weight),
        low=low,
        high=high,
    )


def interval(times: float, of: float) -> tuple[float, float]:
    """Return between which a share lies with 90 % probability (Wilson 1927)."""
    share, z2 = times / of, SURE**2
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = SURE / (1 + z2 / of) * (share * (1 - share) / of + z2 / (4 * of**2)) ** 0.5
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _walk_ins(session: Session, place: str, now: datetime) -> tuple[int, int]:
    """Return how many people came without an appointment, and on how many days anybody came."""
    today = now.astimezone(HERE).date()
    here = (
        QueueRow.place == place,
        QueueRow.day >= service.first_day(now),
        QueueRow.day < today,
    )
    days = session.execute(
        sa.select(sa.func.count(sa.distinct(QueueRow.day))).where(*here)
    ).scalar_one()
    without = sa.or_(QueueRow.appointment_id.is_(None), AppointmentRow.lane == WALK_IN)
    walked = session.execute(
        sa.select(sa.func.count())
        .select_from(QueueRow)
        .outerjoin(AppointmentRow, AppointmentRow.id == QueueRow.appointment_id)
        .where(*here, without)
    ).scalar_one()
    return walked, days
