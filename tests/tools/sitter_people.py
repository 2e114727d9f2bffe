"""Chooses the simulated people of the first seeds so that their faces lie far apart.

Run `python -m tests.tools.sitter_people [candidates]`; it writes `hardware/camera/data/people.json`
by farthest-point selection over dlib's face descriptor, among draws that pass the portrait
checks. About a quarter of a second for each candidate.
"""

import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.face.compare import NO_MATCH_ABOVE, describe
from biometrics.face.judge import PortraitJudge
from hardware.camera import photograph, scene
from hardware.camera.person import drawn
from hardware.camera.pose import Look

PEOPLE: Final = 48
CANDIDATES: Final = 400
FILE: Final = Path(photograph.__file__).parent / "data" / "people.json"
KEPT_WITHIN: Final = {
    "MouthClosed": (0.0, 0.055),
    "HeadPosePitch": (-8.0, 8.0),
    "CheekBalance": (0.72, 1.0),
    "InterEyeDistance": (95.0, 1000.0),
}
"""Inside the gates, so that sway does not carry a well-behaved sitter over them."""


def candidates(count: int) -> dict[int, NDArray[np.float64]]:
    """Return the descriptor of every draw that makes a good portrait."""
    judge = PortraitJudge()
    found = {}
    for number in range(count):
        pixels = scene.wall(1280, 720).copy()
        scene.put(pixels, scene.sitting(drawn(number, -number - 1), Look()), 1.0, (640.0, 310.0))
        verdict = judge.judge(pixels)
        natives = {finding.name: finding.native or 0.0 for finding in verdict.findings}
        well = all(low <= natives[name] <= high for name, (low, high) in KEPT_WITHIN.items())
        numbers = describe(pixels)
        if verdict.ok and well and numbers is not None:
            found[number] = numbers
    return found


def spread(found: dict[int, NDArray[np.float64]], wanted: int) -> list[int]:
    """Return draws, each as far as can be from all before it."""
    names = sorted(found)
    table = np.stack([found[name] for name in names])
    distances = np.linalg.norm(table[:, None] - table[None], axis=-1)
    chosen = [int(distances.sum(1).argmax())]
    while len(chosen) < min(wanted, len(names)):
        chosen.append(int(distances[chosen].min(0).argmax()))
    return [names[index] for index in chosen]


def main() -> None:
    """Write the file and say how far apart they are."""
    found = candidates(int(sys.argv[1]) if len(sys.argv) > 1 else CANDIDATES)
    draws = spread(found, PEOPLE)
    FILE.write_text(json.dumps({"draws": draws}) + "\n", encoding="utf-8")
    table = np.stack([found[draw] for draw in draws])
    distances = np.linalg.norm(table[:, None] - table[None], axis=-1)
    for many in (12, 24, PEOPLE):
        pairs = distances[:many, :many][np.triu_indices(min(many, len(draws)), 1)]
        print(
            f"{many}: nearest {pairs.min():.3f}, "
            f"{(pairs > NO_MATCH_ABOVE).mean():.0%} of pairs over {NO_MATCH_ABOVE}"
        )
    print(f"{len(found)} candidates passed")


if __name__ == "__main__":
    main()
