"""Who works here: taken on, locked out, let go; and which stations an officer sees.

How an officer signs in is in `server.cases.signing_in`.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from scheduler import places
from server.rules import fields
from server.store import audit, totp
from server.store.tables import Officer, OfficerSession, Role

# OfficerInvalid      what was given makes no officer; the message says what to mend
# OfficerUnknown      nobody of this id works here
# OfficerKnown        somebody of this id is there already

HASHER: Final = PasswordHasher()
"""Argon2id with the second recommended option of RFC 9106: 64 MiB, 3 passes, 4 lanes."""
SHAPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
SHORTEST_PASSWORD: Final = 8
"""ASVS 5.0 V6.2.1; there is a second factor beside it."""
LONGEST_PASSWORD: Final = 256
SECRET_BYTES: Final = range(16, 33)
"""RFC 4226, R6: at least 128 bits; more than 256 add nothing."""
STATION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,15}")
PIN: Final = re.compile(r"[0-9]{4,12}")
SYSTEM: Final = "system"


class OfficerInvalid(ValueError):
    """What was given makes no officer; the message says what to mend."""


class OfficerUnknown(LookupError):
    """Nobody of this id works here."""


class OfficerKnown(Exception):
    """Somebody of this id works here already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """The officer who does something now."""

    id: str
    name: str
    station: str
    role: Role

    @property
    def actor(self) -> str:
        """The name in journal and audit."""
        return actor(self.id)


def actor(officer_id: str) -> str:
    """Return how an officer is named in journal and audit."""
    return f"officer:{officer_id}"


def plain_password(text: str) -> str:
    """Return the one form of a password that every keyboard's way of writing accents leads to."""
    return unicodedata.normalize("NFKC", text)


def _password_hash(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise OfficerInvalid(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return HASHER.hash(plain_password(password))


def _secret(text: str) -> str:
    plain = "".join(text.split()).upper().rstrip("=")
    try:
        raw = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except binascii.Error:
        raise OfficerInvalid("the TOTP secret is not base32") from None
    if len(raw) not in SECRET_BYTES:
        raise OfficerInvalid("the TOTP secret has 128 to 256 bits (26 to 52 characters)")
    return plain


def _name(text: str) -> str:
    try:
        return fields.name(text)
    except fields.Refused as refused:
        raise OfficerInvalid(f"the name: {refused}") from None


def add(
    session: Session,
    *,
    officer_id: str,
    name: str,
    station: str,
    role: Role,
    password: str,
    totp_secret: str,
    pin: str | None,
    secret: bytes,
    now: datetime,
) -> None:
    """Take an officer on; `totp_secret` is base32, `pin` is what they type at kiosks.

    The installation's `secret` hides the TOTP secret.

    Raises:
        OfficerInvalid: something given is not as it must be.
        OfficerKnown: the id is taken.
    """
    if not SHAPE.fullmatch(officer_id):
        raise OfficerInvalid("an id has 1 to 40 letters, digits, dots, dashes or underscores")
    if pin is not None and not PIN.fullmatch(pin):
        raise OfficerInvalid("a PIN has 4 to 12 digits")
    if not STATION.fullmatch(station):
        raise OfficerInvalid("the station is no station code")
    if session.get(Officer, officer_id) is not None:
        raise OfficerKnown(officer_id)
    session.add(
        Officer(
            id=officer_id,
            name=_name(name),
            station=station,
            role=role,
            password_hash=_password_hash(password),
            totp_secret=totp.hide(_secret(totp_secret), officer_id=officer_id, secret=secret),
            pin_hash=None if pin is None else HASHER.hash(pin),
            active=True,
        )
    )
    audit.append(
        session,
        at=now,
        actor=SYSTEM,
        action="officer.add",
        subject=actor(officer_id),
        detail={"role": role.value, "station": station},
    )


def _known(session: Session, officer_id: str) -> Officer:
    found = session.scalars(
        sa.select(Officer).where(Officer.id == officer_id).with_for_update()
    ).one_or_none()
    if found is None:
        raise OfficerUnknown(officer_id)
    return found


def disable(session: Session, officer_id: str, *, now: datetime) -> None:
    """Let an officer in no more, here or at kiosks, and end every session at once.

    Raises:
        OfficerUnknown: there is none.
    """
    officer = _known(session, officer_id)
    officer.active = False
    session.execute(
        sa.update(OfficerSession)
        .where(OfficerSession.officer_id == officer_id, OfficerSession.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    audit.append(session, at=now, actor=SYSTEM, action="officer.disable", subject=actor(officer_id))


def unlock(session: Session, officer_id: str, *, now: datetime) -> None:
    """Forget an officer's failed tries.

    Raises:
        OfficerUnknown: there is none.
    """
    officer = _known(session, officer_id)
    officer.failures = 0
    officer.locked_until = None
    audit.append(session, at=now, actor=SYSTEM, action="officer.unlock", subject=actor(officer_id))


def stations_of(session: Session, officer: Acting) -> frozenset[str]:
    """Return the stations an officer sees: their own; a supervisor also those of its province."""
    if officer.role is not Role.SUPERVISOR:
        return frozenset({officer.station})
    known = {place.code: place.province for place in places.places(session)}
    own = known.get(officer.station)
    near = {code for code, province in known.items() if own is not None and province == own}
    return frozenset({officer.station} | near)


def names(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """Return the names of the officers among `ids`."""
    wanted = {officer_id for officer_id in ids if SHAPE.fullmatch(officer_id)}
    rows = session.execute(sa.select(Officer.id, Officer.name).where(Officer.id.in_(wanted)))
    return {row.id: row.name for row in rows}
