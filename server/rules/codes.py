"""Dossier codes in the national shape, with a prefix of our own so that nobody mistakes them.

It hands out no numbers: the running number comes from the database.
"""

import re
from datetime import date

UNIT = "DEMO.001.026"
"""[D] The ministry's own begin with G01; an installation's real unit is not ours to invent."""
LONGEST = 40
SHAPE = re.compile(r"[A-Z]{3,6}[0-9]{0,2}(\.[0-9]{3}){2,3}-[0-9]{6}-[0-9]{6}")
LARGEST = 999_999
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")


class CodeInvalid(ValueError):
    """Not the shape of a dossier code."""


def dossier_code(unit: str, day: date, number: int) -> str:
    """Return ``DEMO.001.026-261124-000123``.

    Raises:
        CodeInvalid: the number does not fit in six digits.
    """
    if not 0 < number <= LARGEST:
        raise CodeInvalid(f"{number} does not fit")
    return f"{unit}-{day:%y%m%d}-{number:06d}"


def parse(text: str) -> str:
    """Return the code as it is stored.

    Raises:
        CodeInvalid: it has another shape.
    """
    plain = "".join(text[: 2 * LONGEST].translate(_DASHES).split()).upper()
    if len(plain) > LONGEST or not SHAPE.fullmatch(plain):
        raise CodeInvalid("not the shape of a dossier code")
    return plain
