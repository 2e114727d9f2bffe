"""A station with officers, a kiosk and captures, and an unsealer at its port, for officer tests."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pyotp
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from biometrics.capture import (
    Capture,
    Consent,
    Finding,
    ImpressionKind,
    Missing,
    MissingReason,
    Portrait,
    Print,
    Step,
)
from scheduler import places
from scheduler.database import transaction
from server.cases import officers, signing_in, verification
from server.cases.officers import Acting
from server.cases.signing_in import Proof
from server.registry.port import Kept, Person
from server.rules.concerns import ConcernKind
from server.rules.dossier import DossierEvent, DossierState
from server.settings import Settings
from server.store import audit, journal, totp
from server.store.held import a_transaction_is_open
from server.store.tables import (
    Audit,
    CaptureRow,
    Decision,
    Device,
    Dossier,
    Grant,
    Journal,
    Officer,
    Role,
)
from server.unseal import fingers, opening
from server.unseal.client import GrantRefused, Opened
from server.web import guard
from server.web.officer.app import create_app
from tests.clock import Clock

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

STATION = "DEMO-HN1"
ELSEWHERE = "DEMO-HN2"
FAR = "DEMO-HCM"
PASSWORD = "một câu đủ dài"
MODEL = "dlib_face_recognition_resnet_model_v1"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXQ"
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)
"""A PNG of one grey point."""
OFFICERS = {
    "v.an": ("Nguyễn Thu An", Role.VERIFIER, STATION),
    "v.binh": ("Trần Quốc Bình", Role.VERIFIER, STATION),
    "v.xa": ("Lê Thị Xa", Role.VERIFIER, ELSEWHERE),
    "c.chi": ("Phạm Ngọc Chi", Role.CAPTURER, STATION),
    "s.dung": ("Hoàng Minh Dũng", Role.SUPERVISOR, STATION),
    "a.giang": ("Vũ Hương Giang", Role.AUDITOR, STATION),
}


@cache
def password_hash() -> str:
    return officers.HASHER.hash(officers.plain_password(PASSWORD))


def acting(officer_id: str) -> Acting:
    name, role, station = OFFICERS[officer_id]
    return Acting(id=officer_id, name=name, station=station, role=role)


def person(number: str = "001190012345", name: str = "Đặng Thị Mỹ Linh") -> Person:
    return Person(
        personal_number=number,
        full_name=name,
        birth_date=datetime(1990, 3, 17).date(),  # noqa: DTZ001 - a birth date
        sex="female",
        ethnic_group="01",
        religion="Không",
        birth_place="Phường Giả Định, TP Hà Nội",
        birth_registered_at="Phường Giả Định, TP Hà Nội",
        home_town="Xã Giả Định, Hưng Yên",
        permanent_residence="12 phố Mẫu, Phường Giả Định, TP Hà Nội",
        current_residence="12 phố Mẫu, Phường Giả Định, TP Hà Nội",
    )


def capture(
    row: CaptureRow,
    code: str,
    *,
    portrait: bytes = DOT,
    prints: dict[int, bytes] | None = None,
    findings: tuple[Finding, ...] = (),
    missing: tuple[Missing, ...] = (),
    forced_by: str | None = None,
    signature: bytes = DOT,
) -> Capture:
    """A capture as the unsealing process would give it for `row`."""
    at = row.captured_at
    gone = {absent.position for absent in missing}
    images = prints or dict.fromkeys(range(1, 11), DOT)
    return Capture(
        visit=str(row.visit_id),
        dossier=code,
        appointment=str(row.appointment_id),
        portrait=Portrait(
            image=portrait,
            width=900,
            height=1200,
            profile="can-cuoc",
            profile_sha256="0" * 64,
            findings=findings,
            forced_by=forced_by,
            liveness=None,
        ),
        prints=tuple(
            Print(
                position=position,
                kind=ImpressionKind.PLAIN,
                image=image,
                width=256,
                height=288,
                dpi=500,
                nfiq2=None if position == 9 else 40 + 3 * position,
                estimate=50.0 + position,
                minutiae=30 + position,
                template=None,
                support=None,
                agreement=None,
                attempts=1 + position % 3,
                reader="R503 (giả lập)",
            )
            for position, image in sorted(images.items())
            if position not in gone
        ),
        missing=missing,
        proof=None,
        irises=(),
        absences=(),
        signature=signature,
        consent=Consent(version="2026-07", sha256="ab" * 32, at=at - timedelta(minutes=6)),
        journal=(
            Step(at=at - timedelta(minutes=7), event="check_in", detail=""),
            Step(at=at - timedelta(minutes=6), event="agree", detail="2026-07"),
            Step(at=at - timedelta(minutes=5), event="keep_portrait", detail="can-cuoc"),
            Step(at=at - timedelta(minutes=1), event="complete_fingers", detail="10/10"),
            Step(at=at, event="seal", detail=""),
        ),
        simulated=("camera",) if row.simulated else (),
    )


def missing(position: int, officer: str, at: datetime) -> Missing:
    return Missing(
        position=position, reason=MissingReason.BANDAGED, permanent=False, officer=officer, at=at
    )


@dataclass
class Unsealer:
    """The unsealing process at its port: it uses leaves up and writes figures down as the real."""

    engine: sa.Engine
    clock: Clock
    captures: dict[str, Capture] = field(default_factory=dict)
    reference: bytes | None = DOT
    distance: float | None = 0.31
    outcome: str = "match"
    trouble: Exception | None = None
    opened: int = 0

    def open(self, grant: UUID) -> Opened:
        assert not a_transaction_is_open(), "nobody may wait for us inside a transaction"
        if self.trouble is not None:
            raise self.trouble
        now = self.clock.now
        with transaction(self.engine) as session:
            digest = session.execute(
                sa.update(Grant)
                .where(Grant.id == grant, Grant.used_at.is_(None), Grant.expires_at > now)
                .values(used_at=now)
                .returning(Grant.digest)
            ).scalar_one_or_none()
            if digest is None:
                raise GrantRefused
            opened = self._opened(digest)
            looked = fingers.look(opened.capture)
            opening.review(session, digest, opened, looked, now=now)
        self.opened += 1
        return opened

    def _opened(self, digest: str) -> Opened:
        compared = self.outcome != "not_assessed"
        return Opened(
            capture=self.captures[digest],
            reference=self.reference,
            distance=self.distance,
            outcome=self.outcome,
            model=MODEL if compared else "",
            model_sha256="5" * 64 if compared else None,
            match_at_most=0.45 if compared else None,
            no_match_above=0.55 if compared else None,
            reason=None if compared else "no_reference",
        )


class Office:
    """Everything together; `app` is the officers' app on it."""

    def __init__(self, engine: sa.Engine, folder: Path, now: datetime) -> None:
        self.engine = engine
        self.clock = Clock(now)
        self.unsealer = Unsealer(engine, self.clock)
        self.people: dict[str, Person] = {}
        secret = folder / "secret"
        secret.write_bytes(bytes(range(64)))
        self.settings = Settings(
            database="sqlite://",
            data=folder,
            secret_file=secret,
            unseal_socket=folder / "unseal.sock",
        )
        self.app: Flask = create_app(
            self.settings,
            engine,
            clock=self.clock,
            unsealer=self.unsealer,
            registry=Kept(people=self.people),
        )
        self._sequence = 0
        self._set_up()

    def _set_up(self) -> None:
        with transaction(self.engine) as session:
            audit.begin(session)
            for code, name, province in (
                (STATION, "Điểm thu nhận Phường Giả Định", "01"),
                (ELSEWHERE, "Điểm thu nhận Phường Mẫu", "01"),
                (FAR, "Điểm thu nhận Phường Thử", "79"),
            ):
                places.add_place(
                    session, code=code, name=name, address="1 phố Mẫu", province=province
                )
            session.add(
                Device(
                    id="d" * 64,
                    name="may-1",
                    station=STATION,
                    public_key=b"key",
                    trust="software",
                    enrolled_at=self.clock.now,
                )
            )
            for officer_id, (name, role, station) in OFFICERS.items():
                session.add(
                    Officer(
                        id=officer_id,
                        name=name,
                        station=station,
                        role=role,
                        password_hash=password_hash(),
                        totp_secret=totp.hide(
                            SECRET, officer_id=officer_id, secret=self.settings.secret
                        ),
                    )
                )

    def add_capture(
        self,
        *,
        operator: str | None = None,
        station: str = STATION,
        name: str = "Đặng Thị Mỹ Linh",
        simulated: bool = False,
        minutes_ago: int = 60,
        number: str | None = None,
        dossier: UUID | None = None,
    ) -> str:
        """Put a capture into the queue and return its digest; `dossier` came before."""
        self._sequence += 1
        number = number or f"00119001{self._sequence:04d}"
        at = self.clock.now - timedelta(minutes=minutes_ago)
        code = f"DEMO.001.026-261124-{self._sequence:06d}"
        with transaction(self.engine) as session:
            row = None if dossier is None else session.get(Dossier, dossier)
            if row is None:
                row = Dossier(
                    id=uuid4(),
                    code=code,
                    state=DossierState.DRAFT,
                    profile="can-cuoc-2026",
                    purpose="EX_AGE",
                    personal_number=number,
                    full_name=name,
                    birth_date=datetime(1990, 3, 17).date(),  # noqa: DTZ001 - a birth date
                    answers={"phone": "0912345678", "requests": ["e_identity"]},
                    person=person(number, name).as_json(),
                    created_at=at,
                    filed_at=at,
                )
                session.add(row)
                session.flush()
                journal.move(session, row, DossierEvent.FILE, now=at, actor="citizen")
            self.people[number] = person(number, name)
            for event in (DossierEvent.CHECK_IN, DossierEvent.SEAL):
                journal.move(session, row, event, now=at, actor="kiosk:may-1")
            stored = CaptureRow(
                digest=f"{self._sequence:064x}",
                device_id="d" * 64,
                sequence=self._sequence,
                dossier_id=row.id,
                appointment_id=uuid4(),
                station=station,
                operator=operator,
                simulated=simulated,
                size=1000,
                captured_at=at,
                received_at=at + timedelta(seconds=20),
                receipt={},
            )
            session.add(stored)
            session.flush()
            self.unsealer.captures[stored.digest] = capture(stored, row.code or "")
            return stored.digest

    def browser(self) -> "Browser":
        return Browser(self)

    def signed_in(self, officer_id: str) -> "Browser":
        """A browser in which the officer is signed in, without the slow work of proving it."""
        browser = self.browser()
        browser.client.set_cookie("officer_browser", "b" * 43, domain="localhost")
        now = self.clock.now
        with self.app.test_request_context(headers={"Cookie": f"officer_browser={'b' * 43}"}):
            binding = guard.csrf_token()
        with transaction(self.engine) as session:
            known = session.get_one(Officer, officer_id)
            proof = Proof(
                officer_id=officer_id,
                password_hash=known.password_hash,
                password_fits=True,
                step=max(known.totp_last_step + 1, int(now.timestamp()) // signing_in.STEP),
            )
            token = signing_in.admit(session, proof, bind=lambda: binding, now=now)
        assert token is not None
        browser.client.set_cookie("officer_session", token, domain="localhost")
        return browser

    def code(self) -> str:
        return pyotp.TOTP(SECRET).at(int(self.clock.now.timestamp()))

    @contextmanager
    def session(self) -> Iterator[Session]:
        with transaction(self.engine) as session:
            yield session

    def dossier_of(self, digest: str) -> Dossier:
        with self.session() as session:
            row = session.get_one(CaptureRow, digest)
            return session.get_one(Dossier, row.dossier_id)

    def entries(self, *, about: str | None = None) -> list[tuple[str, str]]:
        """Actor and action of every audit entry, of one subject where one is named."""
        with self.session() as session:
            rows = session.scalars(sa.select(Audit).order_by(Audit.seq))
            return [
                (row.actor, row.action) for row in rows if about is None or row.subject == about
            ]

    def decisions(self, digest: str) -> list[Decision]:
        with self.session() as session:
            return list(session.scalars(sa.select(Decision).where(Decision.digest == digest)))

    def events(self, digest: str) -> list[str]:
        with self.session() as session:
            row = session.get_one(CaptureRow, digest)
            rows = session.scalars(
                sa.select(Journal).where(Journal.dossier_id == row.dossier_id).order_by(Journal.id)
            )
            return [entry.event.value for entry in rows]


class Browser:
    """A browser that sends forms as a browser does: with the page's own token."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.client: FlaskClient = office.app.test_client()
        self._token = ("", "")

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url="http://localhost")

    def token(self) -> str:
        """The token of a page this browser can see, asked for anew when its name changes."""
        name = self.client.get_cookie("officer_browser", domain="localhost")
        if name is not None and self._token[0] == name.value:
            return self._token[1]
        page = self.client.get("/sign-in", base_url="http://localhost", follow_redirects=True)
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
        assert found, page.text
        name = self.client.get_cookie("officer_browser", domain="localhost")
        self._token = ("" if name is None else name.value, found[1])
        return found[1]

    def post(self, path: str, **fields: str) -> TestResponse:
        return self.client.post(
            path, data={"csrf": self.token(), **fields}, base_url="http://localhost"
        )

    def sign_in(
        self, officer_id: str, *, password: str = PASSWORD, code: str | None = None
    ) -> TestResponse:
        return self.post(
            "/sign-in",
            officer=officer_id,
            password=password,
            code=self.office.code() if code is None else code,
        )

    def decide(self, digest: str, verdict: str, **fields: str) -> TestResponse:
        """Decide; whoever accepts has seen and confirmed all unless `fields` say otherwise."""
        asked = (*verification.LOOKS, *(f"{verification.CONFIRM}{kind}" for kind in ConcernKind))
        looked = dict.fromkeys(asked, verification.YES) if verdict == "accept" else {}
        return self.post(f"/captures/{digest}/decision", verdict=verdict, **{**looked, **fields})
