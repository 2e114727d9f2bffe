"""`python -m hardware.camera`: what the simulated sitter is good for outside a kiosk.

It opens no real device.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.camera.act import Behaviour
from hardware.camera.sitter import draw, portrait

_QUALITY: Final = 92
_SIZE: Final = (1280, 720)
_NAMED: Final = re.compile(r"([A-Za-z0-9_-]{1,64})=([0-9]{1,9})")


def _named(text: str) -> tuple[str, int]:
    found = _NAMED.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is not NAME=SEED")
    return found[1], int(found[2])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hardware.camera", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("portrait", help="a registry's portrait, JPEG")
    many = commands.add_parser("portraits", help="registry's portraits, FOLDER/NAME.jpg each")
    frame = commands.add_parser("frame", help="one frame of the live camera, JPEG")
    for command in (one, frame):
        command.add_argument("--seed", type=int, required=True)
        command.add_argument("--out", type=Path, required=True)
    many.add_argument("--folder", type=Path, required=True)
    many.add_argument("who", nargs="+", type=_named, metavar="NAME=SEED")
    frame.add_argument("--behaviour", type=Behaviour, default=Behaviour.WELL)
    return parser


def _pictures(chosen: argparse.Namespace) -> Iterator[tuple[Path, NDArray[np.uint8]]]:
    match chosen.command:
        case "portrait":
            yield chosen.out, portrait(chosen.seed)
        case "portraits":
            for name, seed in chosen.who:
                yield chosen.folder / f"{name}.jpg", portrait(seed)
        case _:
            yield chosen.out, draw(chosen.seed, chosen.behaviour, 0, _SIZE)


def main(arguments: list[str] | None = None) -> int:
    """Write pictures of the people of some seeds; return the exit status."""
    for path, pixels in _pictures(_parser().parse_args(arguments)):
        _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        try:
            path.write_bytes(data.tobytes())
        except OSError as error:
            sys.stderr.write(f"{path}: {error.strerror}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
