"""What the tests of measures share: a look at the largest face, and the pictures by defect."""

import csv
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.gates import Gate, profile
from biometrics.face.measures import MEASURES
from biometrics.face.sight import Networks, Sight, shrunk

Pixels = NDArray[np.uint8]


@lru_cache(maxsize=1)
def networks() -> Networks:
    return Networks.load()


def sight(pixels: Pixels) -> Sight:
    """Look at the largest face of a picture that has one."""
    work, factor = shrunk(pixels)
    found = networks().detector.find(work)
    face = networks().mesh.find(work, found[0]).scaled(1 / factor)
    return Sight(networks(), pixels, work, factor, found, face)


def native(name: str, pixels: Pixels) -> float:
    """Take a measure that must be possible."""
    value = MEASURES[name].native(sight(pixels))
    assert value is not None
    return value


def gate(name: str) -> Gate:
    return next(gate for gate in profile("can-cuoc").gates if gate.measure == name)


def passes(name: str, pixels: Pixels) -> bool:
    """Whether the strict profile's limit lets the measured value pass."""
    passed = gate(name).judge(native(name, pixels)).passed
    assert passed is not None
    return passed


def pictures(shared: Path, of: str, *defects: str) -> Iterator[tuple[str, Pixels]]:
    """Read the pictures of one set with one of these defects, with their names."""
    folder = shared / "data" / "faces"
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            if row["set"] == of and row["defect"] in defects:
                pixels = cv2.imread(str(folder / row["file"]))
                assert pixels is not None
                yield row["file"], np.asarray(pixels, np.uint8)
