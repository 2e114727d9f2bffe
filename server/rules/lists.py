"""The recognised lists (provinces, ethnic groups, religions, requests) and folded search.

It stores no choice.
"""

from dataclasses import dataclass
from functools import cache

from biometrics.words import Text
from scheduler import words
from server import law

fold = words.fold
"""Folds what people type as places are searched for: see there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An entry of a list."""

    code: str
    name: Text


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
