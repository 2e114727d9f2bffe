"""Places that were given back and stay counted: kept for who waits, or back later, at random.

Whoever wants to hand a place to somebody gives it up for an unknown hour, and first to who waits.
It asks nobody and books nothing: `scheduler.offering` does.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import matching, slots, waiting_rules
from scheduler.calendar import HERE
from scheduler.slots import Seat, SlotRef
from scheduler.tables import SlotRow
from scheduler.tables_waiting import FreedRow, WishPlaceRow, WishRow, WishState


def release(
    session: Session,
    seats: Mapping[Seat, int],
    *,
    now: datetime,
    rng: np.random.Generator | None = None,
) -> None:
    """Give places of certain appointments back: to everybody at once, or kept and counted.

    A place is kept where its slot was full for whom it was booked by, or a wish fits it. It goes
    back at once where it is an officer's, is no longer offered or is given by lot, or is near.

    Args:
        session: a transaction that writes.
        seats: how many places of each slot.
        now: the time.
        rng: where chance comes from; None: from the system.
    """
    back = Counter[Seat]()
    for seat in sorted(seat for seat, count in seats.items() if count > 0):
        count = seats[seat]
        moment = waiting_rules.returns_at(seat.slot.starts_at, now=now, rng=rng)
        if moment is None or not _worth_keeping(session, seat, now=now):
            back[seat] += count
            continue
        for _ in range(count):
            session.add(_row(seat, now=now, returns_at=moment))
            # Places of one slot come back one by one: who saw one may not foresee the next.
            moment = waiting_rules.returns_at(seat.slot.starts_at, now=now, rng=rng) or moment
    session.flush()
    slots.give_back(session, back)


def _row(seat: Seat, *, now: datetime, returns_at: datetime) -> FreedRow:
    return FreedRow(
        id=uuid4(),
        place=seat.slot.place,
        starts_at=seat.slot.starts_at,
        lane=seat.slot.lane,
        public=seat.public,
        freed_at=now,
        returns_at=returns_at,
        wish=None,
        member=None,
        answer_by=None,
    )


def keep(session: Session, slot: SlotRef, *, now: datetime, returns_at: datetime) -> FreedRow:
    """Write down a place that was taken from everybody for a wish; it is counted already."""
    row = _row(Seat(slot=slot), now=now, returns_at=returns_at)
    session.add(row)
    return row


def _worth_keeping(session: Session, seat: Seat, *, now: datetime) -> bool:
    if not seat.public:
        return False
    at = seat.slot
    row = session.execute(
        sa.select(SlotRow.has_room, SlotRow.offered, SlotRow.by_lot).where(
            SlotRow.place == at.place,
            SlotRow.starts_at == at.starts_at,
            SlotRow.lane == at.lane,
        )
    ).one_or_none()
    if row is None or row.by_lot or not row.offered:
        return False
    return not row.has_room or _wanted(session, at, now=now)


def _wanted(session: Session, at: SlotRef, *, now: datetime) -> bool:
    """Return whether somebody who waits would come then."""
    here = at.starts_at.astimezone(HERE)
    open_to = matching.lanes(session, at.place)
    found = session.scalars(
        sa.select(WishRow.id)
        .join(WishPlaceRow, WishPlaceRow.wish == WishRow.id)
        .where(
            WishPlaceRow.place == at.place,
            WishRow.state == WishState.WAITING,
            WishRow.draw.is_(None),
            WishRow.priority.in_([first for first, lanes in open_to.items() if at.lane in lanes]),
            WishRow.created_at <= now,
            matching.wants(here),
        )
        .limit(1)
    )
    return found.first() is not None


def of_wish(session: Session, wish: UUID) -> Sequence[FreedRow]:
    """Return the places that are kept for a wish, by start, locked."""
    return session.scalars(
        sa.select(FreedRow)
        .where(FreedRow.wish == wish)
        .order_by(FreedRow.starts_at, FreedRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def hand_over(session: Session, rows: Sequence[FreedRow]) -> None:
    """Keep the places no longer: appointments that were made of them count instead."""
    for row in rows:
        session.delete(row)
    session.flush()


def let_go(
    session: Session, wish: UUID, *, now: datetime, rng: np.random.Generator | None = None
) -> None:
    """Keep places for the wish no longer: the next one is asked, or they go back at a new hour.

    The hour is drawn anew, for whoever turned them down would know it.
    """
    for row in of_wish(session, wish):
        row.wish = row.member = row.answer_by = None
        row.returns_at = waiting_rules.returns_at(row.starts_at, now=now, rng=rng) or now
    session.flush()


def return_due(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Give places back to everybody whose time has come and that nobody was offered."""
    rows = session.scalars(
        sa.select(FreedRow)
        .where(FreedRow.wish.is_(None), FreedRow.returns_at <= now)
        .order_by(FreedRow.returns_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    give_back(session, rows)
    return len(rows)


def give_back(session: Session, rows: Sequence[FreedRow]) -> None:
    """Stop keeping the places; they are free."""
    freed = Counter(seat_of(row) for row in rows)
    hand_over(session, rows)
    slots.give_back(session, freed)


def seat_of(row: FreedRow) -> Seat:
    """Return which place is kept."""
    return Seat(slot=slots.of_row(row), public=row.public)
