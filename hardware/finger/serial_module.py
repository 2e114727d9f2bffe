"""The driver of ZhianTec/GROW fingerprint modules (AS608, ZFM, R30x, R503) on a serial port.

It takes raw impressions only: the module's own templates and searches are not used.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from serial.tools import list_ports

from hardware.errors import Broken, Garbled, Refused, Silent, Unplugged
from hardware.finger.commands import (
    BAUD_UNIT,
    BAUDS,
    FAST,
    IMAGE_SIZES,
    PACKET_SIZES,
    PARAMETER_BAUD,
    PARAMETER_PACKET,
    Parameters,
    Product,
    image_to_features,
    set_parameter,
    unpack_image,
    verify_password,
)
from hardware.finger.packets import EVERYBODY, Code, Instruction
from hardware.finger.port import Impression, NoImage, Preview, ReaderInfo, Touch, Wanted
from hardware.finger.serial_line import SerialLine

_PACKET: Final = PACKET_SIZES[-1]
"""Bytes of data in a packet: the more, the less the line carries beside the image."""
_POLL: Final = 0.03
"""Seconds between two looks for a finger."""
_CONNECT: Final = 8.0
"""Seconds for finding a module, whatever its baud rate."""
_PROBE: Final = 0.25
"""Seconds for an answer at a baud rate that is only guessed."""
_UNKNOWN: Final = (288, 256, 500)
"""Height, width and dpi until a module said or sent otherwise."""
_SLACK: Final = 1.6
"""How much longer than computed an image may take: modules pause between packets."""
_TRIES: Final = 3
_MENDABLE: Final = {
    Code.TOO_MESSY: NoImage.TOO_MESSY,
    Code.NO_IMAGE: NoImage.TOO_MESSY,
    Code.TOO_FEW_POINTS: NoImage.TOO_SMALL,
}


class SerialReader:
    """A module as a `FingerReader`.

    After `Unplugged` the next call looks for the module again.

    Args:
        port: path of the serial device.
        baud: of the module, or None: tried out.
        password: which the module asks for.
        address: to which it listens.
        raise_baud: set the module to `FAST`; it remembers that without power.
        simulated: True only where a stand-in is behind the port.
        clock, sleep: monotonic seconds and how to wait; given by tests.

    Raises:
        ValueError: the password or the address is none of 32 bits.
        Unplugged: there is no such port.
        Silent, Garbled: no module answers on it.
        Refused: it wants another password.
    """

    def __init__(
        self,
        port: str,
        *,
        baud: int | None = None,
        password: int = 0,
        address: int = EVERYBODY,
        raise_baud: bool = True,
        simulated: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not (0 <= password <= EVERYBODY and 0 <= address <= EVERYBODY):
            raise ValueError("a password and an address have 32 bits")
        self._port, self._baud, self._password, self._address = port, baud, password, address
        self._raise_baud, self._simulated = raise_baud, simulated
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._shape: tuple[int, int, int] | None = None
        self._line: SerialLine | None = None
        self._unsettled = False
        self._info = self._connect(self._clock() + _CONNECT)

    @property
    def info(self) -> ReaderInfo:
        """Return what the reader says of itself, or said before it went away."""
        return self._info

    @property
    def baud(self) -> int | None:
        """Bits a second of the line, or None while unplugged."""
        return None if self._line is None else self._line.baud

    def capture(
        self,
        wanted: Wanted,
        *,
        deadline: float,
        progress: Callable[[float], None] | None = None,
        preview: Preview | None = None,  # noqa: ARG002 - a module has no live picture
    ) -> tuple[Impression] | NoImage:
        """Wait for a finger and take one impression.

        Args:
            wanted: one finger, flat.
            deadline: seconds from now until the whole command must have ended; an image takes
                3.5 s at 115200 baud, 7 s at 57600.
            progress: told the share (0..1) of the image that has come over.
            preview: never told anything.

        Raises:
            ValueError: more is wanted than one flat finger.
            Unplugged: the reader went away, or was closed; the next call looks for it again.
            Silent, Garbled, Refused: see `hardware.errors`.
        """
        if wanted.touch is not Touch.SINGLE or len(wanted.positions) != 1:
            raise ValueError(f"a module takes one flat finger, not {wanted}")
        until = self._clock() + deadline
        with self._connected(until) as line:
            if not self._wait(line, until, finger=True):
                return NoImage.NO_FINGER
            at = self._clock()
            try:
                self._ask(line, image_to_features(1), until)
            except Refused as refusal:
                if refusal.code in _MENDABLE:
                    return _MENDABLE[Code(refusal.code)]
                raise
            octets = self._fetch(line, until, progress)
            if self._shape is None:
                self._shape = IMAGE_SIZES[len(octets) * 2]
                self._info = self._describe(self._info.name, self._info.serial)
            height, width, dpi = self._shape
            pixels = unpack_image(octets, height, width)
            (position,) = wanted.positions
            serial = self._info.serial
            taken = Impression(pixels=pixels, dpi=dpi, at=at, serial=serial, position=position)
            return (taken,)

    def wait_lifted(self, *, deadline: float) -> bool:
        """Wait until no finger lies on the reader; False if one still does after `deadline` s.

        Raises:
            Unplugged, Silent, Garbled, Refused: as `capture`.
        """
        until = self._clock() + deadline
        with self._connected(until) as line:
            return self._wait(line, until, finger=False)

    @contextmanager
    def held(self, *, deadline: float) -> Iterator[SerialLine]:
        """Hold the line for an examination of the module itself; captures wait meanwhile.

        Raises:
            Unplugged, Silent, Garbled, Refused: as `capture`.
        """
        with self._connected(self._clock() + deadline) as line:
            yield line

    def close(self) -> None:
        """Let the port go; may be called twice, and from another thread than `capture`."""
        self._closed.set()
        with self._lock:
            self._drop()

    @contextmanager
    def _connected(self, until: float) -> Iterator[SerialLine]:
        """Hold the line, found again where it was lost; lose it where it went away."""
        with self._lock:
            if self._closed.is_set():
                raise Unplugged(f"{self._port}: the reader was closed")
            if self._line is None:
                self._info = self._connect(min(until, self._clock() + _CONNECT))
            line = self._line
            if line is None:
                raise Unplugged(f"{self._port}: the reader went away")
            try:
                if self._unsettled:
                    line.drain(until)
                    self._unsettled = False
                yield line
            except Unplugged:
                self._drop()
                raise
            except (Silent, Garbled):
                # The deadline may be over: the next call empties the line in its own time.
                self._unsettled = True
                raise

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _connect(self, until: float) -> ReaderInfo:
        line = SerialLine(
            self._port,
            baud=self._baud or BAUDS[0],
            address=self._address,
            stopped=self._closed.is_set,
            clock=self._clock,
        )
        try:
            self._find_baud(line, until)
            parameters = self._tune(line, self._parameters(line, until), until)
            product = self._product(line, until)
        except Broken:
            line.close()
            raise
        self._line = line
        # Another module may have been plugged in.
        self._shape = None
        if product is None:
            return self._describe(
                f"fingerprint module {parameters.system}",
                _usb_serial(self._port) or f"{parameters.system:04x}-{parameters.address:08x}",
            )
        dpi = IMAGE_SIZES.get(product.width * product.height, _UNKNOWN)[2]
        self._shape = (product.height, product.width, dpi)
        return self._describe(
            product.model or f"fingerprint module {parameters.system}",
            product.serial or _usb_serial(self._port) or f"{parameters.address:08x}",
        )

    def _describe(self, name: str, serial: str) -> ReaderInfo:
        height, width, dpi = self._shape or _UNKNOWN
        return ReaderInfo(
            name=name,
            serial=serial,
            simulated=self._simulated,
            width=width,
            height=height,
            dpi=dpi,
        )

    def _find_baud(self, line: SerialLine, until: float) -> None:
        """Set the line to the module's baud rate: the one given, else whichever is answered."""
        last: Broken = Silent(f"{self._port}: no module answers")
        for baud in BAUDS if self._baud is None else (self._baud, *BAUDS):
            if self._clock() >= until:
                break
            line.set_baud(baud)
            try:
                line.ask(
                    verify_password(self._password),
                    until=min(until, self._clock() + 2 * _PROBE),
                    seconds=_PROBE,
                )
            except (Silent, Garbled) as error:
                last = error
                continue
            return
        raise last

    def _parameters(self, line: SerialLine, until: float) -> Parameters:
        try:
            return Parameters.decode(line.ask(bytes([Instruction.READ_PARAMETERS]), until=until))
        except ValueError as error:
            raise Garbled(f"{self._port}: {error}") from error

    def _tune(self, line: SerialLine, parameters: Parameters, until: float) -> Parameters:
        """Make the module as fast as it can be; what it refuses stays as it was."""
        if parameters.packet < _PACKET:
            try:
                line.ask(set_parameter(PARAMETER_PACKET, PACKET_SIZES.index(_PACKET)), until=until)
            except Refused:
                return parameters
        if self._raise_baud and line.baud < FAST:
            # Some modules acknowledge at the old rate, some already at the new one.
            try:
                line.ask(set_parameter(PARAMETER_BAUD, FAST // BAUD_UNIT), until=until, seconds=0.2)
            except Refused:
                return parameters
            except (Silent, Garbled):
                pass
            before = line.baud
            for baud in (FAST, before, FAST):
                line.set_baud(baud)
                try:
                    line.ask(verify_password(self._password), until=until)
                except (Silent, Garbled):
                    continue
                break
            else:
                raise Silent(f"{self._port}: the module was lost when its baud rate was raised")
        return self._parameters(line, until)

    def _product(self, line: SerialLine, until: float) -> Product | None:
        """Ask a newer module for its name and size; older ones refuse or are silent."""
        try:
            answer = line.ask(
                bytes([Instruction.READ_PRODUCT]), until=min(until, self._clock() + 0.4)
            )
            return Product.decode(answer)
        except (Refused, ValueError):
            return None
        except (Silent, Garbled):
            line.drain(until)
            return None

    def _ask(self, line: SerialLine, command: bytes, until: float) -> bytes:
        """Ask; where the module wants its password first (it was reset), give it and ask again."""
        try:
            return line.ask(command, until=until)
        except Refused as refusal:
            if refusal.code != Code.PASSWORD_NEEDED:
                raise
        line.ask(verify_password(self._password), until=until)
        return line.ask(command, until=until)

    def _wait(self, line: SerialLine, until: float, *, finger: bool) -> bool:
        """Look at the glass until a finger lies on it (or none does); False after `until`."""
        answered = False
        while True:
            try:
                self._ask(line, bytes([Instruction.GET_IMAGE]), until)
                there = True
            except Silent:
                if not answered or self._clock() < until:
                    raise
                # It answered before and had no time to do so again.
                self._unsettled = True
                return False
            except Refused as refusal:
                if refusal.code not in {Code.NO_FINGER, Code.CAPTURE_FAILED}:
                    raise
                # A failed capture says nothing either way.
                there = refusal.code != Code.NO_FINGER and not finger
            if there is finger:
                return True
            answered = True
            if self._clock() + _POLL >= until:
                return False
            self._sleep(_POLL)

    def _fetch(
        self,
        line: SerialLine,
        until: float,
        progress: Callable[[float], None] | None,
    ) -> bytes:
        """Return the held image's bytes; sent again where packets were lost or damaged.

        They are as many as the module's images have, or any module's while that is not known.
        """
        height, width, _ = self._shape or _UNKNOWN
        size = height * width // 2
        bits = 10 * size * (_PACKET + 11) / _PACKET
        for remaining in reversed(range(_TRIES)):
            try:
                self._ask(line, bytes([Instruction.UP_IMAGE]), until)
                end = min(until, self._clock() + 1.0 + _SLACK * bits / line.baud)
                octets = line.collect(size, until=end, progress=progress)
            except (Silent, Garbled):
                if not remaining or self._clock() >= until:
                    raise
                line.drain(until)
                continue
            if len(octets) == size or (self._shape is None and len(octets) * 2 in IMAGE_SIZES):
                return octets
            # A packet was lost whole: the rest came over sound, so the line is empty.
        raise Garbled(f"{self._port}: packets of the image were lost again and again")


def _usb_serial(port: str) -> str | None:
    """Return the serial number of the USB adapter that carries the port, if it has one."""
    # A name under /dev/serial/by-id is a link to the one that is listed.
    path = os.path.realpath(port)
    for device in list_ports.comports():
        if device.device == path:
            return device.serial_number or None
    return None
