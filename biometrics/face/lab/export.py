"""The evaluation as JSON, for whoever wants to compute further or to compare two runs.

It leaves nothing out but the pixels.
"""

import json
import math
from dataclasses import asdict
from typing import Any

from biometrics.capture import Finding
from biometrics.face.lab.curves import curves
from biometrics.face.lab.defects import Kind
from biometrics.face.lab.evaluation import Evaluation, Picture
from biometrics.face.lab.judging import Seen
from biometrics.face.lab.run import Run
from biometrics.lab.figures import Share


def as_json(evaluation: Evaluation, run: Run) -> str:
    """Return everything as one JSON object."""
    content = {
        "run": asdict(run),
        "relaxed": [asdict(entry) for entry in evaluation.relaxed],
        "summary": {
            "right_first_reason": _share(evaluation.caught(Kind.GATE)),
            "right_first_reason_drawn": _share(evaluation.caught(Kind.DRAWN)),
            "false_alarms": _share(evaluation.false_alarms()),
            "gaps": [
                {
                    "axis": gap.axis,
                    "most": gap.most,
                    "fewest": gap.fewest,
                    "points": gap.points,
                    "interval": gap.interval,
                }
                for gap in evaluation.gaps
            ],
        },
        "defects": [
            {
                "set": figures.set,
                "defect": figures.defect.name,
                "kind": figures.defect.kind,
                "refused": _share(figures.refused),
                "right_first_reason": _share(figures.right),
                "noticed": _share(figures.noticed),
                "other_reasons": dict(figures.other_reasons),
            }
            for figures in evaluation.defect_figures
        ],
        "curves": [
            {
                "set": curve.figures.set,
                "defect": curve.figures.defect.name,
                "measure": curve.gate.measure,
                "auc": curve.area.value,
                "interval": curve.area.interval,
                "caught": _share(curve.caught),
                "false_alarms": _share(curve.alarms),
            }
            for curve in curves(evaluation)
        ],
        "pictures": [_picture(picture) for picture in evaluation.pictures],
        "problems": [
            {"file": row.file, "problem": seen.problem, "detail": seen.detail}
            for row, seen in evaluation.problems
        ],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)


def findings(seen: Seen) -> dict[str, Any]:
    """Return native value, score, verdict and hint of every measure."""
    return {
        finding.name: {
            "native": _native(finding),
            "unit": finding.unit,
            "score": finding.score,
            "passed": finding.passed,
            "hint": finding.hint,
        }
        for finding in seen.findings
    }


def _native(finding: Finding) -> float | None:
    native = finding.native
    return native if native is not None and math.isfinite(native) else None


def _picture(picture: Picture) -> dict[str, Any]:
    row = picture.row
    return {
        "file": row.file,
        "set": row.set,
        "identity": row.identity,
        "gender": row.gender,
        "ethnicity": row.ethnicity,
        "defect": row.defect,
        "refused_for": picture.refused_for,
        "wrong": picture.wrong,
        "findings": findings(picture.seen),
    }


def _share(share: Share) -> dict[str, Any]:
    return {"count": share.count, "of": share.of, "share": share.value, "interval": share.interval}
