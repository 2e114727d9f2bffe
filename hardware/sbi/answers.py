"""What a device service answers: discovery, info and captures, signed and tied to each other.

It speaks no HTTP and takes no picture. Each step of an answer is a method of its own.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from hardware.sbi import tokens
from hardware.sbi.chain import follow
from hardware.sbi.messages import (
    SUCCESS,
    Bio,
    Biometric,
    Captured,
    CaptureRequest,
    DeviceInfo,
    DigitalId,
    Discovered,
    Failure,
    Informed,
    Wire,
    encode_base64url,
    encode_date,
)
from hardware.sbi.offers import Card, Take
from hardware.sbi.port import EyePicture, FingerPicture, Records
from hardware.sbi.vocabulary import (
    PLAIN_TYPE,
    ROLLED_TYPE,
    SPEC_VERSION,
    Environment,
    ErrorCode,
    Purpose,
    Status,
)

PROVIDER: Final = "Thu Nhan"
PROVIDER_ID: Final = "THUNHAN"
SERVICE_VERSION: Final = "0.1.0"
CERTIFICATION: Final = "L0"
"""The key lies in a file, not in a chip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A device's key and the certificates that lead from it to its authority, its own first."""

    key: rsa.RSAPrivateKey
    chain: tuple[x509.Certificate, ...]

    def sign(self, message: Wire) -> str:
        """Return a token over a message."""
        return tokens.sign(message.encode(), self.key, self.chain)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """A picture that goes into an answer, with its quality; None where it cannot be said."""

    take: Take
    quality: int | None


class Answers:
    """Builds the answers of a service.

    Args:
        signer: signs for every device of the service.
        records: writes ISO records.
        now: the time, aware.
        env: where the service works.
    """

    def __init__(
        self,
        signer: Signer,
        records: Records,
        now: Callable[[], dt.datetime],
        env: Environment = Environment.PRODUCTION,
    ) -> None:
        self.env = env
        self._signer, self._records, self._now = signer, records, now

    def discovered(self, card: Card, port: int, status: Status) -> Discovered:
        """Return a device's entry in a discovery; its identity is not signed there."""
        return Discovered(
            device_id=card.device_id,
            device_status=status,
            certification=CERTIFICATION,
            service_version=SERVICE_VERSION,
            device_sub_id=tuple(card.sub_ids),
            callback_id=f"http://127.0.0.1:{port}/",
            digital_id=self.identity(card).unsigned(),
            device_code=card.serial,
            spec_version=(SPEC_VERSION,),
            purpose=Purpose.REGISTRATION,
            error=Failure.of(ErrorCode.BUSY) if status is Status.BUSY else SUCCESS,
        )

    def informed(self, card: Card, port: int, status: Status) -> Informed:
        """Return a device's entry in an info."""
        info = DeviceInfo(
            device_status=status,
            device_id=card.device_id,
            firmware=card.firmware,
            certification=CERTIFICATION,
            service_version=SERVICE_VERSION,
            device_sub_id=tuple(card.sub_ids),
            callback_id=f"http://127.0.0.1:{port}/",
            digital_id=self.signer().sign(self.identity(card)),
            device_code=card.serial,
            env=self.env,
            purpose=Purpose.REGISTRATION,
            spec_version=(SPEC_VERSION,),
            impression_types=(PLAIN_TYPE, ROLLED_TYPE) if card.rolls else (),
        )
        return Informed(device_info=self.signer().sign(info), error=SUCCESS)

    def captured(
        self, card: Card, request: CaptureRequest, found: Sequence[Scored]
    ) -> tuple[Captured, ...]:
        """Return the pictures of one request, in order, each tied to the one before."""
        (bio,) = request.bio
        previous = bio.previous_hash
        entries = []
        for scored in found:
            record = self.record(scored)
            previous = self.follow(previous, record)
            entries.append(
                Captured(
                    spec_version=request.spec_version,
                    data=self.token(self.biometric(card, request, bio, scored, record)),
                    hash=previous,
                    error=SUCCESS,
                )
            )
        return tuple(entries)

    def refused(self, code: ErrorCode, info: str = "") -> Captured:
        """Return the entry of a capture that gave nothing."""
        return Captured(spec_version=SPEC_VERSION, error=Failure.of(code, info))

    def signer(self) -> Signer:
        """Return whose key signs."""
        return self._signer

    def moment(self) -> dt.datetime:
        """Return the device's time."""
        return self._now()

    def identity(self, card: Card) -> DigitalId:
        """Return which device it is."""
        return DigitalId(
            serial_no=card.serial,
            make=card.make,
            model=card.model,
            type=card.modality,
            device_sub_type=card.sub_type,
            device_provider=PROVIDER,
            device_provider_id=PROVIDER_ID,
            date_time=encode_date(self.moment()),
        )

    def record(self, scored: Scored) -> bytes:
        """Return the ISO record of a picture.

        Raises:
            ValueError: the picture has no place in a record.
        """
        picture = scored.take.picture
        at = self.moment()
        if isinstance(picture, FingerPicture):
            return self._records.write_finger(replace(picture, quality=scored.quality, at=at))
        if isinstance(picture, EyePicture):
            return self._records.write_iris(replace(picture, quality=scored.quality, at=at))
        return self._records.write_face(replace(picture, quality=scored.quality, at=at))

    def follow(self, previous: str, record: bytes) -> str:
        """Return the hash that ties a record to the one before."""
        return follow(previous, record)

    def biometric(
        self, card: Card, request: CaptureRequest, bio: Bio, scored: Scored, record: bytes
    ) -> Biometric:
        """Return what is signed of one picture."""
        return Biometric(
            digital_id=self.signer().sign(self.identity(card)),
            device_code=card.serial,
            device_service_version=SERVICE_VERSION,
            bio_type=card.modality,
            bio_sub_type=scored.take.sub_type,
            purpose=request.purpose,
            env=request.env,
            bio_value=encode_base64url(record),
            transaction_id=request.transaction_id,
            timestamp=encode_date(self.moment()),
            requested_score=bio.requested_score,
            quality_score="" if scored.quality is None else str(scored.quality),
        )

    def token(self, biometric: Biometric) -> str:
        """Return the signed token of one picture."""
        return self.signer().sign(biometric)
