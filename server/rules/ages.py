"""How old somebody is on a day. It knows no law."""

from datetime import date

OLDEST = 130
"""Years; older birth dates are taken for typing mistakes."""


def age_on(birth: date, day: date) -> int:
    """Return the completed years; a birthday of 29 February falls on 1 March in common years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
