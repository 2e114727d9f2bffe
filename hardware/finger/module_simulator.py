"""A simulated module on a pseudo-terminal: a path that any driver can open, with faults on demand.

What it answers stands in `module_core`; it is no real reader and says so where it is asked.
"""

import contextlib
import os
import pty
import select
import tempfile
import termios
import threading
import time
import tty
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.finger.module_core import ModuleCore
from hardware.finger.packets import Fault, Packet, PacketStream

_TICK: Final = 0.05
"""Seconds between two looks at what the module's owner wants."""
_PIECE: Final = 64
"""Bytes written at once; so finely a slow line is slow."""
_PATIENCE: Final = 1.0
"""Seconds after which bytes that nobody reads are lost, as on a real line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is wrong with the line, from the module to the host.

    Attributes:
        noise: chance of 1 to 4 random bytes before a packet.
        drop: chance of one byte missing in a packet.
        checksum: chance of a wrong checksum.
        deaf: so many of the next commands get no answer.
        unplug_after: bytes of the next answers after which the cable is pulled.
        most: so many packets at most are harmed, None: no end.
    """

    noise: float = 0.0
    drop: float = 0.0
    checksum: float = 0.0
    deaf: int = 0
    unplug_after: int | None = None
    most: int | None = None


class SimulatedModule:
    """A module one can press made-up fingers on. Ends with `close`, or as a context.

    Args:
        core: what it knows; None: an AS608 as from the factory.
        throttled: send no faster than its baud rate allows, else as fast as it can.
        heed_baud: answer with rubbish while the host's side has another baud rate.
        seed: of the faults.

    Attributes:
        port: path to open; the same after `replug`.
        core: what it knows.
    """

    def __init__(
        self,
        core: ModuleCore | None = None,
        *,
        throttled: bool = False,
        heed_baud: bool = False,
        seed: int = 0,
    ) -> None:
        self.core = ModuleCore() if core is None else core
        self._throttled, self._heed_baud = throttled, heed_baud
        self._folder = tempfile.TemporaryDirectory(prefix="thunhan-module-")
        self.port = str(Path(self._folder.name) / "tty")
        self._random = np.random.default_rng([31, seed])
        self._faults = Faults()
        self._harmed = 0
        self._lock = threading.Lock()
        self._wanted_in = True
        self._free_at = 0.0
        """Monotonic seconds at which the line has carried what was sent so far."""
        self._moved = threading.Condition(self._lock)
        self._ends: tuple[int, int] | None = None
        self._ended = False
        self._address = self.core.parameters.address
        self._stream = PacketStream(self._address)
        self._plug_in()
        self._thread = threading.Thread(target=self._run, name="simulated-module", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def press(self, pixels: NDArray[np.uint8] | None) -> None:
        """Put a finger (height x width uint8, dark ridges) on the glass, or take it off.

        Raises:
            ValueError: not a grey image.
        """
        if pixels is not None and (
            pixels.dtype != np.uint8 or pixels.ndim != 2 or 0 in pixels.shape  # noqa: PLR2004
        ):
            raise ValueError("an impression is height x width of uint8")
        with self._lock:
            self.core.glass = None if pixels is None else _fitted(pixels, *self.core.size)

    def fail(self, faults: Faults) -> None:
        """Have the line behave so from the next packet on; `Faults()` mends it."""
        with self._lock:
            self._faults, self._harmed = faults, 0

    def unplug(self) -> None:
        """Pull the cable: the port is gone when this returns."""
        self._move(plugged=False)

    def replug(self) -> None:
        """Put the cable in again: the module wakes up under the same path."""
        self._move(plugged=True)

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        with self._lock:
            return self._ends is not None

    def close(self) -> None:
        """End the module; may be called twice."""
        with self._lock:
            self._ended = True
        self._thread.join(timeout=5)
        self._folder.cleanup()

    def _move(self, *, plugged: bool) -> None:
        with self._moved:
            self._wanted_in = plugged
            self._moved.wait_for(lambda: (self._ends is not None) is plugged or self._ended, 5)

    def _run(self) -> None:
        while not self._ended:
            with self._moved:
                if self._wanted_in is not (self._ends is not None):
                    if self._wanted_in:
                        self._plug_in()
                    else:
                        self._pull_out()
                    self._moved.notify_all()
            if self._ends is None:
                time.sleep(_TICK)
                continue
            ready, _, _ = select.select([self._ends[0]], [], [], _TICK)
            if ready:
                self._listen(self._ends[0])
        with self._moved:
            self._pull_out()
            self._moved.notify_all()

    def _plug_in(self) -> None:
        host, own = pty.openpty()
        tty.setraw(own)
        os.set_blocking(host, False)
        # Our own descriptor of the far end stays open: clients may close and open the port.
        self._ends = (host, own)
        self._stream.forget()
        self.core.wake()
        with contextlib.suppress(FileNotFoundError):
            Path(self.port).unlink()
        Path(self.port).symlink_to(os.ttyname(own))

    def _pull_out(self) -> None:
        if self._ends is None:
            return
        Path(self.port).unlink(missing_ok=True)
        for end in self._ends:
            os.close(end)
        self._ends = None
        self._wanted_in = False

    def _listen(self, host: int) -> None:
        try:
            octets = os.read(host, 4096)
        except OSError:
            return
        if self._hears_wrong():
            self._write(self._random.bytes(len(octets)))
            return
        self._stream.receive(octets)
        while (found := self._stream.next()) is not None:
            with self._lock:
                if isinstance(found, Packet):
                    answer = self.core.take(found)
                elif found.fault is Fault.CHECKSUM:
                    answer = self.core.damaged()
                else:
                    continue
                if self._faults.deaf:
                    self._faults = replace(self._faults, deaf=self._faults.deaf - 1)
                    continue
                parts = [self._harm(packet.encode()) for packet in answer]
                if self.core.parameters.address != self._address:
                    self._address = self.core.parameters.address
                    self._stream = PacketStream(self._address)
            self._free_at = time.monotonic()
            for part in parts:
                if not self._write(part):
                    return

    def _hears_wrong(self) -> bool:
        """Return True where the host's baud rate is not the module's."""
        if not self._heed_baud or self._ends is None:
            return False
        speed = termios.tcgetattr(self._ends[1])[5]
        return _SPEEDS.get(speed) != self.core.parameters.baud

    def _goes_on(self) -> bool:
        return self._wanted_in and not self._ended

    def _harm(self, octets: bytes) -> bytes:
        faults = self._faults
        if faults.most is not None and self._harmed >= faults.most:
            return octets
        chances = self._random.random(3)
        harmed = octets
        if chances[0] < faults.drop:
            at = int(self._random.integers(len(harmed)))
            harmed = harmed[:at] + harmed[at + 1 :]
        if chances[1] < faults.checksum:
            harmed = harmed[:-1] + bytes([harmed[-1] ^ 0x5A])
        if chances[2] < faults.noise:
            harmed = self._random.bytes(int(self._random.integers(1, 5))) + harmed
        self._harmed += harmed != octets
        return harmed

    def _carry(self, count: int) -> None:
        """Wait as long as the line takes; what one sleep is too long the next is shorter."""
        self._free_at += count * 10 / self.core.parameters.baud
        time.sleep(max(0.0, self._free_at - time.monotonic()))

    def _write(self, octets: bytes) -> bool:
        """Send; False where the cable is out."""
        for at in range(0, len(octets), _PIECE):
            piece = octets[at : at + _PIECE]
            if self._throttled:
                self._carry(len(piece))
            with self._moved:
                left = self._faults.unplug_after
                if left is not None:
                    self._faults = replace(self._faults, unplug_after=left - len(piece))
                if (left is not None and left <= len(piece)) or not self._wanted_in:
                    self._faults = replace(self._faults, unplug_after=None)
                    self._pull_out()
                    self._moved.notify_all()
                if self._ends is None or self._ended:
                    return False
                host = self._ends[0]
            end = time.monotonic() + _PATIENCE
            while piece and time.monotonic() < end and self._goes_on():
                _, ready, _ = select.select([], [host], [], _TICK)
                if ready:
                    with contextlib.suppress(BlockingIOError):
                        piece = piece[os.write(host, piece) :]
        return True


def _fitted(pixels: NDArray[np.uint8], high: int, wide: int) -> NDArray[np.uint8]:
    """Return the image cut or framed to the sensor's size, from its middle."""
    height, width = pixels.shape
    down, right = max(0, high - height), max(0, wide - width)
    framed = cv2.copyMakeBorder(
        pixels,
        down // 2,
        down - down // 2,
        right // 2,
        right - right // 2,
        cv2.BORDER_CONSTANT,
        value=(255.0,),
    )
    top, left = (framed.shape[0] - high) // 2, (framed.shape[1] - wide) // 2
    return np.asarray(framed[top : top + high, left : left + wide], np.uint8).copy()


_SPEEDS: Final = {
    getattr(termios, f"B{baud}"): baud for baud in (9600, 19200, 38400, 57600, 115200)
}
