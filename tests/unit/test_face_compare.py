"""Two portraits are one person, two people, or for an officer to decide; never 0.6."""

import csv
from pathlib import Path

import numpy as np
import pytest

from biometrics.face import compare as comparing
from biometrics.face.compare import DescriptorMissing, compare, outcome
from hardware.camera.sitter import Behaviour, portrait
from tests import faces


def test_a_person_matches_their_own_portrait() -> None:
    found = compare(faces.jpeg(faces.frame(1)), faces.jpeg(portrait(1)))
    assert found.outcome == "match"
    assert found.distance is not None
    assert found.distance < comparing.MATCH_AT_MOST


def test_somebody_else_does_not_match() -> None:
    found = compare(faces.jpeg(faces.frame(1)), faces.jpeg(portrait(2)))
    assert found.outcome == "no_match"


@pytest.mark.parametrize(
    ("distance", "said"),
    [(0.0, "match"), (0.45, "match"), (0.4501, "unsure"), (0.55, "unsure"), (0.56, "no_match")],
)
def test_the_limits_belong_to_the_better_side(distance: float, said: str) -> None:
    assert outcome(distance) == said


@pytest.mark.parametrize(
    "probe",
    [b"", b"text", faces.jpeg(faces.frame(1))[:4000], faces.jpeg(faces.frame(1, Behaviour.AWAY))],
)
def test_a_picture_without_a_readable_face_is_not_assessed(probe: bytes) -> None:
    found = compare(probe, faces.jpeg(portrait(1)))
    assert (found.distance, found.outcome) == (None, "not_assessed")


def test_a_comparison_names_its_model() -> None:
    found = compare(b"", b"")
    assert found.model_sha256.startswith("55533b28")


def test_a_missing_model_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "_FILE", "none.dat")
    comparing.model_sha256.cache_clear()
    with pytest.raises(DescriptorMissing):
        compare(b"", b"")
    comparing.model_sha256.cache_clear()


def test_size_hardly_moves_the_descriptor() -> None:
    large = comparing.describe(np.asarray(np.repeat(np.repeat(portrait(3), 2, 0), 2, 1)))
    small = comparing.describe(portrait(3))
    assert large is not None
    assert small is not None
    assert np.linalg.norm(large - small) < 0.15


def test_the_development_pairs_keep_mates_and_strangers_apart(shared: Path) -> None:
    """A handful of real pairs; the whole table is in docs/portrait.md."""

    folder = shared / "data/faces"
    rows = list(csv.DictReader((folder / "pairs.csv").read_text(encoding="utf-8").splitlines()))
    chosen = [r for r in rows if r["same"] == "1"][:12] + [r for r in rows if r["same"] == "0"][:12]
    assert len(chosen) == 24
    distances: dict[str, list[float]] = {"1": [], "0": []}
    for row in chosen:
        found = compare(
            (folder / row["file_a"]).read_bytes(), (folder / row["file_b"]).read_bytes()
        )
        assert found.distance is not None
        distances[row["same"]].append(found.distance)
    assert max(distances["1"]) <= comparing.MATCH_AT_MOST < min(distances["0"])
