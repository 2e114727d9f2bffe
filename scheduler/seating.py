"""Which slots somebody sits in: the consecutive ones a long appointment needs, a family's places.

Choosing is arithmetic over what was read; taking is one guarded statement a slot, in the order of
locks, and whatever was read wrongly is refused there.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import freed, plan, slots
from scheduler.slots import Seat, SlotFull, SlotGone, SlotRef
from scheduler.tables import FurtherRow, SlotRow

SHORTEST = 5
"""Minutes of the shortest slot that is reckoned with."""
MOST_SLOTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A slot and how many places it has left."""

    slot: SlotRef
    minutes: int
    free: int

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        return self.slot.starts_at + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The consecutive slots of one person."""

    slots: tuple[SlotRef, ...]
    minutes: int
    """Of all of them."""

    @property
    def first(self) -> SlotRef:
        """Where it begins."""
        return self.slots[0]


def _read(session: Session, *where: sa.ColumnElement[bool], public: bool, limit: int) -> list[Room]:
    rows = session.execute(
        sa.select(
            SlotRow.place,
            SlotRow.starts_at,
            SlotRow.lane,
            SlotRow.minutes,
            slots.free_places(public=public),
        )
        .where(*where, SlotRow.offered)
        .order_by(SlotRow.lane, SlotRow.starts_at)
        .limit(limit)
    )
    return [
        Room(
            slot=SlotRef(place=place, starts_at=starts_at, lane=lane),
            minutes=minutes,
            free=max(0, free),
        )
        for place, starts_at, lane, minutes, free in rows
    ]


def _unbroken(rooms: Sequence[Room]) -> list[Room]:
    """Return the rooms from the first to where the next does not follow at once."""
    kept = list(rooms[:1])
    for room in rooms[1:]:
        if room.slot.lane != kept[-1].slot.lane or room.slot.starts_at != kept[-1].ends_at:
            break
        kept.append(room)
    return kept


def _chain(rooms: Sequence[Room], begins: int, length: int) -> range | None:
    """Return the rooms from `begins` that together last `length` minutes, or None."""
    minutes, n = 0, begins
    while n < len(rooms):
        minutes += rooms[n].minutes
        n += 1
        if minutes >= length:
            return range(begins, n)
    return None


def arrange(rooms: Sequence[Room], lengths: Sequence[int]) -> tuple[Chain, ...] | None:
    """Seat people of these lengths from the first room on, or return None where it cannot be.

    The first begins in the first room; everybody else begins in a slot in which another of them
    still sits, or in the one that follows at once.
    """
    run = _unbroken(rooms)
    free = [room.free for room in run]
    found: list[Chain] = []
    begins, reached = 0, 0
    for length in lengths:
        while begins <= reached:
            chain = _chain(run, begins, length)
            if chain is None:
                return None
            if all(free[n] for n in chain):
                break
            if not found:
                return None
            begins += 1
        else:
            return None
        for n in chain:
            free[n] -= 1
        reached = max(reached, chain.stop)
        found.append(
            Chain(
                slots=tuple(run[n].slot for n in chain),
                minutes=sum(run[n].minutes for n in chain),
            )
        )
    return tuple(found)


def _reach(lengths: Sequence[int]) -> int:
    """Return how many slots are worth reading for people of these lengths."""
    return min(MOST_SLOTS, sum(length // SHORTEST + 1 for length in lengths) + 1)


def choose(
    session: Session,
    first: SlotRef,
    lengths: Sequence[int],
    *,
    now: datetime,
    lanes: Collection[str],
    public: bool,
    own: Mapping[Seat, int] | None = None,
) -> tuple[Chain, ...]:
    """Choose the slots of people who begin at `first`; nothing is locked.

    Args:
        session: a transaction.
        first: where the first of them begins.
        lengths: minutes each needs.
        now: the time.
        lanes: lanes the asker may book.
        public: whether they book for themselves.
        own: places they have and would give back for these.

    Raises:
        SlotFull: there is no room for all of them side by side.
        SlotGone: the time is past or not offered.
    """
    if first.lane not in lanes or first.starts_at <= now:
        raise SlotGone
    rooms = _read(
        session,
        SlotRow.place == first.place,
        SlotRow.lane == first.lane,
        SlotRow.starts_at >= first.starts_at,
        public=public,
        limit=_reach(lengths),
    )
    if not rooms or rooms[0].slot != first:
        raise SlotGone
    mine: Counter[SlotRef] = Counter()
    for seat, count in (own or {}).items():
        # An officers' place that is given back makes no room for the public.
        mine[seat.slot] += count if seat.public or not public else 0
    rooms = [
        Room(slot=room.slot, minutes=room.minutes, free=room.free + mine[room.slot])
        for room in rooms
    ]
    found = arrange(rooms, lengths)
    if found is None:
        raise SlotFull
    return found


def fits(
    session: Session,
    place: str,
    day: date,
    lengths: Sequence[int],
    *,
    now: datetime,
    lanes: Collection[str],
    public: bool = True,
) -> tuple[SlotRef, ...]:
    """Return the starts of a day from which there is room for all of these people."""
    begins, ended = plan.bounds(day, day)
    rooms = _read(
        session,
        SlotRow.place == place,
        SlotRow.lane.in_(lanes),
        SlotRow.starts_at >= begins,
        SlotRow.starts_at < ended,
        SlotRow.starts_at > now,
        public=public,
        limit=24 * 60,
    )
    reach = _reach(lengths)
    return tuple(
        sorted(
            room.slot
            for n, room in enumerate(rooms)
            if arrange(rooms[n : n + reach], lengths) is not None
        )
    )


def seats(chain: Sequence[SlotRef], *, public: bool) -> Counter[Seat]:
    """Return the places of a chain."""
    return Counter(Seat(slot=slot, public=public) for slot in chain)


def shift(
    session: Session,
    old: Mapping[Seat, int],
    new: Mapping[Seat, int],
    *,
    now: datetime,
    lanes: Collection[str],
    kept: bool = False,
    lot: bool = False,
) -> None:
    """Take the new places and give the old ones back, slot by slot in the order of locks.

    Args:
        session: a transaction that writes, at a savepoint if it goes on after a refusal.
        old: places that are given back.
        new: places that are taken; those in both stay as they are.
        now: the time.
        lanes: lanes the asker may book.
        kept: whether what is given back may be kept for somebody who waits.
        lot: whether places that are given by lot are theirs to take.

    Raises:
        SlotFull, SlotGone: a place is not there any more; some may have been taken by now.
    """
    for seat in sorted({*old, *new}):
        count = new.get(seat, 0) - old.get(seat, 0)
        if count > 0:
            slots.take(
                session,
                seat.slot,
                now=now,
                lanes=lanes,
                public=seat.public,
                count=count,
                lot=lot,
            )
        elif count < 0:
            if kept:
                freed.release(session, {seat: -count}, now=now)
            else:
                slots.give_back(session, {seat: -count})


def write_further(session: Session, holder: UUID, chain: Chain, *, public: bool) -> None:
    """Note in which further slots somebody sits."""
    rows = [
        {
            "appointment_id": holder,
            "place": slot.place,
            "starts_at": slot.starts_at,
            "lane": slot.lane,
            "public": public,
        }
        for slot in chain.slots[1:]
    ]
    if rows:
        session.execute(sa.insert(FurtherRow), rows)
