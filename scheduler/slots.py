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


class SlotByLot(SlotFull):
    """Its places are given by lot: nobody takes one for themselves."""


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


def _has_room(count: int, *, public: bool) -> sa.ColumnElement[bool]:
    """Return whether so many more fit."""
    room = SlotRow.taken + count <= SlotRow.capacity
    if not public:
        return room
    return sa.and_(room, SlotRow.public_taken + count <= SlotRow.public_capacity)


def look(
    session: Session,
    slot: SlotRef,
    *,
    now: datetime,
    lanes: Collection[str],
    public: bool = True,
    lot: bool = False,
) -> int:
    """Return the slot's minutes if there seems to be a place; it waits for nobody, locks nothing.

    Raises:
        SlotFull: every place is taken.
        SlotByLot: they are given by lot.
        SlotGone: the time is past, not offered, or in none of the `lanes`.
    """
    if slot.lane not in lanes or slot.starts_at <= now:
        raise SlotGone
    row = session.execute(
        sa.select(
            SlotRow.minutes, SlotRow.offered, SlotRow.by_lot, _has_room(1, public=public)
        ).where(_at(slot))
    ).one_or_none()
    if row is None or not row.offered:
        raise SlotGone
    minutes, _, by_lot, room = row
    if by_lot and public and not lot:
        raise SlotByLot
    if not room:
        raise SlotFull
    return int(minutes)


def take(
    session: Session,
    slot: SlotRef,
    *,
    now: datetime,
    lanes: Collection[str],
    public: bool = True,
    count: int = 1,
    lot: bool = False,
) -> int:
    """Take places and return the slot's minutes.

    Args:
        session: a transaction that writes.
        slot: which slot.
        now: the time.
        lanes: the lanes the asker may book.
        public: whether people book for themselves.
        count: how many places, all or none.
        lot: whether places that are given by lot are theirs to take.

    Raises:
        SlotFull: so many are not left, or they are given by lot.
        SlotGone: the time is past, not offered, or in none of the `lanes`.
    """
    if slot.lane not in lanes or slot.starts_at <= now:
        raise SlotGone
    open_to_all = [] if lot or not public else [sa.not_(SlotRow.by_lot)]
    minutes = session.execute(
        sa.update(SlotRow)
        .where(_at(slot), SlotRow.offered, _has_room(count, public=public), *open_to_all)
        .values(
            taken=SlotRow.taken + count,
            public_taken=SlotRow.public_taken + (count if public else 0),
        )
        .returning(SlotRow.minutes)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if minutes is None:
        look(session, slot, now=now, lanes=lanes, public=public, lot=lot)
        raise SlotFull  # too few for all, or one came free after we asked for it
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
