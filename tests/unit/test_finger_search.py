"""A gallery finds the finger it holds, forgets what is taken from it, and stays in bounds."""

import numpy as np
import pytest
from numpy.typing import NDArray

from biometrics.finger import limits, parameters
from biometrics.finger.compare import compare
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.search import Found, Gallery, described

Floats = NDArray[np.float32]
CROWD = 450


def cloud(seed: int, count: int = 40) -> Minutiae:
    rng = np.random.default_rng(seed)
    low, high = [0, 0, -np.pi, 0.5], [250, 300, np.pi, 1]
    return Minutiae(points=rng.uniform(low, high, (count, 4)).astype(np.float32))


def touched(print_: Minutiae, seed: int, turn: float = 0.6) -> Minutiae:
    """Another touch: turned and shifted, some minutiae gone, some new, all a little off."""
    rng = np.random.default_rng(seed)
    points = print_.points[rng.random(len(print_)) < 0.8].astype(np.float64)
    place = (points[:, 0] - 1j * points[:, 1]) * np.exp(1j * turn) + complex(30, 50)
    place += rng.normal(0, 1.5, (len(points), 2)) @ [1, 1j]
    angle = np.angle(np.exp(1j * (points[:, 2] + turn + rng.normal(0, 0.08, len(points)))))
    same = np.column_stack([place.real, -place.imag, angle, points[:, 3]])
    return Minutiae(points=np.vstack([same, cloud(seed + 5000, 8).points]).astype(np.float32))


@pytest.fixture(scope="module")
def crowd() -> Gallery[int]:
    gallery = Gallery[int]()
    for seed in range(CROWD):
        gallery.add(seed, cloud(seed))
    return gallery


def test_a_turned_touch_is_found_first_among_many(crowd: Gallery[int]) -> None:
    assert parameters.COMPARED.value < CROWD
    for seed in range(0, CROWD, 75):
        found = crowd.search(touched(cloud(seed), seed), most=3)
        assert len(found) == 3
        assert found[0].key == seed
        assert found[0].score >= limits.SAME_FROM.value > found[1].score


def test_the_score_is_that_of_comparing(crowd: Gallery[int]) -> None:
    print_ = touched(cloud(7), 1)
    assert crowd.search(print_, most=1) == (Found(key=7, score=compare(print_, cloud(7))),)


def test_the_same_search_finds_the_same(crowd: Gallery[int]) -> None:
    print_ = touched(cloud(3), 2)
    assert crowd.search(print_) == crowd.search(print_)


def test_a_small_gallery_is_compared_whole() -> None:
    gallery = Gallery[str]()
    for seed in range(5):
        gallery.add(f"{seed}", cloud(seed))
    print_ = touched(cloud(2), 8)
    found = gallery.search(print_)
    assert {each.key: each.score for each in found} == {
        f"{seed}": compare(print_, cloud(seed)) for seed in range(5)
    }


def test_what_is_removed_is_not_found_and_leaves_nothing_behind() -> None:
    gallery = Gallery[int]()
    for seed in range(100):
        gallery.add(seed, cloud(seed))
    place = gallery._places[40]
    gallery.remove(40)
    assert not gallery._vectors[place].any()
    assert gallery._prints[place] is None
    assert len(gallery) == 99
    assert 40 not in {each.key for each in gallery.search(cloud(40), most=100)}
    with pytest.raises(KeyError):
        gallery.remove(40)


def test_a_place_that_is_free_is_used_again_and_a_key_stands_once() -> None:
    gallery = Gallery[int]()
    for turn in range(150):
        gallery.add(turn % 10, cloud(turn))
        gallery.add(-1, cloud(turn))
        gallery.remove(-1)
    assert len(gallery) == 10
    assert len(gallery._prints) <= 12
    assert gallery.search(cloud(149), most=1)[0].key == 9


def test_nothing_is_found_in_nothing_or_by_nothing(crowd: Gallery[int]) -> None:
    nothing = Minutiae(points=np.empty((0, 4), np.float32))
    assert Gallery[int]().search(cloud(1)) == ()
    assert crowd.search(nothing) == ()
    few = Gallery[int]()
    few.add(1, nothing)
    few.add(2, cloud(2))
    assert [each.score for each in few.search(nothing)] == [0, 0]


@pytest.mark.parametrize("count", [1, 2, 31, 255])
def test_surroundings_are_vectors_of_length_one_whatever_way_the_finger_lay(count: int) -> None:
    print_ = cloud(11, count)
    vectors = described(print_)
    assert len(vectors) == min(count, parameters.DESCRIBED.value)
    if count > 1:
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        turned = print_.points.copy()
        place = (turned[:, 0] - 1j * turned[:, 1]) * np.exp(0.9j)
        turned[:, 0], turned[:, 1] = place.real, -place.imag
        turned[:, 2] = np.angle(np.exp(1j * (turned[:, 2] + 0.9)))
        assert np.allclose(described(Minutiae(points=turned)), vectors, atol=1e-3)
