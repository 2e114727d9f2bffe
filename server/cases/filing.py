"""A citizen's request while it is being filled in, and the moment it is filed.

It asks no registry and books no time. The functions never commit.
"""

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking, wishes
from scheduler.life import AppointmentState
from server.clock import HERE
from server.registry.port import Person
from server.rules import codes
from server.rules.cases import DEFAULT_PROFILE
from server.rules.dossier import DossierEvent, DossierState, NotNow
from server.rules.persons import person_key
from server.store import journal
from server.store.counters import count_up
from server.store.tables import Dossier, DossierCounter

DRAFT_KEPT = timedelta(days=7)
"""A draft untouched by filing for so long lapses and its answers are deleted."""
TOKEN_LENGTH = 43
CITIZEN = "citizen"
SYSTEM = "system"


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def new_token(dossier: Dossier) -> str:
    """Give the dossier a new token for one browser; the one before is worth nothing now."""
    token = secrets.token_urlsafe(32)
    dossier.draft_token_hash = _hash(token)
    return token


def begin(
    session: Session,
    *,
    purpose: str,
    now: datetime,
    language: str,
    profile: str = DEFAULT_PROFILE,
) -> tuple[Dossier, str]:
    """Begin a draft for the case `purpose`; return it and the token for the citizen's browser."""
    dossier = Dossier(
        id=uuid4(),
        state=DossierState.DRAFT,
        profile=profile,
        purpose=purpose,
        answers={},
        birth_year_only=False,
        language=language,
        created_at=now,
    )
    token = new_token(dossier)
    session.add(dossier)
    session.flush()
    return dossier, token


def of_token(session: Session, token: str | None) -> Dossier | None:
    """Return the dossier a browser's token stands for, or None."""
    if token is None or len(token) != TOKEN_LENGTH:
        return None
    return session.scalars(
        sa.select(Dossier).where(Dossier.draft_token_hash == _hash(token))
    ).one_or_none()


def answer(dossier: Dossier, **values: Any) -> None:  # noqa: ANN401 - JSON values
    """Keep answers by their names; None takes an answer away."""
    kept = {**dossier.answers, **values}
    dossier.answers = {name: value for name, value in kept.items() if value is not None}


def know(dossier: Dossier, person: Person, *, secret: bytes) -> None:
    """Keep the person the registry gave at the data check."""
    dossier.personal_number = person.personal_number
    dossier.person_key = person_key(secret, person.personal_number)
    dossier.full_name = person.full_name
    dossier.birth_date = person.birth_date
    dossier.birth_year_only = person.birth_year_only
    dossier.person = person.as_json()


def change_purpose(session: Session, dossier: Dossier, purpose: str, *, now: datetime) -> None:
    """Change the draft's case; a held place is given back, because it was held for the other."""
    give_back(session, dossier, now=now)
    dossier.purpose = purpose
    answer(dossier, coming=None)


def forget(session: Session, dossier: Dossier, *, now: datetime) -> None:
    """Take the person away again, because number, name or birth date are being changed."""
    give_back(session, dossier, now=now)
    _erase(dossier)


def give_back(session: Session, dossier: Dossier, *, now: datetime) -> None:
    """Give the place back that is held for the dossier, if one is."""
    live = booking.live_of(session, str(dossier.id))
    if live is not None and live.state is AppointmentState.HELD:
        with suppress(booking.NotNow):  # it ran out meanwhile: the place is free already
            booking.cancel(session, live.id, now=now)


def _erase(dossier: Dossier) -> None:
    dossier.personal_number = dossier.person_key = dossier.full_name = None
    dossier.birth_date = dossier.person = None
    dossier.birth_year_only = False


def file(session: Session, dossier: Dossier, *, now: datetime) -> str:
    """File the draft and return its code.

    Raises:
        NotNow: it is no draft.
    """
    if dossier.state is not DossierState.DRAFT:
        raise NotNow(f"a dossier that is {dossier.state} is filed already")
    journal.move(session, dossier, DossierEvent.FILE, now=now, actor=CITIZEN)
    day = now.astimezone(HERE).date()
    answer(dossier, typed=None, birth=None, coming=None, data=None, station=None, day=None)
    number = count_up(session, DossierCounter.last, unit=codes.UNIT, day=day)
    dossier.code = codes.dossier_code(codes.UNIT, day, number)
    dossier.filed_at = now
    return dossier.code


def file_again(
    session: Session, dossier: Dossier, person: Person, *, secret: bytes, now: datetime
) -> None:
    """Give a dossier back to the officers after a correction, with the person as known now.

    Raises:
        NotNow: nobody asked for a correction.
    """
    if dossier.state is not DossierState.TO_CORRECT:
        raise NotNow(f"nobody waits for a correction of a dossier that is {dossier.state}")
    journal.move(session, dossier, DossierEvent.FILE, now=now, actor=CITIZEN)
    know(dossier, person, secret=secret)


def withdraw(session: Session, dossier: Dossier, *, now: datetime) -> None:
    """Withdraw the dossier as its citizen wishes; its place is given back.

    Raises:
        NotNow: it cannot be withdrawn any more; nothing was changed.
    """
    journal.move(session, dossier, DossierEvent.WITHDRAW, now=now, actor=CITIZEN)
    _wait_no_longer(session, dossier, now=now)
    live = booking.live_of(session, str(dossier.id))
    if live is None:
        return
    try:
        booking.cancel(session, live.id, now=now)
    except booking.NotNow as late:
        raise NotNow(str(late)) from late


def _wait_no_longer(session: Session, dossier: Dossier, *, now: datetime) -> None:
    """Withdraw the wish the dossier is in, its own or its family's: nobody would use the place."""
    wish = wishes.live_of(session, str(dossier.id))
    if wish is not None and wish.id is not None:
        with suppress(wishes.NotNow):
            wishes.withdraw(session, wish.id, now=now)


def lapse(session: Session, dossier: Dossier, *, now: datetime, actor: str = SYSTEM) -> None:
    """Let a dossier lapse and delete everything that was entered.

    Raises:
        NotNow: it is past that.
    """
    journal.move(session, dossier, DossierEvent.LAPSE, now=now, actor=actor)
    _wait_no_longer(session, dossier, now=now)
    _erase(dossier)
    dossier.answers = {}
    dossier.draft_token_hash = None


def lapse_drafts(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Let drafts lapse that nobody came back to, delete what was typed; return how many."""
    due = session.scalars(
        sa.select(Dossier)
        .where(Dossier.state == DossierState.DRAFT, Dossier.created_at < now - DRAFT_KEPT)
        .order_by(Dossier.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    lapsed = 0
    for dossier in due:
        if booking.live_of(session, str(dossier.id)) is not None:
            continue
        lapse(session, dossier, now=now)
        lapsed += 1
    return lapsed
