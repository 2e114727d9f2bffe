"""How well and how fast one finger is found among many, beside comparing it with every one.

It tunes nothing. The gallery has one print of each of the 28 development fingers; the others are
fingers that nobody has: real prints mirrored, cut, turned, shifted and put together two by two, so
that their surroundings are those of real fingers and none is a searched one. Ten minutes:

    python -m benchmarks.search [--data FOLDER] [--gallery 10000] [--exhaustive 40]
"""

import argparse
import os
import platform
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.fingers import DATA, Sample, samples
from biometrics.finger.compare import compare
from biometrics.finger.extractor import Extractor
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.search import Gallery
from biometrics.lab.figures import Share

Floats = NDArray[np.float32]


def mirrored(points: Floats) -> Floats:
    """Return the print as it would look in a mirror: nobody's finger, with a finger's ways."""
    turned = points.copy()
    turned[:, 0] *= -1
    turned[:, 2] = np.angle(np.exp(1j * (np.pi - points[:, 2])))
    return turned


def touched(points: Floats, rng: np.random.Generator) -> Floats:
    """Return the print turned, stretched and a little off."""
    turn, stretch = rng.uniform(-0.5, 0.5), rng.uniform(0.93, 1.07)
    centre = points[:, :2].mean(axis=0)
    place = (points[:, 0] - centre[0] - 1j * (points[:, 1] - centre[1])) * np.exp(1j * turn)
    place = place * stretch + rng.normal(0, 2.5, (len(points), 2)) @ [1, 1j]
    angle = np.angle(np.exp(1j * (points[:, 2] + turn + rng.normal(0, 0.08, len(points)))))
    return np.column_stack([place.real, -place.imag, angle, points[:, 3]]).astype(np.float32)


def strangers(prints: Sequence[Minutiae], count: int) -> list[Minutiae]:
    """Return prints of fingers that nobody has: halves of two mirrored ones."""
    rng = np.random.default_rng(5)
    made = list[Minutiae]()
    for _ in range(count):
        one, other = (
            touched(mirrored(prints[at].points), rng) for at in rng.integers(0, len(prints), 2)
        )
        way, cut = rng.uniform(0, 2 * np.pi), rng.uniform(-40, 40)
        across = np.array([np.cos(way), np.sin(way)])
        both = np.vstack([one[one[:, :2] @ across > cut], other[other[:, :2] @ across <= cut]])
        made.append(Minutiae(points=both[np.argsort(-both[:, 3], kind="stable")]))
    return made


def said(name: str, right: int, count: int) -> str:
    """Return a share with its interval of 95 %."""
    low, high = Share(right, count).interval
    return f"{name} {100 * right / count:.1f} % ({100 * low:.1f}..{100 * high:.1f}), n={count}"


def searched(
    found: Sequence[Sample], prints: Sequence[Minutiae], size: int, exhaustive: int
) -> None:
    """Fill the gallery, search each other impression, and compare some with every print."""
    gallery = Gallery[str]()
    first, probes = dict[str, Minutiae](), list[tuple[str, Minutiae]]()
    for sample, print_ in zip(found, prints, strict=True):
        finger = f"{sample.set} {sample.finger}"
        if finger in first:
            probes.append((finger, print_))
        else:
            first[finger] = print_
    made = strangers(prints, size - len(first))
    everyone = first | {f"nobody {at}": print_ for at, print_ in enumerate(made)}
    started = time.process_time()
    for key, print_ in everyone.items():
        gallery.add(key, print_)
    spent = 1000 * (time.process_time() - started) / len(everyone)
    print(f"{len(gallery)} prints; adding one: {spent:.2f} ms of processor")

    times, right = list[float](), list[bool]()
    for finger, print_ in probes:
        started = time.process_time()
        likest = gallery.search(print_)
        times.append(1000 * (time.process_time() - started))
        right.append(bool(likest) and likest[0].key == finger)
    print(f"a search: median {np.median(times):.0f} ms of processor, most {max(times):.0f}")
    print(said("search: the finger is first in", sum(right), len(right)))

    some = range(0, len(probes), max(1, len(probes) // max(1, exhaustive)))
    begun, best = time.process_time(), list[bool]()
    for at in some:
        finger, print_ = probes[at]
        scores = {key: compare(print_, other) for key, other in everyone.items()}
        best.append(max(scores, key=lambda key: scores[key]) == finger)
    spent = (time.process_time() - begun) / len(best)
    print(f"comparing with every one: {spent:.1f} s of processor")
    print(said("  every one compared", sum(best), len(best)))
    print(said("  the same by search", sum(right[at] for at in some), len(best)))


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the development sets")
    parser.add_argument("--gallery", type=int, default=10_000, help="prints in the gallery")
    parser.add_argument("--exhaustive", type=int, default=40, help="prints compared with all")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    found = list(samples(asked.data))
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}")
    extractor = Extractor()
    prints = [extractor.extract(sample.pixels, 500) for sample in found]
    searched(found, prints, asked.gallery, asked.exhaustive)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"most memory of this process, network included: {peak:.0f} MB")


if __name__ == "__main__":
    main()
