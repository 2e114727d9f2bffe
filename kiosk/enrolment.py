"""An officer gives their own fingers, so that the kiosk notices them on a citizen's dossier.

Only while nobody is being captured. What is kept stands in `references`; nothing is sent.
"""

import logging
from typing import Final

import numpy as np

from biometrics.capture import ImpressionKind
from biometrics.finger.plan import steps
from biometrics.finger.visit import FingerVisit, Offered
from kiosk import touches
from kiosk.booth import Booth
from kiosk.screens import Screen
from kiosk.standing import Standing
from kiosk.words import words

log = logging.getLogger(__name__)

FINGERS: Final = (2, 7, 1, 6)
"""Forefingers and thumbs: what helping hands touch the glass with."""
TRIES: Final = 3
ACCEPT_AT: Final = 45
"""NFIQ 2; a poorer print would not find its finger again for certain."""
KEEP_FROM: Final = 25


def begin(booth: Booth, officer: str) -> None:
    """Ask for the officer's fingers."""
    booth.resume()
    booth.enter(Screen.ENROL)
    visit = FingerVisit(
        steps=steps(FINGERS, {ImpressionKind.PLAIN}, touches.takes(booth)),
        tries=TRIES,
        accept_at=ACCEPT_AT,
        keep_from=KEEP_FROM,
        judge=booth.fittings.finger_judge,
        rng=np.random.default_rng(),
        controls=0,
    )
    sitting = booth.sitting

    def report(standing: Standing, offered: tuple[Offered, ...]) -> None:
        given(booth, sitting, officer, standing, offered)

    booth.fittings.taker.begin(visit, report)


def given(
    booth: Booth, sitting: str, officer: str, standing: Standing, offered: tuple[Offered, ...]
) -> None:
    """Take in how far the officer's fingers have come."""
    with booth.lock:
        if not booth.same(sitting) or booth.under is not Screen.ENROL:
            return
        if offered:
            booth.seen()
        booth.changed()
        if standing.complete or (standing.undecided and standing.wanted is None):
            booth.enter(Screen.ATTRACT, words()[_kept(booth, officer)])


def _kept(booth: Booth, officer: str) -> str:
    """Keep what was given, and return what to say of it."""
    prints, _ = booth.fittings.taker.result()
    booth.fittings.taker.end()
    if not any(one.template for one in prints):
        return "enrol.failed"
    try:
        booth.fittings.references.enrol(officer, prints)
    except OSError:
        log.exception("an officer's fingers could not be kept")
        return "enrol.failed"
    return "enrol.done"
