"""Every sentence the server says to anybody, by key, in both languages.

It chooses no language and fills in no values.
"""

from functools import cache
from importlib.resources import as_file, files

from biometrics.words import Words


@cache
def words() -> Words:
    """Return every sentence of the server's pages and messages."""
    with as_file(files("server") / "texts") as folder:
        return Words(*sorted(folder.glob("*.json")))
