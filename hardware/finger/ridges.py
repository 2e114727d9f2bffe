"""How ridges run on a made-up finger: their direction, their period, and how they grow.

Nothing here knows of sensors or touches; no real person's finger went into it. Method: the
orientation model of Sherlock and Monro (1993) and growth by tuned filters after Cappelli, Maio
and Maltoni (SFinGe, 2000-2004), from the published descriptions.
"""

import enum
import functools
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.finger import spacing

WIDTH: Final = 352
HEIGHT: Final = 448
"""Pixels of a master print at 500 dpi: 18 mm x 23 mm of skin."""
CENTRE: Final = (WIDTH / 2, 196.0)
"""Where the middle of the pattern lies (x, y)."""


class Pattern(enum.StrEnum):
    """The five classes of Henry; left and right as seen on the print."""

    ARCH = "arch"
    TENTED = "tented"
    LEFT_LOOP = "left_loop"
    RIGHT_LOOP = "right_loop"
    WHORL = "whorl"


SHARES: Final = {
    Pattern.ARCH: 0.037,
    Pattern.TENTED: 0.029,
    Pattern.LEFT_LOOP: 0.338,
    Pattern.RIGHT_LOOP: 0.317,
    Pattern.WHORL: 0.279,
}
"""How often each occurs (Wilson, Candela and Watson, NIST 1994)."""

_STEPS: Final = 32
"""Directions of the filter bank in half a turn."""
_PERIODS: Final = (7.6, 8.4, 9.2, 10.2, 11.2)
"""Pixels at 500 dpi from ridge to ridge, of the filter bank."""
_SPREAD: Final = 0.42
"""Standard deviation of a filter's envelope along and across, in periods."""
_COARSE_ROUNDS: Final = 44
_FINE_ROUNDS: Final = 3
_SLOPE: Final = 5.0
"""How hard a filter's answer is pushed towards ridge or valley."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Where ridges go on one finger.

    Attributes:
        pattern: its class.
        angle: HEIGHT x WIDTH float32, direction of the ridge, radians in 0..pi, y downwards.
        period: HEIGHT x WIDTH float32, pixels from ridge to ridge.
    """

    pattern: Pattern
    angle: NDArray[np.float32]
    period: NDArray[np.float32]


def smooth_noise(
    generator: np.random.Generator, height: int, width: int, grain: float
) -> NDArray[np.float32]:
    """Return height x width smooth noise of mean about 0 and deviation about 1.

    Args:
        generator: of chance.
        height: pixels.
        width: pixels.
        grain: pixels over which it changes.
    """
    rows, columns = (max(4, int(np.ceil(side / grain)) + 3) for side in (height, width))
    coarse = generator.standard_normal((rows, columns)).astype(np.float32)
    large = cv2.resize(
        coarse, (round(columns * grain), round(rows * grain)), interpolation=cv2.INTER_CUBIC
    )
    return np.asarray(large[:height, :width] * np.float32(1.35), np.float32)


