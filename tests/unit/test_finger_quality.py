"""A good print scores high, what is no print never counts, and nothing takes the judge down."""

import csv
import os
import signal
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from biometrics.finger import limits
from biometrics.finger.hints import FingerHint, words
from biometrics.finger.impression import ImpressionInvalid, at_500_dpi, png
from biometrics.finger.judge import FingerJudge
from biometrics.finger.limits import Gate, Limit
from biometrics.finger.nfiq2 import Worker
from biometrics.finger.quality import assess, preview
from hardware.finger.hand import SimulatedHand
from hardware.finger.synthesis import Condition

Image = NDArray[np.uint8]
SETS = ("fvc2002db1b", "fvc2004db4b", "upek")


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


def read(path: Path) -> Image:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


@cache
def simulated(condition: Condition, position: int = 2, touch: int = 1) -> Image:
    return SimulatedHand(5).finger(position).impression(touch, condition)


@cache
def listed(folder: Path) -> dict[str, list[tuple[Image, int]]]:
    """Every development impression by set, with its NFIQ 2."""
    found: dict[str, list[tuple[Image, int]]] = {}
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["set"] in SETS:
                pixels = read(folder / row["set"] / row["file"])
                found.setdefault(row["set"], []).append((pixels, int(row["nfiq2"])))
    return found


