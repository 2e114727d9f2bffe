"""A device's answer, taken apart, beside what was asked: what the checks of `verify` look at.

It believes nothing but that each token was signed by the key it names.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from hardware.errors import Garbled
from hardware.sbi.distrust import RecordInconsistent, SignatureWrong
from hardware.sbi.messages import (
    Biometric,
    Captured,
    DigitalId,
    MessageInvalid,
    decode_date,
)
from hardware.sbi.port import (
    EyePicture,
    FacePicture,
    FingerPicture,
    Records,
    RecordUnreadable,
    Scores,
)
from hardware.sbi.tokens import Token, TokenInvalid, parse
from hardware.sbi.tokens import verify as verify_token
from hardware.sbi.trust import Trust
from hardware.sbi.vocabulary import Modality

AnyPicture = FingerPicture | EyePicture | FacePicture


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an answer must say.

    Attributes:
        sub_types: those and no others, each once; ``("",)`` for a face.
        rolled: whether fingers were asked for rolled.
        serial: of the device that was asked.
        previous: hash after which the answer's own go on.
        at: now, aware.
    """

    transaction: str
    version: str
    purpose: str
    env: str
    modality: Modality
    sub_types: tuple[str, ...]
    serial: str
    previous: str
    at: dt.datetime
    rolled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One picture that passed every check.

    Attributes:
        sub_type: which finger or eye, empty for a face.
        record: the ISO record as it was signed.
        claimed: quality 0..100 as the device says, None where it does not.
        at: when it was taken, by the device's clock.
        hash: to which the next record is tied.
        token: what the device signed, whole.
    """

    sub_type: str
    picture: AnyPicture
    record: bytes
    claimed: int | None
    at: dt.datetime
    hash: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One picture of an answer, taken apart and not yet believed."""

    captured: Captured
    token: Token
    biometric: Biometric
    identity_token: Token
    identity: DigitalId
    record: bytes

    @property
    def sub_type(self) -> str:
        """Return which finger or eye it says it is, empty where nothing stands there."""
        return self.biometric.bio_sub_type or ""

    @property
    def moment(self) -> dt.datetime:
        """Return when it says it was taken.

        Raises:
            Garbled: what stands there is no moment.
        """
        try:
            return decode_date(self.biometric.timestamp)
        except MessageInvalid as error:
            raise Garbled(f"a picture's time: {error}") from error

    @property
    def claimed(self) -> float | None:
        """Return the quality it claims, None where it claims none.

        Raises:
            Garbled: what stands there is no quality.
        """
        text = self.biometric.quality_score
        if not text:
            return None
        try:
            score = float(text)
        except ValueError as error:
            raise Garbled(f"a quality of {text!r}") from error
        if not 0 <= score <= 100:  # noqa: PLR2004 - the scale's ends
            raise Garbled(f"a quality of {text!r}")
        return score


def read_piece(captured: Captured) -> Piece:
    """Return one picture of an answer, taken apart.

    Raises:
        SignatureWrong: it, or the device's identity in it, is no token signed by RS256.
        Garbled: what was signed is not what the interface says.
    """
    try:
        token = open_token(captured.data)
    except TokenInvalid as error:
        raise SignatureWrong(f"the picture is not signed: {error}") from error
    check_signature(token, "the picture")
    try:
        biometric = Biometric.decode(token.payload)
        record = biometric.record
    except MessageInvalid as error:
        raise Garbled(f"a signed picture: {error}") from error
    try:
        identity_token = open_token(biometric.digital_id)
    except TokenInvalid as error:
        raise SignatureWrong(f"the device's identity is not signed: {error}") from error
    check_signature(identity_token, "the device's identity")
    try:
        identity = DigitalId.decode(identity_token.payload)
    except MessageInvalid as error:
        raise Garbled(f"a device's identity: {error}") from error
    return Piece(
        captured=captured,
        token=token,
        biometric=biometric,
        identity_token=identity_token,
        identity=identity,
        record=record,
    )


def open_token(text: str) -> Token:
    """Return a token's parts; as `tokens.parse`, of whatever is in its certificates.

    Raises:
        TokenInvalid: see `tokens.parse`; also a certificate of no version there is.
    """
    try:
        return parse(text)
    except (x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise TokenInvalid(f"a certificate that cannot be read: {error}") from error


class Evidence:
    """An answer beside all that it is held against.

    Args:
        captured: the answer's pictures, none of them an error.
        expected: what they must say.
        trust: whom the station believes.
        records: reads the ISO records.
        scores: measures quality again; None where nobody can.

    Raises:
        SignatureWrong, Garbled: as `read_piece`.
    """

    def __init__(
        self,
        captured: Sequence[Captured],
        expected: Expected,
        *,
        trust: Trust,
        records: Records,
        scores: Scores | None,
    ) -> None:
        self.pieces = tuple(map(read_piece, captured))
        self.expected = expected
        self.trust = trust
        self.scores = scores
        self._records = records
        self._pictures: tuple[AnyPicture, ...] | None = None

    def pictures(self) -> tuple[AnyPicture, ...]:
        """Return the pictures of the records, decoded once.

        Raises:
            RecordInconsistent: one cannot be read.
        """
        if self._pictures is None:
            read: dict[Modality, Callable[[bytes], AnyPicture]] = {
                Modality.FINGER: self._records.finger,
                Modality.IRIS: self._records.iris,
                Modality.FACE: self._records.face,
            }
            try:
                self._pictures = tuple(
                    read[self.expected.modality](piece.record) for piece in self.pieces
                )
            except RecordUnreadable as error:
                raise RecordInconsistent(f"the record cannot be read: {error}") from error
        return self._pictures


def check_signature(token: Token, what: str) -> None:
    """Hold a token against the key of its own certificate.

    Raises:
        SignatureWrong: see there.
    """
    try:
        verify_token(token)
    except (TokenInvalid, UnsupportedAlgorithm) as error:
        raise SignatureWrong(f"{what}: {error}") from error
