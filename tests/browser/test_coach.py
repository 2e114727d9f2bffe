"""From any bad start to a good picture, in real Chromium, by nothing but what the screen says."""

import json
import time
import wave
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from biometrics.finger.plan import Step, Touch
from kiosk.screens import Screen
from kiosk.sitting import LIVENESS_SECONDS
from kiosk.speech import name_of
from kiosk.telling import asked
from kiosk.words import portrait_words, words
from server.demo import walk
from server.demo.kiosk_way import stands
from tests.browser.live_stage import LiveStage
from tests.conftest import absent

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

STARTS = {
    "away": "no_face",
    "second_person": "second_person",
    "far": "closer",
    "near": "farther",
    "off_centre": "right",
    "turn": "turn_right",
    "tilt": "head_straight",
    "dark": "too_dark",
    "eyes_shut": "eyes_open",
    "mouth_open": "mouth_closed",
    "busy": "background",
}
"""How the sitter sits down, and the first thing they must be told."""
WELL_WITHIN = 30.0
"""Seconds from sitting down to the picture, on a slow and busy machine."""
NOTING = """
addEventListener("DOMContentLoaded", () => {
  const note = (what, value) => console.log("noted " + JSON.stringify({ what, value }));
  const voice = document.getElementById("voice");
  for (const event of ["playing", "ended"]) {
    voice?.addEventListener(event, () => note(event, voice.src.split("/").pop()));
  }
  const hint = document.getElementById("hint");
  const drawing = document.getElementById("drawing");
  if (!hint || !drawing) return;
  const tell = () => note("hint", [
    hint.textContent, drawing.getAttribute("href"), document.querySelectorAll(".hint").length,
  ]);
  tell();
  new MutationObserver(tell).observe(hint, { childList: true, characterData: true, subtree: true });
  document.addEventListener("submit", (event) => note("pressed", event.target.action), true);
});
"""
"""Tells what stands on the screen and what is heard, whenever it changes."""


class Noted:
    """What a page showed, played and had pressed."""

    def __init__(self, page: Page) -> None:
        self.all: list[tuple[str, Any]] = []
        page.add_init_script(NOTING)
        page.on("console", self._take)
        page.on("pageerror", lambda error: self.all.append(("error", str(error))))

    def _take(self, message: ConsoleMessage) -> None:
        mark, _, rest = message.text.partition(" ")
        if mark == "noted":
            told = json.loads(rest)
            self.all.append((told["what"], told["value"]))

    def of(self, what: str) -> list[Any]:
        return [value for kind, value in self.all if kind == what]

    @property
    def hints(self) -> list[tuple[str, str, int]]:
        return [(str(text), str(drawing), int(count)) for text, drawing, count in self.of("hint")]


