"""How a serial module answers: its settings, and how fast and how surely the line carries them.

It takes no picture: what a module still holds may be the last person's finger.
"""

import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from hardware.errors import Garbled, Silent
from hardware.finger.commands import Parameters
from hardware.finger.packets import Instruction
from hardware.finger.serial_line import SerialLine

QUESTIONS: Final = 20
_READ: Final = bytes([Instruction.READ_PARAMETERS])


@runtime_checkable
class Module(Protocol):
    """A reader with a serial line that can be held."""

    def held(self, *, deadline: float) -> AbstractContextManager[SerialLine]:
        """Hold the line."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a module said of itself.

    Attributes:
        lost: of `asked` questions, those that got no sound answer although asked three times.
        median, slowest: seconds of those that got one; a question asked again is slow.
    """

    parameters: Parameters
    asked: int
    lost: int
    median: float
    slowest: float


def examine(
    module: Module, *, deadline: float, clock: Callable[[], float] = time.monotonic
) -> Answers:
    """Return what the module answers to `QUESTIONS` questions.

    Args:
        module: to be asked.
        deadline: seconds from now until all must have ended.
        clock: monotonic seconds, as the module's own.

    Raises:
        Silent, Garbled: it gave no sound answer at all.
        Unplugged, Refused: see `hardware.errors`.
    """
    until = clock() + deadline
    times: list[float] = []
    parameters: Parameters | None = None
    asked = 0
    with module.held(deadline=deadline) as line:
        while asked < QUESTIONS and clock() < until:
            asked += 1
            began = clock()
            try:
                parameters = Parameters.decode(line.ask(_READ, until=until))
            except (Silent, Garbled, ValueError):
                line.drain(until)
                continue
            times.append(clock() - began)
    if parameters is None:
        raise Silent("the module gave no sound answer about its settings")
    return Answers(
        parameters=parameters,
        asked=asked,
        lost=asked - len(times),
        median=statistics.median(times),
        slowest=max(times),
    )
