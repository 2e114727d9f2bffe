"""What an office takes away of portraits: sizes, times, and how much of a head the formats hold.

python -m benchmarks.portrait_records ../shared/data/faces
"""

import csv
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.capture import Portrait
from biometrics.face import crop, outputs, prints
from biometrics.face.images import decode
from biometrics.face.judge import PortraitJudge
from biometrics.face.outputs import Output
from biometrics.face.segment import PersonSegmenter

PERSON = 0.5
ROUND_THE_EYES = 0.3
"""T to each side of the eyes in which the top of the hair is looked for."""
CLOSE = prints.formats()["3x4"]


def neutral(folder: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield the sound neutral portraits, blue-green-red."""
    with (folder / "labels.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if row["file"].startswith("portraits/") and row["file"].endswith("_n.jpg"):
                yield decode((folder / row["file"]).read_bytes())


def main(folder: Path) -> None:
    """Print the tables of docs/portrait-records.md."""
    judge, segmenter = PortraitJudge(), PersonSegmenter()
    hair: list[float] = []
    apart: list[float] = []
    took: dict[Output, list[float]] = {}
    sizes: dict[Output, list[int]] = {}
    seen = held = 0
    for pixels in neutral(folder):
        verdict = judge.judge(pixels)
        seen += 1
        if verdict.face is None or not crop.fits(verdict.face, pixels.shape[1], pixels.shape[0]):
            continue
        held += 1
        portrait = Portrait(
            image=crop.crop(pixels, verdict).image,
            width=crop.WIDTH,
            height=crop.HEIGHT,
            profile=verdict.profile.name,
            profile_sha256=verdict.profile.sha256,
            findings=verdict.findings,
            forced_by=None,
            liveness=None,
        )
        for output in Output:
            began = time.perf_counter()
            made = outputs.make(output, portrait, balanced=True)
            took.setdefault(output, []).append(time.perf_counter() - began)
            sizes.setdefault(output, []).append(0 if made is None else len(made.data))
        # In the whole frame: a master does not know of hair above it.
        tall, wide = pixels.shape[:2]
        person = cv2.resize(segmenter.share(pixels), (wide, tall)) > PERSON
        t, eyes = verdict.face.eye_to_chin, verdict.face.between_eyes
        left, right = (int(eyes[0] + side * ROUND_THE_EYES * t) for side in (-1, 1))
        hair.append((eyes[1] - np.flatnonzero(person[:, left:right].any(1))[0]) / t)
        master = decode(portrait.image)
        small = prints.make(master, CLOSE, prints.crown(master, segmenter))
        again = None if small is None else judge.judge(small).face
        if again is not None:
            apart.append(again.eye_distance)
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(f"neutral portraits: {seen}, whose frame holds the master: {held}")
    for output, times in took.items():
        kilobytes = np.median(sizes[output]) / 1000
        print(f"{output}: median {1000 * np.median(times):.0f} ms, {kilobytes:.0f} kB")
    print(
        "eyes apart in a 3 x 4 print, px: p5 {:.0f}, median {:.0f}, p95 {:.0f}".format(
            *np.percentile(apart, [5, 50, 95])
        )
    )
    print(
        "top of the hair above the eyes, T: median {:.2f}, p95 {:.2f}".format(
            *np.percentile(hair, [50, 95])
        )
    )
    for name, room in (
        ("the closest print", CLOSE.eye_line / CLOSE.chin_share),
        ("the loosest print and the master", crop.EYE_LINE / crop.CHIN_SHARE),
    ):
        higher = np.mean(np.array(hair) > room)
        print(f"hair that reaches over the top of {name} ({room:.2f} T): {higher:.0%}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
