"""Which impression goes on record: nothing accepted is worse than something discarded."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics.finger import limits
from biometrics.finger.judge import Seen
from biometrics.finger.likeness import Likeness
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.offers import Impression
from biometrics.finger.quality import Quality
from biometrics.finger.selection import Attempts, choose
from tests.presses import AT, OFFICER, begin, minutiae, plain, press, put, read, recorded, singles

SLACK = limits.QUALITY_SLACK.value
FLOORS = (50.0, 35.0)
"""From here a print is taken at once; from here it is kept when no try is left."""


def impression(number: int, nfiq2: int, *, estimate: float = 0.0) -> Impression:
    quality = Quality(nfiq2=nfiq2, estimate=estimate, hint=None, findings=(), finger=True)
    return Impression(
        seen=Seen(quality=quality, minutiae=Minutiae(points=np.empty((0, 4), np.float32))),
        image=b"",
        width=1,
        height=1,
        dpi=500,
        reader="r",
        digest=bytes([number]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Impressions with a score for every two of them."""

    impressions: tuple[Impression, ...]
    scores: dict[tuple[int, int], float]

    def like(self, a: Impression, b: Impression) -> float:
        first, second = sorted((a.digest[0], b.digest[0]))
        return self.scores[first, second]

    def agreement(self, one: Impression) -> float:
        return sum(self.like(one, other) for other in self.impressions if other is not one)

    def worse(self, one: Impression, than: Impression) -> bool:
        """Whether one impression is worse than another of the same finger (docs/finger-policy.md).

        It is, if it fails a floor that the other reaches, if its quality is lower by more than
        what two copies of one picture differ by, or if it is no better in quality and in
        agreement, and less good in one of them.
        """
        if any(one.worth < floor <= than.worth for floor in FLOORS):
            return True
        if than.worth - one.worth > SLACK:
            return True
        mine = (one.worth, self.agreement(one))
        other = (than.worth, self.agreement(than))
        return mine != other and all(a <= b for a, b in zip(mine, other, strict=True))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    worths = draw(st.lists(st.integers(0, 100), min_size=1, max_size=6))
    pairs = list(combinations(range(len(worths)), 2))
    scores = draw(
        st.lists(
            st.sampled_from((0.0, 0.5, 1.5, 5.0, 5.5, 12.0, 40.0)),
            min_size=len(pairs),
            max_size=len(pairs),
        )
    )
    return Table(
        impressions=tuple(impression(number, worth) for number, worth in enumerate(worths)),
        scores=dict(zip(pairs, scores, strict=True)),
    )


@settings(deadline=None, max_examples=500, derandomize=True)
@given(table=tables())
def test_nothing_accepted_is_worse_than_something_discarded(table: Table) -> None:
    chosen = choose(table.impressions, table.like, FLOORS)
    assert not [one for one in table.impressions if table.worse(chosen, one)]


@settings(deadline=None, max_examples=200, derandomize=True)
@given(table=tables(), data=st.data())
def test_the_choice_does_not_hang_on_the_order_but_among_equals(
    table: Table, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(table.impressions))
    a, b = (choose(order, table.like, FLOORS) for order in (table.impressions, shuffled))
    assert a is b or (a.worth, table.agreement(a)) == (b.worth, table.agreement(b))


def test_taking_the_last_or_the_best_quality_would_be_worse_now_and_then() -> None:
    table = three((45, 47, 49), {(0, 1): 20.0, (0, 2): 8.0, (1, 2): 9.0})
    chosen = choose(table.impressions, table.like, FLOORS)
    assert chosen is table.impressions[1]
    poor_last = three((49, 48, 36), {(0, 1): 9.0, (0, 2): 9.0, (1, 2): 9.0})
    assert poor_last.worse(poor_last.impressions[2], poor_last.impressions[0])


def three(worths: Sequence[int], scores: dict[tuple[int, int], float]) -> Table:
    return Table(
        impressions=tuple(impression(number, worth) for number, worth in enumerate(worths)),
        scores=scores,
    )


