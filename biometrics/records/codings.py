"""Pictures inside records: how big they are before they are decoded, and their pixels after.

It knows no record. Whatever the bytes are, they are decoded within limits or refused.

PNG and JPEG are read here once `biometrics.face.containers` has looked through them. JPEG 2000 and
WSQ are decoded in a sandbox: NBIS's WSQ, which the package wsq carries, overruns its buffers on
damaged input and takes its process down, and OpenJPEG bounds neither its time nor its memory.
"""

import enum
import functools
import struct
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face import containers, encoding
from biometrics.records import confined
from biometrics.records.blocks import RecordInvalid
from biometrics.sandbox.room import JobEnded, Room
from biometrics.sandbox.wire import Limits

MAX_SIDE: Final = 4096
"""Pixels."""
MAX_PIXELS: Final = 4_000_000
"""A slap of 3.2 x 3 inches at 500 dpi has 2.4 million."""
MAX_BYTES: Final = 8 * 1024 * 1024
"""Of one encoded picture: the pixels of the largest fit twice."""
LEAST_WSQ_SIDE: Final = 64
"""Pixels. NBIS refuses less than 32, and what it writes of narrow pictures it reads as grey."""
_LIMITS: Final = Limits(
    seconds=10.0, cpu_seconds=4.0, request=MAX_BYTES + 4096, answer=MAX_PIXELS + 4096
)
_GREY_DEPTH: Final = 7
"""Eight bits without sign in JPEG 2000, which writes one less."""
_REVERSIBLE: Final = 1
_CODESTREAM: Final = b"\xff\x4f\xff\x51"
_COD, _SOT = 0xFF52, 0xFF90
_SIZ: Final = struct.Struct(">HH8IHBBB")
"""Length, profile, extent, offset, tile extent and offset, components; then the first one's depth
and steps."""
_SEGMENT: Final = struct.Struct(">HH")
_STYLE: Final = struct.Struct(">BBHBBBBBB")
"""Of COD: style, progression, layers, colour transform, levels, block sizes and style, wavelet."""
_WSQ_START, _WSQ_FRAME = b"\xff\xa0", 0xFFA2
_WSQ_TABLES: Final = frozenset({0xFFA4, 0xFFA5, 0xFFA6, 0xFFA8})
_WSQ_COMMENT: Final = 0xFFA8
_FRAME: Final = struct.Struct(">BBHH")
"""Of SOF: black, white, height, width."""


class Coding(enum.StrEnum):
    """How a picture is encoded; `JPEG` and `LOSSY_JPEG2000` are only read."""

    RAW = "raw"
    WSQ = "wsq"
    JPEG = "jpeg"
    LOSSY_JPEG2000 = "lossy_jpeg2000"
    JPEG2000 = "jpeg2000"
    """Lossless: so the record says, and the codestream must not deny it."""
    PNG = "png"


def write(pixels: NDArray[np.uint8], coding: Coding, *, dpi: int | None = None) -> bytes:
    """Return a grey picture's bytes.

    Args:
        pixels: height x width, uint8.
        coding: WSQ keeps 0.75 bits a pixel; the others keep every pixel.
        dpi: is told by JPEG 2000, where it is known.

    Raises:
        RecordInvalid: no grey picture, of more than `MAX_SIDE` or `MAX_PIXELS`, under 32 pixels a
            side for JPEG 2000 or `LEAST_WSQ_SIDE` for WSQ, or a coding that is only read.
        RoomFull, RoomBroken: see `biometrics.sandbox.room` (WSQ).
    """
    if not _grey(pixels):
        raise RecordInvalid("a picture is height x width, one grey value each")
    height, width = pixels.shape
    _hold(width, height)
    if coding is Coding.RAW:
        return pixels.tobytes()
    if coding is Coding.PNG:
        return cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
    if coding is Coding.JPEG2000:
        try:
            return encoding.jpeg2000(pixels, dpi=dpi)
        except encoding.EncodingInvalid as error:
            raise RecordInvalid(str(error)) from error
    if coding is not Coding.WSQ:
        raise RecordInvalid(f"{coding} is only read")
    if min(width, height) < LEAST_WSQ_SIDE:
        raise RecordInvalid(f"WSQ wants {LEAST_WSQ_SIDE} pixels a side")
    said, data = _asked(pixels.tobytes(), f"{confined.WRITE_WSQ} {width} {height}")
    if said or not data.startswith(_WSQ_START):
        raise RecordInvalid("the WSQ encoder refused the picture")
    return _without_comments(data)


def read(data: bytes, coding: Coding, *, width: int, height: int) -> NDArray[np.uint8]:
    """Return the pixels of a grey picture that says to be so large, height x width.

    Raises:
        RecordInvalid: larger than is read, of another kind or size than said, in colours, lossy
            where `coding` says lossless, damaged, or too slow or too large to decode.
        RoomFull, RoomBroken: see `biometrics.sandbox.room` (WSQ and JPEG 2000).
    """
    _hold(width, height)
    if len(data) > MAX_BYTES:
        raise RecordInvalid(f"a picture has at most {MAX_BYTES} bytes")
    if coding is Coding.RAW:
        return _shaped(data, width, height)
    if coding in (Coding.PNG, Coding.JPEG):
        return _plain(data, coding, width, height)
    try:
        size, how = _declared(data, coding)
    except (struct.error, IndexError) as error:
        raise RecordInvalid("the picture ends before its size") from error
    if size != (width, height):
        raise RecordInvalid("the picture has another size than said")
    said, pixels = _asked(data, how)
    if said:
        raise RecordInvalid("the picture's data are broken")
    return _shaped(pixels, width, height)


