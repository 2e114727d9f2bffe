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


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Seat:
    """A place in a slot, as it is counted."""

    slot: SlotRef
    public: bool = True
    """Whether people book it for themselves; officers' bookings count in the whole only."""


def _at(slot: SlotRef) -> sa.ColumnElement[bool]:
    return sa.and_(
        SlotRow.place == slot.place,
        SlotRow.starts_at == slot.starts_at,
        SlotRow.lane == slot.lane,
    )


def _has_room(*, public: bool) -> sa.ColumnElement[bool]:
    """Return whether one more fits; a slot that is given by lot has none for the public."""
    room = SlotRow.taken + 1 <= SlotRow.capacity
    if not public:
        return room
    own = SlotRow.public_taken + 1 <= SlotRow.public_capacity
    return sa.and_(room, own, sa.not_(SlotRow.by_lot))


def look(
    session: Session, slot: SlotRef, *, now: datetime, lanes: Collection[str], public: bool = True
) -> None:
    """Return if there seems to be a place; it waits for nobody and locks nothing.

    Raises:
        SlotFull: every place is taken.
        SlotGone: the time is past, not offered, or in none of the `lanes`.
    """
    if slot.lane not in lanes or slot.starts_at <= now:
        raise SlotGone
    row = session.execute(
        sa.select(SlotRow.offered, _has_room(public=public)).where(_at(slot))
    ).one_or_none()
    match row:
        case (True, True):
            return
        case (True, _):
            raise SlotFull
        case _:
            raise SlotGone


def take(
    session: Session, slot: SlotRef, *, now: datetime, lanes: Collection[str], public: bool = True
) -> int:
    """Take a place and return the slot's minutes.

    Raises:
        SlotFull: every place is taken.
        SlotGone: the time is past, not offered, or in none of the `lanes`.
    """
    if slot.lane not in lanes or slot.starts_at <= now:
        raise SlotGone
    minutes = session.execute(
        sa.update(SlotRow)
        .where(_at(slot), SlotRow.offered, _has_room(public=public))
        .values(taken=SlotRow.taken + 1, public_taken=SlotRow.public_taken + int(public))
        .returning(SlotRow.minutes)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if minutes is None:
        look(session, slot, now=now, lanes=lanes, public=public)
        raise SlotFull  # a place came free after we asked for it
    return minutes


def give_back(session: Session, freed: Mapping[Seat, int]) -> None:
    """Give back so many places of each slot, in the order of locks."""
    for seat in sorted(seat for seat, count in freed.items() if count):
        count = freed[seat]
        session.execute(
            sa.update(SlotRow)
            .where(_at(seat.slot))
            .values(
                taken=SlotRow.taken - count,
                public_taken=SlotRow.public_taken - count * int(seat.public),
            )
            .execution_options(synchronize_session=False)
        )
