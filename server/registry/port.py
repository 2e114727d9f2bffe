"""What we ask of the population registry, and the person it gives back.

It is not the registry: nobody here stores or corrects a person's data.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Protocol, Self

# RegistryDown        nobody can say now; ask again later
#   RegistryGarbled   it answered, but not what its contract says


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
        texts = (person.personal_number, person.full_name, person.sex, person.ethnic_group)
        kinds = [isinstance(text, str) for text in texts]
        if not all(kinds) or not isinstance(person.birth_date, date):
            raise RegistryGarbled("not a person: a field of a wrong kind")
        return person


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
