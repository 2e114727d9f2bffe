"""A kiosk that puts one capture after the other into its outbox until its power is cut.

The ways to be careless live here, not in the kiosk: each undoes one thing the outbox does.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from biometrics.seal.keys import PublicKeys
from kiosk.device import Device
from kiosk.outbox import NotKept, Outbox
from tests.captures import AT, capture


def as_it_is(outbox: Outbox) -> None:
    """Change nothing."""


def files_unsynced(outbox: Outbox) -> None:
    """Believe that a written file is a safe one; SQLite still syncs its own."""

    def pretend(fd: object) -> None:
        del fd

    os.fsync = pretend


def synchronous_normal(outbox: Outbox) -> None:
    """Follow the many guides that say WAL needs no more."""
    outbox._ledger._db.execute("PRAGMA synchronous=normal")


def synchronous_off(outbox: Outbox) -> None:
    """Be fast."""
    outbox._ledger._db.execute("PRAGMA synchronous=off")


def careless(outbox: Outbox) -> None:
    """Sync neither files nor rows."""
    files_unsynced(outbox)
    synchronous_off(outbox)


WAYS: Mapping[str, Callable[[Outbox], None]] = {
    way.__name__: way
    for way in (as_it_is, files_unsynced, synchronous_normal, synchronous_off, careless)
}


def work(way: str, folder: Path, data: Path, keys: PublicKeys, done: Connection) -> None:
    """Put captures for ever; say each digest once the outbox has promised to keep it."""
    outbox = Outbox(folder, Device.load(data))
    WAYS[way](outbox)
    whole = capture(size=20_000)
    # Without power every write fails, which ends this.
    with suppress(NotKept):
        while True:
            entry = outbox.put(
                whole,
                keys=keys,
                station="HN-01",
                captured_at=AT,
                mono=1.0,
                boot_id="",
                software="0.1.0",
                operator=None,
            )
            done.send_bytes(entry.digest.encode())
