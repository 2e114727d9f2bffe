"""Adds counters to which people without a dossier are called; a kiosk is one by its enrolment.

It opens and closes none: officers do, on the page of the day.
"""

import argparse
import sys

import sqlalchemy as sa

from scheduler import points
from scheduler.database import connect, transaction
from scheduler.points import HELP
from scheduler.tables_day import PointKind
from server.settings import Settings

NUMBERS = range(1, 100)


def _add(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.number not in NUMBERS:
        sys.stderr.write("a number is 1 to 99\n")
        return 1
    engine = connect(settings.database)
    try:
        with transaction(engine) as session:
            points.add(
                session,
                arguments.station,
                code=arguments.name,
                number=arguments.number,
                kind=PointKind.COUNTER,
                lane=HELP,
            )
    except sa.exc.IntegrityError:
        sys.stderr.write("there is no such station, or the name or the number is taken there\n")
        return 1
    finally:
        engine.dispose()
    return 0


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``counter-add``."""
    parser = commands.add_parser("counter-add", help="add a counter people are called to")
    parser.add_argument("--station", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--number", type=int, required=True, help="as it stands above it")
    parser.set_defaults(run=_add)
