"""Two servers for the kiosk to talk to: a small one of our own, and the real one on loopback."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from socketserver import TCPServer
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.serving import BaseWSGIServer, make_server

from biometrics.seal.keys import PrivateKeys
from kiosk import clock
from kiosk.device import Device
from scheduler.database import Base, connect, transaction
from server.cases import devices
from server.store.tables import CaptureRow, VisitRow
from tests.captures import APPOINTMENT, DOSSIER, NOTICE, VISIT
from tests.contract.small_intake import Memory, SmallIntake
from tests.web.intake_stage import HERE, Stage, stage


class House(Protocol):
    """A server and what a test must know of it."""

    @property
    def receipt_key(self) -> ec.EllipticCurvePublicKey: ...

    @property
    def clock(self) -> Callable[[], datetime]: ...

    @property
    def url(self) -> str: ...

    def up(self) -> None: ...

    def down(self) -> None: ...

    def enrol(self, device: Device) -> None: ...

    def ticket(self) -> str: ...

    def stored(self) -> dict[str, int]: ...

    def departed(self, visit: UUID) -> bool: ...


class Runner:
    """Starts and stops a server on one port."""

    def __init__(self, make: Callable[[int], TCPServer]) -> None:
        self._make = make
        self._server: TCPServer | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    def up(self) -> None:
        self._server = self._make(self.port)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def down(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None


@dataclass
class SmallHouse:
    """The server of our own."""

    memory: Memory
    receipt_key: ec.EllipticCurvePublicKey
    runner: Runner
    clock: Callable[[], datetime] = clock.now

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.runner.port}"

    def up(self) -> None:
        self.runner.up()

    def down(self) -> None:
        self.runner.down()

    def enrol(self, device: Device) -> None:
        self.memory.devices[device.id] = device.key.public_key()

    def ticket(self) -> str:
        return "TICKET"

    def stored(self) -> dict[str, int]:
        return dict(+self.memory.stored)

    def departed(self, visit: UUID) -> bool:
        return str(visit) in self.memory.departed


def small_house() -> SmallHouse:
    """Set the small server up."""
    receipts = ec.generate_private_key(ec.SECP256R1())
    both = {"vi": "Cấp thẻ", "en": "Card"}
    memory = Memory(
        devices={},
        keys=PrivateKeys.create("ingest-small").public,
        receipts=receipts,
        visit={
            "visit_id": VISIT,
            "dossier": DOSSIER,
            "appointment": APPOINTMENT,
            "station": "S01",
            "name": "Nguyễn Thị Giả Định",
            "birth_date": "17/05/1990",
            "purpose": both,
            "starts_at": "2026-11-24T02:30:00Z",
            "plan": {
                "portrait_profile": "can-cuoc",
                "fingers": [1, 6],
                "impressions": ["plain"],
                "irises": False,
                "tries": 3,
                "accept_at": 60,
                "keep_from": 30,
            },
            "notice": {"version": "1", "sha256": NOTICE, "text": both},
        },
    )

    def make(port: int) -> SmallIntake:
        return SmallIntake(memory, port)

    runner = Runner(make)
    return SmallHouse(memory=memory, receipt_key=receipts.public_key(), runner=runner)


@dataclass
class RealHouse:
    """The server as it is."""

    stage: Stage
    receipt_key: ec.EllipticCurvePublicKey
    runner: Runner
    kiosks: int = 0

    @property
    def clock(self) -> Callable[[], datetime]:
        return self.stage.clock

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.runner.port}"

    def up(self) -> None:
        self.runner.up()

    def down(self) -> None:
        self.runner.down()
        self.stage.engine.dispose()

    def enrol(self, device: Device) -> None:
        self.kiosks += 1
        public = device.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        with transaction(self.stage.engine) as session:
            devices.enrol(
                session,
                name=f"Q{self.kiosks}",
                station=HERE,
                public_pem=public,
                trust=device.trust,
                now=self.stage.clock(),
            )

    def ticket(self) -> str:
        return self.stage.booked(at=self.stage.clock() + timedelta(minutes=30))

    def stored(self) -> dict[str, int]:
        with transaction(self.stage.engine) as session:
            digests = session.scalars(sa.select(CaptureRow.digest)).all()
        files = [path.stem for path in self.stage.settings.data.rglob("*.ccap")]
        assert sorted(files) == sorted(digests)
        return dict.fromkeys(digests, 1)

    def departed(self, visit: UUID) -> bool:
        with transaction(self.stage.engine) as session:
            return session.get_one(VisitRow, visit).closed_at is not None


def real_house(folder: Path, now: datetime) -> RealHouse:
    """Set the real server up on an empty SQLite database."""
    engine = connect(f"sqlite:///{folder}/house.db")
    Base.metadata.create_all(engine)
    built = stage(engine, folder, now)

    def make(port: int) -> BaseWSGIServer:
        return make_server("127.0.0.1", port, built.app, threaded=True)

    runner = Runner(make)
    key = built.app.extensions["thunhan-intake"].receipts.private.public_key()
    return RealHouse(stage=built, receipt_key=key, runner=runner)
