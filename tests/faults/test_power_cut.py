"""The power is cut while a kiosk seals: what it had promised to keep is there, every time.

A real cut, not a killed process (which loses nothing whatever one does): ext4 on a loop device is
told to drop everything that is not on the disk. Careless kiosks must lose, or the test proves
nothing.
"""

import fcntl
import multiprocessing
import os
import shutil
import sqlite3
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from biometrics.seal.checking import check
from biometrics.seal.errors import PacketRefused
from biometrics.seal.keys import PrivateKeys
from kiosk.device import Device
from kiosk.outbox import SUFFIX, Outbox
from tests.conftest import absent
from tests.faults import kiosk_at_work

pytestmark = pytest.mark.powercut

CUTS = int(os.environ.get("POWER_CUTS", "15"))
CARELESS_CUTS = 2
SHUTDOWN = 0x8004587D
"""FS_IOC_SHUTDOWN of Linux."""
NO_LOG_FLUSH = struct.pack("I", 2)
KEYS = PrivateKeys.create("ingest-2026-11")


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


class Disk:
    """An ext4 file system whose power can be cut."""

    def __init__(self, folder: Path) -> None:
        self.image = folder / "disk.img"
        self.path = folder / "disk"
        self.path.mkdir()
        with self.image.open("wb") as file:
            file.truncate(192 * 1024 * 1024)
        run("mkfs.ext4", "-q", "-F", str(self.image))
        self.on()

    def on(self) -> None:
        run("mount", "-o", "loop", str(self.image), str(self.path))

    def off(self) -> None:
        run("umount", str(self.path))

    def cut(self, handle: int) -> None:
        fcntl.ioctl(handle, SHUTDOWN, NO_LOG_FLUSH)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
        absent("root and a loop device, to cut the power of")
    if shutil.which("mkfs.ext4") is None:
        absent("mkfs.ext4")
    try:
        disk = Disk(tmp_path_factory.mktemp("power"))
    except subprocess.CalledProcessError as error:
        absent(f"a file system of its own: {error.stderr.decode(errors='replace').strip()}")
        raise
    yield disk
    with suppress(subprocess.CalledProcessError):
        disk.off()


@dataclass
class Losses:
    """What was promised, and what of it was not there after the cuts."""

    promised: int = 0
    rows: int = 0
    packets: int = 0
    for_good: int = 0
    """Not even there after the outbox has recovered."""


def promises(way: str, disk: Disk, data: Path, seconds: float) -> list[str]:
    """Let a kiosk work for so long, cut the power, and return what it had promised before."""
    fork = multiprocessing.get_context("forkserver")
    fork.set_forkserver_preload([kiosk_at_work.__name__])
    receiver, sender = fork.Pipe(duplex=False)
    kiosk = fork.Process(
        target=kiosk_at_work.work,
        args=(way, disk.path / way, data, KEYS.public, sender),
        daemon=True,
    )
    kiosk.start()
    sender.close()
    handle = os.open(disk.path, os.O_RDONLY)
    promised: list[str] = []
    with receiver, suppress(EOFError):
        if receiver.poll(20):
            end = time.monotonic() + seconds
            while receiver.poll(max(0, end - time.monotonic())):
                promised.append(receiver.recv_bytes().decode())
                if time.monotonic() > end:
                    break
        disk.cut(handle)
    kiosk.kill()
    kiosk.join()
    os.close(handle)
    disk.off()
    disk.on()
    return promised


def rows(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "outbox.db")) as database:
        try:
            return {digest for (digest,) in database.execute("SELECT digest FROM packet")}
        except sqlite3.Error:
            return set()


def whole(path: Path, device: Device) -> bool:
    try:
        return check(path.read_bytes(), device.key.public_key()).digest + SUFFIX == path.name
    except (OSError, PacketRefused):
        return False


def cut_again_and_again(way: str, disk: Disk, data: Path, cuts: int) -> Losses:
    device = Device.create(data)
    folder = disk.path / way
    losses, promised = Losses(), set[str]()
    for seconds in np.random.default_rng(20261124).uniform(0.02, 0.25, cuts):
        promised |= set(promises(way, disk, data, float(seconds)))
        losses.promised = len(promised)
        losses.rows += len(promised - rows(folder))
        paths = [folder / "packets" / (digest + SUFFIX) for digest in promised]
        losses.packets += sum(not whole(path, device) for path in paths)
        try:
            with Outbox(folder, device) as outbox:
                waiting = {entry.digest: entry for entry in outbox.waiting()}
                missing = set(outbox.recovery.missing)
        except sqlite3.Error:
            losses.for_good += len(promised)
            break
        losses.for_good += sum(
            digest not in waiting or waiting[digest].sequence in missing for digest in promised
        )
    return losses


def test_no_promised_capture_is_lost_when_the_power_is_cut(disk: Disk, tmp_path: Path) -> None:
    losses = cut_again_and_again("as_it_is", disk, tmp_path, CUTS)
    assert losses.promised >= CUTS
    assert losses == Losses(promised=losses.promised)
    print(f"{CUTS} cuts, {losses.promised} promised, 0 lost")


@pytest.mark.parametrize(
    ("way", "lost"),
    [
        ("files_unsynced", lambda losses: losses.packets),
        ("synchronous_normal", lambda losses: losses.rows),
        ("synchronous_off", lambda losses: losses.rows),
        ("careless", lambda losses: losses.for_good),
    ],
)
def test_a_careless_kiosk_loses_what_it_promised(
    disk: Disk, tmp_path: Path, way: str, lost: Callable[[Losses], int]
) -> None:
    losses = cut_again_and_again(way, disk, tmp_path, CARELESS_CUTS)
    assert losses.promised > 0
    assert lost(losses) > 0
