"""Mates score high, strangers low, whichever way the finger lay."""

import csv
from functools import cache
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from biometrics.finger import limits, parameters
from biometrics.finger.compare import SAME_FROM, Step, compare, pairing
from biometrics.finger.extractor import Extractor
from biometrics.finger.limits import Limit
from biometrics.finger.minutiae import Minutiae

Floats = NDArray[np.float32]


@cache
def extractor() -> Extractor:
    return Extractor()


@cache
def seen(path: Path) -> Minutiae:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return extractor().extract(np.asarray(pixels, np.uint8), 500)


def cloud(seed: int, count: int = 45) -> Minutiae:
    rng = np.random.default_rng(seed)
    low, high = [0, 0, -np.pi, 0.5], [250, 300, np.pi, 1]
    return Minutiae(points=rng.uniform(low, high, (count, 4)).astype(np.float32))


def laid(print_: Minutiae, turn: float, shift: tuple[float, float]) -> Minutiae:
    """The same print, turned counter-clockwise as seen and shifted."""
    x, y, angle, score = print_.points.astype(np.float64).T
    place = (x - 1j * y) * np.exp(1j * turn) + complex(*shift)
    around = np.angle(np.exp(1j * (angle + turn)))
    points = np.column_stack([place.real, -place.imag, around, score])
    return Minutiae(points=points.astype(np.float32))


def touched(print_: Minutiae, seed: int) -> Minutiae:
    """Another touch: some minutiae are gone, some are new, all are a little off."""
    rng = np.random.default_rng(seed)
    points = print_.points[rng.random(len(print_)) < 0.8].copy()
    points[:, :2] += rng.normal(0, 2, (len(points), 2))
    points[:, 2] += rng.normal(0, 0.08, len(points))
    return Minutiae(points=np.vstack([points, cloud(seed + 5000, 8).points]))


@pytest.mark.parametrize("folder", ["fvc2002db1b", "fvc2004db4b", "upek"])
def test_mates_and_strangers_of_real_readers_stand_apart(shared: Path, folder: str) -> None:
    with (shared / "data/fingers/manifest.csv").open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["set"] == folder and row["impression"] in {"1", "3"}
        ]
    prints = [(row["finger"], seen(shared / "data/fingers" / folder / row["file"])) for row in rows]
    mates, strangers = list[float](), list[float]()
    for (one, a), (other, b) in combinations(prints, 2):
        (mates if one == other else strangers).append(compare(a, b))
    assert len(mates) >= 8
    assert len(strangers) >= 110
    assert max(strangers) < limits.CONTROL_FROM.value < SAME_FROM
    assert float(np.median(mates)) > 2 * SAME_FROM
    assert np.mean([score >= limits.CONTROL_FROM.value for score in mates]) >= 0.8


def test_a_print_is_certainly_itself() -> None:
    for seed in range(5):
        assert compare(cloud(seed), cloud(seed)) > 5 * SAME_FROM


def test_another_touch_of_a_finger_is_told_from_a_stranger() -> None:
    mates = [compare(cloud(seed), touched(cloud(seed), seed)) for seed in range(12)]
    strangers = [compare(cloud(seed), cloud(seed + 1)) for seed in range(12)]
    assert min(mates) > 2 * SAME_FROM
    assert max(strangers) < SAME_FROM / 2


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 30),
    turn=st.floats(-3.1, 3.1),
    x=st.floats(-300, 300),
    y=st.floats(-300, 300),
)
def test_turn_and_shift_change_next_to_nothing(seed: int, turn: float, x: float, y: float) -> None:
    touch = touched(cloud(seed), seed + 100)
    still = compare(cloud(seed), touch)
    moved = compare(cloud(seed), laid(touch, turn, (x, y)))
    assert moved > SAME_FROM
    assert moved == pytest.approx(still, rel=0.25)


@settings(deadline=None, max_examples=40)
@given(first=st.integers(0, 40), second=st.integers(0, 40), mates=st.booleans())
def test_the_order_of_the_two_prints_does_not_matter(first: int, second: int, mates: bool) -> None:
    a = cloud(first)
    b = touched(a, second) if mates else cloud(second)
    assert compare(a, b) == compare(b, a)


def test_the_order_of_the_minutiae_does_not_matter() -> None:
    a, b = cloud(3), touched(cloud(3), 9)
    mixed = Minutiae(points=b.points[np.random.default_rng(0).permutation(len(b))])
    assert compare(a, mixed) == pytest.approx(compare(a, b), rel=1e-6)


def kept(print_: Minutiae, turn: float) -> tuple[Minutiae, list[int]]:
    """Every second minutia, turned and shifted; and which each was."""
    which = list(range(0, len(print_), 2))
    return laid(Minutiae(points=print_.points[which]), turn, (40, -25)), which


