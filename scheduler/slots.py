"""The counter of a slot: one statement takes a place if there is one. Nothing else counts places.

It knows no appointments and no persons.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.tables import SlotRow


class SlotUnavailable(Exception):
    """No place could be taken there; nothing was changed."""


class SlotFull(SlotUnavailable):
    """Every place is taken."""


class SlotGone(SlotUnavailable):
    """The time is past, or no longer offered, or never was."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SlotRef:
    """Which slot; their order is the order in which they are locked."""

    place: str
    starts_at: datetime
    lane: str


def _at(slot: SlotRef) -> sa.ColumnElement[bool]:
    return sa.and_(
        SlotRow.place == slot.place,
        SlotRow.starts_at == slot.starts_at,
        SlotRow.lane == slot.lane,
    )


def look(session: Session, slot: SlotRef, *, now: datetime, lanes: Collection[str]) -> None:
    """Return if there seems to be a place; it waits for nobody and locks nothing.

    Raises:
        SlotFull: every place is taken.
        SlotGone: the time is past, not offered, or in none of the `lanes`.
    """
    if slot.lane not in lanes or slot.starts_at <= now:
        raise SlotGone
    row = session.execute(
        sa.select(SlotRow.offered, SlotRow.taken < SlotRow.capacity).where(_at(slot))
    ).one_or_none()
    match row:
        case (True, True):
            return
        case (True, _):
            raise SlotFull
        case _:
            raise SlotGone


def take(session: Session, slot: SlotRef, *, now: datetime, lanes: Collection[str]) -> int:
    """Take a place and return the slot's minutes.

    Raises:
        SlotFull: every place is taken.
        SlotGone: the time is past, not offered, or in none of the `lanes`.
    """
    if slot.lane not in lanes or slot.starts_at <= now:
        raise SlotGone
    minutes = session.execute(
        sa.update(SlotRow)
        .where(_at(slot), SlotRow.offered, SlotRow.taken + 1 <= SlotRow.capacity)
        .values(taken=SlotRow.taken + 1)
        .returning(SlotRow.minutes)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if minutes is None:
        look(session, slot, now=now, lanes=lanes)
        raise SlotFull  # a place came free after we asked for it
    return minutes


def give_back(session: Session, freed: Mapping[SlotRef, int]) -> None:
    """Give back so many places of each slot, in the order of locks."""
    for slot in sorted(slot for slot, count in freed.items() if count):
        session.execute(
            sa.update(SlotRow)
            .where(_at(slot))
            .values(taken=SlotRow.taken - freed[slot])
            .execution_options(synchronize_session=False)
        )
