"""What a booth is fitted with, and the notes it keeps while a step or an officer's help lasts.

It does nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from biometrics.capture import Portrait
from biometrics.face.judge import PortraitJudge
from biometrics.finger.judge import Judge
from biometrics.words import Text
from kiosk.departures import Departures
from kiosk.errands import Errands, Server
from kiosk.fingers import FingerTaker
from kiosk.officers import Desk
from kiosk.outbox import Outbox
from kiosk.portrait import Lens, PortraitEye, Watch
from kiosk.protocol import RosterOfficer
from kiosk.settings import Settings


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
        portrait_judge: returns the judge of a profile.
        spawn: has something done that waits for the outside; a thread in earnest.
    """

    settings: Settings
    clock: Clock
    lens: Lens
    watch: Watch
    taker: FingerTaker
    portrait_judge: Callable[[str], PortraitJudge]
    finger_judge: Judge
    server: Server
    outbox: Outbox
    departures: Departures
    errands: Errands
    desk: Desk
    software: str
    spawn: Callable[[Callable[[], None]], None]


@dataclass(slots=True)
class Help:
    """An officer was called.

    Attributes:
        since: monotonic seconds.
        officer: who has signed in, None while awaited.
        text: what went wrong with the last thing the officer did.
    """

    since: float
    officer: RosterOfficer | None = None
    text: Text | None = None


@dataclass(slots=True)
class Face:
    """The portrait's step, from the live picture to the one that is kept."""

    eye: PortraitEye | None = None
    hint: Text | None = None
    good: bool = False
    share: float = 0.0
    portrait: Portrait | None = None
    """What the shutter took and the citizen looks at."""
