"""Reads codes before the camera, and tells a ticket from an identity card from anything else.

It asks no server whether they are good; a code points to an appointment and proves nobody.
"""

import enum
import re
from datetime import date
from typing import Final

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from kiosk.protocol import SCHEME, CardClaim, CheckIn

LONGEST: Final = 2000
"""Characters of a code that is looked at."""
FEWEST_FIELDS: Final = 6
"""Cards of 2021 have seven, some readers drop the last, newer ones add more."""
TICKET: Final = re.compile(r"[0-9A-Z]{12}[0-9A-Z*~$=]")
"""A ticket's shape; whether its check character fits is the server's to say."""
_DASHES: Final = dict.fromkeys(map(ord, "-\u2010\u2011\u2012\u2013\u2014\u2212 \t\r\n"))
_EIGHT: Final = 8


class Unread(enum.StrEnum):
    """Why a code is no way in; what a person can mend, so a value."""

    FOREIGN = "foreign"
    CARD_BROKEN = "card_broken"
    TICKET_BROKEN = "ticket_broken"


def look(pixels: NDArray[np.uint8]) -> str | None:
    """Return the text of the first QR code in a frame, height x width x 3; None for none."""
    found = zxingcpp.read_barcodes(
        pixels, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    )
    for code in found:
        if code.valid and code.text.strip():
            return code.text
    return None


def ticket(text: str) -> str | Unread:
    """Return the 13 characters of a ticket as somebody typed or scanned it."""
    if len(text) > LONGEST:
        return Unread.TICKET_BROKEN
    plain = text.translate(_DASHES).upper().removeprefix(SCHEME)
    return plain if TICKET.fullmatch(plain) else Unread.TICKET_BROKEN


def understand(text: str) -> CheckIn | Unread:
    """Return how to check in with a code's text, or why it is no way in."""
    plain = text.strip()
    if len(plain) > LONGEST:
        return Unread.FOREIGN
    if plain.upper().startswith(SCHEME):
        code = ticket(plain)
        return code if isinstance(code, Unread) else CheckIn(ticket=code)
    if "|" in plain:
        return _card(plain)
    return Unread.FOREIGN


def _card(text: str) -> CheckIn | Unread:
    """Read ``number|old number|name|ddmmyyyy|sex|residence[|issued ...]``."""
    parts = [part.strip() for part in text.split("|")]
    number = parts[0]
    if len(parts) < FEWEST_FIELDS or not re.fullmatch(r"[0-9]{12}", number):
        return Unread.CARD_BROKEN
    born = _day(parts[3])
    if born is None:
        return Unread.CARD_BROKEN
    return CheckIn(card=CardClaim(personal_number=number, birth_date=born))


def _day(text: str) -> date | None:
    if not re.fullmatch(rf"[0-9]{{{_EIGHT}}}", text):
        return None
    try:
        return date(int(text[4:]), int(text[2:4]), int(text[:2]))
    except ValueError:
        return None
