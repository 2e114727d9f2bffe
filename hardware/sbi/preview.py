"""Showing a device's live picture while it waits for a finger or an eye.

A live picture that fails spoils no capture: nobody is told, and the capture goes on.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hardware.errors import Broken
from hardware.finger.port import Preview
from hardware.sbi.client import SbiClient
from hardware.sbi.stream import Picture
from hardware.sbi.vocabulary import SubId

MOST_PIXELS: Final = 16_000_000
"""Of one live picture; a JPEG of a few bytes may claim 4 G pixels."""
_STARTED: Final = 1.0
"""Seconds in which the first live picture should come; then the capture starts without it."""


def read_jpeg(jpeg: bytes, *, colour: bool) -> NDArray[np.uint8] | None:
    """Return the pixels, height x width (x 3, blue-green-red), None where it is no such picture."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as opened:
            width, height = opened.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    if not 0 < width * height <= MOST_PIXELS:
        return None
    flag = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
    try:
        pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag)
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)


@contextmanager
def shown(
    client: SbiClient, sub_id: SubId, preview: Preview | None, *, seconds: float
) -> Iterator[None]:
    """Tell `preview` of live pictures, from a thread of its own, until the block is left."""
    if preview is None:
        yield
        return
    live = client.stream(sub_id, seconds=seconds)
    started = threading.Event()

    def run() -> None:
        try:
            for picture in live:
                if isinstance(picture, Picture):
                    pixels = read_jpeg(picture.jpeg, colour=False)
                    if pixels is not None:
                        preview(pixels)
                started.set()
        except Broken:
            return
        finally:
            started.set()

    thread = threading.Thread(target=run, name="sbi-preview", daemon=True)
    thread.start()
    # A device that is asked for a picture first may refuse the stream as busy.
    started.wait(_STARTED)
    try:
        yield
    finally:
        live.close()
        thread.join()
