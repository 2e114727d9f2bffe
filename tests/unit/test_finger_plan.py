"""Which touches a visit is made of: what the procedure wants, as far as the reader can take it."""

from collections.abc import Collection
from itertools import chain, combinations

import pytest

from biometrics.capture import FINGERS, ImpressionKind
from biometrics.finger.plan import LEFT, RIGHT, THUMBS, Step, Touch, steps
from biometrics.finger.sequence import Sequence
from biometrics.finger.visit import Item
from hardware.finger import port

PLAIN, ROLLED = ImpressionKind.PLAIN, ImpressionKind.ROLLED
BOTH = (PLAIN, ROLLED)
ALL = frozenset(Touch)
MODULE = frozenset({Touch.SINGLE})
SCANNER = frozenset({Touch.SLAP, Touch.THUMBS})


def of(touch: Touch, *positions: int) -> Step:
    return Step(positions=positions, touch=touch)


def test_where_everything_can_be_had_there_are_thirteen_touches_in_the_order_of_the_law() -> None:
    found = steps(FINGERS, BOTH, ALL)
    assert found[:3] == (
        of(Touch.SLAP, *RIGHT),
        of(Touch.SLAP, *LEFT),
        of(Touch.THUMBS, *THUMBS),
    )
    assert found[3:] == tuple(of(Touch.ROLLED, position) for position in FINGERS)
    assert [step.kind for step in found] == [PLAIN] * 3 + [ROLLED] * 10


def test_a_module_for_one_finger_takes_ten_flat_singles_and_no_roll() -> None:
    assert steps(FINGERS, BOTH, MODULE) == tuple(of(Touch.SINGLE, one) for one in FINGERS)


def test_a_scanner_that_rolls_nothing_takes_three_touches() -> None:
    assert [step.touch for step in steps(FINGERS, BOTH, SCANNER)] == [
        Touch.SLAP,
        Touch.SLAP,
        Touch.THUMBS,
    ]


def test_fingers_are_asked_for_in_the_order_in_which_they_are_wanted() -> None:
    assert steps((7, 2, 1), (PLAIN,), MODULE) == (
        of(Touch.SINGLE, 7),
        of(Touch.SINGLE, 2),
        of(Touch.SINGLE, 1),
    )


@pytest.mark.parametrize(
    ("fingers", "takes", "found"),
    [
        ((2, 3, 7), ALL, (of(Touch.SLAP, 2, 3), of(Touch.SINGLE, 7))),
        ((2, 3, 7), SCANNER, (of(Touch.SLAP, 2, 3), of(Touch.SLAP, 7))),
        ((1, 2), ALL, (of(Touch.SINGLE, 1), of(Touch.SINGLE, 2))),
        ((6,), SCANNER, (of(Touch.THUMBS, 6),)),
        ((), ALL, ()),
    ],
)
def test_one_finger_of_a_hand_goes_on_the_glass_by_itself_where_the_reader_can_do_that(
    fingers: tuple[int, ...], takes: Collection[Touch], found: tuple[Step, ...]
) -> None:
    assert steps(fingers, (PLAIN,), takes) == found


def test_nothing_is_asked_for_that_nobody_wants() -> None:
    assert steps(FINGERS, (), ALL) == ()
    assert {step.kind for step in steps(FINGERS, (ROLLED,), ALL)} == {ROLLED}
    assert steps(FINGERS, (ROLLED,), MODULE) == ()


@pytest.mark.parametrize("fingers", [(1, 1), (0,), (11,), (-3,)])
def test_fingers_that_no_hand_has_are_refused(fingers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not a plan of fingers"):
        steps(fingers, BOTH, ALL)


def _subsets(of_: Collection[Touch]) -> list[frozenset[Touch]]:
    counts = range(len(of_) + 1)
    return [frozenset(some) for some in chain.from_iterable(combinations(of_, n) for n in counts)]


@pytest.mark.parametrize("takes", _subsets(tuple(Touch)), ids=lambda takes: "+".join(sorted(takes)))
@pytest.mark.parametrize(
    "fingers", [tuple(FINGERS), (1,), (1, 6), (2, 3, 4, 9), (10, 5, 1)], ids=str
)
def test_whatever_a_reader_takes_each_finger_is_asked_for_at_most_once_in_each_way(
    fingers: tuple[int, ...], takes: frozenset[Touch]
) -> None:
    found = steps(fingers, BOTH, takes)
    items = Sequence(found, takes).items
    assert set(items) <= {Item(position=one, kind=kind) for one in fingers for kind in BOTH}
    for touch in {step.touch for step in found} - {Touch.SINGLE}:
        assert touch in takes
    flat = {item.position for item in items if item.kind is PLAIN}
    assert flat == set(fingers)
    rolled = {item.position for item in items if item.kind is ROLLED}
    assert rolled == (set(fingers) if Touch.ROLLED in takes else set())


def test_the_readers_port_names_the_same_touches() -> None:
    assert {touch.value for touch in Touch} == {touch.value for touch in port.Touch}
