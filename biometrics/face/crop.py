"""The picture for the card: 3 to 4, levelled, framed by the eyes and the chin, without metadata.

It judges nothing; whoever crops has looked at the verdict first. It invents no pixels: where the
frame does not hold the whole picture, there is none.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.encoding import jpeg
from biometrics.face.landmarks import Landmarks

if TYPE_CHECKING:
    from biometrics.face.judge import Verdict

# NothingToCrop    there is no face, or
# └── DoesNotFit   the frame does not hold the picture around it

WIDTH: Final = 900
HEIGHT: Final = 1200
CHIN_SHARE: Final = 0.33
"""T over the master's height. A print is cut closer; the master keeps room for hair, of which
nothing may be cut off (docs/portrait-records.md)."""
EYE_LINE: Final = 0.42
"""From the top, share of the master's height."""
_EDGE: Final = 1.0
"""Pixels of the frame by which the picture may reach over its edge: what interpolation reaches."""


class NothingToCrop(ValueError):
    """There is no face in the verdict, or no whole picture around it."""


class DoesNotFit(NothingToCrop):
    """The frame ends inside the picture; what lies beyond would have to be invented."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cropped:
    """The master picture: JPEG without metadata."""

    image: bytes
    width: int
    height: int


def window(
    face: Landmarks,
    width: int,
    height: int,
    *,
    chin_share: float = CHIN_SHARE,
    eye_line: float = EYE_LINE,
) -> NDArray[np.float64]:
    """Return the 2 x 3 map from the picture of `face` to its levelled crop."""
    scale = chin_share * height / max(face.eye_to_chin, 1e-6)
    turn = np.asarray(cv2.getRotationMatrix2D((0.0, 0.0), face.level, scale), np.float64)
    eyes = turn[:, :2] @ face.between_eyes.astype(np.float64)
    turn[:, 2] = np.array([width / 2, eye_line * height]) - eyes
    return turn


def reach(face: Landmarks, width: int, height: int) -> tuple[float, float, float, float]:
    """Return how far the crop of `face` reaches over a frame of `width` x `height`, pixels.

    Left, top, right, bottom; negative is room that is left.
    """
    corners = np.array([[0, 0], [WIDTH, 0], [0, HEIGHT], [WIDTH, HEIGHT]], np.float64)
    back = np.asarray(cv2.invertAffineTransform(window(face, WIDTH, HEIGHT)), np.float64)
    across, down = (corners @ back[:, :2].T + back[:, 2]).T
    return (
        float(-across.min()),
        float(-down.min()),
        float(across.max()) - width,
        float(down.max()) - height,
    )


def fits(face: Landmarks, width: int, height: int) -> bool:
    """Return whether a frame of `width` x `height` holds the whole crop of `face`."""
    return max(reach(face, width, height)) <= _EDGE


def crop(pixels: NDArray[np.uint8], verdict: "Verdict") -> Cropped:
    """Return the card's picture of the face that `verdict` found in `pixels`.

    Raises:
        NothingToCrop: the verdict has no face.
        DoesNotFit: the frame does not hold the whole picture.
    """
    if verdict.face is None:
        raise NothingToCrop("the verdict found no face")
    if not fits(verdict.face, pixels.shape[1], pixels.shape[0]):
        raise DoesNotFit("the frame ends inside the picture")
    frame = window(verdict.face, WIDTH, HEIGHT)
    return Cropped(image=jpeg(_warped(pixels, frame)), width=WIDTH, height=HEIGHT)


def _warped(pixels: NDArray[np.uint8], frame: NDArray[np.float64]) -> NDArray[np.uint8]:
    scale = float(np.hypot(frame[0, 0], frame[0, 1]))
    # A warp looks at four pixels of the frame for each of its own; to lose none of a frame that is
    # larger than the master, it is done larger and averaged.
    finer = max(1, math.ceil(1 / scale))
    larger = frame * finer
    larger[:, 2] += (finer - 1) / 2
    image = cv2.warpAffine(
        pixels,
        larger,
        (WIDTH * finer, HEIGHT * finer),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if finer > 1:
        image = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(image, np.uint8)
