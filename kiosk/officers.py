"""Signing in at the kiosk: an officer's name and PIN against the station's roster, tries limited.

It opens no page of the server; it lets an officer help at this kiosk and nothing else.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kiosk.protocol import RosterOfficer

TRIES: Final = 5
"""Wrong PINs for one officer's name until it rests."""
TRIES_IN_ALL: Final = 15
"""Wrong PINs for any names until all rest: names are no secret."""
REST: Final = 900.0
"""Seconds."""
LONGEST: Final = 64


class NotIn(enum.StrEnum):
    """Why nobody was signed in."""

    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(slots=True)
class _Tries:
    wrong: list[float] = field(default_factory=list)

    def locked(self, most: int, at: float) -> bool:
        self.wrong = [then for then in self.wrong if at - then < REST]
        return len(self.wrong) >= most


@cache
def _nobody() -> str:
    """Return a hash that an unknown name is checked against, so that it takes as long."""
    return PasswordHasher().hash("nobody has this PIN")


class Desk:
    """Knows who may help here and how often somebody guessed."""

    def __init__(self, roster: Callable[[], tuple[RosterOfficer, ...]]) -> None:
        self._roster = roster
        self._hasher = PasswordHasher()
        self._all = _Tries()
        self._by_name: dict[str, _Tries] = {}

    def sign_in(self, officer: str, pin: str, *, at: float) -> RosterOfficer | NotIn:
        """Return the officer, or why not; unknown names and wrong PINs are one answer.

        Args:
            officer: as they typed their name.
            pin: as they typed it.
            at: monotonic seconds.
        """
        officer = officer.strip()[:LONGEST].casefold()
        known = next((one for one in self._roster() if one.officer.casefold() == officer), None)
        # Unknown names share one count, so that guessing names fills no memory.
        tries = self._by_name.setdefault(officer if known else "", _Tries())
        if tries.locked(TRIES, at) or self._all.locked(TRIES_IN_ALL, at):
            return NotIn.LOCKED
        try:
            self._hasher.verify(known.pin_hash if known else _nobody(), pin[:LONGEST])
        except (VerificationError, InvalidHashError):
            tries.wrong.append(at)
            self._all.wrong.append(at)
            return NotIn.WRONG
        if known is None:
            return NotIn.WRONG
        tries.wrong.clear()
        return known
