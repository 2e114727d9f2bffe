"""What the tests of records are made of: drawn pictures, nobody's, the same every time."""

from datetime import UTC, datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from biometrics.capture import EyeSide, ImpressionKind
from biometrics.face import encoding
from biometrics.records.face_image import FaceImage
from biometrics.records.finger_image import FingerImage
from biometrics.records.iris_image import IrisImage
from biometrics.records.minutiae import MinutiaType, Point, View

AT = datetime(2026, 11, 24, 2, 30, 5, 250_000, tzinfo=UTC)
WIDTH, HEIGHT = 80, 96


@cache
def ridges(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Rings as far apart as ridges are at 500 dpi."""
    y, x = np.mgrid[0:height, 0:width]
    waves = np.sin(np.hypot(y - height * 0.6, x - width * 0.45) / 1.43)
    return np.asarray(np.rint(128 + 90 * waves), np.uint8)


@cache
def colours() -> NDArray[np.uint8]:
    """A small picture in colours, blue-green-red."""
    grey = ridges()
    return np.dstack([grey, grey[::-1], 255 - grey])


def view(**changes: object) -> View:
    points = (
        Point(x=12, y=34, angle=0.0, quality=91, type=MinutiaType.ENDING),
        Point(x=255, y=287, angle=np.pi / 2, quality=None, type=MinutiaType.BIFURCATION),
        Point(x=0, y=0, angle=np.pi * 1.5, quality=7, type=MinutiaType.OTHER),
    )
    fields = {
        "position": 7,
        "kind": ImpressionKind.ROLLED,
        "quality": 61,
        "width": 256,
        "height": 288,
        "dpi": 500,
        "points": points,
        "at": AT,
        **changes,
    }
    return View(**fields)  # type: ignore[arg-type]  # a test may name any field


def finger(**changes: object) -> FingerImage:
    fields = {
        "position": 2,
        "kind": ImpressionKind.PLAIN,
        "pixels": ridges(),
        "dpi": 508,
        "quality": 61,
        "at": AT,
        **changes,
    }
    return FingerImage(**fields)  # type: ignore[arg-type]  # as above


def iris(**changes: object) -> IrisImage:
    fields = {"eye": EyeSide.LEFT, "pixels": ridges(), "quality": 71, "at": AT, **changes}
    return IrisImage(**fields)  # type: ignore[arg-type]  # as above


def face(*, jp2: bool = True) -> FaceImage:
    image = encoding.jpeg2000(colours()) if jp2 else encoding.jpeg(colours())
    return FaceImage(image=image, width=WIDTH, height=HEIGHT, quality=None, at=AT)
