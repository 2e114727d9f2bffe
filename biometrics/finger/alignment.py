"""Laying one print over the other: turned, shifted, and a little stretched where pairs say so.

It grades no surroundings and gives no verdict.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.finger import parameters
from biometrics.finger.pairing import Pairs, assigned

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
_SIDES: Final = np.arange(parameters.SIDES.value) * (2 * np.pi / parameters.SIDES.value)
_OUTWARDS: Final = np.stack([np.cos(_SIDES), np.sin(_SIDES)]).astype(np.float32)
"""2 x directions: a print's outline is a polygon of so many sides."""


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
    if len(pairs) >= parameters.STRETCHED_FROM.value:
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
    across = first[:, 0, None] - moved[:, 0]
    along = first[:, 1, None] - moved[:, 1]
    apart = across * across + along * along
    left, right = np.nonzero(apart <= reach * reach)
    turn = _wrapped(first[left, 2] - moved[right, 2])
    alike = abs(turn) <= parameters.WIDEST_TURN.value
    left, right, turn = left[alike], right[alike], turn[alike]
    near = np.exp(
        -2 / reach**2 * apart[left, right] - 0.5 * (turn / parameters.GATHERED_TURN.value) ** 2
    )
    known = np.minimum(1, grades[left, right] / parameters.KNOWN.value)
    weight = near * (parameters.UNKNOWN.value + (1 - parameters.UNKNOWN.value) * known)
    found = Pairs(left=left, right=right, weight=weight.astype(np.float32))
    return assigned(found, found.weight)


def overlapping(first: Floats, moved: Floats) -> tuple[Mask, Mask]:
    """Return which minutiae of each print lie within the other's outline, with a border."""
    outlines = tuple((points[:, :2] @ _OUTWARDS) for points in (first, moved))
    border = parameters.BORDER.value
    here, there = (
        (mine <= theirs.max(axis=0) + border).all(axis=1)
        for mine, theirs in (outlines, outlines[::-1])
    )
    return here, there


def _stretch(
    points: NDArray[np.complex128],
    moved: NDArray[np.complex128],
    fixed: NDArray[np.complex128],
    weight: Floats,
) -> NDArray[np.complex128]:
    """Return what each point is off by, as its neighbouring pairs say; one part stays put."""
    near = (
        np.exp(-0.5 * (abs(points[:, None] - moved[None]) / parameters.SPREAD.value) ** 2) * weight
    )
    drawn = (near * (fixed - moved)).sum(axis=1) / (1 + near.sum(axis=1))
    return np.asarray(drawn, np.complex128)


def _complex(points: Floats) -> NDArray[np.complex128]:
    return np.asarray(points[:, 0] + 1j * points[:, 1], np.complex128)


def _wrapped(angle: Floats) -> Floats:
    return np.asarray((angle + np.pi) % (2 * np.pi) - np.pi, np.float32)
