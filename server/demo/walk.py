"""Goes the whole way by itself in headless Chromium and reports each step, from booking to status.

It presses what a person would press; only the simulated citizen's part at the kiosk (who sits
down, which code is held up) is told to the kiosk's rehearsal page.
"""

import ctypes
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

from server.demo import citizen_way, hall_way, kiosk_way, officer_way
from server.demo.citizen_way import Booking, WayBlocked
from server.demo.hall_way import Called
from server.demo.kiosk_way import Captured
from server.demo.officer_way import Reviewed
from server.demo.stage import Stage, StageFell
from server.store.tables import Role

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-background-networking", "--no-first-run", "--disable-sync")
PHONE = (390, 844)
TOUCH = (1080, 1920)
DESK = (1280, 900)
SCREEN = (1920, 1080)
PATIENCE = 30_000
"""Milliseconds a page may take; a capture has its own."""
PICTURE_PATIENCE = 90_000
"""Milliseconds for a screenshot, which waits for a quiet moment of a live picture."""
PERSON = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the report."""

    name: str
    seconds: float
    told: str


@dataclass(slots=True, kw_only=True)
class Report:
    """What a walk found; every field is filled when it ends well."""

    pictures: Path
    steps: list[Step] = field(default_factory=list)
    booking: Booking | None = None
    called: Called | None = None
    captured: Captured | None = None
    packet: int | None = None
    """Bytes of the sealed capture as the server keeps it."""
    reviewed: Reviewed | None = None
    status: str | None = None


def chromium() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next((found for name in CHROMIUM if (found := shutil.which(name))), None)


def missing() -> str | None:
    """Return what this machine lacks for a walk, as the name of Debian's package, or None."""
    if chromium() is None:
        return "chromium"
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libatomic.so.1")  # the driver's own runtime is linked to it
        except OSError:
            return "libatomic1"
    return None


@contextmanager
def browser() -> Iterator[Browser]:
    """Give a headless Chromium.

    Raises:
        StageFell: a part of it is not installed.
    """
    lacking = missing()
    if lacking is not None:
        raise StageFell(f"a walk needs the package {lacking!r}: install it and walk again")
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            yield opened
        finally:
            opened.close()


class Walk:
    """One person's whole way over a stage; the report grows step by step."""

    def __init__(self, stage: Stage, opened: Browser, pictures: Path) -> None:
        if stage.cast is None:
            raise StageFell("the stage is empty")
        self.stage, self.cast = stage, stage.cast
        self.person = self.cast.people[PERSON - 1]
        self.report = Report(pictures=pictures)
        self._browser = opened
        pictures.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _page(self, size: tuple[int, int]) -> Iterator[Page]:
        width, height = size
        page = self._browser.new_page(viewport={"width": width, "height": height}, locale="vi-VN")
        page.set_default_timeout(PATIENCE)
        try:
            yield page
        except (Error, AssertionError):
            page.screenshot(path=self.report.pictures / "failed.png")
            raise
        finally:
            page.close()

    def _camera(self, page: Page, who: str) -> Callable[[str], None]:
        def take(name: str) -> None:
            number = len(list(self.report.pictures.glob("*.png"))) + 1
            file = self.report.pictures / f"{number:02d}-{who}-{name}.png"
            page.screenshot(path=file, timeout=PICTURE_PATIENCE)

        return take

    def _step(self, name: str, work: Callable[[], str]) -> None:
        began = time.monotonic()
        told = work()
        self.report.steps.append(Step(name=name, seconds=time.monotonic() - began, told=told))
        last = self.report.steps[-1]
        self.stage.say(f"  {last.name:10} {last.seconds:6.1f} s  {last.told}")
        self.stage.check()

    def go(self) -> Report:
        """Go the whole way.

        Raises:
            WayBlocked, StageFell, playwright's Error, AssertionError: a step failed.
        """
        self._step("book", self._book)
        self._step("wait", self._wait)
        self._step("capture", self._capture)
        self._step("seal", self._sealed)
        self._step("verify", self._verify)
        self._step("look up", self._look_up)
        return self.report

    def _book(self) -> str:
        with self._page(PHONE) as page:
            booking = citizen_way.book(
                page, self.stage.url("citizen"), self.person, self._camera(page, "citizen")
            )
        self.report.booking = booking
        return f"{self.person.full_name}: {booking.code}, ticket {booking.ticket}, {booking.when}"

    def _wait(self) -> str:
        booking = self.report.booking
        if booking is None:
            raise WayBlocked("nothing was booked")
        url = self.stage.url("officer")
        with self._page(DESK) as page, self._page(SCREEN) as screen:
            see, show = self._camera(page, "officer"), self._camera(screen, "display")
            screen.goto(f"{self.stage.url('display')}/hall/{self.cast.station.code}")
            officer_way.sign_in(page, url, self.cast.officer(Role.CAPTURER))
            number = hall_way.come_in(page, url, booking.ticket, see)
            hall_way.call(page, url, see)
            called = hall_way.is_called(screen, number, show)
        self.report.called = called
        return f"number {called.number}, called to {called.point}"

    def _capture(self) -> str:
        booking = self.report.booking
        if booking is None:
            raise WayBlocked("nothing was booked")
        with self._page(TOUCH) as page:
            captured = kiosk_way.capture(
                page,
                self.stage.url("kiosk"),
                person=PERSON,
                ticket=booking.ticket,
                seen=self._camera(page, "kiosk"),
            )
        self.report.captured = captured
        return f"portrait and {captured.prints} fingers, receipt {captured.receipt}"

    def _sealed(self) -> str:
        packets = [*(self.stage.folder / "data" / "packets").rglob("*.ccap")]
        if len(packets) != 1:
            raise WayBlocked(f"{len(packets)} sealed captures are stored, not one")
        self.report.packet = packets[0].stat().st_size
        return f"{self.report.packet} bytes, stored as {packets[0].stem[:16]}..."

    def _verify(self) -> str:
        booking = self.report.booking
        if booking is None:
            raise WayBlocked("nothing was booked")
        with self._page(DESK) as page:
            see = self._camera(page, "officer")
            url = self.stage.url("officer")
            officer_way.sign_in(page, url, self.cast.officer(Role.VERIFIER))
            see("queue")
            officer_way.open_capture(page, booking.code)
            reviewed = officer_way.accept(page, see)
        self.report.reviewed = reviewed
        scores = " ".join(str(score) for score in reviewed.nfiq2)
        return (
            f"{reviewed.outcome} ({reviewed.distance}); portrait: {reviewed.portrait}; "
            f"NFIQ 2: {scores}; {reviewed.decision}"
        )

    def _look_up(self) -> str:
        booking = self.report.booking
        if booking is None:
            raise WayBlocked("nothing was booked")
        with self._page(PHONE) as page:
            status = citizen_way.look_up(page, self.stage.url("citizen"), self.person, booking.code)
            self._camera(page, "citizen")("status")
        self.report.status = status
        return status


def report(stage: Stage) -> int:
    """Walk, say how it went, and return 0 if every step went well."""
    pictures = stage.folder / "pictures"
    stage.say("The whole way, in headless Chromium:")
    began = time.monotonic()
    try:
        with browser() as opened:
            Walk(stage, opened, pictures).go()
    except (WayBlocked, Error, AssertionError) as stopped:
        print(f"\nThe walk FAILED: {stopped}\nScreenshots: {pictures}", file=sys.stderr)
        return 1
    stage.say(f"The walk went well in {time.monotonic() - began:.1f} s. Screenshots: {pictures}")
    return 0
