"""The audit chain: one entry for every read of biometrics and every decision.

An entry stands in the transaction of what it tells of: both happen or neither.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.store.tables import Audit, AuditHead

GENESIS = bytes(32)
READ_AT_ONCE = 1000
"""Entries held in memory while the chain is walked."""


def _link(
    previous: bytes,
    *,
    seq: int,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
) -> bytes:
    entry = [seq, at.isoformat(), actor, action, subject, detail]
    body = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(previous + body.encode()).digest()


def append(
    session: Session,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: dict[str, Any] | None = None,
) -> int:
    """Write one entry in the caller's transaction and return its number.

    The head row is locked by the update, so that two writers cannot fork the chain.
    """
    detail = detail or {}
    head = session.execute(
        sa.update(AuditHead)
        .where(AuditHead.id == 1)
        .values(seq=AuditHead.seq + 1)
        .returning(AuditHead.seq, AuditHead.hash)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if head is None:
        raise LookupError("the audit chain was not begun (see `begin`)")
    seq, previous = head
    link = _link(
        previous, seq=seq, at=at, actor=actor, action=action, subject=subject, detail=detail
    )
    session.execute(sa.update(AuditHead).where(AuditHead.id == 1).values(hash=link))
    session.add(
        Audit(
            seq=seq,
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            detail=detail,
            prev_hash=previous,
            hash=link,
        )
    )
    return int(seq)


def begin(session: Session) -> None:
    """Put the head row there once, when an installation is set up."""
    if session.get(AuditHead, 1) is None:
        session.add(AuditHead(id=1, seq=0, hash=GENESIS))


def broken_at(session: Session) -> int | None:
    """Return the number of the first entry that does not fit the chain, or None."""
    # One statement, so that head and entries are of one moment at any isolation.
    statement = (
        sa.select(AuditHead.seq, AuditHead.hash, Audit)
        .outerjoin(Audit, sa.true())
        .order_by(Audit.seq)
        .execution_options(yield_per=READ_AT_ONCE, populate_existing=True)
    )
    previous, expected = GENESIS, 1
    head = None
    with session.execute(statement) as rows:
        for row in rows:
            head = (row.seq, row.hash)
            entry: Audit | None = row.Audit
            if entry is None:
                break
            link = _link(
                previous,
                seq=expected,
                at=entry.at,
                actor=entry.actor,
                action=entry.action,
                subject=entry.subject,
                detail=entry.detail,
            )
            if (entry.seq, entry.prev_hash, entry.hash) != (expected, previous, link):
                return expected
            previous, expected = link, expected + 1
    return None if head == (expected - 1, previous) else expected
