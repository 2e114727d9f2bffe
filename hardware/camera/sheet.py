"""A printed picture before the camera instead of a person: flat or bent, and turned by a hand.

It is for measuring what such a picture gets past; no attack of the real world was copied.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.camera import scene, warp

Pixels = NDArray[np.uint8]

_AWAY: Final = 3.0
"""How far the sheet is from the lens, in its own widths: 60 cm for a sheet 20 cm across."""
_COLUMNS, _ROWS = 48, 16
"""Parts a bent sheet is drawn in."""
_GRAIN: Final = 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """How a sheet is held.

    Attributes:
        yaw, pitch: degrees, as of a head: to the left of whoever is printed, and down.
        span: width of the sheet, share of the frame's height.
        across, down: off the frame's middle, shares of the frame's height.
        bend: width over radius; 0 is flat, 1 bent by 57 degrees about an upright axis, as a hand
            bends a photograph towards the lens.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    span: float = 0.75
    across: float = 0.0
    down: float = 0.0
    bend: float = 0.0


def held(picture: Pixels, sheet: Sheet, size: tuple[int, int], grain: int = 0) -> Pixels:
    """Return the frame, height x width x 3, that shows the picture before a wall.

    Args:
        picture: height x width x 3, blue-green-red.
        sheet: how it is held.
        size: width and height of the frame.
        grain: seed of the sensor's noise.
    """
    width, height = size
    frame = scene.wall(width, height).copy()
    tall, wide = picture.shape[:2]
    if sheet.bend:
        columns, rows = _COLUMNS, _ROWS
    else:
        columns = rows = 1
    across, down = np.meshgrid(np.linspace(0, wide, columns + 1), np.linspace(0, tall, rows + 1))
    source = np.stack([across, down], -1).reshape(-1, 2)
    seen = _seen(source / wide - (0.5, 0.5 * tall / wide), sheet, size)
    if sheet.bend:
        texture = np.dstack([picture, np.full((tall, wide), 255, np.uint8)])
        layer = warp.draw(
            texture,
            source.astype(np.float32),
            seen.astype(np.float32),
            _triangles(columns + 1, rows + 1),
            size,
        )
        shown = layer[..., 3] > 0
        frame[shown] = layer[shown][:, :3]
    else:
        # A plane is drawn as what it is: patches would not be one homography.
        plane = cv2.getPerspectiveTransform(
            source.astype(np.float32), seen[:, :2].astype(np.float32)
        )
        cv2.warpPerspective(
            picture, plane, size, dst=frame, borderMode=cv2.BORDER_TRANSPARENT, flags=cv2.INTER_AREA
        )
    noise = np.random.default_rng(grain).normal(0, _GRAIN, (height, width, 1))
    return np.clip(np.rint(frame + noise), 0, 255).astype(np.uint8)


def _seen(flat: NDArray[np.float64], sheet: Sheet, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return n x 3 pixels and depth of points of the sheet, n x 2 in its widths."""
    points = np.column_stack([flat, np.zeros(len(flat))])
    if sheet.bend:
        angle = flat[:, 0] * sheet.bend
        points[:, 0] = np.sin(angle) / sheet.bend
        points[:, 2] = (1 - np.cos(angle)) / sheet.bend
    yaw, pitch = math.radians(sheet.yaw), math.radians(sheet.pitch)
    about_y = np.array(
        [[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]]
    )
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
    )
    x, y, away = (points @ (about_x @ about_y).T).T
    width, height = size
    scale = sheet.span * height / (1 + away / _AWAY)
    return np.column_stack(
        [
            width / 2 + sheet.across * height + scale * x,
            height / 2 + sheet.down * height + scale * y,
            away * height,
        ]
    )


def _triangles(columns: int, rows: int) -> NDArray[np.int32]:
    """Return m x 3 corners of a grid's triangles."""
    corner = np.arange(columns * rows, dtype=np.int32).reshape(rows, columns)
    first = np.stack([corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1]], -1)
    second = np.stack([corner[1:, 1:], corner[1:, :-1], corner[:-1, 1:]], -1)
    return np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)])