def rank(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks, the mean of them where values are equal."""
    _, where, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[where], np.float64)


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.corrcoef(rank(a), rank(b))[0, 1])


def test_every_hint_has_vietnamese_and_english_words() -> None:
    assert {f"finger.{hint.value}" for hint in FingerHint} == set(words())


def test_every_limit_has_a_unit_and_a_source() -> None:
    found = [value for value in vars(limits).values() if isinstance(value, Limit)]
    assert len(found) > 12
    assert all(limit.unit and limit.source for limit in found)


@pytest.mark.parametrize("gate", limits.GATES, ids=lambda gate: gate.name)
def test_every_gate_has_a_unit_a_source_and_a_hint_for_each_limit(gate: Gate) -> None:
    assert gate.unit
    assert gate.source
    assert gate.lowest is not None or gate.highest is not None
    for limit, hint in ((gate.lowest, gate.below), (gate.highest, gate.above)):
        assert (limit is None) == (hint is None)
        assert hint is None or FingerHint(hint)


def test_nfiq2_is_what_nist_says_it_is(shared: Path, worker: Worker) -> None:
    folder = shared / "data/fingers/nfiq2_examples"
    scores = {}
    for number in range(1, 6):
        said = (folder / f"SFinGe_Test0{number}_output.txt").read_text(encoding="utf-8")
        expected = int(said.split("UnifiedQualityScore:")[1].split()[0])
        scored = worker.score(read(folder / f"SFinGe_Test0{number}.pgm"))
        assert scored is not None
        assert "SufficientFingerprintForeground" in scored.actionable
        scores[number] = (scored.score, expected)
    assert {number: pair[0] == pair[1] for number, pair in scores.items()} == dict.fromkeys(
        range(1, 6), True
    )


def test_nist_and_our_estimate_agree_on_all_development_impressions(shared: Path) -> None:
    sets = listed(shared / "data/fingers")
    ours, theirs = list[float](), list[float]()
    for folder in SETS:
        mine = [preview(pixels, 500).estimate for pixels, _ in sets[folder]]
        nist = [float(score) for _, score in sets[folder]]
        assert spearman(np.array(mine), np.array(nist)) > 0.7
        ours += mine
        theirs += nist
    assert len(ours) == 224
    assert spearman(np.array(ours), np.array(theirs)) >= 0.85
    assert float(np.abs(np.array(ours) - np.array(theirs)).mean()) <= 8


def test_every_real_impression_is_taken_for_a_finger(shared: Path) -> None:
    sets = listed(shared / "data/fingers")
    refused = [
        folder for folder in SETS for pixels, _ in sets[folder] if not preview(pixels, 500).finger
    ]
    assert refused == []


def test_an_inverted_print_is_refused_although_nfiq2_likes_it(shared: Path, worker: Worker) -> None:
    inverted = 255 - read(shared / "data/fingers/upek/1_1.png")
    quality = assess(inverted, 500, worker=worker)
    assert quality.nfiq2 is not None
    assert quality.nfiq2 > 60
    assert (quality.finger, quality.worth, quality.hint) == (False, 0, FingerHint.NOT_A_FINGER)
    sets = listed(shared / "data/fingers")
    taken = [preview(255 - pixels, 500).finger for name in SETS for pixels, _ in sets[name]]
    assert np.mean(taken) < 0.05


def _fakes() -> dict[str, Image]:
    rng = np.random.default_rng(3)
    columns = np.tile(np.arange(256), (288, 1))
    rows = np.tile(np.arange(288)[:, None], (1, 256))
    fine, coarse = (
        cv2.GaussianBlur(rng.normal(0, 1, (288, 256)), (0, 0), sigma) for sigma in (2.0, 3.5)
    )
    ridge_band = fine - coarse
    disc = np.full((288, 256), 255)
    disc[np.hypot(columns - 128, rows - 144) < 90] = 60
    pictures = {
        "white": np.full((288, 256), 255),
        "black": np.zeros((288, 256)),
        "grey": np.full((288, 256), 128),
        "gradient": columns,
        "white noise": rng.integers(0, 256, (288, 256)),
        "noise as wide as ridges": np.clip(128 + 50 * ridge_band / ridge_band.std(), 0, 255),
        "small squares": ((columns // 4 + rows // 4) % 2) * 255,
        "squares": ((columns // 8 + rows // 8) % 2) * 255,
        "dots": (np.sin(columns / 2.5) + np.sin(rows / 2.5) > 0) * 255,
        "stripes": 127 + 120 * np.sin(2 * np.pi * columns / 9),
        "rings": 127 + 120 * np.sin(2 * np.pi * np.hypot(columns - 128, rows - 144) / 9),
        "a disc": disc,
        "noise of 64 x 1500": rng.integers(0, 256, (64, 1500)),
        "white of 64 x 64": np.full((64, 64), 255),
        "noise of 1500 x 1500": rng.integers(0, 256, (1500, 1500)),
    }
    return {name: picture.astype(np.uint8) for name, picture in pictures.items()}


@pytest.mark.parametrize("name", list(_fakes()))
def test_what_is_no_print_never_counts(name: str, worker: Worker) -> None:
    quality = assess(_fakes()[name], 500, worker=worker)
    assert quality.finger is False
    assert quality.worth == 0
    assert quality.estimate == 0
    assert quality.hint is FingerHint.NOT_A_FINGER


def test_white_noise_has_an_nfiq2_that_is_not_believed(worker: Worker) -> None:
    quality = assess(_fakes()["white noise"], 500, worker=worker)
    assert quality.nfiq2 is not None
    assert quality.nfiq2 > 20


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((3000, 3000), np.uint8),
        np.zeros((63, 64), np.uint8),
        np.zeros((64, 1501), np.uint8),
        np.zeros((0, 0), np.uint8),
        np.zeros((0, 256), np.uint8),
        np.zeros((288, 256, 3), np.uint8),
        np.zeros(288 * 256, np.uint8),
        np.zeros((288, 256), np.uint16),
        np.zeros((288, 256), np.float32),
        np.full((288, 256), np.nan),
        np.zeros((288, 256), np.bool_),
        np.zeros((288, 256), np.int8),
        [[0] * 256] * 288,
        b"\x89PNG\r\n\x1a\n",
        None,
    ],
    ids=lambda pixels: (
        f"{getattr(pixels, 'dtype', type(pixels).__name__)}{getattr(pixels, 'shape', '')}"
    ),
)
def test_what_is_no_picture_is_refused(pixels: object) -> None:
    with pytest.raises(ImpressionInvalid):
        preview(pixels, 500)  # type: ignore[arg-type]  # the table holds wrong things


@pytest.mark.parametrize("dpi", [0, -500, 249, 1201, 10**9, True, 500.0, "500", None])
def test_an_impossible_resolution_is_refused(dpi: object) -> None:
    with pytest.raises(ImpressionInvalid):
        preview(np.zeros((288, 256), np.uint8), dpi)  # type: ignore[arg-type]  # wrong on purpose


def test_the_same_finger_at_another_resolution_is_worth_about_the_same(worker: Worker) -> None:
    pixels = simulated(Condition.WELL)
    doubled = np.asarray(
        cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8
    )
    one, other = assess(pixels, 500, worker=worker), assess(doubled, 1000, worker=worker)
    assert one.nfiq2 is not None
    assert other.nfiq2 is not None
    assert abs(one.nfiq2 - other.nfiq2) <= 5
    assert abs(one.estimate - other.estimate) <= 3
    assert at_500_dpi(pixels, 508) is not None
    assert np.array_equal(at_500_dpi(pixels, 508), pixels)


def test_pixels_that_do_not_lie_in_one_piece_are_judged_alike() -> None:
    pixels = simulated(Condition.WELL)
    wide = np.zeros((pixels.shape[0], 2 * pixels.shape[1]), np.uint8)
    wide[:, ::2] = pixels
    assert preview(wide[:, ::2], 500) == preview(pixels, 500)


@pytest.mark.parametrize("name", ["fvc2002db1b/101_1", "fvc2004db4b/103_1", "upek/2_1"])
def test_more_blur_never_raises_the_estimate(shared: Path, name: str) -> None:
    pixels = read(shared / f"data/fingers/{name}.png")
    blurred = [pixels]
    blurred += [
        np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8) for sigma in (1, 2, 3, 4, 6)
    ]
    estimates = [preview(picture, 500).estimate for picture in blurred]
    assert all(later <= earlier + 0.5 for earlier, later in pairwise(estimates))
    assert estimates[-1] < estimates[0] / 2


@pytest.mark.parametrize("name", ["fvc2002db1b/101_1", "fvc2004db4b/103_1", "upek/2_1"])
def test_a_small_part_of_a_print_is_estimated_below_the_whole(shared: Path, name: str) -> None:
    pixels = read(shared / f"data/fingers/{name}.png")
    parts = [
        np.ascontiguousarray(pixels[: int(pixels.shape[0] * share)]) for share in (1, 0.8, 0.6, 0.4)
    ]
    estimates = [preview(part, 500).estimate for part in parts]
    # NFIQ 2 itself is not quite monotonous: a fifth less may gain some points.
    assert estimates[-1] == min(estimates) < estimates[0] - 5


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        (Condition.DRY, FingerHint.TOO_DRY),
        (Condition.WET, FingerHint.TOO_WET),
        (Condition.PARTIAL, FingerHint.MORE_AREA),
        (Condition.LIGHT, FingerHint.MORE_AREA),
    ],
)
def test_what_a_person_can_mend_is_said(condition: Condition, hint: FingerHint) -> None:
    hints = [preview(simulated(condition, position), 500).hint for position in range(1, 11)]
    assert hints.count(hint) >= 5
    assert FingerHint.NOT_A_FINGER not in hints


def test_a_finger_that_lies_well_is_told_nothing(worker: Worker) -> None:
    for position in range(1, 6):
        quality = assess(simulated(Condition.WELL, position), 500, worker=worker)
        assert quality.hint is None
        assert quality.finger
        assert quality.worth >= 35
        assert all(finding.passed for finding in quality.findings)


def test_a_pale_print_asks_for_more_pressure_and_a_noisy_one_for_a_clean_finger() -> None:
    pixels = simulated(Condition.WELL)
    pale = (255 - (255 - pixels.astype(np.float64)) * 0.22).astype(np.uint8)
    assert preview(pale, 500).hint is FingerHint.PRESS_HARDER
    noise = np.random.default_rng(0).normal(0, 35, pixels.shape)
    noisy = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    assert preview(noisy, 500).hint is FingerHint.NOISY


def test_what_could_not_be_measured_is_none_and_not_zero(worker: Worker) -> None:
    quality = assess(np.full((288, 256), 255, np.uint8), 500, worker=worker)
    assert quality.nfiq2 is None
    assert {(finding.native, finding.passed) for finding in quality.findings} == {(None, None)}


def test_a_worker_that_was_killed_is_replaced_at_once(worker: Worker) -> None:
    pixels = simulated(Condition.WELL)
    before = worker.score(pixels)
    first = worker.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert worker.score(pixels) == before
    assert worker.process_id not in {None, first}


def test_a_worker_that_is_killed_while_it_computes_gives_none_and_works_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    falling = tmp_path / "falling.py"
    falling.write_text(
        "import os, signal, socket, sys\n"
        "socket.socket(fileno=0).recv(16)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n",
        encoding="utf-8",
    )
    pixels = simulated(Condition.WELL)
    with Worker() as worker:
        with monkeypatch.context() as patch:
            patch.setattr("biometrics.finger.nfiq2._PROGRAM", falling)
            assert worker.score(pixels) is None
            assert worker.process_id is None
        assert worker.score(pixels) is not None


def test_a_worker_that_takes_too_long_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sleeping = tmp_path / "sleeping.py"
    sleeping.write_text("import time\ntime.sleep(600)\n", encoding="utf-8")
    monkeypatch.setattr("biometrics.finger.nfiq2._PROGRAM", sleeping)
    with Worker(seconds=0.2) as worker:
        assert worker.score(simulated(Condition.WELL)) is None
        assert worker.process_id is None


@pytest.mark.parametrize(
    "answer",
    [b"", b"\xff\xff\xff\xff", b"\x00\x00\x00\x04null", b"\x00\x00\x00\x05junk!", b"\x00\x00"],
)
def test_nonsense_from_the_worker_is_no_score(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: bytes
) -> None:
    babbling = tmp_path / "babbling.py"
    babbling.write_text(
        f"import socket\nlink = socket.socket(fileno=0)\nlink.recv(16)\nlink.sendall({answer!r})\n",
        encoding="utf-8",
    )
    monkeypatch.setattr("biometrics.finger.nfiq2._PROGRAM", babbling)
    with Worker(seconds=5) as worker:
        assert worker.score(simulated(Condition.WELL)) is None


def test_a_closed_worker_starts_again_when_asked(worker: Worker) -> None:
    pixels = simulated(Condition.WELL)
    before = worker.score(pixels)
    worker.close()
    worker.close()
    assert worker.process_id is None
    assert worker.score(pixels) == before


def test_without_nbis_there_is_an_estimate_and_no_nfiq2(
    monkeypatch: pytest.MonkeyPatch, worker: Worker
) -> None:
    monkeypatch.setattr("biometrics.finger.nfiq2._LIBRARY", "nbis_not_installed")
    quality = assess(simulated(Condition.WELL), 500, worker=worker)
    assert quality.nfiq2 is None
    assert quality.worth == quality.estimate > 40


def test_the_judge_in_earnest_sees_quality_and_minutiae() -> None:
    with FingerJudge() as judge:
        seen = judge.judge(simulated(Condition.WELL), 500)
        assert seen.quality.nfiq2 is not None
        assert seen.minutiae is not None
        assert len(seen.minutiae) >= limits.CLEAR_MINUTIAE.value
        with pytest.raises(ImpressionInvalid):
            judge.judge(np.zeros((8, 8), np.uint8), 500)
        blank = judge.judge(np.full((288, 256), 255, np.uint8), 500)
        assert blank.minutiae is not None
        assert (blank.quality.finger, len(blank.minutiae)) == (False, 0)


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(64, 200),
    width=st.integers(64, 200),
    seed=st.integers(0, 2**32 - 1),
    smooth=st.sampled_from((0, 1, 3, 8)),
    scale=st.floats(0.1, 200),
)
def test_arbitrary_pixels_are_borne(
    height: int, width: int, seed: int, smooth: int, scale: float
) -> None:
    grey = np.random.default_rng(seed).normal(0, 1, (height, width))
    if smooth:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), smooth), np.float64)
    pixels = np.clip(128 + scale * grey / max(1e-9, grey.std()), 0, 255).astype(np.uint8)
    quality = preview(pixels, 500)
    assert 0 <= quality.estimate <= 100
    assert quality.worth <= 45


def test_a_png_comes_back_bit_for_bit() -> None:
    pixels = simulated(Condition.WELL)
    back = cv2.imdecode(np.frombuffer(png(pixels), np.uint8), cv2.IMREAD_UNCHANGED)
    assert back is not None
    assert back.dtype == np.uint8
    assert np.array_equal(back, pixels)
