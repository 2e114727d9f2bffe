"""The recognised lists (provinces, ethnic groups, religions, requests) and folded search.

It stores no choice.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache

from biometrics.words import Text
from server import law


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An entry of a list."""

    code: str
    name: Text


def fold(text: str) -> str:
    """Return `text` without accents and case: "Hòa", "Hoà" and "hoa" are found alike."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    kept = (c for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


@cache
def provinces() -> tuple[Listed, ...]:
    """Return the 34 provinces since 1/7/2025."""
    return tuple(
        Listed(code=row["code"], name=Text(vi=row["name"], en=row["full_name_en"]))
        for row in law.read("provinces")["rows"]
    )


@cache
def ethnic_groups() -> dict[str, str]:
    """Return the name of each ethnic group by code."""
    return {row["code"]: row["name"] for row in law.read("ethnic_groups")["rows"]}


@cache
def religions() -> tuple[str, ...]:
    """Return the recognised religions."""
    return tuple(law.read("religions")["rows"])


@cache
def requests() -> tuple[Listed, ...]:
    """Return what may be asked for together with the card (form DC02)."""
    return tuple(
        Listed(code=row["code"], name=Text(vi=row["name"]["vi"], en=row["name"]["en"]))
        for row in law.read("requests")["rows"]
    )
