"""What an officer must have seen and confirmed before a capture may be accepted.

It finds nothing (the unsealing process does) and says nothing in words (the page does).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self


class ConcernKind(enum.StrEnum):
    """What is wrong, or not as it should be."""

    INCOMPLETE = "incomplete"
    """Something that belongs to a capture is not in it."""
    ALIKE = "alike"
    """Two fingers look like one."""
    UNLIKE = "unlike"
    """Two impressions of one finger look like two."""


NEEDS_WORDS: Final = frozenset({ConcernKind.ALIKE, ConcernKind.UNLIKE})
"""Accepting in spite of these wants the officer's own reasons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One of them.

    Attributes:
        about: what it is about: ``finger.3``, ``finger.3.plain``, ``rolled``, ``iris``,
            ``iris.left``, ``proof``.
        why: for what reason it is absent; None where it is not.
        score: of `biometrics.finger.compare` between the two; None where nothing was compared.
    """

    kind: ConcernKind
    about: tuple[str, ...]
    why: str | None = None
    score: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        score = None if self.score is None else round(self.score, 2)
        return {"kind": self.kind.value, "about": [*self.about], "why": self.why, "score": score}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return what `as_json` gave."""
        return cls(
            kind=ConcernKind(plain["kind"]),
            about=tuple(plain["about"]),
            why=plain["why"],
            score=plain["score"],
        )
