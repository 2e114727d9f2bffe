"""Reads the text of a card's QR code to save typing; the code is unsigned and proves nobody.

Shape: number|old number|name|ddmmyyyy|sex|residence|issued ddmmyyyy[|...] (six or more fields).
"""

from dataclasses import dataclass
from datetime import date

from server.rules import fields, numbers

LONGEST = 2000
FEWEST = 6
"""Fields; cards of 2021 have seven, some readers drop the last, newer ones add more."""


class QrUnreadable(ValueError):
    """The text is not that of an identity card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardText:
    """What a card's QR code says."""

    personal_number: str
    old_number: str | None
    full_name: str
    birth_date: date
    sex: str
    residence: str
    extra: tuple[str, ...]
    """Further fields, raw."""


def _day(text: str) -> date:
    if len(text) != 8 or not (text.isascii() and text.isdigit()):  # noqa: PLR2004 - ddmmyyyy
        raise QrUnreadable("no date of eight digits")
    try:
        return date(int(text[4:]), int(text[2:4]), int(text[:2]))
    except ValueError as error:
        raise QrUnreadable("no such day") from error


def parse(text: str) -> CardText:
    """Return what the text says.

    Raises:
        QrUnreadable: it is not that of an identity card.
    """
    if len(text) > LONGEST:
        raise QrUnreadable("too long")
    parts = [part.strip() for part in text.strip().split("|")]
    if len(parts) < FEWEST:
        raise QrUnreadable("too few fields")
    number, old, name, born, sex, residence, *extra = parts
    try:
        personal_number = numbers.parse(number)
        full_name = fields.name(name)
    except (numbers.NumberInvalid, fields.Refused) as error:
        raise QrUnreadable(str(error)) from error
    return CardText(
        personal_number=personal_number,
        old_number=old if len(old) == 9 and old.isdigit() else None,  # noqa: PLR2004 - CMND
        full_name=full_name,
        birth_date=_day(born),
        sex={"nam": "male", "nữ": "female"}.get(sex.casefold(), ""),
        residence=residence,
        extra=tuple(extra),
    )
