"""How far apart ridges must run so that they need not end: the period that fits a direction field.

Where ridges converge they come closer; a period that did not follow would force new lines to
begin at the same places on every finger. It grows nothing itself.
"""

from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

_STEP: Final = 4
"""Pixels of the grid on which it is computed."""
_STIFF: Final = 0.35
"""Weight of smoothness against fit."""
_HOME: Final = 0.0012
"""Weight of staying at the mean period, per square pixel of the grid."""
_JUMP: Final = 0.2
"""Radians per step of the grid."""
_ROUNDS: Final = 90
_SPAN: Final = 0.26
"""Natural logarithm beyond which skin would rather begin a new ridge."""

Floats = NDArray[np.float64]


def fitted(angle: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return height x width: the logarithm of the period over its mean.

    The wave vector k = n / period of ridges that never end has no curl. With the direction t of
    the ridges that reads d(log period)/dt = div t; it is solved as a least-squares problem by
    conjugate gradients.

    Args:
        angle: height x width, direction of the ridges, radians.
    """
    height, width = angle.shape
    size = (width // _STEP, height // _STEP)
    doubled = np.exp(2j * angle)
    real, imaginary = (
        cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        for part in (doubled.real, doubled.imag)
    )
    small = real + 1j * imaginary
    small = small / np.maximum(np.abs(small), 1e-6)
    cosine, sine = np.cos(np.angle(small) / 2), np.sin(np.angle(small) / 2)
    turn_x = np.imag(small.conj() * _ahead(small, 1)) / 2
    turn_y = np.imag(small.conj() * _ahead(small, 0)) / 2
    # At cores and deltas the direction jumps; no period can follow there.
    spread = np.clip(-sine * turn_x + cosine * turn_y, -_JUMP, _JUMP)

    def along(u: Floats) -> Floats:
        return np.asarray(cosine * _ahead(u, 1) + sine * _ahead(u, 0))

    def back(r: Floats) -> Floats:
        return _ahead_turned(cosine * r, 1) + _ahead_turned(sine * r, 0)

    def normal(u: Floats) -> Floats:
        smooth = _ahead_turned(_ahead(u, 1), 1) + _ahead_turned(_ahead(u, 0), 0)
        return back(along(u)) + _STIFF * smooth + _HOME * u

    logarithm = _solved(normal, back(spread))
    logarithm = _SPAN * np.tanh((logarithm - np.median(logarithm)) / _SPAN)
    return np.asarray(
        cv2.resize(logarithm.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC),
        np.float32,
    )


def _ahead(u: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return the difference to the next point along an axis, 0 at the end."""
    return np.asarray(np.diff(u, axis=axis, append=np.take(u, [-1], axis=axis)))


def _ahead_turned(r: Floats, axis: int) -> Floats:
    """Return the transposed of `_ahead` applied to `r`."""
    r = r.copy()
    r[(slice(None),) * axis + (-1,)] = 0
    return -np.diff(r, axis=axis, prepend=0.0)


def _solved(normal: Callable[[Floats], Floats], right: Floats) -> Floats:
    """Return the solution of normal(u) = right by conjugate gradients."""
    u, rest = np.zeros_like(right), right.copy()
    direction, power = rest.copy(), float((rest * rest).sum())
    for _ in range(_ROUNDS):
        pushed = normal(direction)
        length = power / max(1e-12, float((direction * pushed).sum()))
        u += length * direction
        rest -= length * pushed
        before, power = power, float((rest * rest).sum())
        direction = rest + power / max(1e-12, before) * direction
    return u
