"""A morning in a waiting room faster than it passes: 39 people, real apps, real Chromium.

The clock jumps from one thing that happens to the next; nothing in it is left to chance.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, expect
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from kiosk.protocol import Visit
from scheduler.database import Base, connect, transaction
from scheduler.life import AppointmentState
from scheduler.points import HELP
from scheduler.queue import Entry, QueueState
from server.cases import day, visits
from server.demo import walk
from server.rules import voice as clips
from server.rules.dossier import DossierState
from server.web.display import app as display_app
from server.web.officer import today_pages
from tests.conftest import absent
from tests.web.halls import CAPTURER, Hall
from tests.web.intake_stage import HERE, Kiosk
from tests.web.test_display import write_clip

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

OPENS = datetime(2026, 11, 24, 0, 10, tzinfo=UTC)
"""07:10 in Vietnam; the stage is a day later. The first appointments are at 07:30."""
BEFORE = 20
SLOTS, A_SLOT, STEP = 8, 4, 30
COMES = (-14, -6, 1, 8)
"""Minutes after the appointment, of the four people of a slot."""
VERY_LATE, NOT_THERE, OLD = 9, 6, 10
"""Booked persons who come 25 minutes late, miss their first call, and were born in 1938."""
NO_SHOWS = frozenset({5, 13, 21, 29})
WALK_INS = (55, 115, 170)
WITHOUT = (40, 90, 150, 220)
AT_KIOSK, AT_COUNTER, AWAY = 11, 8, 10
"""Minutes."""
LAST = 420


class _Quiet(WSGIRequestHandler):
    def log(self, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401 - werkzeug's signature
        """Say nothing."""


class Served:
    """An app on a loopback port, which may go and come back."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - a WSGI app
        self._app, self.port = app, 0
        self._server: BaseWSGIServer | None = None
        self.up()

    def up(self) -> None:
        self._server = make_server(
            "127.0.0.1", self.port, self._app, threaded=True, request_handler=_Quiet
        )
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    lacking = walk.missing()
    if lacking is not None:
        absent(f"the browser (package {lacking})")
    with walk.browser() as opened:
        yield opened


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    """A hall whose pages ask more often: the tests' time is dearer than the server's."""
    monkeypatch.setattr(display_app, "EVERY", 0.2)
    monkeypatch.setattr(today_pages, "REFRESHED", 0.4)
    engine = connect(f"sqlite:///{tmp_path}/hall.db")
    Base.metadata.create_all(engine)
    yield Hall(engine, tmp_path, OPENS)
    engine.dispose()


@dataclass(slots=True)
class Screens:
    """The officers' page and the waiting room's screen in real Chromium."""

    hall: Hall
    browser: Browser
    officer: Served = field(init=False)
    display: Served = field(init=False)
    desk: Page = field(init=False)
    screen: Page = field(init=False)

    def __post_init__(self) -> None:
        self.officer, self.display = Served(self.hall.app), Served(self.hall.display)
        self.desk = self._page(1280, 900)
        self.screen = self._page(1920, 1080)
        self.screen.goto(f"{self.display.url}/hall/{HERE}")
        self.sign_in()
        self.desk.goto(f"{self.officer.url}/today")

    def _page(self, width: int, height: int) -> Page:
        context = self.browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(15_000)
        return context.new_page()

    def sign_in(self) -> None:
        """Sign the officer in anew: the clock jumps further than an idle session lasts."""
        client = self.hall.signed_in(CAPTURER).client
        for name in ("officer_browser", "officer_session"):
            cookie = client.get_cookie(name, domain="localhost")
            assert cookie is not None
            self.desk.context.add_cookies(
                [{"name": name, "value": cookie.value, "url": self.officer.url}]
            )

    def press(self, selector: str) -> str:
        """Press a button of the page of the day; return what it said was done."""
        with self.desk.expect_navigation():
            self.desk.locator(selector).click()
        return parse_qs(urlsplit(self.desk.url).query).get("said", ["refused"])[0]

    def number(self) -> int:
        return int(parse_qs(urlsplit(self.desk.url).query)["number"][0])

    def come_in(self, code: str, how: str = "check_in") -> int:
        self.desk.fill("#code", code)
        assert self.press(f"button[name=do][value={how}]") == "in_line"
        return self.number()

    def close(self) -> None:
        for page in (self.desk, self.screen):
            page.context.close()
        self.officer.down()
        self.display.down()


@pytest.fixture
def screens(hall: Hall, opened: Browser) -> Iterator[Screens]:
    made = Screens(hall, opened)
    yield made
    made.close()


