"""The kiosk's voice: every instruction as a sound file, made on this machine at set-up.

``python -m kiosk.speech FOLDER`` makes the files, in a process of its own: eSpeak NG is licensed
under the GPL and is used here as a program at arm's length. The kiosk only serves what lies there;
it decides nothing of when a sentence is said.
"""

import argparse
import ctypes
import importlib
import json
import logging
import os
import subprocess
import sys
import threading
import wave
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol, cast

from biometrics.words import LANGUAGES, Text
from kiosk import durable, telling
from kiosk.words import finger_words, liveness_words, portrait_words, words

log = logging.getLogger(__name__)

FOLDER: Final = "speech"
VOICES: Final[Mapping[str, str]] = {"vi": "vi", "en": "en-us"}
RATE: Final = 150
"""Words a minute; eSpeak's own default of 175 is hard to follow for elderly people."""
WITHIN: Final = 120.0
"""Seconds a rendering may take in all; about 300 sentences take a few."""
_STYLE: Final = f"espeak-ng;{RATE};1"
"""Part of a file's name: another way of speaking makes other files."""
_LIBRARY: Final = "espeakng_loader"
_SYNCHRONOUS: Final = 2
_RATE_PARAMETER: Final = 1
_DONT_EXIT: Final = 0x8000
_UTF8: Final = 1
_CHARACTERS: Final = 1
_KEYS: Final = (
    *("portrait.position", "portrait.hold", "coach.help"),
    *("irises.look", "irises.look.right", "irises.look.left", "irises.again"),
)
"""Sentences of the kiosk's own that are said, besides every instruction."""


class Mute(Exception):
    """There is no voice on this machine; the message says why."""


class _Loader(Protocol):
    def get_library_path(self) -> str: ...

    def get_data_path(self) -> str: ...


# Which sentences there are, and where each lies


def sentences() -> Iterator[Text]:
    """Yield every sentence that may be said, without names of people or places."""
    own = words()
    yield from (own[key] for key in own if key.endswith(".more"))
    yield from (own[key] for key in _KEYS)
    yield from telling.instructions()
    for table in (portrait_words(), liveness_words(), finger_words()):
        yield from (table[key] for key in table)


def name_of(text: str, language: str) -> str:
    """Return the name of a sentence's file: other words, or another voice, another name."""
    plain = text.replace("\u00a0", " ")
    digest = sha256("\n".join((_STYLE, VOICES[language], plain)).encode())
    return f"{digest.hexdigest()}.wav"


