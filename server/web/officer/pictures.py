"""Pictures of an opened capture as addresses that hold them: nothing is kept to be fetched.

It decodes none of them.
"""

import base64
from typing import Final

KINDS: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""What a page may show, by its first bytes; anything else is said to be unreadable."""


def uri(image: bytes | None) -> str | None:
    """Return the picture as an address that holds it, or None where it is no JPEG or PNG."""
    for start, kind in KINDS.items():
        if image is not None and image.startswith(start):
            return f"data:{kind};base64,{base64.b64encode(image).decode()}"
    return None
