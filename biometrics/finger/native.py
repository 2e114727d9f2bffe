"""The native measures of NFIQ 2 that need no minutiae, of a whole picture in some milliseconds.

It weighs nothing: `forest` does. Methods and block sizes are those of NIST's NFIQ 2.3 (public
domain; ISO/IEC 29794-4:2017 and the NFIQ 2 report describe them), written anew for whole arrays.
How near it comes to NIST's own values stands in docs/fingers.md.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from biometrics.finger.roi import region

Floats = NDArray[np.float64]
Image = NDArray[np.uint8]
Indices = NDArray[np.intp]
Singles = NDArray[np.float32]

BLOCK: Final = 32
"""Pixels at 500 dpi: four ridges."""
_MARGIN: Final = 2
"""A block that is turned needs so much around it: sqrt(32^2 + 16^2) is 36."""
_WIDE: Final = BLOCK + 2 * _MARGIN
_NARROW: Final = slice(10, 26)
_LONG: Final = slice(2, 34)
"""What is cut out of a turned block: 16 pixels along the ridges, 32 across."""
_LEAST_SPREAD: Final = 0.1
"""Of a block with ridges, as a share of the picture's own."""
_NEAR_WHITE: Final = 250
"""Mean grey of a row or column that is frame and not picture."""
_LEAST_TURN: Final = math.radians(4)
_SHARP_BITS: Final = 10
"""A nearest neighbour is looked up in 1/1024 pixels, as OpenCV does."""
_RIDGE_WIDTHS: Final = (3.0, 10.0)
_VALLEY_WIDTHS: Final = (2.0, 10.0)
"""Pixels within which clear ridges and valleys are wide."""
_UNIT: Final = 20.0
_SIDE_PEAKS: Final = 0.3
_ANSWER: Final = 1e10
_BINS: Final = {
    "FDA": (0.268, 0.304, 0.33, 0.355, 0.38, 0.407, 0.44, 0.50, 1.0),
    "LCS": (0.0, 0.70, 0.74, 0.77, 0.79, 0.81, 0.83, 0.85, 0.87),
    "OCL": (0.337, 0.479, 0.579, 0.655, 0.716, 0.766, 0.81, 0.852, 0.898),
    "OF": (1.715e-2, 3.5e-2, 5.57e-2, 8.1e-2, 1.15e-1, 1.718e-1, 2.569e-1, 4.758e-1, 7.48e-1),
    "RVUP": (0.5, 0.667, 0.8, 1.0, 1.25, 1.5, 2.0, 24.0, 30.0),
}
"""Upper ends of the first nine of ten bins, NFIQ 2.3."""
_FEWEST: Final = 10
"""Blocks below which NFIQ 2 gives no score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Blocks with a margin around each.

    Attributes:
        angle: rows x columns, direction across the ridges, radians.
        ridged: rows x columns, whether there are ridges.
    """

    angle: Floats
    ridged: NDArray[np.bool_]


def natives(image: Image) -> dict[str, float] | None:
    """Return the measures by NFIQ 2's own names, None where it would give no score.

    Args:
        image: height x width at 500 dpi, dark ridges on light ground.
    """
    framed = _without_frame(image)
    if min(framed.shape) < _WIDE + 1:
        return None
    grid = _grid(framed)
    angles = grid.angle[grid.ridged]
    if len(angles) < _FEWEST:
        return None
    # The wider ones are cut at the same places and thus off their middle: NFIQ 2 has it so.
    chosen = _windows(framed, grid.ridged, 0)
    padded = _windows(framed, grid.ridged, _MARGIN)
    across = _turned(padded, angles + math.pi / 2, _LONG, _NARROW).mean(axis=2)
    certain = _certainty(_blocks(framed))
    found = {
        **_histogram("FDA", _frequency(across)),
        **_histogram("LCS", _clarity(_turned(chosen, angles, _NARROW, _LONG))),
        **_histogram("OCL", certain),
        **_histogram("OF", _flow(grid)),
        **_histogram("RVUP", _uniformity(_turned(padded, angles, _NARROW, _LONG))),
        "Mu": float(framed.mean()),
        "MMB": float(_block_means(framed).mean()),
    }
    inside = region(framed)
    if not inside.any():
        return None
    found["ImgProcROIArea_Mean"] = float(framed[inside].mean())
    coherent = _coherence(framed, inside)
    found["OrientationMap_ROIFilter_CoherenceSum"] = float(coherent.sum())
    found["OrientationMap_ROIFilter_CoherenceRel"] = float(coherent.mean())
    return found


