"""Portrait checks on development photographs: who is refused for what, how fast, against what.

`./run python -m benchmarks.portraits [folder]` reads the faces beside the checkout; it prints
counts of people and pictures, the comparison's errors at three distances, and the time of one
judged frame against face_recognition's own loop (its `face_locations` and `face_encodings`).
"""

import csv
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import face_recognition
import numpy as np
from numpy.typing import NDArray

from biometrics.face.compare import MATCH_AT_MOST, NO_MATCH_ABOVE, describe
from biometrics.face.images import decode
from biometrics.face.judge import PortraitJudge

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "faces"
EXPECTED = {
    "blur_gauss": {"blur"},
    "blur_motion": {"blur"},
    "blur_slight": {"blur"},
    "dark": {"too_dark"},
    "over": {"too_bright"},
    "side_light": {"shadow"},
    "bg_busy": {"background"},
    "bg_dark": {"background"},
    "bg_red": {"background"},
    "bg_shadow": {"background", "shadow"},
    "second_face": {"second_person"},
    "too_small": {"closer"},
    "low_res": {"closer", "blur"},
    "off_centre": {"left", "right"},
    "cropped_head": {"up", "down", "farther", "left", "right", "no_face"},
    "tilt": {"head_straight"},
    "eyes_closed": {"eyes_open"},
    "mouth_open": {"mouth_closed"},
}
"""What a picture with this defect should be told; defects without a gate are not listed."""
LIVE_FRAMES = 60


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the folder's tables."""
    return list(csv.DictReader((FOLDER / name).read_text(encoding="utf-8").splitlines()))


def verdicts(labels: list[dict[str, str]]) -> None:
    """Print, for every defect, how many pictures were refused and for what.

    Then how far the measures of the sound colour portraits spread, which is what the gates must
    leave room for.
    """
    judge = PortraitJudge("can-cuoc")
    hints: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    right: Counter[tuple[str, str]] = Counter()
    sound: defaultdict[str, list[float]] = defaultdict(list)
    for row in labels:
        verdict = judge.judge(decode((FOLDER / row["file"]).read_bytes()))
        kind = row["set"], row["defect"]
        hints[kind][verdict.hint.value if verdict.hint else "accepted"] += 1
        failed = {f.hint for f in verdict.findings if f.passed is False and f.hint}
        right[kind] += bool(failed & EXPECTED.get(row["defect"], set()))
        if kind == ("london", "none"):
            for finding in verdict.findings:
                if finding.native is not None:
                    sound[finding.name].append(finding.native)
    print(f"\n{'set':<16}{'defect':<14}{'n':>4}{'refused':>9}{'for it':>8}  first hints")
    for (group, defect), said in sorted(hints.items()):
        count = said.total()
        wanted = f"{right[group, defect]:>8}" if defect in EXPECTED else f"{'-':>8}"
        told = ", ".join(f"{hint} {n}" for hint, n in said.most_common(4))
        refused = count - said["accepted"]
        print(f"{group:<16}{defect:<14}{count:>4}{refused:>9}{wanted}  {told}")
    print(f"\n{'sound portraits':<28}{'n':>4}{'p5':>9}{'median':>9}{'p95':>9}")
    for name, values in sorted(sound.items()):
        low, middle, high = np.percentile(values, [5, 50, 95])
        print(f"{name:<28}{len(values):>4}{low:>9.3f}{middle:>9.3f}{high:>9.3f}")


def comparisons(pairs: list[dict[str, str]]) -> None:
    """Print false matches and false non-matches of the given pairs at three distances."""
    known: dict[str, NDArray[np.float64] | None] = {}
    distances: dict[str, list[float]] = {"1": [], "0": []}
    for row in pairs:
        for name in (row["file_a"], row["file_b"]):
            if name not in known:
                known[name] = describe(decode((FOLDER / name).read_bytes()))
        one, other = known[row["file_a"]], known[row["file_b"]]
        if one is not None and other is not None:
            distances[row["same"]].append(float(np.linalg.norm(one - other)))
    mates, strangers = (np.array(distances[same]) for same in ("1", "0"))
    print(f"\n{len(known)} pictures, {len(mates)} mated and {len(strangers)} other pairs")
    print(f"largest mated {mates.max():.3f}, smallest other {strangers.min():.3f}")
    for limit in (MATCH_AT_MOST, NO_MATCH_ABOVE, 0.6):
        print(
            f"at {limit:.2f}: false match {(strangers <= limit).mean():7.2%}, "
            f"false non-match {(mates > limit).mean():7.2%}"
        )


def _each(work: Callable[[NDArray[np.uint8]], object], frames: list[NDArray[np.uint8]]) -> float:
    began = time.perf_counter()
    for frame in frames:
        work(frame)
    return (time.perf_counter() - began) / len(frames)


def speed(files: list[str]) -> None:
    """Print the time of a judged frame over that of face_recognition's own loop, same frames."""
    judge = PortraitJudge("can-cuoc")
    frames = [decode((FOLDER / name).read_bytes()) for name in files]

    def naive(frame: NDArray[np.uint8]) -> object:
        rgb = np.ascontiguousarray(frame[..., ::-1])
        return face_recognition.face_encodings(rgb, face_recognition.face_locations(rgb))

    ours = _each(judge.judge, frames * (LIVE_FRAMES // len(frames)))
    theirs = _each(naive, frames)
    print(
        f"\none frame of {frames[0].shape[1]} x {frames[0].shape[0]}: judged {1000 * ours:.1f} ms, "
        f"face_recognition's locations and encodings {1000 * theirs:.1f} ms: {theirs / ours:.1f} x"
    )


def main() -> None:
    """Print all three tables."""
    labels = rows("labels.csv")
    print(f"{len({r['identity'] for r in labels})} people, {len(labels)} pictures")
    verdicts(labels)
    comparisons(rows("pairs.csv"))
    speed([row["file"] for row in labels if row["set"] == "london"][:6])


if __name__ == "__main__":
    main()
