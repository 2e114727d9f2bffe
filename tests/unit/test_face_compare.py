"""Two portraits are one person, two people, or for an officer to decide; never 0.6."""

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biometrics.face import compare as comparing
from biometrics.face import descriptor
from biometrics.face.compare import Comparer, compare, outcome
from biometrics.face.descriptor import DescriptorMissing, DescriptorRefused
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


def test_a_comparison_names_its_network_and_its_limits() -> None:
    found = compare(b"", b"")
    assert found.model == "dlib_face_recognition_resnet_model_v1"
    assert found.model_sha256.startswith("55533b28")
    assert (found.match_at_most, found.no_match_above) == (0.45, 0.55)
    model = descriptor.shipped()
    assert model.dated
    assert model.source
    assert "0.45" in model.measured


# Another network, named by a file with limits of its own.


@cache
def network() -> Path:
    return descriptor.shipped().file


def named(folder: Path, **changes: Any) -> Path:  # noqa: ANN401 - JSON values
    fields = {
        "name": "trained elsewhere",
        "dated": "2026-11-25",
        "kind": "dlib_resnet",
        "file": str(network()),
        "sha256": descriptor.shipped().sha256,
        "unit": "Euclidean distance of 128 numbers",
        "match_at_most": 0.01,
        "no_match_above": 0.02,
        "measured": "nowhere: a test",
        "source": "a test",
    }
    path = folder / "model.json"
    path.write_text(json.dumps({**fields, **changes}), encoding="utf-8")
    return path


def test_another_network_brings_its_own_limits_and_hash(tmp_path: Path) -> None:
    """The same file called through dlib itself: the distance stays, what it means does not."""
    probe, reference = faces.jpeg(faces.frame(1)), faces.jpeg(portrait(1))
    ours = compare(probe, reference)
    other = Comparer(descriptor.from_file(named(tmp_path))).compare(probe, reference)
    assert ours.distance is not None
    assert other.distance == pytest.approx(ours.distance, abs=1e-6)
    assert 0.02 < ours.distance < 0.45
    assert (ours.outcome, other.outcome) == ("match", "no_match")
    assert (other.model, other.model_sha256) == ("trained elsewhere", ours.model_sha256)
    assert (other.match_at_most, other.no_match_above) == (0.01, 0.02)


def test_a_networks_file_may_lie_beside_the_one_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "net.dat").symlink_to(network())
    model = descriptor.from_file(named(tmp_path, file="net.dat"))
    assert model.file == tmp_path / "net.dat"
    assert model.load() is not None


def test_a_network_that_was_altered_is_not_used(tmp_path: Path) -> None:
    altered = bytearray(network().read_bytes())
    altered[len(altered) // 2] ^= 1
    (tmp_path / "net.dat").write_bytes(altered)
    with pytest.raises(DescriptorRefused, match="SHA-256"):
        Comparer(descriptor.from_file(named(tmp_path, file="net.dat")))


def test_a_file_that_is_no_network_is_not_used_whatever_its_hash(tmp_path: Path) -> None:
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (tmp_path / "net.dat").write_bytes(b"")
    with pytest.raises(DescriptorRefused, match="dlib"):
        Comparer(descriptor.from_file(named(tmp_path, file="net.dat", sha256=nothing)))


def test_a_network_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DescriptorMissing):
        descriptor.from_file(tmp_path / "model.json")
    with pytest.raises(DescriptorMissing):
        Comparer(descriptor.from_file(named(tmp_path, file="net.dat")))


def test_the_network_that_comes_with_us_is_missed_where_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    descriptor.shipped.cache_clear()
    try:
        for distribution in ("no-such-distribution", "numpy"):
            monkeypatch.setattr(descriptor, "DISTRIBUTION", distribution)
            with pytest.raises(DescriptorMissing):
                descriptor.shipped()
    finally:
        descriptor.shipped.cache_clear()


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "face_recognition"},
        {"kind": "onnx"},
        {"match_at_most": 0},
        {"match_at_most": -0.1},
        {"match_at_most": 0.02},
        {"match_at_most": float("nan")},
        {"no_match_above": 0.005},
        {"no_match_above": float("inf")},
        {"match_at_most": "0.2"},
        {"match_at_most": None},
        {"name": ""},
        {"name": "x" * 121},
        {"name": 7},
        {"sha256": ""},
        {"file": None},
        {"more": 1},
        {"measured": "x" * 70_000},
    ],
)
def test_limits_that_are_none_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(DescriptorRefused):
        descriptor.from_file(named(tmp_path, **changes))


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[]", b"null", b"{}", b'{"name": "x"}', b"[" * 5000]
)
def test_a_file_that_names_no_network_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(DescriptorRefused):
        descriptor.from_file(path)


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
