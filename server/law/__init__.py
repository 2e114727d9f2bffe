"""The law as data: dated tables with the source of each row. It decides nothing.

Marks in ``source``: [S1]... a source seen, [M] from memory and to be verified, [D] derived by us.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read(name: str) -> Any:  # noqa: ANN401 - whatever the table holds; its rules give it types
    """Return the table ``<name>.json``."""
    return json.loads((files(__name__) / f"{name}.json").read_text(encoding="utf-8"))
