"""Offers of kept and free places to who waits, one wish at a time, and what they answer.

It sets no state of a wish and counts no place itself.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, freed, matching, plan, seating, slots, waiting_rules, wishes
from scheduler.appointment import Appointment
from scheduler.calendar import HERE
from scheduler.matching import Wanted
from scheduler.seating import Chain, Room
from scheduler.slots import SlotGone, SlotRef, SlotUnavailable
from scheduler.tables import SlotRow
from scheduler.tables_waiting import FreedRow, WishPlaceRow, WishRow, WishState
from scheduler.wish_life import NotNow, WishEvent
from scheduler.wishes import Wish

PAGE = 200
"""[D] Wishes of a place that are read at once."""
MOST_ROOMS = 1000
"""[D] Slots of a place with room or a kept place that are looked at, the nearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A place, or a family's places, kept for a wish until it is answered."""

    slot: SlotRef
    """Where the first of them begins."""
    starts: tuple[datetime, ...]
    """Of every slot that is kept; a start twice for two people."""
    answer_by: datetime


def offer_of(session: Session, wish_id: UUID) -> Offer | None:
    """Return what is kept for a wish, or None."""
    rows = session.scalars(
        sa.select(FreedRow).where(FreedRow.wish == wish_id).order_by(FreedRow.starts_at)
    ).all()
    if not rows or rows[0].answer_by is None:
        return None
    return Offer(
        slot=freed.seat_of(rows[0]).slot,
        starts=tuple(row.starts_at for row in rows),
        answer_by=rows[0].answer_by,
    )


def places_waited_for(session: Session, *, now: datetime) -> tuple[str, ...]:
    """Return the places somebody waits for that have something to offer now."""
    if not waiting_rules.decent(now):
        return ()
    least = now + waiting_rules.of(now).at_once
    there = WishPlaceRow.place
    kept = sa.select(FreedRow.id).where(
        FreedRow.place == there, FreedRow.wish.is_(None), FreedRow.starts_at >= least
    )
    room = sa.select(SlotRow.starts_at).where(
        SlotRow.place == there, SlotRow.has_room, SlotRow.starts_at >= least
    )
    rows = session.scalars(
        sa.select(there)
        .distinct()
        .join(WishRow, WishRow.id == WishPlaceRow.wish)
        .where(*_waiting(now), sa.or_(kept.exists(), room.exists()))
        .order_by(there)
    )
    return tuple(rows)


