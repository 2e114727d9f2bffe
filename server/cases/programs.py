"""Keys of programs that book for citizens: handed out once, kept as digests, revocable at once.

It books nothing.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.cases.throttle import Limit
from server.store import audit
from server.store.tables import ApiKey, KeyKind

PREFIX = "thunhan_"
"""What a key begins with, so that whoever searches files for forgotten secrets finds it."""
SHAPE = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_-]{43}")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
A_MINUTE = 600
"""[D] Ten requests a second: a call centre of some hundred people."""

WRONG = Limit(name="program", tries=200, seconds=3600)
"""[D] Codes and birth dates that fit nothing, of one program: people misspell, but not so often."""
LIMITS = (WRONG,)


class NameTaken(Exception):
    """A key of this name was handed out before, though it may be revoked."""


class NameInvalid(ValueError):
    """Not small letters, digits and dashes."""


class KeyUnknown(LookupError):
    """No key of this name is valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A program whose key is valid."""

    name: str
    kind: KeyKind
    a_minute: int

    @property
    def actor(self) -> str:
        """How the history names it: ``hotline:NAME``."""
        return f"{self.kind}:{self.name}"


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def add(session: Session, *, name: str, kind: KeyKind, a_minute: int, now: datetime) -> str:
    """Make a key and return it; nobody can be told it again.

    Raises:
        NameInvalid: the name is no name.
        NameTaken: it was used.
    """
    if not NAME.fullmatch(name):
        raise NameInvalid(name)
    if session.scalars(sa.select(ApiKey).where(ApiKey.name == name)).first() is not None:
        raise NameTaken(name)
    key = PREFIX + secrets.token_urlsafe(32)
    session.add(ApiKey(digest=_digest(key), name=name, kind=kind, a_minute=a_minute, added_at=now))
    session.flush()
    audit.append(
        session,
        at=now,
        actor="operator",
        action="key.added",
        subject=name,
        detail={"kind": kind, "a_minute": a_minute},
    )
    return key


def revoke(session: Session, *, name: str, now: datetime) -> None:
    """Make a key worth nothing; what was booked with it stands.

    Raises:
        KeyUnknown: there is none of this name, or it is revoked already.
    """
    row = session.scalars(
        sa.select(ApiKey).where(ApiKey.name == name, ApiKey.revoked_at.is_(None))
    ).one_or_none()
    if row is None:
        raise KeyUnknown(name)
    row.revoked_at = now
    audit.append(session, at=now, actor="operator", action="key.revoked", subject=name)


def recognise(session: Session, key: str) -> Caller | None:
    """Return whose key this is, or None where it is no valid one."""
    if not SHAPE.fullmatch(key):
        return None
    row = session.get(ApiKey, _digest(key))
    if row is None or row.revoked_at is not None:
        return None
    return Caller(name=row.name, kind=row.kind, a_minute=row.a_minute)
