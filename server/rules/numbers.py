"""The twelve-digit personal number: its form is checked, its meaning only ever warns.

Source: TT 59/2021/TT-BCA Đ4 and the prefix annex of TT 07/2016; there is no check digit.
"""

import enum
from dataclasses import dataclass
from datetime import date
from functools import cache

from server import law

LENGTH = 12
FIRST_CENTURY = 1900
_SPACES = dict.fromkeys(map(ord, " \t\u00a0.-"))


class NumberInvalid(ValueError):
    """Not twelve digits."""


class Doubt(enum.StrEnum):
    """What does not fit; a reason to look twice, never to refuse."""

    PREFIX = "prefix"
    YEAR = "year"
    SEX = "sex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What the number says of its holder."""

    province: str | None
    """Where the birth was registered, by the name of before 1/7/2025; None: unknown prefix."""
    sex: str
    """male, female."""
    year: int


@cache
def prefixes() -> dict[str, str]:
    """Return the province name of each of the 63 prefixes."""
    return {row["id_prefix"]: row["name"] for row in law.read("number_prefixes")["rows"]}


def parse(text: str) -> str:
    """Return the twelve digits in `text`; spaces, dots and dashes between them are let pass.

    Raises:
        NumberInvalid: they are not twelve ASCII digits.
    """
    digits = text[:64].translate(_SPACES)
    if len(digits) != LENGTH or not (digits.isascii() and digits.isdigit()):
        raise NumberInvalid("not twelve digits")
    return digits


def meaning(number: str) -> Meaning:
    """Return what the twelve digits say."""
    century, sex = divmod(int(number[3]), 2)
    return Meaning(
        province=prefixes().get(number[:3]),
        sex="female" if sex else "male",
        year=FIRST_CENTURY + 100 * century + int(number[4:6]),
    )


def doubts(number: str, birth: date, sex: str | None = None) -> tuple[Doubt, ...]:
    """Return what in the number does not fit the person."""
    said = meaning(number)
    fits = {
        Doubt.PREFIX: said.province is not None,
        Doubt.YEAR: said.year == birth.year,
        Doubt.SEX: sex is None or said.sex == sex,
    }
    return tuple(doubt for doubt, fit in fits.items() if not fit)
