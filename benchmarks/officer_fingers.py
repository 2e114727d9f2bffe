"""Measures what an officer waits for at ten fingers: the cross-check, their drawings, the page.

Run `python -m benchmarks.officer_fingers`. Fingers are made up, of 45 minutiae each, every one with
a supporting record; "plain" is ten prints, "plain and rolled" twenty. The page is what the
officers' app answers to "open", with an unsealer in the same process that decrypts nothing.
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from biometrics.capture import Capture
from scheduler.database import Base, connect
from server.unseal import fingers
from server.web.officer import fingers as shown
from tests.hands import PLAIN, ROLLED, hands
from tests.officers import Office


def timed(name: str, rounds: int, work: Callable[[], object]) -> None:
    """Print the median and the 95th percentile of `rounds` runs, in ms."""
    work()
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - start))
    middle, late = np.percentile(took, [50, 95])
    print(f"  {name:<28} {middle:8.1f} {late:8.1f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    print(
        f"{platform.machine()}, Python {platform.python_version()}, n = {rounds}; ms: median, p95"
    )
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{folder}/small.db")
        Base.metadata.create_all(engine)
        office = Office(engine, Path(folder), datetime(2026, 11, 25, 3, tzinfo=UTC))
        browser = office.signed_in("v.an")
        for name, kinds in (("plain", (PLAIN,)), ("plain and rolled", (PLAIN, ROLLED))):
            digest = office.add_capture()
            capture = replace(office.unsealer.captures[digest], prints=hands(kinds=kinds))
            office.unsealer.captures[digest] = capture
            looked = fingers.look(capture)
            print(f"{name}: {looked.compared} pairs of fingers")
            timed("cross-check", rounds, partial(fingers.look, capture))
            with office.app.test_request_context("/"):
                timed("drawings", rounds, partial(_drawn, capture))
            timed("page", rounds, partial(browser.post, f"/captures/{digest}"))
        engine.dispose()


def _drawn(capture: Capture) -> None:
    shown.hand(capture, (*shown.LEFT, *shown.RIGHT), frozenset())


if __name__ == "__main__":
    main()
