"""A small installation for tests: two stations, kiosks that sign, people with tickets."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ECDSA_P256_SHA256
from pydantic import BaseModel
from werkzeug.test import TestResponse

from biometrics.capture import (
    Capture,
    Consent,
    ImpressionKind,
    Portrait,
    Print,
)
from biometrics.seal.keys import PrivateKeys
from biometrics.seal.sealing import About, Sealed, seal
from kiosk.protocol import CheckIn, UploadStart, Visit
from scheduler import horizon, places
from scheduler.booking import SlotRef
from scheduler.database import transaction
from scheduler.places import REGULAR, Rule
from server.cases import appointments, devices, filing
from server.cli import keys as keys_command
from server.registry.port import Person
from server.rules import tickets
from server.settings import Settings
from server.store import audit
from server.store.tables import Device, Dossier, Officer, Role
from server.web.intake.app import create_app
from tests.clock import Clock

HERE, THERE = "S01", "S02"
KID = "ingest-test"
SECRET = b"0123456789abcdef0123456789abcdef"
ORIGIN = "http://localhost"
CHUNK = 1024 * 1024
JPEG = b"\xff\xd8\xff\xe0"
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(slots=True)
class _Message:
    method: str
    url: str
    headers: dict[str, str]


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def id_of(key: ec.EllipticCurvePrivateKey) -> str:
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


@dataclass(slots=True)
class Kiosk:
    """A client of our own, written from the standard and not from the real kiosk's code."""

    app: Flask
    key: ec.EllipticCurvePrivateKey
    clock: Clock
    station: str = HERE

    @property
    def id(self) -> str:
        return id_of(self.key)

    def signed(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        covered: tuple[str, ...] | None = None,
        created: datetime | None = None,
        nonce: str | None = "",
        offset: str | None = None,
    ) -> dict[str, str]:
        """Return the headers of a signed request."""
        sent = {} if offset is None else {"Upload-Offset": offset}
        if covered is None:
            covered = ("@method", "@target-uri", *(name.lower() for name in sent))
        message = _Message(method, ORIGIN + path, sent)
        signer = HTTPMessageSigner(
            signature_algorithm=ECDSA_P256_SHA256,
            key_resolver=MappingKeyResolver(public_keys={}, private_keys={self.id: self.key}),
        )
        signer.sign(
            message,
            key_id=self.id,
            created=created or self.clock(),
            nonce=secrets.token_hex(16) if nonce == "" else nonce,
            label="thunhan",
            covered_component_ids=covered,
            body=body or None,
        )
        return message.headers

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        """Send a request as it is."""
        with self.app.test_client() as client:
            return client.open(
                path, method=method, data=body, headers=dict(headers or {}), base_url=ORIGIN
            )

    def ask(
        self,
        method: str,
        path: str,
        body: BaseModel | bytes = b"",
        *,
        offset: str | None = None,
    ) -> TestResponse:
        """Sign and send a request."""
        content = body if isinstance(body, bytes) else body.model_dump_json().encode()
        return self.send(method, path, content, self.signed(method, path, content, offset=offset))

    def check_in(self, ticket: str) -> TestResponse:
        return self.ask("POST", "/kiosk/check-in", CheckIn(ticket=ticket))

    def arrive(self, ticket: str) -> Visit:
        answer = self.check_in(ticket)
        assert answer.status_code == 200, answer.text
        return Visit.model_validate_json(answer.data)

    def start(self, digest: str, size: int) -> TestResponse:
        return self.ask("POST", "/kiosk/uploads", UploadStart(digest=digest, size=size))

    def patch(self, digest: str, offset: int, chunk: bytes) -> TestResponse:
        return self.ask("PATCH", f"/kiosk/uploads/{digest}", chunk, offset=str(offset))

    def upload(self, digest: str, packet: bytes, chunk: int = CHUNK) -> TestResponse:
        """Send a packet from where the server says it is, and return the last answer."""
        answer = self.start(digest, len(packet))
        while answer.status_code == 200 and answer.json and answer.json["receipt"] is None:
            offset = answer.json["offset"]
            answer = self.patch(digest, offset, packet[offset : offset + chunk])
        return answer

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


def capture_of(
    visit: Visit, *, at: datetime, image: bytes = JPEG, simulated: bool = True
) -> Capture:
    return Capture(
        visit=str(visit.visit_id),
        dossier=visit.dossier,
        appointment=str(visit.appointment),
        portrait=Portrait(
            image=image,
            width=600,
            height=800,
            profile="can-cuoc",
            profile_sha256="0" * 64,
            findings=(),
            forced_by=None,
            liveness=None,
        ),
        prints=(
            Print(
                position=1,
                kind=ImpressionKind.PLAIN,
                image=PNG + bytes(64),
                width=256,
                height=288,
                dpi=500,
                nfiq2=62,
                estimate=61.5,
                minutiae=41,
                template=None,
                support=None,
                agreement=None,
                attempts=1,
                reader="simulated",
            ),
        ),
        missing=(),
        proof=None,
        irises=(),
        absences=(),
        signature=PNG,
        consent=Consent(version=visit.notice.version, sha256=visit.notice.sha256, at=at),
        journal=(),
        simulated=("camera", "reader") if simulated else (),
    )


