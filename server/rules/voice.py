"""The words a call is put together of, by the name of the clip that says them.

It plays nothing: `server.web.display.voice` joins the clips.
"""

from collections.abc import Mapping

from biometrics.words import LANGUAGES
from server.rules import texts

FOLDER = "voice"
"""Under the installation's data."""
PREFIX = "hall.voice."


def digit(figure: str) -> str:
    """Return the clip of one figure."""
    return f"digit_{figure}"


def to(kind: str) -> str:
    """Return the clip that leads to a kiosk or a counter."""
    return f"to_{kind}"


def clips() -> Mapping[str, Mapping[str, str]]:
    """Return what every clip says, by name and language."""
    words = texts.words()
    return {
        key.removeprefix(PREFIX): {language: words.say(key, language) for language in LANGUAGES}
        for key in words
        if key.startswith(PREFIX)
    }
