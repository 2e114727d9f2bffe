"""Pictures inside records: how big they are before they are decoded, and their pixels after.

It knows no record. Whatever the bytes are, they are decoded within limits or refused.

Everything but raw pixels is decoded in a sandbox: NBIS's WSQ, which the package wsq carries,
overruns its buffers on damaged input and takes its process down, OpenJPEG bounds neither its time
nor its memory, and whoever opens captures holds keys. PNG and JPEG pass
`biometrics.face.containers` first.
"""

import enum
import functools
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face import containers, encoding
from biometrics.records import confined, streams
from biometrics.records.blocks import RecordInvalid
from biometrics.sandbox.room import Answer, JobEnded, Room
from biometrics.sandbox.wire import Limits

MAX_SIDE: Final = 4096
"""Pixels."""
MAX_PIXELS: Final = 9_000_000
"""A slap of 3.2 x 3 inches at 500 dpi has 2.4 million, a camera's 4K frame 8.3."""
MAX_BYTES: Final = 8 * 1024 * 1024
"""Of one encoded picture."""
LEAST_WSQ_SIDE: Final = 64
"""Pixels. NBIS refuses less than 32, and what it writes of narrow pictures it reads as grey."""
_LIMITS: Final = Limits(
    seconds=15.0,
    cpu_seconds=6.0,
    memory=256 * 1024 * 1024,
    request=MAX_PIXELS + 4096,
    answer=3 * MAX_PIXELS + 4096,
)
_COLOURS: Final = 3


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
            side for JPEG 2000 or `LEAST_WSQ_SIDE` for WSQ, of more than `MAX_BYTES` when encoded,
            or a coding that is only read.
        RoomFull, RoomBroken: see `biometrics.sandbox.room` (WSQ).
    """
    if not _grey(pixels):
        raise RecordInvalid("a picture is height x width, one grey value each")
    height, width = pixels.shape
    _hold(width, height)
    if coding is Coding.RAW:
        return pixels.tobytes()
    data = _encoded(pixels, coding, dpi)
    if len(data) > MAX_BYTES:
        raise RecordInvalid(f"a picture has at most {MAX_BYTES} bytes")
    return data


def read(data: bytes, coding: Coding, *, width: int, height: int) -> NDArray[np.uint8]:
    """Return the pixels of a grey picture that says to be so large, height x width.

    Raises:
        RecordInvalid: larger than is read, of another kind or size than said, in colours, lossy
            where `coding` says lossless, cut short, or too slow or too large to decode.
        RoomFull, RoomBroken: see `biometrics.sandbox.room` (WSQ and JPEG 2000).
    """
    _hold(width, height)
    if coding is Coding.RAW:
        return _shaped(data, width, height)
    if len(data) > MAX_BYTES:
        raise RecordInvalid(f"a picture has at most {MAX_BYTES} bytes")
    size, bare = _declared(data, coding)
    if size != (width, height):
        raise RecordInvalid("the picture has another size than said")
    how = confined.READ_WSQ if coding is Coding.WSQ else confined.READ_GREY
    return _shaped(_asked(bare, how).beside, width, height)


def read_colours(data: bytes) -> NDArray[np.uint8]:
    """Return the pixels of a JPEG or JPEG 2000, height x width x 3, blue-green-red.

    Raises:
        RecordInvalid: another kind, larger than is read, damaged, or too slow to decode.
        RoomFull, RoomBroken: see `biometrics.sandbox.room`.
    """
    if data.startswith(encoding.JPEG):
        (width, height), bare = _declared(data, Coding.JPEG)
    else:
        stream = streams.jpeg2000(data)
        if stream.components not in (1, _COLOURS):
            raise RecordInvalid("a JPEG 2000 that is neither grey nor of three colours")
        width, height, bare = stream.width, stream.height, data
    _hold(width, height)
    pixels = _asked(bare, confined.READ_COLOURS).beside
    if len(pixels) != height * width * _COLOURS:
        raise RecordInvalid("the picture's data are broken")
    return np.frombuffer(pixels, np.uint8).reshape(height, width, _COLOURS)


def keeps_pixels(data: bytes) -> bool:
    """True where a JPEG 2000's wavelet is the one that can keep every pixel as it was.

    Raises:
        RecordInvalid: see `streams.jpeg2000`.
    """
    return streams.jpeg2000(data).reversible


def _grey(pixels: Any) -> bool:  # noqa: ANN401 - what comes may be anything
    return isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 2  # noqa: PLR2004 - height x width


def _encoded(pixels: NDArray[np.uint8], coding: Coding, dpi: int | None) -> bytes:
    height, width = pixels.shape
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
    answer = _asked(pixels.tobytes(), f"{confined.WRITE_WSQ} {width} {height}")
    return streams.without_comments(answer.beside)


def _hold(width: int, height: int) -> None:
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise RecordInvalid(f"{width} x {height} pixels are none, or more than is read")


def _shaped(data: bytes, width: int, height: int) -> NDArray[np.uint8]:
    if len(data) != width * height:
        raise RecordInvalid("the picture has more or fewer pixels than said")
    return np.frombuffer(data, np.uint8).reshape(height, width)


def _declared(data: bytes, coding: Coding) -> tuple[tuple[int, int], bytes]:
    """Return width and height that a picture declares, and what of it a decoder needs."""
    if coding in (Coding.PNG, Coding.JPEG):
        try:
            picture = containers.clean(data)
        except containers.ImageRefused as error:
            raise RecordInvalid(str(error)) from error
        if picture.jpeg is not (coding is Coding.JPEG):
            raise RecordInvalid("the picture is of another kind than said")
        return (picture.width, picture.height), picture.data
    if coding is Coding.WSQ:
        return streams.wsq_size(data), data
    stream = streams.jpeg2000(data)
    if stream.components != 1:
        raise RecordInvalid("a JPEG 2000 that is not grey")
    if coding is Coding.JPEG2000 and not stream.reversible:
        raise RecordInvalid("a lossy picture that is said to be lossless")
    return (stream.width, stream.height), data


def _asked(data: bytes, argument: str) -> Answer:
    try:
        answer = _room().run(data, argument)
    except JobEnded as ended:
        raise RecordInvalid("the picture is broken, or takes too much to decode") from ended
    if answer.said:
        raise RecordInvalid("the picture's data are broken")
    return answer


@functools.cache
def _room() -> Room:
    return Room("biometrics.records.confined:prepare", limits=_LIMITS, queue=16, patience=30.0)
