"""The commands that let programs in and shut them out, as whoever runs this types them."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from scheduler.database import Base, connect, reading, transaction
from server.__main__ import main
from server.cases import programs
from server.store import audit
from server.store.tables import ApiKey, Audit, KeyKind


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    (tmp_path / "secret").write_bytes(bytes(32))
    url = f"sqlite:///{tmp_path}/small.db"
    for name, value in {
        "DATABASE": url,
        "DATA": str(tmp_path / "data"),
        "SECRET_FILE": str(tmp_path / "secret"),
        "UNSEAL_SOCKET": str(tmp_path / "unseal.sock"),
    }.items():
        monkeypatch.setenv(f"THUNHAN_{name}", value)
    engine = connect(url)
    Base.metadata.create_all(engine)
    with transaction(engine) as session:
        audit.begin(session)
    return engine


def add(name: str = "tong-dai", kind: str = "hotline", *more: str) -> int:
    return main(["program-add", "--name", name, "--kind", kind, *more])


def test_a_key_is_printed_once_and_opens_the_door(
    engine: sa.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add() == 0
    key = capsys.readouterr().out.strip()
    with reading(engine) as session:
        caller = programs.recognise(session, key)
        assert session.scalars(sa.select(Audit.action)).all() == ["key.added"]
    assert caller is not None
    assert (caller.actor, caller.kind, caller.a_minute) == (
        "hotline:tong-dai",
        KeyKind.HOTLINE,
        600,
    )


def test_a_revoked_key_opens_nothing_and_its_name_is_not_used_again(
    engine: sa.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    add()
    key = capsys.readouterr().out.strip()
    assert main(["program-revoke", "--name", "tong-dai"]) == 0
    with reading(engine) as session:
        assert programs.recognise(session, key) is None
    assert main(["program-revoke", "--name", "tong-dai"]) == 1
    assert add() == 1
    assert "before" in capsys.readouterr().err
    with reading(engine) as session:
        assert session.scalars(sa.select(sa.func.count()).select_from(ApiKey)).one() == 1


def test_a_program_may_be_given_a_pace_of_its_own(engine: sa.Engine) -> None:
    assert add("phuong", "partner", "--a-minute", "30") == 0
    with reading(engine) as session:
        assert session.scalars(sa.select(ApiKey.a_minute)).one() == 30


@pytest.mark.parametrize("name", ["", "Tổng đài", "a b", "-a", "A", "x" * 41, "a/../b"])
def test_a_name_that_is_none_is_refused(engine: sa.Engine, name: str) -> None:
    assert main(["program-add", f"--name={name}", "--kind", "partner"]) == 1


@pytest.mark.parametrize("pace", ["0", "-1", "x"])
def test_a_pace_that_is_none_is_refused(engine: sa.Engine, pace: str) -> None:
    with pytest.raises(SystemExit):
        add("phuong", "partner", f"--a-minute={pace}")
