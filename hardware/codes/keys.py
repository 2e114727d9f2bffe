"""From a keyboard's events to the texts of codes: how a scanner types. It does no I/O.

It knows the keys of the American layout, in which scanners leave the factory; letters that it
has no key for (a name's accents) are left out, a card's number and date are not touched by that.
"""

import struct
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from hardware.codes.lines import LONGEST, text_of

EVENT: Final = struct.Struct("@llHHi")
"""``struct input_event`` of linux/input.h: two longs of time, type, code, value."""
SYN, KEY = 0, 1
DROPPED: Final = 3
"""Of type SYN: the kernel's buffer ran over, what was typed meanwhile is lost."""
_DOWN: Final = 1
_ENTER: Final = frozenset({28, 96})
_SHIFT: Final = frozenset({42, 54})
_CAPS: Final = 58
_OTHER: Final = frozenset({29, 56, 97, 100, 125, 126})
"""Control, Alt and the system's keys: what is typed with them held is a command, not a sign."""
_ROWS: Final = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (71, "789-456+1230.", "789-456+1230."),
    (55, "*", "*"),
    (57, " ", " "),
    (98, "/", "/"),
)
"""First key's number (linux/input-event-codes.h), signs without and with Shift."""
KEYS: Final = MappingProxyType(
    {
        first + place: (low, high)
        for first, plain, shifted in _ROWS
        for place, (low, high) in enumerate(zip(plain, shifted, strict=True))
    }
)


class Typed:
    """Takes in events and yields the texts that Enter ended."""

    def __init__(self) -> None:
        self._rest = b""
        self._signs: list[str] = []
        self._held: set[int] = set()
        self._capitals = False
        self._spoilt = False

    @property
    def pending(self) -> bool:
        """Return whether a text has begun and not ended."""
        return bool(self._signs) or self._spoilt

    def receive(self, data: bytes) -> Iterator[str]:
        """Yield the texts that end in `data`, which may be cut anywhere."""
        self._rest += data
        whole = len(self._rest) // EVENT.size * EVENT.size
        events, self._rest = self._rest[:whole], self._rest[whole:]
        for _, _, kind, code, value in EVENT.iter_unpack(events):
            if kind == SYN and code == DROPPED:
                self._signs.clear()
                self._held.clear()
                self._spoilt = True
            elif kind == KEY:
                text = self._key(code, value)
                if text is not None:
                    yield text

    def end(self) -> str | None:
        """End the text here, as a scanner that types no Enter does by falling silent."""
        signs = "" if self._spoilt else "".join(self._signs)
        self._signs.clear()
        self._spoilt = False
        return text_of(signs.encode())

    def forget(self) -> None:
        """Drop what has begun, and which keys are held."""
        self._rest = b""
        self._signs.clear()
        self._held.clear()
        self._capitals = self._spoilt = False

    def _key(self, code: int, value: int) -> str | None:
        if code in _SHIFT | _OTHER:
            (self._held.add if value else self._held.discard)(code)
        elif value != _DOWN:
            return None
        elif code in _ENTER:
            return self.end()
        elif code == _CAPS:
            self._capitals = not self._capitals
        elif code in KEYS and not self._held & _OTHER:
            self._type(*KEYS[code])
        return None

    def _type(self, low: str, high: str) -> None:
        shifted = bool(self._held & _SHIFT) != (self._capitals and low.isalpha())
        self._signs.append(high if shifted else low)
        if len(self._signs) > LONGEST:
            self._signs.clear()
            self._spoilt = True
