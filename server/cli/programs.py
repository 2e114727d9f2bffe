"""Lets programs of partners and of the hotline in, and shuts them out.

It prints a key once; whoever loses it is given another one.
"""

import argparse
import sys

from scheduler.database import connect, transaction
from server import clock
from server.cases import programs
from server.settings import Settings
from server.store.tables import KeyKind


def _add(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        with transaction(connect(settings.database)) as session:
            key = programs.add(
                session,
                name=arguments.name,
                kind=KeyKind(arguments.kind),
                a_minute=arguments.a_minute,
                now=clock.now(),
            )
    except programs.NameInvalid:
        return _failed("a name has small letters, digits and dashes, 40 at most")
    except programs.NameTaken:
        return _failed(f"a key was called {arguments.name} before")
    sys.stdout.write(f"{key}\n")
    return 0


def _revoke(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        with transaction(connect(settings.database)) as session:
            programs.revoke(session, name=arguments.name, now=clock.now())
    except programs.KeyUnknown:
        return _failed(f"no key called {arguments.name} is valid")
    sys.stdout.write(f"{arguments.name} is shut out within seconds\n")
    return 0


def _failed(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 1


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``program-add`` and ``program-revoke``."""
    parser = commands.add_parser("program-add", help="let a program book for citizens")
    parser.add_argument("--name", required=True)
    parser.add_argument("--kind", choices=[kind.value for kind in KeyKind], required=True)
    parser.add_argument(
        "--a-minute", type=_positive, default=programs.A_MINUTE, help="requests it may make"
    )
    parser.set_defaults(run=_add)
    parser = commands.add_parser("program-revoke", help="shut a program out")
    parser.add_argument("--name", required=True)
    parser.set_defaults(run=_revoke)
