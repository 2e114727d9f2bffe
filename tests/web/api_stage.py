"""The programs' door of an office with two stations, a key of each kind, and some dossiers."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from scheduler.database import reading, transaction
from scheduler.tables import SlotRow
from server.cases import programs
from server.clock import HERE
from server.rules.dossier import DossierState
from server.store import audit
from server.store.tables import Dossier, KeyKind
from server.web.api.app import create_app
from tests.web.citizens import HANOI, Office

FRIDAY = date(2026, 11, 27)
BORN = date(1990, 1, 31)
BOOKINGS = "/api/v1/appointments"


@dataclass(slots=True, kw_only=True)
class Programs:
    """The programs' door of an office, and a key of each kind."""

    app: Flask
    office: Office
    keys: dict[str, str]

    def ask(
        self,
        method: str,
        path: str,
        said: Any = None,  # noqa: ANN401 - JSON
        *,
        by: str = "partner",
        **headers: str,
    ) -> TestResponse:
        return self.app.test_client().open(
            path,
            method=method,
            json=said,
            headers={"Authorization": f"Bearer {self.keys[by]}", **headers},
        )

    def book(
        self, who: int = 1, hour: int = 8, *, key: str | None = None, by: str = "partner",
        **fields: str,
    ) -> TestResponse:  # fmt: skip
        said = {**proof(who), **slot(hour), **fields}
        return self.ask(
            "POST", BOOKINGS, said, by=by, **{"Idempotency-Key": key or uuid.uuid4().hex}
        )

    def taken(self) -> int:
        with reading(self.office.engine) as session:
            return session.scalar(sa.select(sa.func.sum(SlotRow.taken))) or 0


def code_of(who: int) -> str:
    return f"DEMO.001.026-261101-{who:06}"


def proof(who: int = 1) -> dict[str, str]:
    return {"dossier": code_of(who), "birth_date": BORN.isoformat()}


def slot(hour: int, minute: int = 0, day: date = FRIDAY) -> dict[str, str]:
    at = datetime.combine(day, time(hour, minute), HERE)
    return {"station": HANOI, "starts_at": at.isoformat()}


def add_dossier(office: Office, who: int, **columns: Any) -> None:  # noqa: ANN401 - columns
    usual: dict[str, Any] = {
        "id": uuid.uuid4(),
        "code": code_of(who),
        "state": DossierState.FILED,
        "profile": "can-cuoc-2026",
        "purpose": "NEW",
        "person_key": f"person-{who:025}".encode(),
        "birth_date": BORN,
        "answers": {},
        "created_at": office.clock.now,
        "filed_at": office.clock.now,
    }
    with transaction(office.engine) as session:
        session.add(Dossier(**(usual | columns)))


@contextmanager
def opened(url: str, folder: Path, now: datetime) -> Iterator[Programs]:
    """Open an office with three dossiers and keys of two partners and the hotline."""
    with Office.open(url, folder, now) as office:
        with transaction(office.engine) as session:
            audit.begin(session)
            keys = {
                name: programs.add(session, name=name, kind=kind, a_minute=6000, now=now)
                for name, kind in (
                    ("partner", KeyKind.PARTNER),
                    ("other", KeyKind.PARTNER),
                    ("hotline", KeyKind.HOTLINE),
                )
            }
        for who in (1, 2, 3):
            add_dossier(office, who)
        app = create_app(office.settings, office.engine, clock=office.clock)
        yield Programs(app=app, office=office, keys=keys)


def problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"
    said: dict[str, Any] = answer.get_json()
    assert said["type"] == f"urn:thunhan:problem:{code.replace('_', '-')}"
    assert said["vi"] != said["en"]
    return said
