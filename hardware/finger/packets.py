"""The packets of ZhianTec/GROW fingerprint modules: bytes in, packets out.

It opens no port, keeps no time and does not know what an instruction does.

    EF 01 | address 4 | kind 1 | length 2 | data, length - 2 | sum 2        (big endian)

The sum is that of kind, length and data, modulo 65536. Found equal in the sources of five open
drivers (pyfingerprint, adafruit-circuitpython-fingerprint, adafruit-fingerprint, fpsensor, r503).
"""

import enum
import struct
from dataclasses import dataclass
from typing import Final, Self

START: Final = b"\xef\x01"
EVERYBODY: Final = 0xFFFFFFFF
"""The address a module has until it is given another."""
MAX_DATA: Final = 256
_HEAD: Final = 9
_SUM: Final = 2


class Kind(enum.IntEnum):
    """What a packet carries."""

    COMMAND = 0x01
    DATA = 0x02
    ACK = 0x07
    END = 0x08


class Instruction(enum.IntEnum):
    """What a host may ask; the first byte of a command."""

    GET_IMAGE = 0x01
    IMAGE_TO_FEATURES = 0x02
    MATCH = 0x03
    SEARCH = 0x04
    MAKE_MODEL = 0x05
    STORE = 0x06
    LOAD = 0x07
    UP_FEATURES = 0x08
    DOWN_FEATURES = 0x09
    UP_IMAGE = 0x0A
    DOWN_IMAGE = 0x0B
    DELETE = 0x0C
    EMPTY = 0x0D
    SET_PARAMETER = 0x0E
    READ_PARAMETERS = 0x0F
    SET_PASSWORD = 0x12
    VERIFY_PASSWORD = 0x13
    RANDOM_CODE = 0x14
    SET_ADDRESS = 0x15
    READ_INFORMATION = 0x16
    PORT_CONTROL = 0x17
    WRITE_NOTEPAD = 0x18
    READ_NOTEPAD = 0x19
    FAST_SEARCH = 0x1B
    COUNT = 0x1D
    READ_INDEX = 0x1F
    CANCEL = 0x30
    AURA_LED = 0x35
    CHECK_SENSOR = 0x36
    READ_PRODUCT = 0x3C
    SOFT_RESET = 0x3D
    HAND_SHAKE = 0x40
    LED_ON = 0x50
    LED_OFF = 0x51
    GET_IMAGE_DARK = 0x52
    ECHO = 0x53


class Code(enum.IntEnum):
    """What a module answers; the first byte of an acknowledgement."""

    OK = 0x00
    RECEIVE_ERROR = 0x01
    NO_FINGER = 0x02
    CAPTURE_FAILED = 0x03
    TOO_MESSY = 0x06
    TOO_FEW_POINTS = 0x07
    NO_MATCH = 0x08
    NOT_FOUND = 0x09
    NOT_ONE_FINGER = 0x0A
    PAGE_OUT_OF_RANGE = 0x0B
    TEMPLATE_UNREADABLE = 0x0C
    FEATURES_NOT_SENT = 0x0D
    CANNOT_RECEIVE = 0x0E
    IMAGE_NOT_SENT = 0x0F
    NOT_DELETED = 0x10
    NOT_EMPTIED = 0x11
    WRONG_PASSWORD = 0x13
    NO_IMAGE = 0x15
    FLASH_ERROR = 0x18
    UNDEFINED = 0x19
    WRONG_REGISTER = 0x1A
    WRONG_VALUE = 0x1B
    WRONG_NOTEPAD_PAGE = 0x1C
    PORT_FAILED = 0x1D
    WRONG_ADDRESS = 0x20
    PASSWORD_NEEDED = 0x21
    SENSOR_BROKEN = 0x29
    ECHO = 0x55

    @classmethod
    def of(cls, number: int) -> Self | int:
        """Return the code of this number, or the number itself where it is not known."""
        try:
            return cls(number)
        except ValueError:
            return number


