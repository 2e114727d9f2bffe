"""Pictures that mean harm or are none, each built when asked for, and what is said of them."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.containers import Reason
from tests.faces import jpeg, one_bit_png, png, with_jpeg_size

MEGA = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Bomb:
    """`said` is why it is refused; None where it is disarmed and read like any picture."""

    name: str
    build: Callable[[], bytes]
    said: Reason | None

    @property
    def data(self) -> bytes:
        return _built(self)


@lru_cache(maxsize=128)
def _built(bomb: Bomb) -> bytes:
    return bomb.build()


@lru_cache(maxsize=1)
def picture() -> NDArray[np.uint8]:
    """A smooth picture of nobody, 320 x 240."""
    across = np.linspace(40, 215, 320, dtype=np.float32)
    down = np.linspace(0, 40, 240, dtype=np.float32)[:, None]
    grey = np.asarray(np.clip(across + down, 0, 255), np.uint8)
    return np.dstack([grey, grey[::-1], grey[:, ::-1]])


def segments(data: bytes) -> list[bytes]:
    """The marker segments of a small JPEG; the last is the first scan with all that follows it."""
    parts, at = [], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        parts.append(data[at:end])
        at = end
    return [*parts, data[at:]]


def segment(code: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, code, len(body) + 2) + body


def exif(orientation: int, entries: int = 1) -> bytes:
    """An Exif segment with this orientation; its directory claims `entries` and follows itself."""
    tiff = b"II*\0" + struct.pack("<IH", 8, entries)
    tiff += struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) * min(entries, 5000)
    return segment(0xE1, b"Exif\0\0" + tiff + struct.pack("<I", 8))


def after_start(data: bytes, extra: bytes) -> bytes:
    return data[:2] + extra + data[2:]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def after_header(data: bytes, extra: bytes) -> bytes:
    """A PNG with chunks put after IHDR."""
    return data[:33] + extra + data[33:]


def _header(
    width: int, height: int, *, colour: int = 2, bits: int = 8, interlaced: int = 0
) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced))


def _png_of(header: bytes, raw: bytes, *, more: bytes = b"") -> bytes:
    start = b"\x89PNG\r\n\x1a\n"
    return start + header + more + chunk(b"IDAT", raw) + chunk(b"IEND", b"")


def swelling(size: int) -> bytes:
    """A zlib stream of `size` zero bytes, a thousandth as long."""
    packer = zlib.compressobj(9)
    piece = bytes(MEGA)
    return b"".join(packer.compress(piece) for _ in range(size // MEGA)) + packer.flush()


def _jpeg_as(code: int, bits: int = 8) -> bytes:
    """A JPEG whose frame claims to be of another process or precision."""
    data = bytearray(jpeg(picture()))
    at = data.index(b"\xff\xc0")
    data[at + 1] = code
    data[at + 4] = bits
    return bytes(data)


def _cmyk() -> bytes:
    parts = segments(jpeg(picture()[..., 0]))
    size = struct.pack(">HH", 240, 320)
    frame = segment(
        0xC0, b"\x08" + size + b"\x04" + b"".join(bytes([i, 0x11, 0]) for i in range(1, 5))
    )
    scan = segment(0xDA, b"\x04" + b"".join(bytes([i, 0]) for i in range(1, 5)) + b"\0\x3f\0")
    kept = [p for p in parts[:-1] if p[1] != 0xC0]
    coded = parts[-1][10:] * 4
    return (
        b"\xff\xd8" + b"".join(kept) + frame + scan + coded.replace(b"\xff\xd9", b"") + b"\xff\xd9"
    )


def progressive(width: int, height: int, *, quality: int = 60, sampling: int = 0x411111) -> bytes:
    image = cv2.resize(picture(), (width, height))
    how = [
        *(cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling),
    ]
    return cv2.imencode(".jpg", image, how)[1].tobytes()


def _scans(count: int) -> bytes:
    """A progressive JPEG of 16 megapixels that refines one component over and over."""
    data = progressive(4000, 4000)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def _interlaced() -> bytes:
    rows = sum(
        ((8000 - x0 + dx - 1) // dx * 3 + 1) * ((3700 - y0 + dy - 1) // dy)
        for x0, y0, dx, dy in (
            *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
            *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
        )
    )
    return _png_of(_header(8000, 3700, interlaced=1), swelling((rows // MEGA + 1) * MEGA))


def _animated() -> bytes:
    header, whole = _header(64, 64), zlib.compress(bytes(64 * (64 * 3 + 1)))
    control = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 64, 64, 0, 0, 1, 30, 0, 0))
    return _png_of(header, whole, more=chunk(b"acTL", struct.pack(">II", 50_000, 0)) + control)


def _zip() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("photo.jpg", bytes(50 * MEGA))
    return held.getvalue()


def _as(suffix: str) -> bytes:
    return cv2.imencode(suffix, picture())[1].tobytes()


def _hdr() -> bytes:
    return cv2.imencode(".hdr", picture().astype(np.float32) / 255)[1].tobytes()


def _svg() -> bytes:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "ha">{laughs}]><svg>&l9;</svg>'.encode()
    )


def _small() -> bytes:
    return jpeg(picture())


def _icc() -> bytes:
    one = segment(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(60_000))
    return after_start(_small(), one * 120)


def _bad_sum() -> bytes:
    data = bytearray(png(picture()))
    data[data.index(b"IDAT") + 40] ^= 0xFF
    return bytes(data)


_FTYP = struct.pack(">I", 24) + b"ftyp"

BOMBS = tuple(
    Bomb(name=name, build=build, said=said)
    for name, said, build in (
        ("no bytes", Reason.EMPTY, lambda: b""),
        ("a web page", Reason.OTHER_KIND, lambda: b"<!doctype html><script>alert(1)</script>"),
        ("an SVG of a billion laughs", Reason.OTHER_KIND, _svg),
        (
            "a GIF that goes on as a JPEG",
            Reason.OTHER_KIND,
            lambda: b"GIF89a" + bytes(7) + _small(),
        ),
        ("a zip bomb", Reason.OTHER_KIND, _zip),
        ("a PDF", Reason.PDF, lambda: b"%PDF-1.7\n" + _small()),
        ("an iPhone's HEIC", Reason.HEIC, lambda: _FTYP + b"heic\0\0\0\0mif1heic" + bytes(500)),
        ("an AVIF", Reason.HEIC, lambda: _as(".avif")),
        ("a video", Reason.VIDEO, lambda: _FTYP + b"isom\0\0\2\0isommp41" + bytes(500)),
        ("a WebP", Reason.OTHER_KIND, lambda: _as(".webp")),
        ("a TIFF", Reason.OTHER_KIND, lambda: _as(".tiff")),
        ("a BMP", Reason.OTHER_KIND, lambda: _as(".bmp")),
        ("a JPEG 2000", Reason.OTHER_KIND, lambda: _as(".jp2")),
        ("an OpenEXR", Reason.OTHER_KIND, lambda: b"\x76\x2f\x31\x01\x02\0\0\0" + bytes(900)),
        ("a Radiance HDR", Reason.OTHER_KIND, _hdr),
        ("a PNG of 30 000 x 30 000 in 109 KB", Reason.TOO_MANY_PIXELS, lambda: one_bit_png(30_000)),
        ("a PNG 8193 wide", Reason.TOO_MANY_PIXELS, lambda: one_bit_png(8193)),
        ("a PNG of 1 x 1", Reason.TOO_SMALL, lambda: png(picture()[:1, :1])),
        (
            "a PNG with a profile of 150 MB",
            Reason.UNUSUAL,
            lambda: after_header(png(picture()), chunk(b"iCCP", b"p\0\0" + swelling(150 * MEGA))),
        ),
        (
            "a PNG with a text of 150 MB",
            Reason.UNUSUAL,
            lambda: after_header(png(picture()), chunk(b"zTXt", b"t\0\0" + swelling(150 * MEGA))),
        ),
        (
            "a PNG of 40 000 texts",
            Reason.UNUSUAL,
            lambda: after_header(png(picture()), chunk(b"tEXt", b"a\0b") * 40_000),
        ),
        ("an animated PNG of 50 000 pictures", Reason.MOVING, _animated),
        (
            "a PNG whose data swell to 150 MB",
            None,
            lambda: _png_of(_header(640, 480), swelling(150 * MEGA)),
        ),
        ("a PNG of 30 megapixels, interlaced", Reason.TOO_HEAVY, _interlaced),
        ("a PNG cut short", Reason.CUT_SHORT, lambda: png(picture())[:-30]),
        ("a PNG with a wrong check sum", Reason.BROKEN, _bad_sum),
        (
            "a PNG that begins twice",
            Reason.BROKEN,
            lambda: after_header(png(picture()), _header(8000, 3000)),
        ),
        ("a JPEG of 1 000 scans", Reason.UNUSUAL, lambda: _scans(1000)),
        ("a JPEG of 64 scans", None, lambda: _scans(54)),
        (
            "a JPEG that claims 65 000 x 65 000",
            Reason.TOO_MANY_PIXELS,
            lambda: with_jpeg_size(_small(), 65_000, 65_000),
        ),
        (
            "a JPEG that claims 8 000 x 3 700",
            Reason.CUT_SHORT,
            lambda: with_jpeg_size(_small(), 8000, 3700),
        ),
        ("a JPEG of no height", Reason.BROKEN, lambda: with_jpeg_size(_small(), 320, 0)),
        ("a JPEG cut short", Reason.CUT_SHORT, lambda: _small()[:-60]),
        ("a JPEG in print colours", Reason.UNUSUAL, _cmyk),
        ("a JPEG of 12 bits", Reason.UNUSUAL, lambda: _jpeg_as(0xC1, bits=12)),
        ("a lossless JPEG", Reason.UNUSUAL, lambda: _jpeg_as(0xC3)),
        ("a hierarchical JPEG", Reason.UNUSUAL, lambda: _jpeg_as(0xC5)),
        ("an arithmetic JPEG", Reason.UNUSUAL, lambda: _jpeg_as(0xC9)),
        (
            "a JPEG of 100 000 comments",
            Reason.UNUSUAL,
            lambda: after_start(_small(), segment(0xFE, b"") * 100_000),
        ),
        (
            "a JPEG of 30 megapixels, progressive, full colour",
            Reason.TOO_HEAVY,
            lambda: progressive(8000, 3700, sampling=0x111111),
        ),
        (
            "a JPEG with endless Exif",
            None,
            lambda: after_start(_small(), exif(1, entries=65_535) * 100),
        ),
        ("a JPEG with profiles of 7 MB", None, _icc),
        (
            "a JPEG whose thumbnail is a bomb",
            None,
            lambda: after_start(
                _small(),
                segment(0xE1, b"Exif\0\0" + with_jpeg_size(_small()[:9000], 65_000, 65_000)),
            ),
        ),
        ("a JPEG that goes on as a zip bomb", None, lambda: _small() + _zip()),
        ("a JPEG over 10 MB", Reason.TOO_LARGE, lambda: _small() + bytes(10 * MEGA)),
    )
)
