"""Starts and stops the processes of a whole installation on loopback, and says how far it is.

It decides nothing of what they do: each is started as it would be for real, but with stand-ins.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx

from server.demo import seed

FIRST_PORT = 8100
NAMES = ("citizen", "kiosk", "officer", "intake", "registry", "display")
MARK = ".thunhan-demo"
"""Stands in a folder we made, so that no other folder is ever emptied."""
READY_WITHIN = 60.0


class StageFell(Exception):
    """A part of the demo did not start or has ended; the message names it and its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process of the installation."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    answers_at: str | None = None
    """Address asked until it answers; None where there is nothing to ask."""
    appears: Path | None = None
    """File (a socket) that is there once the part is ready."""

    def ready(self) -> bool:
        """Return whether the part can be used."""
        if self.appears is not None and not self.appears.exists():
            return False
        if self.answers_at is not None:
            try:
                httpx.get(self.answers_at, timeout=2)
            except httpx.TransportError:
                return False
        return True


def free_ports(names: Sequence[str], first: int = FIRST_PORT) -> dict[str, int]:
    """Return a free loopback port a name, from `first` upwards."""
    ports: dict[str, int] = {}
    port = first
    for name in names:
        while True:
            with socket.socket() as probe, suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
                ports[name] = port
                port += 1
                break
            port += 1
    return ports


def empty(folder: Path) -> None:
    """Make `folder` anew, if it is ours or not there.

    Raises:
        StageFell: the folder exists and is not one we made.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise StageFell(f"{folder} exists and is no demo folder: choose another (--folder)")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


class Stage(AbstractContextManager["Stage"]):
    """An installation in `folder`; a context manager that stops everything at its end."""

    def __init__(
        self,
        folder: Path,
        *,
        camera: str = "sitter:1",
        reader: str = "simulated",
        iris: str = "none",
        say: Callable[[str], None] = print,
    ) -> None:
        self.folder = folder
        self.camera = camera
        self.reader = reader
        self.iris = iris
        self.say = say
        self.ports = free_ports(NAMES)
        self.cast: seed.Cast | None = None
        self._running: list[tuple[Part, subprocess.Popen[bytes], IO[bytes]]] = []

    def url(self, name: str) -> str:
        """Return the address of the part called `name`."""
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def environment(self) -> dict[str, str]:
        """The server's settings."""
        return {
            "THUNHAN_DATABASE": f"sqlite:///{self.folder}/thunhan.db",
            "THUNHAN_DATA": str(self.folder / "data"),
            "THUNHAN_SECRET_FILE": str(self.folder / "secret"),
            "THUNHAN_REGISTRY_URL": self.url("registry"),
            "THUNHAN_UNSEAL_SOCKET": str(self.folder / "unseal.sock"),
            "THUNHAN_CITIZEN_URL": self.url("citizen"),
            "THUNHAN_REHEARSAL": "true",
        }

    def _web(self, name: str) -> Part:
        return Part(
            name=name,
            command=(
                *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.ports[name]}"),
                *("--worker-class", "gthread", "--workers", "1", "--threads", "8"),
                *("--no-control-socket", f"server.web.{name}.app:from_environment()"),
            ),
            answers_at=self.url(name),
        )

    def parts(self) -> list[Part]:
        """Return the processes in the order in which they start."""
        registry = self.folder / "registry"
        return [
            Part(
                name="registry",
                command=(
                    *(sys.executable, "-m", "server.registry.simulator"),
                    *("--folder", str(registry), "--port", str(self.ports["registry"])),
                ),
                answers_at=self.url("registry"),
            ),
            Part(
                name="unseal",
                command=(
                    *(sys.executable, "-m", "server.unseal"),
                    *("--keys", str(self.folder / "unseal-keys")),
                ),
                appears=self.folder / "unseal.sock",
            ),
            self._web("intake"),
            self._web("citizen"),
            self._web("officer"),
            self._web("display"),
            Part(name="worker", command=(sys.executable, "-m", "server", "worker")),
            Part(
                name="kiosk",
                command=(sys.executable, "-m", "kiosk"),
                environment=seed.kiosk_environment(self.folder)
                | {
                    "THUNHAN_KIOSK_SERVER": self.url("intake"),
                    "THUNHAN_KIOSK_PORT": str(self.ports["kiosk"]),
                    "THUNHAN_KIOSK_CAMERA": self.camera,
                    "THUNHAN_KIOSK_READER": self.reader,
                    "THUNHAN_KIOSK_IRIS": self.iris,
                },
                answers_at=self.url("kiosk"),
            ),
        ]

    def __enter__(self) -> Self:
        try:
            self._set_up()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _set_up(self) -> None:
        began = time.monotonic()
        empty(self.folder)
        (self.folder / "logs").mkdir()
        self.cast = seed.install(self.folder, self.environment, say=self.say)
        self._give_voice()
        for part in self.parts():
            self._start(part)
        # All of them load at once; each is waited for in turn.
        for part, process, _ in self._running:
            self._await(part, process)
            self.say(f"  {part.name:9} ready after {time.monotonic() - began:4.1f} s")
        self.say(f"Everything runs after {time.monotonic() - began:.1f} s.")

    def _give_voice(self) -> None:
        """Have what is said made; without a voice kiosk and screen run silent and say so."""
        data = seed.kiosk_environment(self.folder)["THUNHAN_KIOSK_DATA"]
        command = (sys.executable, "-m", "kiosk.speech", f"{data}/speech")
        calls = (sys.executable, "-m", "server", "voice-create")
        for what, makes in (("kiosk", command), ("calls", calls)):
            made = subprocess.run(
                makes,
                env={**os.environ, **self.environment},
                capture_output=True,
                text=True,
                check=False,
            )
            self.say(f"  voice     {what}: {(made.stdout or made.stderr).strip()}")

    def _start(self, part: Part) -> None:
        log = (self.folder / "logs" / f"{part.name}.log").open("wb")
        process = subprocess.Popen(
            part.command,
            env={**os.environ, **self.environment, **part.environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._running.append((part, process, log))

    def _await(self, part: Part, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until:
            if process.poll() is not None:
                break
            if part.ready():
                return
            time.sleep(0.1)
        raise StageFell(f"{part.name} did not start; {self._tail(part.name)}")

    def _tail(self, name: str) -> str:
        path = self.folder / "logs" / f"{name}.log"
        return f"see {path}:\n{path.read_text(errors='replace')[-2000:]}"

    def check(self) -> None:
        """Say which part has ended, if one has.

        Raises:
            StageFell: a part has ended.
        """
        for part, process, _ in self._running:
            if process.poll() is not None:
                raise StageFell(
                    f"{part.name} ended ({process.returncode}); {self._tail(part.name)}"
                )

    def stop(self) -> None:
        """Stop every part, politely first."""
        for _, process, _ in reversed(self._running):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for _, process, log in reversed(self._running):
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            log.close()
        self._running.clear()
