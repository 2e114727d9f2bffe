"""How a finger meets the glass: where, how hard, how moist; from a master print to an image.

It knows no sensor's protocol and does not say which finger it is.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.finger.ridges import CENTRE, smooth_noise

IMAGE_WIDTH: Final = 256
IMAGE_HEIGHT: Final = 288
_GROUND: Final = 222.0
_INK: Final = 22.0
_EDGE: Final = 20.0
"""Pixels over which the contact fades at its rim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One way to touch.

    Attributes:
        across, down: pixels by which the pattern's middle lies off the image's.
        turn: degrees, clockwise positive.
        size: half width and half height of the contact, pixels.
        middle: pixels by which the contact lies off the pattern's middle.
        strain: pixels by which skin is pushed away from where the glass holds it.
        press: 0..1, 0.5 is right; more makes ridges thicker.
        dry: 0 no pore closed .. 1.5 more gaps than ridge.
        wet: 0..1 how far valleys fill.
        noise: grey values of the sensor's noise, standard deviation.
        smear: pixels by which the finger slid during the exposure.
        dirt: 0..1 how much of the ground carries old traces.
    """

    across: float = 0.0
    down: float = 0.0
    turn: float = 0.0
    size: tuple[float, float] = (112.0, 150.0)
    middle: tuple[float, float] = (0.0, 10.0)
    strain: tuple[float, float] = (0.0, 0.0)
    press: float = 0.5
    dry: float = 0.12
    wet: float = 0.0
    noise: float = 4.0
    smear: float = 0.0
    dirt: float = 0.1


def render(
    master: NDArray[np.float32],
    creases: NDArray[np.float32],
    touch: Touch,
    generator: np.random.Generator,
    extent: tuple[int, int] = (IMAGE_WIDTH, IMAGE_HEIGHT),
) -> NDArray[np.uint8]:
    """Return an image, height x width uint8, dark ridges on light ground, 500 dpi.

    Args:
        master: HEIGHT x WIDTH, ridges +1, valleys -1.
        creases: HEIGHT x WIDTH, 1 where the skin has none of its ridges, else 0.
        touch: how the finger lies.
        generator: everything that differs between two touches of the same kind.
        extent: width and height of the image, pixels.
    """
    width, height = extent
    across, down = _skin_under_glass(touch, generator, extent)
    relief = cv2.remap(master, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    scars = cv2.remap(creases, across, down, cv2.INTER_LINEAR)
    hold = _contact(touch, generator, extent)
    fine = _grain(generator, height, width, 1.1)
    coarse = _grain(generator, height, width, 2.4)
    clouds = smooth_noise(generator, height, width, 34.0)
    # How high a flank must be to touch: pressure and water lower it, dryness and the rim raise it.
    level = (
        -0.05
        - 0.95 * (touch.press - 0.5)
        - touch.wet * (1.05 + 0.4 * clouds + 0.22 * coarse)
        + touch.dry * np.maximum(0, 0.75 + 0.6 * clouds + 0.7 * fine + 0.8 * coarse)
        + 0.12 * fine
        + 0.10 * clouds
        + 1.6 * scars
        + (1 - hold) * (1.5 + 0.7 * coarse)
    )
    ink = 1 / (1 + np.exp(-5.0 * (relief - level)))
    ink *= np.clip(hold * 4, 0, 1)
    pores = cv2.remap(_pores(master), across, down, cv2.INTER_LINEAR)
    ink *= 1 - pores * 0.7 * (1 - touch.wet)
    if touch.smear:
        ink = _slid(ink, touch.smear, generator)
    ink = cv2.GaussianBlur(ink, (0, 0), 0.6 + 1.3 * touch.wet**2)
    depth = np.clip(0.86 + 0.10 * clouds - 0.35 * touch.dry + 0.12 * touch.wet, 0.3, 1.0)
    ground = (
        _GROUND
        + 4 * smooth_noise(generator, height, width, 120.0)
        - _traces(touch, generator, extent)
    )
    grey = ground - (ground - _INK) * ink * depth
    grey += touch.noise * generator.standard_normal((height, width)).astype(np.float32)
    return np.asarray(np.clip(np.rint(grey), 0, 255), np.uint8)


def _grain(
    generator: np.random.Generator, height: int, width: int, size: float
) -> NDArray[np.float32]:
    """Return blots of `size` pixels, mean 0 and deviation 1."""
    raw = generator.standard_normal((height, width)).astype(np.float32)
    blurred = np.asarray(cv2.GaussianBlur(raw, (0, 0), size), np.float32)
    return np.asarray(blurred / blurred.std(), np.float32)


def _skin_under_glass(
    touch: Touch, generator: np.random.Generator, extent: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return for every pixel which point of the master lies there (x, y).

    Skin follows Cappelli, Maio and Maltoni's model (2001) in outline: held in the middle of the
    contact, pushed aside more and more towards its rim.
    """
    width, height = extent
    x, y = np.meshgrid(
        np.arange(width, dtype=np.float32) - width / 2 - touch.across,
        np.arange(height, dtype=np.float32) - height / 2 - touch.down,
    )
    out = np.hypot((x - touch.middle[0]) / touch.size[0], (y - touch.middle[1]) / touch.size[1])
    give = np.clip((out - 0.25) / 0.75, 0, 1)
    give = give * give * (3 - 2 * give)
    sine, cosine = np.sin(np.radians(touch.turn)), np.cos(np.radians(touch.turn))
    wobble = [1.4 * smooth_noise(generator, height, width, 90.0) for _ in range(2)]
    x = x - touch.strain[0] * give + wobble[0]
    y = y - touch.strain[1] * give + wobble[1]
    across = cosine * x + sine * y + CENTRE[0]
    down = -sine * x + cosine * y + CENTRE[1]
    return across.astype(np.float32), down.astype(np.float32)


