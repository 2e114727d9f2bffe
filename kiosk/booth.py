"""The kiosk as one: the visit, its screen, the devices and the clock, under one lock.

What a press does stands in `actions`, what is shown in `web`; no route and no sentence is here.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from biometrics.words import Text
from hardware.camera.port import CameraInfo
from hardware.finger.port import ReaderInfo
from hardware.iris.port import IrisInfo
from kiosk import patience
from kiosk.fittings import Attended, Face, Fittings, Help, Said
from kiosk.life import VisitEvent, VisitState, after
from kiosk.portrait import CodeEye, Eye
from kiosk.protocol import LeaveVisit, Receipt, Visit
from kiosk.screens import FIRST, SCANNING, Screen
from kiosk.sitting import Look, PortraitEye
from kiosk.turns import Turns
from kiosk.visit import CurrentVisit
from kiosk.words import words

log = logging.getLogger(__name__)

CAMERA: Final = "camera"
READER: Final = "reader"
IRIS: Final = "iris"
NEEDS: Final = {
    Screen.PORTRAIT: CAMERA,
    Screen.LIVENESS: CAMERA,
    Screen.FINGERS: READER,
    Screen.IRISES: IRIS,
    Screen.ENROL: READER,
}
FAREWELL_SECONDS: Final = 10.0
MESSAGE_SECONDS: Final = 12.0
"""How long a refusal stands on the first screen."""
SEEN_SECONDS: Final = 180.0
"""How long a face or a finger without any touch of the screen counts as somebody being there."""


class Stale(Exception):
    """The press answers a screen that is over; what is shown now is the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Senses:
    """Who is told what the camera saw; see `steps`."""

    scanned: Callable[["Booth", str], None]
    looked: Callable[["Booth", Face, Look], None]
    ticked: Callable[["Booth", float], None]


