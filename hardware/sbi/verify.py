"""Holding a device's answer against what was asked, whom the station believes, and itself.

Each check has its name and its own refusal; the tree of them stands in `distrust`. It asks no
device and keeps nothing.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from statistics import fmean
from typing import Final

from hardware.sbi.certificates import check_chain
from hardware.sbi.chain import HashInvalid, follow
from hardware.sbi.discovery import Device
from hardware.sbi.distrust import (
    CheckName,
    Distrusted,
    HashChainBroken,
    PurposeOther,
    QualityOverstated,
    RecordInconsistent,
    SerialOther,
    SubTypesOther,
    TimestampOff,
    TransactionOther,
    VersionOther,
)
from hardware.sbi.evidence import AnyPicture, Evidence, Taken, check_signature
from hardware.sbi.port import EyePicture, FingerPicture, Scores
from hardware.sbi.tokens import Token
from hardware.sbi.trust import Trust
from hardware.sbi.vocabulary import EYES, FINGERS

TIMESTAMP_OFF: Final = dt.timedelta(minutes=5)
"""How far a device's clock may be from ours (what the interface's reference client allows)."""
OVERSTATED: Final = 15.0
"""Points of quality by which a claim may lie over ours, on average over the answer: other builds
of NFIQ 2 differ by a few, a claim made up does not. Own choice."""


def verify(evidence: Evidence) -> tuple[Taken, ...]:
    """Return the pictures once all checks are passed.

    Raises:
        Distrusted: the first that was not.
        Garbled: what was signed is not what the interface says.
    """
    for check in CHECKS.values():
        check(evidence)
    return tuple(
        Taken(
            sub_type=piece.sub_type,
            picture=picture,
            record=piece.record,
            claimed=None if piece.claimed is None else round(piece.claimed),
            at=piece.moment,
            hash=piece.captured.hash,
            token=piece.captured.data,
        )
        for piece, picture in zip(evidence.pieces, evidence.pictures(), strict=True)
    )


def check_device(device: Device, trust: Trust, at: dt.datetime) -> None:
    """Hold what a device says of itself against whom the station believes.

    Raises:
        SignatureWrong, ChainUntrusted, CertificateRevoked: of either token.
        SerialOther: two serial numbers, or one that is not enrolled.
    """
    for token, what in (
        (device.token, "the device's info"),
        (device.identity_token, "the device's identity"),
    ):
        check_signature(token, what)
        check_chain(token.chain, trust, at)
    serial = device.identity.serial_no
    if device.info.device_code not in {"", serial}:
        raise SerialOther(f"{device.info.device_code!r} calls itself {serial!r} as well")
    _check_enrolled(serial, trust)
    _check_one_key(device.token, device.identity_token, serial, trust)


def _check_enrolled(serial: str, trust: Trust) -> None:
    if trust.serials is not None and serial not in trust.serials:
        raise SerialOther(f"the device {serial!r} is not enrolled for this station")


def _check_one_key(token: Token, identity_token: Token, serial: str, trust: Trust) -> None:
    """A token of identity can be copied by whoever reads it: it must come with its own key."""
    if serial not in trust.chips and token.leaf.public_key() != identity_token.leaf.public_key():
        raise SerialOther(
            f"the identity {serial!r} was signed by another key than what it vouches for"
        )


def _check_chains(evidence: Evidence) -> None:
    # All pictures of an answer carry the same certificates, as a rule.
    seen = {
        token.chain for piece in evidence.pieces for token in (piece.token, piece.identity_token)
    }
    for chain in seen:
        check_chain(chain, evidence.trust, evidence.expected.at)


def _check_serial(evidence: Evidence) -> None:
    expected = evidence.expected
    for piece in evidence.pieces:
        serial = piece.identity.serial_no
        if serial != expected.serial or piece.biometric.device_code not in {"", serial}:
            raise SerialOther(f"{serial!r} answered, {expected.serial!r} was asked")
        _check_enrolled(serial, evidence.trust)
        _check_one_key(piece.token, piece.identity_token, serial, evidence.trust)


def _check_timestamp(evidence: Evidence) -> None:
    for piece in evidence.pieces:
        off = abs(piece.moment - evidence.expected.at)
        if off > TIMESTAMP_OFF:
            raise TimestampOff(f"the device's clock is {off} from ours; set both")


def _check_transaction(evidence: Evidence) -> None:
    for piece in evidence.pieces:
        if piece.biometric.transaction_id != evidence.expected.transaction:
            raise TransactionOther("the answer to another request")


def _check_version(evidence: Evidence) -> None:
    for piece in evidence.pieces:
        if piece.captured.spec_version != evidence.expected.version:
            said, wanted = piece.captured.spec_version, evidence.expected.version
            raise VersionOther(f"version {said!r}, not {wanted!r}")


def _check_purpose(evidence: Evidence) -> None:
    expected = evidence.expected
    for piece in evidence.pieces:
        said = (piece.biometric.purpose, piece.biometric.env)
        if said != (expected.purpose, expected.env):
            raise PurposeOther(f"taken for {said}, not {(expected.purpose, expected.env)}")


def _check_sub_types(evidence: Evidence) -> None:
    expected = evidence.expected
    if any(piece.biometric.bio_type != expected.modality for piece in evidence.pieces):
        raise SubTypesOther(f"a picture that is no {expected.modality}")
    said = Counter(piece.sub_type for piece in evidence.pieces)
    wanted = Counter(expected.sub_types)
    if said != wanted:
        raise SubTypesOther(
            f"missing: {sorted((wanted - said).elements())}, "
            f"not asked for: {sorted((said - wanted).elements())}"
        )


def _check_hash_chain(evidence: Evidence) -> None:
    previous = evidence.expected.previous
    for piece in evidence.pieces:
        try:
            hashed = follow(previous, piece.record)
        except HashInvalid as error:
            raise HashChainBroken(str(error)) from error
        if piece.captured.hash.upper() != hashed:
            raise HashChainBroken("a picture is not tied to the one before it")
        previous = hashed


def _check_records(evidence: Evidence) -> None:
    for piece, picture in zip(evidence.pieces, evidence.pictures(), strict=True):
        if isinstance(picture, FingerPicture):
            if picture.position != FINGERS.get(piece.sub_type):
                raise RecordInconsistent(
                    f"the record is of finger {picture.position}, not {piece.sub_type!r}"
                )
            if picture.rolled not in {None, evidence.expected.rolled}:
                raise RecordInconsistent("a finger is not rolled, or not flat, as was asked")
        if isinstance(picture, EyePicture) and picture.eye is not EYES.get(piece.sub_type):
            raise RecordInconsistent(f"the record is of eye {picture.eye}, not {piece.sub_type!r}")


def _check_quality(evidence: Evidence) -> None:
    """Compare on average: some devices claim the mean of a slap for each of its fingers."""
    if evidence.scores is None:
        return
    pairs = [
        (piece.claimed, ours)
        for piece, picture in zip(evidence.pieces, evidence.pictures(), strict=True)
        if piece.claimed is not None and (ours := score(picture, evidence.scores)) is not None
    ]
    if not pairs:
        return
    claimed = fmean(pair[0] for pair in pairs)
    measured = fmean(pair[1] for pair in pairs)
    if claimed - measured > OVERSTATED:
        raise QualityOverstated(f"the device claims {claimed:.0f}, we measure {measured:.0f}")


def score(picture: AnyPicture, scores: Scores) -> int | None:
    """Return the quality that we measure, None where it cannot be said."""
    if isinstance(picture, FingerPicture):
        return scores.finger(picture)
    if isinstance(picture, EyePicture):
        return scores.iris(picture)
    return scores.face(picture)


CHECKS: Final[dict[CheckName, Callable[[Evidence], None]]] = {
    CheckName.CHAIN: _check_chains,
    CheckName.SERIAL: _check_serial,
    CheckName.TIMESTAMP: _check_timestamp,
    CheckName.TRANSACTION: _check_transaction,
    CheckName.VERSION: _check_version,
    CheckName.PURPOSE: _check_purpose,
    CheckName.SUB_TYPES: _check_sub_types,
    CheckName.HASH_CHAIN: _check_hash_chain,
    CheckName.RECORD: _check_records,
    CheckName.QUALITY: _check_quality,
}
"""In the order in which they are made. Signatures come before them all, in `read_piece`: what
nobody signed is not read on."""


def examine(evidence: Evidence) -> dict[CheckName, Distrusted | None]:
    """Return the outcome of every check, the refusal of those that were not passed.

    Raises:
        Garbled: what was signed is not what the interface says.
    """
    found: dict[CheckName, Distrusted | None] = {}
    for name, check in CHECKS.items():
        try:
            check(evidence)
        except Distrusted as refusal:
            found[name] = refusal
        else:
            found[name] = None
    return found
