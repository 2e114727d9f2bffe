"""What is broken in a device. What a person can mend is a value (`NoFinger`), never one of these.

Broken
 +-- Unplugged   the device went away (USB pulled, port closed)
 +-- Silent      no answer within the command's deadline
 +-- Garbled     an answer that breaks the protocol (checksum, address, length, header)
 +-- Refused     the device understood and said no (its code stands in `code`)
"""


class Broken(Exception):
    """A device does not do its work; the message says which device and what to try."""


class Unplugged(Broken):
    """The device went away."""


class Silent(Broken):
    """The device did not answer within the command's deadline."""


class Garbled(Broken):
    """The device answered something that is not its protocol."""


class Refused(Broken):
    """The device understood and said no."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
