"""What has to be confirmed before a capture is accepted, in words.

It finds nothing and enforces nothing: see `server.unseal.fingers` and `server.cases.verification`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from server.rules.concerns import NEEDS_WORDS, Concern, ConcernKind
from server.web.officer.measured import figure
from server.web.shell import t, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All concerns of one kind."""

    kind: ConcernKind
    lines: tuple[str, ...]
    needs_words: bool


def grouped(concerns: Iterable[Concern]) -> tuple[Group, ...]:
    """Return the concerns by kind, those that weigh most first."""
    found = tuple(concerns)
    order = sorted(dict.fromkeys(concern.kind for concern in found), key=_weight)
    return tuple(
        Group(
            kind=kind,
            lines=tuple(_said(concern) for concern in found if concern.kind is kind),
            needs_words=kind in NEEDS_WORDS,
        )
        for kind in order
    )


def confirmed(seen: dict[str, Any]) -> tuple[Group, ...]:
    """Return what an officer confirmed, as it stands in their decision."""
    return grouped(
        Concern.from_json(plain) for answer in seen.values() for plain in answer.get("what", ())
    )


def named(about: str) -> str:
    """Return a finger, an impression or a part by its name."""
    head, *rest = about.split(".")
    if head == "finger":
        return ", ".join(
            [t(f"officer.finger.{rest[0]}"), *(t(f"officer.kind.{k}") for k in rest[1:])]
        )
    return t(f"officer.part.{about}")


def _weight(kind: ConcernKind) -> tuple[bool, str]:
    return kind not in NEEDS_WORDS, kind


def _said(concern: Concern) -> str:
    names = [named(about) for about in concern.about]
    if concern.kind is ConcernKind.INCOMPLETE:
        return f"{', '.join(names)}: {_why(concern.why or '')}"
    score = "–" if concern.score is None else figure(concern.score)
    return t("officer.concern.score", fingers=" – ".join(names), score=score)


def _why(code: str) -> str:
    absence, missing = f"officer.absence.{code}", f"officer.missing.{code}"
    said = t(absence if absence in words() else missing)
    return said[:1].lower() + said[1:]
