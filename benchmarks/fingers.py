"""How well fingers are matched and judged, beside NBIS (mindtct, bozorth3) and NFIQ 2.3.

It tunes nothing. All genuine and all impostor pairs of the three development sets, about
four minutes on two idle cores:

    python -m benchmarks.fingers [--data FOLDER]
"""

import argparse
import csv
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import cv2
import nbis
import numpy as np
from numpy.typing import NDArray

from biometrics.finger import limits
from biometrics.finger.compare import compare
from biometrics.finger.extractor import Extractor
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.nfiq2 import ALGORITHM, Worker
from biometrics.finger.quality import assess, preview

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
SETS = ("fvc2002db1b", "fvc2004db4b", "upek")
R = TypeVar("R")
P = TypeVar("P")
DATA = Path(__file__).resolve().parents[2] / "shared/data/fingers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One development impression."""

    set: str
    finger: str
    file: Path
    pixels: Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of mates and of strangers, and milliseconds of processor for each comparison."""

    mates: Floats
    strangers: Floats
    milliseconds: float


def samples(data: Path) -> Iterator[Sample]:
    """Read every impression of the three sets, in the manifest's order."""
    with (data / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["set"] not in SETS:
                continue
            path = data / row["set"] / row["file"]
            pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            assert pixels is not None, path
            yield Sample(
                set=row["set"],
                finger=row["finger"],
                file=path,
                pixels=np.asarray(pixels, np.uint8),
            )


def timed(work: Callable[[Sample], R], over: Sequence[Sample]) -> tuple[list[R], float]:
    """Return the results and the milliseconds of processor for each."""
    started = time.process_time()
    results = [work(item) for item in over]
    return results, 1000 * (time.process_time() - started) / max(1, len(over))


def score(templates: Sequence[P], fingers: Sequence[str], judge: Callable[[P, P], float]) -> Scores:
    """Compare every print with every later one."""
    mates, strangers = list[float](), list[float]()
    started = time.process_time()
    for one, other in combinations(range(len(templates)), 2):
        side = mates if fingers[one] == fingers[other] else strangers
        side.append(judge(templates[one], templates[other]))
    spent = time.process_time() - started
    return Scores(
        mates=np.sort(mates),
        strangers=np.sort(strangers),
        milliseconds=1000 * spent / (len(mates) + len(strangers)),
    )


def errors(scores: Scores) -> tuple[float, float, float, float]:
    """Return EER and FNMR at FMR 1 %, 0.1 % and 0, in per cent."""
    levels = np.unique(np.concatenate([scores.mates, scores.strangers, [np.inf]]))
    missed = np.searchsorted(scores.mates, levels, "left") / len(scores.mates)
    taken = 1 - np.searchsorted(scores.strangers, levels, "left") / len(scores.strangers)
    meet = int(np.abs(missed - taken).argmin())
    one, tenth, none = (100 * float(missed[taken <= rate].min()) for rate in (0.01, 0.001, 0.0))
    return 100 * float(missed[meet] + taken[meet]) / 2, one, tenth, none


def pooled(scores: Sequence[Scores]) -> Scores:
    """Return all scores under one threshold."""
    return Scores(
        mates=np.sort(np.concatenate([part.mates for part in scores])),
        strangers=np.sort(np.concatenate([part.strangers for part in scores])),
        milliseconds=float(np.mean([part.milliseconds for part in scores])),
    )


def rank(values: Floats) -> Floats:
    """Return ranks, the mean of them where values are equal."""
    _, where, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[where], np.float64)


def matching(found: Sequence[Sample]) -> None:
    """Print the error rates of ours and of NBIS, the thresholds, and the times."""
    extractor, mindtct = Extractor(), _mindtct()
    ours, leader = timed(lambda sample: extractor.extract(sample.pixels, 500), found)
    theirs, nist = timed(lambda sample: mindtct.extract_minutiae(sample.file.read_bytes()), found)
    print(f"extraction, ms of processor: LEADER {leader:.0f}, mindtct {nist:.0f}")
    points = np.percentile([len(print_) for print_ in ours], (50, 90, 99))
    sure = float(np.median([print_.sure for print_ in ours]))
    print("minutiae of a print, 50/90/99 %:", *points, f"of which sure: {sure:.0f}")
    print("set | mates/strangers | ours EER FMR100 FMR1000 Zero | bozorth3 the same | ratio of EER")
    all_ours, all_nist = list[Scores](), list[Scores]()
    for name in SETS:
        where = [at for at, sample in enumerate(found) if sample.set == name]
        fingers = [found[at].finger for at in where]
        all_ours.append(score([ours[at] for at in where], fingers, compare))
        all_nist.append(score([theirs[at] for at in where], fingers, lambda a, b: a.compare(b)))
        row(name, all_ours[-1], all_nist[-1])
    mine, nists = pooled(all_ours), pooled(all_nist)
    row("pooled", mine, nists)
    print(
        f"a comparison, ms of processor, mean of all: ours {mine.milliseconds:.2f}, bozorth3 "
        f"{nists.milliseconds:.2f}, ratio {nists.milliseconds / mine.milliseconds:.1f}"
    )
    comparing(ours, theirs, [f"{sample.set} {sample.finger}" for sample in found])
    print(f"highest stranger {mine.strangers[-1]:.2f}, lowest mate {mine.mates[0]:.2f}")
    for limit in (limits.OTHER_BELOW, limits.CONTROL_FROM, limits.SAME_FROM):
        mates = 100 * float((mine.mates >= limit.value).mean())
        strangers = int((mine.strangers >= limit.value).sum())
        print(f"from {limit.value}: {mates:.1f} % of mates, {strangers} strangers")


