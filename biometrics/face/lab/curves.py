"""How well a measure tells a defect from sound pictures, at every limit and at the shipped one.

It draws nothing; see `biometrics.face.lab.drawing`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from biometrics.face.gates import Gate
from biometrics.face.lab.evaluation import DefectFigures, Evaluation, Picture
from biometrics.lab.figures import Auc, Share, auc, roc


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One measure against one defect of one set.

    Pictures on which the measure was not assessed are left out of it.

    Attributes:
        defective, sound: native values.
        area: under the curve.
        points: (share of sound refused, share of defective refused) from (0, 0) to (1, 1).
        caught, alarms: at the limit of the profile.
    """

    figures: DefectFigures
    gate: Gate
    defective: tuple[float, ...]
    sound: tuple[float, ...]
    area: Auc
    points: tuple[tuple[float, float], ...]
    caught: Share
    alarms: Share


def excess(gate: Gate, native: float) -> float:
    """Return how far a value lies beyond the nearest limit, in its own unit; negative within."""
    over = -math.inf if gate.highest is None else native - gate.highest
    under = -math.inf if gate.lowest is None else gate.lowest - native
    return max(over, under)


def curves(evaluation: Evaluation) -> tuple[Curve, ...]:
    """Return the curve of every right measure that has a limit, defect by defect."""
    found = []
    for figures in evaluation.defect_figures:
        sound = evaluation.counterparts(figures)
        for measure in figures.defect.measures:
            gate = evaluation.gates.get(measure)
            curve = None if gate is None else _curve(figures, gate, sound)
            if curve is not None:
                found.append(curve)
    return tuple(found)


def _curve(figures: DefectFigures, gate: Gate, sound: tuple[Picture, ...]) -> Curve | None:
    if gate.lowest is None and gate.highest is None:
        return None
    bad = natives(figures.pictures, gate.measure)
    good = natives(sound, gate.measure)
    worse = [excess(gate, value) for value in bad]
    better = [excess(gate, value) for value in good]
    area = auc(worse, better)
    if area is None:
        return None
    return Curve(
        figures=figures,
        gate=gate,
        defective=bad,
        sound=good,
        area=area,
        points=roc(worse, better),
        caught=Share(sum(value > 0 for value in worse), len(worse)),
        alarms=Share(sum(value > 0 for value in better), len(better)),
    )


def natives(pictures: Iterable[Picture], measure: str) -> tuple[float, ...]:
    """Return the finite native values of a measure, those not assessed left out."""
    values = (picture.native(measure) for picture in pictures)
    return tuple(value for value in values if value is not None and math.isfinite(value))
