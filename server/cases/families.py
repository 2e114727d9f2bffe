"""A family that comes together: own dossiers, adjacent places, all of them or none.

Whose data are checked how is as for everybody; places are counted in `scheduler.parties`.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.booking import SlotRef
from server.cases import filing, needs
from server.cases.appointments import PersonUnknown
from server.clock import HERE
from server.rules.dossier import DossierState, NotNow
from server.store.tables import Dossier, Family, FamilyMember

MOST = 8
"""[D] Two grandparents, two parents, four children; a school class books otherwise."""
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
    family = session.scalars(
        sa.select(Family)
        .join(FamilyMember, FamilyMember.family_id == Family.id)
        .where(FamilyMember.dossier_id == dossier.id)
    ).one_or_none()
    if family is None:
        return None
    first = next(iter(members(session, family)), None)
    return family if first is not None and first.id == dossier.id else None


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


def lengths(dossiers: Sequence[Dossier], slot: SlotRef) -> tuple[int, ...]:
    """Return the minutes each needs on the slot's day.

    Raises:
        PersonUnknown: somebody's data were not checked.
    """
    on = slot.starts_at.astimezone(HERE).date()
    found = [needs.of(dossier, on) for dossier in dossiers]
    if None in found or not found:
        raise PersonUnknown
    return tuple(need.minutes for need in found if need is not None)


def lanes(session: Session, dossiers: Sequence[Dossier], slot: SlotRef) -> frozenset[str]:
    """Return the lanes they may book together: where one is let go first, all of them are."""
    on = slot.starts_at.astimezone(HERE).date()
    found = [needs.of(dossier, on) for dossier in dossiers]
    first = any(need is not None and need.goes_first for need in found)
    return needs.lanes(session, slot.place, goes_first=first)
