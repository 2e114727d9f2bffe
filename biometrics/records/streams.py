"""What a JPEG 2000 or a WSQ says of itself, read before a decoder sees it.

It decodes no pixel. JPEG 2000 as ISO/IEC 15444-1, annex A; WSQ as NIST's NBIS has it.
"""

import struct
from dataclasses import dataclass
from typing import Final

from biometrics.face.encoding import JP2
from biometrics.records.blocks import RecordInvalid

MAX_TILES: Final = 1024
_BOX: Final = struct.Struct(">I4s")
_START: Final = b"\xff\x4f\xff\x51"
_SIZ: Final = struct.Struct(">HH8IHBBB")
"""Length, profile, extent, offset, tile extent and offset, components; then the first one's depth
and steps."""
_SEGMENT: Final = struct.Struct(">HH")
_STYLE: Final = struct.Struct(">BBHBBBBBB")
"""Of COD: style, progression, layers, colour transform, levels, block sizes and style, wavelet."""
_TILE: Final = struct.Struct(">HHHIBB")
"""Marker, length, which tile, length of this part of it, which part, how many."""
_COD, _SOT, _END = 0xFF52, 0xFF90, b"\xff\xd9"
_DEPTH: Final = 7
"""Eight bits without sign, which are written as one less."""
_REVERSIBLE: Final = 1
_WSQ_START: Final = b"\xff\xa0"
_WSQ_FRAME: Final = 0xFFA2
_WSQ_COMMENT: Final = 0xFFA8
_WSQ_TABLES: Final = frozenset({0xFFA4, 0xFFA5, 0xFFA6, _WSQ_COMMENT})
_FRAME: Final = struct.Struct(">BBHH")
"""Black, white, height, width."""
_OWN: Final = 2
"""Bytes of a segment's length, which counts itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jpeg2000:
    """What a JPEG 2000 of eight bits declares.

    Attributes:
        reversible: its wavelet is the one that can keep every pixel as it was.
    """

    width: int
    height: int
    components: int
    reversible: bool


def jpeg2000(data: bytes) -> Jpeg2000:
    """Return what a JPEG 2000, boxed or bare, declares.

    Raises:
        RecordInvalid: it is none, of another depth, of more than `MAX_TILES`, or a tile is not
            whole: decoders make one up of what is left.
    """
    try:
        stream = data if data.startswith(_START) else _unboxed(data)
        return _declared(stream)
    except struct.error as error:
        raise RecordInvalid("the picture ends too early") from error


def wsq_size(data: bytes) -> tuple[int, int]:
    """Return width and height that a WSQ declares.

    Raises:
        RecordInvalid: it is none, or ends before it says so.
    """
    _, at, _ = _wsq_segments(data)[-1]
    try:
        _, _, height, width = _FRAME.unpack_from(data, at + _SEGMENT.size)
    except struct.error as error:
        raise RecordInvalid("the picture ends before its size") from error
    return width, height


def without_comments(data: bytes) -> bytes:
    """Return a WSQ without its comments: NBIS writes 500 dpi there, whatever they are.

    Raises:
        RecordInvalid: it is none.
    """
    *tables, (_, frame, _) = _wsq_segments(data)
    kept = [data[at:end] for marker, at, end in tables if marker != _WSQ_COMMENT]
    return b"".join([_WSQ_START, *kept, data[frame:]])


def _unboxed(data: bytes) -> bytes:
    if not data.startswith(JP2):
        raise RecordInvalid("no JPEG 2000")
    at = 0
    while True:
        length, kind = _BOX.unpack_from(data, at)
        # Zero: to the end of the file.
        end = len(data) if length == 0 else at + length
        if end < at + _BOX.size:
            raise RecordInvalid("a box lies about its length")
        if kind == b"jp2c":
            return data[at + _BOX.size : end]
        at = end


def _declared(stream: bytes) -> Jpeg2000:
    if not stream.startswith(_START):
        raise RecordInvalid("a JPEG 2000 without a picture")
    length, _, *extents, components, depth, across, down = _SIZ.unpack_from(stream, len(_START))
    if (depth, across, down) != (_DEPTH, 1, 1):
        raise RecordInvalid("a JPEG 2000 that is not of eight bits")
    at, wavelet = len(_START) + length, None
    # Every segment takes four bytes or more: this ends.
    while True:
        marker, length = _SEGMENT.unpack_from(stream, at)
        if marker == _SOT:
            break
        if marker == _COD:
            wavelet = _STYLE.unpack_from(stream, at + _SEGMENT.size)[-1]
        if length < _OWN:
            raise RecordInvalid("a segment lies about its length")
        at += 2 + length
    if _tiles(stream, at) != _wanted_tiles(*extents):
        raise RecordInvalid("a JPEG 2000 of which a tile is missing")
    return Jpeg2000(
        width=extents[0] - extents[2],
        height=extents[1] - extents[3],
        components=components,
        reversible=wavelet == _REVERSIBLE,
    )


def _wanted_tiles(
    right: int,
    bottom: int,
    _left: int,
    _top: int,
    across: int,
    down: int,
    from_left: int,
    from_top: int,
) -> set[int]:
    if not across or not down:
        raise RecordInvalid("tiles of no size")
    count = -(-(right - from_left) // across) * -(-(bottom - from_top) // down)
    if not 0 < count <= MAX_TILES:
        raise RecordInvalid(f"{count} tiles; at most {MAX_TILES} are read")
    return set(range(count))


def _tiles(stream: bytes, at: int) -> set[int]:
    """Return which tiles are whole, up to the end mark."""
    found = set()
    while stream[at : at + 2] != _END:
        marker, _, tile, length, _, _ = _TILE.unpack_from(stream, at)
        # Zero: to the end mark.
        end = len(stream) - len(_END) if length == 0 else at + length
        if marker != _SOT or end < at + _TILE.size or end + len(_END) > len(stream):
            raise RecordInvalid("a JPEG 2000 that is cut short")
        found.add(tile)
        at = end
    return found


def _wsq_segments(data: bytes) -> list[tuple[int, int, int]]:
    """Return marker, start and end of each segment up to the frame's, which is the last."""
    if not data.startswith(_WSQ_START):
        raise RecordInvalid("no WSQ")
    at, found = len(_WSQ_START), []
    while True:
        try:
            marker, length = _SEGMENT.unpack_from(data, at)
        except struct.error as error:
            raise RecordInvalid("a WSQ without a picture") from error
        if length < _OWN or not (marker in _WSQ_TABLES or marker == _WSQ_FRAME):
            raise RecordInvalid("a WSQ with a segment of no kind")
        end = at + 2 + length
        found.append((marker, at, end))
        if marker == _WSQ_FRAME:
            return found
        at = end
