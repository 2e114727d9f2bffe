"""Every sentence the kiosk shows, from its own files and from those who judge pixels."""

from functools import cache
from importlib.resources import files

from biometrics.face import hints as portrait
from biometrics.face import liveness
from biometrics.finger import hints as finger
from biometrics.words import Text, Words
from kiosk.protocol import BothLanguages

FILES = ("kiosk.json", "coach.json", "officer.json", "rehearsal.json")


@cache
def words() -> Words:
    """Return the kiosk's own sentences."""
    return Words(*(files("kiosk").joinpath("texts", name) for name in FILES))


def portrait_words() -> Words:
    """Return what the judge of portraits says, keyed ``portrait.<hint>``."""
    return portrait.words()


def liveness_words() -> Words:
    """Return what a sitter is asked to do after the portrait, keyed ``liveness.<action>``."""
    return liveness.words()


def finger_words() -> Words:
    """Return what the judge of impressions says, keyed ``finger.<hint>``."""
    return finger.words()


def text_of(both: BothLanguages) -> Text:
    """Return a sentence that came from the server."""
    return Text(vi=both.vi, en=both.en)
