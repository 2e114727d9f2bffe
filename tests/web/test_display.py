"""The waiting room's screen: numbers only, fresh, cheap to ask, with a voice made of clips."""

import io
import re
import wave
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from scheduler.database import Base, connect
from scheduler.tables_day import PointKind
from server.__main__ import main
from server.rules import voice as clips
from server.web.display import app, voice
from tests.web.halls import CAPTURER, Hall
from tests.web.intake_stage import HERE, THERE

RECEPTION = f"/today/{HERE}/reception"


@pytest.fixture
def hall(tmp_path: Path, now: datetime) -> Iterator[Hall]:
    """On SQLite alone: what a screen reads is asked of both engines by the tests of the line."""
    engine = connect(f"sqlite:///{tmp_path}/hall.db")
    Base.metadata.create_all(engine)
    yield Hall(engine, tmp_path, now)
    engine.dispose()


@pytest.fixture
def screen(hall: Hall) -> FlaskClient:
    return hall.display.test_client()


def ask(screen: FlaskClient, path: str, tag: str = "") -> TestResponse:
    headers = {"If-None-Match": tag} if tag else {}
    return screen.get(path, base_url="http://localhost", headers=headers)


def board(screen: FlaskClient, station: str = HERE) -> str:
    return ask(screen, f"/hall/{station}/board").text


def numbers(text: str, section: str) -> list[str]:
    part = re.search(rf'<section class="{section}.*?</section>', text, re.DOTALL)
    assert part, text
    return re.findall(r"(?:class=\"number\"[^>]*|<li)>(\d+)<", part[0])


def test_a_call_stands_large_and_the_ones_before_beside_it(hall: Hall, screen: FlaskClient) -> None:
    desk = hall.signed_in(CAPTURER)
    for _ in range(4):
        desk.post(RECEPTION, code=hall.booked())
    assert numbers(board(screen), "now") == []
    for point in ("Q1", "Q2"):
        hall.clock.goes_on(seconds=40)
        desk.post(f"/today/{HERE}/points/{point}/call")
    hall.clock.goes_on(seconds=2)
    text = board(screen)
    assert (numbers(text, "now"), numbers(text, "last")) == (["2"], ["1"])
    assert numbers(text, "following") == ["3", "4"]
    assert 'data-call="2-kiosk-2-1"' in text
    assert 'data-told="Mời số 2 đến máy số 2"' in text
    assert "phút" in text


def test_a_number_called_again_is_another_call(hall: Hall, screen: FlaskClient) -> None:
    desk = hall.signed_in(CAPTURER)
    desk.post(RECEPTION, do="walk_in")
    desk.post(f"/today/{HERE}/points/QUAY-3/call")
    hall.clock.goes_on(seconds=2)
    desk.post(f"/today/{HERE}/numbers/1/again")
    hall.clock.goes_on(seconds=2)
    assert 'data-call="1-counter-3-2"' in board(screen)


def test_the_screen_says_nothing_of_anybody(hall: Hall, screen: FlaskClient) -> None:
    tickets = [hall.booked() for _ in range(3)]
    desk = hall.signed_in(CAPTURER)
    for ticket in tickets:
        desk.post(RECEPTION, code=ticket)
    desk.post(f"/today/{HERE}/points/Q1/call")
    desk.post(f"/today/{HERE}/note", note="Bí mật của ca trực")
    hall.clock.goes_on(seconds=2)
    text = ask(screen, f"/hall/{HERE}").text
    dossier = hall.house.dossier_of(tickets[0])
    secrets = (dossier.full_name, dossier.code, dossier.personal_number, tickets[0], "Bí mật")
    assert [secret for secret in secrets if secret and secret in text] == []


