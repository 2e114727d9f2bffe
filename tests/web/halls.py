"""A station with kiosks, a counter, a waiting room and officers, on a clock of its own."""

from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from scheduler import booking, ledger, points, queue
from scheduler.booking import Appointment
from scheduler.database import transaction
from scheduler.points import HELP
from scheduler.queue import Entry
from scheduler.tables_day import PointKind
from server.cases import appointments
from server.registry.port import Kept
from server.rules import tickets
from server.store import totp
from server.store.tables import Dossier, Officer, Role
from server.store.tables_day import DayEntry
from server.web.display.app import create_app as display
from server.web.officer.app import create_app as officer
from tests import officers
from tests.officers import Office, Unsealer
from tests.web.intake_stage import HERE, SECRET, THERE, Stage, stage

CAPTURER, FAR = "c.chi", "v.xa"
STAFF = {
    CAPTURER: (Role.CAPTURER, HERE),
    "v.an": (Role.VERIFIER, HERE),
    FAR: (Role.VERIFIER, THERE),
}


class Hall(Office):
    """The officers' and the display's app beside the kiosks' (`house`), all on one database."""

    def __init__(self, engine: sa.Engine, folder: Path, now: datetime) -> None:
        self.house: Stage = stage(engine, folder, now)
        self.engine, self.clock = engine, self.house.clock
        self.unsealer = Unsealer(engine, self.clock)
        self.people = {}
        self.settings = self.house.settings
        self.app = officer(
            self.settings,
            engine,
            clock=self.clock,
            unsealer=self.unsealer,
            registry=Kept(people=self.people),
        )
        self.display = display(self.settings, engine, clock=self.clock)
        self.kiosk, self.other_kiosk = self.house.kiosk("Q1"), self.house.kiosk("Q2")
        with transaction(engine) as session:
            points.add(session, HERE, code="QUAY-3", number=3, kind=PointKind.COUNTER, lane=HELP)
            for officer_id, (role, station) in STAFF.items():
                session.add(
                    Officer(
                        id=officer_id,
                        name=officers.OFFICERS[officer_id][0],
                        station=station,
                        role=role,
                        password_hash=officers.password_hash(),
                        totp_secret=totp.hide(
                            officers.SECRET, officer_id=officer_id, secret=SECRET
                        ),
                    )
                )

    def booked(self, *, minutes: int = 30, station: str = HERE, days: int = 0) -> str:
        """Return the ticket of somebody with an appointment in so many minutes."""
        at = self.clock() + timedelta(days=days, minutes=minutes)
        return self.house.booked(at=at, station=station)

    def walker(self, *, minutes: int = 30) -> str:
        """Return the code of a filed dossier whose appointment in so many minutes was cancelled."""
        ticket = self.booked(minutes=minutes)
        with transaction(self.engine) as session:
            dossier = session.get_one(Dossier, self.house.dossier_of(ticket).id)
            appointments.cancel(session, dossier, now=self.clock())
            assert dossier.code is not None
            return dossier.code

    def appointment(self, ticket: str) -> Appointment:
        with transaction(self.engine) as session:
            found = appointments.of_ticket(session, tickets.parse(ticket))
            assert found is not None
            return booking.find(session, found[1].id)

    def line(self) -> tuple[Entry, ...]:
        with transaction(self.engine) as session:
            return queue.of_day(session, HERE, queue.day_of(self.clock()))

    def entry(self, number: int) -> Entry:
        return next(entry for entry in self.line() if entry.number == number)

    def written(self) -> list[tuple[str, str, int | None]]:
        with transaction(self.engine) as session:
            rows = session.scalars(sa.select(DayEntry).order_by(DayEntry.at))
            return [(row.actor, row.what, row.number) for row in rows]

    def drift(self) -> int:
        with transaction(self.engine) as session:
            return len(ledger.drift(session)) + ledger.loose(session)
