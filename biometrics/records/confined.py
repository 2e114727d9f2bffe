"""What is run in the sandbox on pictures of records: WSQ both ways, what OpenCV reads one way.

It trusts nothing and is trusted by nobody: `codings` holds its word to what it sends.
"""

import io
from typing import Any, Final

import cv2
import numpy as np
import wsq
from PIL import Image

from biometrics.sandbox.zygote import Work

READ_WSQ: Final = "read-wsq"
WRITE_WSQ: Final = "write-wsq"
READ_GREY: Final = "read-grey"
READ_COLOURS: Final = "read-colours"
_WARM: Final = 64
"""Pixels a side of what the decoders are warmed with."""
Answer = tuple[dict[str, Any], bytes]


def prepare() -> Work:
    """Return what is run in the sandbox, with the decoders warmed.

    A job answers pixels or a WSQ; what it is asked for reads as ``write-wsq 256 288``.
    """
    cv2.setNumThreads(1)
    # The caller has held the declared size to its own limit.
    Image.MAX_IMAGE_PIXELS = None
    blank = np.zeros((_WARM, _WARM), np.uint8)
    for kind in (".jp2", ".png", ".jpg"):
        _read(cv2.imencode(kind, blank)[1].tobytes(), cv2.IMREAD_UNCHANGED)
    _read_wsq(_write_wsq(blank.tobytes(), _WARM, _WARM)[1])

    def work(data: bytes, argument: str) -> Answer:
        what, *sizes = argument.split()
        if what == WRITE_WSQ:
            return _write_wsq(data, *(int(size) for size in sizes))
        if what == READ_WSQ:
            return _read_wsq(data)
        return _read(data, cv2.IMREAD_COLOR if what == READ_COLOURS else cv2.IMREAD_UNCHANGED)

    return work


def _read(data: bytes, how: int) -> Answer:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), how | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None or pixels.dtype != np.uint8:
        return {"refused": True}, b""
    return {}, pixels.tobytes()


def _read_wsq(data: bytes) -> Answer:
    try:
        with Image.open(
            io.BytesIO(data), formats=[wsq.WsqImagePlugin.WsqImageFile.format]
        ) as image:
            return {}, np.asarray(image, np.uint8).tobytes()
    except Exception:  # noqa: BLE001 - the plugin raises bare ones
        return {"refused": True}, b""


def _write_wsq(data: bytes, width: int, height: int) -> Answer:
    written = io.BytesIO()
    Image.frombytes("L", (width, height), data).save(
        written, wsq.WsqImagePlugin.WsqImageFile.format
    )
    return {}, written.getvalue()