class Booth:
    """One kiosk; every public method may be called from any thread."""

    def __init__(self, fittings: Fittings, visit: CurrentVisit, *, senses: Senses) -> None:
        self.fittings = fittings
        self._senses = senses
        self.visit = visit
        self.lock = threading.RLock()
        self.language = "vi"
        self.message: Text | None = None
        self.help: Help | None = None
        self.face = Face()
        self.attended: Attended | None = None
        """The challenge under way."""
        self.sound = fittings.settings.speech
        self.said = Said()
        self.receipt: Receipt | None = None
        self.trouble: dict[str, float] = {}
        """Since when (monotonic seconds) a device does not work."""
        self.stand_ins: set[str] = set()
        """Names of simulated devices that were here since the start."""
        self.parting: str = ""
        """Why the last visit ended without a capture; the key of a sentence."""
        self.refused_code: tuple[bytes, float] | None = None
        """Digest of the last code that let nobody in, and when it was last seen."""
        self._changed = threading.Condition(self.lock)
        self._version = 0
        self._turns = Turns()
        self.until: float | None = None
        """When (monotonic seconds) the screen ends by itself."""
        self.touched = self._monotonic()
        """When somebody last touched the screen (monotonic seconds)."""
        self.last_seen = 0.0
        """When a face or a finger was last seen."""
        self._countdown: int | None = None
        self._screen = Screen.ATTRACT
        self.enter(FIRST[visit.state])
        if visit.lost:
            self.message = words()["note.lost"]

    # What is shown

    @property
    def screen(self) -> Screen:
        """Return what stands on the screen; help stands before everything else."""
        if self.help is None:
            return self._screen
        return Screen.HELP if self.help.officer is None else Screen.DESK

    @property
    def under(self) -> Screen:
        """Return the step that an officer's help stands before."""
        return self._screen

    @property
    def token(self) -> str:
        """Return what a press on this screen must bring."""
        return self._turns.token

    @property
    def version(self) -> int:
        """Return a number that grows with every change of anything shown."""
        return self._version

    @property
    def countdown(self) -> int | None:
        """Return the whole seconds until the screen ends by itself, None while nothing does."""
        return self._countdown

    def wait(self, after: int, seconds: float) -> int:
        """Return the version once it is over `after`, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > after, timeout=seconds)
            return self._version

    def asked(self) -> str | None:
        """Return the key of the sentence by which the sitter is asked for something now."""
        with self.lock:
            if self.screen is Screen.PORTRAIT and self.face.advice is not None:
                hint = self.face.advice.hint
                return None if hint is None else f"portrait.{hint}"
            progress = self.attended.progress if self.attended else None
            if self.screen is Screen.LIVENESS and progress is not None and progress.action:
                return f"liveness.{progress.action}"
            return None

    # What changes it

    def answer(self, token: str, *, bound: bool, on: frozenset[Screen]) -> None:
        """Let a press through, once.

        Args:
            token: what it brought.
            bound: it answers one screen and no later one of the same visit.
            on: where it may be pressed.

        Raises:
            Stale: it answers a screen that is over.
        """
        if not self._turns.fits(token, bound=bound) or self.screen not in on:
            raise Stale(token[:40])
        if bound:
            self._turns.turn()
        self.touch()

    def touch(self) -> None:
        """Note that somebody touched the screen."""
        self.touched = self.last_seen = self._monotonic()
        self._countdown = None
        self.changed()

    def seen(self) -> None:
        """Note that somebody is there: a face, a finger."""
        at = self._monotonic()
        if at - self.touched < SEEN_SECONDS:
            self.last_seen = at
            self._countdown = None

    def changed(self) -> None:
        """Wake everybody who shows this."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def say(self, text: Text) -> None:
        """Have a sentence said aloud in the place of whatever is being said."""
        self.said = Said(number=self.said.number + 1, text=text)
        self.changed()

    def enter(self, screen: Screen, message: Text | None = None) -> None:
        """Show a screen; what was to be pressed on the last one is worth nothing now."""
        self._screen = screen
        self._turns.turn()
        self.message = message
        self.said = Said(number=self.said.number)
        self.until = None
        if screen in {Screen.SEALED, Screen.FAREWELL}:
            seconds = self.fittings.settings.wipe_seconds
            if screen is Screen.FAREWELL:
                seconds = min(seconds, FAREWELL_SECONDS)
            self.until = self._monotonic() + seconds
        if screen is Screen.ATTRACT and message is not None:
            self.until = self._monotonic() + MESSAGE_SECONDS
        self.fittings.watch.use(self._eye(screen))
        self.touch()

    def _eye(self, screen: Screen) -> Eye | None:
        if screen in SCANNING:
            return CodeEye(lambda text: self._senses.scanned(self, text))
        if screen is Screen.PORTRAIT:
            judges = self.fittings.judges(self.visit.profile)
            face = self.face = Face()
            face.eye = PortraitEye(judges, lambda look: self._senses.looked(self, face, look))
            return face.eye
        if screen is Screen.LIVENESS and self.attended is not None:
            return self.attended.eye
        return None

    def happen(self, event: VisitEvent, detail: str = "") -> None:
        """Let an event of the visit happen and show what it leads to.

        Raises:
            NotNow: it does not fit the state.
        """
        self.visit.move(event, at=self._now(), detail=detail)
        self.enter(FIRST[self.visit.state])

    def leave(self, event: VisitEvent, reason: str) -> None:
        """End the visit without a capture: tell the server, keep nothing, say so.

        Args:
            event: give up, time out, or an officer's end.
            reason: as `LeaveVisit` names it.

        Raises:
            NotNow: the capture is sealed, or nobody is here.
        """
        facts = self.visit.facts
        after(self.visit.state, event)
        if facts is not None:
            self.keep_departure(facts, reason)
            self.visit.move(event, at=self._now())
            self.fittings.errands.wake()
        self.wipe()
        self.parting = reason
        self.enter(Screen.FAREWELL)

    def keep_departure(self, facts: Visit, reason: str) -> None:
        """Keep for the server that a visit's person is gone; a full disk keeps nobody here."""
        leave = LeaveVisit.model_validate({"visit_id": facts.visit_id, "reason": reason})
        try:
            self.fittings.departures.add(leave)
        except OSError:
            # The server's own time-out frees the appointment; what was captured must go.
            log.exception("a departure could not be kept")

    def wipe(self) -> None:
        """Forget the person: nothing of them is in memory or on the screen after this."""
        self.fittings.taker.end()
        if self.fittings.irises is not None:
            self.fittings.irises.end()
        if self.fittings.paper is not None:
            self.fittings.paper.forget()
        self.face = Face()
        self.attended = None
        self.sound = self.fittings.settings.speech
        self.help = None
        self.receipt = None
        self._turns.anew()

    def finish(self) -> None:
        """Make ready for the next person."""
        if self.visit.state is VisitState.SEALED:
            self.visit.move(VisitEvent.FINISH, at=self._now())
        self.wipe()
        self.parting = ""
        self.language = "vi"
        self.enter(Screen.ATTRACT)

    def same(self, sitting: str) -> bool:
        """Return whether what was begun in `sitting` still has somebody to tell."""
        return sitting == self._turns.sitting

    @property
    def sitting(self) -> str:
        """Return what names this person's time at the kiosk; another one after each wipe."""
        return self._turns.sitting

    def call(self, alarm: Text | None = None) -> None:
        """Call an officer; the step stands still until they or the citizen go on.

        Args:
            alarm: what is wrong, to be read at the desk only.
        """
        if self.help is None:
            self.help = Help(since=self._monotonic())
            self.visit.move(VisitEvent.CALL_OFFICER, at=self._now())
            self._pause(paused=True)
            self._turns.turn()
            self.touch()
        if alarm is not None:
            self.help.alarms = (*self.help.alarms, alarm)

    def resume(self) -> None:
        """Go on where help was called."""
        if self.help is not None:
            self.help = None
            self.visit.move(VisitEvent.RESUME, at=self._now())
            self._pause(paused=False)
            self._turns.turn()
            self.touch()

    def _pause(self, *, paused: bool) -> None:
        self.fittings.taker.pause(paused=paused)
        if self.fittings.irises is not None:
            self.fittings.irises.pause(paused=paused)

    # Devices

    def told(self, device: str, *, working: bool) -> None:
        """Take in that a device works, or stopped to."""
        with self.lock:
            info = self._info(device)
            if info is not None and info.simulated:
                self.stand_ins.add(info.name)
            if working and device in self.trouble:
                del self.trouble[device]
                self.visit.note(f"{device}_back", at=self._now())
                self.touch()
            elif not working and device not in self.trouble:
                self.trouble[device] = self._monotonic()
                self.visit.note(f"{device}_lost", at=self._now())
            self.face.share = 0.0
            self.changed()

    def _info(self, device: str) -> CameraInfo | ReaderInfo | IrisInfo | None:
        fittings = self.fittings
        if device == CAMERA:
            return fittings.lens.info
        if device == READER:
            return fittings.taker.info
        return fittings.irises.info if fittings.irises else None

    @property
    def waits_for_device(self) -> str | None:
        """Return the broken device that this step cannot do without."""
        needed = NEEDS.get(self._screen)
        return needed if needed in self.trouble else None

    # Time

    def tick(self) -> None:
        """Let time pass: count down, wipe, time out, look for the receipt."""
        with self.lock:
            at = self._monotonic()
            self._senses.ticked(self, at)
            before = self._countdown
            self._countdown = patience.left(self, at)
            if self._countdown != before:
                self.changed()

    def sign_out(self) -> None:
        """Let the officer who helps go; the call for help stands."""
        if self.help is not None:
            self.help.officer = None
            self._turns.turn()
            self.changed()

    def look_for_receipt(self) -> None:
        """Show the server's receipt, if it has come."""
        facts = self.visit.facts
        entry = self.fittings.outbox.of_visit(str(facts.visit_id)) if facts else None
        if entry is not None and entry.receipt is not None:
            self.receipt = entry.receipt
            self.changed()

    def _now(self) -> datetime:
        return self.fittings.clock.now()

    def _monotonic(self) -> float:
        return self.fittings.clock.monotonic()
