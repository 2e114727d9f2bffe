"""What an SBI error code means for us: something a person can mend, or a device that is broken.

One table; it reads no message.
"""

import enum
from typing import Final

from hardware.errors import Broken, Garbled, Refused, Unplugged
from hardware.sbi.messages import Failure
from hardware.sbi.vocabulary import ErrorCode


class Mendable(enum.Enum):
    """What a person before the device can mend."""

    NOTHING_THERE = enum.auto()
    UNCLEAR = enum.auto()
    MISPLACED = enum.auto()


STREAM_STOPPED: Final = 700
"""The live picture ended while the device waited: its mock gives up the capture too."""
NO_BIOMETRICS: Final = 708
"""The mock's word for a capture that holds nothing."""

CODES: Final[dict[int, Mendable | type[Broken]]] = {
    ErrorCode.NO_OBJECT: Mendable.NOTHING_THERE,
    ErrorCode.CAPTURE_TIMEOUT: Mendable.NOTHING_THERE,
    STREAM_STOPPED: Mendable.NOTHING_THERE,
    NO_BIOMETRICS: Mendable.NOTHING_THERE,
    ErrorCode.EXTRACTION: Mendable.UNCLEAR,
    ErrorCode.ORIENTATION: Mendable.MISPLACED,
    ErrorCode.NOT_FOUND: Unplugged,
    ErrorCode.NO_DEVICE: Unplugged,
}
"""Every other code, known or a vendor's own (5xx), is `Refused` with that code."""


def outcome(failure: Failure | None, where: str) -> Mendable | None:
    """Return what a person can mend, None where nothing went wrong.

    Raises:
        Unplugged: the service is there and its device is not.
        Refused: the device said no; its code stands in `code`.
        Garbled: the code is no number.
    """
    if failure is None or failure.code == ErrorCode.SUCCESS:
        return None
    said = f"{where}: {failure.error_code} {failure.error_info or ''}".strip()
    if failure.code is None:
        raise Garbled(said)
    meant = CODES.get(failure.code, Refused)
    if isinstance(meant, Mendable):
        return meant
    raise Refused(said, failure.code) if meant is Refused else meant(said)
