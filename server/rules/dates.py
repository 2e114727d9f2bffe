"""Days and moments of appointments, read from what somebody typed or a program sent.

Birth dates are `server.rules.fields`'.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from server.clock import HERE

YEARS: Final = range(2000, 2200)
"""[D] In which appointments are: who reckons with days beyond them soon leaves the calendar."""
FARTHEST: Final = timedelta(days=400)
"""[D] No calendar is opened further ahead; beyond it and before today the law may say nothing."""
DAY: Final = len("2026-11-24")
LONGEST: Final = 40
"""Characters of a moment."""


def day(text: str) -> date | None:
    """Return the day in ``2026-11-24``, or None where it is none or appointments have none such."""
    try:
        found = date.fromisoformat(text) if len(text) == DAY else None
    except ValueError:
        return None
    return found if found is not None and found.year in YEARS else None


def moment(text: str) -> datetime | None:
    """Return the moment in ``2026-11-24T08:00+07:00``, in UTC, or None as in `day`."""
    try:
        found = datetime.fromisoformat(text) if len(text) <= LONGEST else None
    except ValueError:
        return None
    if found is None or found.tzinfo is None or found.year not in YEARS:
        return None
    return found.astimezone(UTC)


def may_be_offered(starts_at: datetime, *, today: date) -> bool:
    """Return whether any calendar may still offer a time that lies so."""
    return today <= starts_at.astimezone(HERE).date() <= today + FARTHEST