def _grey(pixels: Any) -> bool:  # noqa: ANN401 - what comes may be anything
    return isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 2  # noqa: PLR2004 - height x width


def _hold(width: int, height: int) -> None:
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise RecordInvalid(f"{width} x {height} pixels are none, or more than is read")


def _shaped(data: bytes, width: int, height: int) -> NDArray[np.uint8]:
    if len(data) != width * height:
        raise RecordInvalid("the picture has more or fewer pixels than said")
    return np.frombuffer(data, np.uint8).reshape(height, width)


def _plain(data: bytes, coding: Coding, width: int, height: int) -> NDArray[np.uint8]:
    try:
        picture = containers.clean(data)
    except containers.ImageRefused as error:
        raise RecordInvalid(str(error)) from error
    if picture.jpeg is not (coding is Coding.JPEG) or (picture.width, picture.height) != (
        width,
        height,
    ):
        raise RecordInvalid("the picture is of another kind or size than said")
    how = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(picture.data, np.uint8), how)
    except cv2.error as error:
        raise RecordInvalid("the picture's data are broken") from error
    if pixels is None or pixels.shape != (height, width) or pixels.dtype != np.uint8:
        raise RecordInvalid("the picture's data are broken, or not of eight bits of grey")
    return np.asarray(pixels, np.uint8)


def _declared(data: bytes, coding: Coding) -> tuple[tuple[int, int], str]:
    """Return width and height that a WSQ or JPEG 2000 declares, and what the sandbox is asked."""
    if coding is Coding.WSQ:
        return _wsq_size(data), confined.READ_WSQ
    stream = data if data.startswith(_CODESTREAM) else _codestream(data)
    size, reversible = _stream_size(stream)
    if coding is Coding.JPEG2000 and not reversible:
        raise RecordInvalid("a lossy picture that is said to be lossless")
    return size, confined.READ_JPEG2000


def _codestream(data: bytes) -> bytes:
    if not data.startswith(encoding.JP2):
        raise RecordInvalid("no JPEG 2000")
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"jp2c":
            return data[at + 8 :]
        if length < 8:  # noqa: PLR2004 - a box's length counts its head
            break
        at += length
    raise RecordInvalid("a JPEG 2000 without a picture")


def _stream_size(stream: bytes) -> tuple[tuple[int, int], bool]:
    """Return width and height, and whether the wavelet keeps every pixel (ISO/IEC 15444-1, A.5)."""
    if not stream.startswith(_CODESTREAM):
        raise RecordInvalid("a JPEG 2000 without a picture")
    length, _, across, down, left, top, *_, components, depth, step_x, step_y = _SIZ.unpack_from(
        stream, len(_CODESTREAM)
    )
    if (components, depth, step_x, step_y) != (1, _GREY_DEPTH, 1, 1):
        raise RecordInvalid("a JPEG 2000 that is not eight bits of grey")
    at = len(_CODESTREAM) + length
    # Every segment takes four bytes or more: this ends.
    while True:
        marker, length = _SEGMENT.unpack_from(stream, at)
        if marker == _COD:
            wavelet = _STYLE.unpack_from(stream, at + 4)[-1]
            return (across - left, down - top), wavelet == _REVERSIBLE
        if marker == _SOT or length < 2:  # noqa: PLR2004 - a length counts itself
            raise RecordInvalid("a JPEG 2000 that does not say how it is encoded")
        at += 2 + length


def _wsq_segments(data: bytes) -> list[tuple[int, int, int]]:
    """Return marker, start and end of each segment up to the frame's, which is the last.

    Layout of NIST's NBIS and of the package wsq.
    """
    if not data.startswith(_WSQ_START):
        raise RecordInvalid("no WSQ")
    at, found = 2, []
    while True:
        marker, length = _SEGMENT.unpack_from(data, at)
        end = at + 2 + length
        if length < 2 or not (marker in _WSQ_TABLES or marker == _WSQ_FRAME):  # noqa: PLR2004 - see above
            raise RecordInvalid("a WSQ with a segment of no kind")
        found.append((marker, at, end))
        if marker == _WSQ_FRAME:
            return found
        at = end


def _wsq_size(data: bytes) -> tuple[int, int]:
    _, at, _ = _wsq_segments(data)[-1]
    _, _, height, width = _FRAME.unpack_from(data, at + 4)
    return width, height


def _without_comments(data: bytes) -> bytes:
    """Return a WSQ without its comments: the encoder writes 500 dpi whatever they are."""
    *tables, (_, frame, _) = _wsq_segments(data)
    kept = [data[at:end] for marker, at, end in tables if marker != _WSQ_COMMENT]
    return b"".join([_WSQ_START, *kept, data[frame:]])


def _asked(data: bytes, argument: str) -> tuple[dict[str, Any], bytes]:
    try:
        answer = _room().run(data, argument)
    except JobEnded as ended:
        raise RecordInvalid("the picture is broken, or takes too much to decode") from ended
    return dict(answer.said), answer.beside


@functools.cache
def _room() -> Room:
    return Room("biometrics.records.confined:prepare", limits=_LIMITS, queue=16, patience=30.0)
