"""What is said to a fingerprint module and what its answers mean, as bytes and values.

Nothing here waits for an answer or opens a port.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hardware.finger.packets import Instruction

BAUD_UNIT: Final = 9600
FAST: Final = 115200
"""Bits a second; the fastest that every module of the family has."""
BAUDS: Final = (57600, 115200, 9600, 38400, 19200, 76800, 86400, 96000, 105600, 48000, 28800, 67200)
"""In the order in which they are tried: factory setting, what this driver sets, then the rest."""
PACKET_SIZES: Final = (32, 64, 128, 256)
"""By the number that stands for them in the parameters."""
PARAMETER_BAUD: Final = 4
PARAMETER_SECURITY: Final = 5
PARAMETER_PACKET: Final = 6
IDEMPOTENT: Final = frozenset(
    {
        Instruction.GET_IMAGE,
        Instruction.IMAGE_TO_FEATURES,
        Instruction.UP_IMAGE,
        Instruction.READ_PARAMETERS,
        Instruction.READ_PRODUCT,
        Instruction.VERIFY_PASSWORD,
        Instruction.HAND_SHAKE,
        Instruction.COUNT,
        Instruction.READ_INDEX,
    }
)
"""What may be sent again when an answer got lost: twice does the same as once."""
IMAGE_SIZES: Final = {
    256 * 288: (288, 256, 500),
    192 * 192: (192, 192, 508),
    160 * 160: (160, 160, 508),
    80 * 208: (208, 80, 508),
}
"""Height, width and dpi by the number of pixels that come: AS608/ZFM/R30x, R503, R502, R301T."""
LEVEL: Final = 17
"""A pixel comes as 0..15; times this it is 0..255."""

_PARAMETERS: Final = struct.Struct(">HHHHIHH")
_PRODUCT: Final = struct.Struct(">16s4s8s2s8sHHHH")
_MAX_SIDE: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a module says of its settings.

    Attributes:
        status: 16 bits; bit 3 says that an image is held.
        system: number of the module's software.
        capacity: templates it can keep.
        security: 1..5, how strict its own matching is.
        address: to which it listens.
        packet: bytes of data in a packet.
        baud: bits a second.
    """

    status: int
    system: int
    capacity: int
    security: int
    address: int
    packet: int
    baud: int

    @classmethod
    def decode(cls, answer: bytes) -> "Parameters":
        """Return the parameters in an answer's bytes (without the code).

        Raises:
            ValueError: too short, or a setting that no module has.
        """
        if len(answer) < _PARAMETERS.size:
            raise ValueError(f"{len(answer)} bytes are not parameters")
        status, system, capacity, security, address, packet, baud = _PARAMETERS.unpack_from(answer)
        if packet >= len(PACKET_SIZES) or baud * BAUD_UNIT not in BAUDS:
            raise ValueError(f"packet setting {packet}, baud setting {baud}")
        return cls(
            status=status,
            system=system,
            capacity=capacity,
            security=security,
            address=address,
            packet=PACKET_SIZES[packet],
            baud=baud * BAUD_UNIT,
        )

    def encode(self) -> bytes:
        """Return the bytes of an answer (without the code)."""
        return _PARAMETERS.pack(
            self.status,
            self.system,
            self.capacity,
            self.security,
            self.address,
            PACKET_SIZES.index(self.packet),
            self.baud // BAUD_UNIT,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What newer modules say of themselves; sides in pixels."""

    model: str
    serial: str
    width: int
    height: int

    @classmethod
    def decode(cls, answer: bytes) -> "Product":
        """Return the product in an answer's bytes (without the code).

        Raises:
            ValueError: too short, or a picture of impossible size.
        """
        if len(answer) < _PRODUCT.size:
            raise ValueError(f"{len(answer)} bytes are not a product")
        model, _, serial, _, _, width, height, _, _ = _PRODUCT.unpack_from(answer)
        if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE) or width % 2:
            raise ValueError(f"a picture of {width} x {height}")
        return cls(model=_text(model), serial=_text(serial), width=width, height=height)

    def encode(self) -> bytes:
        """Return the bytes of an answer (without the code)."""
        model, serial = self.model.encode("ascii"), self.serial.encode("ascii")
        return _PRODUCT.pack(
            model, b"0001", serial, b"10", b"optical", self.width, self.height, 512, 1000
        )


def verify_password(password: int) -> bytes:
    """Return the command that opens a module."""
    return struct.pack(">BI", Instruction.VERIFY_PASSWORD, password)


def set_parameter(parameter: int, setting: int) -> bytes:
    """Return the command that changes one setting, kept by the module without power."""
    return struct.pack(">BBB", Instruction.SET_PARAMETER, parameter, setting)


def image_to_features(buffer: int) -> bytes:
    """Return the command that reads the features off the held image."""
    return struct.pack(">BB", Instruction.IMAGE_TO_FEATURES, buffer)


def unpack_image(octets: bytes, height: int, width: int) -> NDArray[np.uint8]:
    """Return height x width uint8 from two pixels a byte, the left one in the high half.

    Raises:
        ValueError: the bytes are not that many pixels.
    """
    packed = np.frombuffer(octets, np.uint8)
    if packed.size * 2 != height * width:
        raise ValueError(f"{packed.size * 2} pixels are not {height} x {width}")
    pairs = np.stack([packed >> 4, packed & 15], axis=1)
    return np.asarray(pairs.reshape(height, width) * np.uint8(LEVEL), np.uint8)


def pack_image(pixels: NDArray[np.uint8]) -> bytes:
    """Return two pixels a byte, 4 bits each."""
    levels = pixels.ravel() >> 4
    return bytes(levels[0::2] << 4 | levels[1::2])


def _text(field: bytes) -> str:
    kept = field.split(b"\0")[0].decode("ascii", "replace")
    return "".join(sign for sign in kept if sign.isprintable() and sign.isascii()).strip()
