"""What the tests of faces and cameras share: small pictures, and the sitter's frames."""

import struct
import zlib
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.judge import PortraitJudge, Verdict
from hardware.camera.sitter import Behaviour, draw

SIZE = (1280, 720)


@lru_cache(maxsize=4)
def judge(profile: str = "can-cuoc") -> PortraitJudge:
    return PortraitJudge(profile)


@lru_cache(maxsize=64)
def frame(seed: int, behaviour: Behaviour = Behaviour.WELL, number: int = 3) -> NDArray[np.uint8]:
    pixels = draw(seed, behaviour, number, SIZE)
    pixels.setflags(write=False)
    return pixels


@lru_cache(maxsize=64)
def verdict(seed: int, behaviour: Behaviour = Behaviour.WELL, number: int = 3) -> Verdict:
    return judge().judge(frame(seed, behaviour, number))


def jpeg(pixels: NDArray[np.uint8], quality: int = 92) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def png(pixels: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def one_bit_png(side: int) -> bytes:
    """A small file that declares `side` x `side` black and white pixels."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    row = b"\0" * (1 + (side + 7) // 8)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", body)
        + _chunk(b"IEND", b"")
    )


def with_jpeg_size(data: bytes, width: int, height: int) -> bytes:
    """The same JPEG with another size in its frame header."""
    at = 2
    while data[at + 1] not in {0xC0, 0xC1, 0xC2}:
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]