def _mindtct() -> "nbis.NbisExtractor":
    return nbis.new_nbis_extractor(
        nbis.NbisExtractorSettings(
            min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=False, ppi=500
        )
    )


def spent(work: Callable[..., object], *given: object) -> float:
    """Return the milliseconds of processor that the work took."""
    started = time.process_time()
    work(*given)
    return 1000 * (time.process_time() - started)


def comparing(
    ours: Sequence[Minutiae], theirs: Sequence["nbis.Minutiae"], fingers: Sequence[str]
) -> None:
    """Print the times of single comparisons, ours and bozorth3, and of a session's."""
    for name, mates in (("mates", True), ("strangers", False)):
        every = combinations(range(len(ours)), 2)
        pairs = [pair for pair in every if (fingers[pair[0]] == fingers[pair[1]]) is mates]
        some = pairs[:: max(1, len(pairs) // 400)]
        mine = np.array([spent(compare, ours[one], ours[other]) for one, other in some])
        nist = np.array([spent(theirs[one].compare, theirs[other]) for one, other in some])
        middle, half = float(np.median(mine)), float(np.median(nist))
        print(
            f"  {name} (n={len(some)}): ours median {middle:.2f}, 99 % "
            f"{np.percentile(mine, 99):.2f}; bozorth3 {half:.2f}, {np.percentile(nist, 99):.2f}; "
            f"ratio of medians {half / middle:.1f}"
        )
    session = [*combinations(ours[:10], 2), *zip(ours[:10], ours[10:20], strict=True)]
    print(
        f"{len(session)} comparisons of a session of ten fingers: "
        f"{sum(spent(compare, one, other) for one, other in session):.0f} ms"
    )


def extracting(found: Sequence[Sample]) -> None:
    """Print the time for pictures of a serial module's size, beside mindtct on the same."""
    extractor, mindtct = Extractor(), _mindtct()
    pictures = list[Image]()
    for sample in found:
        height, width = sample.pixels.shape
        if height >= 288 and width >= 256:  # noqa: PLR2004 - the module's picture
            top, left = (height - 288) // 2, (width - 256) // 2
            pictures.append(np.ascontiguousarray(sample.pixels[top : top + 288, left : left + 256]))
    files = [b"P5\n256 288\n255\n" + picture.tobytes() for picture in pictures]
    extractor.extract(pictures[0], 500)
    leader, nist = list[float](), list[float]()
    for picture, file in zip(pictures, files, strict=True):
        leader.append(spent(extractor.extract, picture, 500))
        nist.append(spent(mindtct.extract_minutiae, file))
    print(
        f"256 x 288 pixels (n={len(pictures)}), ms of processor, median: LEADER "
        f"{np.median(leader):.0f}, mindtct {np.median(nist):.0f}, "
        f"ratio {np.median(leader) / np.median(nist):.1f}"
    )


def row(name: str, ours: Scores, nist: Scores) -> None:
    """Print one line of the table of errors."""
    mine, theirs = errors(ours), errors(nist)
    ratio = f"{theirs[0] / mine[0]:.1f}" if mine[0] else "-"
    print(
        f"{name} | {len(ours.mates)}/{len(ours.strangers)} | "
        + " ".join(f"{value:.2f}" for value in mine)
        + " | "
        + " ".join(f"{value:.2f}" for value in theirs)
        + f" | {ratio}"
    )


def quality(found: Sequence[Sample]) -> None:
    """Print how near the estimate comes to NFIQ 2, and what is taken for a finger."""
    live, milliseconds = timed(lambda sample: preview(sample.pixels, 500), found)
    with Worker() as worker:
        started = time.perf_counter()
        scored = [assess(sample.pixels, 500, worker=worker).nfiq2 for sample in found]
        waited = 1000 * (time.perf_counter() - started) / len(found)
    print(f"{ALGORITHM}: {waited:.0f} ms of waiting; estimate: {milliseconds:.1f} ms of processor")
    print("set | n | Spearman | mean absolute error | median NFIQ 2")
    for name in (*SETS, "pooled"):
        where = [
            at
            for at, sample in enumerate(found)
            if name in {sample.set, "pooled"} and scored[at] is not None
        ]
        nist = np.array([scored[at] for at in where], np.float64)
        mine = np.array([live[at].estimate for at in where])
        alike = float(np.corrcoef(rank(nist), rank(mine))[0, 1])
        off = float(np.abs(nist - mine).mean())
        print(f"{name} | {len(where)} | {alike:.3f} | {off:.1f} | {np.median(nist):.0f}")
    refused = sum(not seen.finger for seen in live)
    inverted = sum(not preview(255 - sample.pixels, 500).finger for sample in found)
    print(f"refused as no finger: {refused} of {len(found)}; inverted: {inverted} of {len(found)}")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the development sets")
    found = list(samples(parser.parse_args().data))
    cv2.setNumThreads(1)
    load = os.getloadavg()[0]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, {len(found)} impressions"
    )
    extracting(found)
    matching(found)
    quality(found)


if __name__ == "__main__":
    main()
