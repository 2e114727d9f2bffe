"""Opens the slots of days to come as the calendar says; may be run again at any time.

It moves nobody: a slot the calendar no longer has keeps who is in it, takes nobody else, and is
reported.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import places, plan
from scheduler.database import insert_missing
from scheduler.plan import Key, Planned
from scheduler.tables import SlotRow

LONGEST = timedelta(days=400)
"""More days at once are a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What opening anew did."""

    opened: int
    """Slots that are new."""
    changed: int
    """Slots with another capacity or length, and slots that are offered again."""
    withdrawn: int
    """Slots that are no longer offered."""
    stranded: tuple[Key, ...]
    """Slots to come that are not offered although places in them are taken: these people have to
    be told."""


def _wanted(
    session: Session, code: str, first: date, last: date, now: datetime
) -> dict[Key, Planned]:
    place = places.find(session, code)
    if not place.open:
        return {}
    unlike = places.exceptions(session, place, first=first, last=last)
    planned = plan.slots(places.rules(session, code), unlike, first=first, last=last)
    return {key: slot for key, slot in planned.items() if key[0] > now}


def _change(session: Session, code: str, key: Key, **values: object) -> int:
    """Change a slot and return how many places in it are taken."""
    return session.execute(
        sa.update(SlotRow)
        .where(SlotRow.place == code, SlotRow.starts_at == key[0], SlotRow.lane == key[1])
        .values(**values)
        .returning(SlotRow.taken)
        .execution_options(synchronize_session=False)
    ).scalar_one()


def _shape(slot: Planned) -> dict[str, object]:
    """Return what a slot becomes; decided while the row is locked, by who is in it then."""
    crowded = SlotRow.taken > slot.capacity
    publicly = SlotRow.public_taken > slot.public_capacity
    return {
        "capacity": sa.case((crowded, SlotRow.taken), else_=slot.capacity),
        "public_capacity": sa.case((publicly, SlotRow.public_taken), else_=slot.public_capacity),
        "minutes": sa.case((SlotRow.taken == 0, slot.minutes), else_=SlotRow.minutes),
        "offered": True,
    }


def _becomes(there: Planned, taken: int, public_taken: int, slot: Planned) -> Planned:
    """Return the same as `_shape`, of a row that was read."""
    return Planned(
        capacity=max(slot.capacity, taken),
        public_capacity=max(slot.public_capacity, public_taken),
        minutes=there.minutes if taken else slot.minutes,
    )


def materialise(session: Session, code: str, *, first: date, last: date, now: datetime) -> Opened:
    """Make the slots to come of a place from `first` to `last` what its calendar says.

    Run again it changes nothing. The capacity follows, but never below what is taken; the length
    follows only where nobody is in the slot.

    Raises:
        PlaceUnknown: there is no such place.
        ValueError: more than 400 days at once.
    """
    if last - first > LONGEST:
        raise ValueError(f"{last - first} at once")
    wanted = _wanted(session, code, first, last, now)
    begins, ended = plan.bounds(first, last)
    columns = (
        SlotRow.minutes,
        SlotRow.capacity,
        SlotRow.public_capacity,
        SlotRow.taken,
        SlotRow.public_taken,
        SlotRow.offered,
    )
    found = session.execute(
        sa.select(SlotRow.starts_at, SlotRow.lane, *columns)
        .where(SlotRow.place == code, SlotRow.starts_at > now)
        .where(SlotRow.starts_at >= begins, SlotRow.starts_at < ended)
        .order_by(SlotRow.starts_at, SlotRow.lane)
    ).all()
    missing = wanted.keys() - {(row.starts_at, row.lane) for row in found}
    changed, withdrawn, stranded = 0, 0, []
    for row in found:
        key, slot = (row.starts_at, row.lane), wanted.get((row.starts_at, row.lane))
        there = Planned(
            minutes=row.minutes, capacity=row.capacity, public_capacity=row.public_capacity
        )
        if slot is None:
            taken = _change(session, code, key, offered=False) if row.offered else row.taken
            withdrawn += row.offered
            stranded += [key] if taken else []
        elif not row.offered or there != _becomes(there, row.taken, row.public_taken, slot):
            _change(session, code, key, **_shape(slot))
            changed += 1
    opened = insert_missing(
        session,
        SlotRow,
        [
            {
                "place": code,
                "starts_at": start,
                "lane": lane,
                "minutes": wanted[start, lane].minutes,
                "capacity": wanted[start, lane].capacity,
                "public_capacity": wanted[start, lane].public_capacity,
                "taken": 0,
                "public_taken": 0,
                "offered": True,
            }
            for start, lane in sorted(missing)
        ],
    )
    return Opened(opened=opened, changed=changed, withdrawn=withdrawn, stranded=tuple(stranded))
