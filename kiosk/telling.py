"""What is said to the person at the glass: one instruction, and what to mend beside it.

Its words stand in `kiosk/texts`; it draws nothing and knows no reader.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from biometrics.finger.hints import FingerHint
from biometrics.finger.plan import LEFT, RIGHT, THUMBS, Step, Touch
from biometrics.finger.visit import Offered, Outcome
from biometrics.words import Text
from kiosk.standing import Phase, Standing
from kiosk.words import finger_words, words

_FINGERS: Final = range(1, 11)
_HANDS: Final = {RIGHT: "right", LEFT: "left"}
_OUTCOMES: Final = {
    Outcome.TAKEN: "fingers.taken",
    Outcome.CONFIRMED: "fingers.confirmed",
    Outcome.UNDECIDED: "fingers.undecided",
}
_TONES: Final = {
    Phase.PLACE: "ask",
    Phase.READING: "work",
    Phase.JUDGING: "work",
    Phase.LIFT: "ask",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """The one instruction about fingers, what to mend beside it, and its colour.

    Attributes:
        hint: of the note, as it is said aloud: without a name before it.
    """

    text: Text
    note: Text | None
    hint: Text | None
    tone: str


def name(position: int) -> Text:
    """Return a finger's name."""
    return words()[f"name.{position}"]


def telling(standing: Standing) -> Telling:
    """Return what to say to the person at the glass."""
    wanted = standing.wanted
    text, tone = _meanwhile(standing), _TONES[standing.phase]
    if wanted is None and standing.undecided:
        text, tone = words()["fingers.wait"], "wait"
    elif standing.phase is Phase.PLACE and wanted is not None:
        text = asked(wanted, control=standing.control)
    elif standing.went_well:
        tone = "good"
    return Telling(text=text, note=_note(standing), hint=_hint(standing), tone=tone)


def asked(step: Step, *, control: bool) -> Text:
    """Return the sentence that asks for a touch."""
    positions = step.positions
    if control:
        alone = len(positions) == 1
        return _named("fingers.control", positions[0]) if alone else words()["fingers.control.some"]
    if step.touch is Touch.ROLLED:
        return _named("fingers.roll", positions[0])
    if len(positions) == 1:
        return _named("fingers.place", positions[0])
    return words()["fingers.thumbs"] if positions == THUMBS else _slap(positions)


def _slap(positions: tuple[int, ...]) -> Text:
    hand = RIGHT if positions[0] in RIGHT else LEFT
    if positions == hand:
        return words()[f"fingers.slap.{_HANDS[hand]}"]
    *before, last = (words()[f"short.{(position - 1) % 5 + 1}"] for position in positions)
    first = Text(vi=", ".join(one.vi for one in before), en=", ".join(one.en for one in before))
    return _filled(
        words()["fingers.slap.some"],
        fingers=_filled(words()["fingers.slap.and"], fingers=first, last=last),
        hand=_small(words()[f"hand.{_HANDS[hand]}"]),
    )


def _meanwhile(standing: Standing) -> Text:
    step, phase = standing.wanted, standing.phase
    several = step is not None and len(step.positions) > 1
    if phase is Phase.JUDGING:
        return words()["fingers.judging"]
    if phase is Phase.LIFT:
        several = len(standing.offered) > 1 or (several and not standing.offered)
        return words()["fingers.lift.some" if several else "fingers.lift"]
    if step is not None and step.touch is Touch.ROLLED:
        return words()["fingers.hold.rolled"]
    return words()["fingers.hold.some" if several else "fingers.hold"]


def _note(standing: Standing) -> Text | None:
    if standing.mend is not None:
        return words()[f"fingers.mend.{standing.mend}"]
    if standing.live is not None:
        return _hinted(standing.live)
    if len(standing.offered) > 1:
        return _of_several(standing.offered)
    return _of_one(standing.offered[0]) if standing.offered else None


def _hint(standing: Standing) -> Text | None:
    if standing.mend is not None:
        return words()[f"fingers.mend.{standing.mend}"]
    if standing.live is not None:
        return _hinted(standing.live)
    return next((_hinted(one.hint) for one in standing.offered if one.hint is not None), None)


def _of_several(offered: Sequence[Offered]) -> Text | None:
    """Return what is wrong with the first finger that is not well, by its name."""
    for one in offered:
        said = _of_one(one)
        if one.outcome is Outcome.AGAIN and one.same_as is None and said is not None:
            finger = _unbroken(name(one.item.position))
            return _sentence(_filled(words()["fingers.of"], finger=finger, what=said))
        if one.outcome not in {Outcome.TAKEN, Outcome.CONFIRMED}:
            return said
    return words()["fingers.taken.some"]


def _of_one(offered: Offered) -> Text | None:
    position = offered.item.position
    if offered.outcome in _OUTCOMES:
        return _sentence(_named(_OUTCOMES[offered.outcome], position))
    if offered.same_as is not None:
        swapped = offered.outcome is Outcome.SWAPPED
        key = "fingers.swapped" if swapped else "fingers.same"
        return _sentence(_named(key, position, other=offered.same_as))
    return None if offered.hint is None else _hinted(offered.hint)


def _hinted(hint: FingerHint) -> Text:
    return finger_words()[f"finger.{hint}"]


def instructions() -> Iterator[Text]:
    """Yield every sentence that asks for a touch, so that each can be made into sound."""
    for position in _FINGERS:
        for touch in (Touch.SINGLE, Touch.ROLLED):
            yield asked(Step(positions=(position,), touch=touch), control=False)
        yield asked(Step(positions=(position,), touch=Touch.SINGLE), control=True)
    for hand in (RIGHT, LEFT, THUMBS):
        touch = Touch.THUMBS if hand is THUMBS else Touch.SLAP
        for count in range(2, len(hand) + 1):
            for some in combinations(hand, count):
                yield asked(Step(positions=some, touch=touch), control=False)
    keys = ("control.some", "hold", "hold.some", "hold.rolled", "lift", "lift.some", "wait")
    yield from (words()[f"fingers.{key}"] for key in keys)


def _named(key: str, position: int, *, other: int | None = None) -> Text:
    finger, second = _unbroken(name(position)), _unbroken(name(other or position))
    return _filled(words()[key], finger=finger, other=second)


def _filled(text: Text, **places: Text) -> Text:
    return Text(
        vi=text.vi.format(**{key: one.vi for key, one in places.items()}),
        en=text.en.format(**{key: one.en for key, one in places.items()}),
    )


def _unbroken(text: Text) -> Text:
    """Return a name that no line breaks."""
    return Text(vi=text.vi.replace(" ", "\u00a0"), en=text.en.replace(" ", "\u00a0"))


def _sentence(text: Text) -> Text:
    """Begin with a capital, where a name of a finger stands first."""
    return Text(vi=text.vi[:1].upper() + text.vi[1:], en=text.en[:1].upper() + text.en[1:])


def _small(text: Text) -> Text:
    """Begin with a small letter, in the middle of a sentence."""
    return Text(vi=text.vi[:1].lower() + text.vi[1:], en=text.en[:1].lower() + text.en[1:])
