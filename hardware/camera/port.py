"""The camera as everybody sees it: frames with a time. What is in them is judged elsewhere."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture.

    Attributes:
        pixels: height x width x 3, uint8, blue-green-red (OpenCV's order).
        at: monotonic seconds at which the picture was taken.
        number: counts up by one for each frame of this camera.
    """

    pixels: NDArray[np.uint8]
    at: float
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraInfo:
    """What a camera says of itself; a stand-in announces itself by `simulated`."""

    name: str
    simulated: bool
    width: int
    height: int


class Camera(Protocol):
    """A source of frames."""

    @property
    def info(self) -> CameraInfo:
        """Return what the camera says of itself."""
        ...

    def read(self) -> Frame:
        """Return the next frame, waiting for it.

        Raises:
            Unplugged: the camera went away.
            Silent: no frame came within two seconds.
        """
        ...

    def close(self) -> None:
        """Let the device go; may be called twice."""
        ...
