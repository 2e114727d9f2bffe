"""Counts tries in the database, so that guessing is slow however many workers there are.

It keeps no address: buckets are named by digests.
"""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.store.counters import count_up
from server.store.tables import Throttle


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many tries in so many seconds."""

    name: str
    tries: int
    seconds: int


def network_of(address: str | None) -> str:
    """Return the /24 or /48 an address lies in: many phones share one, one attacker has many."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    width = 24 if parsed.version == 4 else 48  # noqa: PLR2004 - IPv4
    return str(ipaddress.ip_network(f"{parsed}/{width}", strict=False))


def _bucket(secret: bytes, limit: Limit, what: str) -> str:
    mac = hmac.new(secret, f"throttle:{what}".encode(), hashlib.sha256)
    return f"{limit.name}:{mac.hexdigest()[:32]}"


def seconds_left(limit: Limit, *, now: datetime) -> int:
    """Return the seconds until the window ends that `now` lies in."""
    return limit.seconds - int(now.timestamp()) % limit.seconds


def tried(name: str) -> sa.ScalarSelect[int]:
    """Return the question how many tries were counted, to stand in a larger one; it counts none.

    What is meant is given when it is asked (see `tried_of`), so that the question is built once.
    """
    return (
        sa.select(Throttle.count)
        .where(
            Throttle.bucket == sa.bindparam(f"{name}_bucket"),
            Throttle.window == sa.bindparam(f"{name}_window"),
        )
        .scalar_subquery()
    )


def tried_of(
    name: str, limit: Limit, what: str, *, secret: bytes, now: datetime
) -> dict[str, str | int]:
    """Return what `tried` asks about."""
    return {
        f"{name}_bucket": _bucket(secret, limit, what),
        f"{name}_window": int(now.timestamp()) // limit.seconds,
    }


def count(session: Session, limit: Limit, what: str, *, secret: bytes, now: datetime) -> int:
    """Count one try; return 0 if it is allowed, else the seconds until the next may be made."""
    bucket, window = _bucket(secret, limit, what), int(now.timestamp()) // limit.seconds
    counted = count_up(session, Throttle.count, bucket=bucket, window=window)
    if counted <= limit.tries:
        return 0
    return seconds_left(limit, now=now)


def forget_old(session: Session, *, now: datetime, limits: tuple[Limit, ...]) -> int:
    """Delete windows that are over; return how many."""
    gone = 0
    for limit in limits:
        window = int(now.timestamp()) // limit.seconds
        result = session.execute(
            sa.delete(Throttle)
            .where(Throttle.bucket.startswith(f"{limit.name}:"), Throttle.window < window)
            .returning(Throttle.window)
        )
        gone += len(result.all())
    return gone
