"""What we ask of the population registry, and the person it gives back.

It is not the registry: nobody here stores or corrects a person's data.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Protocol, Self

# RegistryDown        nobody can say now; ask again later
#   RegistryGarbled   it answered, but not what its contract says

LONGEST_TEXT = 200
"""Characters of any text about a person."""
MOST_ROWS = 50
NUMBER = re.compile("[0-9]{12}")


class RegistryDown(Exception):
    """The registry did not answer in time or not with an answer."""


class RegistryGarbled(RegistryDown):
    """The registry answered something that is no person."""


class AskedInTransaction(RuntimeError):
    """Somebody asks the registry while holding the database: a mistake in the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """A row of field 20 of the data sheet CC01."""

    relation: str
    """father, mother, spouse, child, representative, represented."""
    name: str
    personal_number: str | None = None
    nationality: str = "Việt Nam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as the registry knows them; field numbers are those of CC01 (TT 118/2026)."""

    personal_number: str
    """5. Twelve digits."""
    full_name: str
    """1. Họ, chữ đệm và tên khai sinh, NFC."""
    birth_date: date
    """3. The first of January where only the year is known."""
    birth_year_only: bool = False
    sex: str
    """4. male, female."""
    other_name: str | None = None
    """2."""
    old_number: str | None = None
    """6. Nine digits."""
    ethnic_group: str
    """7. Code 01 to 54."""
    religion: str
    """8."""
    nationality: tuple[str, ...] = ("Việt Nam",)
    """9."""
    birth_place: str
    """10."""
    birth_registered_at: str
    """11."""
    home_town: str
    """12."""
    permanent_residence: str
    """13."""
    temporary_residence: str | None = None
    """14."""
    current_residence: str
    """15."""
    occupation: str | None = None
    """16."""
    blood_group: str | None = None
    """17."""
    relatives: tuple[Relative, ...] = ()
    """20."""
    card_issued_on: date | None = None
    card_valid_until: date | None = None
    """None with `card_issued_on` set: valid without end."""

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` reads them back."""
        fields = asdict(self)
        for name in ("birth_date", "card_issued_on", "card_valid_until"):
            fields[name] = fields[name].isoformat() if fields[name] else None
        fields["nationality"] = list(self.nationality)
        fields["relatives"] = [asdict(relative) for relative in self.relatives]
        return fields

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the person in `fields`.

        Raises:
            RegistryGarbled: a field is absent, of a wrong kind or unknown.
        """
        try:
            found = dict(fields)
            for name in ("birth_date", "card_issued_on", "card_valid_until"):
                found[name] = date.fromisoformat(found[name]) if found.get(name) else None
            found["nationality"] = tuple(found.get("nationality", ("Việt Nam",)))
            found["relatives"] = tuple(Relative(**row) for row in found.get("relatives", ()))
            person = cls(**found)
        except (TypeError, ValueError, AttributeError) as error:
            raise RegistryGarbled(f"not a person: {error}") from error
        wrong = [name for name, holds in _SHAPE.items() if not holds(getattr(person, name))]
        if wrong:
            raise RegistryGarbled(f"not a person: {', '.join(wrong)}")
        return person


def _is_text(value: object) -> bool:
    """Return whether a page, a column and a form can hold the value."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_TEXT
        and not any(unicodedata.category(c) in {"Cc", "Cs"} for c in value)
    )


def _is_text_or_none(value: object) -> bool:
    return value is None or _is_text(value)


def _are_relatives(rows: tuple[Relative, ...]) -> bool:
    return all(
        _is_text(row.relation)
        and _is_text(row.name)
        and _is_text(row.nationality)
        and _is_text_or_none(row.personal_number)
        for row in rows
    )


_SHAPE: Mapping[str, Callable[[Any], bool]] = {
    "personal_number": lambda value: _is_text(value) and NUMBER.fullmatch(value) is not None,
    "birth_date": lambda value: isinstance(value, date),
    "birth_year_only": lambda value: isinstance(value, bool),
    "sex": lambda value: value in ("male", "female"),
    "nationality": lambda value: 0 < len(value) <= MOST_ROWS and all(map(_is_text, value)),
    "relatives": lambda value: len(value) <= MOST_ROWS and _are_relatives(value),
    **dict.fromkeys(
        (
            *("full_name", "ethnic_group", "religion", "birth_place", "birth_registered_at"),
            *("home_town", "permanent_residence", "current_residence"),
        ),
        _is_text,
    ),
    **dict.fromkeys(
        ("other_name", "old_number", "temporary_residence", "occupation", "blood_group"),
        _is_text_or_none,
    ),
}
"""What each field must be, so that nothing reaches a page or a column unlooked at."""


class Registry(Protocol):
    """Where the identity of a person is looked up; never inside an open transaction."""

    def find(self, personal_number: str) -> Person | None:
        """Return the person, or None where the registry knows nobody of this number.

        Raises:
            RegistryDown: nobody can say now.
        """
        ...

    def portrait(self, personal_number: str) -> bytes | None:
        """Return the JPEG the registry holds of the person, or None.

        Raises:
            RegistryDown: nobody can say now.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A registry in memory, for tests and tools."""

    people: Mapping[str, Person]
    portraits: Mapping[str, bytes] = field(default_factory=dict)

    def find(self, personal_number: str) -> Person | None:
        """Return the person kept under the number."""
        return self.people.get(personal_number)

    def portrait(self, personal_number: str) -> bytes | None:
        """Return the portrait kept under the number."""
        return self.portraits.get(personal_number)
