"""A capture: what one visit produced, as one value that is sealed and opened whole.

It is not the sealed packet (see `biometrics.seal`) and judges nothing. What it is made of is
defined in `capture_parts` and named here, where everybody looks for it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

import cbor2

from biometrics.capture_parts import (
    FINGERS,
    JPEG,
    MAX_ACTIONS,
    MAX_COUNT,
    MAX_DETAIL,
    MAX_DEVICES,
    MAX_FINDINGS,
    MAX_ID,
    MAX_IMAGE_BYTES,
    MAX_NAME,
    MAX_PRINTS,
    MAX_RECORD,
    MAX_SIDE,
    MAX_STEPS,
    MINUTIAE,
    PNG,
    Absence,
    AbsenceReason,
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
from biometrics.capture_reading import (
    read_absence,
    read_consent,
    read_iris,
    read_missing,
    read_name,
    read_picture,
    read_picture_or_none,
    read_portrait,
    read_print,
    read_step,
)
from biometrics.seal.cbor import Fields, NotPlain, read

__all__ = [
    "FINGERS",
    "FORMAT",
    "HELPED",
    "JPEG",
    "MAX_ACTIONS",
    "MAX_BYTES",
    "MAX_COUNT",
    "MAX_DETAIL",
    "MAX_DEVICES",
    "MAX_FINDINGS",
    "MAX_ID",
    "MAX_IMAGE_BYTES",
    "MAX_NAME",
    "MAX_PRINTS",
    "MAX_RECORD",
    "MAX_SIDE",
    "MAX_STEPS",
    "MINUTIAE",
    "PNG",
    "Absence",
    "AbsenceReason",
    "Capture",
    "CaptureInvalid",
    "Consent",
    "EyeSide",
    "Finding",
    "ImpressionKind",
    "Iris",
    "Liveness",
    "Missing",
    "MissingReason",
    "Part",
    "Portrait",
    "Print",
    "Step",
]

MAX_BYTES = 32 * 1024 * 1024
FORMAT = 1
HELPED = "officer"
"""The journal's step that an officer helps from now on; its detail is who."""


class CaptureInvalid(ValueError):
    """The bytes are not a capture: truncated, too large, of wrong types or with unknown fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What one visit produced."""

    visit: str
    dossier: str
    appointment: str
    portrait: Portrait
    prints: tuple[Print, ...]
    missing: tuple[Missing, ...]
    proof: bytes | None
    """JPEG of the citizen with both hands, where a finger is missing for a reason one can see."""
    irises: tuple[Iris, ...]
    absences: tuple[Absence, ...]
    signature: bytes
    """PNG of what the citizen signed on the screen."""
    consent: Consent
    journal: tuple[Step, ...]
    simulated: tuple[str, ...]
    """Names of the stand-in devices that took part; empty in earnest."""

    @property
    def helpers(self) -> frozenset[str]:
        """Every officer who took part; the header's operator is only the last of them."""
        named = {step.detail for step in self.journal if step.event == HELPED}
        named |= {missing.officer for missing in self.missing}
        named |= {absence.officer for absence in self.absences if absence.officer is not None}
        if self.portrait.forced_by is not None:
            named.add(self.portrait.forced_by)
        return frozenset(named)

    def encode(self) -> bytes:
        """Return deterministic CBOR (RFC 8949, section 4.2).

        Raises:
            CaptureInvalid: `decode` would refuse it, so it must not be sealed.
        """
        data = _write(self)
        if Capture.decode(data) != self:
            raise CaptureInvalid("the capture would not be read as it was written")
        return data

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the capture in `data`.

        Raises:
            CaptureInvalid: truncated, over `MAX_BYTES`, not canonical, of another
                format, with missing or unknown fields, of wrong types, with a number that is
                none, a time without offset, a picture of wrong kind or size, with a finger
                outside 1..10, or with a finger, an eye or a part named twice. Nothing is half
                read.
        """
        if len(data) > MAX_BYTES:
            raise CaptureInvalid(f"a capture has at most {MAX_BYTES} bytes")
        try:
            capture = cls._read(Fields(read(data), "capture"))
        except NotPlain as error:
            raise CaptureInvalid(str(error)) from error
        missing = [missing.position for missing in capture.missing]
        present = {one.position for one in capture.prints}
        _once("a finger", [*((one.position, one.kind) for one in capture.prints)])
        _once("a finger", [*missing, *present])
        _once("an eye", [one.eye for one in capture.irises])
        _once("a part", [one.part for one in capture.absences])
        # Also where a time or float is legal but not in the one form that we write.
        if _write(capture) != data:
            raise CaptureInvalid("the capture is not canonical")
        return capture

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        fields.whole("format", FORMAT, FORMAT)
        capture = cls(
            visit=fields.text("visit", MAX_ID),
            dossier=fields.text("dossier", MAX_ID),
            appointment=fields.text("appointment", MAX_ID),
            portrait=read_portrait(fields.value("portrait")),
            prints=tuple(read_print(row) for row in fields.rows("prints", MAX_PRINTS)),
            missing=tuple(read_missing(row) for row in fields.rows("missing", len(FINGERS))),
            proof=read_picture_or_none(fields, "proof", JPEG),
            irises=tuple(read_iris(row) for row in fields.rows("irises", len(EyeSide))),
            absences=tuple(read_absence(row) for row in fields.rows("absences", len(Part))),
            signature=read_picture(fields, "signature", PNG),
            consent=read_consent(fields.value("consent")),
            journal=tuple(read_step(row) for row in fields.rows("journal", MAX_STEPS)),
            simulated=tuple(
                read_name(row, "device") for row in fields.rows("simulated", MAX_DEVICES)
            ),
        )
        fields.close()
        if len(set(capture.simulated)) != len(capture.simulated):
            raise NotPlain("a device is named twice")
        return capture


def _write(capture: Capture) -> bytes:
    try:
        return cbor2.dumps({"format": FORMAT, **asdict(capture)}, canonical=True)
    except (cbor2.CBOREncodeError, ValueError, TypeError, OverflowError) as error:
        raise CaptureInvalid("a field of the capture cannot be written") from error


def _once(what: str, named: Sequence[object]) -> None:
    if len(set(named)) != len(named):
        raise CaptureInvalid(f"{what} is named twice")
