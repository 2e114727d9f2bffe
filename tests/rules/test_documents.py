"""The documents say what the code says."""

from pathlib import Path

from tests import diagrams

ROOT = Path(__file__).resolve().parents[2]


def test_the_pictures_of_the_lives_are_drawn_from_the_tables() -> None:
    assert (ROOT / "docs/lives.md").read_text(encoding="utf-8") == diagrams.draw()
