"""DET and error-versus-discard curves as SVG that stands in a page by itself.

It computes nothing but coordinates; colours stand in the page's style sheet.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from biometrics.finger.lab.errors import LEVELS, Scores

_SIDE: Final = 320
_PAD: Final = 56
_LEAST: Final = 1e-4
"""Lowest rate on the axes of the DET curve."""
_MOST_POINTS: Final = 400
_SVG: Final = Markup(
    '<svg class="roc" viewBox="0 0 {size} {size}" role="img" aria-label="{label}">{body}</svg>'
)
_TICKS: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def det_curve(scores: Scores, label: str) -> Markup:
    """Return FNMR over FMR on logarithmic axes, with a dot at each of `errors.LEVELS`."""
    missed, taken = scores.rates
    kept = np.unique(np.linspace(0, len(taken) - 1, _MOST_POINTS).astype(int))
    # The corner matters most, where few thresholds lie.
    kept = np.unique(np.concatenate([kept, np.flatnonzero(taken < 10 * _LEAST)[:_MOST_POINTS]]))
    points = " ".join(f"{_log(taken[at]):.1f},{_flip(_log(missed[at])):.1f}" for at in kept)
    dots = Markup("").join(
        Markup('<circle class="limit" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(
            _log(level), _flip(_log(_missed_at(missed, taken, level)))
        )
        for _, level in LEVELS
    )
    axes = Markup("").join(
        Markup(
            '<path class="chance" d="M{x:.1f} {y1}V{y0}M{x0} {y:.1f}H{x1}"/>'
            '<text x="{x:.1f}" y="{foot}" text-anchor="middle">{said}</text>'
            '<text x="{side}" y="{y:.1f}" class="end">{said}</text>'
        ).format(
            x=_log(tick),
            y=_flip(_log(tick)),
            x0=_PAD,
            x1=_PAD + _SIDE,
            y0=_PAD + _SIDE,
            y1=_PAD,
            foot=_PAD + _SIDE + 16,
            side=_PAD - 6,
            said=_percent(tick),
        )
        for tick in _TICKS
    )
    body = Markup('{}<path class="axis" d="M{x0} {y1}V{y0}H{x1}"/>').format(
        axes, x0=_PAD, x1=_PAD + _SIDE, y0=_PAD + _SIDE, y1=_PAD
    ) + Markup('<polyline class="curve" points="{}"/>{}').format(points, dots)
    return _SVG.format(size=_SIDE + 2 * _PAD, label=label, body=body)


def discard_curve(points: Sequence[tuple[float, float]], label: str) -> Markup:
    """Return the FNMR of the mates that are left over the share left out."""
    tallest = max((missed for _, missed in points), default=0.0) or 1.0
    line = " ".join(
        f"{_PAD + _SIDE * 2 * left:.1f},{_PAD + _SIDE * (1 - missed / tallest):.1f}"
        for left, missed in points
    )
    body = Markup(
        '<path class="axis" d="M{x0} {y1}V{y0}H{x1}"/><polyline class="curve" points="{line}"/>'
        '<text x="{x0}" y="{foot}">0 %</text><text x="{x1}" y="{foot}" class="end">50 %</text>'
        '<text x="{side}" y="{y0}" class="end">0</text>'
        '<text x="{side}" y="{top}" class="end">{most}</text>'
    ).format(
        x0=_PAD,
        x1=_PAD + _SIDE,
        y0=_PAD + _SIDE,
        y1=_PAD,
        line=line,
        foot=_PAD + _SIDE + 16,
        side=_PAD - 6,
        top=_PAD + 8,
        most=_percent(tallest),
    )
    return _SVG.format(size=_SIDE + 2 * _PAD, label=label, body=body)


def _missed_at(missed: NDArray[np.float64], taken: NDArray[np.float64], level: float) -> float:
    return float(missed[np.argmax(taken <= level)])


def _log(rate: float) -> float:
    share = math.log10(max(float(rate), _LEAST) / _LEAST) / -math.log10(_LEAST)
    return _PAD + _SIDE * share


def _flip(place: float) -> float:
    return 2 * _PAD + _SIDE - place


def _percent(rate: float) -> str:
    return f"{100 * rate:.3g} %"
