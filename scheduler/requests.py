"""Requests that were answered: asked again with the same key, they get the same appointment.

A key is a digest; whoever makes it up decides what "the same" means.
"""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.database import insert_missing
from scheduler.tables import RequestRow

KEPT = timedelta(days=1)
"""[D] So long a request may be asked again; whoever lost an answer asks within minutes."""


def begin(session: Session, key: bytes, appointment_id: UUID, *, now: datetime) -> UUID | None:
    """Note that `key` is answered by `appointment_id`; return what answered it before, or None.

    A request of the same key that is under way is waited for.
    """
    row = {"key": key, "appointment_id": appointment_id, "at": now}
    if insert_missing(session, RequestRow, [row]):
        return None
    return session.scalars(
        sa.select(RequestRow.appointment_id).where(RequestRow.key == key)
    ).one_or_none()


def forget(session: Session, key: bytes) -> None:
    """Let a request be tried anew: it was refused."""
    session.execute(sa.delete(RequestRow).where(RequestRow.key == key))


def forget_old(session: Session, *, before: datetime, limit: int = 500) -> int:
    """Forget requests that were answered before then; return how many."""
    old = sa.select(RequestRow.key).where(RequestRow.at < before).limit(limit)
    gone = session.execute(
        sa.delete(RequestRow).where(RequestRow.key.in_(old)).returning(RequestRow.key)
    )
    return len(gone.all())
