"""A sheet of thermal paper that is written from top to bottom: words, lines, boxes, QR codes.

It knows no receipt (see `paper`) and no printer.
"""

import bisect
from functools import cache
from typing import Final, Literal

import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFont

from biometrics.carried import locate
from hardware.printer.port import Dots

Weight = Literal["Regular", "Medium", "SemiBold", "Bold", "ExtraBold"]
Align = Literal["left", "centre"]
MARGIN: Final = 20
"""Dots left and right: 2.5 mm, what the paper may wander."""
_LONGEST: Final = 4000
"""Dots down that a sheet may have, half a metre."""
_BLACK, _WHITE = 0, 255
_THRESHOLD: Final = 150
"""Grey under which a dot is burnt: paper has no grey, and thin strokes must not break."""
_LEADING: Final = 1.3
"""Lines apart, in sizes of the letters: room for two marks above a vowel and one below."""
_QUIET: Final = 4
"""Modules of white around a QR code (ISO/IEC 18004)."""


class Sheet:
    """Paper of a width in dots; everything is put below what was put before."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.down = MARGIN
        self._image = Image.new("L", (width, _LONGEST), _WHITE)
        self._draw = ImageDraw.Draw(self._image)

    def dots(self) -> Dots:
        """Return what was written, rows x columns, True is black."""
        written = np.asarray(self._image)[: min(self.down + MARGIN, _LONGEST)]
        return np.asarray(written < _THRESHOLD)

    def skip(self, dots: int) -> None:
        """Leave so much white."""
        self.down += dots

    def words(
        self,
        text: str,
        size: int,
        weight: Weight = "Medium",
        *,
        align: Align = "left",
        left: int = MARGIN,
        right: int | None = None,
    ) -> None:
        """Write text, in as many lines as it takes between `left` and `right`."""
        font = _font(weight, size)
        end = self.width - MARGIN if right is None else right
        lines = _lines(text, font, end - left)
        if align == "centre":
            lines = _balanced(lines, text, font)
        for line in lines:
            x = left
            if align == "centre":
                x += max(0, round((end - left - font.getlength(line)) / 2))
            self._draw.text((x, self.down), line, font=font, fill=_BLACK, anchor="la")
            self.down += round(size * _LEADING)

    def fitting(self, text: str, size: int, weight: Weight = "ExtraBold") -> None:
        """Write one line in the middle, as large as fits, `size` at most."""
        room = self.width - 4 * MARGIN
        while size > 1 and _font(weight, size).getlength(text) > room:
            size -= 1
        self.words(text, size, weight, align="centre")

    def pair(self, label: str, value: str, size: int) -> None:
        """Write a label at the left and its value, strong, at the right or below it."""
        plain, strong = _font("Medium", size), _font("Bold", size)
        room = self.width - 2 * MARGIN
        if plain.getlength(label) + strong.getlength(value) + size > room:
            self.words(label, size)
            self.words(value, size, "Bold")
            return
        self._draw.text((MARGIN, self.down), label, font=plain, fill=_BLACK, anchor="la")
        place = (self.width - MARGIN, self.down)
        self._draw.text(place, value, font=strong, fill=_BLACK, anchor="ra")
        self.down += round(size * _LEADING)

    def numbered(self, number: int, text: str, size: int) -> None:
        """Write one step of several, its number white in a black disc."""
        across = round(size * 1.35)
        top = self.down + round(size * 0.02)
        self._draw.ellipse((MARGIN, top, MARGIN + across, top + across), fill=_BLACK)
        self._draw.text(
            (MARGIN + across / 2, top + across / 2),
            str(number),
            font=_font("Bold", round(size * 0.85)),
            fill=_WHITE,
            anchor="mm",
        )
        self.words(text, size, left=MARGIN + across + round(size * 0.6))
        self.down += round(size * 0.3)

    def rule(self, *, dashed: bool = False) -> None:
        """Draw a line across."""
        if not dashed:
            self._draw.rectangle(
                (MARGIN, self.down, self.width - MARGIN, self.down + 2), fill=_BLACK
            )
        for x in range(MARGIN, self.width - MARGIN - 8, 16) if dashed else ():
            self._draw.rectangle((x, self.down, x + 8, self.down + 1), fill=_BLACK)
        self.down += 3

    def band(self, text: str, size: int) -> None:
        """Write white on black across the whole paper."""
        height = round(size * 1.9)
        self._draw.rectangle((0, self.down, self.width, self.down + height), fill=_BLACK)
        font = _font("Bold", size)
        while size > 1 and font.getlength(text) > self.width - 2 * MARGIN:
            size -= 1
            font = _font("Bold", size)
        place = (self.width / 2, self.down + height / 2)
        self._draw.text(place, text, font=font, fill=_WHITE, anchor="mm")
        self.down += height

    def boxed(self, label: str, text: str, size: int) -> None:
        """Write a label and one large line in a box with round corners."""
        top = self.down
        self.skip(round(size * 0.35))
        self.words(label, round(size * 0.44), "SemiBold", align="centre")
        self.fitting(text, size)
        self.skip(round(size * 0.2))
        box = (MARGIN, top, self.width - MARGIN, self.down)
        self._draw.rounded_rectangle(box, radius=18, outline=_BLACK, width=4)

    def mark(self, size: int) -> None:
        """Draw the project's mark in the middle."""
        unit = size / 32
        x, y = (self.width - size) / 2, float(self.down)

        def at(*places: float) -> list[float]:
            return [
                place * unit + (x if index % 2 == 0 else y) for index, place in enumerate(places)
            ]

        draw, line = self._draw, max(2, round(2 * unit))
        draw.rounded_rectangle(at(0, 0, 32, 32), radius=7 * unit, fill=_BLACK)
        draw.rounded_rectangle(at(5, 8, 27, 24), radius=2.5 * unit, outline=_WHITE, width=line)
        draw.ellipse(at(9.1, 11.6, 13.9, 16.4), fill=_WHITE)
        draw.pieslice(at(7.8, 17.1, 15.2, 23.7), 180, 360, fill=_WHITE)
        for top, right in ((13.5, 24.0), (17.0, 24.0), (20.4, 21.5)):
            draw.line(at(18, top, right, top), fill=_WHITE, width=line)
        self.down += size

    def code(self, text: str, across: int, beside: tuple[str, str], size: int) -> None:
        """Draw a QR code of about `across` dots at the left, a title and a text beside it."""
        matrix = np.array([list(row) for row in segno.make(text, error="m").matrix], np.bool_)
        modules = len(matrix) + 2 * _QUIET
        module = max(3, across // modules)
        large = np.kron(np.pad(matrix, _QUIET), np.ones((module, module), np.bool_))
        top, left = self.down, MARGIN - _QUIET * module // 2
        picture = Image.fromarray(np.where(large, np.uint8(_BLACK), np.uint8(_WHITE)))
        self._image.paste(picture, (max(0, left), top))
        end = top + len(large)
        column = max(0, left) + len(large) + MARGIN // 2
        self.down = top + _QUIET * module
        self.words(beside[0], size, "Bold", left=column)
        self.skip(size // 3)
        self.words(beside[1], size, left=column)
        self.down = max(self.down, end)


@cache
def _font(weight: Weight, size: int) -> ImageFont.FreeTypeFont:
    path = locate(
        "fontpkg-be-vietnam-pro", f"fontpkg_be_vietnam_pro/files/BeVietnamPro-{weight}.ttf"
    )
    # The basic layout needs no library of the system's; Vietnamese is composed letters to it.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def _lines(text: str, font: ImageFont.FreeTypeFont, room: float) -> list[str]:
    """Return `text` in lines that fit; a word longer than a line is broken."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        rest = word
        while True:
            longer = f"{line} {rest}" if line else rest
            if font.getlength(longer) <= room:
                line = longer
                break
            if line:
                lines.append(line)
                line = ""
                continue
            cut = _that_fits(rest, font, room)
            lines.append(rest[:cut])
            rest = rest[cut:]
    return [*lines, line] if line else lines


def _balanced(lines: list[str], text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """Return as many lines, as alike in length as they can be: no word alone in the middle."""
    room = max((font.getlength(line) for line in lines), default=0)
    while len(lines) > 1:
        room -= font.size / 2
        narrower = _lines(text, font, room)
        if len(narrower) > len(lines) or room < font.size:
            break
        lines = narrower
    return lines


def _that_fits(word: str, font: ImageFont.FreeTypeFont, room: float) -> int:
    """Return how many letters of a word too long for a line fit on one; one at least."""
    lengths = range(2, len(word))
    return 1 + bisect.bisect_right(lengths, room, key=lambda cut: font.getlength(word[:cut]))
