"""One face in one frame, seen once: what several measures share is worked out when first asked for.

It measures and decides nothing. One `Sight` serves one frame and one thread.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face import align
from biometrics.face.colour import LINEAR, LUMINANCE, lab
from biometrics.face.crop import reach, window
from biometrics.face.detect import Detection, Detector
from biometrics.face.landmarks import MOUTH_CORNERS, Iris, Landmarks, Mesh, Points
from biometrics.face.pose import Pose, estimate
from biometrics.face.segment import PersonSegmenter

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

WORK_WIDTH: Final = 640
"""Pixels across of the copy in which faces are looked for and the wall is measured."""
ENOUGH: Final = 400
"""Pixels of wall (of 49 152 in the view) below which nothing is said about it."""
PRINTED: Final = 106
"""Pixels between the eyes from which a print of 3 x 4 cm at 300 dpi shows no more.

Nothing is enlarged to it: small and sharp is not blurred.
"""
_STRIP: Final = (1.2, 0.45)
"""Eye distances beside and above the middle between the eyes that hold eyes and brows."""
GRAINED: Final = 60
"""Pixels between the eyes at which grain is judged: few enough that every picture which is large
enough is averaged, and by how much it is to be shrunk tells little."""
_LIDS: Final = 16
"""Points of the eye's contour that lie on the lids; the rest are brows and sockets."""
_OFF_IRIS: Final = 1.15
"""Radii of the iris within which its edge still shades the white."""
_AROUND: Final = (33, 263, 152, 10)
"""Points of the mesh whose mean is the middle of the face: eyes, chin, top."""
NEAR: Final = 1.15
"""Eye distances around the middle of the face that hold all of it."""
VIEW: Final = (192, 256)
"""Width and height of the small crop in which person and wall are told apart."""
VIEW_CHIN: Final = 0.36
VIEW_EYES: Final = 0.40
"""T and the eye line in it, shares of its height: those of a print cut close."""
_PERSON: Final = 0.3
"""Share of person from which a pixel is no wall: low, so that hair is none."""
_MARGIN: Final = 0.12
"""Eye distances around the person that are no wall either."""
_STRANDS: Final = 0.9
"""Eye distances from the person within which what looks like hair is hair."""
_ROOTS: Final = 0.2
"""Eye distances from the person within which a strand must begin."""
_THICK: Final = 0.3
"""Eye distances of the picture's sides over which curls may leave it."""
_CONTRAST: Final = 25.0
"""L* by which hair must be darker than the wall for strands to matter, and to be told."""
_RIM: Final = 0.15
"""Eye distances of the person's rim, above the mouth, that show its hair, or its bare head."""
_WEIGHTS: Final = LUMINANCE.astype(np.float32)[None]
_LINEAR: Final = LINEAR.astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """The four networks of one thread; they keep state between calls."""

    detector: Detector
    mesh: Mesh
    iris: Iris
    segmenter: PersonSegmenter

    @classmethod
    def load(cls) -> "Networks":
        """Return the four, verified.

        Raises:
            ModelMissing, ModelAltered: see `biometrics.face.models.read`.
        """
        return cls(detector=Detector(), mesh=Mesh(), iris=Iris(), segmenter=PersonSegmenter())


