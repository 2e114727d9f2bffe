"""What pictures that mean harm cost the server, against OpenCV called plainly in the same run.

`./run python -m benchmarks.hostile` needs no data: the bombs are built when they are needed, the
good photo between them is the simulated sitter's. Ours: the photo goes the citizen's way, by HTTP
to gunicorn, and once more into the sandbox to read what the child used. Theirs: `cv2.imdecode` in
a process of its own that may have 6 GB and 10 s, so that this machine survives it. Seconds are on
the clock; memory is the largest resident size of the process that decodes, libraries included.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import sqlalchemy as sa

import scheduler.tables
from biometrics.face import examine as home
from biometrics.sandbox.room import JobEnded
from hardware.camera.sitter import Behaviour, draw
from scheduler.database import Base, connect, transaction
from server.store.tables import Throttle
from tests.bombs import BOMBS, Bomb
from tests.faces import jpeg

MEGA = 1_000_000
PLAIN_MEMORY = 6_000 * MEGA
PLAIN_SECONDS = 10
PORT = 8199
TABLES = (scheduler.tables,)
"""Imported for what it adds to the metadata."""
PLAIN = """
import sys, time
import cv2, numpy
data = numpy.fromfile(sys.argv[1], numpy.uint8)
began = time.perf_counter()
try:
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
except cv2.error:
    pixels = None
took = time.perf_counter() - began
status = open("/proc/self/status").read()
print(took, pixels is not None, status.split("VmHWM:")[1].split()[0])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What decoding took.

    Attributes:
        outcome: "read", "refused", or what ended the process.
        seconds: on the clock; None where it was ended.
        peak: bytes.
    """

    outcome: str
    seconds: float | None
    peak: int


def largest(process: int) -> int:
    """Return the largest resident size of a process so far, bytes; 0 where it is gone."""
    # Not from `wait4`: that counts what this process had before the other's program was loaded.
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def plain(path: Path) -> Cost:
    """Decode a file with nothing between it and OpenCV, in a sacrificial process."""

    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (PLAIN_MEMORY, PLAIN_MEMORY))

    process = subprocess.Popen(
        [sys.executable, "-c", PLAIN, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=confine,  # noqa: PLW1509 - this process has one thread here
        text=True,
    )
    began, overdue, peak = time.monotonic(), False, 0
    while process.poll() is None:
        if not overdue and time.monotonic() - began > PLAIN_SECONDS:
            process.kill()
            overdue = True
        peak = max(peak, largest(process.pid))
        time.sleep(0.002)
    with process:
        said = process.stdout.read().split() if process.stdout else []
    if not said:
        return Cost(outcome="over 10 s" if overdue else "died", seconds=None, peak=peak)
    outcome = "read" if said[1] == "True" else "refused"
    return Cost(outcome=outcome, seconds=float(said[0]), peak=max(peak, int(said[2]) * 1024))


def in_the_child(data: bytes) -> Cost:
    """Return what the sandbox's child used, whatever the parent would have sent away before."""
    began = time.perf_counter()
    try:
        answer = home.room().run(data, "can-cuoc")
    except JobEnded as error:
        report, refused = error.report, True
    else:
        report, refused = answer.report, "refused" in answer.said
    if report is None:
        raise RuntimeError("the fork server fell")
    return Cost(
        outcome="refused" if refused else "read",
        seconds=time.perf_counter() - began,
        peak=report.peak,
    )


class Citizen:
    """A browser that sends photos."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=30)
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', self._client.get("/photo").text)
        if found is None:
            raise RuntimeError("the page has no form")
        self._token = found[1]

    def send(self, data: bytes) -> tuple[int, float]:
        """Return the status and the seconds until the whole answer was there."""
        began = time.perf_counter()
        answer = self._client.post(
            "/photo",
            data={"csrf": self._token},
            files={"photo": ("photo.jpg", data, "image/jpeg")},
        )
        return answer.status_code, time.perf_counter() - began


@contextmanager
def served(folder: Path, engine: sa.Engine) -> Iterator[str]:
    """Run the citizens' app as it is run for real and give its address."""
    Base.metadata.create_all(engine)
    (folder / "secret").write_bytes(os.urandom(32))
    settings = {
        "THUNHAN_DATABASE": str(engine.url),
        "THUNHAN_DATA": str(folder),
        "THUNHAN_SECRET_FILE": str(folder / "secret"),
        "THUNHAN_UNSEAL_SOCKET": str(folder / "unseal.sock"),
    }
    address = f"http://127.0.0.1:{PORT}"
    command = [
        *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{PORT}", "--log-level", "error"),
        *("--worker-class", "gthread", "--workers", "1", "--threads", "8"),
        *("--no-control-socket", "server.web.citizen.app:from_environment()"),
    ]
    with subprocess.Popen(command, env={**os.environ, **settings}) as process:
        try:
            for _ in range(200):
                try:
                    httpx.get(address, timeout=1)
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield address
        finally:
            process.terminate()


def main() -> None:
    """Print one line for each bomb."""
    good = jpeg(draw(1, Behaviour.WELL, 3, (1280, 720)))
    with tempfile.TemporaryDirectory() as made:
        engine = connect(f"sqlite:///{made}/thunhan.db")
        with served(Path(made), engine) as address:
            table(Citizen(address), good, Path(made) / "picture", engine)
        engine.dispose()
    home.room().close()


def table(citizen: Citizen, good: bytes, path: Path, engine: sa.Engine) -> None:
    """Print one line for each bomb."""
    citizen.send(good)
    home.room().run(good, "can-cuoc")
    told = home.room().told
    print(f"sandbox: {told['resident'] / MEGA:.0f} MB resident in the fork server; own")
    print(f"namespaces: {told['namespaces']}; system calls listed: {told['calls']}")
    print("| picture | bytes | plain OpenCV | s | MB | ours | s by HTTP | s | MB | good one |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for bomb in BOMBS:
        with transaction(engine) as session:
            session.execute(sa.delete(Throttle))
        print(line(bomb, citizen, good, path), flush=True)


def line(bomb: Bomb, citizen: Citizen, good: bytes, path: Path) -> str:
    """Return the table's line of one bomb."""
    data = bomb.data
    path.write_bytes(data)
    theirs = plain(path)
    status, seconds = citizen.send(data)
    fits = len(data) < home.room().limits.request - 64
    ours = in_the_child(data) if fits else None
    after, waited = citizen.send(good)
    answered = f"{waited:.2f} s" if after == 200 else f"status {after}"  # noqa: PLR2004 - HTTP
    told = {200: "read", 413: "refused", 422: "refused"}.get(status, f"status {status}")
    theirs_took = "" if theirs.seconds is None else f"{theirs.seconds:.2f}"
    child = (
        "| | "
        if ours is None or ours.seconds is None
        else (f"| {ours.seconds:.2f} | {ours.peak / MEGA:.0f} ")
    )
    return (
        f"| {bomb.name} | {len(data)} | {theirs.outcome} | {theirs_took} "
        f"| {theirs.peak / MEGA:.0f} | {told} | {seconds:.2f} {child}| {answered} |"
    )


if __name__ == "__main__":
    main()
