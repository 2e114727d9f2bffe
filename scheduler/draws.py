"""Draws by lot where places are scarce: announced, closed, drawn, booked; every step is public.

How it is drawn stands in `scheduler.lottery`. Only this file sets a draw's state.
"""

import enum
import secrets
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import announcements, drawing, lottery, matching, places, plan, slots
from scheduler.announcements import Draw, DrawUnknown, of_row
from scheduler.calendar import HERE
from scheduler.lottery import moment
from scheduler.tables import SlotRow
from scheduler.tables_waiting import DrawRow, DrawState, WishRow, WishState
from scheduler.wish_life import DrawEvent, NotNow, after_draw

__all__ = ["DrawRefused", "DrawTrouble", "NotNow", "announce", "cancel", "close", "draw"]

COLLECTING = timedelta(hours=1)
"""[D] Wishes are taken for so long at least: whoever is at work gets to it."""
NOTICE = timedelta(hours=24)
"""[D] Whoever is drawn knows so long before the first place."""
MOST_DAYS = 31
FARTHEST = timedelta(days=400)
"""No calendar is opened further."""
LONGEST_TEXT = 200
SEED = 32
"""Bytes; as many as SHA-256 gives."""


class DrawTrouble(enum.StrEnum):
    """Why a draw is not announced; whoever announces it can mend it."""

    DAYS = "days"
    """The last day lies before the first or too far away, or there are more than `MOST_DAYS`."""
    CLOSES = "closes"
    """Too soon, or too late for whoever is drawn."""
    BEACON = "beacon"
    """A public number without its hour, before wishes are closed, or too long a name."""
    SLOTS = "slots"
    """Nothing is open there on these days."""
    OVERLAP = "overlap"
    """Some of these days are given by another draw."""