def test_nothing_new_is_answered_with_nothing(hall: Hall, screen: FlaskClient) -> None:
    ticket = hall.booked()
    first = ask(screen, f"/hall/{HERE}/board")
    hall.clock.goes_on(seconds=3)
    again = ask(screen, f"/hall/{HERE}/board", first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["X-Now"] > first.headers["X-Now"]
    hall.signed_in(CAPTURER).post(RECEPTION, code=ticket)
    hall.clock.goes_on(seconds=3)
    changed = ask(screen, f"/hall/{HERE}/board", first.headers["ETag"])
    assert changed.status_code == 200
    page = ask(screen, f"/hall/{HERE}").text
    assert f'data-tag="{changed.headers["ETag"].strip(chr(34))}"' in page


def test_many_screens_are_one_question(hall: Hall, screen: FlaskClient) -> None:
    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    sa.event.listen(hall.engine, "before_cursor_execute", note)
    board(screen)
    once = len(asked)
    for _ in range(20):
        board(screen)
    sa.event.remove(hall.engine, "before_cursor_execute", note)
    assert 0 < once == len(asked)


def test_a_station_without_kiosks_is_closed(hall: Hall, screen: FlaskClient) -> None:
    assert "Điểm thu nhận đang nghỉ" in board(screen, THERE)


def test_foreign_and_hostile_addresses_are_not_found(hall: Hall, screen: FlaskClient) -> None:
    for path in (
        "/hall/none",
        "/hall/none/board",
        "/hall/%00",
        "/hall/" + "x" * 5000,
        "/hall/<script>",
        "/voice/vi/0-kiosk-99999999999999999999.wav",
        "/voice/vi/1-toilet-1.wav",
        "/voice/fr/1-kiosk-1.wav",
        "/voice/vi/-1-kiosk-1.wav",
        "/voice/vi/1-kiosk-1.wav",  # no clips were made
    ):
        answer = ask(screen, path)
        assert answer.status_code == 404, path
        assert "<script>" not in answer.text
    assert screen.post(f"/hall/{HERE}", base_url="http://localhost").status_code in {403, 405}
    policy = ask(screen, f"/hall/{HERE}").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_every_station_is_listed(hall: Hall, screen: FlaskClient) -> None:
    text = ask(screen, "/").text
    assert f'href="/hall/{HERE}"' in text
    assert f'href="/hall/{THERE}"' in text


@pytest.mark.parametrize(
    ("minutes", "announced"), [(0, 5), (1, 5), (5, 5), (6, 10), (17, 20), (60, 60)]
)
def test_a_wait_is_announced_in_steps_never_too_short(minutes: int, announced: int) -> None:
    assert app.steps(minutes) == announced


def write_clip(path: Path, *, loud: int, rate: int = 8000, level: int = 8000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.concatenate([np.zeros(500), np.full(loud, level), np.zeros(700)])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype(np.int16).tobytes())


def seconds(sound: bytes) -> float:
    with wave.open(io.BytesIO(sound)) as file:
        return float(file.getnframes() / file.getframerate())


def test_a_call_is_said_figure_by_figure_without_the_silence_of_each_clip(tmp_path: Path) -> None:
    loud = {"call": 800, "to_kiosk": 1600, "to_counter": 400}
    for name in clips.clips():
        write_clip(tmp_path / clips.FOLDER / f"{name}.vi.wav", loud=loud.get(name, 240))
    sound = voice.say(tmp_path, "vi", 123, PointKind.KIOSK, 2)
    said = (800 + 3 * 240 + 1600 + 240) / 8000
    silent = 2 * voice.BETWEEN_DIGITS + voice.BETWEEN_PHRASES + voice.BETWEEN_DIGITS
    assert seconds(sound) == pytest.approx(said + silent, abs=0.001)
    assert len(voice.say(tmp_path, "vi", 123, PointKind.COUNTER, 2)) < len(sound)


@pytest.mark.parametrize("broken", [b"", b"RIFF", b"x" * 3000])
def test_a_broken_or_silent_clip_is_no_voice(tmp_path: Path, broken: bytes) -> None:
    for name in clips.clips():
        write_clip(tmp_path / clips.FOLDER / f"{name}.vi.wav", loud=240)
    (tmp_path / clips.FOLDER / "digit_7.vi.wav").write_bytes(broken)
    write_clip(tmp_path / clips.FOLDER / "digit_8.vi.wav", loud=240, level=10)
    for number in (7, 8):
        with pytest.raises(voice.Mute):
            voice.say(tmp_path, "vi", number, PointKind.KIOSK, 1)
    assert voice.say(tmp_path, "vi", 9, PointKind.KIOSK, 1)
    with pytest.raises(voice.Mute):
        voice.say(tmp_path, "en", 9, PointKind.KIOSK, 1)


def test_every_figure_and_kind_has_a_clip_in_both_languages() -> None:
    wanted = {"call", *(clips.to(kind) for kind in PointKind), *map(clips.digit, "0123456789")}
    assert set(clips.clips()) == wanted
    assert all(set(said) == {"vi", "en"} for said in clips.clips().values())


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "secret").write_bytes(bytes(32))
    for name, value in {
        "DATABASE": f"sqlite:///{tmp_path}/hall.db",
        "DATA": str(tmp_path / "data"),
        "SECRET_FILE": str(tmp_path / "secret"),
        "UNSEAL_SOCKET": str(tmp_path / "unseal.sock"),
    }.items():
        monkeypatch.setenv(f"THUNHAN_{name}", value)
    return tmp_path


def test_the_command_makes_clips_of_which_every_call_is_put_together(installed: Path) -> None:
    assert main(["voice-create"]) == 0
    for language in ("vi", "en"):
        for kind in PointKind:
            short = voice.say(installed / "data", language, 7, kind, 1)
            long = voice.say(installed / "data", language, 1234567890, kind, 1)
            assert 0.8 < seconds(short) < seconds(long) < 15


def test_the_command_adds_a_counter_once(
    hall: Hall, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["counter-add", "--station", HERE, "--name", "QUAY-9", "--number"]
    assert main([*given, "9"]) == 0
    desk = hall.signed_in(CAPTURER)
    desk.post(RECEPTION, do="walk_in")
    assert "number=1" in desk.post(f"/today/{HERE}/points/QUAY-9/call").headers["Location"]
    assert (main([*given, "9"]), main([*given, "0"])) == (1, 1)
    assert main(["counter-add", "--station", "none", "--name", "x", "--number", "1"]) == 1
    assert "no such station" in capsys.readouterr().err
