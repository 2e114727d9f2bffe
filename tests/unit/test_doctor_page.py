"""The examination's page: it looks while nobody is there, and never while somebody is."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.codes.port import CodeReader
from hardware.errors import Broken, Silent, Unplugged
from hardware.printer.escpos_printer import EscposPrinter
from hardware.printer.port import Printer, PrinterInfo
from hardware.printer.simulator import Condition, PaperRoll
from kiosk.codes import Scanner
from kiosk.doctor import record
from kiosk.doctor.check import Check, State, doctor_words, found
from kiosk.doctor.lent import Lent
from kiosk.paper import Paper
from kiosk.portrait import Lens
from kiosk.screens import Screen
from kiosk.web.app import kiosk_app
from tests.kiosk_stage import GOOD, NAME, TICKET, FakeCamera, Stage, stage

ROUND = "kiosk.web.doctor_pages.run"
FOUND = (
    found("camera", State.OK, "camera.ok"),
    found("printer", State.ATTENTION, "printer.near_end"),
    found("keys", State.BROKEN, "keys.over", simulated=True),
)


@pytest.fixture
def kiosk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(ROUND, lambda *_, **__: FOUND)
    with stage(tmp_path) as made:
        yield made


def text(kiosk: Stage, query: str = "") -> str:
    answer = kiosk.web.get(f"/doctor{query}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def printing(kiosk: Stage, roll: PaperRoll) -> None:
    info = PrinterInfo(name="roll", path="", simulated=True, width=576)

    def opened(spec: str) -> Printer:
        assert spec == "roll"
        return EscposPrinter(info, roll.connect)

    booth = kiosk.booth
    booth.fittings = replace(booth.fittings, paper=Paper("roll", booth.changed, open_=opened))
    kiosk.web = kiosk_app(booth, name="Máy 1", rehearsal=None).test_client()


def test_a_kiosk_that_was_never_examined_says_so_and_offers_it(kiosk: Stage) -> None:
    shown = text(kiosk)
    assert doctor_words()["doctor.never"].vi in shown
    assert '<form method="post" action="/doctor"' in shown
    assert "/doctor/trial" not in shown


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_was_found_is_shown_worst_first_in_both_languages(kiosk: Stage, language: str) -> None:
    answer = kiosk.web.post("/doctor", data={"language": language})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/doctor?language={language}")
    shown = text(kiosk, f"?language={language}")
    assert f'<html lang="{language}">' in shown
    places = [shown.index(check.text.in_(language)) for check in reversed(FOUND)]
    assert places == sorted(places)
    assert doctor_words()["doctor.verdict.broken"].in_(language) in shown
    assert doctor_words()["doctor.simulated"].in_(language) in shown
    assert " style=" not in shown
    assert not re.search(r"\son[a-z]+=", shown)
    kiosk.time.seconds += 24 * 3600
    assert doctor_words()["doctor.due"].in_(language) in text(kiosk, f"?language={language}")


def test_a_script_gets_the_same_as_json(kiosk: Stage) -> None:
    answer = kiosk.web.post("/doctor", json={})
    assert record.read(answer.get_json()).checks == FOUND
    assert record.last(kiosk.folder) == record.read(answer.get_json())


def test_nothing_is_examined_while_somebody_is_there(
    kiosk: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.web.post("/doctor", data={})

    def never(*_: object, **__: object) -> tuple[Check, ...]:
        raise AssertionError("a device was tested during a visit")

    monkeypatch.setattr(ROUND, never)
    for action, values in (("type_code", {}), ("code", {"ticket": TICKET})):
        kiosk.press(action, None, **values)
        assert kiosk.web.post("/doctor", json={}).status_code == 409
        answer = kiosk.web.post("/doctor", data={})
        assert answer.status_code == 409
        shown = answer.get_data(as_text=True)
        assert doctor_words()["doctor.visit"].vi in shown
        assert FOUND[0].text.vi in shown
        assert NAME.upper() not in shown.upper()
        assert '<form method="post" action="/doctor"' not in shown
    assert kiosk.shows(Screen.CONFIRM)


def test_an_officer_at_the_desk_of_the_first_screen_finds_the_way_there(kiosk: Stage) -> None:
    kiosk.officer()
    assert 'href="/doctor?language=vi"' in kiosk.web.get("/").get_data(as_text=True)
    assert kiosk.web.post("/doctor", json={}).status_code == 200
    assert kiosk.shows(Screen.DESK)


def test_a_visit_that_begins_meanwhile_ends_the_tests_of_devices(
    kiosk: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def half(*_: object, free: object, **__: object) -> tuple[Check, ...]:
        assert callable(free)
        seen.append(free())
        kiosk.press("type_code")
        seen.append(free())
        return FOUND

    monkeypatch.setattr(ROUND, half)
    assert kiosk.web.post("/doctor", json={}).status_code == 200
    assert seen == [True, False]


def test_two_examinations_do_not_run_at_once(kiosk: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> tuple[Check, ...]:
        begun.set()
        assert go.wait(20)
        return FOUND

    monkeypatch.setattr(ROUND, slow)
    statuses: list[int] = []
    thread = threading.Thread(
        target=lambda: statuses.append(kiosk.web.post("/doctor", json={}).status_code)
    )
    thread.start()
    assert begun.wait(20)
    second = kiosk.web.application.test_client().post("/doctor", json={})
    go.set()
    thread.join(20)
    assert (second.status_code, statuses) == (409, [200])


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_page_of_another_site_starts_no_examination(
    kiosk: Stage, headers: dict[str, str]
) -> None:
    assert kiosk.web.post("/doctor", json={}, headers=headers).status_code == 403
    assert kiosk.web.get("/doctor", headers={"Host": "evil.example"}).status_code == 400
    assert record.last(kiosk.folder) is None


def test_a_full_disk_is_no_reason_to_show_nothing(
    kiosk: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kiosk.durable.replace", full)
    answer = kiosk.web.post("/doctor", json={})
    assert record.read(answer.get_json()).checks == FOUND


def test_a_trial_is_printed_and_what_hinders_it_is_said(kiosk: Stage) -> None:
    roll = PaperRoll()
    printing(kiosk, roll)
    assert "/doctor/trial" in text(kiosk)
    assert kiosk.web.post("/doctor/trial", data={}).status_code == 200
    assert len(roll.receipts) == 1
    roll.become(Condition(paper=0))
    answer = kiosk.web.post("/doctor/trial", json={"language": "en"})
    assert answer.status_code == 503
    assert doctor_words()["doctor.printer.paper_out"].vi in answer.get_json()["said"]
    roll.become(Condition(plugged=False))
    answer = kiosk.web.post("/doctor/trial", data={})
    assert doctor_words()["doctor.printer.missing"].vi in answer.get_data(as_text=True)
    kiosk.press("type_code")
    assert kiosk.web.post("/doctor/trial", data={}).status_code == 409


# What the running kiosk lends


def test_the_running_kiosk_lends_its_camera_and_reader(kiosk: Stage) -> None:
    camera = FakeCamera()
    for _ in range(4):
        camera.frames.put(GOOD)
    lens = Lens(lambda: camera, lambda _: None)
    lent = Lent(fittings=replace(kiosk.booth.fittings, lens=lens))
    with lent.reader() as reader:
        assert reader is kiosk.reader
    lens.start()
    info, frames = lent.frames(1)
    camera.close()
    lens.stop()
    assert info.name == "fake camera"
    assert len(frames) == 1


def test_what_the_running_kiosk_has_not_got_is_missing(kiosk: Stage) -> None:
    lent = Lent(fittings=kiosk.booth.fittings)
    clock = kiosk.time

    def passing() -> float:
        clock.seconds += 1
        return clock.seconds

    fittings = replace(
        kiosk.booth.fittings, clock=replace(kiosk.booth.fittings.clock, monotonic=passing)
    )
    with pytest.raises(Silent):
        Lent(fittings=fittings).frames(2)
    with pytest.raises(Unplugged):
        lent.scanner()
    with pytest.raises(Unplugged):
        lent.printer()
    with pytest.raises(Unplugged):
        lent.irises()

    def gone() -> CodeReader:
        raise Unplugged("gone")

    away = Lent(fittings=replace(fittings, scanner=Scanner(gone, lambda _: None)))
    with pytest.raises(Broken):
        away.scanner()


def test_the_reader_is_not_lent_while_a_finger_is_wanted(kiosk: Stage) -> None:
    kiosk.to_fingers()
    with Lent(fittings=kiosk.booth.fittings).reader() as reader:
        assert reader is None
