"""The order of Vietnamese names as officers look for them: by the last word, then from the front.

It compares for sorting only; whether two names are the same is `server.rules.fields.same_name`.
"""

import unicodedata
from typing import Final

Key = tuple[tuple[int, ...], ...]

LETTERS: Final = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
"""The Vietnamese alphabet, with f j w z of foreign names in their places."""
TONES: Final = "\u0300\u0309\u0303\u0301\u0323"
"""huyền, hỏi, ngã, sắc, nặng; no mark comes before all of them (dictionary order)."""
_RANK: Final = {letter: place for place, letter in enumerate(LETTERS, start=1)}


def _word(word: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ranks of the letters, and the tone, which decides where the letters agree.

    A syllable has one tone, and people write it on different letters: "Hòa", "Hoà".
    """
    letters, tone = [], 0
    for character in unicodedata.normalize("NFC", word.casefold()):
        apart = unicodedata.normalize("NFD", character)
        mark = next((mark for mark in apart if mark in TONES), "")
        base = unicodedata.normalize("NFC", apart.replace(mark, "") if mark else apart)
        letters.append(_RANK.get(base, len(LETTERS) + ord(base[0])))
        tone = max(tone, TONES.index(mark) + 1 if mark else 0)
    return tuple(letters), (tone,)


def by_given_name(name: str) -> Key:
    """Return a sort key: the given name (last word) first, then family and middle names."""
    words = name.split()
    if not words:
        return ()
    ordered = [words[-1], *words[:-1]]
    return tuple(part for word in ordered for part in _word(word))
