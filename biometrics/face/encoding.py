"""Writing a picture as JPEG or JPEG 2000: pixels and resolution, and nothing else of anybody.

It reads no pictures (`biometrics.face.images` does); of what it is given back it reads the size.
"""

import struct
from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

JPEG: Final = b"\xff\xd8\xff"
JP2: Final = bytes.fromhex("0000000c6a5020200d0a870a")
QUALITY: Final = 95
_INCH: Final = 0.0254
"""Metres; JPEG 2000 counts pixels on a metre."""
_JFIF: Final = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
_DENSITY: Final = slice(13, 18)
"""Of a JPEG that begins with JFIF: unit (1: inch), pixels across, pixels down."""
_WHOLE: Final = 1000
"""OpenCV's ratio that keeps every pixel as it is."""
_SOC, _SOT, _COM = b"\xff\x4f", 0x90, 0x64
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN: Final = 0xDA


class EncodingInvalid(ValueError):
    """The bytes are no JPEG or JPEG 2000 whose size can be read."""


def jpeg(pixels: NDArray[np.uint8], *, dpi: int | None = None, quality: int = QUALITY) -> bytes:
    """Return a baseline JPEG, full colour resolution, of height x width x 3, blue-green-red.

    Args:
        pixels: the picture, uint8.
        dpi: stands in the JFIF header where it is known.
        quality: 0..100.
    """
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    data = bytearray(cv2.imencode(".jpg", pixels, settings)[1].tobytes())
    if dpi is not None:
        if not data.startswith(_JFIF):
            raise EncodingInvalid("the encoder wrote no JFIF header")
        data[_DENSITY] = struct.pack(">BHH", 1, dpi, dpi)
    return bytes(data)


def jpeg2000(
    pixels: NDArray[np.uint8], *, at_most: int | None = None, dpi: int | None = None
) -> bytes:
    """Return a JP2 file of height x width x 3, blue-green-red.

    Args:
        pixels: the picture, uint8.
        at_most: bytes; the best quality that fits. None keeps every pixel as it is.
        dpi: stands in a resolution box (ISO/IEC 15444-1, I.5.3.7) where it is known.

    Raises:
        EncodingInvalid: not even the smallest fits `at_most`, or the picture has fewer than 32
            pixels a side.
    """
    whole = _jp2(pixels, _WHOLE, dpi)
    if at_most is None or len(whole) <= at_most:
        return whole
    # The encoder is given a ratio in thousandths and keeps under it, its boxes apart.
    for ratio in range(min(_WHOLE - 1, _WHOLE * at_most // pixels.size), 0, -1):
        data = _jp2(pixels, ratio, dpi)
        if len(data) <= at_most:
            return data
    raise EncodingInvalid(f"the picture does not fit into {at_most} bytes")


def size(data: bytes) -> tuple[int, int]:
    """Return width and height that a JPEG or JP2 declares.

    Raises:
        EncodingInvalid: it is neither, or it ends before it says so.
    """
    try:
        if data.startswith(JP2):
            return _jp2_size(data)
        if data.startswith(JPEG):
            return _jpeg_size(data)
    except (struct.error, IndexError) as error:
        raise EncodingInvalid("the picture ends before its size") from error
    raise EncodingInvalid("neither a JPEG nor a JP2 file")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while data[at] == JPEG[0] and data[at + 1] != _SCAN:
        if data[at + 1] in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        length = int(struct.unpack_from(">H", data, at + 2)[0])
        if length < 2:  # noqa: PLR2004 - a segment's length counts itself
            break
        at += 2 + length
    raise EncodingInvalid("the JPEG declares no size")


def _jp2_size(data: bytes) -> tuple[int, int]:
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind == b"jp2h":
            for inner, at, _ in _boxes(data, start, end):
                if inner == b"ihdr":
                    height, width = struct.unpack_from(">II", data, at)
                    return width, height
    raise EncodingInvalid("the JP2 file declares no size")


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each box's content."""
    while at < end:
        length, kind = struct.unpack_from(">I4s", data, at)
        # Zero: to the end of the file.
        stop = end if length == 0 else at + length
        if stop > end or stop < at + 8:
            raise EncodingInvalid("a box lies about its length")
        yield kind, at + 8, stop
        at = stop


def _jp2(pixels: NDArray[np.uint8], ratio: int, dpi: int | None) -> bytes:
    settings = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, ratio]
    done, encoded = cv2.imencode(".jp2", pixels, settings)
    if not done:
        raise EncodingInvalid("the encoder refused the picture: it wants 32 pixels a side")
    written = encoded.tobytes()
    parts = []
    for kind, start, end in _boxes(written, 0, len(written)):
        body = written[start:end]
        if kind == b"jp2h" and dpi is not None:
            body += _resolution(dpi)
        if kind == b"jp2c":
            body = _without_comments(body)
        parts.append(_box(kind, body))
    return b"".join(parts)


def _resolution(dpi: int) -> bytes:
    """Return the box that says at how many pixels on a metre the picture is to be shown."""
    metre = round(dpi / _INCH)
    return _box(b"res ", _box(b"resd", struct.pack(">HHHHbb", metre, 1, metre, 1, 0, 0)))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _without_comments(stream: bytes) -> bytes:
    """Return the codestream without its main header's comments: they name the encoder."""
    if not stream.startswith(_SOC):
        raise EncodingInvalid("the encoder wrote no codestream")
    at, kept = 2, [_SOC]
    while stream[at + 1] != _SOT:
        end = at + 2 + int(struct.unpack_from(">H", stream, at + 2)[0])
        if stream[at + 1] != _COM:
            kept.append(stream[at:end])
        at = end
    return b"".join([*kept, stream[at:]])