def _without_frame(image: Image) -> Image:
    spans = []
    for axis in (1, 0):
        inked = np.flatnonzero(image.mean(axis=axis) <= _NEAR_WHITE)
        if not inked.size:
            return image
        spans.append(slice(int(inked[0]), int(inked[-1]) + 1))
    return np.ascontiguousarray(image[spans[0], spans[1]])


def _blocks(image: Image, offset: int = 0) -> Image:
    """Return rows x columns x 32 x 32: the whole blocks from an offset on."""
    rows, columns = ((side - 2 * offset) // BLOCK for side in image.shape)
    cut = image[offset : offset + rows * BLOCK, offset : offset + columns * BLOCK]
    return cut.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)


def _grid(image: Image) -> _Grid:
    blocks = _blocks(image, _MARGIN)
    rows, columns = blocks.shape[:2]
    xx, yy, xy = _tensor(blocks)
    strong = _spread(image) / max(float(image.std()), 1e-9) > _LEAST_SPREAD
    # A block with its margin lies on four blocks of the mask.
    fits = strong[:rows, :columns] & strong[1 : rows + 1, :columns]
    fits &= strong[:rows, 1 : columns + 1] & strong[1 : rows + 1, 1 : columns + 1]
    return _Grid(angle=np.arctan2(xy, xx - yy) / 2, ridged=fits)


def _windows(image: Image, chosen: NDArray[np.bool_], more: int) -> Image:
    """Return n x side x side: the chosen blocks with their margin and so many pixels more."""
    side = _WIDE + 2 * more
    views = np.lib.stride_tricks.sliding_window_view(np.pad(image, more), (side, side))
    rows, columns = chosen.shape
    return np.asarray(views[::BLOCK, ::BLOCK][:rows, :columns][chosen], np.uint8)


def _gradients(blocks: Image) -> tuple[Singles, Singles]:
    """Return the differences along x and y within each block: central, at its edges forward."""
    values = blocks.astype(np.float32)
    return _differences(values, -1), _differences(values, -2)


def _differences(values: Singles, axis: int) -> Singles:
    # Along one pixel nothing differs.
    if values.shape[axis] == 1:
        return np.zeros_like(values)
    return np.asarray(np.gradient(values, axis=axis), np.float32)


def _tensor(blocks: Image) -> tuple[Floats, Floats, Floats]:
    x, y = _gradients(blocks)
    return tuple(
        np.einsum("...ij,...ij->...", one, other).astype(np.float64) / BLOCK**2
        for one, other in ((x, x), (y, y), (x, y))
    )


def _padded_blocks(image: Image) -> tuple[Floats, Floats, Floats]:
    """Return sum, sum of squares and count of each block, those cut off by the edge too."""
    edges = [np.arange(0, side, BLOCK) for side in image.shape]
    values = image.astype(np.float64)
    sums = np.add.reduceat(np.add.reduceat(values, edges[0], axis=0), edges[1], axis=1)
    squares = np.add.reduceat(np.add.reduceat(values**2, edges[0], axis=0), edges[1], axis=1)
    sides = [np.diff(np.append(edge, side)) for edge, side in zip(edges, image.shape, strict=True)]
    return sums, squares, np.outer(*sides).astype(np.float64)


def _block_means(image: Image) -> Floats:
    sums, _, counts = _padded_blocks(image)
    return sums / counts


def _spread(image: Image) -> Floats:
    sums, squares, counts = _padded_blocks(image)
    mean = sums / counts
    return np.asarray(np.sqrt(np.maximum(squares / counts - mean**2, 0)), np.float64)


