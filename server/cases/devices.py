"""Kiosks that may check people in and send captures: enrolled by public key, revocable at once.

It holds no private key: a device makes its own and shows the public half.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.orm import Session

from biometrics.seal.checking import device_id
from scheduler import places, points
from server.cases import visits
from server.store import audit
from server.store.tables import Device, Upload, VisitRow

TRUSTS = ("software", "tpm")
LARGEST_KEY = 4096
"""Bytes of a PEM file; P-256 has some 180."""


class KeyInvalid(ValueError):
    """Not the PEM of a P-256 public key."""


class StationUnknown(LookupError):
    """There is no station of this code."""


class DeviceKnown(Exception):
    """The name or the key is enrolled already; a revoked device comes back with a new key."""


class DeviceUnknown(LookupError):
    """No device of this name is in service."""


def public_key(der: bytes) -> ec.EllipticCurvePublicKey:
    """Return an enrolled key from its DER.

    Raises:
        KeyInvalid: it is no P-256 public key.
    """
    try:
        key = serialization.load_der_public_key(der)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyInvalid("no public key") from error
    return _p256(key)


def _p256(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise KeyInvalid("no P-256 key")
    return key


def _read(pem: bytes) -> ec.EllipticCurvePublicKey:
    if len(pem) > LARGEST_KEY:
        raise KeyInvalid("too large for a key")
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyInvalid("no public key") from error
    return _p256(key)


def enrol(
    session: Session, *, name: str, station: str, public_pem: bytes, trust: str, now: datetime
) -> Device:
    """Let a device in and return its row; its id is the digest of its key.

    Raises:
        KeyInvalid: the PEM holds no P-256 public key, or the trust is none of `TRUSTS`.
        StationUnknown: there is no such station.
        DeviceKnown: the name or the key is taken.
    """
    key = _read(public_pem)
    if trust not in TRUSTS:
        raise KeyInvalid(f"trust is {' or '.join(TRUSTS)}")
    try:
        places.find(session, station)
    except places.PlaceUnknown:
        raise StationUnknown(station) from None
    named = device_id(key)
    taken = sa.select(Device).where(sa.or_(Device.id == named, Device.name == name))
    if session.scalars(taken).first() is not None:
        raise DeviceKnown(name)
    device = Device(
        id=named,
        name=name,
        station=station,
        public_key=key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        trust=trust,
        enrolled_at=now,
    )
    session.add(device)
    session.flush()
    # People are called to it by this number.
    numbers = [point.number for point in points.of(session, station)]
    points.add(session, station, code=name, number=max(numbers, default=0) + 1)
    audit.append(
        session,
        at=now,
        actor="operator",
        action="device.enrolled",
        subject=named,
        detail={"name": name, "station": station, "trust": trust},
    )
    return device


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """What ended with a device."""

    visits: int
    """Open visits: whoever stood before it may begin at another one."""
    uploads: tuple[str, ...]
    """Digests of unfinished uploads, whose parts the caller deletes once this is committed."""


def revoke(session: Session, *, name: str, now: datetime) -> Revoked:
    """Shut a device out from now on: nothing it sends is taken any more.

    Raises:
        DeviceUnknown: no device of this name is in service.
    """
    device = session.scalars(
        sa.select(Device)
        .where(Device.name == name, Device.revoked_at.is_(None))
        .with_for_update(key_share=True)
    ).one_or_none()
    if device is None:
        raise DeviceUnknown(name)
    device.revoked_at = now
    points.close(session, device.station, name)
    still_open = session.scalars(
        sa.select(VisitRow)
        .where(VisitRow.device_id == device.id, VisitRow.closed_at.is_(None))
        .with_for_update(key_share=True)
    ).all()
    for row in still_open:
        visits.end(session, row, how=visits.REVOKED, by="operator", now=now)
    audit.append(
        session,
        at=now,
        actor="operator",
        action="device.revoked",
        subject=device.id,
        detail={"name": name, "visits": len(still_open)},
    )
    unfinished = session.scalars(
        sa.delete(Upload).where(Upload.device_id == device.id).returning(Upload.digest)
    ).all()
    return Revoked(visits=len(still_open), uploads=tuple(unfinished))
