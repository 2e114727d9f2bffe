"""The drawings beside the instructions, as symbols of one page: to change one asks for no file.

It draws nothing; the drawings lie with the judges of portraits.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Final

from markupsafe import Markup

_OUTER: Final = re.compile(r"<svg ([^>]*)>(.*)</svg>\s*", re.DOTALL)
_INK: Final = re.compile(r' (?:fill|stroke[a-z-]*|viewBox)="[^"]*"')
_TOLD: Final = re.compile(r"\s*<(title|desc)>.*?</\1>", re.DOTALL)


@cache
def drawings() -> Markup:
    """Return a ``<symbol id="d-...">`` for each drawing; the instruction itself is read out."""
    folder = files("biometrics.face").joinpath("drawings")
    symbols = []
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        name = file.name.removesuffix(".svg")
        outer = _OUTER.fullmatch(file.read_text(encoding="utf-8"))
        if name == file.name or outer is None:
            continue
        ink = "".join(_INK.findall(" " + outer[1]))
        symbols.append(f'<symbol id="d-{name}"{ink}>{_TOLD.sub("", outer[2]).strip()}</symbol>')
    return Markup("".join(symbols))  # noqa: S704 - our own files
