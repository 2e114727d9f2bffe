"""Tables as one HTML file that needs nothing else: no script, no style sheet, no network.

It chooses no content; what is not markup is escaped by `markupsafe`.
"""

from importlib.resources import files
from typing import Final

from markupsafe import Markup

from biometrics.lab.figures import Share
from biometrics.lab.table import Cell, Table
from biometrics.lab.writing import shown
from biometrics.words import Text

_PAGE: Final = Markup("""<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{heading}</h1>
{body}
</main>
</body>
</html>
""")


def whole(title: Text, about: str, body: Markup) -> str:
    """Return the whole page; `about` stands behind its title."""
    style = files("biometrics.lab").joinpath("page.css").read_text(encoding="utf-8")
    return str(
        _PAGE.format(
            title=f"{title.vi} · {about}",
            style=Markup(style),  # noqa: S704 - our own file
            heading=both(title),
            body=body,
        )
    )


def both(text: Text) -> Markup:
    """Return a sentence in both languages."""
    return Markup('{} <span lang="en">{}</span>').format(text.vi, text.en)


def table_of(table: Table) -> Markup:
    """Return a table, which scrolls by itself where it is too wide."""
    heads = Markup("").join(
        Markup('<th scope="col">{}</th>').format(_head(text)) for text in table.columns
    )
    rows = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(map(_cell, row))) for row in table.rows
    )
    note = Markup("")
    if table.note:
        note = Markup('<p class="note both">{}</p>').format(both(table.note))
    return Markup(
        '<h2>{}</h2><div class="wide" tabindex="0" role="region" aria-label="{}">'
        "<table><thead><tr>{}</tr></thead>"
        "<tbody>{}</tbody></table></div>{}"
    ).format(both(table.title), table.title.vi, heads, rows, note)


def _head(text: Text) -> Markup:
    return both(text) if text.vi != text.en else Markup("{}").format(text.vi)


def _cell(cell: Cell) -> Markup:
    if isinstance(cell, Text):
        return Markup('<td class="both">{}</td>').format(_head(cell))
    kind = ' class="number"' if isinstance(cell, Share | int | float) else ""
    return Markup("<td{}>{}</td>").format(Markup(kind), shown(cell, "vi"))  # noqa: S704 - ours
