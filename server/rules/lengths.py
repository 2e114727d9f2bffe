"""How many minutes a person needs at the kiosk, from dated rows. It knows no slots."""

from datetime import date

from server import law
from server.rules.ages import age_on


def minutes(birth: date, on: date) -> int:
    """Return the minutes somebody born on `birth` needs on the day `on`.

    Raises:
        LookupError: no row holds for that age on that day.
    """
    age = age_on(birth, on)
    for row in law.read("visit_lengths")["rows"]:
        youngest, oldest = row["age"]
        ends = date.fromisoformat(row["valid_to"]) if row["valid_to"] else on
        if youngest <= age <= oldest and date.fromisoformat(row["valid_from"]) <= on <= ends:
            return int(row["minutes"])
    raise LookupError(f"no length at {age} on {on}")
