"""How near the estimate for live pictures comes to NFIQ 2.3, and how long it takes.

Nothing of it is fitted. Every development impression, and eight changed copies of each (cropped
to a module's 256 x 288, with 4 bits, blurred, noisy, dry, wet, partial, pale); about four minutes:

    python -m benchmarks.finger_estimate [--data FOLDER]
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.fingers import DATA, SETS, Image, samples
from biometrics.finger.nfiq2 import Worker
from biometrics.finger.quality import preview
from biometrics.lab.figures import spearman

Floats = NDArray[np.float64]
COPIES = ("as taken", "module", "module, 4 bits", "blurred", "noisy", "dry", "wet", "part", "pale")
SPEED = 50


def copies(pixels: Image, rng: np.random.Generator) -> Iterator[Image]:
    """Yield the impression itself and eight changed copies of it, in the order of `COPIES`."""
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
    yield np.asarray(cv2.dilate(pixels, brush), np.uint8)
    yield np.asarray(cv2.erode(pixels, brush), np.uint8)
    high, wide = int(rng.integers(120, 260)), int(rng.integers(120, 230))
    top, left = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
    yield np.ascontiguousarray(pixels[top : top + high, left : left + wide])
    yield np.clip(255 - (255 - pixels.astype(float)) * rng.uniform(0.2, 0.6), 0, 255).astype(
        np.uint8
    )


def compared(name: str, mine: Floats, nist: Floats) -> None:
    """Print rank correlation, mean absolute error and mean error."""
    alike, off = spearman(mine, nist), mine - nist
    print(
        f"{name}: Spearman {alike:.3f}, MAE {np.abs(off).mean():.1f}, mean {off.mean():+.1f} "
        f"(n={len(mine)})"
    )


def main() -> None:
    """Print one line for each set and each kind of copy, and milliseconds of processor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the development sets")
    cv2.setNumThreads(1)
    mine, nist = list[float](), list[int]()
    names, kinds = list[str](), list[str]()
    frames = list[Image]()
    with Worker() as worker:
        for number, sample in enumerate(samples(parser.parse_args().data)):
            changed = copies(sample.pixels, np.random.default_rng(number))
            for kind, pixels in zip(COPIES, changed, strict=True):
                seen, scored = preview(pixels, 500), worker.score(pixels)
                if kind == "module":
                    frames.append(pixels)
                if seen.finger and scored is not None:
                    mine.append(seen.estimate)
                    nist.append(scored.score)
                    names.append(sample.set)
                    kinds.append(kind)
    values, wanted = np.array(mine), np.array(nist, np.float64)
    of_set, of_kind = np.array(names), np.array(kinds)
    taken = of_kind == COPIES[0]
    compared("as taken, all sets", values[taken], wanted[taken])
    for name in SETS:
        held = taken & (of_set == name)
        compared(f"as taken, {name}", values[held], wanted[held])
    for kind in COPIES[1:]:
        held = of_kind == kind
        compared(f"{kind}, all sets", values[held], wanted[held])
    begun = time.process_time()
    for pixels in frames[:SPEED]:
        preview(pixels, 500)
    spent = 1000 * (time.process_time() - begun) / SPEED
    print(f"estimate and gates of a frame of 256 x 288: {spent:.1f} ms CPU (n={SPEED})")


if __name__ == "__main__":
    main()
