"""Which reasons there are to ask for a card, under which body of law, and who must come for them.

It knows no dossier and no fee table.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from biometrics.words import Text
from server import law
from server.rules.ages import age_on

DEFAULT_PROFILE = "can-cuoc-2026"


class CaseUnknown(LookupError):
    """No such case or profile."""


class Outcome(enum.StrEnum):
    """Whether somebody must come, and what must be told to them."""

    COME = "come"
    COME_ACCOMPANIED = "come_accompanied"
    COME_CORRECTED = "come_corrected"
    COME_ACCOMPANIED_CORRECTED = "come_accompanied_corrected"
    MAY_COME = "may_come"
    MAY_COME_ACCOMPANIED = "may_come_accompanied"
    ONLINE = "online"
    ONLINE_CHILD = "online_child"
    OTHER_CASE = "other_case"
    TOO_YOUNG = "too_young"

    @property
    def may_book(self) -> bool:
        """Whether an appointment may be booked."""
        return self.value.startswith(("come", "may_come"))

    @property
    def accompanied(self) -> bool:
        """Whether a legal representative comes along and signs."""
        return "accompanied" in self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A body of law and the days on which it holds."""

    code: str
    name: Text
    card: Text
    valid_from: date
    valid_to: date | None
    milestones: tuple[int, ...]
    """Ages at which the card is renewed."""
    capture_from_age: int
    """Below it neither portrait nor fingers are taken."""
    alone_from_age: int
    """Below it a legal representative comes along and signs."""
    basis: Text
    """The legal texts, as a reader is told of them."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One reason to ask for a card."""

    code: str
    name: Text
    hint: Text
    comes: str
    """yes, no, may."""
    fee: str
    deadline: str
    source: str


def _text(entry: dict[str, str]) -> Text:
    return Text(vi=entry["vi"], en=entry["en"])


@cache
def profiles() -> tuple[Profile, ...]:
    """Return every body of law that is written down, the default one first."""
    return tuple(
        Profile(
            code=row["code"],
            name=_text(row["name"]),
            card=_text(row["card"]),
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            milestones=tuple(row["milestones"]),
            capture_from_age=row["capture_from_age"],
            alone_from_age=row["alone_from_age"],
            basis=_text(row["basis"]),
            source=row["source"],
        )
        for row in law.read("profiles")["rows"]
    )


def profile(code: str = DEFAULT_PROFILE) -> Profile:
    """Return the profile called `code`.

    Raises:
        CaseUnknown: there is none.
    """
    for found in profiles():
        if found.code == code:
            return found
    raise CaseUnknown(code)


@cache
def cases(of: str = DEFAULT_PROFILE) -> tuple[Case, ...]:
    """Return every case of a profile, in the order in which they are offered."""
    try:
        rows = law.read("cases")[of]
    except KeyError:
        raise CaseUnknown(of) from None
    return tuple(
        Case(
            code=row["code"],
            name=_text(row["name"]),
            hint=_text(row["hint"]),
            comes=row["comes"],
            fee=row["fee"],
            deadline=row["deadline"],
            source=row["source"],
        )
        for row in rows
    )


def case(code: str, of: str = DEFAULT_PROFILE) -> Case:
    """Return one case.

    Raises:
        CaseUnknown: the profile has none of this code.
    """
    for found in cases(of):
        if found.code == code:
            return found
    raise CaseUnknown(code)


def coming(code: str, birth: date, on: date, of: str = DEFAULT_PROFILE) -> Outcome:
    """Return whether somebody born on `birth` must come on the day `on` for the case `code`.

    Raises:
        CaseUnknown: the profile has no such case, or nobody is of such an age.
    """
    case(code, of)
    age = age_on(birth, on)
    for row in law.read("coming")[of]:
        youngest, oldest = row["age"]
        if (row["cases"] == "*" or code in row["cases"]) and youngest <= age <= oldest:
            return Outcome(row["outcome"])
    raise CaseUnknown(f"{code} at {age}")


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def first_day_to_come(
    code: str, birth: date, first: date, last: date, of: str = DEFAULT_PROFILE
) -> date | None:
    """Return the first day on which the case may be booked: a child may turn 6 in between."""
    return next((day for day in _days(first, last) if coming(code, birth, day, of).may_book), None)
