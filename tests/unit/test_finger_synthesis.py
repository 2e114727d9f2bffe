"""Made-up fingers: always the same, never alike, and to real software as good as real ones."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.finger import spacing, synthesis
from hardware.finger.hand import SimulatedHand
from hardware.finger.ridges import HEIGHT, SHARES, WIDTH, Pattern, lay
from hardware.finger.synthesis import Condition, Finger
from tests.conftest import absent

FINGERS = 10

_NBIS = """
import json, sys
import nbis
def extractor(score):
    return nbis.new_nbis_extractor(nbis.NbisExtractorSettings(
        min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=score, ppi=500.0))
order = json.load(sys.stdin)
read = lambda path: open(path, "rb").read()
scorer, plain = extractor(True), extractor(False)
def score(path):
    try:
        return scorer.extract_minutiae(read(path)).quality().score
    except nbis.NbisError:
        return 0
points = {path: plain.extract_minutiae(read(path)) for path in order["match"]}
json.dump({
    "scores": {path: score(path) for path in order["score"]},
    "matches": [[points[a].compare(points[b]) for b in order["match"]] for a in order["match"]],
}, sys.stdout)
"""


def nbis(score: list[str], match: list[str]) -> tuple[dict[str, int], NDArray[np.int64]]:
    """Return NFIQ 2 by path and Bozorth3 of all pairs, from a process that may fall."""
    if sys.platform != "linux" or not synthesis_peer():
        absent("nbis-py, which holds NFIQ 2 and Bozorth3")
    done = subprocess.run(
        [sys.executable, "-c", _NBIS],
        input=json.dumps({"score": score, "match": match}),
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    answer = json.loads(done.stdout)
    return answer["scores"], np.array(answer["matches"])


def synthesis_peer() -> bool:
    return subprocess.run([sys.executable, "-c", "import nbis"], check=False).returncode == 0


def as_a_module_sends_it(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray((pixels >> 4) * np.uint8(17), np.uint8)


@pytest.fixture(scope="module")
def measured(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[Condition, list[int]], NDArray[np.int64]]:
    """NFIQ 2 of each condition, and Bozorth3 between two good touches of each finger."""
    folder = tmp_path_factory.mktemp("prints")

    def drawn(finger: int, touch: int, condition: Condition) -> str:
        path = folder / f"{finger}-{touch}-{condition}.png"
        pixels = SimulatedHand(500 + finger).finger(finger + 1).impression(touch, condition)
        cv2.imwrite(str(path), as_a_module_sends_it(pixels))
        return str(path)

    score = {
        condition: [drawn(finger, 1, condition) for finger in range(FINGERS)]
        for condition in Condition
    }
    first = score[Condition.WELL]
    second = [drawn(finger, 2, Condition.WELL) for finger in range(FINGERS)]
    scores, matches = nbis([path for paths in score.values() for path in paths], first + second)
    return (
        {condition: [scores[path] for path in paths] for condition, paths in score.items()},
        matches[:FINGERS, FINGERS:],
    )


def test_a_seed_is_one_finger_for_ever() -> None:
    finger = Finger(77)
    master, touch = finger.master.copy(), finger.impression(3, Condition.WET)
    synthesis._master.cache_clear()
    again = Finger(77)
    assert again.pattern is finger.pattern
    assert (again.master == master).all()
    assert (again.impression(3, Condition.WET) == touch).all()
    assert not again.master.flags.writeable


def test_no_two_touches_and_no_two_fingers_are_alike() -> None:
    seen = {
        Finger(finger).impression(touch, condition).tobytes()
        for finger in (1, 2)
        for touch in (1, 2, 3)
        for condition in Condition
    }
    assert len(seen) == 2 * 3 * len(Condition)


@pytest.mark.parametrize("condition", Condition)
def test_an_impression_has_dark_ridges_on_light_ground(condition: Condition) -> None:
    pixels = Finger(5).impression(1, condition)
    assert pixels.shape == (288, 256)
    assert pixels.dtype == np.uint8
    assert np.percentile(pixels, 97) > 190
    assert np.percentile(pixels, 3) < np.percentile(pixels, 97) - 30


@pytest.mark.parametrize("condition", ["", "perfect", "WELL"])
def test_a_condition_nobody_knows_is_refused(condition: str) -> None:
    with pytest.raises(ValueError, match="Condition"):
        Finger(5).impression(1, condition)  # type: ignore[arg-type]


def whorls_and_deltas(angle: NDArray[np.float32], reach: int = 8) -> tuple[int, int]:
    """Return how many cores and deltas a field has: half turns around every point of a grid."""
    ring = [
        (round(reach * np.sin(turn)), round(reach * np.cos(turn)))
        for turn in np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ]
    total = np.zeros((HEIGHT - 4 * reach, WIDTH - 4 * reach))
    for (y, x), (next_y, next_x) in zip(ring, [*ring[1:], ring[0]], strict=True):
        here, there = (
            angle[2 * reach + a : HEIGHT - 2 * reach + a, 2 * reach + b : WIDTH - 2 * reach + b]
            for a, b in ((y, x), (next_y, next_x))
        )
        total += (there - here + np.pi / 2) % np.pi - np.pi / 2
    turns = np.rint(total / np.pi)
    return tuple(
        cv2.connectedComponents((turns == sign).astype(np.uint8))[0] - 1 for sign in (1, -1)
    )


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        (Pattern.ARCH, 0),
        (Pattern.TENTED, 1),
        (Pattern.LEFT_LOOP, 1),
        (Pattern.RIGHT_LOOP, 1),
        (Pattern.WHORL, 2),
    ],
)
def test_each_class_has_its_cores_and_deltas(pattern: Pattern, count: int) -> None:
    for seed in range(12):
        field = lay(np.random.default_rng(seed), pattern)
        cores, deltas = whorls_and_deltas(field.angle)
        assert cores == count, seed
        # A delta may lie beyond the skin that is drawn.
        assert max(0, count - 1) <= deltas <= count, seed


def test_classes_occur_as_often_as_people_have_them() -> None:
    drawn = [Finger(seed).pattern for seed in range(3000)]
    for pattern, share in SHARES.items():
        assert abs(drawn.count(pattern) / 3000 - share) < 0.03


def test_loops_open_towards_the_little_finger() -> None:
    loops = {Pattern.LEFT_LOOP, Pattern.RIGHT_LOOP}
    right = [SimulatedHand(seed).finger(2).pattern for seed in range(300)]
    left = [SimulatedHand(seed).finger(7).pattern for seed in range(300)]
    for patterns, usual in ((right, Pattern.RIGHT_LOOP), (left, Pattern.LEFT_LOOP)):
        assert patterns.count(usual) > 0.8 * sum(pattern in loops for pattern in patterns)


def test_ridges_come_closer_where_they_converge() -> None:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    fan = spacing.fitted(np.arctan2(y + 200.0, x - WIDTH / 2))
    assert fan[60, WIDTH // 2] < fan[220, WIDTH // 2] < fan[390, WIDTH // 2]
    straight = spacing.fitted(np.zeros((HEIGHT, WIDTH)))
    assert np.abs(straight).max() < 1e-6


def test_good_touches_are_good_to_nfiq_2_and_bad_ones_clearly_less(
    measured: tuple[dict[Condition, list[int]], NDArray[np.int64]],
) -> None:
    median = {condition: float(np.median(scores)) for condition, scores in measured[0].items()}
    assert median[Condition.WELL] >= 45
    for condition in (Condition.DRY, Condition.WET, Condition.LIGHT, Condition.PARTIAL):
        assert median[condition] <= median[Condition.WELL] - 8, median


def test_two_touches_of_a_finger_match_and_two_fingers_do_not(
    measured: tuple[dict[Condition, list[int]], NDArray[np.int64]],
) -> None:
    matches = measured[1]
    same = np.eye(FINGERS, dtype=bool)
    # Bozorth3's own guide: 40 and more is one finger.
    assert matches[same].min() > 80
    assert matches[~same].max() < 60
