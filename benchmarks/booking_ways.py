"""Ways to book that are measured beside each other: naive, the floor, and ours by HTTP.

It measures nothing; see `benchmarks.booking`.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from scheduler.claims import APPOINTMENT, of_dossier, of_person
from scheduler.slots import SlotRef

NOW = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the server we measure has a real clock
BORN = date(1990, 1, 31)
MINUTES = 15
PURPOSE = "NEW"
Book = Callable[[int, SlotRef], bool]
"""Books a place for a person; returns whether there was one."""


def dossier_of(who: int) -> UUID:
    """Return a person's dossier."""
    return UUID(int=(who + 1) << 64 | 1 << 63)


def code_of(who: int) -> str:
    """Return its code."""
    return f"DEMO.001.026-261101-{who + 1:06}"


def person_of(who: int) -> bytes:
    """Return a person's key."""
    return f"person-{who:025}".encode()


INSERT = """
INSERT INTO appointment (id, starts_at, place, lane, minutes, public, whose, state, hold_minutes,
                         moved, events, head, created_at, changed_at)
VALUES (%s, %s, %s, %s, %s, true, %s, 'booked', 0, 0, 0, '', %s, %s)
"""
CLAIM = """
INSERT INTO claim (key, holder, kind) VALUES (%s, %s, %s), (%s, %s, %s) ON CONFLICT DO NOTHING
"""
TAKE = """
UPDATE slot SET taken = taken + 1, public_taken = public_taken + 1
WHERE place = %s AND starts_at = %s AND lane = %s AND offered AND NOT by_lot
  AND taken + 1 <= capacity AND public_taken + 1 <= public_capacity
RETURNING minutes
"""
COUNT = """
SELECT capacity > (SELECT count(*) FROM appointment a WHERE a.place = s.place
                   AND a.starts_at = s.starts_at AND a.lane = s.lane)
FROM slot s WHERE place = %s AND starts_at = %s AND lane = %s
"""


def _row(who: int, slot: SlotRef, appointment: UUID) -> tuple[object, ...]:
    whose = str(dossier_of(who))
    return (appointment, slot.starts_at, slot.place, slot.lane, MINUTES, whose, NOW, NOW)


@contextmanager
def naive(url: str) -> Iterator[Book]:
    """Count who is there, then insert, with nothing to hold it back."""
    with psycopg.connect(url) as connection:

        def book(who: int, slot: SlotRef) -> bool:
            row = connection.execute(COUNT, (slot.place, slot.starts_at, slot.lane)).fetchone()
            if row is not None and row[0]:
                connection.execute(INSERT, _row(who, slot, uuid4()))
            connection.commit()
            return row is not None and bool(row[0])

        yield book


@contextmanager
def floor(url: str) -> Iterator[Book]:
    """Claim, take, write: the three statements, and nothing else."""
    with psycopg.connect(url) as connection:

        def book(who: int, slot: SlotRef) -> bool:
            appointment, person = uuid4(), person_of(who)
            keys = sorted((of_person(person, PURPOSE), of_dossier(str(dossier_of(who)))))
            claims = [value for key in keys for value in (key, appointment, APPOINTMENT)]
            connection.execute(CLAIM, claims)
            place = (slot.place, slot.starts_at, slot.lane)
            if connection.execute(TAKE, place).fetchone() is None:
                connection.rollback()
                return False
            connection.execute(INSERT, _row(who, slot, appointment))
            connection.commit()
            return True

        yield book


@contextmanager
def http(port: int, key: str) -> Iterator[Book]:
    """Ask our server, over one connection that stays open."""
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def book(who: int, slot: SlotRef) -> bool:
            body = json.dumps(
                {
                    "dossier": code_of(who),
                    "birth_date": BORN.isoformat(),
                    "station": slot.place,
                    "starts_at": slot.starts_at.isoformat(),
                }
            ).encode()
            wire.sendall(
                b"POST /api/v1/appointments HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Authorization: Bearer %b\r\nIdempotency-Key: %b\r\n"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (key.encode(), uuid4().hex.encode(), len(body), body)
            )
            status = _status(wire)
            if status not in {201, 409}:
                raise AssertionError(f"the server said {status}")
            return status == 201  # noqa: PLR2004 - created

        yield book


def _status(wire: socket.socket) -> int:
    """Read one answer whole and return its status."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += _more(wire)
    head, _, body = said.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += _more(wire)
    return int(head[9:12])


def _more(wire: socket.socket) -> bytes:
    some = wire.recv(65536)
    if not some:
        raise ConnectionError("the server hung up")
    return some


@contextmanager
def served(url: str, workers: int, threads: int) -> Iterator[int]:
    """Run the programs' door as in service; give its port."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
        free.close()
        secret = Path(folder) / "secret"
        secret.write_bytes(bytes(32))
        environment = {
            **os.environ,
            "THUNHAN_DATABASE": url,
            "THUNHAN_DATA": folder,
            "THUNHAN_SECRET_FILE": str(secret),
            "THUNHAN_UNSEAL_SOCKET": f"{folder}/unseal.sock",
        }
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
                *("--worker-class", "gthread", "--workers", str(workers)),
                *("--threads", str(threads), "--keep-alive", "60", "--log-level", "warning"),
                "server.web.api.app:from_environment()",
            ],
            env=environment,
        )
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not come up")
