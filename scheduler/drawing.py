"""Books who was drawn: everybody exactly where the lot put them, in the order of locks, or not.

It draws nobody (`scheduler.lottery`) and changes no draw (`scheduler.draws`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from scheduler import claims, making, seating, wishes
from scheduler.appointment import AlreadyBooked
from scheduler.life import AppointmentState
from scheduler.lottery import Placed
from scheduler.seating import Chain
from scheduler.slots import Left, Seat, SlotRef
from scheduler.tables_waiting import WishRow
from scheduler.wish_life import WishEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """A wish that was drawn, and an appointment for each of its people, not written yet."""

    wish: WishRow
    chains: tuple[Chain, ...]
    rows: tuple[making.Row, ...]

    def give_up(self, session: Session) -> None:
        claims.give_up(session, [row["id"] for row in self.rows])


def claim(
    session: Session, placed: Sequence[Placed], waiting: Sequence[WishRow], *, now: datetime
) -> list[_Drawn]:
    """Claim the appointments of who was drawn and waits still; whoever has another gets none."""
    rows = {wish.id.hex: wish for wish in waiting}
    drawn = [_drawn(rows[one.id], one.chains, now=now) for one in placed if one.id in rows]
    people = [
        (person, row, one)
        for one in drawn
        for person, row in zip(wishes.everybody(one.wish), one.rows, strict=True)
    ]
    refused = set()
    # Whoever books several people claims them in the same order.
    for person, row, one in sorted(people, key=lambda found: found[0].person_key):
        try:
            making.claim(session, row, person=(person.person_key, person.purpose), now=now)
        except AlreadyBooked:
            refused.add(one.wish.id)
    for one in drawn:
        if one.wish.id in refused:
            one.give_up(session)
    return [one for one in drawn if one.wish.id not in refused]


def _drawn(wish: WishRow, chains: tuple[Chain, ...], *, now: datetime) -> _Drawn:
    party = uuid4() if wish.people > 1 else None
    rows = [
        making.blank(
            chain.first,
            {
                "whose": person.whose,
                "state": AppointmentState.BOOKED,
                "public": True,
                "party": party,
                "length": wish.minutes,
            },
            now=now,
        )
        for person, chain in zip(wishes.everybody(wish), chains, strict=True)
    ]
    return _Drawn(wish=wish, chains=chains, rows=tuple(rows))


def book(
    session: Session, drawn: Sequence[_Drawn], left: Mapping[SlotRef, Left], *, now: datetime
) -> frozenset[str]:
    """Book all whose places are still there and return whose entries; others give up their claims.

    Args:
        session: a transaction that writes.
        drawn: who was drawn and claimed.
        left: what is left of the draw's slots, which are locked.
        now: the time.
    """
    free = {slot: one.free for slot, one in left.items() if slot.starts_at > now}
    seats = Counter[Seat]()
    certain = []
    for one in drawn:
        wanted = Counter(slot for chain in one.chains for slot in chain.slots)
        there = all(free.get(slot, 0) >= count for slot, count in wanted.items())
        # The office may have changed how long a slot is.
        if not there or any(
            sum(left[slot].minutes for slot in chain.slots) != chain.minutes for chain in one.chains
        ):
            one.give_up(session)
            continue
        for slot, count in wanted.items():
            free[slot] -= count
            seats[Seat(slot=slot)] += count
        certain.append(one)
    lanes = {seat.slot.lane for seat in seats}
    seating.shift(session, {}, seats, now=now, lanes=lanes, lot=True)
    for one in certain:
        for row, chain in zip(one.rows, one.chains, strict=True):
            making.write(session, row, chain, by=one.wish.by, now=now)
        wishes.happen(session, one.wish, WishEvent.DRAW, now=now)
    return frozenset(one.wish.id.hex for one in certain)
