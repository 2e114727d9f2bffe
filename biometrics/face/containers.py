"""Looks through the container of a picture from outside, and hands on only what a decoder needs.

It decodes no pixel and loads no native code: whatever the bytes are, they are read or refused.
"""

import enum
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_SIDE: Final = 8192
"""Pixels."""
MAX_PIXELS: Final = 30_000_000
MAX_BYTES: Final = 32 * 1024 * 1024
JPEG: Final = b"\xff\xd8\xff"
PNG: Final = b"\x89PNG\r\n\x1a\n"

_MAX_PARTS: Final = 20_000
"""Segments or chunks of one file; 32 MiB in pieces of 8 KiB, a common size, are 4 096."""
_MAX_SCANS: Final = 64
"""Scans of one JPEG: encoders write 1 to about 20, and each costs a pass over all coefficients."""
_MAX_INFLATED: Final = 4 * 1024 * 1024
"""Bytes of a compressed profile or text in a PNG, which we drop but do not want to be sent."""
_UPRIGHT: Final = 1


class Reason(enum.StrEnum):
    """Why a picture is not read: what the sender can do about it differs."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    HEIC = "heic"
    VIDEO = "video"
    PDF = "pdf"
    OTHER_KIND = "other_kind"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    MOVING = "moving"
    UNUSUAL = "unusual"
    CUT_SHORT = "cut_short"
    BROKEN = "broken"
    TOO_HEAVY = "too_heavy"


class ImageRefused(ValueError):
    """The bytes are not a picture we read: wrong kind, too large, truncated or broken.

    Attributes:
        reason: which of these, for whoever can send another.
    """

    def __init__(self, said: str, reason: Reason = Reason.BROKEN) -> None:
        super().__init__(said)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """A picture without anything a decoder of pixels can do without.

    Attributes:
        data: JPEG or PNG; metadata, profiles, thumbnails and what followed the end are gone.
        width, height: as declared, before `orientation` is followed.
        orientation: 1..8 as in Exif 2.32 table 6; 1 where there is none or it makes no sense.
        jpeg: False for a PNG.
    """

    data: bytes
    width: int
    height: int
    orientation: int
    jpeg: bool


_KINDS: Final = (
    (re.compile(rb"%PDF"), Reason.PDF),
    (re.compile(rb"....ftyp(?:hei|hev|mif|msf|avi)", re.DOTALL), Reason.HEIC),
    (re.compile(rb"....ftyp|\x1a\x45\xdf\xa3|....moov|RIFF....AVI ", re.DOTALL), Reason.VIDEO),
)
"""First bytes of what people send by mistake; everything else is only "another kind"."""


def clean(data: bytes) -> Clean:
    """Return the picture in `data` stripped to what is needed to decode it.

    Raises:
        ImageRefused: empty, over 32 MiB, not JPEG or PNG, over 8192 pixels a side or 30
            megapixels, cut short, damaged in its structure, animated, or of a kind that cameras
            do not write (CMYK, lossless, arithmetic or 12-bit JPEG, more than 64 scans).
    """
    kind_of(data)
    return _clean_png(data) if data.startswith(PNG) else _clean_jpeg(data)


def kind_of(data: bytes) -> None:
    """Look at size and first bytes only.

    Raises:
        ImageRefused: empty, over 32 MiB, or not a JPEG or PNG; the reason names the usual kinds.
    """
    if not data:
        raise ImageRefused("there are no bytes", Reason.EMPTY)
    if len(data) > MAX_BYTES:
        raise ImageRefused("the picture is larger than 32 MiB", Reason.TOO_LARGE)
    if data.startswith((JPEG, PNG)):
        return
    for start, reason in _KINDS:
        if start.match(data):
            raise ImageRefused(f"this is a file of another kind: {reason.value}", reason)
    raise ImageRefused("only JPEG and PNG pictures are read", Reason.OTHER_KIND)


def _hold_to_size(width: int, height: int) -> None:
    if width == 0 or height == 0:
        raise ImageRefused(f"a picture of {width} x {height} pixels has none")
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageRefused(
            f"{width} x {height} pixels are more than is read", Reason.TOO_MANY_PIXELS
        )


# JPEG: ITU-T T.81, annex B.

_MARKER: Final = re.compile(rb"\xff+[^\x00\xff]")
_SOI, _EOI, _SOS, _DQT, _DHT, _DRI, _APP1, _APP14, _DNL = (
    *(0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xE1, 0xEE, 0xDC),
)
_BARE: Final = frozenset(range(0xD0, 0xD8)) | {0x01}
_READ: Final = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended sequential and progressive, all Huffman: what cameras write."""
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_KEPT: Final = frozenset({_DQT, _DHT, _DRI, _SOS})
_NEXT_MARKER: Final = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_ADOBE: Final = b"Adobe"
"""How colours are coded, T.872, 6.5.3."""
_EXIF: Final = b"Exif\0\0"
_CUT_JPEG: Final = ("the JPEG ends before its end mark", Reason.CUT_SHORT)
_TOO_SHORT: Final = (b"\0\0", b"\0\1")
"""Lengths of a segment, which count themselves."""
_BAD_MARKER: Final = "the JPEG's markers are broken"
_BITS: Final = 8
_BLOCK: Final = 64
"""Pixels of one 8 x 8 block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """One marker, `head` with its length and parameters, and what a scan codes after it."""

    code: int
    head: bytes
    coded: bytes

    def body(self, start: bytes) -> bool:
        """Return whether the parameters begin with `start`."""
        return self.head.startswith(start, 4)

    @property
    def needed(self) -> bool:
        """Whether a decoder needs it: tables, frame, scans, and how colours are coded."""
        known = self.code in _KEPT or self.code in _FRAMES
        return known or (self.code == _APP14 and self.body(_ADOBE))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The start-of-frame header."""

    width: int
    height: int
    blocks: int
    """8 x 8 blocks of all components."""


