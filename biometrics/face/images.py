"""Guarded decoding of pictures that come from outside.

It judges no content and writes no files; `containers` looks at the bytes before a decoder does.
"""

import os
from typing import Final

from biometrics.face.containers import (
    JPEG,
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    PNG,
    ImageRefused,
    Reason,
    clean,
)

# OpenCV reads this once, when it is loaded; it is the second lock behind our own header check.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_WIDTH", str(MAX_SIDE))
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_HEIGHT", str(MAX_SIDE))

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "JPEG",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_SIDE",
    "PNG",
    "ImageRefused",
    "Reason",
    "decode",
    "decode_upright",
]

_PLENTY: Final = 16_000_000
"""Pixels of a JPEG from which its half size is decoded: a face needs no more, memory does."""
_MIRRORED: Final = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
"""Codes of `cv2.flip` that set an orientation of Exif 2.32 upright, from 5 on after transposing."""
_SIDEWAYS: Final = 5


def decode(data: bytes) -> NDArray[np.uint8]:
    """Return the picture in `data` as height x width x 3, blue-green-red.

    Only JPEG and PNG; the size that the header declares is checked before a pixel is decoded, and
    the decoder sees no metadata. Orientation tags are not followed: our own pictures carry none.

    Raises:
        ImageRefused: see `containers.clean`; or the data inside are broken. A JPEG has no
            checksum: one that is damaged inside comes out as far as it could be decoded.
    """
    picture = clean(data)
    return _pixels(picture.data, (picture.height, picture.width), cv2.IMREAD_COLOR)


def decode_upright(data: bytes) -> NDArray[np.uint8]:
    """Return a picture from a citizen's phone, turned as its orientation tag says.

    As `decode`, but a JPEG of more than 16 megapixels comes out in half its width and height.

    Raises:
        ImageRefused: as `decode`.
    """
    picture = clean(data)
    width, height, how = picture.width, picture.height, cv2.IMREAD_COLOR
    if picture.jpeg and width * height > _PLENTY:
        width, height, how = (width + 1) // 2, (height + 1) // 2, cv2.IMREAD_REDUCED_COLOR_2
    try:
        pixels = _pixels(picture.data, (height, width), how)
    except ImageRefused as error:
        if picture.width * picture.height <= _PLENTY:
            raise
        # OpenCV says "broken" too where it was refused memory, the likelier cause at this size.
        raise ImageRefused("the picture takes too much memory", Reason.TOO_HEAVY) from error
    if picture.orientation >= _SIDEWAYS:
        pixels = np.asarray(cv2.transpose(pixels), np.uint8)
    flip = _MIRRORED.get(picture.orientation)
    return pixels if flip is None else np.asarray(cv2.flip(pixels, flip), np.uint8)


def _pixels(data: bytes, size: tuple[int, int], how: int) -> NDArray[np.uint8]:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), how | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        raise ImageRefused("the picture's data is broken") from error
    if pixels is None or pixels.shape[:2] != size:
        raise ImageRefused("the picture's data is broken")
    return np.ascontiguousarray(pixels, dtype=np.uint8)
