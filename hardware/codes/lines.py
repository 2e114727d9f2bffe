"""From a scanner's bytes to the texts of codes: ends of lines, limits, junk. It does no I/O."""

import re
import unicodedata
from typing import Final

LONGEST: Final = 2048
"""Bytes of one code that are kept: a card's QR has under 300, the largest QR under 3000."""
_ENDS: Final = re.compile(rb"[\r\n\x03\x04]+")
"""Scanners end a code by CR, LF or both, some by ETX or EOT."""
_SYMBOLOGY: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
"""AIM's identifier of the kind of code (ISO/IEC 15424), which scanners can put before the text."""
_SYMBOLOGY_LENGTH: Final = 3


class Lines:
    """Cuts a stream of bytes into texts. What is too long is dropped whole, up to its end."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._pending = bytearray()
        self._too_long = False

    @property
    def pending(self) -> bool:
        """Return whether a text has begun and not ended."""
        return bool(self._pending) or self._too_long

    def receive(self, data: bytes) -> list[str]:
        """Return the texts that end in `data`, in their order."""
        *ended, rest = _ENDS.split(data)
        texts = []
        for part in ended:
            self._add(part)
            text = self.end()
            if text is not None:
                texts.append(text)
        self._add(rest)
        return texts

    def end(self) -> str | None:
        """End the text here, as a scanner that sends no end does by falling silent."""
        whole = b"" if self._too_long else bytes(self._pending)
        self.forget()
        return text_of(whole)

    def forget(self) -> None:
        """Drop what has begun."""
        self._pending.clear()
        self._too_long = False

    def _add(self, part: bytes) -> None:
        if len(self._pending) + len(part) > self._longest:
            self._too_long = True
            self._pending.clear()
        if not self._too_long:
            self._pending += part


def text_of(data: bytes) -> str | None:
    """Return the text of a code, None where nothing is left that can be read.

    Bytes that are no UTF-8 are replaced, not refused: a scanner set to another character set
    spoils the name on a card, but not the number.
    """
    text = data.decode("utf-8", "replace")
    kept = "".join(sign for sign in text if unicodedata.category(sign)[0] != "C")
    if _SYMBOLOGY.match(kept):
        kept = kept[_SYMBOLOGY_LENGTH:]
    return kept.strip() or None
