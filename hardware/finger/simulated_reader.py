"""A reader for rehearsals: the real driver over a simulated module, and hands that press on it.

It announces itself as simulated; no real person's finger comes from it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from hardware.errors import Broken
from hardware.finger.commands import FAST, Product
from hardware.finger.hand import SingleTouches
from hardware.finger.module_core import HEIGHT, WIDTH, ModuleCore
from hardware.finger.module_simulator import SimulatedModule
from hardware.finger.port import Impression, NoImage, Preview, ReaderInfo, Wanted
from hardware.finger.serial_line import SerialLine
from hardware.finger.serial_module import SerialReader
from hardware.finger.synthesis import Condition

_PRODUCT: Final = Product(model="simulated module", serial="SIMULATD", width=WIDTH, height=HEIGHT)


class SimulatedReader:
    """A `FingerReader` that needs no device.

    Attributes:
        module: what stands behind the port; pull its cable to rehearse that.
    """

    def __init__(self) -> None:
        self.module = SimulatedModule(ModuleCore(product=_PRODUCT, baud=FAST))
        try:
            self._reader = SerialReader(self.module.port, simulated=True)
        except Broken:
            self.module.close()
            raise
        self._touches = SingleTouches()

    @property
    def info(self) -> ReaderInfo:
        """Return what the reader says of itself: that it is simulated."""
        return self._reader.info

    def present(self, person_seed: int, *positions: int, condition: str = Condition.WELL) -> None:
        """Put a finger on the glass, in place of what lies there; each time it lies otherwise.

        Raises:
            ValueError: see `hand.SingleTouches.draw`.
        """
        self.module.press(self._touches.draw(person_seed, positions, condition))

    def lift(self) -> None:
        """Take the finger off the glass."""
        self.module.press(None)

    def capture(
        self,
        wanted: Wanted,
        *,
        deadline: float,
        progress: Callable[[float], None] | None = None,
        preview: Preview | None = None,
    ) -> tuple[Impression] | NoImage:
        """Wait for a finger and take one impression; as `SerialReader.capture`."""
        return self._reader.capture(wanted, deadline=deadline, progress=progress, preview=preview)

    def wait_lifted(self, *, deadline: float) -> bool:
        """Wait until no finger lies on the glass; as `SerialReader.wait_lifted`."""
        return self._reader.wait_lifted(deadline=deadline)

    def held(self, *, deadline: float) -> AbstractContextManager[SerialLine]:
        """Hold the line for an examination; as `SerialReader.held`."""
        return self._reader.held(deadline=deadline)

    def close(self) -> None:
        """Let the module go; may be called twice."""
        self._reader.close()
        self.module.close()
