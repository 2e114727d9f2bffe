"""Plays the citizen before simulated devices: sits down, holds up a code, presents fingers.

It exists only where a device is a stand-in, and never touches the screen or the visit.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import segno
from numpy.typing import NDArray

from hardware.camera.act import Behaviour, combined
from hardware.camera.sitter import SitterCamera
from hardware.finger.hand import POSITIONS, SimulatedHand
from hardware.finger.port import StandIn
from hardware.finger.synthesis import Condition
from kiosk.fingers import FingerTaker
from kiosk.obedient import REACTS_AFTER, Obedient
from kiosk.protocol import SCHEME
from kiosk.readers import Eyes
from kiosk.standing import Phase
from kiosk.thread import Running

if TYPE_CHECKING:
    from biometrics.finger.plan import Step

__all__ = [
    "Behaviour",
    "Condition",
    "NotUnderstood",
    "Rehearsal",
    "Role",
    "code_picture",
    "role_of",
]

LIFTS_AFTER: Final = 0.3
_WHETHER: Final = {"1": True, "true": True, "on": True, "0": False, "false": False, "": False}
MOST_SEED: Final = 999_999
LONGEST_CODE: Final = 400
_TICK: Final = 0.1
_MODULE: Final = 8
"""Pixels of one dot of a code that is held up."""


class NotUnderstood(ValueError):
    """A wish that no stand-in can play; the message names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """How the citizen behaves.

    Attributes:
        person: seed of face and hands.
        behaviour: how they sit before the camera; `also` what else is wrong at the same time.
        obeys: they mend before the camera what the kiosk asks for, and make what it asks for.
        code: text of the QR code that is held up, empty for none.
        finger: position that is presented whatever is asked for; None the one that is asked
            for, 0 none at all.
    """

    person: int = 1
    behaviour: Behaviour = Behaviour.WELL
    also: tuple[Behaviour, ...] = ()
    obeys: bool = False
    code: str = ""
    condition: Condition = Condition.WELL
    finger: int | None = None


def role_of(values: dict[str, object], before: Role) -> Role:
    """Return the role that a form or a script asks for; what it leaves out stays as before.

    Raises:
        NotUnderstood: a value is none of its kind.
    """
    person = _whole(values, "person", before.person, most=MOST_SEED)
    finger = before.finger
    if "finger" in values:
        # Compared one by one, because what came may be a list, which has no hash.
        asked = values["finger"] in ("", None, "asked")
        finger = None if asked else _whole(values, "finger", 0, most=max(POSITIONS))
    try:
        behaviour = Behaviour(str(values.get("behaviour", before.behaviour)))
        condition = Condition(str(values.get("condition", before.condition)))
        also = _several(values["also"]) if "also" in values else before.also
    except ValueError as error:
        raise NotUnderstood(str(error)) from error
    code = str(values.get("ticket") or "") if "ticket" in values else before.code
    if len(code) > LONGEST_CODE or any(map(_half, code)):
        raise NotUnderstood("ticket")
    return Role(
        person=person,
        behaviour=behaviour,
        also=also,
        obeys=_whether(values, "obeys", otherwise=before.obeys),
        code=code.strip(),
        condition=condition,
        finger=finger,
    )


def _half(character: str) -> bool:
    """Return whether this is half a character: JSON may hold such, no code can."""
    return "\ud800" <= character <= "\udfff"


def _whole(values: dict[str, object], name: str, otherwise: int, *, most: int) -> int:
    text = str(values.get(name, otherwise))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        raise NotUnderstood(name)
    if int(text) > most:
        raise NotUnderstood(name)
    return int(text)


def _whether(values: dict[str, object], name: str, *, otherwise: bool) -> bool:
    try:
        return _WHETHER[str(values.get(name, otherwise)).lower()]
    except KeyError:
        raise NotUnderstood(name) from None


def _several(given: object) -> tuple[Behaviour, ...]:
    """Return the behaviours of a list, or of a text with commas."""
    named = given if isinstance(given, list) else str(given or "").split(",")
    return tuple(Behaviour(str(one).strip()) for one in named[: len(Behaviour)] if str(one).strip())


def code_picture(text: str) -> NDArray[np.uint8]:
    """Return a QR code, grey; a bare ticket becomes what a ticket's code says."""
    whole = text if text.upper().startswith(SCHEME) or "|" in text else SCHEME + text
    dots = segno.make(whole, micro=False, error="m").matrix_iter(scale=_MODULE, border=3)
    return np.array([[0 if dot else 255 for dot in row] for row in dots], np.uint8)


