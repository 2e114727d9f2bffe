"""Making an appointment: claim, place, row and history, in this order, or nothing of it.

It changes none that is there, but for letting holds expire that ran out.
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import appointment, claims, express, happening, history, requests, seating, slots
from scheduler.appointment import AlreadyBooked, Appointment
from scheduler.database import table_of
from scheduler.life import AppointmentState
from scheduler.seating import Chain
from scheduler.slots import SlotRef
from scheduler.tables import AppointmentRow

Row = dict[str, Any]
"""The columns of an appointment that is not written yet."""
_WRITE = sa.insert(table_of(AppointmentRow))


def blank(slot: SlotRef, values: Row, *, now: datetime) -> Row:
    """Return a row of these values that begins in a slot, with an id of its own."""
    return {
        "id": uuid4(),
        "place": slot.place,
        "starts_at": slot.starts_at,
        "lane": slot.lane,
        "party": None,
        "hold_until": None,
        "hold_minutes": 0,
        "length": None,
        "moved": 0,
        "created_at": now,
        "changed_at": now,
        **values,
    }


def make(
    session: Session,
    slot: SlotRef,
    values: Row,
    *,
    person: tuple[bytes, str],
    length: int | None,
    lanes: Collection[str],
    by: str,
    request: bytes | None,
    now: datetime,
) -> Appointment:
    """Make an appointment; `booking.hold` says what the arguments are.

    Raises:
        SlotFull, SlotGone, AlreadyBooked: nothing was changed.
    """
    row = blank(slot, {**values, "length": length}, now=now)
    if slot.lane in lanes and slot.starts_at > now:
        made = _at_once(session, row, person=person, by=by, request=request, now=now)
        if made is not None:
            return made
    if request is not None:
        answered = requests.begin(session, request, row["id"], now=now)
        if answered is not None:
            return appointment.find(session, answered)
    asked: dict[str, Any] = {"now": now, "lanes": lanes, "public": row["public"]}
    try:
        # In a rush nearly everybody is turned away here, before anything is written.
        minutes = happening.find_room(
            session, slot, partial(slots.look, session, slot, **asked), now=now
        )
        claim(session, row, person=person, now=now)
        try:
            if minutes < (length or 1):
                chain = _take_chain(session, slot, row, lanes=lanes, now=now)
            else:
                take = partial(slots.take, session, slot, **asked)
                minutes = happening.find_room(session, slot, take, now=now)
                chain = Chain(slots=(slot,), minutes=minutes)
        except slots.SlotUnavailable:
            claims.give_up(session, [row["id"]])
            raise
    except (slots.SlotUnavailable, AlreadyBooked):
        if request is not None:
            requests.forget(session, request)
        raise
    return write(session, row, chain, by=by, now=now)


def _at_once(
    session: Session,
    row: Row,
    *,
    person: tuple[bytes, str],
    by: str,
    request: bytes | None,
    now: datetime,
) -> Appointment | None:
    """Make an appointment in one statement, where the database and the case allow it."""
    entry, head = _told(row, by=by, now=now)
    keys = (claims.of_person(*person), claims.of_dossier(row["whose"]))
    minutes = express.make(session, row, entry, keys=keys, request=request)
    if minutes is None:
        return None
    made = AppointmentRow(**row, minutes=minutes, events=1, head=head)
    return appointment.of_row(made)


def _told(row: Row, *, by: str, now: datetime) -> tuple[history.Known, bytes]:
    """Return the first entry of an appointment, and its digest."""
    event = history.HOLD if row["state"] is AppointmentState.HELD else history.BOOK
    first = SlotRef(place=row["place"], starts_at=row["starts_at"], lane=row["lane"])
    return history.first(row["id"], event=event, slot=first, by=by, now=now)


def write(session: Session, row: Row, chain: Chain, *, by: str, now: datetime) -> Appointment:
    """Write an appointment whose places and claims are taken, and that it was made."""
    entry, head = _told(row, by=by, now=now)
    row |= {"minutes": chain.minutes, "events": 1, "head": head}
    session.execute(_WRITE, row)
    seating.write_further(session, row["id"], chain, public=row["public"])
    history.write(session, [entry])
    return appointment.of_row(AppointmentRow(**row))


def claim(session: Session, row: Row, *, person: tuple[bytes, str], now: datetime) -> None:
    """Claim that the person and `whose` have this one appointment.

    Raises:
        AlreadyBooked: they have another.
    """
    keys = (claims.of_person(*person), claims.of_dossier(row["whose"]))
    if claims.make(session, keys, holder=row["id"], kind=claims.APPOINTMENT):
        return
    # An own hold that ran out is no appointment, though nobody has swept it away yet.
    happening.expire(session, AppointmentRow.id.in_(claims.holders(keys)), now=now)
    if not claims.make(session, keys, holder=row["id"], kind=claims.APPOINTMENT):
        raise AlreadyBooked


def _take_chain(
    session: Session,
    slot: SlotRef,
    row: Row,
    *,
    lanes: Collection[str],
    now: datetime,
) -> Chain:
    """Take the consecutive slots of a long appointment, all or none."""
    public = row["public"]
    choose = partial(
        seating.choose,
        session,
        slot,
        [row["length"]],
        now=now,
        lanes=lanes,
        public=public,
    )
    (chain,) = happening.find_room(session, slot, choose, now=now)
    new = seating.seats(chain.slots, public=public)
    with session.begin_nested():
        seating.shift(session, {}, new, now=now, lanes=lanes)
    return chain
