"""The simulated sitter: a person before a camera who does as told, for rehearsals and tests.

It announces itself as simulated; nothing of it is a real citizen, and it judges nothing.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.camera import scene
from hardware.camera.act import ACTS, WELL, Act, Behaviour, between
from hardware.camera.person import person
from hardware.camera.photograph import cutout
from hardware.camera.port import CameraInfo, Frame
from hardware.camera.pose import Look
from hardware.errors import Unplugged

__all__ = ["Act", "Behaviour", "SitterCamera", "draw", "portrait"]

_EYE_LINE: Final = 0.43
_SWAY: Final = (0.006, 0.004)
"""Share of the height by which a sitter moves across and down."""
_TURNS: Final = (1.2, 0.6)
_STEP: Final = 0.6
"""Degrees between two looks that are drawn anew."""
_EXPRESSION_STEP: Final = 0.1
"""Share between two expressions that are drawn anew."""
_NOISE: Final = 1.6
_NOISES: Final = 5
MOVES_IN: Final = 0.4
"""Seconds a person needs to change how they sit."""
BLINKS_FOR: Final = 0.2
"""Seconds the lids are down: people's blinks last 0.1 to 0.4."""
_WARM: Final = (0.55, 0.88, 1.0)
"""What is left of blue, green and red under the warmest light."""


