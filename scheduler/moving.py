"""Moving appointments: the new places are taken and the old ones given back in one step.

It sets no state: nothing happens to the life of what is moved.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import happening, history, seating, slots
from scheduler.appointment import LONGEST_HOLD, MovedTooOften
from scheduler.life import AppointmentEvent, NotNow, after
from scheduler.seating import Chain
from scheduler.slots import Seat, SlotRef
from scheduler.tables import AppointmentRow, FurtherRow


def rows_to(
    session: Session,
    rows: Sequence[AppointmentRow],
    to: SlotRef,
    *,
    now: datetime,
    lanes: Collection[str],
    public: bool,
    by: str,
    most: int | None,
) -> None:
    """Move locked rows side by side to where the first begins from now on, all or none.

    Raises:
        SlotFull, SlotGone, MovedTooOften, NotNow: as `move`.
    """
    for row in rows:
        after(row.state, AppointmentEvent.CANCEL)  # what cannot be given back cannot be moved
        refuse_run_out(row, now)
    certain = rows[0].hold_until is None
    if len(rows) > 1 or slots.of_row(rows[0]) != to:
        if certain and most is not None and max(row.moved for row in rows) >= most:
            raise MovedTooOften(f"{most} times")
        old = sum((happening.seats_of(session, row) for row in rows), Counter[Seat]())
        lengths = [row.length or 1 for row in rows]
        choose = partial(
            seating.choose, session, to, lengths, now=now, lanes=lanes, public=public, own=old
        )
        chains = happening.find_room(session, to, choose, now=now)
        new = sum((seating.seats(c.slots, public=public) for c in chains), Counter[Seat]())
        with session.begin_nested():
            seating.shift(session, old, new, now=now, lanes=lanes, kept=certain)
            for row, chain in zip(rows, chains, strict=True):
                _sit(session, row, chain, public=public)
                row.moved += certain and most is not None
    for row in rows:
        row.changed_at = now
        if row.hold_until is not None:
            row.hold_until = renewed(row, now)
    history.write(
        session, [history.goes_on(row, event=history.MOVE, by=by, now=now) for row in rows]
    )
    session.flush()


def _sit(session: Session, row: AppointmentRow, chain: Chain, *, public: bool) -> None:
    """Let a row stand for another chain of slots, whose places were taken."""
    if row.length:  # only then there is more than one
        session.execute(
            sa.delete(FurtherRow)
            .where(FurtherRow.appointment_id == row.id)
            .execution_options(synchronize_session=False)
        )
    first = chain.first
    row.place, row.starts_at, row.lane = first.place, first.starts_at, first.lane
    row.minutes, row.public = chain.minutes, public
    seating.write_further(session, row.id, chain, public=public)


def refuse_run_out(row: AppointmentRow, now: datetime) -> None:
    """Refuse what was held until earlier.

    Raises:
        NotNow: its time is over.
    """
    if row.hold_until is not None and row.hold_until <= now:
        raise NotNow("the hold has run out")


def extend(session: Session, rows: Sequence[AppointmentRow], *, by: str, now: datetime) -> None:
    """Let locked holds last their length again from now on, at most until `hold_latest`.

    Raises:
        NotNow: one of them is not held any more.
    """
    for row in rows:
        if row.hold_until is None:
            raise NotNow("it is not held")
        refuse_run_out(row, now)
    entries = []
    for row in rows:
        until = renewed(row, now)
        if until != row.hold_until:
            row.hold_until, row.changed_at = until, now
            entries.append(history.goes_on(row, event=history.EXTEND, by=by, now=now))
    history.write(session, entries)
    session.flush()


def renewed(row: AppointmentRow, now: datetime) -> datetime | None:
    """Return until when a hold lasts that is asked to go on."""
    if row.hold_until is None:
        return None
    length = timedelta(minutes=row.hold_minutes)
    return max(row.hold_until, min(now + length, row.created_at + length * LONGEST_HOLD))
