"""What there may be only one of: a live appointment a person and purpose, one a `whose`.

It knows no appointment: a claim has a holder, by id. The keys are digests, and the table is one
of its own, so that it can be spread over other machines than the slots are.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.database import insert_missing
from scheduler.tables import ClaimRow

APPOINTMENT = "appointment"
WISH = "wish"


def _key(kind: str, *parts: bytes) -> bytes:
    # Lengths keep ("ab", "c") from ("a", "bc").
    joined = b"".join(len(part).to_bytes(4, "big") + part for part in (kind.encode(), *parts))
    return hashlib.sha256(joined).digest()


def of_person(person_key: bytes, purpose: str) -> bytes:
    """Return the key of a person's one live appointment for a purpose."""
    return _key("person", person_key, purpose.encode())


def of_dossier(whose: str) -> bytes:
    """Return the key of the one live appointment of `whose`."""
    return _key("whose", whose.encode())


def of_wish(whose: str) -> bytes:
    """Return the key of the one live wish of `whose`."""
    return _key(WISH, whose.encode())


def make(session: Session, keys: Sequence[bytes], *, holder: UUID, kind: str) -> bool:
    """Claim all of the keys, or none; return whether they were free."""
    rows = [{"key": key, "holder": holder, "kind": kind} for key in sorted(keys)]
    if insert_missing(session, ClaimRow, rows) == len(rows):
        return True
    give_up(session, [holder])
    return False


def holders(keys: Iterable[bytes]) -> sa.Select[UUID]:
    """Return the question who holds one of the keys."""
    return sa.select(ClaimRow.holder).where(ClaimRow.key.in_(list(keys)))


def give_up(session: Session, holders: Collection[UUID]) -> None:
    """Let go of everything the holders claim."""
    session.execute(
        sa.delete(ClaimRow)
        .where(ClaimRow.holder.in_(holders))
        .execution_options(synchronize_session=False)
    )
