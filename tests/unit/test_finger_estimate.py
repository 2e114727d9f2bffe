"""The estimate for live pictures: held to NIST's own native measures and scores."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from biometrics import carried
from biometrics.carried import ModelAltered, ModelMissing, locate
from biometrics.finger.estimate import estimate
from biometrics.finger.forest import forest
from biometrics.finger.native import natives
from biometrics.lab.figures import spearman
from hardware.finger.hand import SimulatedHand

SETS = ("fvc2002db1b", "fvc2004db4b", "upek")
OF_REGION = ("ImgProcROI", "OrientationMap")
OF_MINUTIAE = ("FingerJetFX", "FJFX")
Rows = list[tuple[dict[str, str], NDArray[np.uint8]]]


@pytest.fixture
def published(shared: Path) -> Rows:
    """NIST's 69 native measures and score of every development impression, and its picture."""
    found: Rows = []
    for name in SETS:
        folder = shared / "data" / "fingers" / name
        with (folder / "nfiq2.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                pixels = cv2.imread(str(folder / row["file"]), cv2.IMREAD_GRAYSCALE)
                if row["nfiq2"] and pixels is not None:
                    found.append((row, np.asarray(pixels, np.uint8)))
    return found


def test_the_forest_gives_nists_own_score_for_nists_own_measures(published: Rows) -> None:
    trees = forest()
    wanted = [int(row["nfiq2"]) for row, _ in published]
    given = [
        trees.score({name: float(row[name] or 0) for name in trees.names}) for row, _ in published
    ]
    assert len(wanted) == 224
    assert given == wanted


def test_native_measures_are_nists(published: Rows) -> None:
    trees = forest()
    named = [name for name in trees.names if not name.startswith(OF_MINUTIAE)]
    off: dict[str, int] = dict.fromkeys(named, 0)
    for row, pixels in published[::4]:
        found = natives(pixels)
        assert found is not None
        assert sorted(found) == sorted(named)
        for name in named:
            mine, nist = found[name], float(row[name] or 0)
            if name.startswith(OF_REGION):
                # Seen at half the resolution: near, not equal.
                assert mine == pytest.approx(nist, rel=0.15, abs=4)
            else:
                off[name] += mine != pytest.approx(nist, rel=1e-6, abs=1e-6)
    # One block of one picture in two hundred falls on the other side of a rounding.
    assert max(off.values()) <= 1


def test_the_estimate_follows_nfiq2_on_every_set(published: Rows) -> None:
    mine = [estimate(pixels) for _, pixels in published]
    nist = [float(row["nfiq2"]) for row, _ in published]
    alike = spearman(mine, nist)
    assert alike is not None
    assert alike > 0.92
    assert np.abs(np.array(mine) - np.array(nist)).mean() < 5


def test_a_print_too_small_for_ten_blocks_is_worth_nothing() -> None:
    pixels = SimulatedHand(3).finger(2).impression(1)
    assert natives(pixels) is not None
    assert natives(pixels[100:170, 100:170]) is None
    assert estimate(np.ascontiguousarray(pixels[100:170, 100:170])) == 0


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((288, 256), 255, np.uint8),
        np.zeros((288, 256), np.uint8),
        np.zeros((64, 64), np.uint8),
        np.full((1500, 65), 7, np.uint8),
        np.tile(np.array([[0, 255], [255, 0]], np.uint8), (150, 150)),
        np.random.default_rng(1).integers(0, 256, (301, 257)).astype(np.uint8),
        np.random.default_rng(2).integers(0, 256, (97, 1500)).astype(np.uint8),
    ],
    ids=["white", "black", "small", "narrow", "chequered", "noise", "wide noise"],
)
def test_what_is_no_print_is_a_number_and_no_crash(pixels: NDArray[np.uint8]) -> None:
    assert 0 <= estimate(pixels) <= 100


def test_a_forest_that_differs_by_one_bit_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = bytearray(locate("afis", "afis/weights/nfiq2/nfiq2_rf.npz").read_bytes())
    data[-1] ^= 1
    (tmp_path / "forest.npz").write_bytes(bytes(data))
    monkeypatch.setattr(carried, "locate", lambda *_: tmp_path / "forest.npz")
    with pytest.raises(ModelAltered, match="SHA-256"):
        forest.__wrapped__()
    monkeypatch.setattr(carried, "locate", lambda *_: tmp_path / "absent.npz")
    with pytest.raises(ModelMissing):
        forest.__wrapped__()
