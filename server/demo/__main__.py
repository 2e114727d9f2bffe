"""``python -m server.demo``: the whole system with stand-ins, until it is stopped; or one walk."""

import argparse
import sys
import threading
from pathlib import Path

from server import clock
from server.demo.guide import guide
from server.demo.stage import Stage, StageFell

FOLDER = Path("var") / "demo"
LOOK_EVERY = 2.0


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--walk", action="store_true", help="go the whole way by itself and report")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="made anew each time")
    parser.add_argument("--camera", default="sitter:1", help="device:0, folder:..., sitter:1")
    parser.add_argument(
        "--reader",
        default="simulated",
        help="serial:/dev/ttyUSB0, simulated, or sbi-simulated: slaps, rolled fingers and irises",
    )
    parser.add_argument("--iris", help="none, sbi or sbi-simulated; by default as the reader is")
    return parser.parse_args(given)


def _codes(stage: Stage) -> None:
    """Say the officers' codes of the moment whenever Enter is pressed."""
    for _ in sys.stdin:
        for worker in stage.cast.officers if stage.cast else ():
            print(f"  {worker.id:12} {worker.code(clock.now())}")


def _run(stage: Stage) -> int:
    print(guide(stage, clock.now()))
    if sys.stdin.isatty():
        threading.Thread(target=_codes, args=(stage,), daemon=True).start()
    stop = threading.Event()
    while not stop.wait(LOOK_EVERY):
        stage.check()
    return 0


def _walk(stage: Stage) -> int:
    # Only a walk needs a browser's driver; a demo runs without it.
    from server.demo import walk  # noqa: PLC0415 - see above

    return walk.report(stage)


def main(given: list[str] | None = None) -> int:
    """Run the demo; return the exit status."""
    asked = _arguments(given)
    folder = asked.folder.absolute()
    try:
        print(f"Thu Nhận: setting up in {asked.folder} ...", flush=True)
        iris = asked.iris or ("sbi-simulated" if asked.reader == "sbi-simulated" else "none")
        with Stage(folder, camera=asked.camera, reader=asked.reader, iris=iris) as stage:
            return _walk(stage) if asked.walk else _run(stage)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0
    except StageFell as fell:
        print(f"\n{fell}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
