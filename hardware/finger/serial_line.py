"""One module on a serial port: ask, wait for the answer until a deadline, collect data packets.

It does not know fingers: what to ask, and what an answer means, stands in `serial_module`.
"""

import math
import termios
import time
from collections.abc import Callable
from typing import Final

import serial

from hardware.errors import Garbled, Refused, Silent, Unplugged
from hardware.finger.commands import IDEMPOTENT
from hardware.finger.packets import (
    EVERYBODY,
    Code,
    Damage,
    Fault,
    Instruction,
    Kind,
    Packet,
    PacketStream,
)

_TICK: Final = 0.02
"""Seconds a single read may wait: so often a deadline and a close are looked at."""
_QUIET: Final = 0.06
"""Seconds without a byte after which a line is empty: 57 bytes' time at 9600 baud."""
_DRAIN_BITS: Final = 450_000
"""How much is thrown away before draining gives up: a whole image and some."""
_TRIES: Final = 3

_GONE: Final = (OSError, ValueError, TypeError, termios.error)
"""What pyserial raises where the device is away or the port was closed: it wraps only some."""

SECONDS: Final = {
    Instruction.GET_IMAGE: 1.5,
    Instruction.IMAGE_TO_FEATURES: 2.0,
    Instruction.VERIFY_PASSWORD: 0.4,
    Instruction.READ_PRODUCT: 0.4,
    Instruction.READ_PARAMETERS: 0.5,
    Instruction.SET_PARAMETER: 0.5,
    Instruction.UP_IMAGE: 1.0,
}
"""How long one answer may take, from the last byte of the command; generous for slow modules."""
_OTHERWISE: Final = 1.0


class SerialLine:
    """A port with a module on it.

    Args:
        port: path of the device.
        address: of the module.
        stopped: looked at while an answer is awaited; True ends that as `Unplugged`.
        clock: monotonic seconds.

    Raises:
        Unplugged: there is no such port, or it may not or cannot be opened.
    """

    def __init__(
        self,
        port: str,
        *,
        baud: int,
        address: int = EVERYBODY,
        stopped: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.port = port
        self._address = address
        self._stopped = stopped
        self._clock = clock
        self._stream = PacketStream(address)
        try:
            self._serial = serial.Serial(
                port, baud, timeout=_TICK, write_timeout=1.0, exclusive=True
            )
        except _GONE as error:
            raise Unplugged(
                f"{port}: cannot be opened ({error}); is the reader plugged in?"
            ) from error

    @property
    def baud(self) -> int:
        """Bits a second."""
        return int(self._serial.baudrate)

    def set_baud(self, baud: int) -> None:
        """Change the host's side of the line and drop what stood on it.

        Raises:
            Unplugged: the port went away.
        """
        try:
            self._serial.baudrate = baud
        except _GONE as error:
            raise self._gone(error) from error
        self.drain()

    def close(self) -> None:
        """Let the port go; may be called twice."""
        try:
            self._serial.close()
        except OSError:
            # The device is gone: nothing is left to close.
            return

    def ask(self, command: bytes, *, until: float, seconds: float | None = None) -> bytes:
        """Send a command and return what its answer carries after the code OK.

        A command of `IDEMPOTENT` is sent again after a lost or garbled answer.

        Args:
            command: its bytes, the instruction first.
            until: by the clock, when all tries must have ended.
            seconds: for one answer, else as in `SECONDS`.

        Raises:
            Refused: the module answered another code than OK.
            Silent, Garbled, Unplugged: see `hardware.errors`.
        """
        instruction = Instruction(command[0])
        again = _TRIES - 1 if instruction in IDEMPOTENT else 0
        wait = SECONDS.get(instruction, _OTHERWISE) if seconds is None else seconds
        while True:
            try:
                return self._ask_once(instruction, command, min(until, self._clock() + wait))
            except (Silent, Garbled):
                if not again or self._clock() >= until:
                    raise
                again -= 1
                self.drain(until)
            except Refused as refusal:
                # The module says that our own bytes came over damaged.
                if refusal.code != Code.RECEIVE_ERROR or not again or self._clock() >= until:
                    raise
                again -= 1
                self.drain(until)

    def collect(
        self, size: int, *, until: float, progress: Callable[[float], None] | None = None
    ) -> bytes:
        """Return what the data packets carry that follow an answer.

        Args:
            size: bytes to expect, for the progress; at most twice as many are taken.
            until: by the clock, when the last packet must be there.
            progress: told the share (0..1) that has come.

        Raises:
            Silent, Garbled, Unplugged: see `hardware.errors`.
        """
        payload = bytearray()
        while True:
            packet = self._packet(until, "data")
            if packet.kind not in {Kind.DATA, Kind.END}:
                raise Garbled(f"{self.port}: a packet of kind {packet.kind.name} within data")
            payload += packet.data
            if len(payload) > 2 * size:
                raise Garbled(f"{self.port}: more data than any image has")
            if progress is not None:
                progress(min(1.0, len(payload) / size))
            if packet.kind is Kind.END:
                return bytes(payload)

    def drain(self, until: float = math.inf) -> None:
        """Throw away what is on the line until it falls quiet, or until the clock says `until`.

        Raises:
            Unplugged: the port went away.
        """
        now = self._clock()
        end, quiet = min(until, now + _DRAIN_BITS / self.baud), now + _QUIET
        while now < min(end, quiet):
            got = self._read()
            now = self._clock()
            if got:
                quiet = now + _QUIET
        self._stream.forget()

    def _ask_once(self, instruction: Instruction, command: bytes, until: float) -> bytes:
        packet = Packet(kind=Kind.COMMAND, data=command, address=self._address)
        try:
            # A late answer to an earlier command must not be taken for this one's.
            self._serial.reset_input_buffer()
            self._stream.forget()
            self._serial.write(packet.encode())
        except _GONE as error:
            raise self._gone(error) from error
        answer = self._packet(until, instruction.name)
        while answer.kind in {Kind.DATA, Kind.END}:
            # The rest of an image that was given up.
            answer = self._packet(until, instruction.name)
        if answer.kind is not Kind.ACK or not answer.data:
            raise Garbled(f"{self.port}: {instruction.name} was answered by {answer.kind.name}")
        code = Code.of(answer.data[0])
        if code is Code.OK:
            return answer.data[1:]
        named = code.name if isinstance(code, Code) else f"code {code:#04x}"
        raise Refused(f"{self.port}: {instruction.name} was refused: {named}", answer.data[0])

    def _packet(self, until: float, what: str) -> Packet:
        """Return the next packet; damage is raised at once where it was surely a packet."""
        damaged = 0
        while True:
            found = self._stream.next()
            if isinstance(found, Packet):
                return found
            if isinstance(found, Damage):
                damaged += found.count
                if found.fault is Fault.CHECKSUM:
                    raise Garbled(f"{self.port}: {what}: the checksum is wrong")
                continue
            if self._clock() >= until:
                break
            self._stream.receive(self._read())
        if damaged:
            raise Garbled(f"{self.port}: {what}: {damaged} bytes that are no packet")
        if self._stream.pending:
            raise Silent(f"{self.port}: {what}: the time was over within a packet")
        raise Silent(f"{self.port}: {what}: no answer; check power, wiring and baud rate")

    def _read(self) -> bytes:
        if self._stopped():
            raise Unplugged(f"{self.port}: the reader was closed")
        try:
            return bytes(self._serial.read(max(1, self._serial.in_waiting)))
        except _GONE as error:
            raise self._gone(error) from error

    def _gone(self, error: Exception) -> Unplugged:
        return Unplugged(f"{self.port}: the reader went away ({error}); plug it in again")
