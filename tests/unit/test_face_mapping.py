"""Native values and scores as OFIQ 1.0.3 publishes them (expected_results.csv)."""

import csv
from pathlib import Path

import pytest

from biometrics.face.mapping import SCALES, falling, rising, score
from biometrics.face.measures import MEASURES

GOLDEN = [
    ("BackgroundUniformity", 71.777120, 67),
    ("IlluminationUniformity", 0.141003, 56),
    ("OverExposurePrevention", 0.0, 100),
    ("NaturalColour", 0.171868, 99),
    ("SingleFacePresent", 0.0, 100),
    ("EyesOpen", 0.070220, 99),
    ("EyesOpen", 0.074475, 100),
    ("MouthClosed", 0.002466, 96),
    ("InterEyeDistance", 493.556527, 100),
    ("HeadSize", 0.224851, 2),
    ("HeadSize", 0.209942, 2),
    ("MarginAboveOfTheFaceImage", 2.426863, 100),
    ("MarginBelowOfTheFaceImage", 2.022937, 90),
    ("HeadPosePitch", 8.573003, 98),
    ("HeadPoseYaw", -1.206760, 100),
    ("HeadPoseRoll", 16.291553, 92),
]


@pytest.mark.parametrize(("name", "native", "expected"), GOLDEN)
def test_a_native_value_maps_to_the_published_score(
    name: str, native: float, expected: int
) -> None:
    assert score(SCALES[name], native) == expected


def test_every_published_pair_is_reproduced(shared: Path) -> None:
    text = (shared / "data/ofiq_expected_results.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
    wrong = [
        (row["Filename"], name)
        for row in rows
        for name in SCALES
        if int(row[f"{name}.scalar"]) >= 0
        and score(SCALES[name], float(row[name])) != int(row[f"{name}.scalar"])
    ]
    assert len(rows) == 28
    assert wrong == []


def test_the_table_of_scales_holds_every_component_of_the_reference() -> None:
    assert len(SCALES) == 28


def test_what_was_not_assessed_has_no_score() -> None:
    assert score(SCALES["EyesOpen"], None) is None
    assert score(SCALES["EyesOpen"], float("nan")) is None


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_every_measure_scores_within_0_and_100_whatever_comes(name: str) -> None:
    scale = MEASURES[name].scale
    for native in (-1e9, -1.0, 0.0, 1e-9, 0.5, 1.0, 1e9):
        assert score(scale, native) in range(101)


def test_our_own_scales_are_50_at_their_middle() -> None:
    assert rising(0.42, 0.04)(0.42) == falling(6, 1.5)(6) == 50
    assert rising(0.42, 0.04)(0.3) < 10
    assert rising(0.42, 0.04)(0.6) > 90
    assert falling(6, 1.5)(-12) < 10
    assert falling(6, 1.5)(1) > 90
