"""How a finger lay, in the numbers of ISO/IEC 19794-2 and -4:2011; both have the same table.

It judges no impression.
"""

from typing import Final

from biometrics.capture import ImpressionKind
from biometrics.records.blocks import RecordInvalid

CODES: Final = {ImpressionKind.PLAIN: 0, ImpressionKind.ROLLED: 1, None: 29}
"""None stands for unknown; ANSI/NIST-ITL has the same numbers."""
IMPRESSIONS: Final = frozenset({*range(10), 24, 28, 29})
"""Impression types that are defined for fingers; those that are not ours are read as None."""


def kind_of(code: int) -> ImpressionKind | None:
    """Return the kind that an impression type stands for, None for those that are not ours.

    Raises:
        RecordInvalid: the code is not defined.
    """
    if code not in IMPRESSIONS:
        raise RecordInvalid(f"the impression type {code} is not defined")
    return next((kind for kind, number in CODES.items() if number == code), None)
