"""Says of a photo from home whether it would do, with the kiosk's own verdict, from a sandbox.

Nothing is stored, no pixel is decoded in this process, and this module loads no native code.
"""

import enum
import functools
import logging
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from biometrics.capture import Finding
from biometrics.face.containers import JPEG, ImageRefused, Reason, kind_of
from biometrics.face.hints import PortraitHint
from biometrics.sandbox.room import Fell, OutOfMemory, OutOfTime, Room
from biometrics.words import Words

log = logging.getLogger(__name__)

MAX_BYTES: Final = 10 * 1024 * 1024
"""Bytes of a photo from home: what phones write is 2 to 8 MiB."""
MAX_PREVIEW: Final = 200 * 1024
MOST_FINDINGS: Final = 256
LONGEST_NAME: Final = 128
PLACES: Final = max(2, os.cpu_count() or 2)
"""Photos looked at at the same time in one process; more wait, then are sent away."""
FEW_PIXELS: Final = "few_pixels"
MENDABLE: Final = frozenset({*(hint.value for hint in PortraitHint), FEW_PIXELS})


class Subject(enum.StrEnum):
    """What a citizen is told about, each one line of the answer."""

    PERSON = "person"
    FRAMING = "framing"
    POSE = "pose"
    LIGHT = "light"
    COVERED = "covered"
    EYES = "eyes"
    EXPRESSION = "expression"
    BACKGROUND = "background"
    SHARP = "sharp"


_SUBJECTS: Final = {
    Subject.PERSON: ("no_face", "second_person"),
    Subject.FRAMING: ("closer", "farther", "left", "right", "up", "down", FEW_PIXELS),
    Subject.POSE: ("turn_left", "turn_right", "chin_up", "chin_down", "head_straight"),
    Subject.LIGHT: ("too_dark", "too_bright", "shadow", "colour"),
    Subject.COVERED: ("uncover", "bare_head", "glasses", "ears"),
    Subject.EYES: ("eyes_open", "look_here"),
    Subject.EXPRESSION: ("mouth_closed", "neutral"),
    Subject.BACKGROUND: ("background",),
    Subject.SHARP: ("blur", "noise", "compressed"),
}
SUBJECT_OF: Final = {hint: subject for subject, hints in _SUBJECTS.items() for hint in hints}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What is said of a photo.

    Attributes:
        ok: no blocking gate of the profile refused it.
        hint: what to mend first, as `judge.Verdict.hint`; None where nothing blocks.
        reason: the measure that refused first.
        findings: every gate's, as the kiosk would seal them.
        mend: what to mend, keys ``photo.mend.<key>`` of `words`, most important first.
        advice: the same for gates that do not block.
        good: subjects about which everything was assessed and nothing is to be mended.
        unsure: subjects of which something could not be assessed.
        preview: JPEG, 3 to 4, the card's crop with the outline of the face; None without a face.
        width, height: of the photo, upright, pixels.
        profile, profile_sha256: the gates it was held to.
    """

    ok: bool
    hint: PortraitHint | None
    reason: str | None
    findings: tuple[Finding, ...]
    mend: tuple[str, ...]
    advice: tuple[str, ...]
    good: tuple[Subject, ...]
    unsure: tuple[Subject, ...]
    preview: bytes | None
    width: int
    height: int
    profile: str
    profile_sha256: str


@functools.cache
def words() -> Words:
    """Return the sentences for a photo taken at home, keyed ``photo.<what>.<value>``."""
    return Words(files("biometrics.face").joinpath("photo_hints.json"))


@functools.cache
def room() -> Room:
    """Return this process's sandbox."""
    return Room("biometrics.face.examination:prepare", places=PLACES)


def make_ready() -> None:
    """Start the sandbox without waiting for it.

    Raises:
        RoomBroken: it does not start.
    """
    room().start()


def examine(data: bytes, profile: str = "can-cuoc") -> Examined:
    """Return what the kiosk would say of the photo in `data`.

    The orientation tag is followed, and of a wide picture the part round the face is judged: a
    kiosk's frame is not what phones take. Nothing else is done differently.

    Raises:
        ImageRefused: it cannot be read; `reason` says why. So does a photo that takes too much
            time or memory, or brings its process down.
        RoomFull: too many at once, try again.
        RoomBroken: the sandbox does not start.
    """
    if len(data) > MAX_BYTES:
        raise ImageRefused("the photo is larger than 10 MiB", Reason.TOO_LARGE)
    kind_of(data)
    try:
        answer = room().run(data, profile)
    except (OutOfTime, OutOfMemory) as error:
        raise ImageRefused("the photo takes too much to read", Reason.TOO_HEAVY) from error
    except Fell as error:
        # Hostile, or a fault of ours: whoever keeps the log has to look at it.
        log.error("a photo brought its process down: %s", error)  # noqa: TRY400 - its own trace
        raise ImageRefused("the photo brought its process down", Reason.BROKEN) from error
    try:
        return _understood(answer.said, answer.beside)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ImageRefused):
            raise
        raise ImageRefused("the photo was answered with nonsense", Reason.BROKEN) from error


def _understood(said: Mapping[str, Any], preview: bytes) -> Examined:
    """Return the answer of the sandbox, trusting none of it.

    Raises:
        ImageRefused: the sandbox says so.
        KeyError, TypeError, ValueError: it is not what the sandbox says when it is well.
    """
    if "refused" in said:
        raise ImageRefused("the sandbox refused it", Reason(said["refused"]))
    if preview and (len(preview) > MAX_PREVIEW or not preview.startswith(JPEG)):
        raise ValueError("no preview")
    raw = said["findings"]
    if not isinstance(raw, list) or len(raw) > MOST_FINDINGS:
        raise ValueError("no findings")
    findings = tuple(_finding(entry) for entry in raw)
    mend, advice = _keys(said["mend"]), _keys(said["advice"])
    hint = None if said["hint"] is None else PortraitHint(said["hint"])
    return Examined(
        ok=not mend,
        hint=hint,
        reason=None if said["reason"] is None else _name(said["reason"]),
        findings=findings,
        mend=mend,
        advice=advice,
        good=_subjects(said["good"]),
        unsure=_subjects(said["unsure"]),
        preview=preview or None,
        width=_count(said["width"]),
        height=_count(said["height"]),
        profile=_name(said["profile"]),
        profile_sha256=_name(said["profile_sha256"]),
    )


def _finding(entry: Mapping[str, Any]) -> Finding:
    native, score, hint = entry["native"], entry["score"], entry["hint"]
    sound = (
        (native is None or (isinstance(native, int | float) and math.isfinite(native)))
        and (score is None or _count(score) >= 0)
        and any(entry["passed"] is value for value in (None, True, False))
        and (hint is None or hint in MENDABLE)
    )
    if not sound:
        raise ValueError("no finding")
    return Finding(
        name=_name(entry["name"]),
        native=native,
        unit=_name(entry["unit"]),
        score=score,
        passed=entry["passed"],
        hint=hint,
    )


def _subjects(values: Any) -> tuple[Subject, ...]:  # noqa: ANN401 - JSON
    told = {Subject(value) for value in values}
    return tuple(subject for subject in Subject if subject in told)


def _keys(values: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    keys = tuple(values)
    if not MENDABLE.issuperset(keys):
        raise ValueError("no hints")
    return keys


def _name(value: Any) -> str:  # noqa: ANN401 - JSON
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise TypeError("no name")
    return value


def _count(value: Any) -> int:  # noqa: ANN401 - JSON
    if not isinstance(value, int) or value < 0:
        raise TypeError("no count")
    return value
