"""Lets kiosks in and shuts them out.

It makes no key: whoever runs it compares the id it prints with the one the kiosk shows.
"""

import argparse
import sys
from pathlib import Path

from scheduler.database import connect, transaction
from server import clock
from server.cases import devices
from server.settings import Settings
from server.store.vault import Vault


def _add(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        pem = arguments.public_key.read_bytes()
        with transaction(connect(settings.database)) as session:
            device = devices.enrol(
                session,
                name=arguments.name,
                station=arguments.station,
                public_pem=pem,
                trust=arguments.trust,
                now=clock.now(),
            )
    except OSError as error:
        return _failed(f"{arguments.public_key}: {error.strerror}")
    except devices.KeyInvalid as error:
        return _failed(f"{arguments.public_key}: {error}")
    except devices.StationUnknown as error:
        return _failed(f"no station {error}")
    except devices.DeviceKnown:
        return _failed("a device of this name or with this key is enrolled already")
    sys.stdout.write(f"{device.id}\n")
    return 0


def _revoke(arguments: argparse.Namespace, settings: Settings) -> int:
    vault = Vault(settings.data)
    try:
        with transaction(connect(settings.database)) as session:
            ended = devices.revoke(session, name=arguments.name, now=clock.now())
    except devices.DeviceUnknown:
        return _failed(f"no device called {arguments.name} is in service")
    for digest in ended.uploads:
        with vault.locked(digest):
            vault.discard(digest)
    sys.stdout.write(f"{arguments.name} is shut out; open visits ended: {ended.visits}\n")
    return 0


def _failed(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 1


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``device-add`` and ``device-revoke``."""
    parser = commands.add_parser("device-add", help="let a kiosk in")
    parser.add_argument("--name", required=True)
    parser.add_argument("--station", required=True)
    parser.add_argument("--public-key", type=Path, required=True, help="PEM file")
    parser.add_argument("--trust", choices=devices.TRUSTS, default="software")
    parser.set_defaults(run=_add)
    parser = commands.add_parser("device-revoke", help="shut a kiosk out, at once")
    parser.add_argument("--name", required=True)
    parser.set_defaults(run=_revoke)
