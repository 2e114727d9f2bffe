"""What the tests of uploads and packets look at, in database and folder."""

from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from biometrics.seal.sealing import Sealed
from kiosk.protocol import Visit
from scheduler.database import Base, connect, transaction
from server.rules.dossier import DossierState
from server.store import audit
from server.store.tables import CaptureRow, Upload, VisitRow
from tests.web.intake_stage import Kiosk, Stage, said, stage


def on_sqlite(folder: Path, now: datetime) -> Stage:
    """Return an installation on SQLite alone, where what is tested stops before the database."""
    engine = connect(f"sqlite:///{folder}/small.db")
    Base.metadata.create_all(engine)
    return stage(engine, folder, now)


def arrived(house: Stage, name: str = "Q1") -> tuple[Kiosk, Visit]:
    kiosk = house.kiosk(name)
    return kiosk, kiosk.arrive(house.booked(at=house.clock() + timedelta(minutes=30)))


def count(house: Stage, table: type) -> int:
    with transaction(house.engine) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def files(house: Stage) -> set[str]:
    return {
        path.name for path in house.settings.data.rglob("*") if path.suffix in {".part", ".ccap"}
    }


def nothing_was_kept(house: Stage, visit: Visit) -> None:
    assert count(house, CaptureRow) == 0
    assert count(house, Upload) == 0
    assert files(house) == set()
    assert house.dossier(visit.dossier).state is DossierState.AT_STATION
    assert house.appointment_state(visit.appointment) == "arrived"
    with transaction(house.engine) as session:
        assert session.get_one(VisitRow, visit.visit_id).closed_at is None
        assert audit.broken_at(session) is None


def refused(kiosk: Kiosk, sealed: Sealed) -> str:
    answer = kiosk.upload(sealed.digest, sealed.packet)
    assert answer.status_code == 422
    return said(answer)