class Rehearsal(Running):
    """One thread that plays a role before the sitter's camera and on the simulated reader.

    Args:
        taker: says which finger is asked for.
        reading_codes: whether a code is looked for now; it is taken away when it was read.
        instruction: key of the sentence by which the sitter is asked for something now, such as
            "portrait.closer" or "liveness.blink"; None while nothing is asked.
    """

    def __init__(
        self,
        taker: FingerTaker,
        reading_codes: Callable[[], bool],
        role: Role,
        instruction: Callable[[], str | None] = lambda: None,
    ) -> None:
        super().__init__("rehearsal")
        self._taker = taker
        self._reading_codes = reading_codes
        self._instruction = instruction
        self._lock = threading.Lock()
        self._role = role
        self._sitter = Obedient(combined(role.behaviour, *role.also))
        self._camera: SitterCamera | None = None
        self._reader: StandIn | None = None
        self._eyes: Eyes | None = None
        self._pressed: Step | None = None
        """The touch that fingers lie on the glass for."""
        self._waited = 0.0
        self._hand: tuple[int, list[int]] = (0, [])
        """Whose hand it is, and which of its fingers were not grown yet."""

    @property
    def role(self) -> Role:
        """Return what is played now."""
        with self._lock:
            return self._role

    def play(self, role: Role) -> None:
        """Play `role` from now on; who obeys sits down anew."""
        with self._lock:
            self._role = role
            self._sitter = Obedient(combined(role.behaviour, *role.also))
            self._seat()

    def seat(self, camera: SitterCamera) -> None:
        """Sit down before a camera that was opened."""
        with self._lock:
            self._camera = camera
            self._seat()

    def lay(self, reader: StandIn) -> None:
        """Lay the hand beside a reader that was opened."""
        with self._lock:
            self._reader = reader
            self._pressed = None

    def look_into(self, eyes: Eyes) -> None:
        """Look into an iris scanner that was opened."""
        with self._lock:
            self._eyes = eyes
            eyes.show(self._role.person)

    def _seat(self) -> None:
        if self._eyes is not None:
            self._eyes.show(self._role.person)
        if self._camera is not None:
            self._camera.become(self._role.person)
            self._camera.pose(self._sitter.act, seconds=0)
            self._camera.hold_up(code_picture(self._role.code) if self._role.code else None)

    def _run(self) -> None:
        while not self._stop.wait(_TICK):
            self.tick(_TICK)
            self._grow()

    def _grow(self) -> None:
        """Grow a finger before it is asked for: it takes half a second, once.

        Not while anything else is asked, which would have to wait for it.
        """
        person = self.role.person
        if self.role.finger == 0 or self._instruction() is not None:
            return
        if self._hand[0] != person:
            self._hand = (person, list(POSITIONS))
        left = self._hand[1]
        if left and self._taker.standing.wanted is None:
            _ = SimulatedHand(person).finger(left.pop(0)).master

    def tick(self, seconds: float) -> None:
        """Do what a person does in so many seconds."""
        # Asked outside the lock: whoever answers may hold one that waits for this one.
        asked = self._instruction()
        with self._lock:
            if self._role.code and not self._reading_codes():
                self._role = replace(self._role, code="")
                if self._camera is not None:
                    self._camera.hold_up(None)
            if self._camera is not None and self._role.obeys:
                self._sitter.tick(self._camera, asked, seconds)
            if self._reader is not None:
                self._move(self._reader, seconds)

    def _move(self, reader: StandIn, seconds: float) -> None:
        standing, role = self._taker.standing, self._role
        self._waited += seconds
        idle = standing.wanted is None or self._taker.paused or role.finger == 0
        if self._pressed is not None:
            lifts = standing.phase is Phase.LIFT and self._waited >= LIFTS_AFTER
            # Whoever missed the word to lift sees that other fingers are asked for.
            other = standing.phase is Phase.PLACE and standing.wanted != self._pressed
            if lifts or other or idle:
                reader.lift()
                self._pressed, self._waited = None, 0.0
            elif standing.phase is not Phase.LIFT:
                self._waited = 0.0
        elif idle or standing.phase is not Phase.PLACE:
            self._waited = 0.0
        elif self._waited >= REACTS_AFTER and standing.wanted is not None:
            fingers = (role.finger,) if role.finger else standing.wanted.positions
            reader.present(role.person, *fingers, condition=role.condition)
            self._pressed, self._waited = standing.wanted, 0.0
