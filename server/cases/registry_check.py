"""Compares what a citizen says of themselves with the population registry.

It holds no transaction: the caller asks first and stores afterwards.
"""

import enum
from dataclasses import dataclass

from server.cases.throttle import Limit
from server.registry.port import Person, Registry, RegistryDown
from server.rules import numbers
from server.rules.fields import BirthDate, same_name

BY_DRAFT = Limit(name="check", tries=12, seconds=900)
"""[D] Typing mistakes are forgiven; fishing in the registry is not."""
BY_NETWORK = Limit(name="checknet", tries=120, seconds=900)
"""[D] Ten drafts' worth for a whole /24: a family or an internet café never needs it."""
BY_NUMBER = Limit(name="checknum", tries=20, seconds=86400)
"""[D] Birth dates tried for one number in a day, from wherever they come."""
LIMITS = (BY_DRAFT, BY_NETWORK, BY_NUMBER)


class Finding(enum.StrEnum):
    """What the registry says."""

    SAME = "same"
    DIFFERENT = "different"
    """Unknown number, or another name or birth date: told alike, so that nobody can fish."""
    DOWN = "down"
    """Nobody can say now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The outcome of one check."""

    finding: Finding
    person: Person | None = None
    """Only where the finding is SAME."""
    doubts: tuple[numbers.Doubt, ...] = ()
    """What in the number does not fit the person; a reason to look twice, no more."""


def _same_birth(said: BirthDate, person: Person) -> bool:
    if person.birth_year_only:
        return said.day.year == person.birth_date.year
    return not said.year_only and said.day == person.birth_date


def check(registry: Registry, *, number: str, name: str, birth: BirthDate) -> Checked:
    """Ask the registry whether this number, name and birth date are one person's."""
    try:
        person = registry.find(number)
    except RegistryDown:
        return Checked(finding=Finding.DOWN)
    if person is None or not (same_name(name, person.full_name) and _same_birth(birth, person)):
        return Checked(finding=Finding.DIFFERENT)
    return Checked(
        finding=Finding.SAME,
        person=person,
        doubts=numbers.doubts(number, person.birth_date, person.sex),
    )
