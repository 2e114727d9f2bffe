"""An iris reader for rehearsals: it looks at eyes that no one has. It announces itself so."""

import threading
import time
from collections.abc import Callable
from typing import Final

from hardware.errors import Unplugged
from hardware.finger.port import Preview
from hardware.iris.drawing import draw
from hardware.iris.port import Eye, IrisInfo, IrisPicture, NoImage

_FRAME: Final = 0.1
"""Seconds between two live pictures."""


class SimulatedIrisReader:
    """An `IrisReader` for both eyes that needs no device.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told = threading.Condition()
        self._person: int | None = None
        self._eyes: frozenset[Eye] = frozenset()
        self._looks = 0
        self._open = True

    @property
    def info(self) -> IrisInfo:
        """Return what the reader says of itself: that it is simulated."""
        return IrisInfo(
            name="simulated iris reader", serial="SIMULATED-IRIS", simulated=True, both=True
        )

    def show(self, person_seed: int, *eyes: Eye) -> None:
        """Have a person look into the reader with these eyes open, none for both.

        Raises:
            ValueError: no such eye.
        """
        opened = frozenset(Eye(eye) for eye in eyes or Eye)
        with self._told:
            self._person, self._eyes = person_seed, opened
            self._told.notify_all()

    def leave(self) -> None:
        """Have whoever looks into the reader go away."""
        with self._told:
            self._person, self._eyes = None, frozenset()
            self._told.notify_all()

    def capture(
        self, eyes: tuple[Eye, ...], *, deadline: float, preview: Preview | None = None
    ) -> tuple[IrisPicture, ...] | NoImage:
        """Wait for the wanted eyes and take one picture of each; as `IrisReader.capture`.

        Raises:
            Unplugged: the reader was closed.
            ValueError: no eye, or one twice.
        """
        if not eyes or len(set(eyes)) != len(eyes):
            raise ValueError("each wanted eye once")
        until = self._clock() + deadline
        while True:
            with self._told:
                if not self._open:
                    raise Unplugged("the simulated iris reader is closed")
                person, opened = self._person, self._eyes
                self._looks += 1
                look = self._looks
            if person is not None and preview is not None:
                preview(draw(person, eyes[0], look))
            if person is not None and opened.issuperset(eyes):
                return tuple(
                    IrisPicture(
                        pixels=draw(person, eye, look),
                        eye=eye,
                        at=self._clock(),
                        serial=self.info.serial,
                    )
                    for eye in eyes
                )
            left = until - self._clock()
            if left <= 0:
                return NoImage.NO_EYE
            with self._told:
                self._told.wait(min(left, _FRAME))

    def close(self) -> None:
        """Let the reader go; may be called twice."""
        with self._told:
            self._open = False
            self._told.notify_all()
