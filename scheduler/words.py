"""Words as people type them: without accents and case, so that they are found however typed.

It knows no list and no place.
"""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=8192)  # the names of the nation's places, which are asked for again and again
def fold(text: str) -> str:
    """Return `text` without accents and case: "Hòa", "Hoà" and "hoa" are found alike."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    kept = (c for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())
