"""Takes officers on, lets them go, and forgets their failed tries.

Passwords and PINs come from files, because a command line is read by everybody on the machine.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from scheduler.database import connect, transaction
from server import clock
from server.cases import officers
from server.settings import Settings, SettingsMissing
from server.store.tables import Role

Work = Callable[[Session], None]


def _read(path: Path) -> str:
    """Return the file's first line."""
    text = path.read_text(encoding="utf-8")
    return text.split("\n", 1)[0].rstrip("\r")


def _do(settings: Settings, work: Work) -> int:
    try:
        with transaction(connect(settings.database)) as session:
            work(session)
    except officers.OfficerInvalid as invalid:
        sys.stderr.write(f"{invalid}\n")
    except officers.OfficerKnown as known:
        sys.stderr.write(f"there is an officer {known} already\n")
    except officers.OfficerUnknown as unknown:
        sys.stderr.write(f"there is no officer {unknown.args[0]}\n")
    else:
        return 0
    return 1


def _add(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        password = _read(arguments.password_file)
        pin = None if arguments.pin_file is None else _read(arguments.pin_file)
        secret = settings.secret
    except (OSError, UnicodeDecodeError, SettingsMissing) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return _do(
        settings,
        lambda session: officers.add(
            session,
            officer_id=arguments.id,
            name=arguments.name,
            station=arguments.station,
            role=Role(arguments.role),
            password=password,
            totp_secret=arguments.totp_secret,
            pin=pin,
            secret=secret,
            now=clock.now(),
        ),
    )


def _disable(arguments: argparse.Namespace, settings: Settings) -> int:
    return _do(settings, lambda s: officers.disable(s, arguments.id, now=clock.now()))


def _unlock(arguments: argparse.Namespace, settings: Settings) -> int:
    return _do(settings, lambda s: officers.unlock(s, arguments.id, now=clock.now()))


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``officer-add``, ``officer-disable`` and ``officer-unlock``."""
    adding = commands.add_parser("officer-add", help="take an officer on")
    adding.add_argument("--id", required=True, help="what they sign in with")
    adding.add_argument("--name", required=True)
    adding.add_argument("--station", required=True, help="a station's code")
    adding.add_argument("--role", required=True, choices=[role.value for role in Role])
    adding.add_argument("--password-file", type=Path, required=True, help="its first line")
    adding.add_argument("--totp-secret", required=True, help="base32, 128 bits or more")
    adding.add_argument("--pin-file", type=Path, help="4 to 12 digits, used at kiosks")
    adding.set_defaults(run=_add)
    for name, run, text in (
        ("officer-disable", _disable, "let an officer in no more and end their sessions"),
        ("officer-unlock", _unlock, "forget an officer's failed tries"),
    ):
        parser = commands.add_parser(name, help=text)
        parser.add_argument("--id", required=True)
        parser.set_defaults(run=run)