def _waiting(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    today = now.astimezone(HERE).date()
    waits = WishRow.state == WishState.WAITING
    return (waits, WishRow.draw.is_(None), WishRow.last_day >= today)


def offer_next(
    session: Session, place: str, *, now: datetime, rng: np.random.Generator | None = None
) -> tuple[Wish, ...]:
    """Offer what a place has to who waits for it, the first in line first; return who was asked.

    Each place is kept for one wish only. Others working at the same time see what we do not hold.
    """
    if not waiting_rules.decent(now):
        return ()
    days = session.execute(
        sa.select(sa.func.min(WishRow.first_day), sa.func.max(WishRow.last_day))
        .join(WishPlaceRow, WishPlaceRow.wish == WishRow.id)
        .where(WishPlaceRow.place == place, *_waiting(now))
    ).one()
    if None in days:
        return ()
    least = now + waiting_rules.of(now).at_once
    kept = _kept(session, place, least=least)
    begins, ended = plan.bounds(*days)
    rooms = _rooms(session, place, kept, max(begins, least), ended)
    chosen = _choose(session, place, rooms, now=now)
    slots.lock(
        session,
        slots.among({slot for _, chains in chosen for one in chains for slot in one.slots}),
    )
    return tuple(
        wishes.find(session, row.id)
        for row, chains in chosen
        if _offer(session, row, chains, kept, now=now, rng=rng)
    )


def _choose(
    session: Session, place: str, rooms: dict[str, list[Room]], *, now: datetime
) -> list[tuple[WishRow, tuple[Chain, ...]]]:
    """Return whom to ask and for which places, in line; nothing is locked or taken."""
    lanes = matching.lanes(session, place)
    hopeless = set[tuple[str, Wanted]]()  # room only shrinks: what fitted once no more never will
    chosen = []
    for row in _line(session, place, rooms, now=now):
        wanted = matching.wanted(row)
        # Lanes for who goes first before the regular one: others wait for that.
        for lane in sorted(lanes[row.priority], key=lambda lane: (lane in lanes[False], lane)):
            there = rooms.get(lane)
            if not there or (lane, wanted) in hopeless:
                continue
            chains = _chains(row, wanted, there)
            if chains is not None:
                gone = Counter(slot for chain in chains for slot in chain.slots)
                rooms[lane] = [replace(room, free=room.free - gone[room.slot]) for room in there]
                chosen.append((row, chains))
                break
            if not row.passed["starts"]:
                hopeless.add((lane, wanted))
    return chosen


def _line(
    session: Session, place: str, rooms: Mapping[str, Sequence[Room]], *, now: datetime
) -> Iterator[WishRow]:
    """Yield who waits for days with room, the first in line first, while there is any."""
    behind: sa.ColumnElement[bool] = sa.true()
    while free := [room.slot.starts_at for lane in rooms.values() for room in lane if room.free]:
        page = session.scalars(
            sa.select(WishRow)
            .join(WishPlaceRow, WishPlaceRow.wish == WishRow.id)
            .where(
                WishPlaceRow.place == place,
                *_waiting(now),
                WishRow.first_day <= max(free).astimezone(HERE).date(),
                WishRow.last_day >= min(free).astimezone(HERE).date(),
                behind,
            )
            .order_by(WishRow.queued_at, WishRow.id)
            .limit(PAGE)
        ).all()
        yield from page
        if len(page) < PAGE:
            return
        queued_at, last = page[-1].queued_at, page[-1].id
        behind = sa.or_(
            WishRow.queued_at > queued_at,
            sa.and_(WishRow.queued_at == queued_at, WishRow.id > last),
        )


_Kept = Mapping[SlotRef, list[FreedRow]]


def _kept(session: Session, place: str, *, least: datetime) -> dict[SlotRef, list[FreedRow]]:
    rows = session.scalars(
        sa.select(FreedRow)
        .where(
            FreedRow.place == place,
            FreedRow.wish.is_(None),
            FreedRow.public,
            FreedRow.starts_at >= least,
        )
        .order_by(FreedRow.starts_at)
        .limit(MOST_ROOMS)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    found: dict[SlotRef, list[FreedRow]] = defaultdict(list)
    for row in rows:
        found[freed.seat_of(row).slot].append(row)
    return found


def _rooms(
    session: Session, place: str, kept: _Kept, begins: datetime, ended: datetime
) -> dict[str, list[Room]]:
    """Return what each lane has to offer: free places and kept ones."""
    there = sa.select(FreedRow.id).where(
        FreedRow.place == SlotRow.place,
        FreedRow.starts_at == SlotRow.starts_at,
        FreedRow.lane == SlotRow.lane,
    )
    own = SlotRow.public_capacity - SlotRow.public_taken
    whole = SlotRow.capacity - SlotRow.taken
    rows = session.execute(
        sa.select(
            SlotRow.starts_at,
            SlotRow.lane,
            SlotRow.minutes,
            sa.case((own < whole, own), else_=whole),
        )
        .where(
            SlotRow.place == place,
            SlotRow.starts_at >= begins,
            SlotRow.starts_at < ended,
            SlotRow.offered,
            sa.not_(SlotRow.by_lot),
            sa.or_(SlotRow.has_room, there.exists()),
        )
        .order_by(SlotRow.starts_at, SlotRow.lane)
        .limit(MOST_ROOMS)
    )
    found: dict[str, list[Room]] = defaultdict(list)
    for starts_at, lane, minutes, free in rows:
        slot = SlotRef(place=place, starts_at=starts_at, lane=lane)
        more = len(kept.get(slot, ()))
        found[lane].append(Room(slot=slot, minutes=minutes, free=free + more))
    return found


def _chains(row: WishRow, wanted: Wanted, rooms: Sequence[Room]) -> tuple[Chain, ...] | None:
    """Return the first seats that fit a wish and that it has not turned down."""
    passed = matching.passed(row, place=rooms[0].slot.place, lane=rooms[0].slot.lane)
    for n, room in enumerate(rooms):
        start = room.slot.starts_at
        if room.free and start not in passed and wanted.wants(start):
            found = seating.arrange(rooms[n:], [row.minutes] * row.people)
            if found is not None:
                return found
    return None


def _offer(
    session: Session,
    row: WishRow,
    chains: Sequence[Chain],
    kept: _Kept,
    *,
    now: datetime,
    rng: np.random.Generator | None,
) -> bool:
    """Keep these places for the wish, if nobody else is about it or them."""
    until = waiting_rules.answer_by(chains[0].first.starts_at, now=now)
    if until is None or not _still_waits(session, row):
        return False
    wanted = Counter(slot for chain in chains for slot in chain.slots)
    try:
        with session.begin_nested():
            chosen = _take(session, wanted, kept, now=now, rng=rng)
    except SlotUnavailable:  # somebody booked it meanwhile
        return False
    for member, chain in enumerate(chains):
        for slot in chain.slots:
            one = chosen[slot].pop()
            one.wish, one.member, one.answer_by = row.id, member, until
    for slot in wanted:
        kept.get(slot, [])[:] = [one for one in kept.get(slot, []) if one.wish is None]
    wishes.happen(session, row, WishEvent.OFFER, now=now)
    return True


def _still_waits(session: Session, row: WishRow) -> bool:
    found = session.scalars(
        sa.select(WishRow)
        .where(WishRow.id == row.id, WishRow.state == WishState.WAITING)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return found is not None


def _take(
    session: Session,
    wanted: Mapping[SlotRef, int],
    kept: _Kept,
    *,
    now: datetime,
    rng: np.random.Generator | None,
) -> dict[SlotRef, list[FreedRow]]:
    """Return kept places of these slots, as many as wanted; what is missing is taken.

    Raises:
        SlotFull, SlotGone: a free place is not there any more.
    """
    chosen = {}
    for slot in sorted(wanted):
        there = kept.get(slot, [])[: wanted[slot]]
        for _ in range(wanted[slot] - len(there)):
            slots.take(session, slot, now=now, lanes=(slot.lane,))
            back = waiting_rules.returns_at(slot.starts_at, now=now, rng=rng)
            there.append(freed.keep(session, slot, now=now, returns_at=back or now))
        chosen[slot] = there
    session.flush()
    return chosen


def answer(
    session: Session,
    wish_id: UUID,
    *,
    accept: bool,
    now: datetime,
    rng: np.random.Generator | None = None,
) -> tuple[Appointment, ...]:
    """Make what is offered certain, for each of the people, or turn it down and go on waiting.

    The places are counted all the while: nobody else can have them in between.

    Raises:
        WishUnknown: there is no such wish.
        NotNow: nothing is offered, or the answer's time is over.
        AlreadyBooked: one of them has an appointment; the offer stands until it is turned down.
        SlotGone: the place no longer offers this time; it cannot be accepted.
    """
    row = wishes.locked(session, wish_id)
    rows = freed.of_wish(session, wish_id)
    if row.state is not WishState.OFFERED or not rows:
        raise NotNow("nothing is offered")
    if any(one.answer_by is None or one.answer_by <= now for one in rows):
        raise NotNow("the answer's time is over")
    if not accept:
        _turn_down(session, row, rows, now=now, rng=rng)
        return ()
    chains = _chains_kept(session, rows)
    with session.begin_nested():
        freed.hand_over(session, rows)
        made = _book(session, row, chains, now=now)
        wishes.happen(session, row, WishEvent.ACCEPT, now=now)
    return made


def _chains_kept(session: Session, rows: Sequence[FreedRow]) -> list[Chain]:
    """Return the slots of each of the people, in the order in which they were kept.

    Raises:
        SlotGone: the calendar no longer has one of them.
    """
    of: dict[int, list[SlotRef]] = defaultdict(list)
    minutes: Counter[int] = Counter()
    for row in rows:
        slot = freed.seat_of(row).slot
        key = {"place": slot.place, "starts_at": slot.starts_at, "lane": slot.lane}
        there = session.get_one(SlotRow, key, populate_existing=True)
        if not there.offered:
            raise SlotGone
        of[row.member or 0].append(slot)
        minutes[row.member or 0] += there.minutes
    return [Chain(slots=tuple(of[n]), minutes=minutes[n]) for n in sorted(of)]


def _book(
    session: Session, row: WishRow, chains: Sequence[Chain], *, now: datetime
) -> tuple[Appointment, ...]:
    party = uuid4() if row.people > 1 else None
    return tuple(
        booking.book_kept(
            session,
            chain=chain,
            whose=one.whose,
            person_key=one.person_key,
            purpose=one.purpose,
            length=row.minutes,
            now=now,
            by=row.by,
            party=party,
        )
        for one, chain in zip(wishes.everybody(row), chains, strict=True)
    )


def _turn_down(
    session: Session,
    row: WishRow,
    rows: Sequence[FreedRow],
    *,
    now: datetime,
    rng: np.random.Generator | None,
) -> None:
    first = freed.seat_of(rows[0]).slot
    passed = [first.place, first.starts_at.isoformat(), first.lane]
    row.passed = {"starts": [*row.passed["starts"], passed]}
    freed.let_go(session, row.id, now=now, rng=rng)
    wishes.happen(session, row, WishEvent.TURN_DOWN, now=now)
    if len(row.passed["starts"]) >= waiting_rules.of(now).most_passes:
        wishes.happen(session, row, WishEvent.LAPSE, now=now)


def pass_due(
    session: Session,
    *,
    now: datetime,
    limit: int = 500,
    rng: np.random.Generator | None = None,
) -> tuple[Wish, ...]:
    """Turn offers down that nobody answered in time; return whose."""
    overdue = sa.select(FreedRow.wish).where(FreedRow.answer_by <= now)
    rows = session.scalars(
        sa.select(WishRow)
        .where(WishRow.state == WishState.OFFERED, WishRow.id.in_(overdue))
        .order_by(WishRow.queued_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        _turn_down(session, row, freed.of_wish(session, row.id), now=now, rng=rng)
    return tuple(wishes.find(session, row.id) for row in rows)
