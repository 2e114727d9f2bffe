"""One-to-one comparison on labelled pairs: false matches, false non-matches, group by group.

It searches nobody among many, and holds no descriptor longer than a run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face import descriptor
from biometrics.face.compare import Comparer
from biometrics.face.descriptor import FaceModel
from biometrics.face.images import ImageRefused, decode
from biometrics.face.lab.judging import Progress, read
from biometrics.face.lab.labels import Pair
from biometrics.lab import workers
from biometrics.lab.figures import Share
from biometrics.lab.sheet import inside


@dataclass(frozen=True, slots=True)
class Task:
    """One file to describe; `model` None is the network that comes with us."""

    name: str
    path: Path
    model: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A pair and its distance, None where one of its pictures could not be described."""

    pair: Pair
    distance: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Errors of some pairs at one threshold."""

    threshold: float
    false_match: Share
    false_non_match: Share


def model_at(path: Path | None) -> FaceModel:
    """Return the network that a JSON file names, ours for None.

    Raises:
        DescriptorMissing, DescriptorRefused: see `biometrics.face.descriptor`.
    """
    return descriptor.shipped() if path is None else descriptor.from_file(path)


def compare_pairs(
    folder: Path, pairs: Sequence[Pair], model: Path | None, processes: int, progress: Progress
) -> tuple[Compared, ...]:
    """Return the pairs with their distances; every picture is described once.

    Raises:
        DescriptorMissing, DescriptorRefused: the network cannot be loaded.
    """
    names = dict.fromkeys(name for pair in pairs for name in (pair.file_a, pair.file_b))
    tasks = [Task(name, path, model) for name in names if (path := inside(folder, name))]
    known: dict[str, NDArray[np.float64] | None] = {}
    for task, found in workers.each(describe_file, tasks, processes):
        known[task.name] = found
        progress(len(known), len(tasks))
    return tuple(
        Compared(pair=pair, distance=_distance(known.get(pair.file_a), known.get(pair.file_b)))
        for pair in pairs
    )


def describe_file(task: Task) -> NDArray[np.float64] | None:
    """Return the descriptor of a file's largest face, or None; runs in a worker process."""
    comparer = _comparer(task.model)
    try:
        return comparer.describe(decode(read(task.path)))
    except (OSError, ImageRefused):
        return None


def rates(compared: Iterable[Compared], threshold: float) -> Rates:
    """Return the errors where a distance up to `threshold` is taken as the same person."""
    mated, other = distances(compared)
    return Rates(
        threshold=threshold,
        false_match=Share(sum(d <= threshold for d in other), len(other)),
        false_non_match=Share(sum(d > threshold for d in mated), len(mated)),
    )


def distances(compared: Iterable[Compared]) -> tuple[list[float], list[float]]:
    """Return those of mated and those of other pairs."""
    mated: list[float] = []
    other: list[float] = []
    for entry in compared:
        if entry.distance is not None:
            (mated if entry.pair.same else other).append(entry.distance)
    return mated, other


def by(compared: Iterable[Compared], axis: str) -> Mapping[str, tuple[Compared, ...]]:
    """Return the pairs by their `group` or `kind`; those without one are left out."""
    found: dict[str, list[Compared]] = {}
    for entry in compared:
        name = getattr(entry.pair, axis)
        if name:
            found.setdefault(name, []).append(entry)
    return {name: tuple(found[name]) for name in sorted(found)}


def _distance(one: NDArray[np.float64] | None, other: NDArray[np.float64] | None) -> float | None:
    if one is None or other is None:
        return None
    return float(np.linalg.norm(one - other))


@cache
def _comparer(model: Path | None) -> Comparer:
    cv2.setNumThreads(1)
    return Comparer(model_at(model))
