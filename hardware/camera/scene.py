"""What stands around the sitter's head: a garment, a wall, a busy room.

It knows no behaviour and no time.
"""

import math
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.camera import warp
from hardware.camera.person import LIPS, Person, source_points, texture
from hardware.camera.photograph import cutout
from hardware.camera.pose import Look, place

LAYER: Final = (900, 840)
"""Width and height of a person's layer."""
EYES_AT: Final = (450.0, 330.0)
UNIT: Final = 114.0
"""Pixels of the eye distance in a layer."""
_PENUMBRA: Final = 0.2
"""Eye distances over which light becomes shadow across a nose."""


@lru_cache(maxsize=32)
def sitting(who: Person, look: Look) -> NDArray[np.uint8]:
    """Return the person as a layer, 840 x 900 x 4: blue, green, red, opacity."""
    points = place(who, look) * np.float32(UNIT)
    points[:, :2] += np.array(EYES_AT, np.float32)
    head = warp.draw(
        texture(who, shut=look.eyes_shut, mask=look.mask, glasses=look.glasses),
        source_points(),
        points,
        cutout().triangles,
        LAYER,
    )
    _soften_lips(head, points)
    chin = place(who, Look())[152] * UNIT + np.array([*EYES_AT, 0.0])
    body = _garment(who, float(chin[1]))
    share = head[..., 3:].astype(np.float32) / 255
    layer = np.empty_like(body)
    layer[..., :3] = np.rint(head[..., :3] * share + body[..., :3] * (1 - share))
    layer[..., 3] = np.maximum(head[..., 3], body[..., 3])
    return layer


def _soften_lips(head: NDArray[np.uint8], points: NDArray[np.float32]) -> None:
    """Take the stair-steps out of the seam of the lips, in place: it is a pixel or two high."""
    rows = np.rint(points[list(LIPS), :2]).astype(np.int32)
    x, y, width, height = cv2.boundingRect(rows)
    part = head[max(y, 0) : y + height, max(x, 0) : x + width, :3]
    if part.size == 0:
        return
    canvas = np.zeros(head.shape[:2], np.uint8)
    cv2.fillPoly(canvas, [rows], 255)
    inside = canvas[max(y, 0) : y + height, max(x, 0) : x + width]
    share = np.asarray(cv2.GaussianBlur(inside, (0, 0), 2.0), np.float32)[..., None] / 255
    soft = np.asarray(cv2.GaussianBlur(part, (0, 0), 1.3), np.float32)
    part[...] = np.rint(soft * share + part * (1 - share)).astype(np.uint8)


def lit_from_one_side(layer: NDArray[np.uint8], dark: float) -> NDArray[np.uint8]:
    """Return a person's layer with one side in the dark, see `Act.side`."""
    columns = np.arange(LAYER[0], dtype=np.float32) - EYES_AT[0]
    share = 1 / (1 + np.exp(-columns * math.copysign(1, dark) / (_PENUMBRA * UNIT)))
    gain = np.ones((LAYER[0], 4), np.float32)
    gain[:, :3] -= (abs(dark) * share)[:, None]
    return np.asarray(np.rint(layer * gain), np.uint8)


