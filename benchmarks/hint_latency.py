"""How long from a frame before the lens to the hint it brings, on the screen of real Chromium.

`./run python -m benchmarks.hint_latency` starts the demo (every process as in earnest, the camera
simulated), books, checks in, and has the sitter change what is wrong every 1.3 s. The kiosk says
of each instruction when the frame was taken that brought it (`since` in `/events`, monotonic time);
the page notes when the text was in the document and when the frame after that was painted. What
the coach waits on purpose, so that noise does not flicker (`biometrics/face/coach.py`), lies before
the frame that decides and is no part of the figure.
"""

import json
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import httpx
import numpy as np
from playwright.sync_api import ConsoleMessage, Page

from server.demo import citizen_way, kiosk_way, walk
from server.demo.stage import Stage

CHANGES = 220
EVERY = 1.3
"""Seconds; an instruction stands for one at least."""
FAULTS = ("far", "off_centre", "near", "tilt", "dark", "turn", "second_person", "chin_high")
TOUCHED = 30.0
NOTING = """
addEventListener("DOMContentLoaded", () => {
  const hint = document.getElementById("hint");
  if (!hint) return;
  const now = () => performance.timeOrigin + performance.now();
  new MutationObserver(() => {
    const text = hint.textContent, shown = now();
    requestAnimationFrame(() => requestAnimationFrame(() =>
      console.log("noted " + JSON.stringify([text, shown, now()]))));
  }).observe(hint, { childList: true, characterData: true, subtree: true });
});
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A text and the seconds (epoch) at which it was in the document, and painted."""

    text: str
    there: float
    painted: float


@dataclass(slots=True)
class Brought:
    """Texts and the seconds (monotonic) of the frame that brought each; filled by a thread."""

    all: list[tuple[str, float]] = field(default_factory=list)

    def listen(self, url: str, over: threading.Event) -> None:
        """Follow the kiosk's events until told to stop, or the kiosk is stopped."""
        with (
            suppress(httpx.TransportError),
            httpx.stream("GET", f"{url}/events", timeout=30) as stream,
        ):
            for line in stream.iter_lines():
                if over.is_set():
                    return
                state = json.loads(line.removeprefix("data: ")) if line.startswith("data") else {}
                portrait = state.get("portrait")
                if portrait and portrait["since"] is not None:
                    one = (portrait["hint"]["vi"], float(portrait["since"]))
                    if not self.all or self.all[-1] != one:
                        self.all.append(one)


def latencies(
    brought: Sequence[tuple[str, float]], shown: Sequence[Shown], offset: float
) -> tuple[list[float], list[float]]:
    """Return the seconds to the document and to the paint for each text found in both.

    Args:
        brought: as the kiosk said it.
        shown: as the page saw it.
        offset: epoch less monotonic seconds.
    """
    there, painted = [], []
    left = iter(brought)
    for one in shown:
        for text, since in left:
            if text == one.text and one.there >= since + offset:
                there.append(one.there - since - offset)
                painted.append(one.painted - since - offset)
                break
    return there, painted


def sit(page: Page, url: str, changes: int) -> list[Shown]:
    """Have the sitter do one thing wrong after the other; return what the page showed."""
    shown: list[Shown] = []

    def take(message: ConsoleMessage) -> None:
        mark, _, rest = message.text.partition(" ")
        if mark == "noted":
            text, there, painted = json.loads(rest)
            shown.append(Shown(text=text, there=there / 1000, painted=painted / 1000))

    page.on("console", take)
    touched = time.monotonic()
    for fault in cycle(FAULTS):
        kiosk_way.play(url, behaviour=fault, obeys=False)
        page.wait_for_timeout(1000 * EVERY)
        if time.monotonic() - touched > TOUCHED:
            page.mouse.click(5, 400)
            touched = time.monotonic()
        if len(shown) >= changes:
            return shown
    return shown


def measure(folder: Path) -> None:
    """Run the demo, sit, and print the figures."""
    brought, over = Brought(), threading.Event()
    with Stage(folder, say=lambda _: None) as stage, walk.browser() as opened:
        page = opened.new_page(viewport={"width": 1080, "height": 1920}, locale="vi-VN")
        page.set_default_timeout(30_000)
        person = stage.cast.people[0] if stage.cast else None
        if person is None:
            raise RuntimeError("the demo has nobody")
        booking = citizen_way.book(page, stage.url("citizen"), person, lambda _: None)
        url = stage.url("kiosk")
        page.add_init_script(NOTING)
        kiosk_way.check_in(page, url, person=1, ticket=booking.ticket)
        for screen in ("confirm", "notice"):
            kiosk_way.go_on(page, screen)
        kiosk_way.play(url, behaviour="far", obeys=False)
        kiosk_way.go_on(page, "prepare")
        listener = threading.Thread(target=brought.listen, args=(url, over), daemon=True)
        listener.start()
        shown = sit(page, url, CHANGES)
        over.set()
        offset = float(np.median([time.time() - time.monotonic() for _ in range(101)]))
    there, painted = latencies(brought.all, shown, offset)
    print(f"frame taken -> hint, n = {len(there)} changes (of {len(shown)} the page showed)")
    for name, values in (("in the document", there), ("painted", painted)):
        p50, p95, most = (1000 * float(np.percentile(values, share)) for share in (50, 95, 100))
        print(f"  {name:16} p50 {p50:5.0f} ms   p95 {p95:5.0f} ms   longest {most:5.0f} ms")


def main() -> None:
    """Measure in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder) / "demo")


if __name__ == "__main__":
    main()
