"""What stands on the screen, as plain values: for the page's templates and for its script.

It changes nothing and holds no sentence.
"""

from typing import Any, Final

from biometrics.capture import MissingReason, Print
from biometrics.words import Text
from kiosk import paper, steps
from kiosk.booth import Booth
from kiosk.decisions import PortraitReason
from kiosk.eyes import Looked
from kiosk.screens import AT_THE_GLASS, SPOKEN, STEPS, Screen, step_of
from kiosk.speech import Speech
from kiosk.standing import Standing, score_of
from kiosk.telling import telling
from kiosk.words import liveness_words, words

Json = dict[str, Any]
_FINGERS: Final = range(1, 11)
REASONS: Final = tuple(
    (reason.value, "permanent" if permanent else "temporary", reason.shown)
    for reason in MissingReason
    for permanent in reason.lasting
)
"""What an officer may press: why a finger is missing, how long, and whether it is to be shown."""


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
            "fingers": fingers(booth) if screen in AT_THE_GLASS else None,
            "irises": _irises(booth) if screen is Screen.IRISES else None,
            "receipt": _receipt(booth) if screen is Screen.SEALED else None,
        }


def _both(text: Text | None) -> Json | None:
    return None if text is None else {"vi": text.vi, "en": text.en}


def _said_aloud(booth: Booth, screen: Screen) -> Json | None:
    """Return which sound file is to be played now; its number tells it from the one before."""
    text, number = booth.said.text, str(booth.said.number)
    said: tuple[Text | None, ...] = (text,)
    if screen in AT_THE_GLASS:
        # What stands on the screen is said once for each change of it; what to mend comes first.
        standing = booth.fittings.taker.standing
        told = telling(standing)
        number = f"{standing.wanted} {standing.phase} {standing.live}"
        said = (told.note, told.hint, told.text)
    if screen is Screen.IRISES:
        told_now = _before_scanner(booth)
        said, number = (told_now,), told_now.vi
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


def _irises(booth: Booth) -> Json:
    looked = booth.fittings.irises.looked if booth.fittings.irises else Looked()
    taken = [one.eye.value for one in looked.irises]
    return {"hint": _both(_before_scanner(booth)), "taken": taken}


def _before_scanner(booth: Booth) -> Text:
    looked = booth.fittings.irises.looked if booth.fittings.irises else Looked()
    if looked.failed:
        return words()["irises.again"]
    return words()[f"irises.look.{looked.alone}" if looked.alone else "irises.look"]


def _voice(speech: Speech, language: str) -> str:
    """Return what an officer is told of the kiosk's voice."""
    if speech.lacking is not None:
        return words().say("speech.silent", language, why=speech.lacking)
    if speech.ready is None:
        return words().say("speech.rendering", language)
    return words().say("speech.ready", language, count=speech.ready)


def _receipt(booth: Booth) -> Json:
    closed = booth.visit.closed
    fate = booth.fittings.paper.fate if booth.fittings.paper else None
    return {
        "paper": None if fate is None else _both(paper.said(fate)),
        "number": closed.number if closed else "",
        "server": booth.receipt.number if booth.receipt else None,
    }


def fingers(booth: Booth) -> Json:
    """Return how far the fingers have come."""
    standing = booth.fittings.taker.standing
    told = telling(standing)
    wanted = standing.wanted
    return {
        "plan": list(standing.plan),
        "kind": standing.kind.value,
        "wanted": list(wanted.positions) if wanted else [],
        "touch": wanted.touch.value if wanted else None,
        "control": standing.control,
        "phase": standing.phase.value,
        "progress": round(standing.progress, 2),
        "marks": {position: mark.value for position, mark in standing.marks},
        "undecided": [item.position for item in standing.undecided],
        "try": standing.try_number,
        "tries": standing.tries,
        "done": standing.done,
        "text": _both(told.text),
        "note": _both(told.note),
        "tone": told.tone,
        "note_good": standing.went_well and standing.live is None,
    }


def _enrolled(booth: Booth) -> bool:
    officer = booth.help.officer if booth.help else None
    return officer is not None and booth.fittings.references.enrolled(officer.officer)


def _kinds(prints: tuple[Print, ...]) -> list[tuple[str, list[tuple[int, int]]]]:
    """Return the prints' positions and scores by kind, in the order they were taken."""
    return [
        (kind.value, [(one.position, score_of(one)) for one in prints if one.kind is kind])
        for kind in dict.fromkeys(one.kind for one in prints)
    ]


def _chosen(standing: Standing) -> int | None:
    """Return the finger an officer most likely has to decide."""
    if standing.undecided:
        return standing.undecided[0].position
    return standing.wanted.positions[0] if standing.wanted else None


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
            "enrolled": _enrolled(booth),
            "help": booth.help,
            "officer": booth.help.officer if booth.help else None,
            "said": booth.help.text if booth.help else None,
            "forced_by": booth.face.portrait.forced_by if booth.face.portrait else None,
            "standing": booth.fittings.taker.standing,
            "chosen": _chosen(booth.fittings.taker.standing),
            "kinds": _kinds(visit.prints),
            "missing": [(one.position, one.reason.value) for one in visit.missing],
            "irises": [one.eye.value for one in visit.irises],
            "absences": [f"{one.part}.{one.reason}" for one in visit.absences],
            "proof": visit.proof is not None,
            "proof_waived": visit.proof_waived,
            "speech": _voice(booth.fittings.speech, booth.language),
            "assisted": visit.assisted,
            "portrait_reasons": [reason.value for reason in PortraitReason],
            "reasons": REASONS,
            "positions": _FINGERS,
        }
