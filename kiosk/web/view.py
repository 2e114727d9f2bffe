"""What stands on the screen, as plain values: for the page's templates and for its script.

It changes nothing and holds no sentence.
"""

from dataclasses import dataclass
from typing import Any, Final

from biometrics.capture import MissingReason
from biometrics.finger.visit import Offered, Outcome
from biometrics.words import Text
from kiosk import steps
from kiosk.booth import Booth
from kiosk.decisions import PortraitReason
from kiosk.fingers import Phase, Standing, score_of
from kiosk.screens import SPOKEN, STEPS, Screen, step_of
from kiosk.speech import Speech
from kiosk.words import finger_words, liveness_words, words

Json = dict[str, Any]
_FINGERS: Final = range(1, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """The one instruction about fingers, what to mend beside it, and its colour."""

    text: Text
    note: Text | None
    tone: str


def state(booth: Booth) -> Json:
    """Return everything that may change while a screen stands, and what names the screen."""
    with booth.lock:
        screen = booth.screen
        counted = booth.countdown
        parting = booth.under in {Screen.SEALED, Screen.FAREWELL}
        broken = booth.waits_for_device
        return {
            "step": booth.token,
            "version": booth.version,
            "screen": screen.value,
            "under": booth.under.value,
            "state": booth.visit.state.value,
            "language": booth.language,
            "rehearsal": bool(booth.stand_ins),
            "idle": None if parting else counted,
            "wipe": counted if parting else None,
            "message": _both(booth.message),
            "device": None if broken is None else _both(words()[f"device.{broken}"]),
            "sound": booth.sound,
            "switch": screen in SPOKEN and bool(booth.fittings.speech.ready),
            "voice": booth.sound and bool(booth.fittings.speech.ready),
            "said": _said_aloud(booth, screen),
            "portrait": _portrait(booth) if screen is Screen.PORTRAIT else None,
            "liveness": _liveness(booth) if screen is Screen.LIVENESS else None,
            "fingers": fingers(booth) if screen is Screen.FINGERS else None,
            "receipt": _receipt(booth) if screen is Screen.SEALED else None,
        }


def _both(text: Text | None) -> Json | None:
    return None if text is None else {"vi": text.vi, "en": text.en}


def _said_aloud(booth: Booth, screen: Screen) -> Json | None:
    """Return which sound file is to be played now; its number tells it from the one before."""
    text, number = booth.said.text, str(booth.said.number)
    said: tuple[Text | None, ...] = (text,)
    if screen is Screen.FINGERS:
        # What stands on the screen is said once for each change of it; what to mend comes first.
        standing = booth.fittings.taker.standing
        told = telling(standing)
        said, number = (told.note, told.text), f"{standing.wanted} {standing.phase}"
    files = (booth.fittings.speech.file(one, booth.language) for one in said if one is not None)
    file = next(filter(None, files), None) if screen in SPOKEN else None
    return {"number": number, "file": file} if file else None


def _portrait(booth: Booth) -> Json:
    face = booth.face
    advice = face.advice
    text = steps.sentence(advice, good=face.good)
    hint = advice.hint if advice else None
    return {
        "hint": _both(text),
        "drawing": hint.value if hint else None,
        "since": round(advice.since, 4) if advice else None,
        "good": face.good and hint is None,
        "help": advice is not None and advice.offer_help,
        "share": round(face.share, 3),
    }


def _liveness(booth: Booth) -> Json:
    progress = booth.attended.progress if booth.attended else None
    if progress is None or progress.action is None:
        return {"hint": _both(words()["coach.taken"]), "drawing": None, "share": 0.0, "n": 0}
    text = liveness_words()[f"liveness.{progress.action}"]
    return {
        "hint": _both(words()["liveness.lost"] if progress.lost else text),
        "drawing": f"do_{progress.action}",
        "share": round(progress.share, 3),
        "n": progress.number,
        "of": progress.of,
    }


def _voice(speech: Speech, language: str) -> str:
    """Return what an officer is told of the kiosk's voice."""
    if speech.lacking is not None:
        return words().say("speech.silent", language, why=speech.lacking)
    if speech.ready is None:
        return words().say("speech.rendering", language)
    return words().say("speech.ready", language, count=speech.ready)


def _receipt(booth: Booth) -> Json:
    closed = booth.visit.closed
    return {
        "number": closed.number if closed else "",
        "server": booth.receipt.number if booth.receipt else None,
    }


def fingers(booth: Booth) -> Json:
    """Return how far the fingers have come."""
    standing = booth.fittings.taker.standing
    told = telling(standing)
    return {
        "plan": list(standing.plan),
        "wanted": standing.wanted,
        "control": standing.control,
        "phase": standing.phase.value,
        "progress": round(standing.progress, 2),
        "taken": dict(standing.scores),
        "missing": list(standing.missing),
        "undecided": list(standing.undecided),
        "try": standing.try_number,
        "tries": standing.tries,
        "done": len(standing.scores) + len(standing.missing),
        "text": _both(told.text),
        "note": _both(told.note),
        "tone": told.tone,
        "note_good": _went_well(standing),
        "finger": _both(name(standing.wanted)) if standing.wanted else None,
    }


def name(position: int) -> Text:
    """Return a finger's name."""
    return words()[f"name.{position}"]


def telling(standing: Standing) -> Telling:
    """Return what to say to the person at the glass."""
    note = _note(standing)
    if standing.wanted is None and standing.undecided:
        return Telling(text=words()["fingers.wait"], note=note, tone="wait")
    if standing.phase is Phase.PLACE and standing.wanted is not None:
        key = "fingers.control" if standing.control else "fingers.place"
        return Telling(text=_named(key, standing.wanted), note=note, tone="ask")
    key, tone = _PHASES[standing.phase]
    return Telling(text=words()[key], note=note, tone="good" if _went_well(standing) else tone)


def _went_well(standing: Standing) -> bool:
    return standing.offered is not None and standing.offered.outcome in _GOOD


_PHASES: Final = {
    Phase.PLACE: ("fingers.hold", "ask"),
    Phase.READING: ("fingers.hold", "work"),
    Phase.JUDGING: ("fingers.judging", "work"),
    Phase.LIFT: ("fingers.lift", "ask"),
}
_GOOD: Final = frozenset({Outcome.TAKEN, Outcome.CONFIRMED})
_OUTCOMES: Final = {
    Outcome.TAKEN: "fingers.taken",
    Outcome.CONFIRMED: "fingers.confirmed",
    Outcome.UNDECIDED: "fingers.undecided",
}


def _note(standing: Standing) -> Text | None:
    if standing.mend is not None:
        return words()[f"fingers.mend.{standing.mend}"]
    if standing.offered is None or standing.offered_as is None:
        return None
    return _said(standing.offered, standing.offered_as)


def _said(offered: Offered, position: int) -> Text | None:
    if offered.outcome in _OUTCOMES:
        return _sentence(_named(_OUTCOMES[offered.outcome], position))
    if offered.same_as is not None:
        swapped = offered.outcome is Outcome.SWAPPED
        key = "fingers.swapped" if swapped else "fingers.same"
        return _sentence(_named(key, position, other=offered.same_as))
    return None if offered.hint is None else finger_words()[f"finger.{offered.hint}"]


def _named(key: str, position: int, *, other: int | None = None) -> Text:
    finger, second = name(position), name(other or position)
    text = words()[key]
    return Text(
        vi=text.vi.format(finger=_whole(finger.vi), other=_whole(second.vi)),
        en=text.en.format(finger=_whole(finger.en), other=_whole(second.en)),
    )


def _whole(words_of_a_name: str) -> str:
    """Return a name that no line breaks."""
    return words_of_a_name.replace(" ", "\u00a0")


def _sentence(text: Text) -> Text:
    """Begin with a capital, where a name of a finger stands first."""
    return Text(vi=text.vi[:1].upper() + text.vi[1:], en=text.en[:1].upper() + text.en[1:])


def page(booth: Booth) -> Json:
    """Return what the templates need."""
    with booth.lock:
        visit, facts = booth.visit, booth.visit.facts
        step = step_of(booth.under)
        return {
            "now": state(booth),
            "screen": booth.screen.value,
            "under": booth.under,
            "language": booth.language,
            "facts": facts,
            "closed": visit.closed,
            "lost": visit.lost,
            "step": step,
            "steps": STEPS if step is not None else (),
            "parting": booth.parting,
            "help": booth.help,
            "officer": booth.help.officer if booth.help else None,
            "said": booth.help.text if booth.help else None,
            "forced_by": booth.face.portrait.forced_by if booth.face.portrait else None,
            "standing": booth.fittings.taker.standing,
            "prints": [(one.position, score_of(one)) for one in visit.prints],
            "missing": [(one.position, one.reason.value) for one in visit.missing],
            "speech": _voice(booth.fittings.speech, booth.language),
            "assisted": visit.assisted,
            "portrait_reasons": [reason.value for reason in PortraitReason],
            "reasons": [reason.value for reason in MissingReason],
            "positions": _FINGERS,
        }
