"""When a card is promised: working days from dated rows, counted on a calendar that is passed in.

It knows no holidays itself.
"""

from collections.abc import Callable
from datetime import date, timedelta

from server import law

LONGEST = 366
"""Days looked ahead; a calendar without working days is a mistake."""


def working_days(profile: str, deadline: str, on: date) -> int:
    """Return how many working days are promised for a dossier complete on the day `on`.

    Raises:
        LookupError: no row holds on that day.
    """
    for row in law.read("deadlines")["rows"]:
        ends = date.fromisoformat(row["valid_to"]) if row["valid_to"] else on
        if (row["profile"], row["deadline"]) == (profile, deadline) and (
            date.fromisoformat(row["valid_from"]) <= on <= ends
        ):
            return int(row["working_days"])
    raise LookupError(f"no deadline {deadline} of {profile} on {on}")


def due(complete_on: date, days: int, is_working: Callable[[date], bool]) -> date:
    """Return the day `days` working days after `complete_on`, which itself does not count.

    Raises:
        LookupError: the calendar has too few working days.
    """
    day, left = complete_on, days
    for _ in range(LONGEST):
        day += timedelta(days=1)
        left -= is_working(day)
        if left <= 0:
            return day
    raise LookupError("the calendar has no working days")
