"""CBEFF records in XML (ISO/IEC 19785-3) as MOSIP's registration client writes and reads them.

It knows no picture and signs nothing: what stands inside is a record of ISO/IEC 19794. Elements,
their order and names as MOSIP's schema (`mosip-cbeff.xsd`) and its mock's output have them. Ours
says whose quality a score is, where MOSIP writes "HMAC" and "SHA-256" for every one; `Integrity` is
false, as there: nothing here protects the whole, the sealed capture does.
"""

import base64
import binascii
import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID
from xml.etree.ElementTree import Element, ParseError, SubElement, register_namespace, tostring

from defusedxml import (
    DefusedXmlException,
    ElementTree,
)

from biometrics.records.blocks import BEST, RecordInvalid

NAMESPACE: Final = "http://standards.iso.org/iso-iec/19785/-3/ed-2/"
MAX_BYTES: Final = 64 * 1024 * 1024
MAX_SAMPLES: Final = 64
MAX_DEPTH: Final = 8
MAX_ELEMENTS: Final = 4096
MAX_RETRIES: Final = 100_000
FINGERS: Final = {
    1: "Right Thumb",
    2: "Right IndexFinger",
    3: "Right MiddleFinger",
    4: "Right RingFinger",
    5: "Right LittleFinger",
    6: "Left Thumb",
    7: "Left IndexFinger",
    8: "Left MiddleFinger",
    9: "Left RingFinger",
    10: "Left LittleFinger",
}
_VERSION: Final = ("1", "1")
_FORMATS: Final = {"Finger": "7", "Iris": "9", "Face": "8", "ExceptionPhoto": "8"}
_TEXT: Final = re.compile(r"[ -~]{0,100000}")
"""What is put into an entry: printable ASCII, which a JSON payload can be."""
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


class Modality(enum.StrEnum):
    """What is shown."""

    FINGER = "Finger"
    IRIS = "Iris"
    FACE = "Face"
    EXCEPTION_PHOTO = "ExceptionPhoto"
    """A picture of the citizen with both hands, where a finger is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One finger, eye or face.

    Attributes:
        subtype: a name of `FINGERS`, "Left" or "Right" of an eye, "" of a face.
        record: ISO/IEC 19794; None where the finger or eye could not be captured.
        quality: 0..100, None where it is not known.
        algorithm: whose quality it is, in words: organisation and name.
        index: of this sample.
        at: when it was taken, aware.
        retries: impressions that were taken.
        forced: an officer accepted it below the gate.
        signature: of the device, ``header..signature`` of its answer; empty where there is none.
        payload: of the device, its answer without the record; empty where there is none.
        spec: version of the interface it came by; empty where it came by none.
    """

    modality: Modality
    subtype: str
    record: bytes | None
    quality: int | None
    index: UUID
    at: datetime
    algorithm: tuple[str, str] = ("NIST", "NFIQ 2")
    retries: int = 1
    forced: bool = False
    signature: str = ""
    payload: str = ""
    spec: str = ""


def export(samples: Sequence[Sample]) -> bytes:
    """Return the document: one BIR that holds one for each sample.

    Raises:
        RecordInvalid: no or too many samples, a subtype that its modality does not have, a time
            without zone, a text with other than printable ASCII.
    """
    if not 0 < len(samples) <= MAX_SAMPLES:
        raise RecordInvalid(f"a document has 1 to {MAX_SAMPLES} samples")
    root = Element(_tag("BIR"))
    _integrity(root)
    for sample in samples:
        _write(SubElement(root, _tag("BIR")), sample)
    register_namespace("", NAMESPACE)
    document: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return document


def read(data: bytes) -> tuple[Sample, ...]:
    """Return the samples of a document.

    Raises:
        RecordInvalid: over `MAX_BYTES`, not XML, with a document type, entities or more elements
            than is read, of another namespace, without samples, or with a value that is none.
    """
    if len(data) > MAX_BYTES:
        raise RecordInvalid(f"a document has at most {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8")
        # Before the parser builds them.
        if text.count("<") > 2 * MAX_ELEMENTS:
            raise RecordInvalid("more elements than are read")
        root: Element = ElementTree.fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, UnicodeError) as error:
        raise RecordInvalid(f"no XML that is read: {error}") from error
    _check_shape(root)
    if root.tag != _tag("BIR"):
        raise RecordInvalid("not a CBEFF document")
    parts = root.findall(_tag("BIR"))
    if not 0 < len(parts) <= MAX_SAMPLES:
        raise RecordInvalid(f"{len(parts)} samples; 1 to {MAX_SAMPLES} are read")
    return tuple(_read(part) for part in parts)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _child(parent: Element, name: str, text: str | None = None) -> Element:
    child = SubElement(parent, _tag(name))
    child.text = text
    return child


def _integrity(parent: Element) -> None:
    _child(_child(parent, "BIRInfo"), "Integrity", "false")


