"""Wishes of who found no place: where and when they would come, how many they are; one a person.

It keeps no place for them: `scheduler.offering` does. Only this file sets a wish's state.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import claims, freed, matching, waiting_rules
from scheduler.appointment import AlreadyBooked
from scheduler.calendar import HERE
from scheduler.life import AppointmentState
from scheduler.matching import Wanted
from scheduler.tables import AppointmentRow, PlaceRow
from scheduler.tables_waiting import DrawRow, DrawState, WishPlaceRow, WishRow, WishState
from scheduler.wish_life import LIFE, NotNow, WishEvent, after

__all__ = [
    "AlreadyWaiting",
    "Companion",
    "NotNow",
    "Trouble",
    "Wish",
    "WishRefused",
    "WishUnknown",
    "find",
    "happen",
    "lapse_due",
    "live_of",
    "make",
    "withdraw",
    "withdraw_booked",
]

MOST_PLACES = 5
"""[D] More stations than anybody travels to."""
MOST_PEOPLE = 8
"""[D] Two grandparents, two parents, four children."""
LONGEST = 240
"""[D] Minutes one person may need; half a working day."""
ASKED = 500
"""[D] People whose appointments are asked for at once."""
CERTAIN = (AppointmentState.BOOKED, AppointmentState.ARRIVED)
ALIVE = tuple(state for state in WishState if LIFE[state])


class AlreadyWaiting(Exception):
    """This person, or one of the family, has a wish that lives."""


class WishUnknown(LookupError):
    """There is no wish of this id."""


class Trouble(enum.StrEnum):
    """Why a wish is refused; whoever made it can mend it."""

    PLACES = "places"
    """None, more than `MOST_PLACES`, one twice, or one that is not there."""
    DAYS = "days"
    """The last day lies before the first, is past or too far away."""
    WEEKDAYS = "weekdays"
    """None of the days is such a day of the week."""
    HOURS = "hours"
    PEOPLE = "people"
    LENGTH = "length"
    DRAW = "draw"
    """It takes no more wishes, or is about another place or other days."""


class WishRefused(Exception):
    """The wish cannot be kept as it is."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """Somebody who comes with whoever made the wish."""

    whose: str
    person_key: bytes = field(repr=False)
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody who waits wants, and where it stands."""

    whose: str
    person_key: bytes = field(repr=False)
    purpose: str
    places: tuple[str, ...]
    """The dearest first."""
    wanted: Wanted
    companions: tuple[Companion, ...] = ()
    priority: bool = False
    """Whether the law lets one of them go first."""
    draw: UUID | None = None
    """The draw it takes part in; None: the waiting list."""
    drawn: UUID | None = None
    """The draw it took part in."""
    by: str = "citizen"
    id: UUID | None = None
    """None before it was made."""
    state: WishState = WishState.WAITING
    created_at: datetime | None = None
    passes: int = 0
    """Offers it did not take."""


def make(session: Session, wish: Wish, *, now: datetime) -> Wish:
    """Put a wish on the waiting list, or into a draw that takes wishes.

    Raises:
        WishRefused: it is beyond what a wish may be.
        AlreadyWaiting: the person, or one of the family, has a wish that lives.
        AlreadyBooked: the person has an appointment that is certain.
    """
    trouble = _trouble(session, wish, now=now)
    if trouble is not None:
        raise WishRefused(trouble)
    people = (wish.whose, *(other.whose for other in wish.companions))
    if session.scalars(_certain(people)).first() is not None:
        raise AlreadyBooked
    row = _row(wish, now=now)
    if not claims.make(session, _keys(wish), holder=row.id, kind=claims.WISH):
        raise AlreadyWaiting
    session.add(row)
    session.flush()
    session.add_all(
        WishPlaceRow(wish=row.id, place=place, rank=rank) for rank, place in enumerate(wish.places)
    )
    session.flush()
    return _record(session, row)


def _row(wish: Wish, *, now: datetime) -> WishRow:
    head_start = waiting_rules.of(now).head_start if wish.priority else timedelta()
    wanted = wish.wanted
    return WishRow(
        id=uuid4(),
        whose=wish.whose,
        person_key=wish.person_key,
        purpose=wish.purpose,
        priority=wish.priority,
        people=wanted.people,
        members={
            "members": [
                [other.whose, other.person_key.hex(), other.purpose] for other in wish.companions
            ]
        },
        minutes=wanted.minutes,
        first_day=wanted.first_day,
        last_day=wanted.last_day,
        weekdays=sum(1 << day for day in wanted.weekdays),
        from_time=wanted.from_time,
        to_time=wanted.to_time,
        state=WishState.WAITING,
        draw=wish.draw,
        drawn=wish.draw,
        queued_at=now - head_start,
        passed={"starts": []},
        by=wish.by,
        created_at=now,
        changed_at=now,
    )