def _turned(windows: Image, angle: Floats, rows: slice, columns: slice) -> Image:
    """Return n x rows x columns cut out of windows that are turned until ridges stand upright."""
    side = windows.shape[1]
    middle = side / 2
    y, x = np.mgrid[rows, columns].astype(np.float64)
    cosine, sine = (np.round(f(angle), 15)[:, None, None] for f in (np.cos, np.sin))
    shift_x = middle - cosine * middle + sine * middle
    shift_y = middle - sine * middle - cosine * middle
    at_x = (_whole(cosine * x[:1]) + _whole(-sine * y[:, :1] + shift_x)) >> _SHARP_BITS
    at_y = (_whole(sine * x[:1]) + _whole(cosine * y[:, :1] + shift_y)) >> _SHARP_BITS
    inside = (at_x >= 0) & (at_x < side) & (at_y >= 0) & (at_y < side)
    at = (np.arange(len(windows), dtype=np.int32) * side**2)[:, None, None] + at_y * side + at_x
    found = windows.ravel()[np.where(inside, at, 0)]
    return np.where(inside, found, np.uint8(0))


def _whole(place: Floats) -> NDArray[np.int32]:
    # Half a pixel goes to both parts of a sum, so that it is rounded once.
    return np.rint(place * (1 << _SHARP_BITS)).astype(np.int32) + (1 << _SHARP_BITS - 2)


