"""`python -m hardware.finger`: try a reader before a kiosk uses it, or look at made-up fingers.

It judges no impression.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.errors import Broken
from hardware.finger.hand import POSITIONS, SimulatedHand
from hardware.finger.open import open_reader
from hardware.finger.port import NoImage, StandIn, Touch, Wanted
from hardware.finger.synthesis import Condition

_SECONDS: Final = 20.0
_ROWS: Final = (2, 7)
"""Positions in the picture of all conditions: both index fingers."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hardware.finger", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    take = commands.add_parser("take", help="take one impression with a reader, PNG")
    take.add_argument("reader", help="as `hardware.finger.open` names it")
    take.add_argument("--seconds", type=float, default=_SECONDS, help="how long to wait")
    touches = commands.add_parser("touches", help="made-up fingers under every condition, PNG")
    hands = commands.add_parser("hands", help="all ten made-up fingers, PNG")
    for command in (take, touches, hands):
        command.add_argument("--out", type=Path, required=True)
    for command in (touches, hands):
        command.add_argument("--person", type=int, default=7, help="whose, a number")
    return parser


def _taken(spec: str, seconds: float) -> NDArray[np.uint8] | NoImage:
    reader = open_reader(spec)
    try:
        sys.stdout.write(f"{reader.info}\n")
        if isinstance(reader, StandIn):
            reader.present(7, _ROWS[0])
        else:
            sys.stdout.write("Please put a finger on the reader.\n")
        wanted = Wanted(positions=(_ROWS[0],), touch=Touch.SINGLE)
        taken = reader.capture(wanted, deadline=seconds)
    finally:
        reader.close()
    return taken if isinstance(taken, NoImage) else taken[0].pixels


def _drawn(chosen: argparse.Namespace) -> NDArray[np.uint8]:
    hand = SimulatedHand(chosen.person)
    if chosen.command == "touches":
        rows = [
            [hand.finger(position).impression(1, condition) for condition in Condition]
            for position in _ROWS
        ]
    else:
        prints = [hand.finger(position).impression(1) for position in POSITIONS]
        rows = [prints[:5], prints[5:]]
    return np.vstack([np.hstack(row) for row in rows])


def main(arguments: list[str] | None = None) -> int:
    """Write one picture; return the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        drawn = (
            _taken(chosen.reader, chosen.seconds) if chosen.command == "take" else _drawn(chosen)
        )
    except (Broken, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if isinstance(drawn, NoImage):
        sys.stderr.write(f"{drawn.value}\n")
        return 1
    _, data = cv2.imencode(".png", drawn)
    try:
        chosen.out.write_bytes(data.tobytes())
    except OSError as error:
        sys.stderr.write(f"{chosen.out}: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
