"""How a citizen goes the stretch at the kiosk: code, consent, portrait, fingers, signature.

It drives the touch page; what the simulated citizen does is told to the rehearsal page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
from playwright.sync_api import Page, expect

SCHEME = "THUNHAN:1:"
CAPTURE_WITHIN = 180_000
"""Milliseconds for ten fingers on a slow machine."""
WRITTEN = ((0.15, 0.6), (0.3, 0.25), (0.4, 0.7), (0.55, 0.35), (0.65, 0.65), (0.85, 0.4))
"""A signature: shares of the pad's width and height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What the kiosk said at the end."""

    prints: int
    number: str
    """The kiosk's own number of the capture."""
    receipt: str
    """The server's number."""


def play(url: str, **role: object) -> None:
    """Tell the simulated citizen what to do.

    Raises:
        httpx.HTTPError: the kiosk did not take it.
    """
    httpx.post(f"{url}/rehearsal", json=role, headers={"Origin": url}).raise_for_status()


def press(page: Page, action: str) -> None:
    """Press a button by what it does."""
    page.locator(f"main [data-action={action}]").click()


def stands(page: Page, screen: str, within: float | None = None) -> None:
    """Wait until a screen stands.

    Raises:
        AssertionError: it does not come.
    """
    expect(page.locator("body")).to_have_attribute("data-screen", screen, timeout=within or 30_000)


def _agree(page: Page) -> None:
    page.locator("label.tick").click()
    press(page, "agree")


def sign(page: Page) -> None:
    """Draw a signature on the pad."""
    box = page.locator("#pad").bounding_box()
    if box is None:
        raise AssertionError("there is no pad to sign on")
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in WRITTEN]
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def _sign(page: Page) -> None:
    sign(page)
    press(page, "sign")


def _press(action: str) -> Callable[[Page], None]:
    return lambda page: press(page, action)


WAY: Mapping[str, tuple[Callable[[Page], None] | None, str]] = {
    "confirm": (_press("confirm"), "notice"),
    "notice": (_agree, "prepare"),
    "prepare": (_press("sit_down"), "portrait"),
    "portrait": (None, "liveness"),
    "liveness": (None, "look"),
    "look": (_press("keep"), "fingers"),
    "fingers": (None, "read_back"),
    "read_back": (_press("to_sign"), "sign"),
    "sign": (_sign, "sealed"),
}
"""What a citizen does on a screen (None: what the devices wait for), and the screen after it."""


def check_in(page: Page, url: str, *, person: int, ticket: str) -> None:
    """Sit down before the kiosk and hold up the ticket's code until it is read."""
    page.goto(url)
    stands(page, "attract")
    play(
        url,
        person=person,
        behaviour="well",
        obeys=True,
        condition="well",
        finger=None,
        ticket="",
    )
    code = SCHEME + ticket.replace("-", "")
    play(url, ticket=code)
    stands(page, "confirm")
    play(url, ticket="")


def go_on(page: Page, screen: str) -> str:
    """Do what a citizen does on `screen`; return the screen that follows."""
    does, after = WAY[screen]
    if does is not None:
        does(page)
    stands(page, after, CAPTURE_WITHIN)
    return after


def capture(
    page: Page, url: str, *, person: int, ticket: str, seen: Callable[[str], None]
) -> Captured:
    """Go from the ticket to the server's receipt; `seen` is told each screen."""
    page.goto(url)
    stands(page, "attract")
    seen("attract")
    check_in(page, url, person=person, ticket=ticket)
    screen, prints = "confirm", 0
    while screen != "sealed":
        if screen in {"portrait", "liveness", "fingers"}:
            # The instruction of a second later shows more than that of the first moment.
            page.wait_for_timeout(1000)
        seen(screen)
        if screen == "read_back":
            prints = page.locator(".prints li:not(.missing)").count()
        screen = go_on(page, screen)
    number = page.inner_text("#number")
    server = page.locator("#server-number")
    expect(server).to_be_visible(timeout=60_000)
    seen("sealed")
    captured = Captured(prints=prints, number=number, receipt=server.inner_text())
    press(page, "finish")
    stands(page, "attract")
    return captured
