"""How somebody goes through the waiting room: reception, a number, the screen, a kiosk.

It drives a browser page and knows only what stands on it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What the waiting room was told."""

    number: str
    point: str


def come_in(page: Page, url: str, ticket: str, seen: Callable[[str], None]) -> str:
    """Check somebody in at reception, as an officer who is signed in; return their number."""
    page.goto(f"{url}/today")
    page.fill("#code", ticket)
    page.locator("button[name=do][value=check_in]").click()
    number = page.locator(".slip-number strong")
    expect(number).to_be_visible()
    seen("in_line")
    return number.inner_text()


def call(page: Page, url: str, seen: Callable[[str], None]) -> None:
    """Call who is next to the first kiosk."""
    page.goto(f"{url}/today")
    page.locator("#call-1").click()
    expect(page.locator(".point.called")).to_be_visible()
    seen("called")


def is_called(screen: Page, number: str, seen: Callable[[str], None]) -> Called:
    """Wait until the waiting room's screen calls a number by itself."""
    expect(screen.locator(".now .number")).to_have_text(number, timeout=10_000)
    seen("called")
    return Called(number=number, point=screen.inner_text(".now .to .point"))
