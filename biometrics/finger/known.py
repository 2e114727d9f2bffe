"""Fingers that are known at a station: the officers', and those seen today for another dossier.

It holds none of them; whoever does is asked through `Known`.
"""

import enum
from dataclasses import dataclass
from typing import Final, Protocol

from biometrics.finger.minutiae import Minutiae


class HitKind(enum.StrEnum):
    """Whose finger it is."""

    OFFICER = "officer"
    TODAY = "today"
    """Of somebody who was here today for another dossier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A finger that is known already.

    Attributes:
        who: the officer's name of service, or the other dossier; for the journal and officers,
            never for the person at the glass.
        score: of `compare`.
    """

    kind: HitKind
    who: str
    score: float


class Known(Protocol):
    """Whoever knows fingers."""

    def find(self, minutiae: Minutiae) -> Hit | None:
        """Return who surely has this finger (`limits.SAME_FROM` or more), the likest of them.

        It is called by the thread that calls `FingerVisit.look`, never while a lock is held.
        """
        ...


class _Nobody:
    def find(self, minutiae: Minutiae) -> Hit | None:
        """Return None: the finger is nobody's."""
        del minutiae
        return None


NOBODY: Final[Known] = _Nobody()
"""Knows no finger."""
