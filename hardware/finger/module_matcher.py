"""What a simulated module does inside: read minutiae off an image and compare two sets of them.

Small and simple on purpose, and no measure of anything: the project's own matcher is elsewhere,
real modules have better ones. It tells the same finger pressed again from others.
"""

import functools
import struct
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

TEMPLATE_BYTES: Final = 512
_HALF: Final = 256
_MAGIC: Final = 0x54
_HEAD: Final = struct.Struct(">BB2x")
_MOST: Final = (_HALF - _HEAD.size) // 4
"""Minutiae in one half of a template: x and y of 10 bits, direction of 8."""
_PERIOD: Final = 9.0
"""Pixels from ridge to ridge."""
_TURNS: Final = 16
_RIM: Final = 14
"""Pixels from the contact's rim within which a line's end is only the rim."""
_APART: Final = 7.0
"""Pixels; two minutiae nearer than this are a break or a bridge, not minutiae."""
_NEAR: Final = 11.0
_ALIKE: Final = np.radians(22.0)
_MAX_TURN: Final = np.radians(50.0)
_BIN: Final = (np.radians(9.0), 11.0)
_HYPOTHESES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What was read off one image.

    Attributes:
        points: n x 3 float64: x, y in pixels, direction of the ridge in 0..pi.
        area: share of the image that carries ridges, 0..1.
        clearness: 0..1, how much of that runs in clear lines.
    """

    points: NDArray[np.float64]
    area: float
    clearness: float


def extract(pixels: NDArray[np.uint8]) -> Features:
    """Return the features of height x width uint8, dark ridges on light ground."""
    grey = 255.0 - pixels.astype(np.float32)
    mean = cv2.GaussianBlur(grey, (0, 0), 8)
    spread = np.sqrt(np.maximum(cv2.GaussianBlur(np.square(grey - mean), (0, 0), 8), 0))
    flat = (grey - mean) / (spread + 6)
    across, down = cv2.Sobel(flat, cv2.CV_32F, 1, 0), cv2.Sobel(flat, cv2.CV_32F, 0, 1)
    both = cv2.GaussianBlur(2 * across * down, (0, 0), 6)
    odds = cv2.GaussianBlur(across**2 - down**2, (0, 0), 6)
    power = cv2.GaussianBlur(across**2 + down**2, (0, 0), 6)
    coherence = np.hypot(both, odds) / (power + 1e-3)
    angle = (np.arctan2(both, odds) / 2 + np.pi / 2) % np.pi
    skin = (spread > 18) & (power > 0.6)  # noqa: PLR2004 - ridges have contrast and slopes
    skin = cv2.morphologyEx(skin.astype(np.uint8), cv2.MORPH_OPEN, np.ones((13, 13), np.uint8))
    area = float(skin.mean())
    if not area:
        return Features(points=np.empty((0, 3)), area=0.0, clearness=0.0)
    clear = skin.astype(bool) & (coherence > 0.3)  # noqa: PLR2004
    lines = _thinned(_enhanced(flat, angle) > 0)
    depth = cv2.distanceTransform(
        cv2.copyMakeBorder(clear.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0),
        cv2.DIST_L2,
        3,
    )[1:-1, 1:-1]
    ends = (_crossings(lines) != 2) & lines & (depth > _RIM)  # noqa: PLR2004 - 2: a line goes on
    rows, columns = np.nonzero(ends)
    points = np.stack([columns, rows, angle[rows, columns]], axis=1).astype(np.float64)
    return Features(points=_settled(points), area=area, clearness=float(clear.sum() / skin.sum()))


def encode(points: NDArray[np.float64]) -> bytes:
    """Return one half of a template; of too many points those nearest the middle stay."""
    if len(points) > _MOST:
        away = np.hypot(*(points[:, :2] - points[:, :2].mean(axis=0)).T)
        points = points[np.argsort(away, kind="stable")[:_MOST]]
    octets = _HEAD.pack(_MAGIC, len(points))
    for x, y, angle in points:
        turn = round(angle / np.pi * 256) % 256
        octets += struct.pack(">I", round(x) << 18 | round(y) << 8 | turn)
    return octets.ljust(_HALF, b"\0")


def decode(template: bytes) -> list[NDArray[np.float64]]:
    """Return the sets of points of a template, those of halves that hold none left out."""
    sets = []
    for at in range(0, len(template) - _HALF + 1, _HALF):
        magic, count = _HEAD.unpack_from(template, at)
        if magic != _MAGIC or count > _MOST:
            continue
        packed = struct.unpack_from(f">{count}I", template, at + _HEAD.size)
        sets.append(
            np.array(
                [(n >> 18 & 1023, n >> 8 & 1023, (n & 255) * np.pi / 256) for n in packed]
            ).reshape(-1, 3)
        )
    return sets


def compare(template: bytes, other: bytes) -> int:
    """Return how alike two templates are: 0..300, best of their halves."""
    return max((_score(a, b) for a in decode(template) for b in decode(other)), default=0)


def _score(a: NDArray[np.float64], b: NDArray[np.float64]) -> int:
    """Return 3 times the share of shared minutiae that fit under the best turn and shift."""
    if min(len(a), len(b)) < 5:  # noqa: PLR2004 - fewer say nothing
        return 0
    turn = (b[None, :, 2] - a[:, None, 2] + np.pi / 2) % np.pi - np.pi / 2
    cosine, sine = np.cos(turn), np.sin(turn)
    x = b[None, :, 0] - (cosine * a[:, None, 0] - sine * a[:, None, 1])
    y = b[None, :, 1] - (sine * a[:, None, 0] + cosine * a[:, None, 1])
    allowed = np.abs(turn) < _MAX_TURN
    votes = np.stack([turn[allowed], x[allowed], y[allowed]], axis=1)
    cells = np.rint(votes / (_BIN[0], _BIN[1], _BIN[1])).astype(np.int64)
    _, where, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    best = 0.0
    for cell in np.argsort(-counts, kind="stable")[:_HYPOTHESES]:
        best = max(best, _fit(a, b, votes[where.ravel() == cell].mean(axis=0)))
    return round(300 * best)


def _fit(a: NDArray[np.float64], b: NDArray[np.float64], motion: NDArray[np.float64]) -> float:
    cosine, sine = np.cos(motion[0]), np.sin(motion[0])
    moved = np.stack(
        [
            cosine * a[:, 0] - sine * a[:, 1] + motion[1],
            sine * a[:, 0] + cosine * a[:, 1] + motion[2],
        ],
        axis=1,
    )
    apart = np.hypot(moved[:, None, 0] - b[None, :, 0], moved[:, None, 1] - b[None, :, 1])
    turned = (a[:, None, 2] + motion[0] - b[None, :, 2] + np.pi / 2) % np.pi - np.pi / 2
    apart = np.where(np.abs(turned) < _ALIKE, apart, np.inf)
    nearest = apart.argmin(axis=1)
    mutual = (apart.argmin(axis=0)[nearest] == np.arange(len(a))) & (apart.min(axis=1) < _NEAR)
    # Only where both saw the finger can a minutia be missing.
    low, high = b[:, :2].min(axis=0) - _NEAR, b[:, :2].max(axis=0) + _NEAR
    seen = int(((moved >= low) & (moved <= high)).all(axis=1).sum())
    low, high = moved.min(axis=0) - _NEAR, moved.max(axis=0) + _NEAR
    seen_back = int(((b[:, :2] >= low) & (b[:, :2] <= high)).all(axis=1).sum())
    # A few that fit among few prove little: eight are counted as missing besides.
    return float(mutual.sum()) ** 2 / ((seen + 4) * (seen_back + 4))


def _enhanced(flat: NDArray[np.float32], angle: NDArray[np.floating]) -> NDArray[np.float32]:
    direction = np.rint(angle * (_TURNS / np.pi)).astype(np.int32) % _TURNS
    answer = np.zeros_like(flat)
    for turn in range(_TURNS):
        here = direction == turn
        if here.any():
            answer[here] = cv2.filter2D(flat, cv2.CV_32F, _kernel(turn))[here]
    return answer


@functools.cache
def _kernel(turn: int) -> NDArray[np.float32]:
    reach = 9
    x, y = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
    angle = turn * np.pi / _TURNS
    over = -x * np.sin(angle) + y * np.cos(angle)
    along = x * np.cos(angle) + y * np.sin(angle)
    envelope = np.exp(-(over**2) / (2 * 3.2**2) - along**2 / (2 * 4.5**2))
    wave = np.cos(2 * np.pi * over / _PERIOD)
    return np.asarray(envelope * (wave - (envelope * wave).sum() / envelope.sum()), np.float32)


def _neighbours(lines: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the eight neighbours of every pixel, clockwise from above, 8 x height x width."""
    wide = np.pad(lines, 1)
    height, width = lines.shape
    return np.stack([wide[1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in _ROUND])


_ROUND: Final = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


def _crossings(lines: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how often each pixel's neighbourhood changes from line to ground."""
    around = _neighbours(lines)
    return np.asarray((around & ~np.roll(around, -1, axis=0)).sum(axis=0))


def _thinned(lines: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return lines of one pixel's width (Zhang and Suen, 1984)."""
    lines = lines.copy()
    changed = True
    while changed:
        changed = False
        for first, second in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            around = _neighbours(lines)
            count = around.sum(axis=0)
            gone = lines & (count >= 2) & (count <= 6) & (_crossings(lines) == 1)  # noqa: PLR2004
            for three in (first, second):
                gone &= ~(around[three[0]] & around[three[1]] & around[three[2]])
            if gone.any():
                lines &= ~gone
                changed = True
    return lines


def _settled(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave out points that have another one too near."""
    if len(points) < 2:  # noqa: PLR2004
        return points
    apart = np.hypot(
        points[:, None, 0] - points[None, :, 0], points[:, None, 1] - points[None, :, 1]
    )
    np.fill_diagonal(apart, np.inf)
    return np.asarray(points[apart.min(axis=1) > _APART])
