"""What a waiting room's pages cost at 150 people a day: the screen, the page, a check-in.

``python -m benchmarks.hall``: SQLite in a folder of its own, no network, one process. It judges
nothing and is no test.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import numpy as np

from scheduler import queue
from scheduler.database import Base, connect, transaction
from scheduler.queue import EntryRef
from tests.web.halls import CAPTURER, Hall
from tests.web.intake_stage import HERE

BEGINS = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
BOOKED, CAME, DONE = 120, 60, 40
RUNS = 30


def furnish(hall: Hall) -> None:
    """Let so many have booked, come and be done, and 30 without an appointment wait."""
    tickets = [hall.booked(minutes=30 * (1 + nth // 12)) for nth in range(BOOKED)]
    desk = hall.signed_in(CAPTURER)
    for ticket in tickets[:CAME]:
        desk.post(f"/today/{HERE}/reception", code=ticket)
    with transaction(hall.engine) as session:
        day = queue.day_of(hall.clock())
        for number in range(1, DONE + 1):
            ref = EntryRef(place=HERE, day=day, number=number)
            queue.begin(session, ref, point="Q1", now=hall.clock())
            queue.end(session, ref, now=hall.clock())
    for _ in range(30):
        desk.post(f"/today/{HERE}/reception", do="walk_in")


def timed(name: str, work: Callable[[], object], *, runs: int = RUNS) -> None:
    """Print processor time in milliseconds: median and 95th percentile."""
    taken = []
    for _ in range(runs):
        began = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - began))
    half, most = np.quantile(taken, (0.5, 0.95))
    print(f"{name:44} {half:7.1f} {most:7.1f}   n = {runs}")


def main() -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as made:
        engine = connect(f"sqlite:///{made}/hall.db")
        Base.metadata.create_all(engine)
        hall = Hall(engine, Path(made), BEGINS)
        furnish(hall)
        screen = hall.display.test_client()
        board, tag = f"/hall/{HERE}/board", ""

        def ask(seconds: float) -> None:
            nonlocal tag
            hall.clock.goes_on(seconds=seconds)
            answer = screen.get(
                board, base_url="http://localhost", headers={"If-None-Match": tag} if tag else {}
            )
            tag = answer.headers["ETag"]

        def page() -> None:
            hall.clock.goes_on(seconds=1)
            assert desk.get("/today").status_code == HTTPStatus.OK

        fresh = iter([hall.walker(minutes=60) for _ in range(RUNS)])

        def come_in() -> None:
            answer = desk.post(f"/today/{HERE}/reception", code=next(fresh), do="walk_in")
            assert answer.status_code == HTTPStatus.SEE_OTHER

        print("processor time, ms: median, 95th percentile")
        timed("screen, board drawn and the wait forecast", lambda: ask(21))
        timed("screen, board drawn", lambda: ask(1.1))
        timed("screen, another one in the same second", lambda: ask(0))
        desk = hall.signed_in(CAPTURER)
        timed("page of the day", page)
        timed("check-in of a walk-in, with the promise", come_in)
        engine.dispose()


if __name__ == "__main__":
    main()
