"""What attended liveness sees of drawn sitters and of drawn attacks. Everything here is simulated.

`./run python -m benchmarks.liveness [--people N] [--printed N] [--data FOLDER]`: ten minutes on
two cores. Sitters are drawn from one photograph by a mesh and prints are drawn as planes and
cylinders, so the figures say how the method behaves, not how many attacks it stops. Where the
development faces lie beside the checkout, their portraits are printed, too.
"""

import argparse
import csv
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.capture import Liveness
from biometrics.face.following import glimpse, likeness
from biometrics.face.images import decode
from biometrics.face.judge import PortraitJudge
from biometrics.face.live import LiveJudge
from biometrics.face.liveness import Action, Attendance, challenge
from biometrics.face.relief import FLAT_BELOW, rigid
from biometrics.lab.figures import Share
from hardware.camera.act import WELL
from hardware.camera.sheet import Sheet, held
from hardware.camera.sitter import SitterCamera, portrait
from kiosk.obedient import Obedient

Pixels = NDArray[np.uint8]
Frames = Callable[[str | None, float], Pixels]
"""What stands before the camera: from what is asked and the seconds since, the next frame."""

SIZE: Final = (1280, 720)
FPS: Final = 15
SLOW: Final = 10
TURN_SECONDS: Final = 2.0
REACTS: Final = 0.4
DIM: Final = 6.0
"""Deviation of a sensor's noise in a dim room, of 255."""
BENDS: Final = (0.5, 1.0, 2.0)
"""Width over radius: a sheet of 20 cm bent about 40, 20 and 10 cm."""
BPCER: Final = 0.02
DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "faces"
TURNS: Final = (Action.TURN_LEFT, Action.TURN_RIGHT)


def sitter(seed: int, noise: float = 0.0) -> Frames:
    """Return an honest sitter who does what is asked."""
    time = 0.0
    camera = SitterCamera(seed, SIZE, fps=FPS, clock=lambda: time, sleep=lambda _: None)
    who, dice = Obedient(WELL), np.random.default_rng(seed)

    def frames(asked: str | None, passed: float) -> Pixels:
        nonlocal time
        time += passed
        who.tick(camera, asked and f"liveness.{asked}", passed)
        pixels = camera.read().pixels
        return _noisy(pixels, noise, dice) if noise else pixels

    return frames


def printed(picture: Pixels, seed: int, bend: float = 0.0, noise: float = 0.0) -> Frames:
    """Return a print that a hand turns as asked, by 25 to 45 degrees, at 90 a second."""
    dice = np.random.default_rng(seed)
    reach = float(dice.uniform(25, 45))
    sway = dice.uniform(0, 6, 2)
    yaw = waited = 0.0
    count = 0

    def frames(asked: str | None, passed: float) -> Pixels:
        nonlocal yaw, waited, count
        waited += passed
        count += 1
        wanted = {"turn_left": reach, "turn_right": -reach}.get(asked or "", 0.0)
        if waited > REACTS:
            yaw += float(np.clip(wanted - yaw, -90 * passed, 90 * passed))
        sheet = Sheet(
            yaw=yaw + 1.5 * float(np.sin(waited + sway[0])),
            pitch=1.5 * float(np.sin(1.3 * waited + sway[1])),
            across=0.01 * float(np.sin(waited)),
            bend=bend,
        )
        pixels = held(picture, sheet, SIZE, grain=seed * 1000 + count)
        return _noisy(pixels, noise, dice) if noise else pixels

    return frames


def replayed(seed: int) -> Frames:
    """Return a screen, held a little aslant, that happens to show the movement asked for."""
    person = sitter(seed)
    count = 0

    def frames(asked: str | None, passed: float) -> Pixels:
        nonlocal count
        count += 1
        return held(person(asked, passed), Sheet(yaw=8, span=1.6), SIZE, grain=seed * 1000 + count)

    return frames