def _frequency(profiles: Floats) -> Floats:
    """Return how much of a profile's energy lies in one frequency (FDA)."""
    strength = np.abs(np.fft.fft(profiles, axis=1))[:, 1:]
    count = strength.shape[1]
    peak = strength[:, : count // 2 + 1].argmax(axis=1)
    number = np.arange(len(strength))
    sides = strength[number, np.maximum(peak - 1, 0)] + strength[number, peak + 1]
    total = np.maximum(strength[:, : count // 2].sum(axis=1), 1e-12)
    score = (strength[number, peak] + _SIDE_PEAKS * sides) / total
    return np.asarray(np.where(peak == 0, 1.0, score), np.float64)


def _profile(cut: Image) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the trend line of each block's columns, and which columns are ridge."""
    means = cut.mean(axis=1)
    x = np.arange(1, means.shape[1] + 1, dtype=np.float64)
    off = x - x.mean()
    slope = (means * off).sum(axis=1) / (off**2).sum()
    start = means.mean(axis=1) - slope * x.mean()
    slope, start = (np.round(value * _ANSWER) / _ANSWER for value in (slope, start))
    trend = slope[:, None] * x + start[:, None]
    return trend, means < trend


def _clarity(cut: Image) -> Floats:
    """Return how well ridges and valleys are told apart by their grey (LCS)."""
    trend, ridge = _profile(cut)
    light = cut >= trend[:, None]
    high = cut.shape[1]
    wrong_ridge = (light & ridge[:, None]).sum(axis=(1, 2))
    wrong_valley = (~light & ~ridge[:, None]).sum(axis=(1, 2))
    ridges, valleys = ridge.sum(axis=1) * high, (~ridge).sum(axis=1) * high
    score = 1 - (wrong_valley / np.maximum(valleys, 1) + wrong_ridge / np.maximum(ridges, 1)) / 2
    clear = [_clear(row) for row in ridge]
    return np.asarray(np.where(clear, score, 0.0), np.float64)


def _clear(ridge: NDArray[np.bool_]) -> bool:
    """Return whether ridges and valleys are as wide as they may be, on average."""
    changes = np.flatnonzero(ridge[1:] != ridge[:-1])
    if not changes.size:
        return False
    widths = np.diff(changes, prepend=0)
    first, second = widths[0::2], widths[1::2]
    ridges, valleys = (first, second) if ridge[0] else (second, first)
    return _within(ridges, _RIDGE_WIDTHS) and _within(valleys, _VALLEY_WIDTHS)


def _within(widths: Indices, limits: tuple[float, float]) -> bool:
    # Added and scaled as NFIQ 2 does it: many a mean lies on its limit.
    mean = sum(width / _UNIT for width in widths.tolist()) * (1.0 / max(1, widths.size))
    return bool(widths.size) and limits[0] / _UNIT <= mean <= limits[1] / _UNIT


def _uniformity(cut: Image) -> Floats:
    """Return the ratios of widths of neighbouring ridges and valleys (RVUP)."""
    _, ridge = _profile(cut)
    return np.array([ratio for row in ridge for ratio in _ratios(row)], np.float64)


def _ratios(ridge: NDArray[np.bool_]) -> Iterator[float]:
    # The last column is not looked at: NFIQ 2 has it so.
    changes = np.flatnonzero(ridge[1:-1] != ridge[:-2])
    if changes.size < 4 or changes[-1] <= changes[0] + 1:  # noqa: PLR2004 - two whole widths
        return
    widths = np.diff(changes)[1:][::-1].tolist()
    first = int(ridge[changes[0] + 1])
    for at, (one, other) in enumerate(pairwise(widths)):
        ratio = one / other
        yield 1 / ratio if at >= first and (at - first) % 2 == 0 else ratio


def _certainty(blocks: Image) -> Floats:
    """Return how surely each block has one direction (OCL); those without any are left out."""
    xx, yy, xy = (part.ravel() for part in _tensor(blocks))
    root = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    largest, least = (xx + yy + root) / 2, (xx + yy - root) / 2
    some = largest > 0
    return np.asarray(1 - least[some] / largest[some], np.float64)


def _flow(grid: _Grid) -> Floats:
    """Return how much the direction turns from block to block (OF), where it turns at all."""
    padded = np.pad(grid.angle, 1)
    rows, columns = grid.angle.shape
    turn = np.zeros_like(grid.angle)
    whole = np.ones_like(grid.ridged)
    ridged = np.pad(grid.ridged, 1)
    for down in range(3):
        for right in range(3):
            off = np.abs(grid.angle - padded[down : down + rows, right : right + columns])
            turn += np.minimum(off, 2 * math.pi - off)
            whole &= ridged[down : down + rows, right : right + columns]
    turn /= 8
    chosen = turn[whole & (turn > _LEAST_TURN)]
    return np.asarray((chosen - _LEAST_TURN) / (math.pi / 2 - _LEAST_TURN), np.float64)


def _coherence(image: Image, inside: NDArray[np.bool_]) -> Floats:
    """Return the coherence of every block that the finger touches, those cut off too."""
    found = []
    for rows, columns in product(*map(_stretches, image.shape)):
        touched = _cut(inside, rows, columns).any(axis=(2, 3))
        if touched.any():
            found.append(_coherent(_cut(image, rows, columns)[touched]))
    return np.concatenate(found)


def _stretches(side: int) -> Iterator[tuple[slice, int]]:
    """Yield the part of a side that whole blocks cover and what is left, with the block's size."""
    whole, rest = side // BLOCK * BLOCK, side % BLOCK
    yield slice(0, whole), BLOCK
    if rest:
        yield slice(whole, side), rest


def _cut(values: Any, rows: tuple[slice, int], columns: tuple[slice, int]) -> Any:  # noqa: ANN401 - either kind
    part = values[rows[0], columns[0]]
    high, wide = part.shape
    return part.reshape(high // rows[1], rows[1], wide // columns[1], columns[1]).swapaxes(1, 2)


def _coherent(blocks: Image) -> Floats:
    """Return how much the doubled directions within each block add up to one."""
    x, y = _gradients(blocks)
    across, diagonal = x * x - y * y, 2 * x * y
    total = np.sqrt(across**2 + diagonal**2).sum(axis=(1, 2), dtype=np.float64)
    one = np.hypot(across.sum(axis=(1, 2)), diagonal.sum(axis=(1, 2)))
    return np.asarray(np.divide(one, total, out=np.zeros_like(total), where=total > 0), np.float64)


def _histogram(name: str, values: Floats) -> dict[str, float]:
    counts = np.bincount(np.searchsorted(_BINS[name], values, "right"), minlength=10)
    found = {f"{name}_Bin10_{at}": float(count) for at, count in enumerate(counts)}
    found[f"{name}_Bin10_Mean"] = float(values.mean()) if values.size else 0.0
    found[f"{name}_Bin10_StdDev"] = float(values.std()) if values.size else 0.0
    return found