def _contact(
    touch: Touch, generator: np.random.Generator, extent: tuple[int, int]
) -> NDArray[np.float32]:
    """Return 1 where skin lies on the glass, 0 where not, fading between."""
    width, height = extent
    x, y = np.meshgrid(
        np.arange(width, dtype=np.float32) - width / 2 - touch.across - touch.middle[0],
        np.arange(height, dtype=np.float32) - height / 2 - touch.down - touch.middle[1],
    )
    sine, cosine = np.sin(np.radians(touch.turn)), np.cos(np.radians(touch.turn))
    x, y = cosine * x + sine * y, -sine * x + cosine * y
    # The tip is rounder than the side towards the joint.
    power = np.where(y < 0, 2.0, 2.8)
    out = (np.abs(x / touch.size[0]) ** power + np.abs(y / touch.size[1]) ** power) ** (1 / power)
    ragged = 0.025 * smooth_noise(generator, height, width, 45.0)
    inside = (1 - out - ragged) * min(touch.size) / _EDGE
    return np.asarray(np.clip(inside, 0, 1), np.float32)


def _pores(master: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sweat pores on the ridges; the same for every touch of one finger."""
    generator = np.random.default_rng(int(np.abs(master[::7, ::7]).sum() * 1e4) % 2**32)
    seeds = (generator.random(master.shape) < 0.016) & (master > 0.75)  # noqa: PLR2004 - on top
    dots = cv2.GaussianBlur(seeds.astype(np.float32), (0, 0), 0.8)
    return np.asarray(np.clip(dots * 4.0, 0, 1), np.float32)


def _slid(
    ink: NDArray[np.floating], length: float, generator: np.random.Generator
) -> NDArray[np.float32]:
    angle = generator.uniform(0, np.pi)
    reach = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for step in np.linspace(-length / 2, length / 2, 4 * reach + 1):
        kernel[
            int(np.rint(reach + step * np.sin(angle))), int(np.rint(reach + step * np.cos(angle)))
        ] += 1
    return np.asarray(cv2.filter2D(ink.astype(np.float32), -1, kernel / kernel.sum()), np.float32)


def _traces(
    touch: Touch, generator: np.random.Generator, extent: tuple[int, int]
) -> NDArray[np.float32]:
    """Return what older touches left on the glass, grey values."""
    width, height = extent
    patches = smooth_noise(generator, height, width, 16.0)
    return np.asarray(np.clip(patches - 1.4, 0, 1) * 70 * touch.dirt, np.float32)
