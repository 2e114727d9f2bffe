"""Officers are taken on, let go and unlocked at the command line."""

import argparse
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pyotp
import pytest
import sqlalchemy as sa

from scheduler.database import Base, connect, transaction
from server.cases import officers, signing_in
from server.cli import officers as command
from server.settings import Settings
from server.store import audit
from server.store.tables import Audit, Officer, Role

SECRET = pyotp.random_base32()
PASSWORD = "đủ dài và khó đoán"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path}/t.db"
    engine = connect(url)
    Base.metadata.create_all(engine)
    with transaction(engine) as session:
        audit.begin(session)
    engine.dispose()
    (tmp_path / "s").write_bytes(bytes(32))
    return Settings(
        database=url, data=tmp_path, secret_file=tmp_path / "s", unseal_socket=tmp_path / "u"
    )


def run(settings: Settings, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    parsed = parser.parse_args(arguments)
    return int(parsed.run(parsed, settings))


def adding(folder: Path, **changed: str) -> list[str]:
    (folder / "password").write_text(changed.pop("password", PASSWORD) + "\n", encoding="utf-8")
    (folder / "pin").write_text(changed.pop("pin", "2580") + "\n", encoding="utf-8")
    given = {
        "id": "v.an",
        "name": "Nguyễn Thu An",
        "station": "DEMO-HN1",
        "role": "verifier",
        "totp-secret": SECRET,
        "password-file": str(folder / "password"),
        "pin-file": str(folder / "pin"),
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    return [
        "officer-add",
        *(part for name, value in given.items() for part in (f"--{name}", value)),
    ]


Row = TypeVar("Row", Officer, Audit)


def rows(settings: Settings, what: type[Row]) -> list[Row]:
    engine = connect(settings.database)
    with transaction(engine) as session:
        found = list(session.scalars(sa.select(what)))
    engine.dispose()
    return found


def test_an_officer_added_at_the_command_line_can_sign_in(
    settings: Settings, tmp_path: Path, now: datetime
) -> None:
    assert run(settings, *adding(tmp_path)) == 0
    (officer,) = rows(settings, Officer)
    assert officer.role is Role.VERIFIER
    assert PASSWORD not in officer.password_hash
    assert officers.HASHER.verify(officer.pin_hash or "", "2580")
    assert SECRET not in officer.totp_secret
    engine = connect(settings.database)
    with transaction(engine) as session:
        candidate = signing_in.look(session, "v.an", secret=settings.secret)
    engine.dispose()
    code = pyotp.TOTP(SECRET).at(int(now.timestamp()))
    proof = signing_in.prove(candidate, password=PASSWORD, code=code, now=now)
    assert proof.password_fits
    assert proof.step is not None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id": "has space"}, "id"),
        ({"id": "x" * 41}, "id"),
        ({"id": ".hidden"}, "id"),
        ({"name": "An123"}, "name"),
        ({"name": ""}, "name"),
        ({"station": "x" * 17}, "station"),
        ({"password": "ngắn"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"pin": "12a4"}, "PIN"),
        ({"pin": ""}, "PIN"),
        ({"totp_secret": "JBSWY3DPEHPK3PXP"}, "TOTP"),
        ({"totp_secret": "not base32!"}, "TOTP"),
        ({"totp_secret": ""}, "TOTP"),
    ],
)
def test_what_makes_no_officer_is_refused_with_what_to_mend(
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str],
    said: str,
) -> None:
    assert run(settings, *adding(tmp_path, **changed)) == 1
    assert said in capsys.readouterr().err
    assert rows(settings, Officer) == []
    assert rows(settings, Audit) == []


def test_files_that_are_not_there_are_said(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = adding(tmp_path, password_file=str(tmp_path / "nothing"))
    assert run(settings, *arguments) == 1
    assert "nothing" in capsys.readouterr().err


def test_an_id_is_taken_once_and_only_known_officers_are_let_go(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings, *adding(tmp_path)) == 0
    assert run(settings, *adding(tmp_path)) == 1
    assert run(settings, "officer-disable", "--id", "v.binh") == 1
    assert run(settings, "officer-unlock", "--id", "v.binh") == 1
    assert capsys.readouterr().err.count("v.binh") == 2
    assert run(settings, "officer-unlock", "--id", "v.an") == 0
    assert run(settings, "officer-disable", "--id", "v.an") == 0
    (officer,) = rows(settings, Officer)
    assert officer.active is False
    actions = [row.action for row in rows(settings, Audit)]
    assert actions == ["officer.add", "officer.unlock", "officer.disable"]
