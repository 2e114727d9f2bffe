"""Whom the law, or our own rule, lets go first. It knows no lanes and asks for no papers."""

from collections.abc import Collection
from datetime import date

from biometrics.words import Text
from server import law
from server.rules.ages import age_on
from server.rules.lists import Listed


def groups(birth: date, on: date, declared: Collection[str] = ()) -> tuple[Listed, ...]:
    """Return the groups somebody born on `birth` belongs to on the day `on`, as they said it."""
    age = age_on(birth, on)
    return tuple(
        _listed(row)
        for row in law.read("priority_groups")["rows"]
        if row["age"][0] <= age <= row["age"][1]
        and (not row["declared"] or row["code"] in declared)
    )


def declarable() -> tuple[Listed, ...]:
    """Return the groups that are known only if somebody says so."""
    rows = law.read("priority_groups")["rows"]
    return tuple(_listed(row) for row in rows if row["declared"])


def by_age() -> tuple[Listed, ...]:
    """Return the groups that are known from the birth date."""
    rows = law.read("priority_groups")["rows"]
    return tuple(_listed(row) for row in rows if not row["declared"])


def _listed(row: dict[str, dict[str, str]]) -> Listed:
    return Listed(code=str(row["code"]), name=Text(vi=row["name"]["vi"], en=row["name"]["en"]))
