"""What the live picture of the glass says before a touch is taken: a hint that does not flicker.

It takes no impression; only some readers have a live picture.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.finger.hints import FingerHint
from biometrics.finger.impression import ImpressionInvalid
from biometrics.finger.quality import preview

EVERY: Final = 3
"""Pictures; readers send 15 in a second, and five hints in it are more than anybody reads."""
SETTLED: Final = 2
"""Looks in a row that must agree before another hint is said."""


class Glass:
    """The live pictures of one touch.

    Args:
        told: called with each hint once it has settled; None where nothing needs mending.
        dpi: of the pictures.
    """

    def __init__(self, told: Callable[[FingerHint | None], None], dpi: int) -> None:
        self._told = told
        self._dpi = dpi
        self._count = 0
        self._said: FingerHint | None = None
        self._next: FingerHint | None = None
        self._agreed = 0

    def __call__(self, pixels: NDArray[np.uint8]) -> None:
        """Look at one picture, height x width."""
        self._count += 1
        if self._count % EVERY:
            return
        try:
            seen = preview(pixels, self._dpi)
        except ImpressionInvalid:
            return
        # An empty glass, or a picture of another scale than the reader's, says nothing.
        hint = seen.hint if seen.finger else None
        self._agreed = self._agreed + 1 if hint is self._next else 1
        self._next = hint
        if self._agreed >= SETTLED and hint is not self._said:
            self._said = hint
            self._told(hint)
