"""What an officer at the desk decides: fingers, limits, a picture, a signature, an end.

Each is called as a press (see `actions`); who the officer is, is known from their PIN.
"""

import enum
from collections.abc import Callable, Mapping
from typing import Final

from biometrics.capture import ImpressionKind, MissingReason
from biometrics.face.crop import DoesNotFit, NothingToCrop
from biometrics.finger.visit import Decision, FingerVisit, FingerVisitError, Item
from kiosk import enrolment, irises, signature, steps, touches
from kiosk.booth import Booth, Stale
from kiosk.clock import HERE
from kiosk.life import VisitEvent, VisitState
from kiosk.officers import NotIn
from kiosk.portrait import jpeg
from kiosk.screens import Screen
from kiosk.sitting import portrait_of
from kiosk.touches import which
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


def _decide(booth: Booth, how: Callable[[FingerVisit], None], *, detail: str = "") -> None:
    """Have an officer's decisions about fingers happen, note them, and go on if all is done."""
    made: list[Decision] = []

    def decide(visit: FingerVisit) -> None:
        before = len(visit.decisions)
        try:
            how(visit)
        finally:
            made.extend(visit.decisions[before:])

    try:
        booth.fittings.taker.decide(decide)
    except (FingerVisitError, LookupError):
        _say(booth, "desk.not_now")
        return
    finally:
        for one in made:
            said = f"{which(one.item)} {detail}".rstrip()
            booth.visit.note(f"finger_{one.kind}", at=one.at, detail=said)
    _say(booth, "desk.done")
    _go_on(booth)


def _go_on(booth: Booth) -> None:
    """Leave the glass if that was the last that had to be decided, and nothing is to be shown."""
    standing, visit = booth.fittings.taker.standing, booth.visit
    shown = not standing.proof_wanted or visit.proof_waived
    if standing.complete and shown:
        touches.complete(booth)


def _chosen(booth: Booth, values: Values) -> Item | None:
    """Return the finger (and kind) that was chosen; None after saying that none was."""
    position, kind = values.get("position", ""), values.get("kind", ImpressionKind.PLAIN)
    numbered = position.isascii() and position.isdigit() and len(position) <= 2  # noqa: PLR2004 - 1..10
    if not numbered or kind not in frozenset(one.value for one in ImpressionKind):
        _say(booth, "desk.choose")
        return None
    return Item(position=int(position), kind=ImpressionKind(kind))


def missing(booth: Booth, values: Values) -> None:
    """Record that a finger cannot be captured; of an amputated hand, all its fingers.

    A reason names how long it lasts, too: ``worn`` (as it usually is), ``worn:permanent`` or
    ``worn:temporary``.
    """
    officer, at = _officer(booth), booth.fittings.clock.now()
    item = _chosen(booth, values)
    named, _, lasting = values.get("reason", "").partition(":")
    if item is None or named not in frozenset(one.value for one in MissingReason):
        _say(booth, "desk.choose")
        return
    reason = MissingReason(named)
    permanent = _LASTING.get(lasting, reason.lasting[0])
    if permanent not in reason.lasting:
        _say(booth, "desk.choose")
        return
    positions: tuple[int, ...] = (item.position,)
    if reason is MissingReason.AMPUTATED_HAND:
        standing = booth.fittings.taker.standing
        hand = _hand(item.position)
        positions = tuple(
            one for one in standing.plan if one in hand and one not in standing.missing
        )

    def record(visit: FingerVisit) -> None:
        for position in positions:
            visit.missing(position, reason, permanent, officer, at)

    _decide(booth, record, detail=f"{reason} {'permanent' if permanent else 'temporary'}")


_LASTING: Final = {"permanent": True, "temporary": False}


def _hand(position: int) -> range:
    return range(1, 6) if position <= 5 else range(6, 11)  # noqa: PLR2004 - five fingers


def keep_finger(booth: Booth, values: Values) -> None:
    """Keep the best of a finger's tries."""
    officer, at = _officer(booth), booth.fittings.clock.now()
    item = _chosen(booth, values)
    if item is not None:
        _decide(booth, lambda visit: visit.keep(item, officer, at))


def waive_roll(booth: Booth, values: Values) -> None:
    """Let a rolled impression be; the finger is there, flat."""
    officer, at = _officer(booth), booth.fittings.clock.now()
    item = _chosen(booth, values)
    if item is not None:
        _decide(booth, lambda visit: visit.waive(item, officer, at))


def reopen_finger(booth: Booth, values: Values) -> None:
    """Have a finger taken anew."""
    officer, at = _officer(booth), booth.fittings.clock.now()
    item = _chosen(booth, values)
    if item is not None:
        _decide(booth, lambda visit: visit.reopen(item, officer=officer, at=at))


def proof(booth: Booth, values: Values) -> None:
    """Take the picture that shows why a finger is missing, perhaps again."""
    del values
    officer, at = _officer(booth), booth.fittings.clock.now()
    if booth.under is not Screen.FINGERS or not booth.fittings.taker.standing.proof_wanted:
        _say(booth, "desk.not_now")
        return
    frame = booth.fittings.lens.newest(0)
    if frame is None:
        _say(booth, "desk.proof.no_camera")
        return
    booth.visit.proof = jpeg(frame.pixels)
    booth.visit.proof_waived = False
    booth.visit.note("proof_taken", at=at, detail=officer)
    _say(booth, "desk.proof.taken")


def waive_proof(booth: Booth, values: Values) -> None:
    """Go on without that picture."""
    del values
    officer, at = _officer(booth), booth.fittings.clock.now()
    if booth.under is not Screen.FINGERS or not booth.fittings.taker.standing.proof_wanted:
        _say(booth, "desk.not_now")
        return
    booth.visit.proof, booth.visit.proof_waived = None, True
    booth.visit.note("proof_waived", at=at, detail=officer)
    _say(booth, "desk.proof.waived")
    _go_on(booth)


def skip_irises(booth: Booth, values: Values) -> None:
    """Go on without irises."""
    del values
    officer = _officer(booth)
    if booth.under is not Screen.IRISES:
        _say(booth, "desk.not_now")
        return
    booth.resume()
    irises.let_be(booth, officer)


def enrol(booth: Booth, values: Values) -> None:
    """Take the officer's own fingers."""
    del values
    officer = _officer(booth)
    if booth.under is not Screen.ATTRACT:
        _say(booth, "desk.not_now")
        return
    enrolment.begin(booth, officer)


def resume(booth: Booth, values: Values) -> None:
    """Go on where help was called; from the glass further, if all is done there.

    Where something is wrong with a finger only an officer may go on.
    """
    del values
    if booth.help is not None and booth.help.alarms:
        _officer(booth)
    booth.resume()
    if booth.under is Screen.FINGERS and booth.fittings.taker.standing.complete:
        touches.complete(booth)


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
