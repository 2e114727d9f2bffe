"""A family that is booked together: side by side, all of them or none.

Each has an appointment of their own; together they are a party, by one id.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import appointment, happening, making, moving, seating
from scheduler.appointment import MOST_CHANGES, Appointment, AppointmentUnknown
from scheduler.history import CITIZEN
from scheduler.life import AppointmentEvent, AppointmentState
from scheduler.places import PUBLIC
from scheduler.slots import Seat, SlotRef
from scheduler.tables import AppointmentRow

MOST = 8
"""[D] People of one party; a school class is a mobile team's day."""


class PartySize(ValueError):
    """Nobody, or more than `MOST`, cannot be booked together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of a family."""

    whose: str
    person_key: bytes
    purpose: str
    length: int
    """Minutes they need."""


def _refuse_size(people: int) -> None:
    if not 1 <= people <= MOST:
        raise PartySize(str(people))


def hold(
    session: Session,
    *,
    members: Sequence[Member],
    first: SlotRef,
    now: datetime,
    minutes: int,
    lanes: Collection[str] = PUBLIC,
    public: bool = True,
    by: str = CITIZEN,
) -> tuple[Appointment, ...]:
    """Hold places side by side for all of them, from `first` on, for `minutes`.

    Raises:
        SlotFull: there is no room for all of them side by side.
        SlotGone: the time is past or not offered.
        AlreadyBooked: one of them has a live appointment for this purpose.
        PartySize: nobody, or too many.
    """
    held = {
        "state": AppointmentState.HELD,
        "hold_until": now + timedelta(minutes=minutes),
        "hold_minutes": minutes,
    }
    return _make(session, members, first, held, lanes=lanes, public=public, by=by, now=now)


def book(
    session: Session,
    *,
    members: Sequence[Member],
    first: SlotRef,
    now: datetime,
    lanes: Collection[str] = PUBLIC,
    public: bool = True,
    by: str = CITIZEN,
) -> tuple[Appointment, ...]:
    """Book places side by side for all of them in one step.

    Raises:
        SlotFull, SlotGone, AlreadyBooked, PartySize: as `hold`.
    """
    certain = {"state": AppointmentState.BOOKED}
    return _make(session, members, first, certain, lanes=lanes, public=public, by=by, now=now)


def _make(
    session: Session,
    members: Sequence[Member],
    first: SlotRef,
    values: making.Row,
    *,
    lanes: Collection[str],
    public: bool,
    by: str,
    now: datetime,
) -> tuple[Appointment, ...]:
    _refuse_size(len(members))
    lengths = [member.length for member in members]
    party = uuid4()
    with session.begin_nested():
        rows = []
        for member in members:
            own = {"whose": member.whose, "length": member.length, "public": public}
            rows.append(making.blank(first, {**values, **own, "party": party}, now=now))
        # Two families that share people claim them in the same order.
        for row, member in sorted(
            zip(rows, members, strict=True), key=lambda pair: pair[1].person_key
        ):
            making.claim(session, row, person=(member.person_key, member.purpose), now=now)
        choose = partial(
            seating.choose, session, first, lengths, now=now, lanes=lanes, public=public
        )
        chains = happening.find_room(session, first, choose, now=now)
        new = sum((seating.seats(c.slots, public=public) for c in chains), Counter[Seat]())
        seating.shift(session, {}, new, now=now, lanes=lanes)
        return tuple(
            making.write(
                session,
                row | {"starts_at": chain.first.starts_at, "lane": chain.first.lane},
                chain,
                by=by,
                now=now,
            )
            for row, chain in zip(rows, chains, strict=True)
        )


def fits(
    session: Session,
    place: str,
    day: date,
    lengths: Sequence[int],
    *,
    now: datetime,
    lanes: Collection[str] = PUBLIC,
    public: bool = True,
) -> tuple[SlotRef, ...]:
    """Return the starts of a day from which all of them find room side by side.

    Raises:
        PartySize: nobody, or too many.
    """
    _refuse_size(len(lengths))
    return seating.fits(session, place, day, lengths, now=now, lanes=lanes, public=public)


def members(session: Session, party: UUID) -> tuple[Appointment, ...]:
    """Return the appointments of a party that are not over, by time."""
    rows = session.scalars(_live(party)).all()
    return tuple(appointment.of_row(row) for row in rows)


def _live(party: UUID) -> sa.Select[AppointmentRow]:
    living = [state for state in AppointmentState if state.live]
    return (
        sa.select(AppointmentRow)
        .where(AppointmentRow.party == party, AppointmentRow.state.in_(living))
        .order_by(AppointmentRow.starts_at, AppointmentRow.id)
    )


def _locked(session: Session, party: UUID) -> list[AppointmentRow]:
    """Return the rows of a party that are not over, which nobody else changes meanwhile.

    Raises:
        AppointmentUnknown: there are none.
    """
    rows = session.scalars(
        _live(party)
        .order_by(None)
        .order_by(AppointmentRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if not rows:
        raise AppointmentUnknown(str(party))
    return sorted(rows, key=lambda row: (row.starts_at, row.id))


def confirm(
    session: Session, party: UUID, *, now: datetime, by: str = CITIZEN
) -> tuple[Appointment, ...]:
    """Make all of the party's held places certain.

    Raises:
        AppointmentUnknown: the party has none.
        NotNow: one of them is not held any more.
    """
    rows = _locked(session, party)
    for row in rows:
        moving.refuse_run_out(row, now)
    happening.happen_all(session, rows, AppointmentEvent.CONFIRM, now=now, by=by)
    return tuple(appointment.of_row(row) for row in rows)


def extend(
    session: Session, party: UUID, *, now: datetime, by: str = CITIZEN
) -> tuple[Appointment, ...]:
    """Hold all of the party's places for their length again.

    Raises:
        AppointmentUnknown: the party has none.
        NotNow: one of them is not held any more.
    """
    rows = _locked(session, party)
    moving.extend(session, rows, by=by, now=now)
    return tuple(appointment.of_row(row) for row in rows)


def cancel(
    session: Session, party: UUID, *, now: datetime, by: str = CITIZEN
) -> tuple[Appointment, ...]:
    """Give all of the party's places back.

    Raises:
        AppointmentUnknown: the party has none.
        NotNow: one of them has arrived.
    """
    rows = _locked(session, party)
    happening.happen_all(session, rows, AppointmentEvent.CANCEL, now=now, by=by)
    return tuple(appointment.of_row(row) for row in rows)


def move(
    session: Session,
    party: UUID,
    *,
    to: SlotRef,
    now: datetime,
    lanes: Collection[str] = PUBLIC,
    public: bool = True,
    by: str = CITIZEN,
    most: int | None = MOST_CHANGES,
) -> tuple[Appointment, ...]:
    """Move all of the party side by side; the old places are kept until there are new ones.

    Raises:
        AppointmentUnknown: the party has none.
        SlotFull, SlotGone: no room there for all of them; nothing was changed.
        MovedTooOften: one of them was moved `most` times already.
        NotNow: one of them cannot be moved.
    """
    rows = _locked(session, party)
    moving.rows_to(session, rows, to, now=now, lanes=lanes, public=public, by=by, most=most)
    return tuple(appointment.of_row(row) for row in rows)