@dataclass(slots=True)
class Stage:
    """Everything a test needs."""

    engine: sa.Engine
    settings: Settings
    clock: Clock
    app: Flask
    unseal_keys: Path
    people: int = 0
    made: dict[str, Kiosk] = field(default_factory=dict)

    @property
    def keys(self) -> PrivateKeys:
        return PrivateKeys.load(self.unseal_keys / KID)

    def kiosk(self, name: str = "Q1", station: str = HERE) -> Kiosk:
        """Return the enrolled kiosk of this name."""
        if name not in self.made:
            key = ec.generate_private_key(ec.SECP256R1())
            with transaction(self.engine) as session:
                devices.enrol(
                    session,
                    name=name,
                    station=station,
                    public_pem=pem(key),
                    trust="software",
                    now=self.clock(),
                )
            self.made[name] = Kiosk(self.app, key, self.clock, station)
        return self.made[name]

    def stranger(self) -> Kiosk:
        return Kiosk(self.app, ec.generate_private_key(ec.SECP256R1()), self.clock)

    def person(self, *, born: date = date(1990, 5, 17), year_only: bool = False) -> Person:
        self.people += 1
        return Person(
            personal_number=f"0010900{self.people:05d}",
            full_name="Nguyễn Thị Giả Định",
            birth_date=born,
            birth_year_only=year_only,
            sex="female",
            ethnic_group="01",
            religion="00",
            birth_place="Giả Định",
            birth_registered_at="Giả Định",
            home_town="Giả Định",
            permanent_residence="Giả Định",
            current_residence="Giả Định",
        )

    def officer(self, officer_id: str) -> None:
        """Take somebody on who cannot sign in."""
        with transaction(self.engine) as session:
            session.add(
                Officer(
                    id=officer_id,
                    name="Trần Văn Mẫu",
                    station=HERE,
                    role=Role.VERIFIER,
                    password_hash="",
                    totp_secret="",
                )
            )

    def booked(
        self,
        *,
        at: datetime,
        station: str = HERE,
        person: Person | None = None,
        purpose: str = "NEW",
    ) -> str:
        """File a dossier with a certain appointment and return its ticket, as it is shown."""
        before = self.clock()
        with transaction(self.engine) as session:
            dossier, _ = filing.begin(session, purpose=purpose, now=before, language="vi")
            filing.know(dossier, person or self.person(), secret=SECRET)
            slot = SlotRef(place=station, starts_at=at, lane=REGULAR)
            appointments.hold(session, dossier, slot, now=before)
            made = appointments.confirm(session, dossier, secret=SECRET, now=before)
        return tickets.show(made.ticket)

    def dossier(self, code: str) -> Dossier:
        with transaction(self.engine) as session:
            return session.scalars(sa.select(Dossier).where(Dossier.code == code)).one()

    def dossier_of(self, ticket: str) -> Dossier:
        with transaction(self.engine) as session:
            found = appointments.of_ticket(session, tickets.parse(ticket))
            assert found is not None
            return found[0]

    def device(self, kiosk: Kiosk) -> Device:
        with transaction(self.engine) as session:
            return session.get_one(Device, kiosk.id)

    def appointment_state(self, appointment: UUID) -> str:
        with transaction(self.engine) as session:
            from_text = sa.text("SELECT state FROM appointment WHERE id = :id").bindparams(
                sa.bindparam("id", appointment, type_=sa.Uuid())
            )
            return str(session.execute(from_text).scalar_one())

    def sealed(
        self,
        kiosk: Kiosk,
        visit: Visit,
        /,
        *,
        sequence: int = 1,
        image: bytes = JPEG,
        simulated: bool = True,
        keys: PrivateKeys | None = None,
        **other: Any,  # noqa: ANN401 - any field of the header
    ) -> Sealed:
        """Return the visit's capture as the kiosk would seal it, but for what `other` changes."""
        at = self.clock().astimezone(UTC)
        capture = capture_of(visit, at=at, image=image, simulated=simulated)
        about: About = {
            "dossier": visit.dossier,
            "appointment": str(visit.appointment),
            "visit": str(visit.visit_id),
            "station": visit.station,
            "device": kiosk.id,
            "sequence": sequence,
            "captured_at": at,
            "mono": 12.5,
            "boot_id": "boot",
            "modalities": 2,
            "consent": bytes.fromhex(visit.notice.sha256),
            "software": "test",
            "operator": None,
            "previous": None,
            "trust": "software",
            "simulated": simulated,
        }
        about.update(other)  # type: ignore[typeddict-item]
        return seal(capture.encode(), keys=(keys or self.keys).public, sign=kiosk.sign, **about)


def stage(engine: sa.Engine, folder: Path, now: datetime, *, rehearsal: bool = True) -> Stage:
    """Set an installation up on an empty database, on the day after `now`: that is no holiday."""
    now += timedelta(days=1)
    (folder / "secret").write_bytes(SECRET)
    settings = Settings(
        database=str(engine.url),
        data=folder / "data",
        secret_file=folder / "secret",
        unseal_socket=folder / "unseal.sock",
        rehearsal=rehearsal,
    )
    clock = Clock(now)
    keys_command.create(settings, unseal_folder=folder / "unseal-keys", kid=KID, now=now)
    day = now.astimezone(UTC).date()
    with transaction(engine) as session:
        audit.begin(session)
        for code, name in ((HERE, "Công an phường Giả Định"), (THERE, "Công an xã Xa")):
            places.add_place(session, code=code, name=name, address="1 Đường Mẫu", province="01")
            rule = Rule(opens=time(7, 30), closes=time(17), step=30, capacity=20, valid_from=day)
            places.add_rule(session, code, rule)
            horizon.materialise(session, code, first=day, last=day + timedelta(days=1), now=now)
    return Stage(
        engine, settings, clock, create_app(settings, engine, clock=clock), folder / "unseal-keys"
    )


def said(answer: TestResponse) -> str:
    """Return the code of a refusal, which is told in both languages."""
    refusal = json.loads(answer.data)
    assert refusal["text"]["vi"]
    assert refusal["text"]["en"]
    assert "{" not in refusal["text"]["vi"] + refusal["text"]["en"]
    return str(refusal["code"])
