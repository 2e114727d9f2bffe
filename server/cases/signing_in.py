"""Officers prove who they are: a password, and a six-digit code that works once; their sessions.

It decides nothing about what an officer may do, and gives the same answer for everything wrong.
"""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pyotp
import sqlalchemy as sa
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from server.cases.officers import HASHER, LONGEST_PASSWORD, SHAPE, Acting, actor, plain_password
from server.cases.throttle import Limit
from server.store import audit, totp
from server.store.tables import Officer, OfficerSession

log = logging.getLogger(__name__)

BY_NETWORK: Final = Limit(name="sign_in", tries=60, seconds=600)
"""[D] A shift of some twenty officers signs in from one network."""
IDLE: Final = timedelta(minutes=10)
"""[D] A desk is left for longer than that; NIST SP 800-63B asks for 30 minutes at most."""
LONGEST: Final = timedelta(hours=8)
"""[D] A shift; NIST SP 800-63B asks for 12 hours at most."""
TOUCHED_EVERY: Final = timedelta(seconds=15)
"""A session's last use is written down no more often than this."""
TRIES: Final = 5
"""[D] Failures in a row before an officer's name rests, twice as long after each further one."""
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(minutes=30)
STEP: Final = 30
"""Seconds a code is shown (RFC 6238)."""
DRIFT: Final = (-1, 0, 1)
"""Steps a telephone's clock may be off."""
TOKEN_LENGTH: Final = 43
"""256 bits in base64url."""
UNKNOWN: Final = "officer:unknown"
DECOY_HASH: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$rxLOCvt3z50uyW732jKPBw"
    "$ZTbkC3OzvohZ8fsoN7AvhjBTSsxljTKNbevyeo6cJ2o"
)
"""Of 256 random bits nobody kept: an unknown officer costs the same work as a known one."""
DECOY_SECRET: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - opens nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What somebody who wants in is measured by; decoys where nobody has this id."""

    officer_id: str
    """Empty where nobody has it."""
    password_hash: str
    totp_secret: str


DECOY: Final = Candidate(officer_id="", password_hash=DECOY_HASH, totp_secret=DECOY_SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the work outside the transaction found."""

    officer_id: str
    password_hash: str
    password_fits: bool
    step: int | None
    """The time step the code belongs to; None where it belongs to none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that holds."""

    officer: Acting
    token_hash: bytes
    worn: bool
    """Whether its last use is to be written down again (`touch`)."""


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def look(session: Session, officer_id: str, *, secret: bytes) -> Candidate:
    """Return what the officer of this id is measured by, or decoys.

    `secret` is the installation's, which the TOTP secrets are hidden with.
    """
    officer = session.get(Officer, officer_id) if SHAPE.fullmatch(officer_id) else None
    if officer is None:
        return DECOY
    try:
        shown = totp.reveal(officer.totp_secret, officer_id=officer.id, secret=secret)
    except totp.Unreadable:
        # Never the officer with the decoy's secret, which everybody can read here.
        log.exception(
            "the TOTP secret of %s was hidden with another secret, or altered", officer.id
        )
        return DECOY
    return Candidate(officer_id=officer.id, password_hash=officer.password_hash, totp_secret=shown)


def prove(candidate: Candidate, *, password: str, code: str, now: datetime) -> Proof:
    """Do the slow work, outside any transaction; always all of it."""
    return Proof(
        officer_id=candidate.officer_id,
        password_hash=candidate.password_hash,
        password_fits=_password_fits(candidate.password_hash, password),
        step=_step_of(candidate.totp_secret, code, now),
    )


def _password_fits(password_hash: str, password: str) -> bool:
    # Cut, so that a huge text costs no more; a cut one fits nobody.
    given = plain_password(password[: LONGEST_PASSWORD + 1])
    try:
        HASHER.verify(password_hash, given)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    return len(password) <= LONGEST_PASSWORD


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    digits = "".join(code[:16].split())
    shown = pyotp.TOTP(secret)
    present = int(now.timestamp()) // STEP
    found = None
    for drift in DRIFT:
        expected = shown.generate_otp(present + drift)
        if hmac.compare_digest(expected.encode(), digits.encode(errors="replace")):
            found = present + drift
    return found


