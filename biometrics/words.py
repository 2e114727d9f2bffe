"""Tables of what people read, Vietnamese first with English beside, one JSON file a subject.

It holds no sentences itself and formats no dates or numbers.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from types import MappingProxyType

LANGUAGES = ("vi", "en")


class WordsMissing(LookupError):
    """A key without text in one of the languages: a mistake in the tree, found by a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One sentence in both languages."""

    vi: str
    en: str

    def in_(self, language: str) -> str:
        """Return the English for ``en`` and the Vietnamese for anything else."""
        return self.en if language == "en" else self.vi

    def fill(self, **values: object) -> "Text":
        """Return the text with ``{name}`` places filled in."""
        return Text(vi=self.vi.format(**values), en=self.en.format(**values))


class Words:
    """Texts by key, read once from JSON files of the form ``{key: {"vi": ..., "en": ...}}``."""

    def __init__(self, *files: Traversable) -> None:
        table: dict[str, Text] = {}
        for file in files:
            for key, entry in json.loads(file.read_text(encoding="utf-8")).items():
                if key in table:
                    raise WordsMissing(f"{file.name}: {key} is said twice")
                if set(entry) != set(LANGUAGES) or not all(entry.values()):
                    raise WordsMissing(f"{file.name}: {key} needs vi and en")
                table[key] = Text(vi=entry["vi"], en=entry["en"])
        self._table: Mapping[str, Text] = MappingProxyType(table)

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __getitem__(self, key: str) -> Text:
        try:
            return self._table[key]
        except KeyError:
            raise WordsMissing(key) from None

    def say(self, key: str, language: str, **values: object) -> str:
        """Return the sentence under ``key``, with ``{name}`` places filled in.

        Raises:
            WordsMissing: no such key.
        """
        text = self[key].in_(language)
        return text.format(**values) if values else text
