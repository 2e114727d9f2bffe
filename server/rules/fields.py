"""What people type into forms: cleaned and checked, refused with the key of a sentence.

It knows neither forms nor pages; source of the rules: CC01 and DC02 of TT 118/2026, see `law`.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from server.rules.ages import OLDEST, age_on

LONGEST_NAME = 100
LONGEST_LINE = 200
LONGEST_TEXT = 500
LONGEST_EMAIL = 254
"""RFC 5321's path limit."""
PHONE = re.compile(r"(?:0|\+84)[35789][0-9]{8}")
EMAIL = re.compile(
    r"[^@\s<>()\[\],;:\\\"]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
NAME_MARKS = frozenset(" '-.’")
APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "`": "'", "‐": "-", "‑": "-", "–": "-"})


class Refused(ValueError):
    """A field is not as it must be; its text is the key of the sentence that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthDate:
    """A birth date; old people may know only the year."""

    day: date
    """The first of January where only the year is known."""
    year_only: bool


def line(text: str, *, longest: int = LONGEST_LINE) -> str:
    """Return one clean NFC line: no control characters, no doubled spaces.

    Raises:
        Refused: it is too long.
    """
    if len(text) > 8 * longest:
        raise Refused("field.too_long")
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in composed)
    kept = "".join(c for c in kept if unicodedata.category(c) not in {"Cf", "Cs", "Co", "Cn"})
    clean = " ".join(kept.split())
    if len(clean) > longest:
        raise Refused("field.too_long")
    return clean


def name(text: str) -> str:
    """Return a birth name: letters of any alphabet's Vietnamese writing, space, ' - .

    Raises:
        Refused: it is empty, too long, or holds another character.
    """
    clean = line(text, longest=LONGEST_NAME).translate(APOSTROPHES)
    if not clean:
        raise Refused("name.empty")
    letters = [c for c in clean if c not in NAME_MARKS]
    latin = all(unicodedata.name(c, "").startswith("LATIN ") for c in letters if c.isalpha())
    marks = all(c.isalpha() or unicodedata.category(c) == "Mn" for c in letters)
    if not letters or not (latin and marks):
        raise Refused("name.characters")
    return clean


def same_name(one: str, other: str) -> bool:
    """Return whether two names are the same but for case, spaces and the way accents are coded."""

    def plain(text: str) -> str:
        composed = unicodedata.normalize("NFC", text.translate(APOSTROPHES))
        return " ".join(composed.casefold().split())

    return _tone_moved(plain(one)) == _tone_moved(plain(other))


def _tone_moved(text: str) -> str:
    """Return `text` with the tone taken off o-a, o-e and u-y: "Hòa" and "Hoà" are one name."""
    tones = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
    words = []
    for word in text.split(" "):
        apart = unicodedata.normalize("NFD", word)
        bare = "".join(c for c in apart if c not in tones)
        tone = "".join(c for c in apart if c in tones)
        moves = re.search(r"(?:oa|oe|uy)$", bare) is not None
        words.append(bare + "|" + tone if moves else apart)
    return " ".join(words)


def phone(text: str) -> str:
    """Return a Vietnamese mobile number as ``0912345678``.

    Raises:
        Refused: it is empty or none.
    """
    plain = re.sub(r"[\s.()-]", "", line(text))
    if not plain:
        raise Refused("phone.empty")
    if not PHONE.fullmatch(plain):
        raise Refused("phone.wrong")
    return "0" + plain.removeprefix("+84").removeprefix("0")


def email(text: str) -> str | None:
    """Return an e-mail address, or None where nothing was entered.

    Raises:
        Refused: it is none.
    """
    plain = line(text, longest=LONGEST_EMAIL)
    if not plain:
        return None
    if not EMAIL.fullmatch(plain):
        raise Refused("email.wrong")
    return plain


def birth_date(parts: Mapping[str, str], field: str, *, today: date) -> BirthDate:
    """Return the date in ``<field>_day``, ``_month``, ``_year``; day and month may both be empty.

    Raises:
        Refused: it is empty, no day of the calendar, in the future or too long ago.
    """
    day, month, year = (
        line(parts.get(f"{field}_{part}", ""), longest=10) for part in ("day", "month", "year")
    )
    if not (day or month or year):
        raise Refused("birth.empty")
    if not all(part.isascii() and part.isdigit() for part in (day, month, year) if part):
        raise Refused("birth.wrong")
    if len(year) != 4 or bool(day) != bool(month):  # noqa: PLR2004 - 1990, not 90
        raise Refused("birth.incomplete")
    try:
        born = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise Refused("birth.wrong") from None
    if born > today:
        raise Refused("birth.future")
    if age_on(born, today) > OLDEST:
        raise Refused("birth.too_old")
    return BirthDate(day=born, year_only=not day)
