"""What speaks against an impression being the finger that was asked for.

It changes nothing and decides nothing: it names the doubt and the words for the person.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from biometrics.capture import ImpressionKind
from biometrics.finger import limits
from biometrics.finger.hints import FingerHint
from biometrics.finger.known import HitKind
from biometrics.finger.likeness import Likeness
from biometrics.finger.offers import Alert, Impression, Item, Looked
from biometrics.finger.selection import differs

_FINGERS_OF_A_HAND: Final = 5
_SEVERAL: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One reason not to believe an impression.

    Attributes:
        other: the item that has this finger, or that shows another one for this position.
        same_as: the other position whose finger it is.
        who: the officer whose finger it is.
    """

    hint: FingerHint
    alert: Alert
    other: Item | None = None
    same_as: int | None = None
    who: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One touch, and all that was shown before it.

    Attributes:
        touch: usable impressions of this touch, by the item that was asked for.
        before: impressions of the finger that each item shows, without those of this touch.
        digests: of every picture of a finger that came before.
        vouched: names of `Hit.who` for whom an officer has spoken.
    """

    touch: Mapping[Item, Looked]
    before: Mapping[Item, tuple[Impression, ...]]
    digests: Collection[bytes]
    vouched: Collection[str]
    likeness: Likeness


def find(scene: Scene) -> dict[Item, Doubt]:
    """Return the first doubt of each impression of a touch that has one."""
    found: dict[Item, Doubt] = {}
    for item, looked in scene.touch.items():
        doubts = (check(scene, item, looked) for check in _CHECKS)
        doubt = next((doubt for doubt in doubts if doubt is not None), None)
        if doubt is not None:
            found[item] = doubt
    return _hands(scene, found)


def _replayed(scene: Scene, item: Item, looked: Looked) -> Doubt | None:
    digest = looked.impression.digest
    twin = any(
        other.impression.digest == digest for one, other in scene.touch.items() if one != item
    )
    if not twin and digest not in scene.digests:
        return None
    return Doubt(hint=FingerHint.REPLAY, alert=Alert.REPLAY)


def _officers(scene: Scene, item: Item, looked: Looked) -> Doubt | None:
    del item
    hit = looked.hit
    if hit is None or hit.kind is not HitKind.OFFICER or hit.who in scene.vouched:
        return None
    return Doubt(hint=FingerHint.OFFICER, alert=Alert.OFFICER, who=hit.who)


def _twice(scene: Scene, item: Item, looked: Looked) -> Doubt | None:
    """One finger cannot lie at two places of the glass: neither is believed."""
    for other, shown in scene.touch.items():
        score = scene.likeness.of(looked.impression, shown.impression)
        if other != item and score >= limits.SAME_FROM.value:
            return _same(other)
    return None


def elsewhere(scene: Scene, item: Item, looked: Looked) -> Doubt | None:
    """Return a doubt where another position surely has this finger, more than its own has."""
    own = scene.likeness.most(looked.impression, _own(scene, item))
    scores = {
        other: scene.likeness.most(looked.impression, shown)
        for other, shown in scene.before.items()
        if other.position != item.position
    }
    likest = max(scores, key=lambda other: scores[other], default=None)
    if likest is None or scores[likest] < max(limits.SAME_FROM.value, own):
        return None
    if not _own(scene, item):
        return _same(likest)
    if _hand(likest) != _hand(item):
        return replace(_same(likest), hint=FingerHint.OTHER_HAND, alert=Alert.HANDS_SWAPPED)
    if abs(likest.position - item.position) == 1:
        return replace(_same(likest), hint=FingerHint.NEIGHBOUR, alert=Alert.NEIGHBOURS_SWAPPED)
    return replace(_same(likest), hint=FingerHint.OTHER_FINGER)


def _unlike(scene: Scene, item: Item, looked: Looked) -> Doubt | None:
    """The flat and the rolled impression of one position are clear, and nothing alike."""
    kinds = (kind for kind in ImpressionKind if kind is not item.kind)
    for other in (Item(position=item.position, kind=kind) for kind in kinds):
        if differs(looked.impression, scene.before.get(other, ()), scene.likeness):
            return Doubt(hint=FingerHint.DIFFERS, alert=Alert.ROLLED_DIFFERS, other=other)
    return None


_CHECKS: Final[tuple[Callable[[Scene, Item, Looked], Doubt | None], ...]] = (
    _replayed,
    _officers,
    _twice,
    elsewhere,
    _unlike,
)


def _hands(scene: Scene, found: dict[Item, Doubt]) -> dict[Item, Doubt]:
    """Say "the other hand" where at least two fingers, and half of those shown, belong to it."""
    crossed = {
        item: replace(doubt, hint=FingerHint.OTHER_HAND, alert=Alert.HANDS_SWAPPED)
        for item, doubt in found.items()
        if doubt.same_as is not None
        and doubt.other is not None
        and _hand(doubt.other) != _hand(item)
    }
    if len(crossed) < _SEVERAL or 2 * len(crossed) < len(scene.touch):
        return found
    return {**found, **crossed}


def _own(scene: Scene, item: Item) -> tuple[Impression, ...]:
    return tuple(
        impression
        for other, shown in scene.before.items()
        if other.position == item.position
        for impression in shown
    )


def _same(other: Item) -> Doubt:
    return Doubt(
        hint=FingerHint.SAME_FINGER,
        alert=Alert.SAME_FINGER,
        other=other,
        same_as=other.position,
    )


def _hand(item: Item) -> bool:
    """Return True for the right hand."""
    return item.position <= _FINGERS_OF_A_HAND
