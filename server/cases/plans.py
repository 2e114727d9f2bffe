"""What a visit brings to the kiosk: the plan of what to capture, and the notice to agree to.

Both are dated data in `server.law`; it knows no dossier and no row.
"""

import hashlib
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import Any

from kiosk.protocol import BothLanguages, CapturePlan, PrivacyNotice
from server import law
from server.rules.ages import age_on
from server.store.keys import canonical


class PlanMissing(LookupError):
    """The law has no row for this profile, age and day."""


def _holding(name: str, on: date) -> Iterator[dict[str, Any]]:
    for row in law.read(name)["rows"]:
        ends = date.fromisoformat(row["valid_to"]) if row["valid_to"] else on
        if date.fromisoformat(row["valid_from"]) <= on <= ends:
            yield row


def plan(profile: str, *, birth: date, on: date) -> CapturePlan:
    """Return what is captured of somebody born on `birth` on the day `on`.

    Raises:
        PlanMissing: the profile captures nobody of this age on this day.
    """
    age = age_on(birth, on)
    for row in _holding("capture_plans", on):
        youngest, oldest = row["age"]
        if row["profile"] == profile and youngest <= age <= oldest:
            return CapturePlan(
                portrait_profile=row["portrait_profile"],
                fingers=tuple(row["fingers"]),
                impressions=tuple(row["impressions"]),
                irises=row["irises"],
                tries=row["tries"],
                accept_at=row["accept_at"],
                keep_from=row["keep_from"],
            )
    raise PlanMissing(f"{profile}, {age} years, {on}")


def _notice(row: dict[str, Any]) -> PrivacyNotice:
    text = {
        language: unicodedata.normalize("NFC", "\n\n".join(row[language]))
        for language in ("vi", "en")
    }
    named = canonical({"version": row["version"], **text})
    return PrivacyNotice(
        version=row["version"],
        sha256=hashlib.sha256(named).hexdigest(),
        text=BothLanguages(**text),
    )


def notice(profile: str, *, on: date) -> PrivacyNotice:
    """Return the notice shown on the day `on`.

    Raises:
        PlanMissing: there is none.
    """
    for row in _holding("notices", on):
        if profile in row["profiles"]:
            return _notice(row)
    raise PlanMissing(f"no notice for {profile} on {on}")


def every_notice() -> frozenset[bytes]:
    """Return the SHA-256 of every notice that was ever shown."""
    return frozenset(bytes.fromhex(_notice(row).sha256) for row in law.read("notices")["rows"])
