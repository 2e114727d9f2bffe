"""The hash chain that ties each record to all that the same device gave before it.

It hashes and compares; where the records come from it does not ask. SHA-256 over bytes, as real
devices do it: the specification's words would also allow texts, which match nobody's hashes.
"""

import hashlib
import re
from typing import Final

FIRST: Final = ""
"""`previousHash` of the first capture."""
_HASH: Final = re.compile(r"[0-9A-Fa-f]{64}")


class HashInvalid(ValueError):
    """A text is no hash of the chain: neither empty nor 64 hexadecimal digits."""


def follow(previous: str, record: bytes) -> str:
    """Return the hash of `record` that follows `previous`, 64 upper-case hexadecimal digits.

    Raises:
        HashInvalid: `previous` is none.
    """
    if previous and _HASH.fullmatch(previous) is None:
        raise HashInvalid("a hash has 64 hexadecimal digits")
    before = bytes.fromhex(previous) if previous else hashlib.sha256(b"").digest()
    return hashlib.sha256(before + hashlib.sha256(record).digest()).hexdigest().upper()
