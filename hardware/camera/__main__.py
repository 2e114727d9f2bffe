"""`python -m hardware.camera`: what the simulated sitter is good for outside a kiosk.

It opens no real device.
"""

import argparse
import sys
from pathlib import Path

import cv2

from hardware.camera.sitter import Behaviour, draw, portrait

_QUALITY = 92


def main(arguments: list[str] | None = None) -> int:
    """Write a picture of the person of a seed; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m hardware.camera", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("portrait", "a registry's portrait, JPEG"),
        ("frame", "one frame of the live camera, JPEG"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--seed", type=int, required=True)
        command.add_argument("--out", type=Path, required=True)
        if name == "frame":
            command.add_argument("--behaviour", type=Behaviour, default=Behaviour.WELL)
    chosen = parser.parse_args(arguments)
    if chosen.command == "portrait":
        pixels = portrait(chosen.seed)
    else:
        pixels = draw(chosen.seed, chosen.behaviour, 0, (1280, 720))
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    try:
        chosen.out.write_bytes(data.tobytes())
    except OSError as error:
        sys.stderr.write(f"{chosen.out}: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
