"""Captures and sealing material for tests: small, whole, and the same every time."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.capture import (
    JPEG,
    PNG,
    Absence,
    AbsenceReason,
    Capture,
    Consent,
    EyeSide,
    Finding,
    ImpressionKind,
    Iris,
    Liveness,
    Missing,
    MissingReason,
    Part,
    Portrait,
    Print,
    Step,
)
from biometrics.seal.checking import device_id
from biometrics.seal.keys import PrivateKeys
from biometrics.seal.layout import end, to_sign
from biometrics.seal.sealing import About, Sealed, seal

AT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
VISIT = "5b2a6a52-6c2b-4f27-9f57-8a6f3a1d0c11"
APPOINTMENT = "0d5c2f0e-7a54-4f0c-b0b5-51e0e3a5b7aa"
DOSSIER = "TN-7Q4K-9M2P"
NOTICE = hashlib.sha256(b"notice 1").hexdigest()


def picture(magic: bytes, seed: int, size: int) -> bytes:
    """Bytes that begin as a picture; nobody here looks at the rest."""
    stream = b"".join(hashlib.sha256(f"{seed}/{at}".encode()).digest() for at in range(0, size, 32))
    return magic + stream[:size]


def capture(*, size: int = 2000, **changes: object) -> Capture:
    """A capture with a portrait of `size` bytes, two prints and a missing finger."""
    fields: dict[str, Any] = {
        "visit": VISIT,
        "dossier": DOSSIER,
        "appointment": APPOINTMENT,
        "portrait": Portrait(
            image=picture(JPEG, 1, size),
            width=900,
            height=1200,
            profile="can-cuoc",
            profile_sha256=hashlib.sha256(b"limits").hexdigest(),
            findings=(
                Finding(name="sharpness", native=12.5, unit="", score=80, passed=True, hint=None),
                Finding(
                    name="compression", native=None, unit="dB", score=None, passed=None, hint=None
                ),
            ),
            forced_by=None,
            liveness=Liveness(
                seed="0123456789abcdef0123456789abcdef",
                actions=("turn_left", "blink"),
                met=(True, True),
                same_face=True,
                relief=0.031,
                seconds=6.5,
            ),
        ),
        "prints": tuple(
            Print(
                position=position,
                kind=ImpressionKind.PLAIN,
                image=picture(PNG, position, 600),
                width=256,
                height=288,
                dpi=500,
                nfiq2=None if position == 6 else 61,
                estimate=58.25,
                minutiae=37,
                template=None,
                support=None,
                agreement=None,
                attempts=2,
                reader="SIM-1",
            )
            for position in (1, 6)
        ),
        "missing": (
            Missing(
                position=7,
                reason=MissingReason.BANDAGED,
                permanent=False,
                officer="cb-01",
                at=AT,
            ),
        ),
        "proof": None,
        "irises": (
            Iris(
                eye=EyeSide.LEFT,
                image=picture(PNG, 77, 400),
                width=640,
                height=480,
                quality=71,
                reader="SIM-2",
            ),
        ),
        "absences": (
            Absence(part=Part.ROLLED, reason=AbsenceReason.NO_DEVICE, officer=None, at=AT),
        ),
        "signature": picture(PNG, 99, 300),
        "consent": Consent(version="1", sha256=NOTICE, at=AT - timedelta(minutes=9)),
        "journal": (
            Step(at=AT - timedelta(minutes=10), event="check_in", detail=""),
            Step(at=AT, event="sign", detail="Đã ký trên màn hình"),
        ),
        "simulated": ("camera", "reader"),
        **changes,
    }
    return Capture(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Keys to seal with, keys to open with, and a device."""

    keys: PrivateKeys
    device: ec.EllipticCurvePrivateKey

    @property
    def device_id(self) -> str:
        """Name of the device."""
        return device_id(self.device.public_key())

    def sign(self, message: bytes) -> bytes:
        """As a kiosk does."""
        return self.device.sign(message, ec.ECDSA(hashes.SHA256()))

    def about(self, **changes: object) -> About:
        """What the header says of `capture()`."""
        fields: dict[str, Any] = {
            "dossier": DOSSIER,
            "appointment": APPOINTMENT,
            "visit": VISIT,
            "station": "HN-01",
            "device": self.device_id,
            "sequence": 41,
            "captured_at": AT,
            "mono": 1234.5,
            "boot_id": "2f1c1c1e-4c55-4bb1-9d0e-6f1f0f0f1a11",
            "modalities": 3,
            "consent": bytes.fromhex(NOTICE),
            "software": "0.1.0",
            "operator": None,
            "previous": bytes(32),
            "trust": "software",
            "simulated": True,
            **changes,
        }
        about: About = fields  # type: ignore[assignment]  # a test may name any field
        return about

    def sealed(self, content: bytes | None = None, /, **changes: object) -> Sealed:
        """Seal `content`, or the capture of `capture()`."""
        return seal(
            capture().encode() if content is None else content,
            keys=self.keys.public,
            sign=self.sign,
            **self.about(**changes),
        )


def bench(kid: str = "ingest-2026-11") -> Bench:
    """New keys each time."""
    return Bench(keys=PrivateKeys.create(kid), device=ec.generate_private_key(ec.SECP256R1()))


def resigned(packet: bytes, by: Bench, *, signature_length: int) -> bytes:
    """The packet as whoever holds the device key would make it look unaltered."""
    signed = packet[: len(packet) - 2 - signature_length]
    signature = by.sign(to_sign(hashlib.sha256(signed).digest()))
    return signed + end(signature)
