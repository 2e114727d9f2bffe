"""``python -m server COMMAND``: what whoever runs an installation needs."""

import argparse
import sys

from server.cli import (
    counters,
    database,
    devices,
    keys,
    lottery,
    officers,
    places,
    programs,
    voice,
    worker,
)
from server.settings import Settings

COMMANDS = (
    *(database, keys, places, devices, counters, programs, officers),
    *(voice, worker, lottery),
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m server", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    parsed = parser.parse_args(arguments)
    if "alone" in parsed:  # it needs no installation
        return int(parsed.alone(parsed))
    return int(parsed.run(parsed, Settings.from_environment()))


if __name__ == "__main__":
    sys.exit(main())
