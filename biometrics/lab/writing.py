"""Tables as text for a terminal and as Markdown for a document.

It chooses no content. What came out of files is shown, never obeyed: control characters are
spelled out.
"""

from collections.abc import Iterator

from biometrics.lab.figures import Share
from biometrics.lab.table import Cell, Table
from biometrics.words import Text


def percent(share: Share) -> str:
    """Return a share as ``9/9 100 % (70-100)``."""
    if share.value is None:
        return "-"
    low, high = share.interval
    return f"{share.count}/{share.of} {100 * share.value:.1f} % ({100 * low:.0f}-{100 * high:.0f})"


def shown(cell: Cell, language: str) -> str:
    """Return a cell as one line of printable text."""
    if cell is None:
        return "-"
    if isinstance(cell, Share):
        return percent(cell)
    if isinstance(cell, float):
        return f"{cell:.3g}"
    if isinstance(cell, Text):
        cell = cell.in_(language)
    return harmless(str(cell))


def harmless(text: str) -> str:
    """Return the text with everything a terminal could obey spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def as_text(table: Table, language: str) -> Iterator[str]:
    """Yield the lines of a table with columns of even width."""
    heads = [column.in_(language) for column in table.columns]
    rows = [[shown(cell, language) for cell in row] for row in table.rows]
    widths = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads))]
    yield ""
    yield f"== {harmless(table.title.in_(language))}"
    for row in [heads, *rows]:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()
    if table.note:
        yield harmless(table.note.in_(language))


def as_markdown(table: Table, language: str) -> Iterator[str]:
    """Yield the lines of a table ready to be pasted."""
    heads = [_cell(column.in_(language)) for column in table.columns]
    yield ""
    yield f"### {_cell(table.title.in_(language))}"
    yield ""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in table.rows:
        yield f"| {' | '.join(_cell(shown(cell, language)) for cell in row)} |"
    if table.note:
        yield ""
        yield _cell(table.note.in_(language))


def _cell(text: str) -> str:
    for sign in "\\|<>`*[]":
        text = text.replace(sign, f"\\{sign}")
    return harmless(text)
