"""Booking in real Chromium on a phone: held, held longer, moved, cancelled; without scripts too.

The server's clock stands still until a test moves it; the page's own clock runs.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from scheduler.database import Base, connect, transaction
from scheduler.tables import SlotRow
from server.cli import worker
from server.demo import citizen_way, walk
from server.demo.walk import PHONE
from tests.conftest import absent
from tests.web.citizens import CHILD, DUNG, HANOI, KHUE, OLD, Office, taken

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
"""A Wednesday morning, nine o'clock in Vietnam."""
MONDAY = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
"""Eight o'clock of the Monday after, in Vietnam."""


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    lacking = walk.missing()
    if lacking is not None:
        absent(f"the browser (package {lacking})")
    with walk.browser() as opened:
        yield opened


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    url = f"sqlite:///{tmp_path}/test.db"
    engine = connect(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    with Office.open(url, tmp_path, NOW) as office:
        yield office


@pytest.fixture
def url(office: Office) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, office.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def phone(opened: Browser, *, scripts: bool = True) -> Iterator[Page]:
    """Give a page of a new phone."""
    width, height = PHONE
    context = opened.new_context(
        viewport={"width": width, "height": height}, locale="vi-VN", java_script_enabled=scripts
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


@pytest.fixture
def looking() -> Callable[[Page], None]:
    """Return what looks at a page with axe, and that nothing has to be moved sideways."""
    axe = Axe()

    def look(page: Page) -> None:
        results = axe.run(page)
        assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], page.url

    return look


def _to(page: Page, office: Office, url: str, number: str, end: str) -> None:
    """Go through the wizard as far as the page called `end`."""
    person = office.person(number)
    page.goto(f"{url}/book/reason")
    for _ in range(citizen_way.MOST_PAGES):
        name = citizen_way.where(page)
        if name == end:
            return
        if name == "station":
            page.click(f"button[name=station][value={HANOI}]")
        else:
            citizen_way.ANSWERS[name](page, person)
        page.wait_for_load_state()
    raise AssertionError(page.url)


def _book(page: Page, office: Office, url: str, number: str) -> str:
    """Book for somebody and return when."""
    _to(page, office, url, number, "booked")
    return page.locator("dl.facts dd").first.inner_text()


def _change(page: Page, *, day: int = 0) -> None:
    """Change to the last time of one of the days offered."""
    page.click("a[href='/booked/change']")
    page.locator("table.calendar button[name=day]").nth(day).click()
    page.locator("button[name=time]").last.click()
    page.wait_for_load_state()


def test_a_place_is_held_as_long_as_it_is_needed_and_lost_without_losing_anything(
    opened: Browser, office: Office, url: str, looking: Callable[[Page], None]
) -> None:
    with phone(opened) as page:
        _to(page, office, url, KHUE, "confirm")
        left = page.locator("[data-left]")
        expect(left).to_contain_text("Còn 9 phút")
        looking(page)
        office.clock.goes_on(minutes=9)
        page.reload()
        expect(page.locator("[data-said] [role=alert]")).to_contain_text("Sắp hết thời gian")
        looking(page)
        page.get_by_role("button", name="Thêm thời gian").click()
        expect(left).to_contain_text("Còn 9 phút")
        office.clock.goes_on(minutes=30)
        page.check("input[name=agree]")
        page.click("main form .buttons button")
        assert citizen_way.where(page) == "time"
        expect(page.locator("[role=alert]")).to_contain_text("không bị mất")
        looking(page)
        page.locator("button[name=time]").first.click()
        expect(page.locator("dl.summary-list")).to_contain_text("0912345678")
        page.check("input[name=agree]")
        page.dblclick("main form .buttons button")
        page.wait_for_url("**/booked")
        looking(page)


def test_stations_near_somebody_are_found_only_when_they_ask(
    opened: Browser, office: Office, url: str, looking: Callable[[Page], None]
) -> None:
    with phone(opened) as page:
        _to(page, office, url, KHUE, "station")
        looking(page)
        expect(page.locator(".pick")).to_have_count(2)
        page.click("[data-near]")  # the browser was given no leave: the words are there
        expect(page.locator("[data-near-told]")).to_contain_text("Không lấy được vị trí")
        expect(page.locator("#q")).to_be_focused()
        page.fill("#q", "hoa mau")
        page.keyboard.press("Enter")
        expect(page.locator(".pick")).to_have_count(1)
        expect(page.locator(".pick")).to_contain_text("Còn chỗ sớm nhất")
        page.context.grant_permissions(["geolocation"], origin=url)
        page.context.set_geolocation({"latitude": 21.0299, "longitude": 105.8512})
        page.click("[data-near]")
        page.wait_for_url("**lat=21.03*lon=105.85*")
        looking(page)


def test_an_appointment_is_moved_twice_and_not_a_third_time_and_cancelling_is_free(
    opened: Browser, office: Office, url: str, looking: Callable[[Page], None]
) -> None:
    with phone(opened) as page:
        booked = _book(page, office, url, OLD)
        for day, left in enumerate(("Còn đổi được 2 lần", "Còn đổi được 1 lần")):
            expect(page.locator("main")).to_contain_text(left)
            _change(page, day=day)
            expect(page.locator("h1")).to_have_text("Đã đổi lịch hẹn")
            page.reload()
        assert page.locator("dl.facts dd").first.inner_text() != booked
        expect(page.locator("main")).to_contain_text("không đổi thêm được")
        expect(page.locator("a[href='/booked/change']")).to_have_count(0)
        looking(page)
        page.goto(f"{url}/booked/change")
        assert citizen_way.where(page) == "booked"
        page.click("a[href='/booked/cancel']")
        looking(page)
        page.click("button.danger")
        expect(page.locator("h1")).to_have_text("Đã hủy lịch hẹn")
        assert taken(office) == 0


def test_without_scripts_a_place_is_booked_held_longer_and_moved(
    opened: Browser, office: Office, url: str
) -> None:
    with phone(opened, scripts=False) as page:
        _to(page, office, url, KHUE, "confirm")
        expect(page.locator(".hold")).to_contain_text("được giữ đến 09:10")
        office.clock.goes_on(minutes=5)
        page.get_by_role("button", name="Thêm thời gian").click()
        expect(page.locator(".hold")).to_contain_text("được giữ đến 09:15")
        page.check("input[name=agree]")
        page.click("main form .buttons button")
        expect(page.locator("h1")).to_have_text("Đã đặt lịch hẹn")
        _change(page)
        expect(page.locator("h1")).to_have_text("Đã đổi lịch hẹn")
        page.go_back()
        page.reload()
        assert taken(office) == 1


def _add(page: Page, office: Office, url: str, number: str) -> None:
    person = office.person(number)
    page.goto(f"{url}/family/add")
    page.fill("[name=name]", person.full_name)
    page.fill("[name=number]", number)
    citizen_way.fill_birth(page, person)
    page.select_option("[name=reason]", "NEW")
    page.click("main form[method=post] .buttons button")
    page.check("input[name=data][value=yes]")
    if page.locator("[name=rep_relation]").count():
        page.check("input[name=rep_relation][value=mother]")


def test_a_family_books_moves_and_one_of_them_stays_at_home(
    opened: Browser, office: Office, url: str, looking: Callable[[Page], None]
) -> None:
    with phone(opened) as page:
        page.goto(url)
        page.click("a[href='/family']")
        looking(page)
        page.fill("[name=phone]", citizen_way.PHONE)
        page.click("main form[method=post] .buttons button")
        for number in (KHUE, CHILD, DUNG):
            _add(page, office, url, number)
            looking(page)
            page.click("main form[method=post] .buttons button")
        expect(page.locator(".pick")).to_have_count(3)
        looking(page)
        page.click("text=Chọn nơi và giờ đến")
        looking(page)
        page.click(f"button[name=station][value={HANOI}]")
        looking(page)
        page.locator("table.calendar button[name=day]").nth(1).click()
        looking(page)
        page.locator("button[name=time]").first.click()
        expect(page.locator("[data-left]")).to_contain_text("Còn 9 phút")
        looking(page)
        page.check("input[name=agree]")
        page.dblclick("main form .buttons button")
        page.wait_for_url("**/family/booked")
        expect(page.locator(".ticket-code")).to_have_count(3)
        assert taken(office) == 4  # the child has half an hour
        looking(page)
        page.click("text=Đổi lịch cho cả gia đình")
        page.locator("table.calendar button[name=day]").nth(2).click()
        page.locator("button[name=time]").last.click()
        expect(page.locator("h1")).to_have_text("Đã đổi lịch hẹn của gia đình")
        page.locator("a", has_text="Hủy cho người này").last.click()
        looking(page)
        page.click("button.danger")
        expect(page.locator(".ticket-code")).to_have_count(2)
        assert taken(office) == 3


def test_who_finds_nothing_waits_and_takes_what_somebody_gave_back(
    opened: Browser, office: Office, url: str, looking: Callable[[Page], None]
) -> None:
    with transaction(office.engine) as session:
        for slot in session.scalars(sa.select(SlotRow)):  # one place is left anywhere
            slot.offered = (slot.place, slot.starts_at) == (HANOI, MONDAY)
            slot.capacity = slot.public_capacity = 1
    with phone(opened) as first, phone(opened) as second:
        _to(second, office, url, DUNG, "station")
        when = _book(first, office, url, KHUE)
        second.click(f"button[name=station][value={HANOI}]")
        second.click("a[href^='/waiting']")
        looking(second)
        assert second.locator("select[name=station]").first.input_value() == HANOI
        second.check("input[name=agree]")
        second.click("main form[method=post] .buttons button >> nth=-1")
        expect(second.locator("main")).to_contain_text("DEMO.")
        looking(second)
        first.click("a[href='/booked/cancel']")
        first.click("button.danger")
        (offer,) = (duty for duty in worker.DUTIES if duty.name == "places offered")
        assert offer.do(office.engine, office.clock()) == 1
        second.reload()
        expect(second.locator("main")).to_contain_text(when)
        looking(second)
        second.click("button[name=answer][value=yes]")
        expect(second.locator("h1")).to_have_text("Đã đặt lịch hẹn")
        assert second.locator("dl.facts dd").first.inner_text() == when
        assert taken(office) == 1
