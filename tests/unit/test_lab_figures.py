"""The lab's statistics agree with the literature and with scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from biometrics.lab.figures import (
    Share,
    Z,
    auc,
    difference,
    explained,
    ranked,
    roc,
    spearman,
    spread,
)

VALUES = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=30)


@pytest.mark.parametrize(("count", "of"), [(0, 1), (0, 54), (1, 54), (9, 9), (171, 180), (3, 7)])
def test_a_share_has_wilsons_interval(count: int, of: int) -> None:
    wanted = stats.binomtest(count, of).proportion_ci(method="wilson")
    assert Share(count, of).interval == pytest.approx((wanted.low, wanted.high))
    assert Share(count, of).value == count / of


def test_of_nothing_a_share_says_nothing() -> None:
    assert Share(0, 0).value is None
    assert Share(0, 0).interval == (0.0, 1.0)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        (Share(56, 70), Share(48, 80), 0.0524, 0.3339),
        (Share(9, 10), Share(3, 10), 0.1705, 0.8090),
        (Share(5, 56), Share(0, 29), -0.0381, 0.1926),
    ],
)
def test_a_difference_has_the_interval_newcombe_printed(
    one: Share, other: Share, low: float, high: float
) -> None:
    assert difference(one, other) == pytest.approx((low, high), abs=5e-5)


@given(VALUES, VALUES)
def test_the_area_is_that_of_mann_and_whitney(worse: list[float], better: list[float]) -> None:
    found = auc(worse, better)
    assert found
    wanted = stats.mannwhitneyu(worse, better).statistic / (len(worse) * len(better))
    assert found.value == pytest.approx(wanted)
    assert found.interval[0] <= found.value <= found.interval[1]


@given(VALUES, VALUES)
def test_the_area_under_the_drawn_curve_is_the_area(
    worse: list[float], better: list[float]
) -> None:
    found, points = auc(worse, better), roc(worse, better)
    assert found
    assert points[0] == (0.0, 0.0)
    assert points[-1] == (1.0, 1.0)
    across, up = (np.array(axis) for axis in zip(*points, strict=True))
    assert np.all(np.diff(across) >= 0)
    assert np.all(np.diff(up) >= 0)
    assert float(np.trapezoid(up, across)) == pytest.approx(found.value)


def test_the_interval_of_an_area_solves_hanley_and_mcneils_variance() -> None:
    worse, better = [3.0, 4.0, 5.0, 7.0], [1.0, 2.0, 3.5, 4.5, 0.0]
    found = auc(worse, better)
    assert found

    measured = found.value

    def away(area: float) -> float:
        mean = (len(worse) + len(better)) / 2 - 1
        inner = 1 + mean * ((1 - area) / (2 - area) + area / (1 + area))
        variance = area * (1 - area) * inner / (len(worse) * len(better))
        return float((measured - area) ** 2 - Z * Z * variance)

    low = optimize.brentq(away, 1e-9, measured)
    high = optimize.brentq(away, measured, 1 - 1e-9)
    assert found.interval == pytest.approx((low, high), abs=1e-6)


def test_a_perfect_area_of_few_pictures_is_not_certain() -> None:
    few, many = auc([2.0] * 4, [1.0] * 9), auc([2.0] * 400, [1.0] * 900)
    assert few
    assert many
    assert few.interval[0] < 0.85
    assert many.interval[0] > 0.98
    assert few.interval[1] == many.interval[1] == 1.0


def test_the_interval_of_an_area_holds_the_truth_nineteen_times_in_twenty() -> None:
    generator = np.random.default_rng(29794)
    truth, times = float(stats.norm.cdf(1.5 / np.sqrt(2))), 600
    held = 0
    for _ in range(times):
        found = auc(generator.normal(1.5, size=9), generator.normal(size=54))
        assert found
        held += found.interval[0] <= truth <= found.interval[1]
    assert 0.92 <= held / times <= 1.0


def test_an_area_needs_both_sides() -> None:
    assert auc([], [1.0]) is None
    assert auc([1.0], []) is None


@given(VALUES)
def test_ranks_are_scipys(values: list[float]) -> None:
    assert ranked(values).tolist() == stats.rankdata(values).tolist()


def test_rank_correlation_is_spearmans() -> None:
    generator = np.random.default_rng(7)
    one = generator.integers(0, 9, 40).astype(float)
    other = one + generator.normal(scale=3, size=40).round()
    assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)


def test_too_little_or_constant_has_no_rank_correlation() -> None:
    assert spearman([1.0, 2.0], [2.0, 1.0]) is None
    assert spearman([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None


def test_what_a_grouping_explains_is_kruskals_epsilon_squared() -> None:
    groups = [[1.0, 2.0, 2.0, 4.0], [2.0, 5.0, 6.0], [7.0, 7.5, 9.0, 3.0]]
    statistic = stats.kruskal(*groups).statistic
    assert explained(groups) == pytest.approx(statistic / (11 - 1))
    assert explained([[1.0, 1.0], [5.0, 5.0]]) == pytest.approx(1.0)
    assert explained([[3.0, 3.0], [3.0, 3.0]]) == 0.0


def test_one_group_explains_nothing() -> None:
    assert explained([[1.0, 2.0, 3.0], []]) is None
    assert explained([]) is None


def test_a_spread_is_two_percentiles_and_a_median() -> None:
    assert spread([float(n) for n in range(101)]) == pytest.approx((5, 50, 95))
    assert spread([]) is None
