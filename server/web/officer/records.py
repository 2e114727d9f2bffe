"""Standard files an officer may take away: of one impression, and of a whole capture.

What stands in them is `biometrics.records`; who may have one is not asked here.
"""

import enum
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from biometrics.capture import Capture, ImpressionKind, Print
from biometrics.face.outputs import Made
from biometrics.records import export
from biometrics.records.blocks import RecordInvalid
from biometrics.records.codings import Coding
from biometrics.sandbox.room import RoomBroken, RoomFull

log = logging.getLogger(__name__)

TRANSACTION: Final = "ENROL"
"""Type of transaction and receiver in an ANSI/NIST file: a receiver's profile may want others."""
RECEIVER: Final = "VN-IDENTITY"
OCTETS: Final = "application/octet-stream"


class OfFinger(enum.StrEnum):
    """A file of one impression."""

    WSQ = "iso-19794-4-wsq"
    JPEG2000 = "iso-19794-4-jp2"
    MINUTIAE = "iso-19794-2-2011"
    MINUTIAE_2005 = "iso-19794-2-2005"


class OfCapture(enum.StrEnum):
    """A file of everything in a capture."""

    NIST = "ansi-nist"
    CBEFF = "cbeff"


_FINGER: Final[Mapping[OfFinger, tuple[str, Callable[[Print, datetime], bytes]]]] = {
    OfFinger.WSQ: ("fir", lambda one, at: export.image_file(one, Coding.WSQ, at=at)),
    OfFinger.JPEG2000: ("fir", lambda one, at: export.image_file(one, Coding.JPEG2000, at=at)),
    OfFinger.MINUTIAE: ("fmr", lambda one, _: export.minutiae_file(one, 2011)),
    OfFinger.MINUTIAE_2005: ("fmr", lambda one, _: export.minutiae_file(one, 2005)),
}


def of_finger(
    wanted: OfFinger, capture: Capture, position: int, kind: ImpressionKind, *, at: datetime
) -> Made | None:
    """Return the file of one impression; None where there is none, or it cannot be written.

    Args:
        wanted: which.
        capture: as it was opened.
        position: of the finger.
        kind: of the impression.
        at: when the capture was taken, aware.
    """
    extension, write = _FINGER[wanted]
    chosen = [one for one in capture.prints if (one.position, one.kind) == (position, kind)]
    if not chosen:
        return None
    return _made(lambda: write(chosen[0], at), extension, OCTETS)


def of_capture(wanted: OfCapture, capture: Capture, *, at: datetime, station: str) -> Made | None:
    """Return the file of the whole capture; None where it cannot be written.

    Args:
        wanted: which.
        capture: as it was opened.
        at: when it was taken, aware.
        station: where it was taken.
    """
    if wanted is OfCapture.CBEFF:
        return _made(lambda: export.cbeff_file(capture, at=at), "xml", "text/xml")
    return _made(
        lambda: export.nist_file(
            capture, at=at, kind=TRANSACTION, destination=RECEIVER, origin=station
        ),
        "an2",
        OCTETS,
    )


def _made(write: Callable[[], bytes], extension: str, kind: str) -> Made | None:
    try:
        data = write()
    except (RecordInvalid, RoomFull, RoomBroken) as error:
        log.warning("a record could not be written: %s", type(error).__name__)
        return None
    return Made(data=data, extension=extension, kind=kind, done={})
