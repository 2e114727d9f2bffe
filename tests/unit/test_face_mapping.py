"""Native values and scores as OFIQ 1.0.3 publishes them (expected_results.csv)."""

import csv
from pathlib import Path

import pytest

from biometrics.face.mapping import SCALES, score

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
    assert score(name, native) == expected


def test_every_published_pair_is_reproduced(shared: Path) -> None:
    text = (shared / "data/ofiq_expected_results.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
    wrong = [
        (row["Filename"], name)
        for row in rows
        for name in SCALES
        if int(row[f"{name}.scalar"]) >= 0
        and score(name, float(row[name])) != int(row[f"{name}.scalar"])
    ]
    assert len(rows) == 28
    assert wrong == []


def test_what_was_not_assessed_has_no_score() -> None:
    assert score("EyesOpen", None) is None
    assert score("EyesOpen", float("nan")) is None


def test_our_own_measures_have_no_score() -> None:
    assert score("Sharpness", 0.5) is None
