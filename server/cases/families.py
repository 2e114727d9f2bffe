"""A family that comes together: own dossiers, adjacent places, all of them or none.

Whose data are checked how is as for everybody; places are counted in `scheduler.parties`.
"""

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, parties
from scheduler.booking import Appointment, SlotRef
from scheduler.life import AppointmentState
from scheduler.parties import Member
from server.cases import appointments, filing, needs
from server.cases.appointments import HOLD_MINUTES, Booked, NothingHeld, PersonUnknown
from server.cases.needs import Need
from server.clock import HERE
from server.rules.dossier import DossierState, NotNow
from server.store.tables import Dossier, Family, FamilyMember

MOST = parties.MOST
"""Two grandparents, two parents, four children: as many as the scheduler books together."""
TOKEN_LENGTH = 43
GONE = frozenset({DossierState.LAPSED, DossierState.WITHDRAWN})


class FamilyUnknown(LookupError):
    """The browser holds no family."""


class FamilyFull(Exception):
    """It has as many people as one booking may have."""


def begin(session: Session, *, language: str, now: datetime) -> tuple[Family, str]:
    """Begin a family without people; return it and the token for the browser."""
    family = Family(id=uuid4(), token_hash=b"", answers={}, language=language, created_at=now)
    token = new_token(family)
    session.add(family)
    session.flush()
    return family, token


def new_token(family: Family) -> str:
    """Give the family a new token for one browser; the one before is worth nothing now."""
    token = secrets.token_urlsafe(32)
    family.token_hash = _hash(token)
    return token


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def of_token(session: Session, token: str | None) -> Family | None:
    """Return the family a browser's token stands for, or None."""
    if token is None or len(token) != TOKEN_LENGTH:
        return None
    return session.scalars(sa.select(Family).where(Family.token_hash == _hash(token))).one_or_none()


def led_by(session: Session, dossier: Dossier) -> Family | None:
    """Return the family whose first person this is, or None: their ticket opens it elsewhere."""
    family = _of(session, dossier)
    first = next(iter(members(session, family)), None) if family is not None else None
    return family if first is dossier else None


def told_by(session: Session, dossier: Dossier) -> Family | None:
    """Return the family for which this person waits and is told, or None.

    It is the first who has no appointment: their code opens the family elsewhere.
    """
    family = _of(session, dossier)
    first = next(iter(to_book(session, family)), None) if family is not None else None
    return family if first is dossier else None


def _of(session: Session, dossier: Dossier) -> Family | None:
    return session.scalars(
        sa.select(Family)
        .join(FamilyMember, FamilyMember.family_id == Family.id)
        .where(FamilyMember.dossier_id == dossier.id)
    ).one_or_none()


def answer(family: Family, **values: object) -> None:
    """Keep answers by their names; None takes an answer away."""
    kept = {**family.answers, **values}
    family.answers = {name: value for name, value in kept.items() if value is not None}


def numbered(session: Session, family: Family) -> dict[int, Dossier]:
    """Return the family's people by their number, in the order in which they were entered."""
    rows = session.execute(
        sa.select(FamilyMember.position, Dossier)
        .join(Dossier, Dossier.id == FamilyMember.dossier_id)
        .where(FamilyMember.family_id == family.id, Dossier.state.not_in(GONE))
        .order_by(FamilyMember.position)
    )
    return dict(rows.all())


def members(session: Session, family: Family) -> tuple[Dossier, ...]:
    """Return the dossiers of the family's people, in the order in which they were entered."""
    return tuple(numbered(session, family).values())


def add(session: Session, family: Family, *, purpose: str, now: datetime) -> tuple[int, Dossier]:
    """Add a person with a draft of their own; return their number and the draft.

    Raises:
        FamilyFull: there are `MOST` already.
    """
    if len(members(session, family)) >= MOST:
        raise FamilyFull
    last = session.scalar(
        sa.select(sa.func.max(FamilyMember.position)).where(FamilyMember.family_id == family.id)
    )
    number = (last or 0) + 1
    # Its token is given to no browser: the family's opens it.
    dossier, _ = filing.begin(session, purpose=purpose, now=now, language=family.language)
    contact = {name: family.answers.get(name) for name in ("phone", "email", "notify")}
    filing.answer(dossier, **contact, requests=[], delivery="station", address="")
    session.add(FamilyMember(dossier_id=dossier.id, family_id=family.id, position=number))
    session.flush()
    return number, dossier


def remove(session: Session, family: Family, number: int, *, now: datetime) -> None:
    """Take a person off before anything is booked; places that are held are given back.

    Raises:
        NotNow: the person is not there, or has filed already.
    """
    dossier = numbered(session, family).get(number)
    if dossier is None or dossier.state is not DossierState.DRAFT:
        raise NotNow("only a draft can be taken off")
    give_back(session, family, now=now)
    filing.lapse(session, dossier, now=now, actor=filing.CITIZEN)


def give_back(session: Session, family: Family, *, now: datetime) -> None:
    """Give the places back that are held, if any are."""
    for dossier in members(session, family):
        filing.give_back(session, dossier, now=now)


def lanes(session: Session, needed: Sequence[Need], place: str) -> frozenset[str]:
    """Return the lanes they may book together: where one is let go first, all of them are."""
    return needs.lanes(session, place, goes_first=any(need.goes_first for need in needed))


