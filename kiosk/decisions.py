"""What an officer at the desk decides: fingers, limits, a picture, a signature, an end.

Each is called as a press (see `actions`); who the officer is, is known from their PIN.
"""

import enum
from collections.abc import Callable, Mapping
from typing import Final

from biometrics.capture import MissingReason
from biometrics.face.crop import DoesNotFit, NothingToCrop
from biometrics.finger.visit import Decision, FingerVisit, FingerVisitError
from kiosk import signature, steps
from kiosk.booth import Booth, Stale
from kiosk.clock import HERE
from kiosk.life import VisitEvent, VisitState
from kiosk.officers import NotIn
from kiosk.screens import Screen
from kiosk.sitting import portrait_of
from kiosk.words import words

LONGEST_NOTE: Final = 200
Values = Mapping[str, str]


class PortraitReason(enum.StrEnum):
    """Why a portrait is held to other limits, or to none; each has words."""

    CHILD = "child"
    ELDERLY = "elderly"
    DISABILITY = "disability"
    ILL = "ill"
    EYES = "eyes"
    DRESS = "dress"
    PLACE = "place"
    OTHER = "other"


def pin(booth: Booth, values: Values) -> None:
    """Sign an officer in."""
    if booth.help is None:
        raise Stale("nobody called")
    found = booth.fittings.desk.sign_in(
        values.get("officer", ""), values.get("pin", ""), at=booth.fittings.clock.monotonic()
    )
    if isinstance(found, NotIn):
        booth.help.text = words()[f"pin.{found}"]
        booth.visit.note(f"officer_{found}", at=booth.fittings.clock.now())
    else:
        booth.help.officer, booth.help.text = found, None
        booth.visit.helped_by(found.officer, at=booth.fittings.clock.now())


def _officer(booth: Booth) -> str:
    if booth.help is None or booth.help.officer is None:
        raise Stale("no officer is signed in")
    return booth.help.officer.officer


def _say(booth: Booth, key: str) -> None:
    if booth.help is not None:
        booth.help.text = words()[key]


def _decide(
    booth: Booth,
    values: Values,
    how: Callable[[FingerVisit, int], None],
    *,
    detail: str = "",
) -> None:
    """Have an officer's decision about a finger happen, note it, and go on if it was the last."""
    position = values.get("position", "")
    if not (position.isascii() and position.isdigit() and len(position) <= 2):  # noqa: PLR2004 - 1..10
        _say(booth, "desk.choose")
        return
    made: list[Decision] = []

    def decide(visit: FingerVisit) -> None:
        how(visit, int(position))
        made.append(visit.decisions[-1])

    try:
        standing = booth.fittings.taker.decide(decide)
    except (FingerVisitError, LookupError):
        _say(booth, "desk.not_now")
        return
    for one in made:
        booth.visit.note(
            f"finger_{one.kind}", at=one.at, detail=f"{one.position} {detail}".rstrip()
        )
    _say(booth, "desk.done")
    if standing.complete:
        steps.complete_fingers(booth)


def missing(booth: Booth, values: Values) -> None:
    """Record that a finger cannot be captured."""
    officer, at = _officer(booth), booth.fittings.clock.now()
    reason = values.get("reason", "")
    if reason not in frozenset(one.value for one in MissingReason):
        _say(booth, "desk.choose")
        return
    _decide(
        booth,
        values,
        lambda visit, which: visit.missing(which, MissingReason(reason), officer, at),
        detail=reason,
    )


def keep_finger(booth: Booth, values: Values) -> None:
    """Keep the best of a finger's tries."""
    officer, at = _officer(booth), booth.fittings.clock.now()
    _decide(booth, values, lambda visit, which: visit.keep(which, officer, at))


def reopen_finger(booth: Booth, values: Values) -> None:
    """Have a finger taken anew."""
    officer, at = _officer(booth), booth.fittings.clock.now()
    _decide(
        booth,
        values,
        lambda visit, which: visit.reopen(which, officer=officer, at=at),
    )


def _why(booth: Booth, values: Values) -> str | None:
    """Return the reason that was chosen, with its words if there are any; None after saying so."""
    chosen = values.get("reason", "")
    note = "".join(c if c.isprintable() else " " for c in values.get("note", "")).strip()
    known = chosen in frozenset(one.value for one in PortraitReason)
    if not known or (chosen == PortraitReason.OTHER and not note):
        _say(booth, "desk.portrait.choose")
        return None
    return f"{chosen}: {note[:LONGEST_NOTE]}" if note else chosen


def assist(booth: Booth, values: Values) -> None:
    """Hold the sitter to the assisted limits from now on."""
    officer = _officer(booth)
    if booth.under is not Screen.PORTRAIT:
        _say(booth, "desk.not_now")
        return
    reason = _why(booth, values)
    if reason is not None:
        booth.visit.assist(officer, reason, at=booth.fittings.clock.now())
        booth.enter(Screen.PORTRAIT)
        booth.resume()


def force_portrait(booth: Booth, values: Values) -> None:
    """Accept the picture as it is."""
    officer = _officer(booth)
    shot = booth.face.eye.last if booth.face.eye else None
    if booth.under is not Screen.PORTRAIT or shot is None:
        _say(booth, "desk.no_face")
        return
    reason = _why(booth, values)
    if reason is None:
        return
    try:
        booth.face.portrait = portrait_of(shot, forced_by=officer)
    except NothingToCrop as refused:
        fits_not = isinstance(refused, DoesNotFit)
        _say(booth, "desk.does_not_fit" if fits_not else "desk.no_face")
        return
    now = booth.fittings.clock.now()
    booth.visit.note("portrait_forced", at=now, detail=f"{officer} {reason}")
    booth.enter(Screen.LOOK)
    booth.resume()


def sign_for(booth: Booth, values: Values) -> None:
    """Vouch for somebody who cannot sign."""
    del values
    officer, at = _officer(booth), booth.fittings.clock.now()
    if booth.under not in {Screen.READ_BACK, Screen.SIGN}:
        _say(booth, "desk.not_now")
        return
    booth.visit.note("signed_for", at=at, detail=officer)
    booth.resume()
    steps.seal(booth, signature.attested(officer, f"{at.astimezone(HERE):%d/%m/%Y}").image)


def end(booth: Booth, values: Values) -> None:
    """End the visit."""
    del values
    _officer(booth)
    if booth.visit.state in {VisitState.WAITING, VisitState.SEALED}:
        booth.finish()
    else:
        booth.leave(VisitEvent.END, "officer")