@lru_cache(maxsize=8)
def _garment(who: Person, chin: float) -> NDArray[np.uint8]:
    """Return shoulders and a high collar in the person's colour."""
    width, height = LAYER
    middle = EYES_AT[0]
    collar, reach = chin + 6, UNIT * 0.80

    def outline(points: list[tuple[float, float]]) -> NDArray[np.uint8]:
        right = [(middle + x, y) for x, y in points]
        left = [(middle - x, y) for x, y in reversed(points)]
        canvas = np.zeros((height, width), np.uint8)
        shape = np.rint(np.array(right + left) * 16).astype(np.int32)
        cv2.fillPoly(canvas, [shape], 255, lineType=cv2.LINE_AA, shift=4)
        return canvas

    shoulders = outline(
        [
            (reach * 0.95, collar + 40), (reach * 1.15, collar + 78), (reach * 1.9, collar + 112),
            (reach * 2.9, collar + 150), (reach * 3.5, collar + 200), (reach * 3.8, collar + 290),
            (reach * 4.0, height + 20.0),
        ]
    )  # fmt: skip
    roll = outline(
        [(reach * 0.88, collar - 4), (reach * 0.97, collar + 10), (reach * 1.0, collar + 70),
         (reach * 0.7, collar + 92), (reach * 0.3, collar + 100)]
    )  # fmt: skip
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.arange(width, dtype=np.float32)[None]
    across = (columns - middle) / (reach * 3.6)
    light = 1.15 - 0.55 * across**2 - 0.12 * across + 0.0 * rows
    folds = np.sin((columns - middle) / 46 + np.sin(rows / 70) * 1.5) * 0.05
    draw = np.random.default_rng(who.grain + 1)
    weave = np.asarray(cv2.GaussianBlur(draw.normal(0, 1, (height, width)), (0, 0), 0.8)) * 0.06
    layer = np.zeros((height, width, 4), np.uint8)
    for canvas, gain in ((shoulders, 1.0), (roll, 0.82)):
        shade = light * gain * (1 + folds + weave)
        if canvas is roll:
            shade = shade * (1 - 0.35 * np.abs(columns - middle) / reach)
        colour = np.clip(shade[..., None] * np.array(who.shirt, np.float32), 0, 255)
        share = canvas[..., None].astype(np.float32) / 255
        layer[..., :3] = np.rint(colour * share + layer[..., :3] * (1 - share))
        layer[..., 3] = np.maximum(layer[..., 3], canvas)
    return layer


@lru_cache(maxsize=4)
def wall(width: int, height: int) -> NDArray[np.uint8]:
    """Return a plain, evenly lit wall."""
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None]
    light = 226 - 5 * columns**2 - 5 * rows**2
    return np.asarray(np.rint(light[..., None] * np.array([0.995, 1.0, 0.998])), np.uint8)


@lru_cache(maxsize=4)
def room(width: int, height: int) -> NDArray[np.uint8]:
    """Return a wall with shelves, binders and a window frame."""
    draw = np.random.default_rng(7)
    image = wall(width, height).copy()
    shelf = height // 4
    for top in range(0, height, shelf):
        at = 0
        while at < width:
            wide = int(draw.integers(width // 64, width // 22))
            tall = int(draw.integers(shelf // 2, shelf - 14))
            colour = tuple(int(v) for v in draw.integers(30, 235, 3))
            foot = top + shelf - 10
            cv2.rectangle(image, (at, foot - tall), (at + wide, foot), colour, -1)
            label = (at + wide // 4, foot - tall // 2)
            cv2.rectangle(image, label, (at + 3 * wide // 4, foot - tall // 4), (238, 240, 240), -1)
            at += wide + int(draw.integers(1, 6))
        cv2.rectangle(image, (0, top + shelf - 10), (width, top + shelf), (60, 90, 120), -1)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.2), np.uint8)


def put(
    ground: NDArray[np.uint8], layer: NDArray[np.uint8], scale: float, eyes: tuple[float, float]
) -> None:
    """Lay a person's layer over `ground`, in place, the middle of the eyes at `eyes`."""
    height, width = ground.shape[:2]
    shift = np.array(
        [
            [scale, 0, eyes[0] - scale * EYES_AT[0]],
            [0, scale, eyes[1] - scale * EYES_AT[1]],
        ],
        np.float64,
    )
    left = max(0, int(shift[0, 2]) - 1)
    top = max(0, int(shift[1, 2]) - 1)
    right = min(width, int(shift[0, 2] + scale * LAYER[0]) + 2)
    bottom = height
    if right <= left or bottom <= top:
        return
    shift[:, 2] -= (left, top)
    how = cv2.INTER_AREA if scale < 0.7 else cv2.INTER_LINEAR  # noqa: PLR2004 - a quarter is lost
    # A layer's rim is clear but for its foot, where the garment goes on downwards.
    placed = cv2.warpAffine(
        layer, shift, (right - left, bottom - top), flags=how, borderMode=cv2.BORDER_REPLICATE
    )
    share = np.asarray(placed, np.uint8)[..., 3:].astype(np.uint16)
    under = ground[top:bottom, left:right]
    mixed = np.asarray(placed, np.uint8)[..., :3] * share + under * (255 - share)
    under[...] = (mixed // 255).astype(np.uint8)