def admit(
    session: Session,
    proof: Proof,
    *,
    bind: Callable[[], str],
    now: datetime,
    before: str | None = None,
) -> str | None:
    """Begin a session and return its token, or None: not in, whatever the reason.

    The officer's row is locked, so that many guesses at once count one by one and a code is
    accepted once. `bind` is asked, once they are in, what ties the session to their browser;
    `before` is the token the browser came with, which ends.
    """
    officer = session.scalars(
        sa.select(Officer)
        .where(Officer.id == proof.officer_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if officer is None or not _is_let_in(officer, proof, now):
        _refuse(session, officer, now)
        return None
    officer.totp_last_step = proof.step or 0
    officer.failures = 0
    officer.locked_until = None
    if before is not None:
        _end(session, _hash(before), now)
    session.execute(
        sa.delete(OfficerSession).where(
            OfficerSession.officer_id == officer.id, OfficerSession.started_at < now - LONGEST
        )
    )
    token = secrets.token_urlsafe(32)
    session.add(
        OfficerSession(
            token_hash=_hash(token),
            officer_id=officer.id,
            csrf=bind(),
            started_at=now,
            seen_at=now,
        )
    )
    audit.append(
        session, at=now, actor=actor(officer.id), action="sign_in", subject=actor(officer.id)
    )
    return token


def _is_locked(officer: Officer, now: datetime) -> bool:
    return officer.locked_until is not None and officer.locked_until > now


def _is_let_in(officer: Officer, proof: Proof, now: datetime) -> bool:
    code_is_new = proof.step is not None and proof.step > officer.totp_last_step
    unchanged = proof.password_hash == officer.password_hash
    return (
        officer.active
        and not _is_locked(officer, now)
        and proof.password_fits
        and unchanged
        and code_is_new
    )


def _refuse(session: Session, officer: Officer | None, now: datetime) -> None:
    if officer is not None and not _is_locked(officer, now):
        officer.failures += 1
        if officer.failures >= TRIES:
            doubled = min(officer.failures - TRIES, 10)
            officer.locked_until = now + min(FIRST_WAIT * 2**doubled, LONGEST_WAIT)
    who = UNKNOWN if officer is None else actor(officer.id)
    audit.append(session, at=now, actor=who, action="sign_in.refused", subject=who)


def recognise(
    session: Session, token: str | None, *, binding: str, now: datetime
) -> SignedIn | None:
    """Return the session a token stands for, or None: unknown, ended, idle, old, or disabled."""
    if token is None or len(token) != TOKEN_LENGTH:
        return None
    found = session.execute(
        sa.select(OfficerSession, Officer)
        .join(Officer, Officer.id == OfficerSession.officer_id)
        .where(OfficerSession.token_hash == _hash(token))
    ).one_or_none()
    if found is None:
        return None
    row, officer = found
    holds = (
        row.ended_at is None
        and officer.active
        and now - row.seen_at < IDLE
        and now - row.started_at < LONGEST
        and hmac.compare_digest(row.csrf.encode(), binding.encode())
    )
    if not holds:
        return None
    return SignedIn(
        officer=Acting(
            id=officer.id, name=officer.name, station=officer.station, role=officer.role
        ),
        token_hash=row.token_hash,
        worn=now - row.seen_at >= TOUCHED_EVERY,
    )


def touch(session: Session, signed_in: SignedIn, *, now: datetime) -> None:
    """Write down that the session was used now."""
    session.execute(
        sa.update(OfficerSession)
        .where(OfficerSession.token_hash == signed_in.token_hash, OfficerSession.ended_at.is_(None))
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )


def _end(session: Session, token_hash: bytes, now: datetime) -> bool:
    ended = session.execute(
        sa.update(OfficerSession)
        .where(OfficerSession.token_hash == token_hash, OfficerSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(OfficerSession.officer_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return ended is not None


def sign_out(session: Session, signed_in: SignedIn, *, now: datetime) -> None:
    """End the session; its token is worth nothing from now on."""
    if _end(session, signed_in.token_hash, now):
        who = signed_in.officer.actor
        audit.append(session, at=now, actor=who, action="sign_out", subject=who)