def swapped(seed: int, other: int, after: float) -> Frames:
    """Return a sitter for whom another slips in between two frames."""
    one, two = sitter(seed), sitter(other)
    waited = 0.0

    def frames(asked: str | None, passed: float) -> Pixels:
        nonlocal waited
        waited += passed
        first, second = one(asked, passed), two(asked, passed)
        return first if waited < after else second

    return frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """Whoever judges the portrait, and whoever the frames after it."""

    full: PortraitJudge
    live: LiveJudge


def attend(
    judges: Judges, frames: Frames, actions: tuple[Action, ...], fps: int, seconds: float
) -> Liveness | None:
    """Return what was seen within so many seconds; None where the portrait shows no face."""
    first = frames(None, 1 / fps)
    verdict = judges.full.judge(first)
    if verdict.face is None:
        return None
    judges.live.reset()
    attendance = Attendance("0" * 32, actions, verdict, first)
    asked: str | None = str(actions[0])
    for number in range(1, round(seconds * fps)):
        pixels = frames(asked, 1 / fps)
        progress = attendance.feed(pixels, judges.live.judge(pixels), number / fps)
        if progress.done:
            break
        asked = progress.action
    return attendance.result()


def turned(judges: Judges, species: Iterator[Frames]) -> list[Liveness]:
    """Return what was seen of one turn of each, to the left and to the right by turns."""
    sides = itertools.cycle(TURNS)
    seen = (attend(judges, frames, (next(sides),), SLOW, TURN_SECONDS) for frames in species)
    return [one for one in seen if one is not None]


def _noisy(pixels: Pixels, noise: float, dice: np.random.Generator) -> Pixels:
    grain = dice.normal(0, noise, (*pixels.shape[:2], 1))
    return np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8)


def _interval(share: Share) -> str:
    low, high = share.interval
    return f"{share.count}/{share.of} ({100 * low:.1f}-{100 * high:.1f} %)"


def _people(folder: Path) -> list[Pixels]:
    if not (folder / "labels.csv").is_file():
        return []
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file)
                if row["set"] == "london" and row["defect"] == "none"]  # fmt: skip
    return [decode((folder / row["file"]).read_bytes()) for row in rows]


def _prints(kind: str, pictures: Sequence[Pixels]) -> dict[str, Iterator[Frames]]:
    """Return what is done with prints of these pictures."""
    held_as = {"flat": (0.0, 0.0), "flat, dim": (0.0, DIM)}
    held_as |= {f"bent by {bend:.1f} rad": (bend, 0.0) for bend in BENDS}
    return {
        f"print of {kind}, {name}": map(
            printed, pictures, range(len(pictures)), itertools.repeat(bend), itertools.repeat(noise)
        )
        for name, (bend, noise) in held_as.items()
        if pictures
    }


def reliefs(judges: Judges, people: int, photographs: Sequence[Pixels]) -> None:
    """Print the table of species: how much relief they show, and how many would pass by it."""
    seeds = range(1, people + 1)
    species: dict[str, Iterator[Frames]] = {
        "sitter": (sitter(seed) for seed in seeds),
        "sitter, dim": (sitter(seed, DIM) for seed in seeds),
        **_prints("drawn", [portrait(seed) for seed in seeds]),
        **_prints("real", photographs),
        "screen, right movement": (replayed(seed) for seed in seeds),
    }
    limit: float | None = None
    print(
        f"{'species':<30}{'n':>4}{'assessed':>10}{'p5':>7}{'median':>8}{'p95':>7}"
        f"  {'turn seen':<22}{'relief passes':<24}both, uncut"
    )
    for name, frames in species.items():
        seen = turned(judges, frames)
        found = [one.relief for one in seen if one.relief is not None]
        if limit is None:
            limit = float(np.quantile(found, BPCER))
            print(f"  (relief of {100 * BPCER:.0f} % of sitters is below {limit:.3f};"
                  f" FLAT_BELOW is {FLAT_BELOW})")  # fmt: skip
        high = [one for one in seen if one.relief is not None and one.relief >= limit]
        past = [one for one in high if one.met == (True,) and one.same_face is not False]
        spread = "".join(f"{value:>{width}.3f}" for value, width in zip(
            np.percentile(found, [5, 50, 95]), (7, 8, 7), strict=True
        )) if found else f"{'-':>22}"  # fmt: skip
        print(
            f"{name:<30}{len(seen):>4}{len(found):>10}{spread}"
            f"  {_interval(Share(sum(one.met == (True,) for one in seen), len(seen))):<22}"
            f"{_interval(Share(len(high), len(seen))):<24}"
            f"{_interval(Share(len(past), len(seen)))}",
            flush=True,
        )