@dataclass(slots=True)
class Speech:
    """The sound files of one kiosk.

    Attributes:
        folder: where they lie.
        lacking: why there are none, None while they are made or once they are there.
        ready: how many there are; None until they were made or found to be there.
    """

    folder: Path
    lacking: str | None = None
    ready: int | None = None

    def file(self, text: Text, language: str) -> str | None:
        """Return the name of the file that says `text`, None where there is none."""
        name = name_of(text.in_(language), language)
        return name if (self.folder / name).is_file() else None

    def prepare(self, *, say: Callable[[str], None] = log.info) -> None:
        """Have the files made that are not there yet, in another process; waits for it."""
        command = [sys.executable, "-m", "kiosk.speech", str(self.folder)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=WITHIN, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            self.lacking = str(error)
        else:
            self.lacking = (done.stderr.strip() or "?")[-400:] if done.returncode else None
        if self.lacking is not None:
            log.warning("the kiosk stays silent: %s", self.lacking)
            return
        told = json.loads(done.stdout)
        self.ready = int(told["there"])
        say(f"speech: {told['made']} sentences made, {told['there']} there")

    def prepare_beside(self) -> None:
        """Do that in a thread: nobody waits for a voice."""
        threading.Thread(target=self.prepare, name="speech", daemon=True).start()


# Making them: what follows runs in the other process only


class Voice:
    """eSpeak NG in this process; one only, because the library keeps its state in itself."""

    def __init__(self) -> None:
        """Load the library.

        Raises:
            Mute: it is not installed, or does not start.
        """
        try:
            loader = cast("_Loader", importlib.import_module(_LIBRARY))
            library = ctypes.CDLL(loader.get_library_path())
            data = loader.get_data_path()
        except (ImportError, OSError) as error:
            raise Mute(f"eSpeak NG (distribution espeakng-loader): {error}") from error
        self._library = library
        library.espeak_Initialize.argtypes = [
            *(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
        ]
        library.espeak_Synth.argtypes = [
            *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int),
            *(ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p),
        ]
        library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
        self.rate = library.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(data), _DONT_EXIT)
        if self.rate <= 0:
            raise Mute("eSpeak NG does not start: its data is missing or of another version")
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self._heard = bytearray()
        # Kept, because the library calls it for as long as it lives.
        self._callback = kind(self._hear)
        library.espeak_SetSynthCallback(self._callback)

    def _hear(self, samples: int | None, count: int, _: int | None) -> int:
        if samples is not None and count > 0:
            self._heard += ctypes.string_at(samples, count * ctypes.sizeof(ctypes.c_short))
        return 0

    def say(self, text: str, language: str) -> bytes:
        """Return the samples of `text`: 16 bits, one channel, `rate` a second.

        Raises:
            Mute: there is no such voice, or nothing came.
        """
        voice = VOICES[language]
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise Mute(f"eSpeak NG has no voice {voice}")
        self._library.espeak_SetParameter(_RATE_PARAMETER, RATE, 0)
        self._heard.clear()
        raw = text.encode() + b"\0"
        failed = self._library.espeak_Synth(raw, len(raw), 0, _CHARACTERS, 0, _UTF8, None, None)
        if failed or not self._heard:
            raise Mute(f"eSpeak NG said nothing ({failed})")
        return bytes(self._heard)


def render(folder: Path, texts: Iterator[Text]) -> tuple[int, int]:
    """Make the files that are missing and take away those nobody says any more.

    Returns:
        How many were made, and how many are there now.

    Raises:
        Mute: there is no voice.
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = {
        name_of(text.in_(language), language): (text.in_(language).replace("\u00a0", " "), language)
        for text in texts
        for language in LANGUAGES
    }
    there = {path.name for path in folder.glob("*.wav")}
    missing = [name for name in wanted if name not in there]
    if missing:
        voice = Voice()
        for name in missing:
            _write(folder / name, voice.say(*wanted[name]), voice.rate)
    for name in there - wanted.keys():
        (folder / name).unlink(missing_ok=True)
    return len(missing), len(wanted)


def render_clips(folder: Path, clips: Mapping[str, Mapping[str, str]]) -> int:
    """Make short clips for others to put together: ``NAME.LANGUAGE.wav``; return how many.

    Raises:
        Mute: there is no voice.
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    voice = Voice()
    wanted = [(name, *said) for name, texts in clips.items() for said in texts.items()]
    for name, language, text in wanted:
        _write(folder / f"{name}.{language}.wav", voice.say(text, language), voice.rate)
    return len(wanted)


def _write(path: Path, samples: bytes, rate: int) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    with wave.open(str(part), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)
    part.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """Make the files of a folder and print how many were made and are there, as JSON."""
    parser = argparse.ArgumentParser(prog="python -m kiosk.speech", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the sound files go")
    parser.add_argument("--clips", type=Path, help="make these instead: {name: {language: text}}")
    parsed = parser.parse_args(arguments)
    folder = parsed.folder
    try:
        if parsed.clips is None:
            made, there = render(folder, sentences())
        else:
            clips = json.loads(parsed.clips.read_text(encoding="utf-8"))
            made = there = render_clips(folder, clips)
        durable.sync(folder)
    except (Mute, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps({"made": made, "there": there}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
