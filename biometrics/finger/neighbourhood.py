"""How alike the surroundings of two minutiae are, whatever way the finger was turned.

It pairs nothing: every minutia of one print is only graded against every one of the other.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.finger import parameters

Floats = NDArray[np.float32]

_TURN: Final = parameters.NEIGHBOUR_TURN.value


def alike(a: Floats, b: Floats) -> Floats:
    """Return na x nb grades, 0..1, of the surroundings of a's and b's minutiae.

    Each minutia has its nearest neighbours in its own frame (origin at the minutia, x along
    its angle). A neighbour counts by the best one it meets on the other side, in both
    directions.

    Args:
        a: n x 3 of x, y (upwards), angle; at least two rows.
        b: the same of the other print.
    """
    # Many small products instead of one large: that one is spread over threads, which costs
    # more than it brings.
    near = _probes(_around(a))[:, None] @ _targets(_around(b))[None].swapaxes(2, 3)
    grades = _grade(near.max(axis=1)) + _grade(near.max(axis=0))
    return np.asarray(grades / 2, np.float32)


def _around(points: Floats) -> Floats:
    """Return k x n x 3: along, across and turn of the nearest neighbours of each minutia."""
    x, y, angle = points[:, 0], points[:, 1], points[:, 2]
    dx, dy = x[None] - x[:, None], y[None] - y[:, None]
    apart = np.hypot(dx, dy)
    np.fill_diagonal(apart, np.inf)
    k = min(int(parameters.NEIGHBOURS.value), len(points) - 1)
    nearest = np.argpartition(apart, k - 1, axis=1)[:, :k].T
    rows = np.arange(len(points))
    dx, dy = dx[rows, nearest], dy[rows, nearest]
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack(
        [cosine * dx + sine * dy, cosine * dy - sine * dx, angle[nearest] - angle], axis=2
    ).astype(np.float32)


def _probes(around: Floats) -> Floats:
    """Left factor of -cost / 2; cost is |p - q|^2 / tolerance^2 + turn * (1 - cos)."""
    along, across, turn = around[..., 0], around[..., 1], around[..., 2]
    square = along**2 + across**2
    near, far = parameters.NEIGHBOUR_NEAR.value, parameters.NEIGHBOUR_FAR.value
    weight = -0.5 / (near + far * np.sqrt(square)) ** 2
    return np.stack(
        [
            square * weight - 0.5 * _TURN,
            weight,
            -2 * along * weight,
            -2 * across * weight,
            0.5 * _TURN * np.cos(turn),
            0.5 * _TURN * np.sin(turn),
        ],
        axis=-1,
    )


def _targets(around: Floats) -> Floats:
    along, across, turn = around[..., 0], around[..., 1], around[..., 2]
    return np.stack(
        [
            np.ones_like(along),
            along**2 + across**2,
            along,
            across,
            np.cos(turn),
            np.sin(turn),
        ],
        axis=-1,
    )


def _grade(near: Floats) -> Floats:
    """Return na x nb: the mean over the neighbours of exp(-cost / 2), nothing for the worst."""
    grades = np.exp(near, out=near)
    grades *= grades > _WORST
    return np.asarray(grades.mean(axis=0), np.float32)


_WORST: Final = np.float32(np.exp(-0.5 * parameters.NEIGHBOUR_WORST.value))
