"""Fits the weights of `biometrics.finger.estimate` to NFIQ 2.3, and says how they carry over.

It changes no file: the weights are printed, to be written where they stand. About ten minutes
on two idle cores:

    python -m benchmarks.finger_estimate [--data FOLDER]
"""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.fingers import DATA, SETS, Image, rank, samples
from biometrics.finger.estimate import terms
from biometrics.finger.measures import measure
from biometrics.finger.nfiq2 import Worker

Floats = NDArray[np.float64]
_TRUE_COPY = 3.0
"""Weight of an impression as it was taken; a changed copy has 1."""
_SOFT = 3.0
"""NFIQ 2 points below which an error counts as its square."""
_RIDGE = 3e-3
_STEPS = 40


def copies(pixels: Image, rng: np.random.Generator) -> Iterator[Image]:
    """Yield the impression itself and eight changed copies of it."""
    height, width = pixels.shape
    yield pixels
    top, left = max(0, (height - 288) // 2), max(0, (width - 256) // 2)
    window = np.ascontiguousarray(pixels[top : top + 288, left : left + 256])
    yield window
    yield ((window >> 4) * 17).astype(np.uint8)
    yield np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.8, 2.5)), np.uint8)
    noise = rng.normal(0, rng.uniform(8, 45), pixels.shape)
    yield np.clip(pixels + noise, 0, 255).astype(np.uint8)
    brush = np.ones((2, 2) if rng.random() < 0.5 else (3, 3), np.uint8)  # noqa: PLR2004 - a coin
    yield np.asarray(cv2.erode(pixels, brush), np.uint8)
    yield np.asarray(cv2.dilate(pixels, brush), np.uint8)
    high, wide = int(rng.integers(120, 260)), int(rng.integers(120, 230))
    top, left = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
    yield np.ascontiguousarray(pixels[top : top + high, left : left + wide])
    yield np.clip(255 - (255 - pixels.astype(float)) * rng.uniform(0.2, 0.6), 0, 255).astype(
        np.uint8
    )


def fit(features: Floats, wanted: Floats, weight: Floats) -> Floats:
    """Return weights and start (last) by damped Gauss-Newton on smoothed absolute errors."""
    middle, width = features.mean(axis=0), features.std(axis=0)
    design = np.column_stack([(features - middle) / width, np.ones(len(features))])
    damp = _RIDGE * len(wanted) * np.diag([*np.ones(features.shape[1]), 0.0])
    answer = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        guess = 100 / (1 + np.exp(-design @ answer))
        slope = guess * (1 - guess / 100)
        off = guess - wanted
        pull = weight / np.hypot(off, _SOFT)
        steep = design * slope[:, None]
        normal = (steep * pull[:, None]).T @ steep + damp
        answer -= np.linalg.solve(normal, steep.T @ (pull * off) + damp @ answer)
    scaled = answer[:-1] / width
    return np.append(scaled, answer[-1] - scaled @ middle)


def told(features: Floats, answer: Floats) -> Floats:
    """Return the estimates of features."""
    return np.asarray(100 / (1 + np.exp(-(features @ answer[:-1] + answer[-1]))), np.float64)


def compared(mine: Floats, nist: Floats) -> str:
    """Return Spearman and mean absolute error as text."""
    alike = float(np.corrcoef(rank(mine), rank(nist))[0, 1])
    return f"{alike:.3f} {np.abs(mine - nist).mean():.1f}"


def main() -> None:
    """Print the weights, and how each set fares under weights of the other two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the development sets")
    rows, wanted = list[dict[str, float]](), list[int]()
    names, true = list[str](), list[bool]()
    with Worker() as worker:
        for number, sample in enumerate(samples(parser.parse_args().data)):
            changed = copies(sample.pixels, np.random.default_rng(number))
            for which, pixels in enumerate(changed):
                seen, scored = measure(pixels), worker.score(pixels)
                if seen is None or scored is None:
                    continue
                rows.append(terms(seen))
                wanted.append(scored.score)
                names.append(sample.set)
                true.append(which == 0)
    features, nist = np.array([list(row.values()) for row in rows]), np.array(wanted, np.float64)
    sets, whole = np.array(names), np.array(true)
    weight = np.where(whole, _TRUE_COPY, 1.0)
    answer = fit(features, nist, weight)
    print(f"{len(nist)} impressions and copies")
    for name, value in zip((*rows[0], "start"), answer, strict=True):
        print(f"{name}: {value:.6g}")
    print("all impressions, these weights:", compared(told(features[whole], answer), nist[whole]))
    carried = np.full(len(nist), math.nan)
    for name in SETS:
        held = sets == name
        carried[held] = told(features[held], fit(features[~held], nist[~held], weight[~held]))
        mine = held & whole
        print(f"{name}, weights of the others:", compared(carried[mine], nist[mine]))
    print("all impressions, weights of the others:", compared(carried[whole], nist[whole]))


if __name__ == "__main__":
    main()
