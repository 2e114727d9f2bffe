"""How fast a live picture is judged, against face_recognition's own loop in the same run.

`./run python -m benchmarks.portraits` needs no data: the frames are the simulated sitter's. Both
loops run on one thread and see the same frames, one after the other in turns, so that whatever
else the machine does falls on both. Ours: the live judge and the preview's JPEG. Theirs, for each
frame, as its own examples do it: `face_locations`, `face_landmarks`, `face_encodings`.

How often portraits are judged rightly is `thunhan-portrait evaluate` (docs/threshold-lab.md).
"""

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.judge import PortraitJudge
from biometrics.face.live import SCENE_EVERY, LiveJudge
from biometrics.face.sight import Networks
from hardware.camera.sitter import Behaviour, draw

Pixels = NDArray[np.uint8]
SIZES = ((1280, 720), (1920, 1080))
ROUNDS = 8
FRAMES = 4 * SCENE_EVERY
FPS = 15
PREVIEW = 75
"""JPEG quality of the picture the sitter sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds of one frame: each on the clock, and the processor's mean."""

    wall: tuple[float, ...]
    cpu: float

    @property
    def median(self) -> float:
        """Seconds on the clock."""
        return float(np.median(self.wall))

    @property
    def p95(self) -> float:
        """Seconds on the clock of the slowest twentieth."""
        return float(np.percentile(self.wall, 95))

    @property
    def mean(self) -> float:
        """Seconds on the clock; what a loop without pause takes for a frame."""
        return float(np.mean(self.wall))


def timed(work: Callable[[Pixels], object], frames: Sequence[Pixels]) -> Timing:
    """Return how long `work` took for each of the frames."""
    wall = []
    before = time.process_time()
    for frame in frames:
        began = time.perf_counter()
        work(frame)
        wall.append(time.perf_counter() - began)
    return Timing(wall=tuple(wall), cpu=(time.process_time() - before) / len(frames))


def together(timings: Sequence[Timing]) -> Timing:
    """Return several rounds as one."""
    return Timing(
        wall=tuple(second for timing in timings for second in timing.wall),
        cpu=float(np.mean([timing.cpu for timing in timings])),
    )


def live(judge: LiveJudge) -> Callable[[Pixels], object]:
    """Return our loop for one frame: verdict and preview."""

    def work(frame: Pixels) -> object:
        seen = judge.judge(frame)
        half = cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return seen, cv2.imencode(".jpg", half, [cv2.IMWRITE_JPEG_QUALITY, PREVIEW])

    return work


def naive(frame: Pixels) -> object:
    """Do what face_recognition's examples do with one frame."""
    # Imported late: it loads 130 MB of models, which are not ours to count.
    import face_recognition  # noqa: PLC0415 - see above

    rgb = np.ascontiguousarray(frame[..., ::-1])
    boxes = face_recognition.face_locations(rgb)
    return (
        face_recognition.face_landmarks(rgb, boxes),
        face_recognition.face_encodings(rgb, boxes),
    )


def peak() -> float:
    """Return the largest resident memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print one line for each size of frame."""
    cv2.setNumThreads(1)
    networks = Networks.load()
    judge, full = LiveJudge(networks=networks), PortraitJudge(networks=networks)
    ours = live(judge)
    ours(draw(1, Behaviour.WELL, 0, SIZES[0]))
    print(f"memory with both judges at work, without face_recognition: {peak():.0f} MiB")
    print("| frame | loop | n | mean | median | p95 | frames/s | core at 15/s | times as fast |")
    print("|---|---|---|---|---|---|---|---|---|")
    for size in SIZES:
        frames = [draw(1, Behaviour.WELL, number, size) for number in range(FRAMES)]
        naive(frames[0])
        judge.reset()
        rounds: dict[str, list[Timing]] = {"live": [], "judged in full": [], "plain": []}
        for turn in range(ROUNDS):
            rounds["live"].append(timed(ours, frames))
            rounds["judged in full"].append(timed(full.judge, frames[:SCENE_EVERY]))
            rounds["plain"].append(timed(naive, [frames[turn]]))
        plain = together(rounds["plain"])
        for name, timings in rounds.items():
            all_ = together(timings)
            print(
                f"| {size[0]} x {size[1]} | {name} | {len(all_.wall)} | {1000 * all_.mean:.1f} ms "
                f"| {1000 * all_.median:.1f} | {1000 * all_.p95:.1f} | {1 / all_.mean:.1f} "
                f"| {all_.cpu * FPS:.0%} | {plain.mean / all_.mean:.1f} |"
            )


if __name__ == "__main__":
    main()
