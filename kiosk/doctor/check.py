"""What one examination found: a state, a sentence that says what to do next, and figures.

It examines nothing (see `rounds`).
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Self

from biometrics.words import Text, Words


class State(enum.StrEnum):
    """How a part does; in the order of how much it needs somebody."""

    OK = "ok"
    ABSENT = "absent"
    """Not wanted here, or could not be assessed now; nobody needs to do anything at once."""
    ATTENTION = "attention"
    """Works today, and wants something done before it does not."""
    BROKEN = "broken"
    """People would be sent home."""


_ORDER: Final = tuple(State)
_DETAIL: Final = 200
"""Letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that was measured or read.

    Attributes:
        name: key of its words, ``doctor.figure.<name>``.
        value: a number, or a name as a device gave it.
        unit: as it is written behind a number; empty for names.
    """

    name: str
    value: float | str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was found of one part.

    Attributes:
        name: of the part; key of its words, ``doctor.part.<name>``.
        text: what is so, and what to do next where something is to be done.
        key: which sentence that is, for machines; empty where it is none of ours.
        simulated: a stand-in, which proves nothing of a real device.
    """

    name: str
    state: State
    text: Text
    figures: tuple[Figure, ...] = ()
    key: str = ""
    simulated: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` understands."""
        return {
            "name": self.name,
            "state": self.state.value,
            "key": self.key,
            "text": {"vi": self.text.vi, "en": self.text.en},
            "figures": [
                {"name": one.name, "value": one.value, "unit": one.unit} for one in self.figures
            ],
            "simulated": self.simulated,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the check that was written so.

        Raises:
            KeyError, TypeError, ValueError: nothing that `as_json` wrote.
        """
        return cls(
            name=str(data["name"]),
            state=State(data["state"]),
            text=Text(vi=str(data["text"]["vi"]), en=str(data["text"]["en"])),
            figures=tuple(_figure(one) for one in data["figures"]),
            key=str(data["key"]),
            simulated=bool(data["simulated"]),
        )


def worst(checks: Iterable[Check]) -> State:
    """Return the state that needs somebody most; `OK` for no checks."""
    return max((check.state for check in checks), key=_ORDER.index, default=State.OK)


@cache
def doctor_words() -> Words:
    """Return what the examination says, keyed ``doctor....``."""
    return Words(files("kiosk").joinpath("texts", "doctor.json"))


def found(
    name: str,
    state: State,
    said: str,
    /,
    *figures: Figure,
    simulated: bool = False,
    **values: object,
) -> Check:
    """Return a check whose sentence stands under ``doctor.<said>``, its places filled in."""
    text = doctor_words()[f"doctor.{said}"]
    return Check(
        name=name,
        state=state,
        text=text.fill(**values) if values else text,
        figures=figures,
        key=said,
        simulated=simulated,
    )


def detail(error: BaseException) -> Figure:
    """Return what an error says, for whoever mends it; it is no sentence for an officer."""
    return Figure(name="detail", value=str(error)[:_DETAIL] or type(error).__name__)


def _figure(data: Mapping[str, Any]) -> Figure:
    value = data["value"]
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise TypeError("a figure is a number or a name")
    return Figure(name=str(data["name"]), value=value, unit=str(data["unit"]))
