"""The visit's steps: what happens when a code is seen, the shutter fires, a finger was judged.

Everything here is called with a booth and takes its lock where it changes something.
"""

import hashlib
import logging
from dataclasses import replace
from typing import Final

from biometrics.capture import Capture, CaptureInvalid, Portrait
from biometrics.face.coach import Advice
from biometrics.face.crop import NothingToCrop
from biometrics.face.liveness import Progress
from biometrics.face.shutter import Shot
from biometrics.seal.errors import SealError
from biometrics.words import Text
from kiosk import touches
from kiosk.booth import CAMERA, READER, Booth, Senses
from kiosk.fittings import Attended, Face
from kiosk.life import VisitEvent
from kiosk.outbox import NotKept
from kiosk.paper import Confirmation
from kiosk.protocol import CheckIn, Visit
from kiosk.scan import Unread, understand
from kiosk.screens import SCANNING, Screen
from kiosk.sitting import LIVENESS_SECONDS, AttendedEye, Look, portrait_of
from kiosk.sitting import attended as with_liveness
from kiosk.uplink import NoNetwork, Refused, UplinkError
from kiosk.visit import Closed
from kiosk.words import liveness_words, portrait_words, text_of, words

log = logging.getLogger(__name__)

GONE_AFTER: Final = 4.0
"""Seconds without a refused code before the same code is tried again."""
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
    if booth.trouble.keys() & {CAMERA, READER}:
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
            touches.finger_visit(booth, facts)
            booth.visit.greet(facts, at=booth.fittings.clock.now())
        except (ValueError, OSError):
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
    """Take in what the last frame showed; where the shutter fired, go on with what it took."""
    with booth.lock:
        if booth.face is not face or booth.under is not Screen.PORTRAIT:
            return
        if look.verdict.faces:
            booth.seen()
        _coach(booth, face, look)
        if look.shot is not None and booth.help is None:
            try:
                face.portrait = portrait_of(look.shot, forced_by=None)
            except NothingToCrop:
                return
            booth.visit.note("portrait_taken", at=booth.fittings.clock.now())
            _attend(booth, look.shot)


def _coach(booth: Booth, face: Face, look: Look) -> None:
    before, advice, good = face.advice, look.advice, look.verdict.ok
    told = None if before is None else (before.hint, before.more, before.offer_help)
    changed = told != (advice.hint, advice.more, advice.offer_help) or good != face.good
    moved = _moved(face.share, look.share)
    face.advice, face.good = advice, good
    if changed or moved:
        face.share = look.share
        booth.changed()
    if advice.offer_help and not (before is not None and before.offer_help):
        booth.visit.note("officer_offered", at=booth.fittings.clock.now(), detail=told_by(advice))
        booth.say(words()["coach.help"])
    elif advice.say:
        booth.say(sentence(advice, good=good))


def told_by(advice: Advice) -> str:
    """Return the key of the instruction that stands; empty for none."""
    return "" if advice.hint is None else f"portrait.{advice.hint}"


def sentence(advice: Advice | None, *, good: bool) -> Text:
    """Return what the coach's advice says."""
    if advice is None or advice.hint is None:
        return words()["portrait.hold" if good else "portrait.position"]
    key = told_by(advice)
    return words()[f"{key}.more"] if advice.more else portrait_words()[key]


def _moved(before: float, share: float) -> bool:
    return abs(share - before) >= _SHARES or (share == 0) != (before == 0)


# The two movements after it


def _attend(booth: Booth, shot: Shot) -> None:
    """Ask for the movements while the same face is still followed, if this kiosk does."""
    fittings = booth.fittings
    if not fittings.settings.liveness:
        booth.enter(Screen.LOOK)
        return
    attendance = fittings.attend(str(booth.visit.present.visit_id), shot)

    def report(progress: Progress) -> None:
        attended(booth, under_way, progress)

    eye = AttendedEye(fittings.judges(booth.visit.profile).live, attendance, report)
    under_way = booth.attended = Attended(eye=eye, since=fittings.clock.monotonic())
    booth.enter(Screen.LIVENESS)


def attended(booth: Booth, under_way: Attended, progress: Progress) -> None:
    """Take in how far the movements have come."""
    with booth.lock:
        if booth.attended is not under_way or booth.under is not Screen.LIVENESS:
            return
        if not progress.lost:
            booth.seen()
        before, under_way.progress = under_way.progress, progress
        if booth.help is not None:
            return
        if progress.done:
            end_attendance(booth)
        elif before is None or before.action != progress.action:
            booth.say(liveness_words()[f"liveness.{progress.action}"])
        elif before.lost != progress.lost or _moved(before.share, progress.share):
            booth.changed()


def end_attendance(booth: Booth) -> None:
    """Keep what was seen of the movements beside the picture, and show the picture."""
    under_way, portrait = booth.attended, booth.face.portrait
    booth.attended = None
    if under_way is not None and portrait is not None:
        seen = under_way.eye.result()
        booth.face.portrait = with_liveness(portrait, seen)
        made = f"{sum(seen.met)}/{len(seen.actions)} {' '.join(seen.actions)}"
        booth.visit.note("liveness", at=booth.fittings.clock.now(), detail=made)
    booth.enter(Screen.LOOK)


def ticked(booth: Booth, at: float) -> None:
    """Let time pass: whoever does not make the movements is asked for nothing more."""
    under_way = booth.attended
    if under_way is None or booth.help is not None or booth.under is not Screen.LIVENESS:
        return
    if at - under_way.since >= LIVENESS_SECONDS:
        end_attendance(booth)


# The picture that is kept


def keep_portrait(booth: Booth) -> None:
    """Go on with the picture the citizen agreed to."""
    portrait = booth.visit.portrait = booth.face.portrait
    booth.happen(VisitEvent.KEEP_PORTRAIT)
    if portrait is not None:
        sitting = booth.sitting
        booth.fittings.spawn(lambda: _refer(booth, sitting, portrait))
    if booth.visit.prints or booth.visit.missing:
        booth.happen(VisitEvent.COMPLETE_FINGERS)
    else:
        touches.begin(booth)


def _refer(booth: Booth, sitting: str, portrait: Portrait) -> None:
    """Put another judge's findings beside ours, if there is one and it is done before the seal."""
    findings = booth.fittings.reference(portrait.image)
    with booth.lock:
        if findings and booth.same(sitting) and booth.visit.portrait is portrait:
            booth.visit.portrait = replace(portrait, findings=portrait.findings + findings)


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
        proof=visit.proof,
        irises=visit.irises,
        absences=visit.absences,
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
    number = number_of(known.station.code, entry.sequence)
    with booth.lock:
        booth.visit.close(Closed(number=number, digest=entry.digest), at=fittings.clock.now())
        booth.fittings.taker.end()
        booth.face = Face()
        booth.enter(Screen.SEALED)
        paper = Confirmation(
            station=known.station.name,
            number=number,
            at=fittings.clock.now(),
            dossier=capture.dossier,
            link=fittings.settings.look_up or None,
            rehearsal=bool(capture.simulated),
            language=booth.language,
        )
        if fittings.paper is not None:
            fittings.paper.print_confirmation(paper)
    try:
        fittings.references.keep(capture.dossier, capture.prints, on=touches.today(booth))
    except OSError:
        # They help to notice a wrong finger; that they cannot is no reason to keep anybody here.
        log.exception("today's fingers could not be remembered")


def number_of(station: str, sequence: int) -> str:
    """Return what a citizen is told of a capture at once: its station and the kiosk's count."""
    return f"{station}-{sequence:06d}"


SENSES: Final = Senses(scanned=scanned, looked=looked, ticked=ticked)
