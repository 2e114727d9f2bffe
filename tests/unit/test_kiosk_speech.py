"""The kiosk's voice is made once, offline and apart, and its lack is said and survived."""

import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from biometrics.words import LANGUAGES, Text
from kiosk import speech, telling
from kiosk.speech import Mute, Speech, name_of, render, sentences
from kiosk.words import liveness_words, portrait_words, words

HELLO = Text(vi="Vui lòng tiến lại gần hơn một chút.", en="Please move a little closer.")
OTHER = Text(vi="Giữ yên…", en="Hold still…")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("voice") / "speech"
    assert render(made, iter((HELLO, OTHER))) == (4, 4)
    return made


def _samples(path: Path) -> np.ndarray:
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        rate, raw = sound.getframerate(), sound.readframes(sound.getnframes())
    samples = np.frombuffer(raw, np.int16).astype(np.float64)
    assert 0.4 < len(samples) / rate < 12
    return samples


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_becomes_sound_in_both_languages(folder: Path, language: str) -> None:
    samples = _samples(folder / name_of(HELLO.in_(language), language))
    assert samples.std() > 300, "somebody speaks"


def test_another_language_is_another_voice(folder: Path) -> None:
    """The Vietnamese sentence read by the English voice would sound otherwise."""
    vi = _samples(folder / name_of(HELLO.vi, "vi"))
    wrong = folder.parent / "wrong"
    render(wrong, iter((Text(vi="x", en=HELLO.vi),)))
    other = _samples(wrong / name_of(HELLO.vi, "en"))
    assert len(vi) != len(other)


def test_it_is_made_once_and_made_anew_when_the_words_change(tmp_path: Path) -> None:
    made = tmp_path / "speech"
    assert render(made, iter((HELLO,))) == (2, 2)
    before = {path.name: path.stat().st_mtime_ns for path in made.iterdir()}
    assert render(made, iter((HELLO,))) == (0, 2)
    assert {path.name: path.stat().st_mtime_ns for path in made.iterdir()} == before
    assert render(made, iter((OTHER,))) == (2, 2)
    assert not set(before) & {path.name for path in made.iterdir()}, "nobody says it any more"


def test_a_torn_rendering_leaves_no_half_file_that_counts(tmp_path: Path) -> None:
    made = tmp_path / "speech"
    made.mkdir()
    (made / f"{name_of(HELLO.vi, 'vi')[:-4]}.77.part").write_bytes(b"RIFF")
    assert render(made, iter((HELLO,)))[0] == 2


def test_every_instruction_is_among_what_is_said() -> None:
    said = {text.vi for text in sentences()}
    every = [table[key] for table in (portrait_words(), liveness_words()) for key in table]
    every += [words()[key] for key in words() if key.endswith(".more")]
    every += list(telling.instructions())
    assert len(every) > 60
    assert [text.vi for text in every if text.vi not in said] == []


def test_a_file_is_found_by_what_it_says(folder: Path) -> None:
    there = Speech(folder)
    assert there.file(HELLO, "vi") == name_of(HELLO.vi, "vi")
    assert there.file(Text(vi="Khác.", en="Other."), "vi") is None
    assert name_of(HELLO.vi, "vi") != name_of(HELLO.vi, "en")


def test_a_name_that_no_line_breaks_is_said_like_any_other() -> None:
    assert name_of("ngón\u00a0cái", "vi") == name_of("ngón cái", "vi")


def test_a_missing_library_leaves_the_kiosk_silent_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(Mute, match="espeakng-loader"):
        speech.Voice()
    assert speech.main([str(tmp_path / "speech")]) == 1
    assert "eSpeak NG" in capsys.readouterr().err


def test_what_keeps_the_voice_from_being_made_is_kept_for_the_officer(tmp_path: Path) -> None:
    in_the_way = tmp_path / "speech"
    in_the_way.write_bytes(b"no folder")
    voice = Speech(in_the_way)
    voice.prepare()
    assert voice.ready is None
    assert voice.lacking
    assert voice.file(HELLO, "vi") is None


def test_the_other_process_makes_every_sentence(tmp_path: Path) -> None:
    told: list[str] = []
    voice = Speech(tmp_path / "speech")
    voice.prepare(say=told.append)
    assert voice.lacking is None
    assert voice.ready == len(list((tmp_path / "speech").glob("*.wav")))
    assert voice.ready > 150
    assert told == [f"speech: {voice.ready} sentences made, {voice.ready} there"]
