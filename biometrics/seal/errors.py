"""What can be wrong with keys and packets.

    SealError
    ├── KeysInvalid            files or bytes that are not keys, or a file that others may read
    ├── ContentRefused         more plaintext than a packet may hold, or none
    └── PacketRefused
        ├── PacketForeign      does not begin as a CCAP1 packet
        ├── PacketTruncated    shorter or longer than its own header says
        ├── HeaderInvalid      the header is not canonical, or a field is missing, unknown or wrong
        ├── DeviceWrong        the header names another device than the one whose key is used
        ├── SignatureWrong     the device did not sign these bytes
        ├── KeysWrong          sealed to other keys
        ├── ContextWrong       sealed for another dossier, appointment, visit, ...
        ├── SealBroken         a wrapped key or a chunk was altered, moved, dropped or added
        └── ContentInvalid     it opens, but holds no capture, or one that contradicts its header

They are told apart so that a journal can say what happened; none of them can be mended by
whoever sent the packet.
"""


class SealError(Exception):
    """The root."""


class KeysInvalid(SealError):
    """Files or bytes that are not keys, or a private key that others may read."""


class ContentRefused(SealError):
    """Nothing to seal, or more than a packet may hold."""


class PacketRefused(SealError):
    """The bytes are not a packet that may be believed."""


class PacketForeign(PacketRefused):
    """Does not begin as a CCAP1 packet."""


class PacketTruncated(PacketRefused):
    """Shorter or longer than its own header says."""


class HeaderInvalid(PacketRefused):
    """The header is not canonical, or a field is missing, unknown or wrong."""


class DeviceWrong(PacketRefused):
    """The header names another device than the one whose key is used."""


class SignatureWrong(PacketRefused):
    """The device did not sign these bytes."""


class KeysWrong(PacketRefused):
    """Sealed to other keys than these."""


class ContextWrong(PacketRefused):
    """Sealed for another dossier, appointment, visit, station or device than expected."""


class SealBroken(PacketRefused):
    """A wrapped key or a chunk was altered, moved, dropped or added."""


class ContentInvalid(PacketRefused):
    """It opens, but holds no capture, or one that contradicts the header."""
