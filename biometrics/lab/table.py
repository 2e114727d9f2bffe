"""A table of figures, as terminal, Markdown and page all show it.

It chooses no content and knows no markup.
"""

from dataclasses import dataclass

from biometrics.lab.figures import Share
from biometrics.words import Text

Cell = str | int | float | Share | Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows below a line of headings; `note` stands under them."""

    title: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: Text | None = None
