"""What finger records take: bytes and milliseconds, by coding, over made-up prints of nobody.

python -m benchmarks.finger_records
"""

import platform
import statistics
import time
from collections.abc import Callable

import numpy as np

from biometrics.capture import ImpressionKind
from biometrics.finger.minutiae import Minutiae
from biometrics.records import finger_image, minutiae
from biometrics.records.codings import Coding
from biometrics.records.finger_image import FingerImage
from hardware.finger.hand import POSITIONS, SimulatedHand

PEOPLE = range(4)


def timed(work: Callable[[], bytes]) -> tuple[bytes, float]:
    """Return what it returns, and milliseconds."""
    begun = time.perf_counter()
    data = work()
    return data, 1000 * (time.perf_counter() - begun)


def main() -> None:
    """Print the table of docs/finger-records.md."""
    images = [
        FingerImage(
            position=position,
            kind=ImpressionKind.PLAIN,
            pixels=SimulatedHand(person).finger(position).impression(0),
            dpi=500,
            quality=61,
        )
        for person in PEOPLE
        for position in POSITIONS
    ]
    print(f"{len(images)} prints, {platform.processor() or platform.machine()}")
    for coding in (Coding.RAW, Coding.PNG, Coding.JPEG2000, Coding.WSQ):
        # The first of its kind starts the sandbox.
        finger_image.decode(finger_image.encode(images[:1], coding))
        rows = []
        for image in images:
            data, wrote = timed(lambda one=image, how=coding: finger_image.encode([one], how))  # type: ignore[misc]  # bound at once
            begun = time.perf_counter()
            (back,) = finger_image.decode(data)
            read = 1000 * (time.perf_counter() - begun)
            error = float(np.mean((back.pixels.astype(float) - image.pixels) ** 2))
            rows.append((len(data), wrote, read, error))
        size, wrote, read, error = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"{coding:9} {size:7.0f} bytes  {wrote:5.1f} ms  {read:5.1f} ms  error {error:6.1f}")
    rng = np.random.default_rng(1)
    points = rng.uniform([0, 0, 0, 0.5], [250, 280, 6, 1], (60, 4)).astype(np.float32)
    view = minutiae.of(
        Minutiae(points=points),
        position=1,
        kind=ImpressionKind.PLAIN,
        quality=61,
        width=256,
        height=288,
        dpi=500,
    )
    data, _ = timed(lambda: minutiae.encode([view]))
    times = [timed(lambda: minutiae.encode(minutiae.decode(data).views))[1] for _ in range(200)]
    print(f"60 minutiae {len(data)} bytes, read and written {statistics.median(times):.2f} ms")


if __name__ == "__main__":
    main()
