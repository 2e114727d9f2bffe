"""The one photograph the simulated sitter is made of: NASA's portrait of Eileen Collins.

It is in the public domain and lies in scikit-image's distribution; nothing of it is kept here.
The points, triangles and mask beside it are made by `python -m tests.tools.sitter_mesh`.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from importlib.resources import files as resources
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

DISTRIBUTION: Final = "scikit-image"
FILE: Final = "skimage/data/astronaut.png"
SHA256: Final = "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"


class PhotographMissing(RuntimeError):
    """scikit-image's astronaut is not installed, or is another picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """The head cut out of the photograph.

    Attributes:
        pixels: height x width x 3, uint8, blue-green-red.
        mask: height x width, uint8: 255 is head, hair or neck.
        points: n x 3 pixels with depth, the first 468 in the face mesh's numbering.
        triangles: m x 3 indices.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    points: NDArray[np.float32]
    triangles: NDArray[np.int32]


def astronaut() -> NDArray[np.uint8]:
    """Return the photograph, 512 x 512.

    Raises:
        PhotographMissing: not installed, or its SHA-256 is not the one the data was made from.
    """
    try:
        listed = files(DISTRIBUTION) or []
    except PackageNotFoundError as error:
        raise PhotographMissing(f"{DISTRIBUTION} is not installed") from error
    for entry in listed:
        if entry.as_posix() == FILE:
            data = entry.read_binary()
            if hashlib.sha256(data).hexdigest() != SHA256:
                raise PhotographMissing(f"{FILE} is not the picture the sitter was made from")
            return _decoded(data, cv2.IMREAD_COLOR)
    raise PhotographMissing(f"{DISTRIBUTION} does not carry {FILE}")


@cache
def cutout() -> Cutout:
    """Return the head, ready to be re-posed.

    Raises:
        PhotographMissing: see `astronaut`.
    """
    folder = resources("hardware.camera").joinpath("data")
    content = json.loads(folder.joinpath("sitter.json").read_text(encoding="utf-8"))
    return Cutout(
        pixels=astronaut(),
        mask=_decoded(folder.joinpath("sitter-mask.png").read_bytes(), cv2.IMREAD_GRAYSCALE),
        points=np.array(content["points"], np.float32),
        triangles=np.array(content["triangles"], np.int32),
    )


def _decoded(data: bytes, how: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), how), np.uint8)
