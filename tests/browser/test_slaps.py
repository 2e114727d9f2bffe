"""One person in real Chromium over the whole system with SBI devices: slaps, rolls, irises."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from server.demo import walk
from server.demo.kiosk_way import play
from server.demo.stage import Stage
from server.demo.walk import Report, Walk
from tests.conftest import absent

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


ASKED = "Đặt bốn ngón tay phải (trỏ, giữa, áp út, út) lên mặt kính."


class Looking(Walk):
    """A walk that has each of the kiosk's screens looked at by axe, and reads what it says.

    The hand waits beside the glass until the screen that asks for it has been read.
    """

    def __init__(self, stage: Stage, opened: Browser, pictures: Path) -> None:
        super().__init__(stage, opened, pictures)
        self.said: dict[str, str] = {}
        self.violations: dict[str, str] = {}

    def _camera(self, page: Page, who: str) -> Callable[[str], None]:
        take = super()._camera(page, who)

        def look(name: str) -> None:
            if name == "fingers":
                expect(page.locator("main")).to_contain_text(ASKED, timeout=60_000)
            take(name)
            if who != "kiosk":
                return
            self.said[name] = page.inner_text("main")
            results = Axe().run(page)
            if results.violations_count:
                self.violations[name] = results.generate_report()
            if name in {"look", "fingers"}:
                play(self.stage.url("kiosk"), finger=0 if name == "look" else "asked")

        return look


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    lacking = walk.missing()
    if lacking is not None:
        absent(f"the browser (package {lacking})")
    folder = tmp_path_factory.mktemp("slaps") / "demo"
    with Stage(folder, reader="sbi-simulated", iris="sbi-simulated", say=print) as stage:
        yield stage


@pytest.fixture(scope="module")
def walked(stage: Stage) -> Iterator[tuple[Looking, Report]]:
    with walk.browser() as opened:
        walking = Looking(stage, opened, stage.folder / "pictures")
        yield walking, walking.go()


def test_ten_flat_and_ten_rolled_fingers_reach_the_officer(
    walked: tuple[Looking, Report],
) -> None:
    report = walked[1]
    assert report.captured is not None
    assert report.captured.prints == 20
    assert report.reviewed is not None
    assert len(report.reviewed.nfiq2) == 20
    assert report.reviewed.outcome == "Trùng khớp"
    assert report.status == "Đã duyệt, đang làm thẻ"


def test_the_screen_asks_for_a_hand_and_shows_what_was_taken(
    walked: tuple[Looking, Report],
) -> None:
    said = walked[0].said
    assert ASKED in said["fingers"]
    assert "Vân tay phẳng" in said["fingers"]
    assert "Vân tay lăn" in said["read_back"]
    assert "Mống mắt: Mắt phải" in said["read_back"]
    assert "không có thiết bị" not in said["read_back"]


def test_its_screens_are_accessible(walked: tuple[Looking, Report]) -> None:
    assert walked[0].violations == {}
