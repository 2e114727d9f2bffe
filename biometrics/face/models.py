"""The four networks: where their files lie, whose they are, and that they are the measured ones.

It runs nothing and downloads nothing; a file that differs by one bit is refused.
"""

from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from biometrics.carried import pinned


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One file inside an installed distribution."""

    distribution: str
    path: str
    sha256: str
    licence: str
    purpose: str


def _mediapipe(path: str, sha256: str, purpose: str) -> Model:
    return Model(
        distribution="mediapipe",
        path=f"mediapipe/modules/{path}",
        sha256=sha256,
        licence="Apache-2.0",
        purpose=purpose,
    )


MODELS = MappingProxyType(
    {
        "detection": _mediapipe(
            "face_detection/face_detection_short_range.tflite",
            "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
            "BlazeFace, 128 x 128: boxes and six points",
        ),
        "mesh": _mediapipe(
            "face_landmark/face_landmark.tflite",
            "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
            "FaceMesh, 192 x 192: 468 points with depth",
        ),
        "iris": _mediapipe(
            "iris_landmark/iris_landmark.tflite",
            "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
            "iris, 64 x 64: 71 points of one eye's contour, 5 of its iris",
        ),
        "person": _mediapipe(
            "selfie_segmentation/selfie_segmentation.tflite",
            "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
            "selfie segmentation, 256 x 256: share of person in each pixel",
        ),
    }
)


def read(model: Model) -> bytes:
    """Return the model's bytes.

    Raises:
        ModelMissing: the distribution or the file is not there.
        ModelAltered: the bytes have another SHA-256.
    """
    return pinned(model.distribution, model.path, model.sha256)


def load(name: str) -> cv2.dnn.Net:
    """Return the network `name` (a key of `MODELS`), verified.

    Raises:
        ModelMissing, ModelAltered: see `read`.
    """
    data = read(MODELS[name])
    return cv2.dnn.readNetFromTFLite(np.frombuffer(data, np.uint8))