@dataclass(slots=True)
class Morning:
    """Everybody of the morning, and what they do when."""

    hall: Hall
    screens: Screens
    begins: datetime = field(init=False)
    tickets: list[str] = field(default_factory=list)
    walkers: list[str] = field(default_factory=list)
    comes: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    """By minute: code and button; an empty code: nobody has filed anything."""
    code_of: dict[int, str] = field(default_factory=dict)
    busy: dict[str, tuple[int, Visit | None, int]] = field(default_factory=dict)
    """By point: until when, the visit, the number."""
    back: dict[int, int] = field(default_factory=dict)
    calls: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begins = self.hall.clock()
        for nth in range(SLOTS * A_SLOT):
            minute = BEFORE + STEP * (nth // A_SLOT)
            born = date(1938, 3, 1) if nth == OLD else date(1990, 5, 17)
            self.tickets.append(
                self.hall.house.booked(
                    at=self.begins + timedelta(minutes=minute),
                    person=self.hall.house.person(born=born),
                )
            )
            if nth not in NO_SHOWS:
                late = 25 if nth == VERY_LATE else COMES[nth % A_SLOT] + nth * 7 % 5 - 2
                self._comes(minute + late, self.tickets[nth], "check_in")
        for minute in WALK_INS:
            self.walkers.append(self.hall.walker(minutes=BEFORE))
            self._comes(minute, self.walkers[-1], "walk_in")
        for minute in WITHOUT:
            self._comes(minute, "", "walk_in")

    def _comes(self, minute: int, code: str, how: str) -> None:
        self.comes.setdefault(minute, []).append((code, how))

    @property
    def kiosks(self) -> dict[str, Kiosk]:
        return {"Q1": self.hall.kiosk, "Q2": self.hall.other_kiosk}

    def go(self) -> None:
        """Let the morning pass, minute by minute where something happens."""
        for minute in range(LAST):
            self.hall.clock.now = self.begins + timedelta(minutes=minute)
            if not self._happens(minute):
                continue
            self.screens.sign_in()
            self._end(minute)
            for code, how in self.comes.get(minute, ()):
                self.hall.clock.goes_on(seconds=2)
                self.code_of[self.screens.come_in(code, how)] = code
            for number in [n for n, at in self.back.items() if at == minute]:
                self._again(f"#back-{number}", "back")
            for nth, point in enumerate(("Q1", "Q2", "QUAY-3"), start=1):
                if point not in self.busy:
                    self._call(nth, point, minute)

    def _happens(self, minute: int) -> bool:
        ends = any(until == minute for until, _, _ in self.busy.values())
        waits = any(entry.state is QueueState.WAITING for entry in self.hall.line())
        return ends or minute in self.comes or minute in self.back.values() or waits

    def _end(self, minute: int) -> None:
        for point, (until, visit, number) in list(self.busy.items()):
            if until != minute:
                continue
            if visit is None:
                self._again(f"#end-{number}", "ended")
            else:
                kiosk = self.kiosks[point]
                sealed = self.hall.house.sealed(kiosk, visit, sequence=number)
                kiosk.upload(sealed.digest, sealed.packet)
            del self.busy[point]

    def _again(self, button: str, said: str) -> None:
        self.hall.clock.goes_on(seconds=2)
        assert self.screens.press(button) == said

    def _call(self, nth: int, point: str, minute: int) -> None:
        if not any(_may_be_called(entry, point) for entry in self.hall.line()):
            return
        self.hall.clock.goes_on(seconds=2)
        assert self.screens.press(f"#call-{nth}") == "called"
        number = self.screens.number()
        self.calls.append((number, point))
        self.hall.clock.goes_on(seconds=2)
        kind = "quầy" if point == "QUAY-3" else "máy"
        expect(self.screens.screen.locator("#told")).to_have_text(
            f"Mời số {number} đến {kind} số {nth}"
        )
        expect(self.screens.screen.locator(".now .number")).to_have_text(str(number))
        expect(self.screens.desk.locator(".point.called .point-number")).to_have_text(str(number))
        self._comes_or_not(number, point, minute)

    def _comes_or_not(self, number: int, point: str, minute: int) -> None:
        code = self.code_of[number]
        self.hall.clock.goes_on(seconds=30)
        if code == self.tickets[NOT_THERE] and number not in self.back:
            self.back[number] = minute + AWAY
            assert self.screens.press(f"#gone-{number}") == "gone"
        elif point == "QUAY-3":
            assert self.screens.press(f"#begin-{number}") == "begun"
            self.busy[point] = (minute + AT_COUNTER, None, number)
        else:
            ticket = self._ticket(number) if code in self.walkers else code
            visit = self.kiosks[point].arrive(ticket)
            self.busy[point] = (minute + AT_KIOSK, visit, number)

    def _ticket(self, number: int) -> str:
        """Return what the page shows of a walk-in, who has no slip."""
        self.screens.desk.goto(f"{self.screens.officer.url}/today?said=in_line&number={number}")
        return self.screens.desk.inner_text(".slip .digits")


def _may_be_called(entry: Entry, point: str) -> bool:
    return entry.state is QueueState.WAITING and (entry.lane == HELP) == (point == "QUAY-3")


def test_a_morning_goes_its_way_and_nobody_is_lost(hall: Hall, screens: Screens) -> None:
    morning = Morning(hall, screens)
    morning.go()
    with transaction(hall.engine) as session:
        missed = day.miss_late(session, after=visits.LATE, now=hall.clock(), limit=100)
    assert missed == len(NO_SHOWS)
    for nth, ticket in enumerate(morning.tickets):
        came = nth not in NO_SHOWS
        assert hall.appointment(ticket).state is (
            AppointmentState.SERVED if came else AppointmentState.MISSED
        )
        assert hall.house.dossier_of(ticket).state is (
            DossierState.CAPTURED if came else DossierState.FILED
        )
    for code in morning.walkers:
        assert hall.house.dossier(code).state is DossierState.CAPTURED
    line = hall.line()
    assert {entry.state for entry in line} == {QueueState.DONE}
    assert len(line) == len(morning.tickets) - missed + len(WALK_INS) + len(WITHOUT)
    assert len(morning.calls) == len(line) + 1  # one was called twice
    assert {point for number, point in morning.calls if not morning.code_of[number]} == {"QUAY-3"}
    waits = {
        entry.number: entry.called_at - max(entry.due_at, entry.arrived_at)
        for entry in line
        if entry.called_at is not None
    }
    assert max(waits.values()) < timedelta(minutes=30)
    old = next(n for n, code in morning.code_of.items() if code == morning.tickets[OLD])
    assert hall.entry(old).priority
    assert waits[old] < timedelta(minutes=12)
    assert hall.drift() == 0
    _ended(hall, screens, served=len(line), missed=missed)


def _ended(hall: Hall, screens: Screens, *, served: int, missed: int) -> None:
    screens.sign_in()
    screens.desk.goto(f"{screens.officer.url}/today")
    tallies = screens.desk.locator(".tallies li strong").all_inner_texts()
    assert tallies == ["0", str(served), "0", str(missed)]
    hall.clock.goes_on(seconds=2)
    expect(screens.screen.locator(".now .none")).to_be_visible()
    expect(screens.screen.locator(".following li")).to_have_count(0)


def test_the_list_is_drawn_anew_under_a_focus_that_stays(hall: Hall, screens: Screens) -> None:
    first, second = (hall.house.booked(at=hall.clock() + timedelta(minutes=20)) for _ in range(2))
    screens.come_in(first)
    gone = screens.desk.locator("#gone-1")
    gone.focus()
    screens.desk.locator("#note").evaluate("(field) => { field.value = 'chưa lưu' }")
    hall.signed_in("v.an").post(f"/today/{HERE}/reception", code=second)
    expect(screens.desk.locator("#gone-2")).to_be_visible()
    expect(gone).to_be_focused()
    assert screens.desk.input_value("#note") == "chưa lưu"


def test_the_screen_says_since_when_it_has_no_news_and_goes_on_by_itself(
    hall: Hall, screens: Screens
) -> None:
    screen, lost = screens.screen, screens.screen.locator("#lost")
    screens.display.down()
    expect(lost).to_be_visible(timeout=20_000)
    assert "07:10:00" in lost.inner_text()
    screens.display.up()
    expect(lost).to_be_hidden()
    screens.come_in("", "walk_in")
    screens.press("#call-3")
    hall.clock.goes_on(seconds=2)
    expect(screen.locator(".now .number")).to_have_text("1")


def _until(page: Page, said: list[str], times: int) -> None:
    for _ in range(150):
        if len(said) == times:
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come")


def test_a_call_is_chimed_and_said_once_for_each_time(hall: Hall, screens: Screens) -> None:
    for name in clips.clips():
        write_clip(hall.settings.data / clips.FOLDER / f"{name}.vi.wav", loud=400)
    said: list[str] = []

    def hear(answer: Response) -> None:
        if "/voice/" in answer.url:
            said.append(f"{answer.status} {answer.url.removeprefix(screens.display.url)}")

    screens.screen.on("response", hear)
    screens.screen.locator("#sound").click()
    screens.come_in("", "walk_in")
    screens.press("#call-3")
    for times in (1, 2):
        hall.clock.goes_on(seconds=2)
        expect(screens.screen.locator(".now .number")).to_have_attribute(
            "data-call", f"1-counter-3-{times}"
        )
        _until(screens.screen, said, times)
        if times == 1:
            screens.press("#again-1")
    assert said == ["200 /voice/vi/1-counter-3.wav"] * 2


def test_both_pages_are_sound_to_axe_and_speak_english(hall: Hall, screens: Screens) -> None:
    screens.come_in(hall.house.booked(at=hall.clock() + timedelta(minutes=20)))
    screens.press("#call-1")
    hall.clock.goes_on(seconds=2)
    expect(screens.screen.locator(".now .number")).to_have_text("1")
    axe = Axe()
    for page in (screens.desk, screens.screen):
        results = axe.run(page)
        assert results.violations_count == 0, results.generate_report()
    screens.desk.goto(f"{screens.officer.url}/today?lang=en")
    assert "Kiosks and counters" in screens.desk.inner_text("main")
