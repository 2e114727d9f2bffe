"""Says a call aloud: "Mời số một hai ba đến máy số hai", put together of clips made at set-up.

It makes no speech itself (`python -m server voice-create` has it made); without clips it is mute.
"""

import io
import wave
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scheduler.tables_day import PointKind
from server.rules.voice import FOLDER, digit, to

Samples = NDArray[np.int16]

SILENT_BELOW = 300
"""[D] Of 32,767: what eSpeak leaves before and after a word lies below."""
BETWEEN_DIGITS, BETWEEN_PHRASES = 0.06, 0.18
"""[D] Seconds of silence."""


class Mute(LookupError):
    """A clip is not there: the screen chimes and shows, and says nothing."""


def _words(number: int, kind: PointKind, point: int) -> Iterator[tuple[str, float]]:
    """Yield the clips of a call and the silence after each."""
    yield "call", 0.0
    for place, figure in enumerate(text := str(number), start=1):
        yield digit(figure), BETWEEN_PHRASES if place == len(text) else BETWEEN_DIGITS
    yield to(kind), 0.0
    for figure in str(point):
        yield digit(figure), BETWEEN_DIGITS


@lru_cache(maxsize=128)
def say(data: Path, language: str, number: int, kind: PointKind, point: int) -> bytes:
    """Return the call as a WAV file.

    Raises:
        Mute: a clip is missing or broken.
    """
    parts: list[Samples] = []
    rate = 0
    for name, silence in _words(number, kind, point):
        samples, rate = _clip(data / FOLDER / f"{name}.{language}.wav")
        parts += [samples, np.zeros(round(silence * rate), np.int16)]
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.concatenate(parts).tobytes())
    return file.getvalue()


@lru_cache(maxsize=64)
def _clip(path: Path) -> tuple[Samples, int]:
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise Mute(path.name)
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
            rate = file.getframerate()
    except (OSError, EOFError, wave.Error) as error:
        raise Mute(path.name) from error
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > SILENT_BELOW)
    if not len(loud):
        raise Mute(path.name)
    return samples[loud[0] : loud[-1] + 1], rate