def lay(generator: np.random.Generator, pattern: Pattern) -> Field:
    """Return the field of a finger of the class `pattern`."""
    across, down = _skin(generator)
    place = across + 1j * down
    if pattern is Pattern.ARCH:
        doubled = _arch(generator, across, down)
    else:
        cores, deltas = _singular_points(generator, pattern)
        doubled = np.ones_like(place)
        for core in cores:
            rest = [core - other for other in cores if other != core]
            opening = sum(map(np.angle, rest)) - sum(np.angle(core - delta) for delta in deltas)
            doubled = doubled * _round_core(generator, place - core, float(opening))
        for delta in deltas:
            doubled = doubled * _round_delta(generator, place - delta)
        # Above the pattern ridges follow the finger's tip more closely than the model says.
        top, rise = generator.uniform((-10, 80), (40, 150))
        bend = generator.uniform(0.3, 0.85) * np.clip((down - top) / rise, 0, 1)
        doubled = doubled * np.exp(-2j * bend * np.clip(across / (WIDTH / 2), -1, 1))
    # Towards the joint they run straight across.
    low, fall = generator.uniform((70, 80), (125, 150))
    flat = np.clip((-down - low) / fall, 0, 1) * 0.9
    doubled = doubled * (1 - flat) + flat
    wobble = 0.11 * smooth_noise(generator, HEIGHT, WIDTH, 95.0)
    wobble += 0.06 * smooth_noise(generator, HEIGHT, WIDTH, 48.0)
    doubled = doubled * np.exp(2j * (wobble + generator.normal(0, 0.05)))
    angle = (-np.angle(doubled) / 2) % np.pi
    below, above = generator.uniform((0.0, -0.04), (0.2, 0.12))
    period = generator.normal(9.1, 0.6) * (
        np.exp(spacing.fitted(angle))
        + 0.055 * smooth_noise(generator, HEIGHT, WIDTH, 90.0)
        + 0.03 * smooth_noise(generator, HEIGHT, WIDTH, 45.0)
        + below * np.clip((-down - 40) / 160, 0, 1)
        + above * np.clip((down - 40) / 130, 0, 1)
    )
    return Field(
        pattern=pattern,
        angle=angle.astype(np.float32),
        period=np.clip(period, _PERIODS[0], _PERIODS[-1]).astype(np.float32),
    )