class Fault(enum.StrEnum):
    """Why bytes were not a packet."""

    NOISE = "noise"
    """Bytes that begin no packet."""
    ADDRESS = "address"
    LENGTH = "length"
    KIND = "kind"
    CHECKSUM = "checksum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet; `data` is what stands between length and sum, at most MAX_DATA bytes."""

    kind: Kind
    data: bytes
    address: int = EVERYBODY

    def encode(self) -> bytes:
        """Return the bytes on the line.

        Raises:
            ValueError: too much data, or no such address.
        """
        if len(self.data) > MAX_DATA or not 0 <= self.address <= EVERYBODY:
            raise ValueError(f"{len(self.data)} bytes for address {self.address:x}")
        body = struct.pack(">BH", self.kind, len(self.data) + _SUM) + self.data
        head = START + struct.pack(">I", self.address)
        return head + body + struct.pack(">H", sum(body) & 0xFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Bytes that were skipped to find the next packet."""

    fault: Fault
    count: int


class PacketStream:
    """Finds the packets in bytes that come in pieces of any size, whatever stands between.

    Args:
        address: of the module one listens to; packets of others are skipped as damage.
    """

    def __init__(self, address: int = EVERYBODY) -> None:
        self._start = START + struct.pack(">I", address)
        self._held = bytearray()

    @property
    def pending(self) -> int:
        """Bytes held back because a packet may still become whole."""
        return len(self._held)

    def receive(self, octets: bytes) -> None:
        """Take what came over the line."""
        self._held += octets

    def forget(self) -> None:
        """Drop what was begun."""
        self._held.clear()

    def next(self) -> Packet | Damage | None:
        """Return the next packet or damage, or None until more bytes come.

        Of a damaged packet only the two start bytes are skipped: a wrong length must not swallow
        the packet behind it.
        """
        held = self._held
        at = held.find(START)
        if at < 0:
            # The last byte may be the first of a start.
            at = len(held) - (1 if held.endswith(START[:1]) else 0)
        if at > 0:
            return self._skip(at, Fault.NOISE)
        end = self._end()
        if isinstance(end, Fault):
            return self._skip(len(START), end)
        if end is None or len(held) < end:
            return None
        (stated,) = struct.unpack_from(">H", held, end - _SUM)
        if stated != sum(held[len(self._start) : end - _SUM]) & 0xFFFF:
            return self._skip(len(START), Fault.CHECKSUM)
        packet = Packet(
            kind=Kind(held[len(self._start)]),
            data=bytes(held[_HEAD : end - _SUM]),
            address=int.from_bytes(self._start[2:], "big"),
        )
        del held[:end]
        return packet

    def _end(self) -> int | Fault | None:
        """Return where the packet at the front ends, what is wrong with its head, or None yet."""
        held = self._held
        if not held.startswith(self._start[: len(held)]):
            return Fault.ADDRESS
        if len(held) < _HEAD:
            return None
        number, length = struct.unpack_from(">BH", held, len(self._start))
        if number not in _KINDS:
            return Fault.KIND
        return _HEAD + length if _SUM <= length <= MAX_DATA + _SUM else Fault.LENGTH

    def _skip(self, count: int, fault: Fault) -> Damage:
        del self._held[:count]
        return Damage(fault=fault, count=count)


_KINDS: Final = frozenset(Kind)


def split(payload: bytes, size: int, address: int = EVERYBODY) -> list[Packet]:
    """Return `payload` as data packets of `size` bytes, the last one marked as the end.

    Raises:
        ValueError: there is nothing to send, or `size` is not 1..MAX_DATA.
    """
    if not payload or not 1 <= size <= MAX_DATA:
        raise ValueError(f"{len(payload)} bytes in packets of {size}")
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)]
    return [
        Packet(kind=Kind.END if number == len(pieces) else Kind.DATA, data=piece, address=address)
        for number, piece in enumerate(pieces, 1)
    ]
