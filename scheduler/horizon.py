"""Opens the slots of days to come as the calendar says; may be run again at any time.

It moves nobody: a slot the calendar no longer has keeps who is in it, takes nobody else, and
whoever is in it is written down (`scheduler.stranded`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import announcements, calendar, places, plan, stranded
from scheduler.announcements import Draw
from scheduler.database import insert_missing
from scheduler.places import WALK_IN
from scheduler.plan import Key, Planned
from scheduler.tables import PlaceRow, SlotRow

LONGEST = timedelta(days=400)
"""More days at once are a mistake."""
BATCH = 1000
"""[D] Slots that are inserted at once."""
ONE_DAY = timedelta(days=1)

Span = tuple[date, date]
"""The first and the last of some days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What opening anew did."""

    opened: int = 0
    """Slots that are new."""
    changed: int = 0
    """Slots with another capacity or length, and slots that are offered again."""
    withdrawn: int = 0
    """Slots that are no longer offered."""
    stranded: tuple[Key, ...] = ()
    """Slots to come that are not offered although places in them are taken: these people have to
    be told. Only of days that were looked at."""


NOTHING = Opened()


def behind(session: Session, *, through: date) -> tuple[str, ...]:
    """Return the places that have to be opened anew or further: one question for the nation."""
    rows = session.scalars(
        sa.select(PlaceRow.code)
        .where(
            sa.or_(
                PlaceRow.opened_version != PlaceRow.version,
                PlaceRow.opened_calendar != calendar.edition(),
                PlaceRow.opened_through.is_(None),
                PlaceRow.opened_through < through,
            )
        )
        .order_by(PlaceRow.code)
    )
    return tuple(rows)


def materialise(session: Session, code: str, *, first: date, last: date, now: datetime) -> Opened:
    """Make the slots to come of a place from `first` to `last` what its calendar says.

    Run again it changes nothing, and looks at the place alone while its calendar has the same
    version. After a change every day that was opened before is opened anew. The capacity follows,
    but never below what is taken; the length follows only where nobody is in the slot.

    Raises:
        PlaceUnknown: there is no such place.
        ValueError: more than 400 days at once.
    """
    if last - first > LONGEST:
        raise ValueError(f"{last - first} at once")
    if not _to_do(_row(session, code), first, last, now)[0]:
        return NOTHING
    # Whoever changes the calendar or opens days at this place waits for us, and we for them.
    row = _row(session, code, lock=True)
    spans, covered = _to_do(row, first, last, now)
    done = [_open(session, code, *span, now=now) for span in spans]
    row.opened_version, row.opened_calendar = row.version, calendar.edition()
    row.opened_first, row.opened_through = covered
    row.stale_first = row.stale_last = None
    session.flush()
    if any(one.stranded for one in done):
        stranded.mark(session, code, now=now)
    return Opened(
        opened=sum(one.opened for one in done),
        changed=sum(one.changed for one in done),
        withdrawn=sum(one.withdrawn for one in done),
        stranded=tuple(key for one in done for key in one.stranded),
    )


def _row(session: Session, code: str, *, lock: bool = False) -> PlaceRow:
    asked = sa.select(PlaceRow).where(PlaceRow.code == code)
    asked = asked.with_for_update(key_share=True) if lock else asked
    row = session.scalars(asked.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise places.PlaceUnknown(code)
    return row


def _to_do(row: PlaceRow, first: date, last: date, now: datetime) -> tuple[list[Span], Span]:
    """Return the days to look at, and the days that are open as the calendar says afterwards."""
    if row.opened_first is None or row.opened_through is None:
        return [(first, last)], (first, last)
    known = (row.opened_first, row.opened_through)
    if row.opened_version != row.version or _other_edition(row):
        today = now.astimezone(calendar.HERE).date()
        begin = min(first, max(known[0], today))
        whole = (begin, min(max(last, known[1]), begin + LONGEST))
        if row.stale_first is None or row.stale_last is None or _other_edition(row):
            return [whole], whole
        stale = (max(whole[0], known[0], row.stale_first), min(whole[1], known[1], row.stale_last))
        return [*_beside(known, whole), *([stale] if stale[0] <= stale[1] else [])], whole
    if first > known[1] + ONE_DAY or last < known[0] - ONE_DAY:
        return [(first, last)], (first, last)
    return _beside(known, (first, last)), (min(first, known[0]), max(last, known[1]))


def _other_edition(row: PlaceRow) -> bool:
    return row.opened_calendar != calendar.edition()


def _beside(known: Span, whole: Span) -> list[Span]:
    """Return the days of `whole` that lie before and after those that are known."""
    spans = [(whole[0], known[0] - ONE_DAY)] if whole[0] < known[0] else []
    return spans + ([(known[1] + ONE_DAY, whole[1])] if whole[1] > known[1] else [])


def wanted(
    place: places.Place,
    rules: Sequence[places.Rule],
    unlike: Mapping[date, places.Unlike],
    *,
    first: date,
    last: date,
    now: datetime,
) -> dict[Key, Planned]:
    """Return the slots to come a place should have from `first` to `last`."""
    if not place.open:
        return {}
    planned = plan.slots(rules, unlike, first=first, last=last)
    return {key: slot for key, slot in planned.items() if key[0] > now}


def _open(session: Session, code: str, first: date, last: date, *, now: datetime) -> Opened:
    place = places.find(session, code)
    unlike = places.exceptions(session, place, first=first, last=last)
    rules = places.rules(session, code)
    should = wanted(place, rules, unlike, first=first, last=last, now=now)
    begins, ended = plan.bounds(first, last)
    here = (
        SlotRow.place == code,
        SlotRow.starts_at > now,
        SlotRow.starts_at >= begins,
        SlotRow.starts_at < ended,
        SlotRow.lane != WALK_IN,
    )
    found = session.execute(sa.select(*_COLUMNS).where(*here)).all()
    there = {(row.starts_at, row.lane): row for row in found}
    gone = [key for key, row in there.items() if row.offered and key not in should]
    other = [key for key in there.keys() & should.keys() if not _is(there[key], should[key])]
    _withdraw(session, code, gone)
    _reshape(session, code, {key: should[key] for key in other})
    drawn = announcements.giving(session, code, first=first, last=last)
    opened = _insert(session, code, {k: v for k, v in should.items() if k not in there}, drawn)
    people = () if there.keys() <= should.keys() else _with_people(session, here)
    return Opened(opened=opened, changed=len(other), withdrawn=len(gone), stranded=people)


_Slot = sa.Row[datetime, str, int, int, int, int, int, bool]
_COLUMNS = (
    SlotRow.starts_at,
    SlotRow.lane,
    SlotRow.minutes,
    SlotRow.capacity,
    SlotRow.public_capacity,
    SlotRow.taken,
    SlotRow.public_taken,
    SlotRow.offered,
)


def _is(row: _Slot, slot: Planned) -> bool:
    """Return whether a slot is what `_reshape` would make of it."""
    return bool(row.offered) and (row.minutes, row.capacity, row.public_capacity) == (
        row.minutes if row.taken else slot.minutes,
        max(slot.capacity, row.taken),
        max(slot.public_capacity, row.public_taken),
    )


_TABLE = cast("sa.Table", SlotRow.__table__)
_THIS = sa.and_(
    _TABLE.c.place == sa.bindparam("this_place"),
    _TABLE.c.starts_at == sa.bindparam("this_start"),
    _TABLE.c.lane == sa.bindparam("this_lane"),
)
_WITHDRAW = sa.update(_TABLE).where(_THIS).values(offered=False)
# Decided while the row is locked, by who is in it then.
_RESHAPE = (
    sa.update(_TABLE)
    .where(_THIS)
    .values(
        capacity=sa.case(
            (_TABLE.c.taken > sa.bindparam("whole"), _TABLE.c.taken),
            else_=sa.bindparam("whole"),
        ),
        public_capacity=sa.case(
            (_TABLE.c.public_taken > sa.bindparam("own"), _TABLE.c.public_taken),
            else_=sa.bindparam("own"),
        ),
        minutes=sa.case((_TABLE.c.taken == 0, sa.bindparam("length")), else_=_TABLE.c.minutes),
        offered=True,
    )
)


def _this(code: str, key: Key) -> dict[str, object]:
    return {"this_place": code, "this_start": key[0], "this_lane": key[1]}


def _withdraw(session: Session, code: str, keys: Sequence[Key]) -> None:
    if keys:
        rows = [_this(code, key) for key in sorted(keys)]  # in the order of locks
        session.connection().execute(_WITHDRAW, rows)


def _reshape(session: Session, code: str, slots: Mapping[Key, Planned]) -> None:
    rows = [
        {
            **_this(code, key),
            "whole": slot.capacity,
            "own": slot.public_capacity,
            "length": slot.minutes,
        }
        for key, slot in sorted(slots.items(), key=lambda pair: pair[0])
    ]
    if rows:
        session.connection().execute(_RESHAPE, rows)


def _by_lot(drawn: Sequence[Draw], key: Key) -> bool:
    day, lane = key[0].astimezone(calendar.HERE).date(), key[1]
    return any(one.lane == lane and one.first_day <= day <= one.last_day for one in drawn)


def _insert(
    session: Session, code: str, slots: Mapping[Key, Planned], drawn: Sequence[Draw]
) -> int:
    rows = [
        {
            "place": code,
            "starts_at": start,
            "lane": lane,
            "minutes": slot.minutes,
            "capacity": slot.capacity,
            "public_capacity": slot.public_capacity,
            "taken": 0,
            "public_taken": 0,
            "offered": True,
            "by_lot": _by_lot(drawn, (start, lane)),
        }
        for (start, lane), slot in sorted(slots.items(), key=lambda pair: pair[0])
    ]
    return sum(
        insert_missing(session, SlotRow, rows[begin : begin + BATCH])
        for begin in range(0, len(rows), BATCH)
    )


def _with_people(session: Session, here: Sequence[sa.ColumnElement[bool]]) -> tuple[Key, ...]:
    rows = session.execute(
        sa.select(SlotRow.starts_at, SlotRow.lane)
        .where(*here, sa.not_(SlotRow.offered), SlotRow.taken > 0)
        .order_by(SlotRow.starts_at, SlotRow.lane)
    )
    return tuple((start, lane) for start, lane in rows)
