"""What a visitor of the demo is told: four addresses, who to be, what to try.

It starts nothing.
"""

from datetime import datetime

from server.demo.stage import Stage
from server.registry.port import Person

SHOWN = 6


def _born(person: Person) -> str:
    return f"{person.birth_date:{'%Y' if person.birth_year_only else '%d/%m/%Y'}}"


def guide(stage: Stage, now: datetime) -> str:
    """Return the page of text that the demo prints when everything runs.

    Raises:
        RuntimeError: the stage was not set up.
    """
    cast = stage.cast
    if cast is None:
        raise RuntimeError("the stage is empty")
    people = [
        f"    {seed}  {person.full_name:28} {person.personal_number}  {_born(person)}"
        for seed, person in enumerate(cast.people[:SHOWN], start=1)
    ]
    officers = [
        f"    {worker.id:11} {worker.role.value:11} password {worker.password}  "
        f"code {worker.code(now)}  kiosk PIN {worker.pin}"
        for worker in cast.officers
    ]
    return "\n".join(
        [
            "",
            f"  Citizen   {stage.url('citizen')}",
            f"  Kiosk     {stage.url('kiosk')}   (who sits there: {stage.url('kiosk')}/rehearsal)",
            f"  Officer   {stage.url('officer')}",
            f"  Screen    {stage.url('display')}/hall/{cast.station.code}",
            "",
            "  1. Be one of these (all fictitious) and book at the first station, for now:",
            *people,
            "  2. As the capturer below, check the ticket in on the page of the day and call it to",
            "     kiosk 1: the waiting room's screen shows and says the number. Or go straight to",
            "     the kiosk.",
            "  3. At the kiosk, type the ticket's code, or hold it up from the rehearsal page,",
            "     where you also choose who sits down (the numbers above) and how they behave.",
            "  4. Sign in as an officer, open the capture, compare and decide:",
            *officers,
            "     The code changes every half minute: press Enter here for the present ones.",
            "  5. Look the dossier up with its code and the birth date.",
            "",
            "  Stop with Ctrl-C. Logs: " + str(stage.folder / "logs"),
        ]
    )
