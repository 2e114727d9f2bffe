"""A throwaway authority, a provider and a device that sign for tests of SBI; and plain records."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from hardware.iris.port import Eye
from hardware.sbi.chain import FIRST, follow
from hardware.sbi.messages import Captured, DigitalId, encode_base64url, encode_date
from hardware.sbi.port import EyePicture, FacePicture, FingerPicture, RecordUnreadable
from hardware.sbi.tokens import sign
from hardware.sbi.trust import Trust

NOW = dt.datetime(2026, 11, 25, 2, 0, tzinfo=dt.UTC)
SERIAL = "SN-0001"
DAY = dt.timedelta(days=1)


@cache
def key(number: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    assert number >= 0
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate(
    name: str,
    of: rsa.RSAPrivateKey,
    issuer: x509.Certificate | None,
    by: rsa.RSAPrivateKey,
    *,
    authority: bool = False,
    since: dt.datetime = NOW - DAY,
    until: dt.datetime = NOW + 29 * DAY,
    usage: bool = True,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(of.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if usage:
        builder = builder.add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    return builder.sign(by, hashes.SHA256())


ROOT = certificate("Root", key(0), None, key(0), authority=True)
PROVIDER = certificate("Provider", key(1), ROOT, key(0), authority=True)
DEVICE = certificate("Device", key(2), PROVIDER, key(1))
CHAIN = (DEVICE, PROVIDER)
TRUST = Trust(anchors=(ROOT,), serials=frozenset({SERIAL}))


def revocations(
    *revoked: x509.Certificate,
    issuer: x509.Certificate = PROVIDER,
    by: rsa.RSAPrivateKey | None = None,
) -> x509.CertificateRevocationList:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(NOW - DAY)
        .next_update(NOW + DAY)
    )
    for one in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(one.serial_number)
            .revocation_date(NOW - DAY)
            .build()
        )
    return builder.sign(by or key(1), hashes.SHA256())


class PlainRecords:
    """Records as JSON with no pixels to speak of: what ISO ones are is tried elsewhere."""

    def finger(self, data: bytes) -> FingerPicture:
        said = _said(data)
        return FingerPicture(
            pixels=np.full((8, 6), 128, np.uint8),
            dpi=500,
            position=said["position"],
            rolled=said["rolled"],
        )

    def iris(self, data: bytes) -> EyePicture:
        return EyePicture(pixels=np.full((8, 6), 128, np.uint8), eye=Eye(_said(data)["eye"]))

    def face(self, data: bytes) -> FacePicture:
        _said(data)
        return FacePicture(pixels=np.full((8, 6, 3), 128, np.uint8))

    def write_finger(self, picture: FingerPicture) -> bytes:
        return json.dumps({"position": picture.position, "rolled": picture.rolled}).encode()

    def write_iris(self, picture: EyePicture) -> bytes:
        return json.dumps({"eye": picture.eye}).encode()

    def write_face(self, picture: FacePicture) -> bytes:
        return json.dumps({"face": picture.pixels.shape[0]}).encode()


def _said(data: bytes) -> dict[str, Any]:
    try:
        said = json.loads(data)
    except ValueError as error:
        raise RecordUnreadable(str(error)) from error
    assert isinstance(said, dict)
    return said


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Scores that are always the same."""

    score: int | None

    def finger(self, picture: FingerPicture) -> int | None:  # noqa: ARG002 - the port's
        return self.score

    def iris(self, picture: EyePicture) -> int | None:  # noqa: ARG002 - the port's
        return self.score

    def face(self, picture: FacePicture) -> int | None:  # noqa: ARG002 - the port's
        return self.score


def identity(serial: str = SERIAL, kind: str = "Finger") -> DigitalId:
    return DigitalId(
        serial_no=serial,
        make="Maker",
        model="One",
        type=kind,
        device_sub_type="Slap",
        device_provider="Provider",
        date_time=encode_date(NOW),
    )


def captured(
    record: bytes,
    previous: str = FIRST,
    said: Mapping[str, object] = MappingProxyType({}),
    *,
    signer: rsa.RSAPrivateKey | None = None,
    chain: tuple[x509.Certificate, ...] = CHAIN,
    who: DigitalId | None = None,
    spec_version: str = "0.9.5",
    hashed: str | None = None,
    **changed: object,
) -> Captured:
    """Return one signed picture; `said` and `changed` replace what should stand there."""
    by = key(2) if signer is None else signer
    payload = {
        "digitalId": sign((who or identity()).encode(), by, chain),
        "deviceCode": SERIAL,
        "bioType": "Finger",
        "bioSubType": "Left IndexFinger",
        "purpose": "Registration",
        "env": "Staging",
        "bioValue": encode_base64url(record),
        "transactionId": "abcd-1",
        "timestamp": encode_date(NOW),
        "requestedScore": "40",
        "qualityScore": "60",
        **said,
        **changed,
    }
    return Captured(
        spec_version=spec_version,
        data=sign(json.dumps(payload).encode(), by, chain),
        hash=follow(previous, record) if hashed is None else hashed,
    )


def finger_record(position: int = 7, *, rolled: bool | None = False) -> bytes:
    return json.dumps({"position": position, "rolled": rolled}).encode()