def whole(judges: Judges, people: int) -> None:
    """Print how honest sitters and swaps fare in whole challenges."""
    met, same, seconds = [], [], []
    for seed in range(1, people + 1):
        actions = challenge(f"visit-{seed}", f"{seed:032x}")
        seen = attend(judges, sitter(seed), actions, FPS, 45)
        assert seen is not None
        met += list(seen.met) + [False] * (len(actions) - len(seen.met))
        same.append(seen.same_face)
        seconds.append(seen.seconds)
    print(f"\nhonest sitters, whole challenges at {FPS} frames a second")
    print(f"  actions seen   {_interval(Share(sum(met), len(met)))}")
    print(f"  same face: yes {_interval(Share(same.count(True), len(same)))},"
          f" no {same.count(False)}, not assessed {same.count(None)}")  # fmt: skip
    print(f"  seconds        {np.median(seconds):.1f} (most {max(seconds):.1f})")
    dice = np.random.default_rng(5)
    found = []
    for seed in range(1, people + 1):
        other = seed % people + 1
        frames = swapped(seed, other, float(dice.uniform(0.3, 4)))
        actions = challenge(f"visit-{seed}", f"{seed:032x}")
        seen = attend(judges, frames, actions, FPS, 45)
        assert seen is not None
        found.append(seen.same_face)
    told = Share(found.count(False), len(found))
    print(
        f"another sitter between two frames: told as another {_interval(told)},"
        f" as the same {found.count(True)}, not assessed {found.count(None)}"
    )


def alike(judges: Judges, photographs: Sequence[Pixels]) -> None:
    """Print how alike real people's portraits are, to themselves and to each other."""
    dice = np.random.default_rng(1)
    first, again = [], []
    for picture in photographs:
        face = judges.full.judge(picture).face
        other = _again(picture, dice)
        later = judges.full.judge(other).face
        if face is None or later is None:
            continue
        kept = rigid(face)
        one, two = glimpse(picture, face, kept, None), glimpse(other, later, kept, None)
        if one is not None and two is not None:
            first.append((picture, face, one))
            again.append(likeness(one, two))
    strangers = []
    for (_, face, one), (picture, other_face, _) in itertools.permutations(first, 2):
        two = glimpse(picture, other_face, rigid(face), None)
        if two is not None:
            strangers.append(likeness(one, two))
    print(f"\nlikeness of real portraits: the same again (n={len(again)}, other exposure, noise and"
          f" place) least {min(again):.3f};\nstrangers (n={len(strangers)}) median"
          f" {np.median(strangers):.3f}, p99 {np.percentile(strangers, 99):.3f},"
          f" most {max(strangers):.3f}")  # fmt: skip


def _again(picture: Pixels, dice: np.random.Generator) -> Pixels:
    """Return the picture as it might be taken again a moment later."""
    grain = dice.normal(0, 4, picture.shape)
    lit = np.clip(picture * dice.uniform(0.85, 1.15) + grain, 0, 255).astype(np.uint8)
    height, width = picture.shape[:2]
    angle, scale = float(dice.uniform(-5, 5)), float(dice.uniform(0.9, 1.1))
    turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale), np.float64)
    turn[:, 2] += dice.uniform(-10, 10, 2)
    moved = cv2.warpAffine(lit, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--printed", type=int, default=16, help="real portraits that are printed")
    parser.add_argument("--data", type=Path, default=DATA)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    judges = Judges(full=PortraitJudge(), live=LiveJudge())
    photographs = _people(chosen.data)
    reliefs(judges, chosen.people, photographs[: chosen.printed])
    whole(judges, chosen.people)
    if photographs:
        alike(judges, photographs)


if __name__ == "__main__":
    main()
