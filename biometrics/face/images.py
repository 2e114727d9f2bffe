"""Guarded decoding of pictures that come from outside.

It judges no content and writes no files; only the container, its size and its pixels are read.
"""

import os
import struct

MAX_SIDE = 8192
MAX_PIXELS = 30_000_000
MAX_BYTES = 32 * 1024 * 1024
# OpenCV reads this once, when it is loaded; it is the second lock behind our own header check.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_WIDTH", str(MAX_SIDE))
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_HEIGHT", str(MAX_SIDE))

import cv2  # noqa: E402 - after its limits are set
import numpy as np  # noqa: E402 - stays with cv2
from numpy.typing import NDArray  # noqa: E402 - stays with cv2

JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"
# Start-of-frame markers carry the size; C4, C8 and CC share their range but are tables.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset(range(0xD0, 0xD8)) | {0x01}
_MARKER = 0xFF
_END = frozenset({0xD9, 0xDA})


class ImageRefused(ValueError):
    """The bytes are not a picture we read: wrong kind, too large, truncated or broken."""


def decode(data: bytes) -> NDArray[np.uint8]:
    """Return the picture in `data` as height x width x 3, blue-green-red.

    Only JPEG and PNG; the size that the header declares is checked before a pixel is decoded.
    Orientation tags are not followed: our own pictures carry none.

    Raises:
        ImageRefused: empty, over 32 MiB, another kind, over 8192 pixels a side or 30 megapixels,
            a PNG that is truncated or damaged, a JPEG without its end mark. A JPEG has no
            checksum: one that is damaged inside comes out as far as it could be decoded.
    """
    width, height = _declared_size(data)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise ImageRefused(f"a picture of {width} x {height} pixels is outside what is read")
    if data.startswith(JPEG) and b"\xff\xd9" not in data[-64:]:
        raise ImageRefused("the JPEG ends before its end mark")
    if data.startswith(PNG) and b"IEND" not in data[-64:]:
        raise ImageRefused("the PNG ends before its end chunk")
    try:
        pixels = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error as error:
        raise ImageRefused("the picture's data is broken") from error
    if pixels is None or pixels.shape[:2] != (height, width):
        raise ImageRefused("the picture's data is broken")
    return np.ascontiguousarray(pixels, dtype=np.uint8)


def _declared_size(data: bytes) -> tuple[int, int]:
    if len(data) > MAX_BYTES:
        raise ImageRefused("the picture is larger than 32 MiB")
    if data.startswith(PNG):
        return _png_size(data)
    if data.startswith(JPEG):
        return _jpeg_size(data)
    raise ImageRefused("only JPEG and PNG pictures are read")


def _png_size(data: bytes) -> tuple[int, int]:
    if len(data) < 24 or data[12:16] != b"IHDR":  # noqa: PLR2004 - signature, length, name, two sizes
        raise ImageRefused("the PNG has no header")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(data):
        if data[at] != _MARKER:
            raise ImageRefused("the JPEG's markers are broken")
        code = data[at + 1]
        if code == _MARKER:
            at += 1
        elif code in _BARE:
            at += 2
        elif code in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        elif code in _END:
            break
        else:
            at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    raise ImageRefused("the JPEG declares no size")
