"""Every impression seen once, then every mate and every stranger compared, in several processes.

It reads the files and compares; figures stand in `errors`.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.finger import limits
from biometrics.finger.compare import compare
from biometrics.finger.extractor import Extractor
from biometrics.finger.impression import ImpressionInvalid
from biometrics.finger.lab.errors import Scores
from biometrics.finger.lab.impressions import Entry
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.quality import assess, preview
from biometrics.lab import workers
from biometrics.lab.sheet import inside

MAX_BYTES: Final = 32 * 1024 * 1024
_CHUNK: Final = 2000
"""Pairs handed to a process at once."""
Progress = Callable[[int, int], None]
Pair = tuple[int, int]
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One file to look at."""

    number: int
    path: Path | None
    dpi: int
    quality: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one file showed.

    Attributes:
        minutiae: None where no template could be made.
        problem: why, or empty.
    """

    minutiae: Minutiae | None = None
    finger: bool = False
    nfiq2: int | None = None
    estimate: float | None = None
    problem: str = ""


FELL: Final = Seen(problem="took its process down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was seen and how it compared.

    Attributes:
        mates, strangers: pairs of numbers of `entries`; scores stand beside them.
    """

    entries: tuple[Entry, ...]
    seen: tuple[Seen, ...]
    mates: tuple[Pair, ...]
    mate_scores: NDArray[np.float64]
    strangers: tuple[Pair, ...]
    stranger_scores: NDArray[np.float64]

    @property
    def sets(self) -> tuple[str, ...]:
        """Return the sets in the order of their first impression."""
        return tuple(dict.fromkeys(entry.set for entry in self.entries))

    def scores(self, of_set: str | None = None) -> Scores:
        """Return the scores of one set, or of all."""
        numbers = {
            key: at for at, key in enumerate(dict.fromkeys((e.set, e.finger) for e in self.entries))
        }
        finger = np.array([numbers[entry.set, entry.finger] for entry in self.entries], np.intp)
        mates = self._of(self.mates, of_set)
        strangers = self._of(self.strangers, of_set)
        left = np.asarray(self.mates, np.intp).reshape(-1, 2)[mates]
        right = np.asarray(self.strangers, np.intp).reshape(-1, 2)[strangers]
        return Scores(
            mates=self.mate_scores[mates],
            mate_fingers=finger[left[:, 0]],
            strangers=self.stranger_scores[strangers],
            stranger_fingers=finger[right],
            groups=[of for of, _ in numbers],
        )

    def poorer(self) -> NDArray[np.float64]:
        """Return the lower NFIQ 2 of each pair of mates, NaN where one has none."""
        known = np.array([np.nan if s.nfiq2 is None else s.nfiq2 for s in self.seen], np.float64)
        pairs = np.asarray(self.mates, np.intp).reshape(-1, 2)
        return np.asarray(np.minimum(known[pairs[:, 0]], known[pairs[:, 1]]), np.float64)

    def _of(self, pairs: Sequence[Pair], of_set: str | None) -> NDArray[np.bool_]:
        return np.array(
            [of_set is None or self.entries[one].set == of_set for one, _ in pairs], np.bool_
        )


def run(
    folder: Path,
    entries: Sequence[Entry],
    *,
    quality: bool,
    processes: int,
    progress: Progress,
) -> Trial:
    """Look at every impression and compare all of one set with each other.

    A file that cannot be used scores 0 with every other: it is missed, and never taken.
    """
    tasks = [
        Task(number=at, path=inside(folder, entry.file), dpi=entry.dpi, quality=quality)
        for at, entry in enumerate(entries)
    ]
    seen: list[Seen] = [FELL] * len(tasks)
    for count, (task, what) in enumerate(workers.each(look, tasks, processes), 1):
        seen[task.number] = what or FELL
        progress(count, len(tasks))
    mates, strangers = list[Pair](), list[Pair]()
    for one, other in itertools.combinations(range(len(entries)), 2):
        if entries[one].set == entries[other].set:
            same = entries[one].finger == entries[other].finger
            (mates if same else strangers).append((one, other))
    scores = _compared(seen, [*mates, *strangers], processes, progress)
    return Trial(
        entries=tuple(entries),
        seen=tuple(seen),
        mates=tuple(mates),
        mate_scores=scores[: len(mates)],
        strangers=tuple(strangers),
        stranger_scores=scores[len(mates) :],
    )


def look(task: Task) -> Seen:
    """Return what a file shows; runs in a worker process."""
    cv2.setNumThreads(1)
    pixels = read(task.path)
    if pixels is None:
        return Seen(problem="no picture that could be read")
    try:
        quality = assess(pixels, task.dpi) if task.quality else preview(pixels, task.dpi)
        minutiae = _extractor().extract(pixels, task.dpi)
    except ImpressionInvalid as error:
        return Seen(problem=str(error))
    few = minutiae.sure < limits.FEWEST_MINUTIAE.value
    return Seen(
        minutiae=minutiae,
        finger=quality.finger,
        nfiq2=quality.nfiq2,
        estimate=quality.estimate,
        problem=f"{minutiae.sure} minutiae" if few else "",
    )


def read(path: Path | None) -> Image | None:
    """Return a picture's grey pixels, None where it is absent, too large or none."""
    try:
        # A pipe or a device has no end.
        if path is None or not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        data = np.frombuffer(path.read_bytes(), np.uint8)
        pixels = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    start: int
    points: dict[int, Minutiae | None]
    pairs: tuple[Pair, ...]


def _compared(
    seen: Sequence[Seen], pairs: Sequence[Pair], processes: int, progress: Progress
) -> NDArray[np.float64]:
    scores = np.zeros(len(pairs))
    done = 0
    for chunk, found in workers.each(compare_all, _chunks(seen, pairs), processes):
        if found is not None:
            scores[chunk.start : chunk.start + len(chunk.pairs)] = found
        done += len(chunk.pairs)
        progress(done, len(pairs))
    return scores


def _chunks(seen: Sequence[Seen], pairs: Sequence[Pair]) -> Iterator[_Chunk]:
    for start in range(0, len(pairs), _CHUNK):
        some = tuple(pairs[start : start + _CHUNK])
        used = {number for pair in some for number in pair}
        points = {number: seen[number].minutiae for number in used}
        yield _Chunk(start=start, points=points, pairs=some)


def compare_all(chunk: _Chunk) -> list[float]:
    """Return the score of each pair; runs in a worker process."""
    found = []
    for one, other in chunk.pairs:
        a, b = chunk.points[one], chunk.points[other]
        found.append(0.0 if a is None or b is None else compare(a, b))
    return found


@cache
def _extractor() -> Extractor:
    return Extractor()
