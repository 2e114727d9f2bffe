"""ROC curves and histograms as SVG that stands in a page by itself.

It computes nothing but coordinates; colours stand in the page's style sheet.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from markupsafe import Markup

from biometrics.face.lab.curves import Curve

_SIDE: Final = 200
_PAD: Final = 26
_WIDE: Final = 360
_BINS: Final = 24
_SVG: Final = Markup(
    '<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">'
    "{body}</svg>"
)


def roc_curve(curve: Curve) -> Markup:
    """Return the curve, the diagonal of chance, and the shipped limit as a dot."""
    points = " ".join(f"{_across(x):.1f},{_up(y):.1f}" for x, y in curve.points)
    dot = Markup("")
    if curve.alarms.value is not None and curve.caught.value is not None:
        dot = Markup('<circle class="limit" cx="{:.1f}" cy="{:.1f}" r="4.5"/>').format(
            _across(curve.alarms.value), _up(curve.caught.value)
        )
    body = Markup(
        '<path class="axis" d="M{x0} {y1}V{y0}H{x1}"/>'
        '<path class="chance" d="M{x0} {y0}L{x1} {y1}"/>'
        '<polyline class="curve" points="{points}"/>{dot}'
        '<text x="{x0}" y="{foot}">0</text><text x="{x1}" y="{foot}" class="end">1</text>'
        '<text x="{left}" y="{y0}" class="end">0</text>'
        '<text x="{left}" y="{top}" class="end">1</text>'
    ).format(
        x0=_across(0),
        x1=_across(1),
        y0=_up(0),
        y1=_up(1),
        points=points,
        dot=dot,
        foot=_up(0) + 14,
        left=_across(0) - 5,
        top=_up(1) + 8,
    )
    side = _SIDE + 2 * _PAD
    label = f"ROC {curve.gate.measure}, {curve.figures.defect.name}: AUC {curve.area.value:.3f}"
    return _SVG.format(kind="roc", width=side, height=side, label=label, body=body)


def histogram(curve: Curve) -> Markup:
    """Return how native values spread, each group by its own share, and the limits."""
    marks = [edge for edge in (curve.gate.lowest, curve.gate.highest) if edge is not None]
    values = [*curve.defective, *curve.sound, *marks]
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 0.5, high + 0.5
    shares = [_shares(group, low, high) for group in (curve.sound, curve.defective)]
    tallest = max(max(share) for share in shares) or 1.0
    bars = Markup("").join(
        Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            kind,
            _PAD + at * _WIDE / _BINS,
            _up(share / tallest),
            _WIDE / _BINS,
            _up(0) - _up(share / tallest),
        )
        for kind, group in zip(("sound", "defective"), shares, strict=True)
        for at, share in enumerate(group)
        if share
    )
    lines = Markup("").join(
        Markup('<path class="limit" d="M{x:.1f} {y0}V{y1}"/>').format(
            x=_PAD + _WIDE * (edge - low) / (high - low), y0=_up(0), y1=_up(1)
        )
        for edge in marks
    )
    body = Markup(
        '{bars}<path class="axis" d="M{x0} {y0}H{x1}"/>{lines}'
        '<text x="{x0}" y="{foot}">{low:.3g}</text>'
        '<text x="{x1}" y="{foot}" class="end">{high:.3g} {unit}</text>'
    ).format(
        bars=bars,
        lines=lines,
        x0=_PAD,
        x1=_PAD + _WIDE,
        y0=_up(0),
        foot=_up(0) + 14,
        low=low,
        high=high,
        unit=curve.gate.unit,
    )
    label = f"{curve.gate.measure}, {curve.figures.defect.name}"
    return _SVG.format(
        kind="histogram", width=_WIDE + 2 * _PAD, height=_SIDE + 2 * _PAD, label=label, body=body
    )


def _shares(values: Sequence[float], low: float, high: float) -> list[float]:
    counts, _ = np.histogram(values, bins=_BINS, range=(low, high))
    return [float(count) / max(1, len(values)) for count in counts]


def _across(share: float) -> float:
    return _PAD + _SIDE * share


def _up(share: float) -> float:
    return _PAD + _SIDE * (1 - share)