class SitterCamera:
    """A camera before which the person of `seed` sits.

    Args:
        size: width and height of the frames.
        fps: frames in a second; `read` waits for the next one.
        clock, sleep: monotonic seconds and how to wait; given by tests.
    """

    def __init__(
        self,
        seed: int,
        size: tuple[int, int] = (1280, 720),
        fps: float = 15,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        cutout()
        self._size = size
        self._period = 1 / fps
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._seed = seed
        self._from, self._to = WELL, WELL
        self._began, self._takes = 0, 0.0
        self._shut_until = 0
        self._picture: NDArray[np.uint8] | None = None
        self._number = 0
        self._due = clock()
        self._open = True

    @property
    def info(self) -> CameraInfo:
        """Return what the camera says of itself: that it is simulated."""
        return CameraInfo(
            name="simulated sitter", simulated=True, width=self._size[0], height=self._size[1]
        )

    def tell(self, behaviour: Behaviour) -> None:
        """Have the sitter behave so from the next frame on, at once."""
        self.pose(ACTS[Behaviour(behaviour)], seconds=0)

    def pose(self, act: Act, seconds: float = MOVES_IN) -> None:
        """Have the sitter come from what they do now to `act` in so many seconds."""
        with self._lock:
            self._from, self._to = self._now(), act
            self._began, self._takes = self._number, seconds / self._period

    @property
    def act(self) -> Act:
        """Return what the sitter does, or is on the way to do."""
        with self._lock:
            return self._to

    def blink(self) -> None:
        """Have the sitter shut the eyes for a moment, beginning with the next frame."""
        with self._lock:
            self._shut_until = self._number + max(1, round(BLINKS_FOR / self._period))

    def _now(self) -> Act:
        """Return the act of the next frame."""
        passed = self._number + 1 - self._began
        share = min(1.0, passed / self._takes) if self._takes > 0 else 1.0
        # People start and stop softly.
        act = between(self._from, self._to, share * share * (3 - 2 * share))
        return replace(act, eyes_shut=True) if self._number < self._shut_until else act

    def become(self, seed: int) -> None:
        """Have another person sit down."""
        with self._lock:
            self._seed = seed

    def hold_up(self, picture: NDArray[np.uint8] | None) -> None:
        """Hold a picture (blue-green-red or grey) before the lens, or take it away."""
        if picture is not None:
            if picture.dtype != np.uint8 or picture.ndim not in {2, 3} or 0 in picture.shape:
                raise ValueError("a picture is height x width, or height x width x 3, of uint8")
            if picture.ndim == 2:  # noqa: PLR2004 - grey
                picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
        with self._lock:
            self._picture = None if picture is None else picture.copy()

    def read(self) -> Frame:
        """Return the next frame, waiting for it.

        Raises:
            Unplugged: the camera was closed.
        """
        if not self._open:
            raise Unplugged("the simulated camera is closed")
        wait = self._due - self._clock()
        if wait > 0:
            self._sleep(wait)
        with self._lock:
            seed, act, picture = self._seed, self._now(), self._picture
            number = self._number
            self._number += 1
        pixels = draw(seed, act, number, self._size, fps=1 / self._period)
        if picture is not None:
            _hold(pixels, picture, number)
        at = self._clock()
        self._due = max(self._due + self._period, at)
        return Frame(pixels=pixels, at=at, number=number)

    def close(self) -> None:
        """Let the camera go; may be called twice."""
        self._open = False

    @staticmethod
    def portrait(seed: int) -> NDArray[np.uint8]:
        """Return a registry's picture of the person, 800 x 600: other light, pose and camera."""
        return portrait(seed)


def draw(
    seed: int, act: Act | Behaviour, number: int, size: tuple[int, int], fps: float = 15
) -> NDArray[np.uint8]:
    """Return frame `number` of a sitter, height x width x 3; the same arguments, the same frame."""
    width, height = size
    if isinstance(act, Behaviour):
        act = ACTS[act]
    pixels = (scene.room if act.busy else scene.wall)(width, height).copy()
    if act.company:
        _put(pixels, seed + 1009, Look(), 0.105, (width * 0.5 + height * 0.52, height * 0.40))
    if act.there:
        seconds = number / fps + (seed % 17) * 0.7
        sway = [math.sin(seconds * pace) for pace in (1.1, 1.7, 0.63, 0.9, 2.1)]
        look = Look(
            yaw=_stepped(act.yaw + _TURNS[0] * sway[2], _STEP),
            pitch=_stepped(act.pitch + _TURNS[1] * sway[3], _STEP),
            roll=_stepped(act.roll, _STEP),
            eyes_shut=act.eyes_shut,
            mouth_open=_stepped(act.mouth_open, _EXPRESSION_STEP),
            smile=_stepped(act.smile, _EXPRESSION_STEP),
            mask=act.mask,
            glasses=act.glasses,
        )
        eyes = (
            width / 2 + height * (act.across + _SWAY[0] * sway[0]),
            height * (_EYE_LINE + act.down + _SWAY[1] * sway[1]),
        )
        # Breathing: shoulders and head come a hair nearer and go again.
        _put(pixels, seed, look, act.size * (1 + 0.004 * sway[4]), eyes, side=act.side)
    return _noisy(_seen(pixels, act), number)


def _seen(pixels: NDArray[np.uint8], act: Act) -> NDArray[np.uint8]:
    """Return the scene by the light and through the smear of an act."""
    gains = act.light * (1 - act.warmth * (1 - np.array(_WARM, np.float32)))
    if (gains != 1).any():
        pixels = np.clip(np.rint(pixels * gains), 0, 255).astype(np.uint8)
    span = 2 * round(act.smear * pixels.shape[0] / 2) + 1
    return pixels if span == 1 else np.asarray(cv2.blur(pixels, (span, 1)), np.uint8)


def portrait(seed: int) -> NDArray[np.uint8]:
    """Return a registry's picture of the person, 800 x 600 (height x width)."""
    width, height = 600, 800
    pixels = scene.wall(width, height).copy()
    side = 1.0 if seed % 2 else -1.0
    look = Look(yaw=2.5 * side, pitch=1.5, roll=-1.5 * side)
    _put(pixels, seed, look, 0.2, (width * 0.5, height * 0.42))
    # An older camera: warmer, flatter, softer.
    ramp = np.arange(256, dtype=np.float32) / 255
    warm = (cv2.GaussianBlur(pixels, (0, 0), 0.7)).astype(np.uint8)
    for channel, gain in enumerate((0.93, 0.98, 1.0)):
        curve = np.rint(255 * gain * (0.04 + 0.94 * ramp**0.92)).clip(0, 255).astype(np.uint8)
        warm[..., channel] = cv2.LUT(warm[..., channel], curve)
    slope = np.linspace(1.0 + 0.05 * side, 1.0 - 0.05 * side, width, dtype=np.float32)
    return np.asarray(np.clip(warm * slope[None, :, None], 0, 255), np.uint8)


def _put(
    pixels: NDArray[np.uint8],
    seed: int,
    look: Look,
    size: float,
    eyes: tuple[float, float],
    *,
    side: float = 0.0,
) -> None:
    layer = scene.sitting(person(seed), look)
    if side:
        layer = scene.lit_from_one_side(layer, side)
    scene.put(pixels, layer, size * pixels.shape[0] / scene.UNIT, eyes)


def _stepped(value: float, step: float) -> float:
    return round(value / step) * step


def _noisy(pixels: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """Return the frame with a sensor's noise."""
    height, width = pixels.shape[:2]
    noise = _noise(height, width, number % _NOISES)
    return np.asarray(cv2.add(pixels, noise, dtype=cv2.CV_8U), np.uint8)


_grain: dict[tuple[int, int, int], NDArray[np.int16]] = {}


def _noise(height: int, width: int, which: int) -> NDArray[np.int16]:
    key = (height, width, which)
    if key not in _grain:
        draw_ = np.random.default_rng(which)
        grey = draw_.normal(0, _NOISE, (height, width, 1)).repeat(3, axis=2)
        _grain[key] = np.rint(grey).astype(np.int16)
    return _grain[key]


def _hold(pixels: NDArray[np.uint8], picture: NDArray[np.uint8], number: int) -> None:
    """Draw a hand-held picture into the lower middle of the frame, in place."""
    height, width = pixels.shape[:2]
    room = height * 0.62
    factor = room / max(picture.shape[:2])
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
    sheet = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how)
    rim = max(8, round(room * 0.06))
    sheet = cv2.copyMakeBorder(
        sheet, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(244, 246, 246)
    )
    tall, wide = sheet.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, tall / 2), 1.5 * math.sin(number * 0.21), 1.0)
    turn[:, 2] += (
        width / 2 - wide / 2 + 3 * math.sin(number * 0.17),
        height * 0.56 - tall / 2 + 2 * math.sin(number * 0.13),
    )
    cv2.warpAffine(sheet, turn, (width, height), dst=pixels, borderMode=cv2.BORDER_TRANSPARENT)