@pytest.mark.parametrize(
    ("worths", "chosen"),
    [
        ((45, 44, 43), 2),
        ((45, 44, 40), 2),
        ((45, 44, 39), 1),
        ((52, 50, 49), 1),
        ((37, 36, 34), 1),
        ((90, 44, 43), 0),
    ],
    ids=[
        "near in quality",
        "as far as two copies differ",
        "too poor",
        "not good enough to be taken at once",
        "not good enough to be kept",
        "far better",
    ],
)
def test_of_three_the_one_that_agrees_best_is_chosen_unless_quality_forbids(
    worths: Sequence[int], chosen: int
) -> None:
    table = three(worths, {(0, 1): 6.0, (0, 2): 20.0, (1, 2): 21.0})
    assert choose(table.impressions, table.like, FLOORS) is table.impressions[chosen]


def test_of_two_the_better_one_is_chosen_and_of_equals_the_earlier() -> None:
    table = three((40, 42), {(0, 1): 9.0})
    assert choose(table.impressions, table.like) is table.impressions[1]
    same = three((42, 42), {(0, 1): 9.0})
    assert choose(same.impressions, same.like) is same.impressions[0]


def test_the_estimate_decides_where_quality_and_agreement_do_not() -> None:
    pair = (impression(0, 42, estimate=40.0), impression(1, 42, estimate=60.0))
    assert choose(pair, lambda *_: 9.0) is pair[1]


def test_a_mistaken_finger_never_goes_on_record_however_good_it_is() -> None:
    visit = begin(singles((1,)))
    put(visit, 1, 40, 0)
    put(visit, 2, 95, 0)
    put(visit, 1, 41, 1)
    assert [finger for finger, _, _ in recorded(visit)] == [1]


class Shown:
    """What a finger's attempts are made of in the property below."""

    def __init__(self, finger: int, nfiq2: int, touch: int) -> None:
        self.finger, self.nfiq2, self.touch = finger, nfiq2, touch


presses = st.lists(
    st.builds(
        Shown,
        finger=st.sampled_from((1, 1, 1, 2)),
        nfiq2=st.integers(20, 90),
        touch=st.integers(0, 9),
    ),
    min_size=1,
    max_size=10,
    unique_by=lambda shown: shown.touch,
)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(shown=presses, redo=st.booleans())
def test_a_visit_discards_nothing_better_of_the_finger_it_records(
    shown: list[Shown], redo: bool
) -> None:
    visit = begin(singles((1,)), tries=10)
    came: list[Shown] = []
    for one in shown:
        if visit.complete and redo and len(came) == 1:
            visit.reopen(plain(1), at=AT)
        if visit.wanted is None:
            break
        put(visit, one.finger, one.nfiq2, one.touch)
        came.append(one)
    if visit.needs_officer:
        visit.keep(plain(1), OFFICER, AT)
    for found in visit.prints():
        finger, nfiq2, _ = read(found.image)
        mates = [one for one in came if one.finger == finger]
        best = max(one.nfiq2 for one in mates)
        assert nfiq2 >= best - SLACK
        assert not [floor for floor in FLOORS if nfiq2 < floor <= best]


def test_impressions_that_contradict_each_other_stand_apart_and_the_many_lead() -> None:
    likeness = Likeness()
    attempts = Attempts(likeness, FLOORS)
    one, two, three_ = (real(1, touch) for touch in range(3))
    other = real(2, 0)
    joined, disputed = [], []
    for impression_ in (other, one, two):
        joined.append(attempts.add(impression_))
        disputed.append(attempts.disputed)
    assert joined == [True, False, True]
    assert disputed == [False, True, False]
    assert attempts.leading == (one, two)
    attempts.begin_anew()
    assert attempts.best is None
    attempts.add(three_)
    assert attempts.candidates == (one, two, three_)


def real(finger: int, touch: int) -> Impression:
    quality = Quality(nfiq2=60, estimate=60.0, hint=None, findings=(), finger=True)
    return Impression(
        seen=Seen(quality=quality, minutiae=minutiae(finger, touch)),
        image=press(finger, 60, touch).tobytes(),
        width=1,
        height=1,
        dpi=500,
        reader="r",
        digest=bytes([finger, touch]),
    )
