"""An ANSI/NIST-ITL 1-2011 transaction of one capture, written through the package nistitl.

It reads none. The framing of records and fields is nistitl's; which field holds what (types 1, 2,
10, 14 and 17) and the codes of missing fingers are from memory of NIST SP 500-290, to be checked
against its text and the receiver's own profile.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import nistitl

from biometrics.capture import EyeSide, ImpressionKind
from biometrics.records import codings, impressions
from biometrics.records.blocks import RecordInvalid
from biometrics.records.codings import Coding
from biometrics.records.finger_image import FingerImage
from biometrics.records.iris_image import IrisImage

VERSION: Final = "0500"
"""ANSI/NIST-ITL 1-2011."""
AMPUTATED: Final = "XX"
NOT_PRINTED: Final = "UP"
"""Bandaged, or for another reason."""
_PER_INCH: Final = 1
_NO_UNIT: Final = 0
_BITS: Final = 8
_COMPRESSIONS: Final = {
    Coding.RAW: "NONE",
    Coding.WSQ: "WSQ20",
    Coding.JPEG2000: "JP2L",
    Coding.PNG: "PNG",
}
_EYES: Final = {None: 0, EyeSide.RIGHT: 1, EyeSide.LEFT: 2}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _./-]{0,63}")
"""What is put into a text field: no separators, nothing beyond ASCII."""
_DAY: Final = "%Y%m%d"
_INSTANT: Final = "%Y%m%d%H%M%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """A picture of the face: JPEG with its size."""

    image: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFinger:
    """A finger without an image: `AMPUTATED` or `NOT_PRINTED`."""

    position: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """Who sends what to whom; names are letters, digits, spaces and ``_./-``, at most 64.

    Attributes:
        kind: type of transaction, a word the receiver knows (field 1.004).
        destination, origin: agencies (1.007, 1.008).
        number: of the transaction, unique (1.009).
        reference: of the dossier (2.003).
        at: when the capture was taken, aware.
    """

    kind: str
    destination: str
    origin: str
    number: str
    reference: str
    at: datetime


def export(
    transaction: Transaction,
    *,
    prints: Sequence[FingerImage],
    missing: Sequence[MissingFinger] = (),
    irises: Sequence[IrisImage] = (),
    portrait: Portrait | None = None,
    coding: Coding = Coding.WSQ,
) -> bytes:
    """Return types 1 and 2, then 14 for each finger, 17 for each eye and 10 for the face.

    Args:
        transaction: see `Transaction`.
        prints: none of a person without hands.
        missing: fingers without an image.
        irises: are written as PNG.
        portrait: where one is sent.
        coding: of the fingers.

    Raises:
        RecordInvalid: nothing to send, a name with other characters, a time without zone, a
            coding that is only read; see also `codings.write`.
        RoomFull, RoomBroken: see `codings.write`.
    """
    if not (prints or missing or irises or portrait) or coding not in _COMPRESSIONS:
        raise RecordInvalid("a transaction holds something, in a coding that is written")
    if transaction.at.tzinfo is None:
        raise RecordInvalid("a time of capture has a time zone")
    message = nistitl.Message()
    _begin(message[0], transaction)
    day = transaction.at.strftime(_DAY)
    origin = _name(transaction.origin)
    records = [_dossier(transaction)]
    records += [_finger(image, coding, origin, day) for image in prints]
    records += [_missing(finger, origin, day) for finger in missing]
    records += [_iris(image, origin, day) for image in irises]
    if portrait is not None:
        records.append(_face(portrait, origin, day))
    for number, record in enumerate(records):
        record.IDC = number
        message += record
    return bytes(message.NIST)


def _begin(header: Any, transaction: Transaction) -> None:  # noqa: ANN401 - untyped package
    header.VER = VERSION
    header.TOT = _name(transaction.kind)
    header.DAT = transaction.at.strftime(_DAY)
    header.DAI = _name(transaction.destination)
    header.ORI = _name(transaction.origin)
    header.TCN = _name(transaction.number)
    header.GMT = transaction.at.astimezone(UTC).strftime(_INSTANT)


def _dossier(transaction: Transaction) -> Any:  # noqa: ANN401 - see above
    return _record(2, {3: _name(transaction.reference)})


def _finger(image: FingerImage, coding: Coding, origin: str, day: str) -> Any:  # noqa: ANN401 - see above
    data = codings.write(image.pixels, coding, dpi=image.dpi)
    height, width = image.pixels.shape
    fields: dict[int, object] = {
        3: impressions.CODES[image.kind],
        4: origin,
        5: day if image.at is None else image.at.strftime(_DAY),
        6: width,
        7: height,
        8: _PER_INCH,
        9: image.dpi,
        10: image.dpi,
        11: _COMPRESSIONS[coding],
        12: _BITS,
        13: image.position,
        16: image.dpi,
        17: image.dpi,
    }
    if image.quality is not None:
        by = image.algorithm
        fields[24] = [[image.position, image.quality, f"{by.vendor:04X}", by.number]]
    return _record(14, fields, data)


def _missing(finger: MissingFinger, origin: str, day: str) -> Any:  # noqa: ANN401 - see above
    if finger.code not in (AMPUTATED, NOT_PRINTED):
        raise RecordInvalid(f"{finger.code} is no reason for a missing finger")
    fields = {
        3: impressions.CODES[ImpressionKind.PLAIN],
        4: origin,
        5: day,
        13: finger.position,
        18: [[finger.position, finger.code]],
    }
    return _record(14, fields)


def _iris(image: IrisImage, origin: str, day: str) -> Any:  # noqa: ANN401 - see above
    height, width = image.pixels.shape
    fields = {
        3: _EYES[image.eye],
        4: origin,
        5: day if image.at is None else image.at.strftime(_DAY),
        6: width,
        7: height,
        8: _NO_UNIT,
        9: 1,
        10: 1,
        11: _COMPRESSIONS[Coding.PNG],
        12: _BITS,
        13: "GRAY",
    }
    return _record(17, fields, codings.write(image.pixels, Coding.PNG))


def _face(portrait: Portrait, origin: str, day: str) -> Any:  # noqa: ANN401 - see above
    fields = {
        3: "FACE",
        4: origin,
        5: day,
        6: portrait.width,
        7: portrait.height,
        8: _NO_UNIT,
        9: 1,
        10: 1,
        11: "JPEGB",
        12: "SRGB",
    }
    return _record(10, fields, portrait.image)


def _record(kind: int, fields: dict[int, Any], data: bytes | None = None) -> Any:  # noqa: ANN401 - see above
    record = nistitl.AsciiRecord(kind)
    for number, value in fields.items():
        record += nistitl.Field(kind, number, value)
    if data is not None:
        record.DATA = data
    return record


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise RecordInvalid(f"{text!r} has no place in a field of text")
    return text
