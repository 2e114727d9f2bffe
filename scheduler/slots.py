"""The counter of a slot: one statement takes a place if there is one. Nothing else counts places.

It knows no appointments and no persons.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.database import table_of
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


class Placed(Protocol):
    """A row that says in which slot something is."""

    @property
    def place(self) -> str:
        """Where."""

    @property
    def starts_at(self) -> datetime:
        """When."""

    @property
    def lane(self) -> str:
        """In which lane."""


def of_row(row: Placed) -> SlotRef:
    """Return the slot a row names."""
    return SlotRef(place=row.place, starts_at=row.starts_at, lane=row.lane)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Seat:
    """A place in a slot, as it is counted."""

    slot: SlotRef
    public: bool = True
    """Whether people book it for themselves; officers' bookings count in the whole only."""


_SLOTS = table_of(SlotRow)
_COUNT = sa.bindparam("count", type_=sa.Integer)
_PUBLIC_COUNT = sa.bindparam("public_count", type_=sa.Integer)
_AT = sa.and_(
    _SLOTS.c.place == sa.bindparam("at_place"),
    _SLOTS.c.starts_at == sa.bindparam("at_start"),
    _SLOTS.c.lane == sa.bindparam("at_lane"),
)
# Whether so many more fit; what nobody books for themselves is bounded by the whole only.
_HAS_ROOM = sa.and_(
    _SLOTS.c.taken + _COUNT <= _SLOTS.c.capacity,
    sa.or_(_PUBLIC_COUNT == 0, _SLOTS.c.public_taken + _PUBLIC_COUNT <= _SLOTS.c.public_capacity),
)
# Built once: in a rush, building them anew would cost more than asking.
_LOOK = sa.select(_SLOTS.c.minutes, _SLOTS.c.offered, _SLOTS.c.by_lot, _HAS_ROOM).where(_AT)
_COUNTED = {
    "taken": _SLOTS.c.taken + _COUNT,
    "public_taken": _SLOTS.c.public_taken + _PUBLIC_COUNT,
}
_TAKE_DRAWN = (
    sa.update(_SLOTS)
    .where(_AT, _SLOTS.c.offered, _HAS_ROOM)
    .values(_COUNTED)
    .returning(_SLOTS.c.minutes)
)
_TAKE = _TAKE_DRAWN.where(sa.not_(_SLOTS.c.by_lot))
_GIVE_BACK = sa.update(_SLOTS).where(_AT).values(_COUNTED)


def free_places(*, public: bool, lot: bool = False) -> sa.ColumnElement[int]:
    """Return how many more a slot takes, as a column; of `SlotRow`.

    A slot that is given by lot takes nobody of the public but by lot.
    """
    whole = SlotRow.capacity - SlotRow.taken
    if not public:
        return whole
    own = SlotRow.public_capacity - SlotRow.public_taken
    least = sa.case((own < whole, own), else_=whole)
    return least if lot else sa.case((SlotRow.by_lot, 0), else_=least)


def _asked(slot: SlotRef, count: int, *, public: bool) -> dict[str, Any]:
    return {
        "at_place": slot.place,
        "at_start": slot.starts_at,
        "at_lane": slot.lane,
        "count": count,
        "public_count": count if public else 0,
    }


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
    row = session.execute(_LOOK, _asked(slot, 1, public=public)).one_or_none()
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
    statement = _TAKE_DRAWN if lot or not public else _TAKE
    asked = _asked(slot, count, public=public)
    minutes: int | None = session.execute(statement, asked).scalar_one_or_none()
    if minutes is None:
        look(session, slot, now=now, lanes=lanes, public=public, lot=lot)
        raise SlotFull  # too few for all, or one came free after we asked for it
    return minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of a slot that is offered."""

    minutes: int
    free: int
    """Places the public has, those given by lot too."""


def among(those: Collection[SlotRef]) -> sa.ColumnElement[bool]:
    """Return whether a row of `SlotRow` is one of these slots."""
    key = sa.tuple_(SlotRow.place, SlotRow.starts_at, SlotRow.lane)
    return key.in_([(slot.place, slot.starts_at, slot.lane) for slot in those])


def lock(session: Session, where: sa.ColumnElement[bool]) -> dict[SlotRef, Left]:
    """Let nobody else count in these slots meanwhile; return what is left of those offered.

    They are locked in the order of locks: whoever is to take places of many slots one after the
    other asks for this before.
    """
    rows = session.execute(
        sa.select(
            SlotRow.place,
            SlotRow.starts_at,
            SlotRow.lane,
            SlotRow.offered,
            SlotRow.minutes,
            free_places(public=True, lot=True),
        )
        .where(where)
        .order_by(SlotRow.place, SlotRow.starts_at, SlotRow.lane)
        .with_for_update()
    )
    return {
        SlotRef(place=place, starts_at=starts_at, lane=lane): Left(minutes=minutes, free=free)
        for place, starts_at, lane, offered, minutes, free in rows
        if offered
    }


def give_back(session: Session, freed: Mapping[Seat, int]) -> None:
    """Give back so many places of each slot, in the order of locks."""
    for seat in sorted(seat for seat, count in freed.items() if count):
        session.execute(_GIVE_BACK, _asked(seat.slot, -freed[seat], public=seat.public))
