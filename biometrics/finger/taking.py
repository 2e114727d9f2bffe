"""What becomes of one impression: tried for an open item, or pressed again as a control.

It looks at no pixels; what the impression showed and what speaks against it is known by then.
"""

from dataclasses import dataclass
from typing import Final

from biometrics.finger import limits
from biometrics.finger.board import Board, Finger
from biometrics.finger.doubts import Doubt
from biometrics.finger.hints import FingerHint
from biometrics.finger.known import HitKind
from biometrics.finger.offers import Alert, Impression, Item, ItemState, Looked, Offered, Outcome

_OUTCOMES: Final = {
    ItemState.OPEN: Outcome.AGAIN,
    ItemState.TAKEN: Outcome.TAKEN,
    ItemState.UNDECIDED: Outcome.UNDECIDED,
}
_HELD: Final = frozenset({Alert.OFFICER, Alert.ROLLED_DIFFERS})
"""Doubts that an officer may overrule by keeping the impression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What is to be said of an impression; nothing where it is as it should be."""

    hint: FingerHint | None = None
    alert: Alert | None = None
    who: str | None = None
    same_as: int | None = None


def tried(board: Board, item: Item, looked: Looked | None, doubt: Doubt | None) -> Offered:
    """Take one more try at an open item; `looked` is None where the finger did not come."""
    finger = board.finger(item)
    finger.tries += 1
    number = finger.tries
    said = _received(board, finger, looked, doubt)
    reopened = _mistaken(board, item, doubt)
    if finger.state is ItemState.OPEN and not reopened:
        board.weigh(item, accept=said.hint is None)
    outcome = Outcome.SWAPPED if reopened else _OUTCOMES[finger.state]
    left = board.rules.tries - finger.tries if finger.state is ItemState.OPEN else 0
    return _offered(finger, looked, said, (item, outcome, number, left), reopened)


def pressed_again(board: Board, item: Item, looked: Looked | None, doubt: Doubt | None) -> Offered:
    """Take a control press: it confirms the finger, or shows that fingers were swapped."""
    finger = board.finger(item)
    board.controls.tries += 1
    number, outcome, reopened = board.controls.tries, Outcome.AGAIN, tuple[Item, ...]()
    said = _usable(finger, looked) or _doubted(doubt)
    if doubt is not None and doubt.same_as is not None and doubt.other is not None:
        reopened = board.mix_up(item, doubt.other)
        outcome = Outcome.SWAPPED if reopened else Outcome.UNDECIDED
    elif said is None and looked is not None and _is_own(board, finger, looked.impression):
        outcome = Outcome.CONFIRMED
        finger.attempts.add(looked.impression)
        board.controls.done()
        said = _seen_today(board, finger, looked)
        if said is not None:
            outcome = Outcome.UNDECIDED
            board.weigh(item, accept=False)
    elif board.control_failed:
        outcome = Outcome.UNDECIDED
    if said is None and outcome is not Outcome.CONFIRMED:
        said = _Said(hint=_mend(looked) or FingerHint.OTHER_FINGER)
    left = board.rules.tries - number if outcome is Outcome.AGAIN else 0
    return _offered(finger, looked, said or _Said(), (item, outcome, number, left), reopened)


def _received(board: Board, finger: Finger, looked: Looked | None, doubt: Doubt | None) -> _Said:
    """Put an impression where it belongs and return what is to be said of it."""
    unusable = _usable(finger, looked)
    if unusable is not None or looked is None:
        if looked is not None and looked.impression.seen.quality.finger:
            finger.held.append(looked)
        return unusable or _Said()
    doubted = _doubted(doubt)
    if doubted is not None:
        if doubted.alert in _HELD:
            finger.held.append(looked)
        return doubted
    if not finger.attempts.add(looked.impression):
        return _Said(hint=FingerHint.OTHER_FINGER, alert=Alert.OTHER_FINGER)
    return _seen_today(board, finger, looked) or _Said()


def _usable(finger: Finger, looked: Looked | None) -> _Said | None:
    """Count an impression, and say what to do where it shows too little; None where enough."""
    if looked is None:
        return _Said(hint=FingerHint.NOT_SHOWN)
    finger.looked_at += 1
    if not looked.impression.seen.quality.finger:
        return _Said(hint=FingerHint.NOT_A_FINGER)
    if not looked.impression.usable:
        return _Said(hint=_mend(looked) or FingerHint.AGAIN)
    return None


def _doubted(doubt: Doubt | None) -> _Said | None:
    if doubt is None:
        return None
    return _Said(hint=doubt.hint, alert=doubt.alert, who=doubt.who, same_as=doubt.same_as)


def _seen_today(board: Board, finger: Finger, looked: Looked) -> _Said | None:
    """Note a finger that was here today for another dossier, if nobody has vouched for it."""
    hit = looked.hit
    if hit is None or hit.kind is not HitKind.TODAY or board.vouched(hit.who):
        return None
    finger.seen_today.add(hit.who)
    return _Said(hint=FingerHint.SEEN_TODAY, alert=Alert.SEEN_TODAY, who=hit.who)


def _mistaken(board: Board, item: Item, doubt: Doubt | None) -> tuple[Item, ...]:
    """Open this item and another where the same doubt comes twice in a row.

    The first time it is this touch that is doubted; the second time it is what was taken.
    """
    finger = board.finger(item)
    other = None if doubt is None else doubt.other
    before, finger.mistaken_for = finger.mistaken_for, other
    if other is None or other != before or board.finger(other).state is not ItemState.TAKEN:
        return ()
    return board.mix_up(item, other)


def _is_own(board: Board, finger: Finger, impression: Impression) -> bool:
    own = board.likeness.most(impression, finger.attempts.candidates)
    return own >= limits.CONTROL_FROM.value


def _mend(looked: Looked | None) -> FingerHint | None:
    return None if looked is None else looked.impression.seen.quality.hint


def _offered(
    finger: Finger,
    looked: Looked | None,
    said: _Said,
    fate: tuple[Item, Outcome, int, int],
    reopened: tuple[Item, ...],
) -> Offered:
    item, outcome, number, left = fate
    hint = said.hint
    if hint is None and outcome not in {Outcome.TAKEN, Outcome.CONFIRMED}:
        hint = _mend(looked) or FingerHint.AGAIN
    impression = None if looked is None else looked.impression
    return Offered(
        item=item,
        outcome=outcome,
        kept=impression is not None and finger.attempts.best is impression,
        quality=None if impression is None else impression.seen.quality,
        minutiae_count=0 if impression is None else impression.minutiae_count,
        hint=hint,
        alert=said.alert,
        who=said.who,
        try_number=number,
        tries_left=left,
        same_as=said.same_as,
        reopened=reopened,
    )