def _keys(wish: Wish) -> tuple[bytes, ...]:
    """Return what there may be one wish of: each person of it, and each dossier."""
    people = (
        (wish.whose, wish.person_key),
        *((other.whose, other.person_key) for other in wish.companions),
    )
    whose = {claims.of_wish(whose) for whose, _ in people}
    return (*whose, *{claims.of_wish(f"person:{key.hex()}") for _, key in people})


def _trouble(session: Session, wish: Wish, *, now: datetime) -> Trouble | None:
    wanted, places = wish.wanted, wish.places
    today = now.astimezone(HERE).date()
    farthest = today + waiting_rules.of(now).farthest
    known = set(
        session.scalars(
            sa.select(PlaceRow.code).where(
                PlaceRow.code.in_(places[: MOST_PLACES + 1]), PlaceRow.open
            )
        )
    )
    span = min(7, (wanted.last_day - wanted.first_day).days + 1)
    days = {(wanted.first_day + timedelta(days=n)).weekday() for n in range(span)}
    wrong = {
        Trouble.PLACES: not 0 < len(places) <= MOST_PLACES or sorted(known) != sorted(places),
        Trouble.DAYS: not max(today, wanted.first_day) <= wanted.last_day <= farthest,
        Trouble.WEEKDAYS: not wanted.weekdays <= set(range(7)) or not wanted.weekdays & days,
        Trouble.HOURS: wanted.from_time > wanted.to_time,
        Trouble.PEOPLE: (
            not 1 <= wanted.people <= MOST_PEOPLE or len(wish.companions) != wanted.people - 1
        ),
        Trouble.LENGTH: not 1 <= wanted.minutes <= LONGEST,
        Trouble.DRAW: wish.draw is not None and not _takes(session, wish, now=now),
    }
    return next((trouble for trouble, is_so in wrong.items() if is_so), None)


def _takes(session: Session, wish: Wish, *, now: datetime) -> bool:
    """Return whether the draw takes this wish."""
    # Whoever closes the draw waits for us, or we for them: no wish comes in beside the entries.
    draw = session.scalars(
        sa.select(DrawRow).where(DrawRow.id == wish.draw).with_for_update(read=True)
    ).one_or_none()
    return (
        draw is not None
        and draw.state is DrawState.ANNOUNCED
        and now < draw.closes_at
        and wish.places == (draw.place,)
        and wish.wanted.first_day <= draw.last_day
        and wish.wanted.last_day >= draw.first_day
    )


def _certain(people: Sequence[str]) -> sa.Select[UUID]:
    return sa.select(AppointmentRow.id).where(
        AppointmentRow.whose.in_(people), AppointmentRow.state.in_(CERTAIN)
    )


def find(session: Session, wish_id: UUID) -> Wish:
    """Return the wish.

    Raises:
        WishUnknown: there is none of this id.
    """
    row = session.get(WishRow, wish_id)
    if row is None:
        raise WishUnknown(str(wish_id))
    return _record(session, row)


def live_of(session: Session, whose: str) -> Wish | None:
    """Return the wish that lives of `whose`, or None."""
    holders = claims.holders([claims.of_wish(whose)])
    row = session.scalars(sa.select(WishRow).where(WishRow.id.in_(holders))).one_or_none()
    return None if row is None else _record(session, row)


