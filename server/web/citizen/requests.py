"""A form that is sent twice is answered once: each carries a key of its own.

It remembers nothing: `scheduler.requests` does.
"""

import hashlib
import secrets
from uuid import UUID

from flask import request

FIELD = "request"
LONGEST = 64


def new() -> str:
    """Return the key of a form that is about to be shown."""
    return secrets.token_hex(16)


def key(dossier: UUID) -> bytes | None:
    """Return the digest of the form's key, apart for each dossier; None: it has none."""
    said = request.form.get(FIELD, "")[:LONGEST]
    if not said:
        return None
    return hashlib.sha256(dossier.bytes + said.encode()).digest()