def shrunk(pixels: Pixels) -> tuple[Pixels, float]:
    """Return a copy at most `WORK_WIDTH` wide and its scale; a small picture as it is."""
    factor = min(1.0, WORK_WIDTH / pixels.shape[1])
    if factor == 1:
        return pixels, 1.0
    size = (WORK_WIDTH, max(1, round(pixels.shape[0] * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), factor


class Sight:
    """A frame, the largest face in it, and what is seen of them.

    Args:
        pixels: height x width x 3, uint8, blue-green-red.
        work: a copy at most 640 wide; `factor` is its scale.
        found: every face that was detected, pixels of `work`, largest first; may be empty where
            a face was followed instead.
        face: points of the largest, pixels of `pixels`.
    """

    def __init__(
        self,
        networks: Networks,
        pixels: Pixels,
        work: Pixels,
        factor: float,
        found: tuple[Detection, ...],
        face: Landmarks,
    ) -> None:
        self.networks = networks
        self.pixels = pixels
        self.work = work
        self.factor = factor
        self.found = found
        self.face = face

    @property
    def width(self) -> int:
        """Pixels across of the frame."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels down of the frame."""
        return int(self.pixels.shape[0])

    @cached_property
    def ied(self) -> float:
        """IED: distance of the eyes, pixels, never 0."""
        return max(self.face.eye_distance, 1e-6)

    @cached_property
    def t(self) -> float:
        """T: from between the eyes to the chin, pixels, never 0."""
        return max(self.face.eye_to_chin, 1e-6)

    @cached_property
    def room(self) -> tuple[float, float, float, float]:
        """Room the frame has around the card's picture: left, top, right, bottom, in T."""
        left, top, right, bottom = reach(self.face, self.width, self.height)
        return -left / self.t, -top / self.t, -right / self.t, -bottom / self.t

    @cached_property
    def pose(self) -> Pose:
        """Yaw, pitch and roll, degrees."""
        return estimate(self.face)

    @cached_property
    def small(self) -> Landmarks:
        """The face in `work`."""
        return self.face.scaled(self.factor)

    @cached_property
    def eyes(self) -> tuple[Points, Points]:
        """Contours of the right and the left eye by the iris network, 71 x 2, pixels."""
        return self._iris[0][0], self._iris[1][0]

    @cached_property
    def irises(self) -> tuple[Points, Points]:
        """The right and the left iris, 5 x 2: centre, then four on its rim, pixels."""
        return self._iris[0][1], self._iris[1][1]

    @cached_property
    def _iris(self) -> tuple[tuple[Points, Points], tuple[Points, Points]]:
        look = self.networks.iris.look
        return (
            look(self.pixels, self.face, left=False),
            look(self.pixels, self.face, left=True),
        )

    @cached_property
    def _chip(self) -> tuple[Pixels, Points]:
        return align.chip(self.pixels, self.face)

    @property
    def chip(self) -> Pixels:
        """The aligned face, 308 x 308 x 3."""
        return self._chip[0]

    @property
    def chip_points(self) -> Points:
        """The face's points in the chip, 468 x 2."""
        return self._chip[1]

    @cached_property
    def skin(self) -> Mask:
        """308 x 308, true inside the face's outline."""
        return align.skin(self.chip_points)

    @cached_property
    def luminance(self) -> Pixels:
        """Relative luminance of the chip, linear, 0..255, 308 x 308 (ISO/IEC 29794-5)."""
        linear = cv2.transform(cv2.LUT(self.chip, _LINEAR), _WEIGHTS)
        return np.rint(linear * 255).astype(np.uint8)

    @cached_property
    def face_luminance(self) -> Pixels:
        """Luminance of every pixel inside the face's outline, flat."""
        return self.luminance[self.skin]

    @cached_property
    def cheeks(self) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
        """The right and the left cheek's square in the chip; None where one lies outside."""
        squares = align.cheeks(self.chip_points)
        return squares if all(self.luminance[square].size for square in squares) else None

    @cached_property
    def eye_whites(self) -> Pixels:
        """The lighter half of what lies between the lids and off the iris, n x 3; may be empty."""
        parts = [
            self._eye_white(lids, iris) for lids, iris in zip(self.eyes, self.irises, strict=True)
        ]
        return np.concatenate(parts)

    def _eye_white(self, lids: Points, iris: Points) -> Pixels:
        outline = np.rint(cv2.convexHull(lids[:_LIDS].astype(np.float32))[:, 0]).astype(np.int32)
        left, top = np.maximum(outline.min(0), 0)
        right, bottom = outline.max(0) + 1
        part = self.pixels[top : max(bottom, 0), left : max(right, 0)]
        if part.size == 0:
            return np.zeros((0, 3), np.uint8)
        inside = np.zeros(part.shape[:2], np.uint8)
        cv2.fillConvexPoly(inside, outline - [left, top], 1)
        # Lashes and the red rim of the lids are no white.
        lids_off = np.asarray(cv2.erode(inside, np.ones((3, 3), np.uint8)))
        rows, columns = np.mgrid[: part.shape[0], : part.shape[1]]
        radius = _OFF_IRIS * float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
        away = np.hypot(columns + left - iris[0, 0], rows + top - iris[0, 1]) > radius
        found: Pixels = part[(lids_off > 0) & away]
        bright = found.sum(-1, dtype=np.int32)
        return np.asarray(found[bright >= np.median(bright)]) if len(found) else found

    @cached_property
    def near_face(self) -> Pixels:
        """The face, grey, with its eyes at most `GRAINED` pixels apart; never enlarged."""
        x, y = self.face.points[list(_AROUND), :2].mean(0)
        return self._shown(float(x), float(y), NEAR, NEAR, GRAINED)

    @cached_property
    def strip(self) -> Pixels:
        """The strip across both eyes, grey, at the size of a print.

        Not levelled: what turns it smooths it.
        """
        x, y = self.face.between_eyes
        return self._shown(float(x), float(y), *_STRIP, PRINTED)

    def _shown(self, x: float, y: float, across: float, down: float, apart: float) -> Pixels:
        """Return what lies within so many eye distances, the eyes at most `apart` pixels apart."""
        scale = min(1.0, apart / self.ied)
        left, right = (int(x + side * across * self.ied) for side in (-1, 1))
        top, bottom = (int(y + side * down * self.ied) for side in (-1, 1))
        left, top = min(max(left, 0), self.width - 1), min(max(top, 0), self.height - 1)
        part = self.pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
        grey = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_BGR2GRAY)
        if scale < 1:
            size = tuple(max(1, round(side * scale)) for side in grey.shape[::-1])
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        return np.asarray(grey, np.uint8)

    @cached_property
    def frame_lightness(self) -> NDArray[np.float32]:
        """L* (0..100) of every fourth pixel of `work` each way."""
        few = np.ascontiguousarray(self.work[::4, ::4])
        lightness = np.asarray(cv2.cvtColor(few, cv2.COLOR_BGR2LAB))[..., 0]
        return lightness.astype(np.float32) / np.float32(2.55)

    # The small crop: 192 x 256, framed as the card's picture will be.

    @cached_property
    def view_window(self) -> NDArray[np.float64]:
        """The 2 x 3 map from `work` to the view."""
        return window(self.small, *VIEW, chin_share=VIEW_CHIN, eye_line=VIEW_EYES)

    @cached_property
    def view(self) -> Pixels:
        """The view, 256 x 192 x 3."""
        image = cv2.warpAffine(self.work, self.view_window, VIEW, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(image, np.uint8)

    @cached_property
    def view_points(self) -> Points:
        """The face's points in the view, 468 x 2."""
        frame = self.view_window
        return np.asarray(self.small.points[:, :2] @ frame[:, :2].T + frame[:, 2], np.float32)

    @cached_property
    def view_ied(self) -> float:
        """Distance of the eyes in the view, pixels."""
        return self.small.eye_distance * math.hypot(*self.view_window[0, :2])

    @cached_property
    def view_lab(self) -> NDArray[np.float32]:
        """CIE L*a*b* (D65) of the view, 256 x 192 x 3."""
        return lab(self.view)

    @cached_property
    def person(self) -> NDArray[np.float32]:
        """Share of person in the view, 0..1, 256 x 192."""
        return np.asarray(cv2.resize(self.networks.segmenter.share(self.view), VIEW), np.float32)

    @cached_property
    def wall(self) -> Mask | None:
        """Where the view shows wall: inside the frame, off its rim, and away from the person.

        None where too little of it is seen to say anything about it.
        """
        inside = cv2.warpAffine(np.ones(self.work.shape[:2], np.uint8), self.view_window, VIEW)
        # The window's own rim has gradients of the border that was repeated.
        inside = cv2.erode(inside, np.ones((5, 5), np.uint8))
        wall = (np.asarray(inside) > 0) & ~self.near(_MARGIN)
        wall &= ~self._strands(wall)
        return wall if int(wall.sum()) >= ENOUGH else None

    def _strands(self, wall: Mask) -> Mask:
        """Return where the wall is hair after all: the network overlooks curls and tails.

        Near the head and growing out of it, leaving the picture nowhere but thinly at its sides,
        and nearer to the head's rim in lightness than to the wall. A shadow is not: what it falls
        on stays nearer to the wall. Furniture is not: it goes on.
        """
        side = 2 * max(1, round(_RIM * self.view_ied)) + 1
        person = (self.person > _PERSON).astype(np.uint8)
        rim = (person > 0) & (cv2.erode(person, np.ones((side, side), np.uint8)) == 0)
        rim[round(float(self.view_points[list(MOUTH_CORNERS), 1].mean())) :] = False
        lightness = self.view_lab[..., 0]
        if not rim.any() or not wall.any():
            return np.zeros_like(wall)
        hair, bare = float(np.median(lightness[rim])), float(np.median(lightness[wall]))
        if bare - hair < _CONTRAST:
            return np.zeros_like(wall)
        dark = wall & (lightness < (hair + bare) / 2)
        _, parts = cv2.connectedComponents(dark.astype(np.uint8))
        rows = np.flatnonzero(wall.any(1))
        columns = np.flatnonzero(wall.any(0))
        beside = np.bincount(parts[:, [columns[0], columns[-1]]].ravel())
        on = np.union1d(parts[rows[0]], np.flatnonzero(beside > _THICK * self.view_ied))
        grown = np.setdiff1d(parts[self.near(_ROOTS) & dark], on)
        dark = np.isin(parts, grown) & self.near(_STRANDS)
        return np.asarray(cv2.dilate(dark.astype(np.uint8), np.ones((7, 7), np.uint8))) > 0

    def near(self, reach: float) -> Mask:
        """Return where the view is person, or within `reach` eye distances of it."""
        return np.asarray(self._apart < max(1, round(reach * self.view_ied)) + 1)

    @cached_property
    def _apart(self) -> NDArray[np.float32]:
        """Pixels of the view to the nearest one that is person."""
        elsewhere = (self.person <= _PERSON).astype(np.uint8)
        return np.asarray(cv2.distanceTransform(elsewhere, cv2.DIST_L2, cv2.DIST_MASK_5))


Natives = Mapping[str, float | None]
