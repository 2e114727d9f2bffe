"""Laying one print over the other: turned, shifted, and a little stretched where pairs say so.

It grades no surroundings and gives no verdict.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.finger.pairing import Pairs, assigned

Floats = NDArray[np.float32]

_STRETCHED_FROM: Final = 6
"""Pairs from which on the skin's stretch can be told from noise."""
_SPREAD: Final = 60.0
"""Pixels over which a stretch is felt."""
_WIDEST_TURN: Final = 0.7
_TURN: Final = 0.3
"""Radians."""
_KNOWN: Final = 0.5
"""Grade of surroundings from which on they speak for a pair fully."""


def aligned(first: Floats, second: Floats, pairs: Pairs) -> Floats:
    """Return the second print laid over the first by the weighted least squares of the pairs.

    Args:
        first: n x 3 of x, y (upwards), angle; it stays.
        second: the same of the print that is moved.
        pairs: which of both belong together, at least one.
    """
    fixed, free = _complex(first), _complex(second)
    here = fixed[pairs.left]
    turn, shift = laid_over(here, free[pairs.right], pairs.weight)
    moved = turn * free + shift
    if len(pairs) >= _STRETCHED_FROM:
        moved = moved + _stretch(moved, moved[pairs.right], here, pairs.weight)
    return np.column_stack([moved.real, moved.imag, second[:, 2] + np.angle(turn)]).astype(
        np.float32
    )


def laid_over(
    here: NDArray[np.complex128], there: NDArray[np.complex128], weight: Floats
) -> tuple[complex, complex]:
    """Return turn (of length 1) and shift that bring `there` nearest to `here`."""
    share = weight / weight.sum()
    middle, centre = (share * here).sum(), (share * there).sum()
    lean = complex((share * np.conj(there - centre) * (here - middle)).sum())
    turn = lean / abs(lean) if abs(lean) > 0 else complex(1)
    return turn, complex(middle - turn * centre)


def gathered(first: Floats, moved: Floats, grades: Floats, reach: float) -> Pairs:
    """Return the pairs that lie within `reach` pixels and point the same way, each taken once."""
    apart = abs(_complex(first)[:, None] - _complex(moved)[None])
    turn = _wrapped(first[:, 2][:, None] - moved[:, 2][None])
    left, right = np.nonzero((apart <= reach) & (abs(turn) <= _WIDEST_TURN))
    near = np.exp(-2 * (apart[left, right] / reach) ** 2 - 0.5 * (turn[left, right] / _TURN) ** 2)
    weight = near * (0.3 + 0.7 * np.minimum(1, grades[left, right] / _KNOWN))
    found = Pairs(left=left, right=right, weight=weight.astype(np.float32))
    return assigned(found, found.weight)


def _stretch(
    points: NDArray[np.complex128],
    moved: NDArray[np.complex128],
    fixed: NDArray[np.complex128],
    weight: Floats,
) -> NDArray[np.complex128]:
    """Return what each point is off by, as its neighbouring pairs say; one part stays put."""
    near = np.exp(-0.5 * (abs(points[:, None] - moved[None]) / _SPREAD) ** 2) * weight
    drawn = (near * (fixed - moved)).sum(axis=1) / (1 + near.sum(axis=1))
    return np.asarray(drawn, np.complex128)


def _complex(points: Floats) -> NDArray[np.complex128]:
    return np.asarray(points[:, 0] + 1j * points[:, 1], np.complex128)


def _wrapped(angle: Floats) -> Floats:
    return np.asarray((angle + np.pi) % (2 * np.pi) - np.pi, np.float32)
