"""Three people in real Chromium over the whole system: once straight through, once with trouble."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from server.demo import citizen_way, kiosk_way, officer_way, walk
from server.demo.citizen_way import Booking
from server.demo.stage import Stage
from server.demo.walk import DESK, PHONE, TOUCH, Report, Walk
from server.store.tables import Role
from tests.conftest import absent

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

OTHER = 2
"""Seed of the second person, who makes everything difficult."""
SCREENS = {
    "citizen": {"home", *citizen_way.ANSWERS, "booked", "status"} - {"coming"},
    "kiosk": {"attract", "sealed", *kiosk_way.WAY},
    "officer": {"in_line", "called", "queue", "review", "decided"},
    "display": {"called"},
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    lacking = walk.missing()
    if lacking is not None:
        absent(f"the browser (package {lacking})")
    with Stage(tmp_path_factory.mktemp("stage") / "demo", say=print) as stage:
        yield stage


@pytest.fixture(scope="module")
def opened(stage: Stage) -> Iterator[Browser]:
    with walk.browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def walked(stage: Stage, opened: Browser) -> Report:
    return Walk(stage, opened, stage.folder / "pictures").go()


@pytest.fixture
def page(opened: Browser) -> Iterator[Page]:
    page = opened.new_page(viewport={"width": 1280, "height": 900}, locale="vi-VN")
    page.set_default_timeout(30_000)
    yield page
    page.close()


def _size(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


def test_the_whole_way_ends_well(walked: Report) -> None:
    booking, captured, reviewed = walked.booking, walked.captured, walked.reviewed
    assert booking is not None
    assert citizen_way.CODE.fullmatch(booking.code)
    assert walked.called is not None
    assert walked.called.point == "Máy 1"
    assert captured is not None
    assert captured.prints == 10
    assert re.fullmatch(r"DT001-[0-9]{6}", captured.number)
    assert captured.receipt
    assert walked.packet is not None
    assert 50_000 < walked.packet < 4_000_000
    assert reviewed is not None
    assert reviewed.outcome == "Trùng khớp"
    assert reviewed.portrait == "Đạt mọi tiêu chí"
    assert len(reviewed.nfiq2) == 10
    assert min(reviewed.nfiq2) >= 35
    assert booking.code in reviewed.decision
    assert walked.status == "Đã duyệt, đang làm thẻ"
    assert [step.name for step in walked.steps] == [
        "book",
        "wait",
        "capture",
        "seal",
        "verify",
        "look up",
    ]


def test_every_screen_was_pictured_and_shows_something(walked: Report) -> None:
    taken: dict[str, set[str]] = {}
    for path in walked.pictures.glob("*.png"):
        _, who, name = path.stem.split("-", 2)
        taken.setdefault(who, set()).add(name)
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        assert picture.std() > 10, path.name
    assert taken == SCREENS


def test_nothing_that_was_captured_lies_open_on_a_disk(walked: Report, stage: Stage) -> None:
    """Neither kiosk nor server keep pictures or the name beside a packet."""
    person = stage.cast.people[0] if stage.cast else None
    assert person is not None
    assert walked.packet
    # Whole beginnings: four bytes of a picture stand by chance in a voice or a sealed packet.
    pixels = np.zeros((8, 8), np.uint8)
    pictures = [bytes(cv2.imencode(kind, pixels)[1])[:10] for kind in (".jpg", ".png")]
    marks = (*pictures, person.full_name.encode())
    found = []
    for folder in ("kiosk", "data"):
        for path in (stage.folder / folder).rglob("*"):
            data = path.read_bytes() if path.is_file() else b""
            found += [path.name for mark in marks if mark in data]
    assert found == []


def _accessible(page: Page, axe: Axe, where: str) -> None:
    results = axe.run(page)
    assert results.violations_count == 0, f"{where}\n{results.generate_report()}"


@pytest.fixture
def looking(page: Page) -> Callable[[str], None]:
    axe = Axe()
    return lambda name: _accessible(page, axe, f"{name} at {page.url}")


@pytest.fixture(scope="module")
def booking(stage: Stage, opened: Browser) -> Booking:
    """The second person's, made on a desktop in English with every page looked at by axe."""
    assert stage.cast is not None
    page = opened.new_page(viewport={"width": DESK[0], "height": DESK[1]})
    page.set_default_timeout(30_000)
    axe = Axe()

    def look(name: str) -> None:
        assert page.locator("html").get_attribute("lang") == "en", name
        _accessible(page, axe, f"{name} at {page.url}")

    page.goto(f"{stage.url('citizen')}/?lang=en")
    made = citizen_way.book(page, stage.url("citizen"), stage.cast.people[OTHER - 1], look)
    page.close()
    return made


def test_a_double_click_books_once(stage: Stage, page: Page, booking: Booking) -> None:
    """Whoever goes back and sends the last page again sees the ticket they have."""
    person = stage.cast.people[OTHER] if stage.cast else None
    assert person is not None
    _size(page, PHONE)
    sent: list[str] = []
    made = citizen_way.book(page, stage.url("citizen"), person, sent.append)
    page.go_back()
    page.reload()
    assert citizen_way.where(page) == "booked"
    assert page.inner_text(".ticket-code") == made.ticket
    assert made.ticket != booking.ticket


