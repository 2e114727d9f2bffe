"""The key under which one person is known in bookings, so that tables need not hold the number.

It checks no number: that is `server.rules.numbers`.
"""

import hashlib
import hmac


def person_key(secret: bytes, personal_number: str) -> bytes:
    """Return 32 bytes that are the same for the same number and tell nobody the number."""
    return hmac.new(secret, b"person:" + personal_number.encode(), hashlib.sha256).digest()
