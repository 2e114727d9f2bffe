"""The visit's steps: what happens when a code is seen, the shutter fires, a finger was judged.

Everything here is called with a booth and takes its lock where it changes something.
"""

import hashlib
import logging
from typing import Final

import numpy as np

from biometrics.capture import Capture, CaptureInvalid
from biometrics.face.crop import NothingToCrop
from biometrics.finger.visit import FingerVisit, Offered, PlanInvalid
from biometrics.seal.errors import SealError
from biometrics.words import Text
from kiosk.booth import Booth, Senses
from kiosk.fingers import Standing
from kiosk.fittings import Face
from kiosk.life import VisitEvent
from kiosk.outbox import NotKept
from kiosk.portrait import Look, portrait_of
from kiosk.protocol import CheckIn, Visit
from kiosk.scan import Unread, understand
from kiosk.screens import SCANNING, Screen
from kiosk.uplink import NoNetwork, Refused, UplinkError
from kiosk.visit import Closed
from kiosk.words import portrait_words, text_of, words

log = logging.getLogger(__name__)

GONE_AFTER: Final = 4.0
"""Seconds without a refused code before the same code is tried again."""
TWO_CONTROLS_FROM: Final = 6
"""Fingers in a plan from which two are asked for again at the end instead of one."""
_SHARES: Final = 0.02
"""Share of the shutter's burst between two reports."""


# Checking in


def scanned(booth: Booth, text: str) -> None:
    """Take in a code that was held up."""
    with booth.lock:
        if booth.screen not in SCANNING:
            return
        at = booth.fittings.clock.monotonic()
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        before, booth.refused_code = booth.refused_code, (digest, at)
        if before is not None and before[0] == digest and at - before[1] < GONE_AFTER:
            return
        found = understand(text)
        if isinstance(found, Unread):
            booth.enter(booth.screen, words()[f"scan.{found}"])
        else:
            check_in(booth, found)


def check_in(booth: Booth, who: CheckIn) -> None:
    """Ask the server who this is, if the kiosk could take their capture at all."""
    closed = _closed(booth)
    if closed is not None:
        booth.enter(Screen.ATTRACT, closed)
        return
    back = booth.under
    booth.enter(Screen.CHECKING)
    sitting = booth.sitting
    booth.fittings.spawn(lambda: _ask_server(booth, who, sitting, back))


def _closed(booth: Booth) -> Text | None:
    """Return why nobody can be captured now; found out before anybody has tried."""
    fittings = booth.fittings
    if booth.trouble:
        return words()["closed.device"]
    if not fittings.errands.ready(now=fittings.clock.now()):
        return words()["closed.keys"]
    if fittings.outbox.reserve(least_free=fittings.settings.least_free) is not None:
        return words()["closed.disk"]
    return None


def _ask_server(booth: Booth, who: CheckIn, sitting: str, back: Screen) -> None:
    try:
        facts = booth.fittings.server.check_in(who)
    except Refused as error:
        _not_in(booth, sitting, back, text_of(error.refusal.text))
    except NoNetwork:
        _not_in(booth, sitting, back, words()["server.no_network"])
    except UplinkError as error:
        log.warning("check-in: %s", error)
        _not_in(booth, sitting, back, words()["server.foreign"])
    else:
        _greet(booth, facts, sitting)


def _not_in(booth: Booth, sitting: str, back: Screen, text: Text) -> None:
    with booth.lock:
        if booth.same(sitting) and booth.under is Screen.CHECKING:
            booth.enter(back, text)


def _greet(booth: Booth, facts: Visit, sitting: str) -> None:
    with booth.lock:
        if not booth.same(sitting) or booth.under is not Screen.CHECKING:
            _send_away(booth, facts)
            return
        try:
            _finger_visit(booth, facts)
            booth.visit.greet(facts, at=booth.fittings.clock.now())
        except (PlanInvalid, OSError):
            log.exception("a visit could not begin")
            _send_away(booth, facts)
            booth.enter(Screen.ATTRACT, words()["closed.disk"])
        else:
            booth.enter(Screen.CONFIRM)


def _send_away(booth: Booth, facts: Visit) -> None:
    """Tell the server that a visit it opened has no person: they left while it answered."""
    booth.keep_departure(facts, "gave_up")
    booth.fittings.errands.wake()


# The portrait


def looked(booth: Booth, face: Face, look: Look) -> None:
    """Take in what the last frame showed; where the shutter fired, show what it took."""
    with booth.lock:
        if booth.face is not face or booth.under is not Screen.PORTRAIT:
            return
        if look.verdict.faces:
            booth.seen()
        hint = look.verdict.hint
        text = None if hint is None else portrait_words()[f"portrait.{hint}"]
        if text != face.hint or look.verdict.ok != face.good or _moved(face.share, look.share):
            face.hint, face.good, face.share = text, look.verdict.ok, look.share
            booth.changed()
        if look.shot is not None and booth.help is None:
            try:
                face.portrait = portrait_of(look.shot, forced_by=None)
            except NothingToCrop:
                return
            booth.visit.note("portrait_taken", at=booth.fittings.clock.now())
            booth.enter(Screen.LOOK)