def _told(page: Page, sentence: str) -> None:
    expect(page.locator("#hint")).to_contain_text(sentence, timeout=30_000)


def test_a_difficult_visit_is_led_to_its_end(
    stage: Stage, page: Page, booking: Booking, looking: Callable[[str], None]
) -> None:
    url = stage.url("kiosk")
    _size(page, TOUCH)
    kiosk_way.check_in(page, url, person=OTHER, ticket=booking.ticket)
    looking("confirm")
    page.reload()
    kiosk_way.stands(page, "confirm")
    page.locator("main [data-action=confirm]").dblclick()
    kiosk_way.stands(page, "notice")
    kiosk_way.press(page, "agree")
    expect(page.locator(".message")).to_be_visible()
    looking("notice")
    kiosk_way.go_on(page, "notice")
    kiosk_way.play(url, behaviour="turn", obeys=False)
    page.locator("main [data-action=sit_down]").click()
    kiosk_way.stands(page, "portrait")
    _told(page, "nhìn")
    kiosk_way.play(url, behaviour="far")
    _told(page, "tiến lại gần")
    looking("portrait")
    page.reload()
    kiosk_way.play(url, behaviour="second_person")
    _told(page, "một người")
    kiosk_way.play(url, behaviour="well")
    kiosk_way.stands(page, "liveness", 60_000)
    looking("liveness")
    kiosk_way.press(page, "skip")
    kiosk_way.stands(page, "look")
    looking("look")
    kiosk_way.play(url, finger=0)
    kiosk_way.go_on(page, "look")
    kiosk_way.play(url, finger=1)
    expect(page.locator("#count")).to_contain_text("1/10", timeout=60_000)
    # The thumb again, where the forefinger is asked for.
    expect(page.locator("#note")).to_contain_text("cái", ignore_case=True, timeout=60_000)
    looking("fingers")
    page.reload()
    kiosk_way.stands(page, "fingers")
    kiosk_way.play(url, finger=None)
    kiosk_way.stands(page, "read_back", kiosk_way.CAPTURE_WITHIN)
    assert page.locator(".prints li:not(.missing)").count() == 10
    looking("read_back")
    kiosk_way.go_on(page, "read_back")
    kiosk_way.press(page, "sign")
    expect(page.locator(".message")).to_be_visible()
    looking("sign")
    kiosk_way.go_on(page, "sign")
    looking("sealed")
    expect(page.locator("#server-number")).to_be_visible(timeout=60_000)


def test_a_recapture_reaches_the_citizen_who_may_book_again(
    stage: Stage, page: Page, booking: Booking, looking: Callable[[str], None]
) -> None:
    cast = stage.cast
    assert cast is not None
    officer_way.sign_in(page, stage.url("officer"), cast.officer(Role.SUPERVISOR))
    looking("queue")
    officer_way.open_capture(page, booking.code)
    looking("review")
    asking = page.locator("details.verdict", has=page.locator("input[value=ask_recapture]"))
    asking.locator("summary").click()
    asking.locator("input[value=portrait_eyes]").check()
    asking.locator("button").click()
    expect(page.locator(".note.good[role=status]")).to_contain_text(booking.code)
    _size(page, PHONE)
    title = citizen_way.look_up(page, stage.url("citizen"), cast.people[OTHER - 1], booking.code)
    assert title
    looking("status")
    expect(page.locator(".note.warn")).to_be_visible()
    page.locator("main form[action='/status/book'] button").click()
    page.wait_for_load_state()
    assert citizen_way.where(page) == "station"


def test_a_visit_given_up_leaves_nothing_and_the_appointment_stands(
    stage: Stage, page: Page
) -> None:
    cast = stage.cast
    assert cast is not None
    person = cast.people[5]
    made = citizen_way.book(page, stage.url("citizen"), person, lambda _: None)
    url = stage.url("kiosk")
    _size(page, TOUCH)
    kiosk_way.check_in(page, url, person=6, ticket=made.ticket)
    for screen in ("confirm", "notice", "prepare"):
        kiosk_way.go_on(page, screen)
    page.locator("[data-opens=stop]").click()
    page.locator("#stop [data-action=give_up]").click()
    kiosk_way.stands(page, "attract", 60_000)
    _size(page, PHONE)
    title = citizen_way.look_up(page, stage.url("citizen"), person, made.code)
    assert title == "Đã đặt lịch hẹn"


def test_pages_fit_a_phone_and_a_desk(stage: Stage, page: Page) -> None:
    """Nothing has to be moved sideways, at either width."""
    paths = ("/", "/procedure", "/book", "/book/reason", "/manage", "/status")
    for size in (PHONE, DESK, (320, 640)):
        _size(page, size)
        for path in paths:
            page.goto(stage.url("citizen") + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], (path, size)
    for path in ("/sign-in",):
        page.goto(stage.url("officer") + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_pictures_of_the_readme_are_there() -> None:
    root = Path(__file__).resolve().parents[2]
    text = (root / "README.md").read_text(encoding="utf-8")
    named = re.findall(r'src="(docs/pictures/[a-z]+\.png)"', text)
    assert len(named) == 3
    assert [name for name in named if not (root / name).is_file()] == []