def to_book(session: Session, family: Family) -> tuple[Dossier, ...]:
    """Return the people who have no certain appointment and may have one."""
    return tuple(
        dossier
        for dossier in members(session, family)
        if dossier.state in {DossierState.DRAFT, DossierState.FILED}
        and appointments.live(session, dossier) is None
    )


def starts(
    session: Session, needed: Sequence[Need], place: str, day: date, *, now: datetime
) -> tuple[SlotRef, ...]:
    """Return the times of a day from which there is room for all who need so much."""
    return parties.fits(
        session,
        place,
        day,
        [need.minutes for need in needed],
        now=now,
        lanes=lanes(session, needed, place),
    )


def hold(
    session: Session, family: Family, first: SlotRef, *, now: datetime
) -> tuple[Appointment, ...]:
    """Hold adjacent places for all who have none; those held before are given back for them.

    Raises:
        SlotFull: there is no room for all of them; nothing was changed.
        SlotGone: the time is no longer offered.
        AlreadyBooked: one of them has an appointment for the same purpose.
        PersonUnknown: somebody's data were not checked.
        NotNow: nobody is left to be booked.
    """
    people = to_book(session, family)
    if not people:
        raise NotNow("everybody has an appointment")
    standing = held(session, family, now=now)
    if len(standing) == len(people) and min(standing, key=_begins).slot == first:
        return standing
    on = first.starts_at.astimezone(HERE).date()
    needed = [_need(dossier, on) for dossier in people]
    give_back(session, family, now=now)
    return parties.hold(
        session,
        members=[
            Member(
                whose=str(dossier.id),
                person_key=dossier.person_key or b"",
                purpose=dossier.purpose,
                length=need.minutes,
            )
            for dossier, need in zip(people, needed, strict=True)
        ],
        first=first,
        now=now,
        minutes=HOLD_MINUTES,
        lanes=lanes(session, needed, first.place),
    )


def _begins(appointment: Appointment) -> datetime:
    return appointment.starts_at


def _need(dossier: Dossier, on: date) -> Need:
    need = needs.of(dossier, on)
    if need is None or dossier.person_key is None:
        raise PersonUnknown
    return need


def held(session: Session, family: Family, *, now: datetime) -> tuple[Appointment, ...]:
    """Return the places that are held for the family."""
    found = (appointments.held(session, dossier, now=now) for dossier in members(session, family))
    return tuple(one for one in found if one is not None)


def extend(session: Session, family: Family, *, now: datetime) -> None:
    """Hold all the places longer.

    Raises:
        NothingHeld: the holds ran out.
    """
    standing = held(session, family, now=now)
    if not standing:
        raise NothingHeld
    party = standing[0].party
    if party is None:
        raise NothingHeld
    with appointments.told_as_ours():
        parties.extend(session, party, now=now)


def confirm(
    session: Session, family: Family, *, secret: bytes, now: datetime
) -> tuple[Booked, ...]:
    """Make all the held places certain, file the drafts, and hand out a ticket each.

    Raises:
        NothingHeld: not everybody has a place; nothing was changed.
    """
    people = {str(dossier.id): dossier for dossier in to_book(session, family)}
    standing = held(session, family, now=now)
    party = standing[0].party if standing else None
    if party is None or {one.whose for one in standing} != set(people):
        raise NothingHeld
    try:
        made = parties.confirm(session, party, now=now)
    except booking.NotNow:
        raise NothingHeld from None
    return tuple(
        appointments.hand_out(session, people[one.whose], one, secret=secret, now=now)
        for one in made
    )


def move(session: Session, family: Family, number: int, to: SlotRef, *, now: datetime) -> None:
    """Move everybody who was booked together with the person of this number, or nobody.

    Raises:
        SlotFull: no room there for all of them; the old places stand.
        SlotGone: the time is no longer offered; the old places stand.
        MovedTooOften: they were moved as often as they may be.
        NotNow: there is no appointment to move.
    """
    dossier = numbered(session, family).get(number)
    live = appointments.live(session, dossier) if dossier is not None else None
    if dossier is None or live is None or live.state is not AppointmentState.BOOKED:
        raise NotNow("no appointment that could be moved")
    if live.party is None:
        appointments.move(session, dossier, to, now=now)
        return
    together = parties.members(session, live.party)
    if min(together, key=_begins).slot == to:
        return
    on = to.starts_at.astimezone(HERE).date()
    whose = {one.whose for one in together}
    needed = [_need(d, on) for d in members(session, family) if str(d.id) in whose]
    with appointments.told_as_ours():
        parties.move(session, live.party, to=to, now=now, lanes=lanes(session, needed, to.place))


def cancel(session: Session, family: Family, number: int | None, *, now: datetime) -> None:
    """Cancel for the person of this number, or for everybody; the dossiers stay filed."""
    for position, dossier in numbered(session, family).items():
        live = appointments.live(session, dossier)
        if number in {None, position} and live is not None:
            with suppress(NotNow):  # has arrived meanwhile: that appointment stands
                appointments.cancel(session, dossier, now=now)
                filing.answer(dossier, station=None, day=None)
