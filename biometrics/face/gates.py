"""The limits a portrait is held to, read from a dated file for each profile.

It takes no measure; it says of a native value whether it passes and which hint mends it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from biometrics.capture import Finding
from biometrics.face.hints import PortraitHint
from biometrics.face.mapping import score
from biometrics.face.measures import MEASURES

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class ProfileUnknown(LookupError):
    """No file of gates has this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The limit of one measure.

    Attributes:
        measure: name of the native value.
        lowest, highest: the value may lie between them, ends included; None is no limit.
        below, above: what mends a value under or over them.
        blocks: False for advice, which is reported and stops nothing.
        priority: the failed gate with the smallest is the hint that is shown.
    """

    measure: str
    unit: str
    lowest: float | None
    highest: float | None
    below: PortraitHint | None
    above: PortraitHint | None
    blocks: bool
    priority: int
    source: str

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all; without one the value is put on record."""
        return self.lowest is not None or self.highest is not None

    def judge(self, native: float | None) -> Finding:
        """Return the finding; an absent value was not assessed, one without limits only kept."""
        low = native is not None and self.lowest is not None and native < self.lowest
        high = native is not None and self.highest is not None and native > self.highest
        hint = self.below if low else self.above if high else None
        return Finding(
            name=self.measure,
            native=native,
            unit=self.unit,
            score=score(MEASURES[self.measure].scale, native),
            passed=None if native is None or not self.limited else not (low or high),
            hint=None if hint is None else hint.value,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """All gates of one kind of picture, smallest priority first.

    Attributes:
        dated: ISO date of the file's limits.
        sha256: of the limits themselves, whatever they stand on included: what an auditor
            compares with the file of that date.
    """

    name: str
    dated: str
    sha256: str
    gates: tuple[Gate, ...]


def profile(name: str) -> Profile:
    """Return the profile `name`: ``can-cuoc``, ``assisted`` or ``passport``.

    A profile may stand on another and say only what differs.

    Raises:
        ProfileUnknown: there is none of that name.
    """
    raw = _read(name)
    table: dict[str, dict[str, Any]] = {}
    if "stands_on" in raw:
        table.update(_read(raw["stands_on"])["gates"])
    for measure, entry in raw["gates"].items():
        table[measure] = {**table.get(measure, {}), **entry}
    gates = (_gate(measure, entry) for measure, entry in table.items())
    limits = json.dumps(table, sort_keys=True, ensure_ascii=False).encode()
    return Profile(
        name=name,
        dated=raw["dated"],
        sha256=hashlib.sha256(limits).hexdigest(),
        gates=tuple(sorted(gates, key=lambda gate: gate.priority)),
    )


def _read(name: str) -> dict[str, Any]:
    file = files("biometrics.face").joinpath("profiles", f"{name}.json")
    if not _NAME.fullmatch(name) or not file.is_file():
        raise ProfileUnknown(name)
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def _gate(measure: str, entry: Mapping[str, Any]) -> Gate:
    return Gate(
        measure=measure,
        unit=entry["unit"],
        lowest=entry.get("lowest"),
        highest=entry.get("highest"),
        below=PortraitHint(entry["below"]) if entry.get("below") else None,
        above=PortraitHint(entry["above"]) if entry.get("above") else None,
        blocks=entry["blocks"],
        priority=entry["priority"],
        source=entry["source"],
    )
