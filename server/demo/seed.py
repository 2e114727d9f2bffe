"""Sets an installation up for a demo: keys, tables, stations, fictitious people, officers, a kiosk.

It does so through the same functions the commands use; nobody and nothing in it is real.
"""

import base64
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pyotp
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import calendar, places
from scheduler.database import connect, transaction
from scheduler.places import Rule, Unlike
from scheduler.tables import Kind, Scope
from server import clock
from server.cases import devices, officers
from server.cases.hours import HORIZON, open_days
from server.cli import database, keys
from server.demo import living_day
from server.registry import people
from server.registry.port import Person
from server.settings import Settings
from server.store.tables import Role

PEOPLE = 24
SEED = 1
EXPECTED = 6
"""People who have booked already: the last ones, so that visitors may be the first."""
KIOSK = "KIOSK-1"
OPEN_ALWAYS = Rule(
    weekdays=frozenset(range(7)),
    opens=time(0, 0),
    closes=time(23, 59),
    step=15,
    capacity=4,
    valid_from=date(2026, 1, 1),
)
"""A rehearsal may be held on any night and holiday."""
OFFICE_HOURS = (
    Rule(opens=time(7, 30), closes=time(11, 30), step=15, capacity=2, valid_from=date(2026, 1, 1)),
    Rule(opens=time(13, 30), closes=time(17, 0), step=15, capacity=2, valid_from=date(2026, 1, 1)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A fictitious station."""

    code: str
    name: str
    address: str
    province: str
    always: bool = False


STATIONS = (
    Station(
        code="DT001",
        name="Điểm thu nhận diễn tập (mở cả ngày đêm)",
        address="Số 1 phố Ví Dụ, phường Giả Định, thành phố Hà Nội",
        province="01",
        always=True,
    ),
    Station(
        code="DT002",
        name="Công an phường Giả Định Hai",
        address="Số 22 phố Ví Dụ, phường Giả Định Hai, thành phố Hà Nội",
        province="01",
    ),
    Station(
        code="DT079",
        name="Công an phường Giả Định Ba",
        address="Số 7 đường Ví Dụ, phường Giả Định Ba, Thành phố Hồ Chí Minh",
        province="79",
    ),
    Station(
        code="DT038",
        name="Công an xã Giả Định Tư",
        address="Thôn Ví Dụ, xã Giả Định Tư, tỉnh Thanh Hóa",
        province="38",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """An officer of the demo and everything they sign in with."""

    id: str
    name: str
    role: Role
    password: str
    totp_secret: str
    pin: str

    def code(self, now: datetime) -> str:
        """Return the six digits that are valid at `now`."""
        return pyotp.TOTP(self.totp_secret).at(now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Everybody who takes part; person `n` (from 1) is the simulated sitter of seed `n`."""

    people: tuple[Person, ...]
    station: Station
    officers: tuple[Worker, ...]

    def officer(self, role: Role) -> Worker:
        """Return the officer of a role."""
        return next(worker for worker in self.officers if worker.role is role)


def _worker(officer_id: str, name: str, role: Role) -> Worker:
    return Worker(
        id=officer_id,
        name=name,
        role=role,
        password=f"dien-tap-{secrets.token_hex(3)}",
        totp_secret=base64.b32encode(secrets.token_bytes(20)).decode(),
        pin=f"{secrets.randbelow(10**6):06d}",
    )


def _stations(session: Session, today: date, now: datetime) -> None:
    for station in STATIONS:
        places.add_place(
            session,
            code=station.code,
            name=station.name,
            address=station.address,
            province=station.province,
        )
        for rule in (OPEN_ALWAYS,) if station.always else OFFICE_HOURS:
            places.add_rule(session, station.code, rule)
        if station.always:
            _open_on_holidays(session, station.code, today)
        open_days(session, station.code, now)


def _open_on_holidays(session: Session, code: str, today: date) -> None:
    for day in (today + timedelta(days=n) for n in range(HORIZON.days + 1)):
        if calendar.holiday(day) is not None:
            unlike = Unlike(
                day=day, kind=Kind.MAKE_UP_DAY, as_weekday=day.weekday(), source="diễn tập"
            )
            places.add_exception(session, unlike, scope=Scope.PLACE, code=code)


def _portraits(folder: Path, found: tuple[Person, ...]) -> None:
    """Let the simulated sitter pose for the registry; hardware is another package's business."""
    who = [f"{person.personal_number}={seed}" for seed, person in enumerate(found, start=1)]
    command = (sys.executable, "-m", "hardware.camera", "portraits")
    subprocess.run([*command, "--folder", str(folder), *who], check=True)


def kiosk_folder(folder: Path) -> Path:
    """Return the kiosk's data folder."""
    return folder / "kiosk"


def kiosk_environment(folder: Path) -> dict[str, str]:
    """Return the kiosk's settings that do not depend on the ports."""
    return {"THUNHAN_KIOSK_DATA": str(kiosk_folder(folder)), "THUNHAN_KIOSK_NAME": KIOSK}


def _kiosk(engine: sa.Engine, settings: Settings, folder: Path, now: datetime) -> None:
    """Let the kiosk make its key, enrol it, and hand it the server's receipt key."""
    own = kiosk_folder(folder)
    command = (sys.executable, "-m", "kiosk.device", "--folder", str(own))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with transaction(engine) as session:
        devices.enrol(
            session,
            name=KIOSK,
            station=STATIONS[0].code,
            public_pem=(own / "device-public.pem").read_bytes(),
            trust="software",
            now=now,
        )
    shutil.copy(settings.data / "keys" / "receipt-key.pem", own / "receipt-key.pem")


def _hire(session: Session, worker: Worker, secret: bytes, now: datetime) -> None:
    officers.add(
        session,
        officer_id=worker.id,
        name=worker.name,
        station=STATIONS[0].code,
        role=worker.role,
        password=worker.password,
        totp_secret=worker.totp_secret,
        pin=worker.pin,
        secret=secret,
        now=now,
    )


def _secret(path: Path) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))


