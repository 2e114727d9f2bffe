"""What a booth is fitted with, and the notes it keeps while a step or an officer's help lasts.

It does nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from biometrics.capture import Finding, Portrait
from biometrics.face.coach import Advice
from biometrics.face.liveness import Progress
from biometrics.face.shutter import Shot
from biometrics.finger.judge import Judge
from biometrics.words import Text
from kiosk.codes import Scanner
from kiosk.departures import Departures
from kiosk.errands import Errands, Server
from kiosk.eyes import IrisTaker
from kiosk.fingers import FingerTaker
from kiosk.officers import Desk
from kiosk.outbox import Outbox
from kiosk.paper import Paper
from kiosk.portrait import Lens, Watch
from kiosk.protocol import RosterOfficer
from kiosk.references import References
from kiosk.settings import Settings
from kiosk.sitting import AttendedEye, Attending, Judges, PortraitEye
from kiosk.speech import Speech


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How the kiosk reads the time."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    boot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fittings:
    """Everything a booth is fitted with.

    Attributes:
        irises: None where no scanner is set.
        judges: returns the judges of a profile.
        attend: begins the challenge of a visit (its id) after the shot that was taken.
        reference: returns another judge's findings on a portrait, none where there is no such.
        paper: prints what the citizen takes home, None where there is no printer.
        scanner: reads codes beside the camera, None where there is none.
        spawn: has something done that waits for the outside; a thread in earnest.
    """

    settings: Settings
    clock: Clock
    lens: Lens
    watch: Watch
    taker: FingerTaker
    judges: Callable[[str], Judges]
    attend: Callable[[str, Shot], Attending]
    reference: Callable[[bytes], tuple[Finding, ...]]
    speech: Speech
    finger_judge: Judge
    references: References
    irises: IrisTaker | None
    server: Server
    outbox: Outbox
    departures: Departures
    errands: Errands
    desk: Desk
    software: str
    spawn: Callable[[Callable[[], None]], None]
    paper: Paper | None = None
    scanner: Scanner | None = None


@dataclass(slots=True)
class Help:
    """An officer was called.

    Attributes:
        since: monotonic seconds.
        officer: who has signed in, None while awaited.
        text: what went wrong with the last thing the officer did.
        alarms: what the officer was called for, to be read at the desk only.
    """

    since: float
    officer: RosterOfficer | None = None
    text: Text | None = None
    alarms: tuple[Text, ...] = ()


@dataclass(slots=True)
class Said:
    """What is said aloud: the newest sentence only.

    Attributes:
        number: grows with each; the page plays each once.
    """

    number: int = 0
    text: Text | None = None


@dataclass(slots=True)
class Face:
    """The portrait's step, from the live picture to the one that is kept."""

    eye: PortraitEye | None = None
    advice: Advice | None = None
    good: bool = False
    """Nothing is wrong with the frame, whatever is still shown."""
    share: float = 0.0
    portrait: Portrait | None = None
    """What the shutter took and the citizen looks at."""


@dataclass(slots=True)
class Attended:
    """The step after the shutter.

    Attributes:
        since: monotonic seconds; the whole challenge is bounded.
    """

    eye: AttendedEye
    since: float
    progress: Progress | None = None
