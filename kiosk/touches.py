"""The step at the glass: which touches are asked for, and what is done with what comes.

Everything here is called with a booth and takes its lock where it changes something.
"""

from collections.abc import Collection
from datetime import date
from typing import Final

import numpy as np

from biometrics.capture import Absence, AbsenceReason, ImpressionKind, Part
from biometrics.finger.known import NOBODY, Known
from biometrics.finger.plan import Step, Touch, steps
from biometrics.finger.visit import Alert, FingerVisit, Item, Offered
from biometrics.words import Text
from kiosk import irises
from kiosk.booth import Booth
from kiosk.clock import HERE
from kiosk.life import VisitEvent
from kiosk.protocol import CapturePlan, Visit
from kiosk.screens import Screen
from kiosk.standing import Standing
from kiosk.telling import name
from kiosk.words import words

TWO_CONTROLS_FROM: Final = 6
"""Fingers in a plan from which two are asked for again at the end instead of one."""


def planned(plan: CapturePlan, takes: Collection[Touch]) -> tuple[Step, ...]:
    """Return the touches of a visit: what the procedure wants, as far as the reader can take it.

    Raises:
        ValueError: no such fingers.
    """
    return steps(plan.fingers, {ImpressionKind(kind) for kind in plan.impressions}, takes)


def lacking(plan: CapturePlan, takes: Collection[Touch], *, iris: bool) -> tuple[Part, ...]:
    """Return what the procedure wants and no device here can take."""
    rolled = ImpressionKind.ROLLED in plan.impressions and bool(plan.fingers)
    wanted = {
        Part.ROLLED: rolled and Touch.ROLLED not in takes,
        Part.IRIS: plan.irises and not iris,
    }
    return tuple(part for part, lacks in wanted.items() if lacks)


def takes(booth: Booth) -> frozenset[Touch]:
    """Return what the reader here can take."""
    info = booth.fittings.taker.info
    return frozenset(Touch(one.value) for one in info.takes) if info else frozenset({Touch.SINGLE})


def finger_visit(booth: Booth, facts: Visit, known: Known = NOBODY) -> FingerVisit:
    """Return the visit of the glass that `facts` asks for.

    Raises:
        ValueError: nobody could follow its plan.
    """
    plan = facts.plan
    return FingerVisit(
        steps=planned(plan, takes(booth)),
        tries=plan.tries,
        accept_at=plan.accept_at,
        keep_from=plan.keep_from,
        judge=booth.fittings.finger_judge,
        rng=np.random.default_rng(),
        controls=2 if len(plan.fingers) >= TWO_CONTROLS_FROM else 1,
        takes=takes(booth),
        known=known,
    )


def today(booth: Booth) -> date:
    """Return the day at the station."""
    return booth.fittings.clock.now().astimezone(HERE).date()


def begin(booth: Booth) -> None:
    """Ask for the fingers from now on."""
    facts, at = booth.visit.present, booth.fittings.clock.now()
    known = booth.fittings.references.known(facts.dossier, on=today(booth))
    taken = finger_visit(booth, facts, known)
    booth.visit.absences = tuple(
        Absence(part=part, reason=AbsenceReason.NO_DEVICE, officer=None, at=at)
        for part in lacking(facts.plan, takes(booth), iris=booth.fittings.irises is not None)
    )
    sitting = booth.sitting

    def report(standing: Standing, offered: tuple[Offered, ...]) -> None:
        fingered(booth, sitting, standing, offered)

    booth.fittings.taker.begin(taken, report)
    if taken.complete:
        complete(booth)


def fingered(booth: Booth, sitting: str, standing: Standing, offered: tuple[Offered, ...]) -> None:
    """Take in how far the fingers have come."""
    with booth.lock:
        if not booth.same(sitting) or booth.under is not Screen.FINGERS:
            return
        if offered:
            booth.seen()
        at = booth.fittings.clock.now()
        for one in offered:
            booth.visit.note(f"finger_{one.outcome}", at=at, detail=which(one.item))
            _sound_alarm(booth, one)
        booth.changed()
        if standing.complete:
            complete(booth)
        elif standing.undecided and standing.wanted is None:
            booth.call()


ALARMS: Final = frozenset({Alert.OFFICER, Alert.SEEN_TODAY, Alert.REPLAY})
"""What an officer is called for at once; of mixed-up fingers the person is told first."""


def _sound_alarm(booth: Booth, offered: Offered) -> None:
    """Write down what is wrong with a finger, and call an officer where only they may go on."""
    alert = offered.alert
    if alert is None:
        return
    said = f"{which(offered.item)} {alert} {offered.who or ''}".rstrip()
    booth.visit.note("finger_alert", at=booth.fittings.clock.now(), detail=said)
    if alert in ALARMS:
        booth.call(alarm(offered))


def alarm(offered: Offered) -> Text:
    """Return what the officer reads; it names others, so it is for the desk only."""
    finger, text = name(offered.item.position), words()[f"alarm.{offered.alert}"]
    return Text(
        vi=text.vi.format(finger=finger.vi, who=offered.who),
        en=text.en.format(finger=finger.en, who=offered.who),
    )


def which(item: Item) -> str:
    """Return how the journal names a finger: its position, and that it was rolled."""
    rolled = item.kind is ImpressionKind.ROLLED
    return f"{item.position} {item.kind}" if rolled else f"{item.position}"


def complete(booth: Booth) -> None:
    """Go on once every finger has a print or a reason, and what is to be shown was pictured."""
    visit, taker = booth.visit, booth.fittings.taker
    shown = taker.standing.proof_wanted
    if shown and visit.proof is None and not visit.proof_waived:
        booth.call()
        return
    if not shown:
        visit.proof = None
    visit.prints, visit.missing = taker.result()
    taker.end()
    if visit.present.plan.irises and booth.fittings.irises is not None:
        booth.happen(VisitEvent.TO_IRISES)
        irises.begin(booth)
    else:
        booth.happen(VisitEvent.COMPLETE_FINGERS)