class DrawRefused(Exception):
    """The draw cannot be announced as it is."""

    def __init__(self, trouble: DrawTrouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


def announce(
    session: Session,
    *,
    place: str,
    lane: str,
    first_day: date,
    last_day: date,
    closes_at: datetime,
    by: str,
    now: datetime,
    beacon: str = "",
    beacon_at: datetime | None = None,
    seed: bytes | None = None,
) -> Draw:
    """Announce that the public places of some days are given by lot; nobody books them meanwhile.

    Args:
        session: a transaction that writes.
        place: where.
        lane: in which lane.
        first_day: the first day.
        last_day: the last day.
        closes_at: until when wishes are taken.
        by: who announces it.
        now: the time.
        beacon: the public number of a later hour that is mixed in, in words; empty: none.
        beacon_at: when that number will be known at the earliest.
        seed: 32 secret bytes; None: from the system.

    Raises:
        DrawRefused: it cannot be announced as it is.
    """
    too_many = not timedelta() <= last_day - first_day < timedelta(days=MOST_DAYS)
    if too_many or last_day > (now + FARTHEST).astimezone(HERE).date():
        raise DrawRefused(DrawTrouble.DAYS)
    last_step = beacon_at or closes_at
    places.lock(session, place)
    begins, ended = plan.bounds(first_day, last_day)
    wrong = {
        DrawTrouble.CLOSES: closes_at < now + COLLECTING or last_step + NOTICE > begins,
        DrawTrouble.BEACON: (
            bool(beacon) != (beacon_at is not None)
            or last_step < closes_at
            or len(beacon) > LONGEST_TEXT
        ),
        DrawTrouble.OVERLAP: any(
            other.lane == lane
            for other in announcements.giving(session, place, first=first_day, last=last_day)
        ),
    }
    for trouble, is_so in wrong.items():
        if is_so:
            raise DrawRefused(trouble)
    here = sa.and_(
        SlotRow.place == place,
        SlotRow.lane == lane,
        SlotRow.starts_at >= begins,
        SlotRow.starts_at < ended,
    )
    if not slots.lock(session, here):
        raise DrawRefused(DrawTrouble.SLOTS)
    session.execute(
        sa.update(SlotRow)
        .where(here)
        .values(by_lot=True)
        .execution_options(synchronize_session=False)
    )
    seed = secrets.token_bytes(SEED) if seed is None else seed
    row = DrawRow(
        id=uuid4(),
        place=place,
        lane=lane,
        first_day=first_day,
        last_day=last_day,
        closes_at=closes_at,
        commitment=bytes.fromhex(lottery.commitment(seed)),
        seed=seed,
        beacon=beacon,
        beacon_at=beacon_at,
        beacon_value="",
        state=DrawState.ANNOUNCED,
        record={},
        by=by,
        created_at=now,
        drawn_at=None,
    )
    session.add(row)
    session.flush()
    return of_row(row)


def close(session: Session, draw_id: UUID, *, now: datetime) -> Draw:
    """Take no more wishes; freeze entries and places, and publish the digest of them.

    Raises:
        DrawUnknown: there is none of this id.
        NotNow: its hour has not come, or it was closed before.
    """
    row = _locked(session, draw_id)
    if now < row.closes_at:
        raise NotNow("wishes are still taken")
    _happen(row, DrawEvent.CLOSE)
    record = {
        "version": lottery.VERSION,
        "draw": row.id.hex,
        "place": row.place,
        "lane": row.lane,
        "first_day": row.first_day.isoformat(),
        "last_day": row.last_day.isoformat(),
        "closes_at": moment(row.closes_at),
        "commitment": row.commitment.hex(),
        "beacon": row.beacon,
        "beacon_at": None if row.beacon_at is None else moment(row.beacon_at),
        "entries": [_entry(wish) for wish in _entries(session, row)],
        "slots": _slots(session, row),
    }
    row.record = {**record, "frozen": lottery.digest(record)}
    session.flush()
    return of_row(row)


def _entries(session: Session, row: DrawRow) -> list[WishRow]:
    """Return the wishes that wait for a draw, by id, which nobody else changes meanwhile."""
    found = session.scalars(
        sa.select(WishRow)
        .where(WishRow.draw == row.id, WishRow.state == WishState.WAITING)
        .order_by(WishRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(found)


def _entry(wish: WishRow) -> dict[str, Any]:
    """Return what is public of a wish: nothing says whose it is."""
    return {
        "id": wish.id.hex,
        "priority": wish.priority,
        "people": wish.people,
        "minutes": wish.minutes,
        "first_day": wish.first_day.isoformat(),
        "last_day": wish.last_day.isoformat(),
        "weekdays": sorted(matching.weekdays(wish.weekdays)),
        "from": wish.from_time.isoformat("minutes"),
        "to": wish.to_time.isoformat("minutes"),
    }


def _of(row: DrawRow) -> sa.ColumnElement[bool]:
    begins, ended = plan.bounds(row.first_day, row.last_day)
    return sa.and_(
        SlotRow.place == row.place,
        SlotRow.lane == row.lane,
        SlotRow.starts_at >= begins,
        SlotRow.starts_at < ended,
        SlotRow.by_lot,
    )


def _slots(session: Session, row: DrawRow) -> list[dict[str, Any]]:
    own = SlotRow.public_capacity - SlotRow.public_taken
    whole = SlotRow.capacity - SlotRow.taken
    free = sa.case((own < whole, own), else_=whole)
    found = session.execute(
        sa.select(SlotRow.starts_at, SlotRow.minutes, free)
        .where(_of(row), SlotRow.offered)
        .order_by(SlotRow.starts_at)
    )
    return [
        {"starts_at": moment(starts_at), "minutes": minutes, "free": free}
        for starts_at, minutes, free in found
    ]


def draw(session: Session, draw_id: UUID, *, now: datetime, beacon_value: str = "") -> Draw:
    """Draw, book who got a place, open what is left to everybody; all others go on waiting.

    Args:
        session: a transaction that writes.
        draw_id: which draw, closed.
        now: the time.
        beacon_value: the public number that was announced, as it was published; else nothing.

    Raises:
        DrawUnknown: there is none of this id.
        NotNow: it is not closed, or the public number's hour has not come.
        DrawRefused: the public number is missing, too long, or none was announced.
    """
    row = _locked(session, draw_id)
    value = beacon_value.strip()
    if bool(value) != bool(row.beacon) or len(value) > LONGEST_TEXT:
        raise DrawRefused(DrawTrouble.BEACON)
    if row.beacon_at is not None and now < row.beacon_at:
        raise NotNow("the public number is not known yet")
    _happen(row, DrawEvent.DRAW)
    row.beacon_value, row.drawn_at = value, now
    record = {**row.record, "seed": row.seed.hex(), "beacon_value": value}
    result = lottery.Result(placed=(), unplaced=tuple(one["id"] for one in record["entries"]))
    if record["slots"]:
        result = lottery.allocate(record)
    drawn = drawing.claim(session, result.placed, _entries(session, row), now=now)
    left = slots.lock(session, _of(row))
    booked = drawing.book(session, drawn, left, now=now)
    unbooked = [one.id for one in result.placed if one.id not in booked]
    row.record = {**record, "result": result.as_json(), "unbooked": unbooked}
    _open(session, row)
    session.flush()
    return of_row(row)


def _open(session: Session, row: DrawRow) -> None:
    """Open what is left to everybody, and put who got nothing on the waiting list."""
    session.execute(
        sa.update(SlotRow)
        .where(_of(row))
        .values(by_lot=False)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        sa.update(WishRow)
        .where(WishRow.draw == row.id)
        .values(draw=None)
        .execution_options(synchronize_session="fetch")
    )


def cancel(session: Session, draw_id: UUID, *, now: datetime) -> Draw:
    """Call a draw off: its places are open to everybody, its wishes go on waiting.

    Raises:
        DrawUnknown: there is none of this id.
        NotNow: it was drawn or called off before.
    """
    row = _locked(session, draw_id)
    _happen(row, DrawEvent.CANCEL)
    row.drawn_at = now
    slots.lock(session, _of(row))
    _open(session, row)
    session.flush()
    return of_row(row)


def _happen(row: DrawRow, event: DrawEvent) -> None:
    row.state = after_draw(row.state, event)


def _locked(session: Session, draw_id: UUID) -> DrawRow:
    row = session.scalars(
        sa.select(DrawRow)
        .where(DrawRow.id == draw_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise DrawUnknown(str(draw_id))
    places.lock(session, row.place)  # days that are opened meanwhile would stay given by lot
    return row