def install(
    folder: Path, environment: Mapping[str, str], *, say: Callable[[str], None] = print
) -> Cast:
    """Set an empty folder up and return who takes part."""
    now = clock.now()
    today = now.astimezone(clock.HERE).date()
    settings = Settings.from_environment(environment)
    _secret(settings.secret_file)
    say("  keys: receipts, and a pair to seal captures to ...")
    keys.create(settings, unseal_folder=folder / "unseal-keys", kid="rehearsal", now=now)
    say("  tables, stations and six weeks of times ...")
    engine = connect(settings.database)
    database.upgrade(engine)
    with transaction(engine) as session:
        _stations(session, today, now)
    say(f"  {PEOPLE} fictitious people and their portraits in the registry ...")
    found = people.people(PEOPLE, SEED, today)
    registry = folder / "registry"
    people.write(registry, found)
    _portraits(registry / "portraits", found)
    say("  officers and one kiosk ...")
    workers = (
        _worker("kiem.tra", "Đặng Thu Hà", Role.VERIFIER),
        _worker("thu.nhan", "Bùi Quốc Khánh", Role.CAPTURER),
        _worker("giam.sat", "Hoàng Minh Đức", Role.SUPERVISOR),
        _worker("kiem.toan", "Ngô Bích Thủy", Role.AUDITOR),
    )
    with transaction(engine) as session:
        for worker in workers:
            _hire(session, worker, settings.secret, now)
    _kiosk(engine, settings, folder, now)
    with transaction(engine) as session:
        folk, station = found[-EXPECTED:], STATIONS[0].code
        living_day.furnish(session, station, folk, secret=settings.secret, now=now)
    engine.dispose()
    return Cast(people=found, station=STATIONS[0], officers=workers)