@pytest.fixture(scope="module")
def seat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStage]:
    lacking = walk.missing()
    if lacking is not None:
        absent(f"the browser (package {lacking})")
    made = LiveStage(tmp_path_factory.mktemp("seat"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def page(seat: LiveStage) -> Iterator[Page]:
    with walk.browser() as opened:
        page = opened.new_page(viewport={"width": 1080, "height": 1920}, locale="vi-VN")
        page.set_default_timeout(30_000)
        yield page


@pytest.fixture(scope="module")
def noted(page: Page) -> Noted:
    return Noted(page)


def play(seat: LiveStage, **role: object) -> None:
    answer = httpx.post(f"{seat.url}/rehearsal", json=role, headers={"Origin": seat.url})
    answer.raise_for_status()


@pytest.fixture
def sit_down(seat: LiveStage, page: Page, noted: Noted) -> Callable[..., None]:
    """Bring the visit to the portrait with a sitter who sits as told."""

    def sit(**role: object) -> None:
        play(seat, behaviour="well", obeys=False)
        if seat.shows(Screen.ATTRACT):
            page.goto(seat.url)
            stands(page, "attract")
            seat.to_prepare()
            stands(page, "prepare")
        if seat.shows(Screen.HELP):
            page.locator("[data-action=resume]").click()
            stands(page, "liveness")
        if seat.shows(Screen.LIVENESS):
            page.locator("[data-action=skip]").click()
            stands(page, "look")
        play(seat, **role)
        page.wait_for_timeout(500)
        noted.all.clear()
        button = "retake" if seat.shows(Screen.LOOK) else "sit_down"
        page.locator(f"main [data-action={button}]").click()
        stands(page, "portrait")

    return sit


@pytest.mark.parametrize(("start", "first"), STARTS.items())
def test_a_bad_start_is_led_to_a_good_picture_that_takes_itself(
    seat: LiveStage,
    page: Page,
    noted: Noted,
    sit_down: Callable[..., None],
    start: str,
    first: str,
) -> None:
    sit_down(behaviour=start, obeys=True)
    stands(page, "liveness", 1000 * WELL_WITHIN)
    neither = {words()[f"portrait.{key}"].vi for key in ("position", "hold")}
    told = [one for one in noted.hints if one[0] not in neither and "#d-do_" not in one[1]]
    expected = portrait_words()[f"portrait.{first}"]
    assert told[0][0] == expected.vi
    assert f"#d-{first}" in {drawing for text, drawing, _ in noted.hints if text == expected.vi}
    assert {count for _, _, count in noted.hints} == {1}, "one instruction at a time"
    file = name_of(expected.vi, "vi")
    assert file in noted.of("playing")
    with wave.open(str(seat.booth.fittings.speech.folder / file)) as sound:
        assert sound.getnframes() > sound.getframerate() / 2
    assert not [one for one in noted.of("pressed") if "retake" not in one and "sit_down" not in one]
    assert seat.booth.face.portrait is not None
    assert all(finding.passed is not False for finding in _blocking(seat))


def _blocking(seat: LiveStage) -> list[Any]:
    portrait = seat.booth.face.portrait
    shot = seat.attended[-1][1]
    blocks = {gate.measure for gate in shot.verdict.profile.gates if gate.blocks}
    return [one for one in portrait.findings if one.name in blocks] if portrait else []


def test_whoever_cannot_is_offered_an_officer_and_never_stuck(
    page: Page, noted: Noted, sit_down: Callable[..., None]
) -> None:
    sit_down(behaviour="eyes_shut", obeys=False)
    began = time.monotonic()
    rescue = page.locator("#rescue")
    expect(rescue).to_be_hidden()
    expect(rescue).to_be_visible(timeout=40_000)
    assert time.monotonic() - began > 10, "first they are told, and told more"
    texts = [text for text, *_ in noted.hints]
    assert words()["portrait.eyes_open.more"].vi in texts
    expect(rescue).to_contain_text("Cán bộ")
    page.locator("#sound button").click()
    expect(page.locator("body")).to_have_attribute("data-sound", "off")
    expect(page.locator("#hint")).to_have_attribute("aria-live", "assertive")
    rescue.locator("[data-action=call_officer]").click()
    stands(page, "help")


def test_an_officer_helps_and_whoever_is_asked_makes_the_movements(
    seat: LiveStage, page: Page, noted: Noted
) -> None:
    """After the test above: assisted limits with a reason typed by touch, movements, fingers."""
    page.locator("[data-action=resume]").click()
    stands(page, "portrait")
    page.locator("#sound button").click()
    expect(page.locator("body")).to_have_attribute("data-sound", "on")
    seat.officer()
    stands(page, "desk")
    page.locator(".choices label", has_text="Lý do khác").click()
    for key in "mat do":
        page.locator(f"[data-key='{key}']").click()
    play(seat, behaviour="well", obeys=True)
    page.locator("[data-action=assist]").click()
    stands(page, "liveness", 1000 * WELL_WITHIN)
    assert seat.booth.visit.assisted == "other: mat do"
    stands(page, "look", 1000 * (LIVENESS_SECONDS + 5))
    page.locator("[data-action=keep]").click()
    stands(page, "fingers")
    expect(page.locator("#count")).to_contain_text("0/2")
    page.wait_for_timeout(1500)
    assert name_of(
        asked(Step(positions=(1,), touch=Touch.SINGLE), control=False).vi, "vi"
    ) in noted.of("playing")
    assert noted.of("error") == []
    portrait = seat.booth.visit.portrait
    assert portrait is not None
    assert portrait.profile == "assisted"
    assert portrait.liveness is not None
    assert portrait.liveness.met == (True,) * len(portrait.liveness.actions)
    assert portrait.liveness.same_face is True