def _clean_jpeg(data: bytes) -> Clean:
    segments = tuple(_segments(data))
    frames = [at for at, part in enumerate(segments) if part.code in _FRAMES]
    scans = [at for at, part in enumerate(segments) if part.code == _SOS]
    if not frames:
        raise ImageRefused("the JPEG declares no size")
    frame = _frame(segments[frames[0]])
    if len(frames) > 1 or len(scans) > _MAX_SCANS or any(p.code == _DNL for p in segments):
        raise ImageRefused("the JPEG is built as no camera does", Reason.UNUSUAL)
    if scans and scans[0] < frames[0]:
        raise ImageRefused("the JPEG begins with a scan")
    # The shortest Huffman code is one bit, and every block has at least one.
    if 8 * sum(len(part.coded) for part in segments) < frame.blocks:
        raise ImageRefused("the JPEG holds too little for the size it declares", Reason.CUT_SHORT)
    needed = [part.head + part.coded for part in segments if part.needed]
    return Clean(
        data=b"".join((b"\xff\xd8", *needed, b"\xff\xd9")),
        width=frame.width,
        height=frame.height,
        orientation=next(
            (_orientation(p.head[10:]) for p in segments if p.code == _APP1 and p.body(_EXIF)),
            _UPRIGHT,
        ),
        jpeg=True,
    )


def _segments(data: bytes) -> Iterator[_Segment]:
    """Yield what stands before the end mark.

    Raises:
        ImageRefused: there is no end mark, or something stands where a marker should.
    """
    at = 2
    for _ in range(_MAX_PARTS):
        found = _MARKER.match(data, at)
        if found is None:
            if at + 1 >= len(data):
                raise ImageRefused(*_CUT_JPEG)
            raise ImageRefused(_BAD_MARKER)
        at, code = found.end() - 1, data[found.end() - 1]
        if code == _EOI:
            return
        if code in _BARE:
            at += 1
            continue
        length = data[at + 1 : at + 3]
        if code == _SOI or length in _TOO_SHORT:
            raise ImageRefused(_BAD_MARKER)
        end = at + 1 + int.from_bytes(length, "big")
        if end > len(data) or at + 3 > len(data):
            raise ImageRefused(*_CUT_JPEG)
        stops = end
        if code == _SOS:
            following = _NEXT_MARKER.search(data, end)
            if following is None:
                raise ImageRefused(*_CUT_JPEG)
            stops = following.start()
        yield _Segment(code=code, head=b"\xff" + data[at:end], coded=data[end:stops])
        at = stops
    raise ImageRefused("the JPEG has too many segments", Reason.UNUSUAL)


