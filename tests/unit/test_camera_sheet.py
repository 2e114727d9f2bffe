"""A drawn print is what a print is: flat, or bent, and turned to the side of whoever is on it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.camera.sheet import Sheet, held

SIZE = (320, 180)
RED = np.full((60, 60, 3), (0, 0, 250), np.uint8)


def shown(sheet: Sheet) -> NDArray[np.bool_]:
    """Where the print is in the frame."""
    frame = held(RED, sheet, SIZE).astype(int)
    return np.asarray(frame[..., 2] - frame[..., 1] > 100)


def test_a_print_that_is_held_straight_is_a_square_in_the_middle() -> None:
    rows, columns = np.nonzero(shown(Sheet(span=0.5)))
    assert np.ptp(rows) == pytest.approx(90, abs=2)
    assert np.ptp(columns) == pytest.approx(90, abs=2)
    assert (rows.mean(), columns.mean()) == (pytest.approx(90, abs=1), pytest.approx(160, abs=1))


@pytest.mark.parametrize("yaw", [-40.0, 40.0])
def test_turned_to_one_side_it_is_narrower_and_its_other_edge_is_nearer(yaw: float) -> None:
    seen = shown(Sheet(span=0.5, yaw=yaw))
    columns = np.nonzero(seen.any(axis=0))[0]
    assert np.ptp(columns) < 80
    left, right = (int(seen[:, at].sum()) for at in (columns[0] + 3, columns[-1] - 3))
    # The left of whoever is printed is the picture's right.
    assert (left > right) is (yaw > 0)


def test_a_bent_print_is_narrower_and_shows_the_same_picture() -> None:
    flat, bent = shown(Sheet(span=0.5)), shown(Sheet(span=0.5, bend=2.0))
    assert np.ptp(np.nonzero(bent.any(axis=0))[0]) < np.ptp(np.nonzero(flat.any(axis=0))[0]) - 8
    assert bent[90, 160]


def test_the_same_sheet_is_the_same_frame_but_for_the_grain() -> None:
    sheet = Sheet(yaw=10, bend=0.5)
    assert np.array_equal(held(RED, sheet, SIZE, 1), held(RED, sheet, SIZE, 1))
    assert not np.array_equal(held(RED, sheet, SIZE, 1), held(RED, sheet, SIZE, 2))
