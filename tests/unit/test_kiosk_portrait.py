"""The portrait at the kiosk: coached, taken, attended to, helped; and what is sealed of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from biometrics.capture import Finding
from biometrics.face.judge import Verdict
from hardware.camera.act import Behaviour
from hardware.camera.port import Frame
from kiosk.screens import Screen
from kiosk.sitting import LIVENESS_SECONDS, STEADY, Judges, Look, Pixels, PortraitEye
from kiosk.speech import name_of
from kiosk.web import view
from kiosk.words import portrait_words
from tests import faces
from tests.kiosk_stage import FAR, GOOD, Movements, Stage, stage

AWAY = faces.frame(1, Behaviour.AWAY)


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as made:
        yield made


def _steps(booth: Stage) -> dict[str, str]:
    return {step.event: step.detail for step in booth.booth.visit.steps}


def _hint(booth: Stage) -> str:
    return str(view.state(booth.booth)["portrait"]["drawing"])


def test_one_instruction_stands_until_it_is_done_and_then_the_shutter_fires(booth: Stage) -> None:
    booth.to_portrait()
    booth.see(FAR, 3)
    assert (booth.booth.asked(), _hint(booth)) == ("portrait.closer", "closer")
    booth.see(GOOD, 8)
    assert _hint(booth) == "closer", "not a second has passed"
    for _ in range(20 + STEADY):
        if booth.shows(Screen.PORTRAIT):
            booth.see(GOOD)
    assert booth.shows(Screen.LIVENESS)


def test_what_is_said_aloud_is_numbered_and_said_once(booth: Stage) -> None:
    booth.to_portrait()
    booth.see(FAR, 8)
    first = booth.booth.said
    assert first.text is not None
    assert "lại gần" in first.text.vi
    booth.see(FAR, 15)
    assert booth.booth.said.number == first.number
    booth.see(FAR, 80)
    assert booth.booth.said.number == first.number + 1
    assert booth.booth.said.text is not None
    assert "bầu dục" in booth.booth.said.text.vi, "the detailed sentence"


def test_whoever_cannot_is_offered_an_officer_and_may_go_on_trying(booth: Stage) -> None:
    booth.to_portrait()
    booth.see(FAR, 15 * 21)
    assert view.state(booth.booth)["portrait"]["help"] is True
    assert _steps(booth)["officer_offered"] == "portrait.closer"
    page = booth.web.get("/").get_data(as_text=True)
    assert 'id="rescue" role="status" aria-live="polite">' in page
    for _ in range(20 + STEADY):
        if booth.shows(Screen.PORTRAIT):
            booth.see(GOOD)
    assert booth.shows(Screen.LIVENESS)


class _Strict:
    """A full judge that refuses what the live one passes, so many times."""

    def __init__(self, refuses: int) -> None:
        self.refuses = refuses

    def judge(self, pixels: Pixels) -> Verdict:
        assert pixels is not None
        self.refuses -= 1
        return faces.verdict(1, Behaviour.BUSY) if self.refuses >= 0 else faces.verdict(1)


class _Seeing:
    def judge(self, pixels: Pixels) -> Verdict:
        assert pixels.shape == (720, 1280, 3)
        return faces.verdict(1)

    def reset(self) -> None:
        """Nothing is followed."""


def test_a_shot_the_full_judge_refuses_is_not_kept_and_says_why() -> None:
    looks: list[Look] = []
    eye = PortraitEye(Judges(live=_Seeing(), full=_Strict(1)), looks.append)
    for number in range(STEADY + 45):
        eye(Frame(pixels=GOOD, at=number / 15, number=number))
    shots = [number for number, look in enumerate(looks) if look.shot is not None]
    refused = looks[STEADY - 1]
    assert refused.advice.hint is not None
    assert refused.advice.hint == faces.verdict(1, Behaviour.BUSY).hint
    assert refused.share == 0
    assert shots
    assert shots[0] > STEADY + 15, "the hint stood for a second, then a whole new burst"
    taken = looks[shots[0]].shot
    assert taken is not None
    assert taken.verdict is faces.verdict(1), "what is kept is what the full judge said"


# After the shutter


def test_two_movements_follow_the_picture_and_are_kept_with_it(booth: Stage) -> None:
    booth.to_liveness()
    assert booth.shows(Screen.LIVENESS)
    assert booth.attended[0][0] == str(booth.booth.visit.present.visit_id)
    booth.see(GOOD)
    assert booth.booth.asked() == "liveness.turn_left"
    booth.see(GOOD, Movements.MOVED)
    assert booth.booth.asked() == "liveness.blink"
    booth.see(GOOD, Movements.MOVED)
    assert booth.shows(Screen.LOOK)
    portrait = booth.booth.face.portrait
    assert portrait is not None
    assert portrait.liveness is not None
    assert portrait.liveness.met == (True, True)
    assert _steps(booth)["liveness"] == "2/2 turn_left blink"


def test_they_may_be_skipped_and_refuse_nobody(booth: Stage) -> None:
    booth.to_liveness()
    booth.see(GOOD, 1 + Movements.MOVED)
    assert booth.form("skip").status_code == 303
    assert booth.shows(Screen.LOOK)
    assert "liveness_skipped" in _steps(booth)
    assert _steps(booth)["liveness"] == "1/2 turn_left blink"
    booth.press("keep")
    assert booth.shows(Screen.FINGERS)


def test_they_end_by_themselves_without_a_frame(booth: Stage) -> None:
    booth.to_liveness()
    booth.pass_time(LIVENESS_SECONDS + 1)
    assert booth.shows(Screen.LOOK)
    assert _steps(booth)["liveness"].startswith("0/2")


def test_an_officer_may_be_called_in_the_middle_of_them(booth: Stage) -> None:
    booth.to_liveness()
    booth.press("call_officer")
    booth.see(GOOD, 4 * Movements.MOVED)
    booth.pass_time(LIVENESS_SECONDS + 5)
    assert booth.shows(Screen.HELP)
    booth.press("resume")
    booth.pass_time(1)
    assert booth.shows(Screen.LOOK)


def test_a_lost_face_is_said_on_the_screen(booth: Stage) -> None:
    booth.to_liveness()
    booth.see(GOOD)
    booth.see(AWAY)
    assert "trong khung hình" in view.state(booth.booth)["liveness"]["hint"]["vi"]


def test_a_kiosk_may_leave_them_out(tmp_path: Path) -> None:
    with stage(tmp_path) as booth:
        booth.stop()
        booth.liveness = False
        booth.start()
        booth.to_portrait()
        booth.see(GOOD, STEADY)
        assert booth.shows(Screen.LOOK)
        assert booth.attended == []


def test_a_restart_in_the_middle_of_them_begins_the_picture_anew(booth: Stage) -> None:
    booth.to_liveness()
    booth.restart()
    assert booth.shows(Screen.PREPARE)
    assert booth.booth.attended is None


# The officer's limits, and reasons


def test_an_officer_holds_a_sitter_to_the_assisted_limits_with_a_reason(booth: Stage) -> None:
    booth.to_portrait()
    booth.officer()
    for values in (
        {},
        {"reason": "nonsense"},
        {"reason": "other"},
        {"reason": "other", "note": " "},
    ):
        booth.press("assist", **values)
        assert booth.shows(Screen.DESK)
    booth.press("assist", reason="elderly", note="không giữ được đầu")
    assert booth.shows(Screen.PORTRAIT)
    assert _steps(booth)["portrait_assisted"] == "cb01 elderly: không giữ được đầu"
    assert booth.booth.visit.profile == "assisted"


def test_the_assisted_limits_outlive_a_restart_and_end_with_the_visit(booth: Stage) -> None:
    booth.to_portrait()
    booth.officer()
    booth.press("assist", reason="child")
    booth.restart()
    assert booth.booth.visit.profile == "assisted"
    booth.press("give_up")
    booth.press("finish")
    booth.to_confirm()
    assert booth.booth.visit.profile == "can-cuoc"


def test_a_picture_is_accepted_as_it_is_only_for_a_reason(booth: Stage) -> None:
    booth.to_portrait()
    booth.officer()
    booth.see(FAR)
    booth.press("force_portrait")
    assert booth.shows(Screen.DESK)
    assert booth.booth.help is not None
    assert booth.booth.help.text is not None
    booth.press("force_portrait", reason="other", note="x" * 5000)
    assert booth.shows(Screen.LOOK)
    detail = _steps(booth)["portrait_forced"]
    assert detail.startswith("cb01 other: xxx")
    assert len(detail) < 300


def test_the_reason_is_sealed_in_the_evidence(booth: Stage) -> None:
    booth.to_portrait()
    booth.officer()
    booth.press("assist", reason="disability")
    booth.sit()
    portrait = booth.booth.face.portrait
    assert portrait is not None
    booth.press("keep")
    steps = [step for step in booth.booth.visit.steps if step.event == "portrait_assisted"]
    assert [step.detail for step in steps] == ["cb01 disability"]


# The reference


def test_another_judges_findings_are_put_beside_ours_before_the_seal(booth: Stage) -> None:
    other = Finding(name="OFIQ/Sharpness", native=0.4, unit="", score=60, passed=None, hint=None)
    booth.reference = (other,)
    booth.to_fingers()
    portrait = booth.booth.visit.portrait
    assert portrait is not None
    assert portrait.findings[-1] == other
    assert len(portrait.findings) == len(faces.verdict(1).findings) + 1


def test_what_comes_after_the_picture_was_taken_again_is_not_put_to_it(booth: Stage) -> None:
    late: list[Callable[[], None]] = []
    booth.to_look()
    booth.booth.fittings = replace(booth.booth.fittings, spawn=late.append)
    booth.reference = (
        Finding(name="OFIQ/Sharpness", native=0.4, unit="", score=60, passed=None, hint=None),
    )
    booth.press("keep")
    booth.press("give_up")
    for work in late:
        work()
    assert booth.booth.visit.portrait is None


# Sound


def test_the_sound_is_switched_for_this_visit_only(booth: Stage) -> None:
    assert booth.booth.sound
    booth.to_portrait()
    booth.press("sound", to="off")
    assert view.state(booth.booth)["sound"] is False
    booth.press("give_up")
    booth.press("finish")
    assert booth.booth.sound


def test_a_kiosk_without_a_voice_shows_no_switch_and_lets_the_screen_reader_speak(
    booth: Stage,
) -> None:
    booth.booth.fittings.speech.lacking = "no library"
    booth.to_portrait()
    text = booth.web.get("/").get_data(as_text=True)
    assert 'id="sound"' not in text
    assert 'id="hint" role="status" aria-live="assertive"' in text
    booth.officer()
    assert "no library" in booth.web.get("/").get_data(as_text=True)


def test_every_drawing_is_in_the_page_so_that_none_is_asked_for(booth: Stage) -> None:
    booth.to_portrait()
    text = booth.web.get("/").get_data(as_text=True)
    assert text.count("<symbol id=") == 35
    assert '<symbol id="d-closer" viewBox="0 0 120 120"' in text


def test_a_sentences_sound_is_served_and_nothing_beside_it(booth: Stage) -> None:
    folder = booth.booth.fittings.speech.folder
    folder.mkdir()
    name = f"{'ab' * 32}.wav"
    (folder / name).write_bytes(b"RIFFsound")
    (folder / "secret.wav").write_bytes(b"secret")
    with booth.web.get(f"/speech/{name}") as answer:
        assert (answer.data, answer.mimetype) == (b"RIFFsound", "audio/wav")
        assert "media-src 'self'" in answer.headers["Content-Security-Policy"]
    for other in ("secret.wav", "../visit.journal", "..%2fvisit.journal", f"{'ab' * 31}.wav", "x"):
        assert booth.web.get(f"/speech/{other}").status_code == 404


def test_what_is_said_is_named_to_the_page_by_its_sound(booth: Stage) -> None:
    booth.to_portrait()
    booth.see(FAR, 8)
    folder = booth.booth.fittings.speech.folder
    assert view.state(booth.booth)["said"] is None, "nothing was made yet"
    folder.mkdir()
    name = name_of(portrait_words()["portrait.closer"].vi, "vi")
    (folder / name).touch()
    said = view.state(booth.booth)["said"]
    assert said["file"] == name
    booth.press("language", to="en")
    assert view.state(booth.booth)["said"] is None
