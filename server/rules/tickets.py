"""A ticket: 60 secret bits that point to an appointment, readable aloud and checked when typed.

It proves nothing about a person and is never stored, only its digest.
"""

import hashlib
import hmac
import itertools
from uuid import UUID

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""
CHECKS = ALPHABET + "*~$=U"
"""Crockford's check symbols: the number modulo 37."""
LENGTH = 12
GROUP = 4
LONGEST = 64
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_DASHES = dict.fromkeys(map(ord, "-\u2010\u2011\u2012\u2013\u2014\u2212 \t\r\n"))


class TicketInvalid(ValueError):
    """The text is no ticket: wrong length, a foreign character or a wrong check character."""


def _check(body: str) -> str:
    number = 0
    for character in body:
        number = (number * len(ALPHABET) + ALPHABET.index(character)) % len(CHECKS)
    return CHECKS[number]


def derive(secret: bytes, appointment: UUID) -> str:
    """Return the ticket of `appointment`, 13 characters without dashes."""
    text = b"ticket:" + appointment.bytes
    for attempt in itertools.count():
        mac = hmac.new(secret, text + bytes([attempt]), hashlib.sha256).digest()
        number = int.from_bytes(mac[:8], "big") >> 4
        body = "".join(ALPHABET[number >> 5 * place & 31] for place in range(LENGTH))
        # The five check symbols (* ~ $ = U) are hard to say on the telephone.
        if _check(body) in ALPHABET:
            return body + _check(body)
    raise AssertionError("unreachable: 32 of 37 attempts succeed")


def parse(text: str) -> str:
    """Return the 13 characters of a ticket as somebody typed it, read it aloud or scanned it.

    Raises:
        TicketInvalid: it is none.
    """
    if len(text) > LONGEST:
        raise TicketInvalid("too long")
    plain = text.translate(_DASHES).upper().removeprefix("THUNHAN:1:")
    body, check = plain[:LENGTH].translate(_READ_AS), plain[LENGTH:].translate(_READ_AS)
    if len(body) != LENGTH or len(check) != 1:
        raise TicketInvalid("not 12 characters and a check character")
    if not set(body) <= set(ALPHABET):
        raise TicketInvalid("a character that tickets do not have")
    if _check(body) != check:
        raise TicketInvalid("the check character does not fit")
    return body + check


def show(ticket: str) -> str:
    """Return ``XXXX-XXXX-XXXX-C``."""
    return "-".join(ticket[start : start + GROUP] for start in range(0, len(ticket), GROUP))


def digest(ticket: str) -> bytes:
    """Return what is stored of a ticket: SHA-256 of its 13 characters."""
    return hashlib.sha256(ticket.encode()).digest()
