"""How fast the driver reads and how real the made-up fingers are.

`./run python -m benchmarks.reader` prints one line a figure, each with n; times are of this
machine, read them as ratios.
"""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from numpy.typing import NDArray

from biometrics.finger.compare import SAME_FROM, compare
from biometrics.finger.extractor import Extractor
from biometrics.finger.minutiae import Minutiae
from biometrics.finger.quality import assess
from hardware.finger.commands import FAST, PACKET_SIZES
from hardware.finger.hand import SimulatedHand
from hardware.finger.module_core import HEIGHT, WIDTH, ModuleCore
from hardware.finger.module_simulator import SimulatedModule
from hardware.finger.port import Touch, Wanted
from hardware.finger.serial_module import SerialReader
from hardware.finger.synthesis import Condition, Finger

WANTED = Wanted(positions=(2,), touch=Touch.SINGLE)

LINES = ((57600, False), (115200, False), (57600, True), (None, True))
"""The module's baud rate (None: a line without limit), and whether the driver may raise it."""
IMAGE_BYTES = HEIGHT * WIDTH // 2 // PACKET_SIZES[-1] * (PACKET_SIZES[-1] + 11)
"""Of an image in packets of the largest size: what the line carries at least, 10 bits a byte."""
CAPTURES = 5
PEOPLE = 4
FINGERS = 20


def read_lines() -> None:
    """Time whole captures over lines of several speeds."""
    shown = Finger(1).impression(1)
    for baud, raised in LINES:
        with SimulatedModule(ModuleCore(baud=baud or 115200), throttled=baud is not None) as module:
            module.press(shown)
            reader = SerialReader(module.port, raise_baud=raised)
            seconds = []
            for _ in range(CAPTURES):
                begun = time.perf_counter()
                taken = reader.capture(WANTED, deadline=30)
                seconds.append(time.perf_counter() - begun)
                assert isinstance(taken, tuple)
            reader.close()
        line = f"module at {baud or 'no limit'}{', raised by the driver' if raised else ''}"
        figure = f"{statistics.median(seconds):.2f} s (n={CAPTURES})"
        if baud is not None:
            limit = IMAGE_BYTES * 10 / (FAST if raised else baud)
            figure += (
                f", {statistics.median(seconds) / limit:.3f} of the line's limit {limit:.2f} s"
            )
        print(f"capture, {line}: {figure}")


def draw_fingers() -> None:
    """Time the growing of prints and the drawing of touches, in CPU time."""
    masters, touches = [], []
    for seed in range(FINGERS):
        finger = Finger(70_000 + seed)
        begun = time.process_time()
        assert finger.master.any()
        masters.append(time.process_time() - begun)
        for touch in range(5):
            begun = time.process_time()
            finger.impression(touch)
            touches.append(time.process_time() - begun)
    for name, seconds in (("master print", masters), ("impression", touches)):
        middle, most = statistics.median(seconds) * 1000, max(seconds) * 1000
        print(f"{name}: median {middle:.0f} ms, most {most:.0f} ms CPU (n={len(seconds)})")


def sent(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image as a module sends it, four bits a pixel."""
    return np.asarray((pixels >> 4) * np.uint8(17), np.uint8)


def judge_fingers() -> None:
    """Score touches with NFIQ 2 and compare them with the project's matcher."""
    extractor = Extractor()

    def points(finger: Finger, touch: int, condition: Condition) -> Minutiae:
        return extractor.extract(sent(finger.impression(touch, condition)), 500)

    fingers = [
        SimulatedHand(900 + person).finger(position)
        for person in range(PEOPLE)
        for position in range(1, 11)
    ]
    first = [points(finger, 1, Condition.WELL) for finger in fingers]
    for condition in Condition:
        scores = [
            score
            for finger in fingers
            if (score := assess(sent(finger.impression(2, condition)), 500).nfiq2) is not None
        ]
        mates = [
            compare(one, points(finger, 2, condition))
            for one, finger in zip(first, fingers, strict=True)
        ]
        low, middle, high = np.percentile(scores, (10, 50, 90))
        found = sum(mate >= SAME_FROM for mate in mates)
        print(
            f"{condition}: NFIQ 2 median {middle:.0f} ({low:.0f}..{high:.0f} for 80 %), "
            f"{len(fingers) - len(scores)} not assessed; "
            f"{found} of {len(fingers)} found again (score {min(mates):.1f} and up)"
        )
    strangers = np.array([compare(first[i], first[j]) for i in range(len(first)) for j in range(i)])
    print(
        f"strangers: median {np.median(strangers):.2f}, 999 in 1000 below "
        f"{np.percentile(strangers, 99.9):.2f}, most {strangers.max():.2f}; "
        f"one finger from {SAME_FROM} (n={len(strangers)})"
    )


if __name__ == "__main__":
    read_lines()
    draw_fingers()
    judge_fingers()
