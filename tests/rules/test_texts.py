"""Everything a person reads stands in both languages, once, and every place has its words."""

import json
import re
import unicodedata
from importlib import import_module
from pathlib import Path

import pytest

from biometrics.finger.visit import DecisionKind, Outcome
from biometrics.words import Words
from kiosk.booth import CAMERA, READER
from kiosk.life import VisitEvent
from kiosk.officers import NotIn
from server.web import shell

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path
    for package in ("kiosk", "biometrics", "server")
    for path in (ROOT / package).rglob("*.json")
    if path.parent.name == "texts" or path.name == "hints.json"
)
PLACES = re.compile(r"\{([a-z_]*)\}")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_table_of_texts_is_whole_composed_and_fills_alike(path: Path) -> None:
    words = Words(path)
    keys = list(words)
    assert keys
    for key in keys:
        text = words[key]
        for said in (text.vi, text.en):
            assert said == unicodedata.normalize("NFC", said), key
            assert said == said.strip(), key
        assert sorted(PLACES.findall(text.vi)) == sorted(PLACES.findall(text.en)), key


def test_no_key_is_said_twice_on_the_server() -> None:
    assert len(list(shell.words())) > 100


@pytest.mark.parametrize("package", ["server", "kiosk"])
def test_every_key_a_template_names_has_words(package: str) -> None:
    named: set[str] = set()
    for path in (ROOT / package).rglob("*.html"):
        named |= set(re.findall(r"\bt\(\s*'([a-z0-9_.-]+)'\s*[,)]", path.read_text("utf-8")))
    known = {
        key
        for path in FILES
        if path.is_relative_to(ROOT / package)
        for key in json.loads(path.read_text(encoding="utf-8"))
    }
    assert named
    assert sorted(named - known) == []


@pytest.mark.parametrize(
    ("package", "prefix", "enum"),
    [
        ("biometrics.face.hints", "portrait", "PortraitHint"),
        ("biometrics.finger.hints", "finger", "FingerHint"),
    ],
)
def test_every_hint_has_words(package: str, prefix: str, enum: str) -> None:
    module = import_module(package)
    assert {f"{prefix}.{hint.value}" for hint in getattr(module, enum)} <= set(module.words())


def _noted() -> set[str]:
    """Every event that a kiosk may write into a visit's journal."""
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "kiosk").glob("*.py"))
    plain = set(re.findall(r'note\(\s*"([a-z_]+)"', sources))
    fingers = {f"finger_{what}" for what in (*Outcome, *DecisionKind)}
    pins = {f"officer_{why}" for why in NotIn}
    devices = {f"{device}_{what}" for device in (CAMERA, READER) for what in ("lost", "back")}
    return plain | fingers | pins | devices | {event.value for event in VisitEvent} | {"officer"}


def test_every_line_of_a_visits_journal_has_words_for_the_officer() -> None:
    assert {"portrait_taken", "finger_missing"} <= _noted()
    assert sorted(e for e in _noted() if f"officer.step.{e}" not in shell.words()) == []
