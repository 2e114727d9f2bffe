"""The coach says one thing at a time, calmly, and leaves nobody stuck."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from biometrics.face import coach as coaching
from biometrics.face.coach import TIMES, Advice, Coach
from biometrics.face.gates import Gate, profile
from biometrics.face.hints import PortraitHint
from biometrics.face.judge import NOBODY, Verdict
from biometrics.face.judge import verdict as verdict_of
from biometrics.face.liveness import LOOK_HERE, Action

FPS = 15
GATES = profile("can-cuoc").gates
DRAWINGS = Path(coaching.__file__).parent / "drawings"
SVG = "{http://www.w3.org/2000/svg}"
ACTIONS = (*(action.value for action in Action), LOOK_HERE)
H = PortraitHint


def _good(gate: Gate) -> float:
    if gate.lowest is not None and gate.highest is not None:
        return (gate.lowest + gate.highest) / 2
    if gate.lowest is not None:
        return gate.lowest + max(0.5 * abs(gate.lowest), 0.1)
    return 0.0 if gate.highest is None else gate.highest - 0.5 * abs(gate.highest)


GOOD = {gate.measure: _good(gate) for gate in GATES}


def seen(**natives: float) -> Verdict:
    """What a face shows whose other measures are all well."""
    return verdict_of(profile("can-cuoc"), GOOD | natives, faces=1)


NOBODY_THERE = verdict_of(profile("can-cuoc"), NOBODY)
WELL = seen()
FAR = seen(InterEyeDistance=60)
ASIDE = seen(FaceOffset=0.3)
SHUT = seen(EyesOpen=0.01)
DARK = seen(FrameBrightness=20)


class Sitting:
    """A coach and the clock of its camera."""

    def __init__(self) -> None:
        self.coach = Coach()
        self.at = 100.0
        self.said: list[tuple[float, PortraitHint | None]] = []
        self.shown: list[tuple[float, PortraitHint | None]] = []

    def see(self, verdict: Verdict, seconds: float = 1 / FPS) -> Advice:
        """Show the coach so many seconds of frames; return what it says last."""
        for _ in range(max(1, round(seconds * FPS))):
            self.at += 1 / FPS
            advice = self.coach.see(verdict, self.at)
            self._note(advice)
        return advice

    def _note(self, advice: Advice) -> None:
        if not self.shown or self.shown[-1][1] is not advice.hint:
            self.shown.append((self.at, advice.hint))
        if advice.say:
            self.said.append((self.at, advice.hint))


@pytest.fixture
def sitting() -> Sitting:
    return Sitting()


def test_the_profile_these_tests_stand_on_passes_a_good_frame() -> None:
    assert WELL.ok
    assert (FAR.hint, ASIDE.hint, SHUT.hint) == (H.CLOSER, H.LEFT, H.EYES_OPEN) or (
        ASIDE.hint is H.RIGHT
    )


def test_of_two_faults_the_more_urgent_is_said(sitting: Sitting) -> None:
    both = seen(InterEyeDistance=60, EyesOpen=0.01, FrameBrightness=20)
    assert sitting.see(both, 1).hint is H.CLOSER


def test_one_bad_frame_says_nothing(sitting: Sitting) -> None:
    sitting.see(WELL, 1)
    assert sitting.see(FAR).hint is None
    assert sitting.see(WELL, 1).hint is None
    assert len(sitting.shown) == 1


def test_a_fault_is_said_within_a_fifth_of_a_second(sitting: Sitting) -> None:
    sitting.see(WELL, 1)
    assert sitting.see(FAR, 0.2).hint is H.CLOSER


def test_a_blink_is_nobodys_fault_but_shut_eyes_are(sitting: Sitting) -> None:
    sitting.see(WELL, 1)
    assert sitting.see(SHUT, 0.3).hint is None
    sitting.see(WELL, 1)
    assert sitting.see(SHUT, 1).hint is H.EYES_OPEN


def test_an_instruction_stands_long_enough_to_be_read(sitting: Sitting) -> None:
    sitting.see(FAR, 0.2)
    assert sitting.see(WELL, 0.6).hint is H.CLOSER
    assert sitting.see(WELL, 0.6).hint is None


def test_what_is_less_urgent_waits_until_the_first_thing_is_mended(sitting: Sitting) -> None:
    sitting.see(FAR, 2)
    assert sitting.see(seen(InterEyeDistance=60, FrameBrightness=20), 2).hint is H.CLOSER
    assert sitting.see(DARK, 1).hint is H.TOO_DARK


def test_what_is_more_urgent_takes_the_place_once_it_has_stood(sitting: Sitting) -> None:
    sitting.see(DARK, 2)
    both = seen(InterEyeDistance=60, FrameBrightness=20)
    assert sitting.see(both).hint is H.TOO_DARK
    assert sitting.see(both, 0.3).hint is H.CLOSER


def test_a_value_at_its_limit_keeps_its_instruction(sitting: Sitting) -> None:
    sitting.see(FAR, 1.2)
    for _ in range(20):
        sitting.see(seen(InterEyeDistance=91), 2 / FPS)
        sitting.see(seen(InterEyeDistance=89), 2 / FPS)
    assert [hint for _, hint in sitting.shown] == [None, H.CLOSER]


def test_a_value_well_past_its_limit_is_believed_sooner() -> None:
    just, well = Sitting(), Sitting()
    for one, native in ((just, 91), (well, 120)):
        one.see(FAR, 1.4)
        one.see(seen(InterEyeDistance=native), 0.2)
    assert just.shown[-1][1] is H.CLOSER
    assert well.shown[-1][1] is None


def test_whoever_leaves_has_mended_nothing(sitting: Sitting) -> None:
    sitting.see(SHUT, 1)
    assert sitting.see(NOBODY_THERE).hint is H.EYES_OPEN
    assert sitting.see(NOBODY_THERE, 1).hint is H.NO_FACE


def test_what_cannot_be_assessed_holds_nobody_up(sitting: Sitting) -> None:
    sitting.see(SHUT, 1)
    natives = {name: value for name, value in GOOD.items() if name != "EyesOpen"}
    unseen = verdict_of(profile("can-cuoc"), natives, faces=1)
    assert sitting.see(unseen, 2).ready


def test_the_shutter_counts_only_while_nothing_else_is_said(sitting: Sitting) -> None:
    sitting.see(FAR, 0.2)
    assert not sitting.see(WELL).ready
    advice = sitting.see(WELL, 2)
    assert advice.ready
    assert not sitting.see(FAR).ready


def _streams() -> Iterable[int]:
    return range(24)


@pytest.mark.parametrize("seed", _streams())
def test_noise_never_makes_it_flicker(seed: int) -> None:
    """However the verdicts jump, what is shown changes at most twice in any second."""
    rng = np.random.default_rng(seed)
    frames = [WELL, FAR, ASIDE, SHUT, DARK, NOBODY_THERE, seen(FaceOffset=0.13, EyesOpen=0.04)]
    sitting = Sitting()
    stay = float(rng.uniform(0.0, 0.95))
    which = 0
    for _ in range(60 * FPS):
        if rng.random() > stay:
            which = int(rng.integers(len(frames)))
        sitting.see(frames[which])
    times = np.array([at for at, _ in sitting.shown[1:]])
    for at in times:
        assert np.count_nonzero((times >= at) & (times < at + 1 - 1e-9)) <= 2
    stood = [
        after - at
        for (at, hint), (after, _) in zip(sitting.shown, sitting.shown[1:], strict=False)
        if hint is not None
    ]
    assert min(stood, default=TIMES.shown) >= TIMES.shown - 1e-6
    loud = np.diff([at for at, _ in sitting.said])
    assert np.all(loud >= TIMES.spoken_after)


def test_a_noisy_measure_at_its_limit_changes_nothing_for_a_minute() -> None:
    rng = np.random.default_rng(5)
    sitting = Sitting()
    for _ in range(60 * FPS):
        sitting.see(seen(FaceOffset=float(rng.normal(0.12, 0.004))))
    assert len(sitting.shown) <= 12


def test_an_instruction_is_said_once_it_stands_and_again_after_a_while(sitting: Sitting) -> None:
    sitting.see(FAR, 5)
    assert [hint for _, hint in sitting.said] == [H.CLOSER]
    sitting.see(FAR, 24)
    gaps = np.diff([at for at, _ in sitting.said])
    assert np.all(gaps >= TIMES.more - 2 * TIMES.spoken_after)
    assert len(sitting.said) == 4


def test_to_hold_still_is_said_once(sitting: Sitting) -> None:
    sitting.see(FAR, 1.2)
    sitting.see(WELL, 12)
    assert [hint for _, hint in sitting.said] == [H.CLOSER, None]


def test_the_detailed_sentence_comes_after_some_seconds(sitting: Sitting) -> None:
    assert not sitting.see(FAR, TIMES.more - 1).more
    before = len(sitting.said)
    assert sitting.see(FAR, 1.5).more
    assert len(sitting.said) == before + 1


def test_an_officer_is_offered_after_a_while_on_the_same_thing(sitting: Sitting) -> None:
    assert not sitting.see(FAR, TIMES.help_same - 1).offer_help
    assert sitting.see(FAR, 2).offer_help


def test_trying_in_between_does_not_put_the_offer_off(sitting: Sitting) -> None:
    for _ in range(8):
        sitting.see(SHUT, 3)
        advice = sitting.see(WELL, 0.5)
    assert advice.offer_help
    assert sitting.see(WELL, 5).offer_help, "an offer is not taken back"


def test_an_officer_is_offered_after_a_minute_whatever_it_was(sitting: Sitting) -> None:
    for _ in range(11):
        for verdict in (FAR, ASIDE, DARK, SHUT):
            advice = sitting.see(verdict, 1.5)
    assert advice.offer_help


def test_a_silent_camera_is_not_counted_against_anybody(sitting: Sitting) -> None:
    sitting.see(FAR, 2)
    sitting.at += 600
    assert not sitting.see(FAR, 1).offer_help


def test_what_a_closer_look_refuses_is_said_at_once(sitting: Sitting) -> None:
    sitting.see(WELL, 1)
    advice = sitting.coach.insist(seen(Sharpness=0.1), sitting.at)
    assert advice.hint is H.BLUR
    assert not advice.ready
    assert sitting.see(WELL, 0.5).hint is H.BLUR
    assert sitting.see(WELL, 1.5).ready


def test_every_blocking_gate_has_an_instruction_and_each_has_its_words() -> None:
    texts = json.loads(
        (DRAWINGS.parents[2] / "kiosk" / "texts" / "coach.json").read_text(encoding="utf-8")
    )
    assert {f"portrait.{hint}.more" for hint in H} <= set(texts)


# The drawings


@pytest.mark.parametrize("name", [*(hint.value for hint in H), *(f"do_{a}" for a in ACTIONS)])
def test_every_instruction_has_a_drawing_that_is_small_plain_and_told(name: str) -> None:
    path = DRAWINGS / f"{name}.svg"
    raw = path.read_bytes()
    assert len(raw) < 4096
    root = ET.fromstring(raw)  # noqa: S314 - our own file
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox") == "0 0 120 120"
    assert root.get("stroke") == "currentColor"
    allowed = {f"{SVG}{tag}" for tag in ("svg", "title", "desc", "g", "path", "circle", "rect")}
    tags = [element.tag for element in root.iter()]
    assert set(tags) <= allowed
    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")
    for element in root.iter():
        assert not [key for key in element.attrib if key.startswith("on") or "href" in key]
    assert not re.search(rb"<!|<\?|url\(|#[0-9a-f]{3}", raw)


def test_no_drawing_is_left_over_and_no_two_are_alike() -> None:
    files = {path.stem: path.read_text(encoding="utf-8") for path in DRAWINGS.glob("*.svg")}
    assert set(files) == {hint.value for hint in H} | {f"do_{action}" for action in ACTIONS}
    pictures: Mapping[str, str] = {
        name: re.sub(r"<(title|desc)>.*?</\1>", "", text) for name, text in files.items()
    }
    assert len(set(pictures.values())) == len(files)