def _write(bir: Element, sample: Sample) -> None:
    _check(sample)
    for name in ("Version", "CBEFFVersion"):
        version = _child(bir, name)
        for part, number in zip(("Major", "Minor"), _VERSION, strict=True):
            _child(version, part, number)
    _integrity(bir)
    info = _child(bir, "BDBInfo")
    _child(info, "Index", str(sample.index))
    _registered(_child(info, "Format"), "Mosip", _FORMATS[sample.modality])
    _child(info, "CreationDate", _written_at(sample.at))
    _child(info, "Type", sample.modality)
    _child(info, "Subtype", sample.subtype)
    _child(info, "Level", "Raw")
    _child(info, "Purpose", "Enroll")
    quality = _child(info, "Quality")
    _registered(_child(quality, "Algorithm"), *sample.algorithm)
    if sample.quality is None:
        _child(quality, "QualityCalculationFailed", "not assessed")
    else:
        _child(quality, "Score", str(sample.quality))
    if sample.record is not None:
        _child(bir, "BDB", base64.b64encode(sample.record).decode())
    if sample.signature:
        _child(bir, "SB", base64.b64encode(sample.signature.encode()).decode())
    others = _child(bir, "others")
    for key, value in _entries(sample).items():
        entry = _child(others, "entry", value)
        entry.set("key", key)


def _registered(parent: Element, organisation: str, kind: str) -> None:
    _child(parent, "Organization", organisation)
    _child(parent, "Type", kind)


def _entries(sample: Sample) -> dict[str, str]:
    return {
        "EXCEPTION": _said(sample.record is None),
        "RETRIES": str(sample.retries),
        "SDK_SCORE": "0.0" if sample.quality is None else f"{sample.quality:.1f}",
        "FORCE_CAPTURED": _said(sample.forced),
        "PAYLOAD": sample.payload,
        "SPEC_VERSION": sample.spec,
    }


def _said(flag: bool) -> str:  # noqa: FBT001 - it is what is said
    return "true" if flag else "false"


def _written_at(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _check(sample: Sample) -> None:
    known = {
        Modality.FINGER: frozenset(FINGERS.values()),
        Modality.IRIS: frozenset({"Left", "Right"}),
    }.get(sample.modality, frozenset({""}))
    if sample.subtype not in known:
        raise RecordInvalid(f"{sample.modality} has no {sample.subtype!r}")
    if sample.at.tzinfo is None:
        raise RecordInvalid("a time of capture has a time zone")
    if sample.quality is not None and not 0 <= sample.quality <= BEST:
        raise RecordInvalid(f"{sample.quality} is no quality")
    if sample.record is not None and not sample.record:
        raise RecordInvalid("a record of no bytes is none")
    if not 0 <= sample.retries <= MAX_RETRIES:
        raise RecordInvalid(f"{sample.retries} retries are none")
    texts = (sample.signature, sample.payload, sample.spec, *sample.algorithm)
    if not all(_TEXT.fullmatch(text) for text in texts):
        raise RecordInvalid("a text that is not printable ASCII, or too long")


def _check_shape(root: Element) -> None:
    """Refuse a tree that is deeper or larger than a document can be."""
    level, count = [root], 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_ELEMENTS:
            break
        level = [child for element in level for child in element]
        if not level:
            return
    raise RecordInvalid("more elements, or deeper ones, than is read")


def _read(bir: Element) -> Sample:
    info = _found(bir, "BDBInfo")
    quality = _found(info, "Quality")
    algorithm = _found(quality, "Algorithm")
    others = {
        entry.get("key", ""): entry.text or ""
        for entry in _found(bir, "others").findall(_tag("entry"))
    }
    record = bir.find(_tag("BDB"))
    signature = bir.find(_tag("SB"))
    try:
        sample = Sample(
            modality=Modality(_text(info, "Type")),
            subtype=_text(info, "Subtype"),
            record=None if record is None else _decoded(record),
            quality=_score(quality),
            algorithm=(_text(algorithm, "Organization"), _text(algorithm, "Type")),
            index=UUID(_text(info, "Index")),
            at=_instant(_text(info, "CreationDate")),
            retries=_number(others.get("RETRIES", "1")),
            forced=others.get("FORCE_CAPTURED") == "true",
            signature="" if signature is None else _decoded(signature).decode("ascii"),
            payload=others.get("PAYLOAD", ""),
            spec=others.get("SPEC_VERSION", ""),
        )
    except ValueError as error:
        raise RecordInvalid(f"a value that is none: {error}") from error
    _check(sample)
    if others.get("EXCEPTION") != _said(sample.record is None):
        raise RecordInvalid("a sample is captured or an exception, not both")
    return sample


def _found(parent: Element, name: str) -> Element:
    child = parent.find(_tag(name))
    if child is None:
        raise RecordInvalid(f"there is no {name}")
    return child


def _text(parent: Element, name: str) -> str:
    return _found(parent, name).text or ""


def _score(quality: Element) -> int | None:
    score = quality.find(_tag("Score"))
    return None if score is None else _number(score.text or "")


def _number(text: str) -> int:
    # int() also takes signs, spaces, underscores and digits of other scripts.
    if not _NUMBER.fullmatch(text):
        raise RecordInvalid(f"{text[:20]!r} is no number")
    return int(text)


def _decoded(element: Element) -> bytes:
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except binascii.Error as error:
        raise RecordInvalid("no base64") from error


def _instant(text: str) -> datetime:
    # Java writes nanoseconds; Python holds microseconds.
    if not _INSTANT.fullmatch(text):
        raise RecordInvalid(f"{text!r} is no time of ours")
    seconds, _, part = text[:-1].partition(".")
    return datetime.fromisoformat(f"{seconds}.{part[:6]:0<6}+00:00")