def grow(generator: np.random.Generator, field: Field) -> NDArray[np.float32]:
    """Return ridges (+1) and valleys (-1), HEIGHT x WIDTH: noise filtered until lines stand.

    First at half the resolution, where a round costs an eighth, then at the full one. Minutiae
    are not placed: they arise where lines of different origin meet.
    """
    half = (WIDTH // 2, HEIGHT // 2)
    doubled = np.exp(2j * field.angle)
    small = cv2.resize(doubled.real, half) + 1j * cv2.resize(doubled.imag, half)
    angle = (np.angle(small) / 2) % np.pi
    period = cv2.resize(field.period, half) / 2
    print_ = generator.standard_normal((half[1], half[0])).astype(np.float32)
    plan = _plan(angle, period, 2)
    for _ in range(_COARSE_ROUNDS):
        print_ = _round(print_, plan)
    large = cv2.resize(print_, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    print_ = np.asarray(large, np.float32)
    plan = _plan(field.angle, field.period, 1)
    for _ in range(_FINE_ROUNDS):
        print_ = _round(print_, plan)
    return print_


def _skin(generator: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return every pixel's place from the pattern's middle, y upwards, in the pattern's own sizes.

    No two fingers have it at the same place, turned and stretched alike.
    """
    shift = generator.normal(0, (9, 13))
    turn = np.exp(1j * generator.normal(0, 0.09))
    x, y = np.meshgrid(np.arange(WIDTH) - CENTRE[0], CENTRE[1] - np.arange(HEIGHT))
    place = (x - shift[0] + 1j * (y - shift[1])) * turn
    stretch = generator.normal(1, (0.08, 0.08))
    return place.real * stretch[0], place.imag * stretch[1]


def _arch(
    generator: np.random.Generator, across: NDArray[np.float64], down: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """Return the doubled direction of an arch: flat below, a hill in the middle, bent above."""
    height = generator.uniform(0.6, 1.25)
    middle = generator.uniform(-16, 16)
    width = generator.uniform(56, 92)
    x = (across - middle) / width
    hill = np.exp(-(((down + 30) / 75) ** 2))
    slope = -height * hill * 1.9 * x * np.exp(-(x**2) / 1.6)
    over = (
        generator.uniform(0.5, 0.9)
        * np.clip((down + 10) / 120, 0, 1)
        * np.clip(across / (WIDTH / 2), -1, 1)
    )
    return np.asarray(np.exp(2j * (np.arctan(slope) - over)))


def _singular_points(
    generator: np.random.Generator, pattern: Pattern
) -> tuple[list[complex], list[complex]]:
    """Return cores and deltas, from the pattern's middle, y upwards."""
    jitter = generator.uniform(-1, 1, 6)
    if pattern is Pattern.WHORL:
        gap, lean = 24 + 18 * jitter[0], 14 * jitter[1]
        spread, drop = 92 + 26 * jitter[2], -94 + 28 * jitter[3]
        aside, tilt = 14 * jitter[5], 22 * jitter[4]
        return (
            [complex(lean, gap), complex(-lean, -gap)],
            [complex(aside - spread, drop + tilt), complex(aside + spread, drop - tilt)],
        )
    if pattern is Pattern.TENTED:
        return [complex(5 * jitter[0], 12)], [complex(8 * jitter[1], -74 + 26 * jitter[2])]
    side = 1.0 if pattern is Pattern.LEFT_LOOP else -1.0
    delta = complex(side * (86 + 30 * jitter[1]), -88 + 36 * jitter[2])
    return [complex(8 * jitter[0], 14 + 6 * jitter[3])], [delta]


def _round_core(
    generator: np.random.Generator, place: NDArray[np.complex128], opening: float
) -> NDArray[np.complex128]:
    """Return the part of one core: ridges parallel on its open side, circular on the other.

    The unevenness in the angle is Vizcaya and Gerhardt's amendment; it fades with the distance.
    """
    angle = np.angle(place * np.exp(-1j * opening))
    hold, reach = generator.uniform((0.35, 65), (0.85, 125))
    hold = hold * np.exp(-np.square(np.abs(place) / reach))
    return np.asarray(np.exp(1j * (angle - hold * np.sin(angle) + opening)))


def _round_delta(
    generator: np.random.Generator, place: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    angle = np.angle(place)
    return np.asarray(np.exp(-1j * (angle + generator.uniform(-0.1, 0.1) * np.sin(2 * angle))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tile:
    """The pixels of one direction and period, and the filter tuned to them."""

    kernel: NDArray[np.float32]
    box: tuple[slice, slice]
    mask: NDArray[np.bool_]


def _plan(angle: NDArray[np.floating], period: NDArray[np.floating], scale: int) -> list[_Tile]:
    direction = np.rint(angle * (_STEPS / np.pi)).astype(np.int32) % _STEPS
    steps = np.asarray(_PERIODS, np.float32) / scale
    nearest = np.abs(period[..., None] - steps).argmin(axis=-1)
    tiles = []
    for number in np.unique(direction * len(_PERIODS) + nearest):
        turn, size = divmod(int(number), len(_PERIODS))
        mask = (direction == turn) & (nearest == size)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        tiles.append(_Tile(kernel=_kernel(turn, float(steps[size])), box=box, mask=mask[box]))
    return tiles


@functools.lru_cache(maxsize=512)
def _kernel(turn: int, period: float) -> NDArray[np.float32]:
    """Return a filter without a constant part, for ridges along direction `turn`."""
    spread = _SPREAD * period
    reach = int(np.ceil(2.6 * spread))
    x, y = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
    angle = turn * np.pi / _STEPS
    over = -x * np.sin(angle) + y * np.cos(angle)
    envelope = np.exp(-(x**2 + y**2) / (2 * spread**2))
    wave = np.cos(2 * np.pi * over / period)
    kernel = envelope * (wave - (envelope * wave).sum() / envelope.sum())
    return np.asarray(kernel / np.abs(kernel).sum(), np.float32)


def _round(print_: NDArray[np.float32], plan: list[_Tile]) -> NDArray[np.float32]:
    answer = np.empty_like(print_)
    for tile in plan:
        rows, columns = tile.box
        reach = tile.kernel.shape[0] // 2
        top, left = max(0, rows.start - reach), max(0, columns.start - reach)
        part = print_[top : rows.stop + reach, left : columns.stop + reach]
        whole = cv2.filter2D(part, cv2.CV_32F, tile.kernel, borderType=cv2.BORDER_REFLECT)
        inner = whole[
            rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]
        answer[tile.box][tile.mask] = inner[tile.mask]
    return np.asarray(
        np.tanh(answer * (_SLOPE / max(1e-6, float(np.abs(answer).mean() * 2)))), np.float32
    )