def _frame(part: _Segment) -> _Frame:
    segment = part.head
    if part.code not in _READ:
        raise ImageRefused(f"a JPEG of process {part.code:02X} is not read", Reason.UNUSUAL)
    if len(segment) < 10:  # noqa: PLR2004 - marker, length, precision, two sizes, count
        raise ImageRefused("the JPEG's frame header is cut short")
    bits, height, width, count = struct.unpack(">BHHB", segment[4:10])
    if bits != _BITS or count not in (1, 3):
        raise ImageRefused(
            f"a JPEG of {count} components of {bits} bits is not read", Reason.UNUSUAL
        )
    _hold_to_size(width, height)
    parts = [segment[at + 1] for at in range(10, len(segment) - 2, 3)]
    if len(parts) != count or not all(1 <= p >> 4 <= 4 and 1 <= p & 15 <= 4 for p in parts):  # noqa: PLR2004 - T.81, B.2.2
        raise ImageRefused("the JPEG's sampling factors make no sense")
    most = max(p >> 4 for p in parts) * max(p & 15 for p in parts)
    samples = sum((p >> 4) * (p & 15) for p in parts) * width * height // most
    return _Frame(width=width, height=height, blocks=samples // _BLOCK)


# PNG: ISO/IEC 15948.

_CHANNELS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Bit depths by colour type (table 11.1)."""
_NEEDED: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_MOVING: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
_NAME: Final = re.compile(rb"[A-Za-z]{4}")


def _clean_png(data: bytes) -> Clean:
    kept = [PNG]
    width = height = 0
    orientation = _UPRIGHT
    for name, body, chunk in _chunks(data):
        if (name == b"IHDR") != (len(kept) == 1 and not width):
            raise ImageRefused("the PNG's header is not where it belongs")
        if name in _MOVING:
            raise ImageRefused("the PNG is animated", Reason.MOVING)
        if name == b"IHDR":
            width, height = _png_header(body)
        elif name in (b"iCCP", b"zTXt", b"iTXt"):
            _hold_inflated(body)
        elif name == b"eXIf":
            orientation = _orientation(body)
        elif name not in _NEEDED and not name[0] & 0x20:
            raise ImageRefused("the PNG has an unknown critical chunk", Reason.UNUSUAL)
        if name in _NEEDED:
            if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
                raise ImageRefused("a check sum of the PNG is wrong")
            kept.append(chunk)
    return Clean(
        data=b"".join(kept), width=width, height=height, orientation=orientation, jpeg=False
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield name, body, and the whole chunk, up to the end chunk."""
    at = len(PNG)
    for _ in range(_MAX_PARTS):
        head = data[at : at + 8]
        end = at + 12 + int.from_bytes(head[:4], "big")
        if len(head) < 8 or end > len(data):  # noqa: PLR2004 - length and name
            raise ImageRefused("the PNG ends before its end chunk", Reason.CUT_SHORT)
        if not _NAME.fullmatch(head[4:]):
            raise ImageRefused("a chunk of the PNG has no name")
        chunk = data[at:end]
        yield head[4:], chunk[8:-4], chunk
        if head[4:] == b"IEND":
            return
        at = end
    raise ImageRefused("the PNG has too many chunks", Reason.UNUSUAL)


def _png_header(body: bytes) -> tuple[int, int]:
    if len(body) != 13:  # noqa: PLR2004 - ISO/IEC 15948, 11.2.2
        raise ImageRefused("the PNG's header has another length")
    width, height, bits, colour, method, filtering, interlacing = struct.unpack(">IIBBBBB", body)
    _hold_to_size(width, height)
    known = bits in _CHANNELS.get(colour, ()) and (method, filtering) == (0, 0)
    if not known or interlacing > 1:
        raise ImageRefused("the PNG's header makes no sense")
    return width, height


def _hold_inflated(body: bytes) -> None:
    """Refuse a chunk whose compressed part swells beyond what a profile or a text needs."""
    start = body.find(b"\x78")
    if len(body) > _MAX_INFLATED:
        raise ImageRefused("a profile or text in the PNG is too large", Reason.UNUSUAL)
    if start < 0:
        return
    try:
        swollen = zlib.decompressobj().decompress(body[start:], _MAX_INFLATED + 1)
    except zlib.error:
        return
    if len(swollen) > _MAX_INFLATED:
        raise ImageRefused("a profile or text in the PNG swells too much", Reason.UNUSUAL)


# Exif: CIPA DC-008, a TIFF of which one entry of the first directory is looked at.

_ORDERS: Final = {b"II*\0": "little", b"MM\0*": "big"}
_ORIENTATION: Final = 0x0112
_SHORT: Final = 3
_MAX_ENTRIES: Final = 256


def _orientation(exif: bytes) -> int:
    order = _ORDERS.get(exif[:4])
    if order is None:
        return _UPRIGHT

    def number(at: int, size: int) -> int:
        return int.from_bytes(exif[at : at + size], "little" if order == "little" else "big")

    first = number(4, 4)
    for index in range(min(number(first, 2), _MAX_ENTRIES)):
        at = first + 2 + 12 * index
        if at + 12 > len(exif):
            break
        if number(at, 2) == _ORIENTATION and number(at + 2, 2) == _SHORT:
            value = number(at + 8, 2)
            return value if value in range(1, 9) else _UPRIGHT
    return _UPRIGHT
