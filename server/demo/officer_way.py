"""How an officer goes their stretch: signs in, opens the oldest capture, compares, decides.

It drives a browser page and knows only what stands on it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from server import clock
from server.demo.seed import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What the review page showed, and what was decided."""

    outcome: str
    distance: str
    portrait: str
    nfiq2: tuple[int, ...]
    decision: str


def sign_in(page: Page, url: str, worker: Worker) -> None:
    """Sign in with password and code."""
    page.goto(f"{url}/sign-in")
    page.fill("[name=officer]", worker.id)
    page.fill("[name=password]", worker.password)
    page.fill("[name=code]", worker.code(clock.now()))
    page.locator("main form button").click()
    expect(page.locator("form.signed-in")).to_be_visible()


def open_capture(page: Page, code: str) -> None:
    """Open the waiting capture of a dossier."""
    page.locator("li.line", has_text=code).locator("form button").click()
    expect(page.locator(".comparison .outcome")).to_be_visible(timeout=60_000)


def _texts(page: Page, selector: str) -> list[str]:
    return page.locator(selector).all_inner_texts()


def accept(page: Page, seen: Callable[[str], None]) -> Reviewed:
    """Read what the page shows and accept."""
    seen("review")
    outcome = page.inner_text(".comparison .outcome")
    distance = " ".join(_texts(page, ".comparison .small-print")).split("\n")[0]
    portrait = _texts(page, "section[aria-labelledby=measures] .tag")[0]
    scores = tuple(int(text) for text in _texts(page, ".figures strong"))
    for name in ("ears", "head", "glasses"):
        page.locator(f"[name={name}][value=yes]").check()
    for warning in page.locator("fieldset.concern [type=checkbox]").all():
        warning.check()
    page.locator("form.verdict button.accept").click()
    note = page.locator(".note.good[role=status]")
    expect(note).to_be_visible()
    seen("decided")
    return Reviewed(
        outcome=outcome,
        distance=distance,
        portrait=portrait,
        nfiq2=scores,
        decision=note.inner_text().strip(),
    )