@pytest.mark.parametrize("turn", [-2.5, 0.0, 0.4])
def test_a_pairing_says_which_minutiae_are_one_and_how_the_prints_lie(turn: float) -> None:
    whole = cloud(5)
    part, which = kept(whole, turn)
    for found, there, here in (
        (pairing(whole, part), 0, 1),
        (pairing(part, whole), 1, 0),
    ):
        assert found.score == compare(whole, part)
        assert {(pair[there], pair[here]) for pair in found.pairs} == set(
            zip(which, range(len(part)), strict=True)
        )
        strengths = [pair[2] for pair in found.pairs]
        assert strengths == sorted(strengths, reverse=True)
        assert all(0 < strength <= 1 for strength in strengths)
    found = pairing(whole, part)
    assert found.turn == pytest.approx(-turn, abs=1e-3)
    x, y = part.points[:, 0].astype(np.float64), part.points[:, 1].astype(np.float64)
    place = (x - 1j * y) * np.exp(1j * found.turn)
    over = np.column_stack([place.real + found.shift[0], -place.imag + found.shift[1]])
    assert np.allclose(over, whole.points[which, :2], atol=0.2)


def test_strangers_and_empty_prints_have_a_pairing_too() -> None:
    nothing = Minutiae(points=np.empty((0, 4), np.float32))
    for a, b in ((nothing, nothing), (nothing, cloud(1)), (cloud(1), cloud(2))):
        found = pairing(a, b)
        assert found.score == compare(a, b)
        assert found.score < SAME_FROM
        assert len({pair[0] for pair in found.pairs}) == len(found.pairs)
        assert len({pair[1] for pair in found.pairs}) == len(found.pairs)


def test_whoever_listens_hears_every_step_and_changes_nothing() -> None:
    a, b = cloud(6), touched(cloud(6), 4)
    heard = list[tuple[Step, object]]()
    score = compare(a, b, lambda step, result: heard.append((step, result)))
    assert score == compare(a, b)
    steps = [step for step, _ in heard]
    assert set(steps) == set(Step)
    assert list(dict.fromkeys(steps)) == list(Step)
    assert steps.count(Step.LAID) == steps.count(Step.GATHERED) == len(parameters.REACHES)
    assert heard[-1] == (Step.SCORE, score)


def test_a_faint_minutia_counts_less_than_a_sure_one() -> None:
    sure = cloud(9)
    points = sure.points.copy()
    points[:, 3] = parameters.FAINTEST.value
    faint = Minutiae(points=points)
    assert 0 < compare(sure, faint) < compare(sure, sure)
    # Faint ones that meet nothing take little away.
    strange = cloud(77, 20).points
    strange[:, 3] = parameters.FAINTEST.value
    crowded = Minutiae(points=np.vstack([sure.points, strange]))
    assert compare(sure, crowded) > 0.5 * compare(sure, sure)


def test_every_number_of_the_matcher_has_a_unit_and_a_source() -> None:
    numbers = [
        each
        for value in vars(parameters).values()
        for each in (value if isinstance(value, tuple) else (value,))
        if isinstance(each, Limit)
    ]
    assert len(numbers) > 30
    assert all(number.unit and len(number.source) > 5 for number in numbers)


def test_losing_minutiae_weakens_the_likeness() -> None:
    whole = cloud(4, 60)
    scores = [compare(whole, Minutiae(points=whole.points[:count])) for count in (60, 40, 20, 8)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_too_few_minutiae_say_nothing(count: int) -> None:
    few = Minutiae(points=cloud(1).points[:count])
    assert compare(few, cloud(1)) == 0
    assert compare(few, few) == 0


def _odd() -> dict[str, Floats]:
    rng = np.random.default_rng(8)
    line = np.zeros((30, 4), np.float32)
    line[:, 0] = np.arange(30) * 9
    grid = np.zeros((100, 4), np.float32)
    grid[:, 0], grid[:, 1] = np.divmod(np.arange(100), 10)
    far = rng.normal(0, 1e6, (40, 4)).astype(np.float32)
    return {
        "all at one point": np.tile(np.array([[5, 5, 1, 0.9]], np.float32), (40, 1)),
        "a line": line,
        "a grid of single pixels": grid,
        "five thousand": rng.uniform(0, 400, (5000, 4)).astype(np.float32),
        "far apart": far,
        "twice each": np.repeat(cloud(2).points, 2, axis=0),
        "four": cloud(7, 4).points,
    }


@pytest.mark.parametrize("name", list(_odd()))
def test_odd_sets_are_borne_and_are_nobodys_mate(name: str) -> None:
    odd = Minutiae(points=_odd()[name])
    assert np.isfinite(compare(odd, odd))
    for seed in range(4):
        score = compare(odd, cloud(seed + 50))
        assert 0 <= score < SAME_FROM
        assert score == compare(cloud(seed + 50), odd)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((3, 3), np.float32),
        np.zeros(4, np.float32),
        np.zeros((3, 4), np.float64),
        np.full((5, 4), np.nan, np.float32),
        np.full((5, 4), np.inf, np.float32),
    ],
)
def test_what_is_no_list_of_points_is_refused(points: Floats) -> None:
    with pytest.raises(ValueError, match="minutiae are"):
        Minutiae(points=points)