def _moved(before: float, share: float) -> bool:
    return abs(share - before) >= _SHARES or (share == 0) != (before == 0)


def keep_portrait(booth: Booth) -> None:
    """Go on with the picture the citizen agreed to."""
    booth.visit.portrait = booth.face.portrait
    booth.happen(VisitEvent.KEEP_PORTRAIT)
    if booth.visit.prints or booth.visit.missing:
        booth.happen(VisitEvent.COMPLETE_FINGERS)
    else:
        _begin_fingers(booth)


# The fingers


def _finger_visit(booth: Booth, facts: Visit) -> FingerVisit:
    plan = facts.plan
    return FingerVisit(
        plan=plan.fingers,
        tries=plan.tries,
        accept_at=plan.accept_at,
        keep_from=plan.keep_from,
        judge=booth.fittings.finger_judge,
        rng=np.random.default_rng(),
        controls=2 if len(plan.fingers) >= TWO_CONTROLS_FROM else 1,
    )


def _begin_fingers(booth: Booth) -> None:
    taken = _finger_visit(booth, booth.visit.present)
    sitting = booth.sitting

    def report(standing: Standing, offered: Offered | None) -> None:
        fingered(booth, sitting, standing, offered)

    booth.fittings.taker.begin(taken, report)
    if taken.complete:
        complete_fingers(booth)


def fingered(booth: Booth, sitting: str, standing: Standing, offered: Offered | None) -> None:
    """Take in how far the fingers have come."""
    with booth.lock:
        if not booth.same(sitting) or booth.under is not Screen.FINGERS:
            return
        if offered is not None:
            booth.seen()
            booth.visit.note(
                f"finger_{offered.outcome}",
                at=booth.fittings.clock.now(),
                detail=str(standing.offered_as),
            )
        booth.changed()
        if standing.complete:
            complete_fingers(booth)
        elif standing.undecided and standing.wanted is None:
            booth.call()


def complete_fingers(booth: Booth) -> None:
    """Go on once every finger has a print or a reason."""
    booth.visit.prints, booth.visit.missing = booth.fittings.taker.result()
    booth.fittings.taker.end()
    booth.happen(VisitEvent.COMPLETE_FINGERS)


# The end


def seal(booth: Booth, signature: bytes) -> None:
    """Seal what was captured; "done" is said only when it is durable."""
    booth.enter(Screen.SEALING)
    capture = _capture(booth, signature)
    operator = booth.visit.operator
    booth.fittings.spawn(lambda: _keep(booth, capture, operator))


def _capture(booth: Booth, signature: bytes) -> Capture:
    visit, facts = booth.visit, booth.visit.present
    if visit.portrait is None or visit.consent is None:
        raise RuntimeError("a visit is read back without portrait or consent")
    return Capture(
        visit=str(facts.visit_id),
        dossier=facts.dossier,
        appointment=str(facts.appointment),
        portrait=visit.portrait,
        prints=visit.prints,
        missing=visit.missing,
        signature=signature,
        consent=visit.consent,
        journal=tuple(visit.steps),
        simulated=tuple(sorted(booth.stand_ins)),
    )


def _keep(booth: Booth, capture: Capture, operator: str | None) -> None:
    fittings = booth.fittings
    known = fittings.errands.known
    try:
        if known is None:
            raise NotKept("the station's keys are gone")  # noqa: TRY301 - one way out for all
        entry = fittings.outbox.put(
            capture,
            keys=known.keys,
            station=known.station.code,
            captured_at=fittings.clock.now(),
            mono=fittings.clock.monotonic(),
            boot_id=fittings.clock.boot_id,
            software=fittings.software,
            operator=operator,
        )
    except (NotKept, CaptureInvalid, SealError):
        log.exception("a capture could not be sealed")
        with booth.lock:
            booth.visit.note("seal_failed", at=fittings.clock.now())
            booth.enter(Screen.SIGN, words()["seal.failed"])
            booth.call()
        return
    with booth.lock:
        booth.visit.close(
            Closed(number=number_of(known.station.code, entry.sequence), digest=entry.digest),
            at=fittings.clock.now(),
        )
        booth.fittings.taker.end()
        booth.face = Face()
        booth.enter(Screen.SEALED)


def number_of(station: str, sequence: int) -> str:
    """Return what a citizen is told of a capture at once: its station and the kiosk's count."""
    return f"{station}-{sequence:06d}"


SENSES: Final = Senses(scanned=scanned, looked=looked)