def last_of(session: Session, whose: str) -> Wish | None:
    """Return the newest wish `whose` made, whatever came of it, or None."""
    row = session.scalars(
        sa.select(WishRow)
        .where(WishRow.whose == whose)
        .order_by(WishRow.created_at.desc(), WishRow.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else _record(session, row)


def ahead(session: Session, wish: Wish) -> int:
    """Return how many wishes that wait for one of its places come before it in line."""
    mine = sa.select(WishRow.queued_at).where(WishRow.id == wish.id).scalar_subquery()
    return session.execute(
        sa.select(sa.func.count(sa.distinct(WishRow.id)))
        .join(WishPlaceRow, WishPlaceRow.wish == WishRow.id)
        .where(
            WishPlaceRow.place.in_(wish.places),
            WishRow.state == WishState.WAITING,
            WishRow.draw.is_(None),
            WishRow.queued_at < mine,
        )
    ).scalar_one()


def locked(session: Session, wish_id: UUID) -> WishRow:
    """Return the row, which nobody else changes until the transaction is over.

    Raises:
        WishUnknown: there is none of this id.
    """
    row = session.scalars(
        sa.select(WishRow)
        .where(WishRow.id == wish_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise WishUnknown(str(wish_id))
    return row


def happen(session: Session, row: WishRow, event: WishEvent, *, now: datetime) -> None:
    """Let the event happen to a locked wish; whoever's wish is over may make another.

    Raises:
        NotNow: the event does not fit.
    """
    row.state = after(row.state, event)
    row.changed_at = now
    session.flush()
    if row.state not in ALIVE:
        claims.give_up(session, [row.id])


def withdraw(
    session: Session, wish_id: UUID, *, now: datetime, rng: np.random.Generator | None = None
) -> Wish:
    """Withdraw a wish; a place that was offered goes to the next.

    Raises:
        WishUnknown: there is none of this id.
        NotNow: it is over.
    """
    row = locked(session, wish_id)
    happen(session, row, WishEvent.WITHDRAW, now=now)
    freed.let_go(session, row.id, now=now, rng=rng)
    return _record(session, row)


def withdraw_booked(session: Session, *, now: datetime, limit: int = 500) -> tuple[Wish, ...]:
    """Withdraw wishes of people who have an appointment by now: nobody holds two places.

    A family's wish ends, too, when one of them has: places for all of them would help nobody.
    """
    booked = (
        sa.select(AppointmentRow.id)
        .where(AppointmentRow.whose == WishRow.whose, AppointmentRow.state.in_(CERTAIN))
        .exists()
    )
    families = WishRow.id.in_(sorted(_booked_families(session))[:limit])
    rows = _due(session, WishRow.state.in_(ALIVE), sa.or_(booked, families), limit=limit)
    return tuple(withdraw(session, row.id, now=now) for row in rows)


def _booked_families(session: Session) -> set[UUID]:
    """Return the wishes that live of which somebody who would come along has an appointment."""
    rows = session.execute(
        sa.select(WishRow.id, WishRow.members).where(WishRow.state.in_(ALIVE), WishRow.people > 1)
    )
    wish_of = {whose: wish for wish, said in rows for whose, *_ in said["members"]}
    people, found = sorted(wish_of), set[UUID]()
    for begin in range(0, len(people), ASKED):
        certain = (
            AppointmentRow.whose.in_(people[begin : begin + ASKED]),
            AppointmentRow.state.in_(CERTAIN),
        )
        booked = session.scalars(sa.select(AppointmentRow.whose).where(*certain))
        found.update(wish_of[whose] for whose in booked)
    return found


def lapse_due(session: Session, *, now: datetime, limit: int = 500) -> tuple[Wish, ...]:
    """Let wishes lapse whose last day is over."""
    today = now.astimezone(HERE).date()
    waiting = WishRow.state == WishState.WAITING
    rows = _due(session, waiting, WishRow.last_day < today, limit=limit)
    for row in rows:
        happen(session, row, WishEvent.LAPSE, now=now)
    return tuple(_record(session, row) for row in rows)


def _due(session: Session, *where: sa.ColumnElement[bool], limit: int) -> Sequence[WishRow]:
    return session.scalars(
        sa.select(WishRow)
        .where(*where)
        .order_by(WishRow.queued_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def _record(session: Session, row: WishRow) -> Wish:
    places = session.scalars(
        sa.select(WishPlaceRow.place).where(WishPlaceRow.wish == row.id).order_by(WishPlaceRow.rank)
    )
    return Wish(
        id=row.id,
        whose=row.whose,
        person_key=row.person_key,
        purpose=row.purpose,
        places=tuple(places),
        wanted=matching.wanted(row),
        companions=companions(row),
        priority=row.priority,
        draw=row.draw,
        drawn=row.drawn,
        by=row.by,
        state=row.state,
        created_at=row.created_at,
        passes=len(row.passed["starts"]),
    )


def companions(row: WishRow) -> tuple[Companion, ...]:
    """Return who comes with whoever made the wish."""
    return tuple(
        Companion(whose=whose, person_key=bytes.fromhex(key), purpose=purpose)
        for whose, key, purpose in row.members["members"]
    )


def everybody(row: WishRow) -> tuple[Companion, ...]:
    """Return all the people of a wish, whoever made it first."""
    first = Companion(whose=row.whose, person_key=row.person_key, purpose=row.purpose)
    return (first, *companions(row))
