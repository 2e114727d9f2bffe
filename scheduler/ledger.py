"""Compares what is counted with what is there: every difference is a fault of ours.

It mends nothing, so that a fault is not hidden.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import claims
from scheduler.life import AppointmentState
from scheduler.slots import SlotRef
from scheduler.tables import AppointmentRow, ClaimRow, SlotRow

TAKING = [state for state in AppointmentState if state.takes_a_place]
LIVE = [state for state in AppointmentState if state.live]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A slot whose counter is wrong."""

    slot: SlotRef
    taken: int
    """What the slot says."""
    found: int
    """Appointments there that take a place."""


def drift(session: Session) -> tuple[Drift, ...]:
    """Return the slots whose counter is not the number of appointments that take a place."""
    key = (AppointmentRow.place, AppointmentRow.starts_at, AppointmentRow.lane)
    found = (
        sa.select(*key, sa.func.count().label("found"))
        .where(AppointmentRow.state.in_(TAKING))
        .group_by(*key)
        .subquery()
    )
    counted = sa.func.coalesce(found.c.found, 0)
    rows = session.execute(
        sa.select(SlotRow.place, SlotRow.starts_at, SlotRow.lane, SlotRow.taken, counted)
        .outerjoin(
            found,
            sa.and_(
                found.c.place == SlotRow.place,
                found.c.starts_at == SlotRow.starts_at,
                found.c.lane == SlotRow.lane,
            ),
        )
        .where(SlotRow.taken != counted)
        .order_by(SlotRow.place, SlotRow.starts_at, SlotRow.lane)
    )
    return tuple(
        Drift(slot=SlotRef(place=place, starts_at=starts_at, lane=lane), taken=taken, found=there)
        for place, starts_at, lane, taken, there in rows
    )


def loose(session: Session) -> int:
    """Return how many claims have no live appointment, or live appointments no claim."""
    held = (
        sa.select(ClaimRow.holder).where(ClaimRow.kind == claims.APPOINTMENT).distinct().subquery()
    )
    return session.execute(
        sa.select(sa.func.count())
        .select_from(AppointmentRow)
        .outerjoin(held, held.c.holder == AppointmentRow.id, full=True)
        .where(
            sa.or_(
                AppointmentRow.id.is_(None),
                AppointmentRow.state.in_(LIVE) != held.c.holder.is_not(None),
            )
        )
    ).scalar_one()
