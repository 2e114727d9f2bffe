"""Opening a camera by its name: a device, a folder or a video played back, a simulated sitter.

It knows no more of them than how they are named.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from hardware.camera.capture import DeviceCamera
from hardware.camera.port import Camera
from hardware.camera.replay import FolderCamera, VideoCamera
from hardware.camera.sitter import SitterCamera

_MAX_DIGITS: Final = 9


class CameraUnknown(ValueError):
    """The name is not one of those in `open_camera`."""


def open_camera(spec: str) -> Camera:
    """Return the camera named `spec`.

    ``device:0``, ``device:/dev/v4l/by-id/...`` (which does not change when cables do),
    ``folder:/path``, ``video:/path``, and the stand-in ``sitter:7``.

    Raises:
        CameraUnknown: no such kind, or its number or path is none.
        Unplugged: the device, folder or video is not there or cannot be read.
    """
    kind, colon, rest = spec.partition(":")
    make = _KINDS.get(kind)
    if make is None or not colon or not rest:
        raise CameraUnknown(
            f"{spec[:80]!r}: wanted device:0, device:/dev/..., folder:..., video:... or sitter:7"
        )
    return make(rest)


def _is_path(text: str) -> bool:
    return text.startswith("/dev/") and "\0" not in text


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise CameraUnknown(f"{text[:80]!r} is not a camera's number")
    return int(text)


_KINDS: Final[dict[str, Callable[[str], Camera]]] = {
    "device": lambda rest: DeviceCamera(rest if _is_path(rest) else _number(rest)),
    "folder": lambda rest: FolderCamera(Path(rest)),
    "video": lambda rest: VideoCamera(Path(rest)),
    "sitter": lambda rest: SitterCamera(_number(rest)),
}
