"""Compares what is counted with what is there: every difference is a fault of ours.

It mends nothing, so that a fault is not hidden.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import claims
from scheduler.life import AppointmentState
from scheduler.slots import SlotRef
from scheduler.tables import AppointmentRow, ClaimRow, FurtherRow, SlotRow
from scheduler.tables_waiting import FreedRow

TAKING = [state for state in AppointmentState if state.takes_a_place]
LIVE = [state for state in AppointmentState if state.live]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A slot whose counters are wrong."""

    slot: SlotRef
    taken: int
    """What the slot says."""
    found: int
    """Places there that are taken: by appointments, their further slots, and those kept."""
    public_taken: int
    public_found: int


def _places() -> sa.CompoundSelect[Any]:
    """Return every place that is taken: where, and whether it counts as the public's."""
    appointments = sa.select(
        AppointmentRow.place, AppointmentRow.starts_at, AppointmentRow.lane, AppointmentRow.public
    ).where(AppointmentRow.state.in_(TAKING))
    further = sa.select(FurtherRow.place, FurtherRow.starts_at, FurtherRow.lane, FurtherRow.public)
    kept = sa.select(FreedRow.place, FreedRow.starts_at, FreedRow.lane, FreedRow.public)
    return sa.union_all(appointments, further, kept)


def drift(session: Session) -> tuple[Drift, ...]:
    """Return the slots whose counters are not the number of places that are taken in them."""
    there = _places().subquery()
    key = (there.c.place, there.c.starts_at, there.c.lane)
    own = sa.func.sum(sa.case((there.c.public, 1), else_=0))
    found = (
        sa.select(*key, sa.func.count().label("found"), own.label("public"))
        .group_by(*key)
        .subquery()
    )
    counted = sa.func.coalesce(found.c.found, 0)
    publicly = sa.func.coalesce(found.c.public, 0)
    rows = session.execute(
        sa.select(
            SlotRow.place,
            SlotRow.starts_at,
            SlotRow.lane,
            SlotRow.taken,
            counted,
            SlotRow.public_taken,
            publicly,
        )
        .outerjoin(
            found,
            sa.and_(
                found.c.place == SlotRow.place,
                found.c.starts_at == SlotRow.starts_at,
                found.c.lane == SlotRow.lane,
            ),
        )
        .where(sa.or_(SlotRow.taken != counted, SlotRow.public_taken != publicly))
        .order_by(SlotRow.place, SlotRow.starts_at, SlotRow.lane)
    )
    return tuple(
        Drift(
            slot=SlotRef(place=place, starts_at=starts_at, lane=lane),
            taken=taken,
            found=count,
            public_taken=own_taken,
            public_found=own_count,
        )
        for place, starts_at, lane, taken, count, own_taken, own_count in rows
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
