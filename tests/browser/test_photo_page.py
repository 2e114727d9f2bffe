"""The photo page in real Chromium: on a phone, on a desk, without a script, and for everybody."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

import scheduler.tables  # noqa: F401 - fills the metadata
import server.store.tables  # noqa: F401 - fills the metadata
from biometrics.face.examine import MAX_BYTES
from scheduler.database import Base, connect
from server.demo import walk
from server.demo.stage import free_ports
from tests.conftest import absent
from tests.faces import frame, jpeg

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

GOOD, BAD = "Ảnh này đạt yêu cầu", "Ảnh này chưa đạt"
SIZES = {"small phone": (320, 640), "phone": (390, 844), "desk": (1280, 900)}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The citizens' app under gunicorn, as it is run for real."""
    lacking = walk.missing()
    if lacking is not None:
        absent(f"the browser (package {lacking})")
    folder = tmp_path_factory.mktemp("photo")
    (folder / "secret").write_bytes(bytes(range(32)))
    database = f"sqlite:///{folder}/thunhan.db"
    engine = connect(database)
    Base.metadata.create_all(engine)
    engine.dispose()
    port = free_ports(("citizen",), first=8400 + os.getpid() % 400)["citizen"]
    command = [
        *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "error"),
        *("--worker-class", "gthread", "--workers", "1", "--threads", "8"),
        *("--no-control-socket", "server.web.citizen.app:from_environment()"),
    ]
    settings = {
        "THUNHAN_DATABASE": database,
        "THUNHAN_DATA": str(folder),
        "THUNHAN_SECRET_FILE": str(folder / "secret"),
        "THUNHAN_UNSEAL_SOCKET": str(folder / "unseal.sock"),
    }
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, env={**os.environ, **settings}) as process:
        try:
            _wait_for(url)
            yield url
        finally:
            process.terminate()


def _wait_for(url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            httpx.get(url, timeout=2)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="module")
def opened(address: str) -> Iterator[Browser]:
    with walk.browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A photo that would do, one that would not, one that is none, one that is too large."""
    folder = tmp_path_factory.mktemp("photos")
    good = jpeg(frame(1))
    made = {
        "good": good,
        "bad": jpeg(frame(1)[:, 500:].copy()),
        "none": b"GIF89a" + bytes(500),
        "large": good + bytes(MAX_BYTES),
    }
    paths = {name: folder / f"{name}.jpg" for name in made}
    for name, data in made.items():
        paths[name].write_bytes(data)
    return paths


def _context(opened: Browser, size: str, *, script: bool = True) -> BrowserContext:
    width, height = SIZES[size]
    context = opened.new_context(
        viewport={"width": width, "height": height}, locale="vi-VN", java_script_enabled=script
    )
    context.set_default_timeout(30_000)
    return context


@pytest.fixture
def page(opened: Browser, address: str) -> Iterator[Page]:
    context = _context(opened, "phone")
    page = context.new_page()
    page.goto(f"{address}/photo")
    yield page
    context.close()


def _send(page: Page, photo: Path) -> None:
    page.set_input_files("#photo", photo)
    page.get_by_role("button", name="Kiểm tra ảnh").click()


@pytest.mark.parametrize("size", list(SIZES))
def test_every_answer_is_for_everybody_and_fits_the_screen(
    opened: Browser, address: str, photos: dict[str, Path], size: str
) -> None:
    context = _context(opened, size)
    page, axe = context.new_page(), Axe()
    page.goto(f"{address}/photo")
    for name, heading in (
        *((None, "Ảnh này dùng được không?"), ("good", GOOD), ("bad", BAD)),
        ("none", "Chưa xem được ảnh này"),
    ):
        if name is not None:
            _send(page, photos[name])
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        results = axe.run(page)
        assert results.violations_count == 0, f"{heading}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
        for control in page.locator("main button, main input[type=file]:visible").all():
            box = control.bounding_box()
            assert box is not None
            assert box["height"] >= 44, "too small for an unsteady finger"
    context.close()


def test_the_answer_is_read_out_first_and_the_file_can_be_changed(
    page: Page, photos: dict[str, Path]
) -> None:
    _send(page, photos["bad"])
    expect(page.get_by_role("heading", level=1)).to_have_text(BAD)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert page.locator("ol.mend li").count() >= 1
    assert page.locator("figure img").get_attribute("alt")
    _send(page, photos["good"])
    expect(page.get_by_role("heading", level=1)).to_have_text(GOOD)


def test_the_answer_is_given_again_in_english_by_one_click(
    page: Page, photos: dict[str, Path]
) -> None:
    _send(page, photos["good"])
    expect(page.get_by_role("heading", level=1)).to_have_text(GOOD)
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This photo would do")
    assert page.evaluate("document.documentElement.lang") == "en"


def test_a_photo_too_large_is_told_before_it_is_sent(page: Page, photos: dict[str, Path]) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.set_input_files("#photo", photos["large"])
    expect(page.get_by_role("alert")).to_contain_text("10 MB")
    page.get_by_role("button", name="Kiểm tra ảnh").click()
    expect(page.get_by_role("alert")).to_contain_text("10 MB")
    assert "POST" not in sent


def test_a_lost_connection_is_told_and_the_photo_can_be_sent_again(
    page: Page, photos: dict[str, Path]
) -> None:
    page.context.set_offline(True)
    _send(page, photos["good"])
    expect(page.get_by_role("alert")).to_contain_text("kiểm tra kết nối mạng")
    page.context.set_offline(False)
    page.get_by_role("button", name="Kiểm tra ảnh").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(GOOD)


def test_a_photo_that_found_no_place_need_not_be_chosen_again(
    page: Page, photos: dict[str, Path]
) -> None:
    form = page.request.get(page.url).text()

    def busy(route: Route) -> None:
        route.fulfill(status=503, content_type="text/html", body=form)

    page.route("**/photo", busy)
    _send(page, photos["bad"])
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.locator("#photo")).to_have_value("")
    expect(page.locator(".photo-told img")).to_be_visible()
    page.unroute("**/photo")
    page.get_by_role("button", name="Kiểm tra ảnh").click()
    expect(page.locator(".photo-told img")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text(BAD)


def test_a_browser_too_old_for_the_script_sends_the_plain_form(
    opened: Browser, address: str, photos: dict[str, Path]
) -> None:
    context = _context(opened, "phone")
    context.add_init_script("delete Element.prototype.replaceChildren")
    page = context.new_page()
    page.goto(f"{address}/photo")
    with page.expect_navigation():
        _send(page, photos["good"])
    expect(page.get_by_role("heading", level=1)).to_have_text(GOOD)
    context.close()


def test_no_rule_of_the_page_is_broken_by_its_script(page: Page, photos: dict[str, Path]) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    _send(page, photos["good"])
    expect(page.get_by_role("heading", level=1)).to_have_text(GOOD)
    assert said == []


def test_everything_works_without_a_script_and_with_the_keyboard_alone(
    opened: Browser, address: str, photos: dict[str, Path]
) -> None:
    context = _context(opened, "small phone", script=False)
    page = context.new_page()
    page.goto(f"{address}/")
    page.get_by_role("link", name="Ảnh này dùng được không?").press("Enter")
    for name, heading in (
        *(("good", GOOD), ("bad", BAD), ("none", "Chưa xem được ảnh này")),
        ("large", "Chưa xem được ảnh này"),
    ):
        page.set_input_files("#photo", photos[name])
        page.get_by_role("button", name="Kiểm tra ảnh").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.get_by_role("alert")).to_contain_text("10 MB")
    context.close()
