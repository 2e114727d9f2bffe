"""What a line of a visit's journal says beside its name: whose finger, which officer, and why.

It reads the kiosk's own short forms; what it does not know it shows as it stands.
"""

from collections.abc import Mapping
from typing import Final

from biometrics.face import hints
from server.web.shell import language, t, words

WITH_REASON: Final = frozenset({"portrait_forced", "portrait_assisted"})
"""Steps whose detail is an officer and a reason, ``v.an eyes: in their words``."""


def detail(event: str, text: str, names: Mapping[str, str]) -> str:
    """Return the detail of a step for the reader; `names` are officers' by their id."""
    parts = text.split()
    if event.startswith("finger_") and parts:
        return _joined([*_finger(parts[0]), *(_told(part, names) for part in parts[1:])])
    if event in WITH_REASON and parts:
        return _joined([names.get(parts[0], parts[0]), *_why(text.partition(" ")[2])])
    if event == "liveness" and parts:
        actions = ", ".join(_word("officer.live", name) for name in parts[1:])
        return f"{parts[0]} ({actions})" if actions else parts[0]
    if event == "officer_offered" and text in hints.words():
        return hints.words().say(text, language())
    return names.get(text, text)


def _finger(text: str) -> list[str]:
    """Return finger and kind of impression: ``3``, ``3.rolled``."""
    position, _, kind = text.replace("-", ".").partition(".")
    return [_word("officer.finger", position), *([_word("officer.kind", kind)] if kind else [])]


def _told(part: str, names: Mapping[str, str]) -> str:
    """Return a kind of impression, why a finger is missing, what is suspicious, or who says so."""
    known = (f"officer.{of}.{part}" for of in ("kind", "missing", "alert"))
    found = next((key for key in known if key in words()), None)
    return names.get(part, part) if found is None else t(found)


def _why(text: str) -> list[str]:
    code, _, own = text.partition(": ")
    return [part for part in (_word("officer.portrait_reason", code) if code else "", own) if part]


def _joined(parts: list[str]) -> str:
    return " · ".join(parts)


def _word(prefix: str, code: str) -> str:
    key = f"{prefix}.{code}"
    return t(key) if key in words() else code
