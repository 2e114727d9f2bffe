"""What a simulated module knows and answers: commands in, acknowledgements and data out.

No port, no time, no faults: those are in `module_simulator`. Behaviour as the open drivers of
these modules expect it; no vendor's document was at hand.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from hardware.finger import module_matcher
from hardware.finger.commands import (
    BAUD_UNIT,
    PACKET_SIZES,
    PARAMETER_BAUD,
    PARAMETER_PACKET,
    PARAMETER_SECURITY,
    Parameters,
    Product,
    pack_image,
    unpack_image,
)
from hardware.finger.module_matcher import TEMPLATE_BYTES
from hardware.finger.packets import EVERYBODY, Code, Instruction, Kind, Packet, split

WIDTH: Final = 256
HEIGHT: Final = 288
_MOST: Final = WIDTH * HEIGHT
"""Bytes of data after which more is no image and no template."""
_CAPACITY: Final = 1000
_INDEX_PAGE: Final = 256
_NOTEPAD: Final = (16, 32)
"""Pages, and bytes in a page."""
_LED_WAYS: Final = range(1, 7)
_SOUGHT: Final = {1: 65, 2: 75, 3: 85, 4: 100, 5: 120}
"""Score of `module_matcher` from which two templates are one finger, by security level."""
_BARE: Final = 0.03
"""Share of the glass below which nothing lies on it."""
_SMALL: Final = 0.1
_FEW: Final = 6
_MESSY: Final = 0.55

Answer = list[Packet]


class ModuleCore:
    """The inside of an AS608-like module with room for 1000 templates.

    Args:
        size: height and width of its images, pixels.
        password: which it asks for; 0 as from the factory, when it asks for none.
        packet: bytes of data in a packet.
        baud: bits a second.
        seed: of its random numbers.
        product: answer the question newer modules know.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int] = (HEIGHT, WIDTH),
        password: int = 0,
        packet: int = 128,
        baud: int = 57600,
        seed: int = 0,
        product: Product | None = None,
    ) -> None:
        self.parameters = Parameters(
            status=0,
            system=9,
            capacity=_CAPACITY,
            security=3,
            address=EVERYBODY,
            packet=packet,
            baud=baud,
        )
        self.size = size
        self.glass: NDArray[np.uint8] | None = None
        """What lies on the glass, uint8 of that size."""
        self.log: list[int] = []
        """Instructions in the order in which they came."""
        self._password = password
        self._product = product
        self._random = np.random.default_rng(seed)
        self._library: dict[int, bytes] = {}
        self._notepad = [bytes(_NOTEPAD[1])] * _NOTEPAD[0]
        self._coming: tuple[Callable[[bytes], None], bytearray] | None = None
        self.wake()

    def wake(self) -> None:
        """Begin anew, as after the power comes back: flash stays, buffers do not."""
        self._open = self._password == 0
        self._image: NDArray[np.uint8] | None = None
        self._buffers: dict[int, bytes] = {}
        self._coming = None

    def take(self, packet: Packet) -> Answer:
        """Return what the module sends on a packet that came over whole."""
        if packet.kind in {Kind.DATA, Kind.END}:
            return self._take_data(packet)
        if packet.kind is not Kind.COMMAND or not packet.data:
            return self._say(Code.RECEIVE_ERROR)
        self._coming = None
        number, arguments = packet.data[0], packet.data[1:]
        self.log.append(number)
        row = self._TABLE.get(number)
        if row is None:
            return self._say(Code.UNDEFINED)
        length, act = row
        if len(arguments) != length:
            return self._say(Code.RECEIVE_ERROR)
        if not self._open and number not in _ALWAYS:
            return self._say(Code.PASSWORD_NEEDED)
        return act(self, arguments)

    def damaged(self) -> Answer:
        """Return what the module sends when a packet came over damaged."""
        return self._say(Code.RECEIVE_ERROR)

    def _say(self, code: Code, data: bytes = b"") -> Answer:
        return [Packet(kind=Kind.ACK, data=bytes([code]) + data, address=self.parameters.address)]

    def _send(self, payload: bytes) -> Answer:
        parts = split(payload, self.parameters.packet, self.parameters.address)
        return [*self._say(Code.OK), *parts]

    def _take_data(self, packet: Packet) -> Answer:
        if self._coming is not None:
            done, payload = self._coming
            payload += packet.data
            if len(payload) > _MOST or packet.kind is Kind.END:
                self._coming = None
                done(bytes(payload))
        return []

    # Images and features.

    def _get_image(self, _: bytes) -> Answer:
        if self.glass is None or _contrast(self.glass) < _BARE:
            return self._say(Code.NO_FINGER)
        self._image = self.glass.copy()
        self.parameters = replace(self.parameters, status=self.parameters.status | 8)
        return self._say(Code.OK)

    def _image_to_features(self, arguments: bytes) -> Answer:
        if self._image is None:
            return self._say(Code.NO_IMAGE)
        found = module_matcher.extract(self._image)
        if found.area >= _SMALL and found.clearness < _MESSY:
            return self._say(Code.TOO_MESSY)
        if found.area < _SMALL or len(found.points) < _FEW:
            return self._say(Code.TOO_FEW_POINTS)
        half = module_matcher.encode(found.points)
        self._buffers[_buffer(arguments[0])] = half.ljust(TEMPLATE_BYTES, b"\0")
        return self._say(Code.OK)

    def _up_image(self, _: bytes) -> Answer:
        if self._image is None:
            return self._say(Code.IMAGE_NOT_SENT)
        return self._send(pack_image(self._image))

    def _down_image(self, _: bytes) -> Answer:
        height, width = self.size
        count = height * width // 2

        def done(payload: bytes) -> None:
            self._image = unpack_image(payload[:count].ljust(count, b"\xff"), height, width)

        self._coming = (done, bytearray())
        return self._say(Code.OK)

    def _up_features(self, arguments: bytes) -> Answer:
        held = self._buffers.get(_buffer(arguments[0]))
        return self._say(Code.FEATURES_NOT_SENT) if held is None else self._send(held)

    def _down_features(self, arguments: bytes) -> Answer:
        buffer = _buffer(arguments[0])

        def done(payload: bytes) -> None:
            self._buffers[buffer] = payload[:TEMPLATE_BYTES].ljust(TEMPLATE_BYTES, b"\0")

        self._coming = (done, bytearray())
        return self._say(Code.OK)

    def _match(self, _: bytes) -> Answer:
        score = self._compared()
        if score < _SOUGHT[self.parameters.security]:
            return self._say(Code.NO_MATCH, bytes(2))
        return self._say(Code.OK, score.to_bytes(2, "big"))

    def _make_model(self, _: bytes) -> Answer:
        if self._compared() < _SOUGHT[self.parameters.security]:
            return self._say(Code.NOT_ONE_FINGER)
        half = TEMPLATE_BYTES // 2
        model = self._buffers[1][:half] + self._buffers[2][:half]
        self._buffers = {1: model, 2: model}
        return self._say(Code.OK)

    def _compared(self) -> int:
        first, second = self._buffers.get(1, b""), self._buffers.get(2, b"")
        return module_matcher.compare(first, second)

    # The library.

    def _search(self, arguments: bytes) -> Answer:
        held = self._buffers.get(_buffer(arguments[0]))
        first = int.from_bytes(arguments[1:3], "big")
        pages = range(first, min(first + int.from_bytes(arguments[3:5], "big"), _CAPACITY))
        scores = {
            page: module_matcher.compare(held, template)
            for page, template in sorted(self._library.items())
            if held is not None and page in pages
        }
        best = max(scores, key=lambda page: scores[page], default=None)
        if best is None or scores[best] < _SOUGHT[self.parameters.security]:
            return self._say(Code.NOT_FOUND, bytes(4))
        return self._say(Code.OK, best.to_bytes(2, "big") + scores[best].to_bytes(2, "big"))

    def _store(self, arguments: bytes) -> Answer:
        page = int.from_bytes(arguments[1:3], "big")
        held = self._buffers.get(_buffer(arguments[0]))
        if page >= _CAPACITY:
            return self._say(Code.PAGE_OUT_OF_RANGE)
        if held is None:
            return self._say(Code.FLASH_ERROR)
        self._library[page] = held
        return self._say(Code.OK)

    def _load(self, arguments: bytes) -> Answer:
        page = int.from_bytes(arguments[1:3], "big")
        if page >= _CAPACITY:
            return self._say(Code.PAGE_OUT_OF_RANGE)
        if page not in self._library:
            return self._say(Code.TEMPLATE_UNREADABLE)
        self._buffers[_buffer(arguments[0])] = self._library[page]
        return self._say(Code.OK)

    def _delete(self, arguments: bytes) -> Answer:
        first, count = int.from_bytes(arguments[:2], "big"), int.from_bytes(arguments[2:], "big")
        if not count or first + count > _CAPACITY:
            return self._say(Code.NOT_DELETED)
        for page in range(first, first + count):
            self._library.pop(page, None)
        return self._say(Code.OK)

    def _empty(self, _: bytes) -> Answer:
        self._library.clear()
        return self._say(Code.OK)

    def _count(self, _: bytes) -> Answer:
        return self._say(Code.OK, len(self._library).to_bytes(2, "big"))

    def _read_index(self, arguments: bytes) -> Answer:
        bits = bytearray(_INDEX_PAGE // 8)
        for page in self._library:
            at = page - arguments[0] * _INDEX_PAGE
            if 0 <= at < _INDEX_PAGE:
                bits[at // 8] |= 1 << at % 8
        return self._say(Code.OK, bytes(bits))

    # Settings and odds.

    def _verify_password(self, arguments: bytes) -> Answer:
        if int.from_bytes(arguments, "big") != self._password:
            return self._say(Code.WRONG_PASSWORD)
        self._open = True
        return self._say(Code.OK)

    def _set_password(self, arguments: bytes) -> Answer:
        self._password = int.from_bytes(arguments, "big")
        return self._say(Code.OK)

    def _set_address(self, arguments: bytes) -> Answer:
        self.parameters = replace(self.parameters, address=int.from_bytes(arguments, "big"))
        return self._say(Code.OK)

    def _set_parameter(self, arguments: bytes) -> Answer:
        allowed = _SETTINGS.get(arguments[0])
        if allowed is None:
            return self._say(Code.WRONG_REGISTER)
        if arguments[1] not in allowed:
            return self._say(Code.WRONG_VALUE)
        if arguments[0] == PARAMETER_BAUD:
            self.parameters = replace(self.parameters, baud=arguments[1] * BAUD_UNIT)
        elif arguments[0] == PARAMETER_SECURITY:
            self.parameters = replace(self.parameters, security=arguments[1])
        else:
            self.parameters = replace(self.parameters, packet=PACKET_SIZES[arguments[1]])
        return self._say(Code.OK)

    def _read_parameters(self, _: bytes) -> Answer:
        return self._say(Code.OK, self.parameters.encode())

    def _read_product(self, _: bytes) -> Answer:
        if self._product is None:
            return self._say(Code.UNDEFINED)
        return self._say(Code.OK, self._product.encode())

    def _read_information(self, _: bytes) -> Answer:
        return self._send(self.parameters.encode().ljust(512, b"\0"))

    def _random_code(self, _: bytes) -> Answer:
        return self._say(Code.OK, self._random.bytes(4))

    def _write_notepad(self, arguments: bytes) -> Answer:
        if arguments[0] >= _NOTEPAD[0]:
            return self._say(Code.WRONG_NOTEPAD_PAGE)
        self._notepad[arguments[0]] = arguments[1:]
        return self._say(Code.OK)

    def _read_notepad(self, arguments: bytes) -> Answer:
        if arguments[0] >= _NOTEPAD[0]:
            return self._say(Code.WRONG_NOTEPAD_PAGE)
        return self._say(Code.OK, self._notepad[arguments[0]])

    def _aura(self, arguments: bytes) -> Answer:
        if arguments[0] not in _LED_WAYS:
            return self._say(Code.UNDEFINED)
        return self._say(Code.OK)

    def _echo(self, _: bytes) -> Answer:
        return self._say(Code.ECHO)

    def _nod(self, _: bytes) -> Answer:
        return self._say(Code.OK)

    def _soft_reset(self, _: bytes) -> Answer:
        self.wake()
        return self._say(Code.OK)

    _TABLE: ClassVar[dict[int, tuple[int, Callable[["ModuleCore", bytes], Answer]]]] = {
        Instruction.GET_IMAGE: (0, _get_image),
        Instruction.GET_IMAGE_DARK: (0, _get_image),
        Instruction.IMAGE_TO_FEATURES: (1, _image_to_features),
        Instruction.MATCH: (0, _match),
        Instruction.SEARCH: (5, _search),
        Instruction.FAST_SEARCH: (5, _search),
        Instruction.MAKE_MODEL: (0, _make_model),
        Instruction.STORE: (3, _store),
        Instruction.LOAD: (3, _load),
        Instruction.UP_FEATURES: (1, _up_features),
        Instruction.DOWN_FEATURES: (1, _down_features),
        Instruction.UP_IMAGE: (0, _up_image),
        Instruction.DOWN_IMAGE: (0, _down_image),
        Instruction.DELETE: (4, _delete),
        Instruction.EMPTY: (0, _empty),
        Instruction.SET_PARAMETER: (2, _set_parameter),
        Instruction.READ_PARAMETERS: (0, _read_parameters),
        Instruction.SET_PASSWORD: (4, _set_password),
        Instruction.VERIFY_PASSWORD: (4, _verify_password),
        Instruction.RANDOM_CODE: (0, _random_code),
        Instruction.SET_ADDRESS: (4, _set_address),
        Instruction.READ_INFORMATION: (0, _read_information),
        Instruction.PORT_CONTROL: (1, _nod),
        Instruction.WRITE_NOTEPAD: (33, _write_notepad),
        Instruction.READ_NOTEPAD: (1, _read_notepad),
        Instruction.COUNT: (0, _count),
        Instruction.READ_INDEX: (1, _read_index),
        Instruction.CANCEL: (0, _nod),
        Instruction.AURA_LED: (4, _aura),
        Instruction.CHECK_SENSOR: (0, _nod),
        Instruction.READ_PRODUCT: (0, _read_product),
        Instruction.SOFT_RESET: (0, _soft_reset),
        Instruction.HAND_SHAKE: (0, _nod),
        Instruction.LED_ON: (0, _nod),
        Instruction.LED_OFF: (0, _nod),
        Instruction.ECHO: (0, _echo),
    }
    """How many bytes of arguments an instruction has, and what does it."""


_SETTINGS: Final = {
    PARAMETER_BAUD: range(1, 13),
    PARAMETER_SECURITY: range(1, 6),
    PARAMETER_PACKET: range(len(PACKET_SIZES)),
}
_ALWAYS: Final = frozenset(
    {Instruction.VERIFY_PASSWORD, Instruction.HAND_SHAKE, Instruction.ECHO, Instruction.SOFT_RESET}
)
"""What a module answers before it was given its password."""


def _buffer(number: int) -> int:
    """Return the buffer meant: every number but 1 is the second, as in real modules."""
    return 1 if number == 1 else 2


def _contrast(pixels: NDArray[np.uint8]) -> float:
    """Return the share of the glass that is clearly darker than its ground."""
    ground = float(np.percentile(pixels, 98))
    return float((pixels < ground - 60).mean())
