"""A job in the sandbox answers or is ended; whatever it does, the room goes on."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from biometrics.sandbox.room import (
    Fell,
    JobEnded,
    OutOfMemory,
    OutOfTime,
    Room,
    RoomBroken,
    RoomFull,
)
from biometrics.sandbox.wire import Limits
from tests.sandboxed import FORBIDDEN, MEGA

TARGET = "tests.sandboxed:prepare"
SMALL = Limits(seconds=1.0, cpu_seconds=0.3, memory=64 * MEGA, request=4 * MEGA, answer=MEGA)


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with Room(TARGET, limits=SMALL, places=2, patience=20.0) as opened:
        yield opened


def _alive(process: int | None) -> bool:
    assert process is not None
    try:
        state = Path(f"/proc/{process}/stat").read_text("ascii").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _children(process: int | None) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in path.read_text("ascii").split()]


def _gone(process: int, within: float = 10.0) -> bool:
    until = time.monotonic() + within
    while _alive(process) and time.monotonic() < until:
        time.sleep(0.01)
    return not _alive(process)


def test_a_job_answers_with_json_and_bytes(room: Room) -> None:
    answer = room.run(b"abc", "đọc")
    assert answer.said == {"bytes": 3, "what": "đọc", "secrets": []}
    assert answer.beside == b"cba"
    assert answer.report.code == 0
    assert answer.report.peak > MEGA


def test_a_large_request_and_answer_come_through_whole(room: Room) -> None:
    data = os.urandom(SMALL.answer - 1000)
    assert room.run(data).beside == data[::-1]


def test_the_kernel_granted_namespaces_or_calls(room: Room) -> None:
    room.run(b"")
    assert room.told["calls"] is True or room.told["namespaces"] is True


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_a_job_can_do_nothing_outside_itself(room: Room, what: str) -> None:
    room.run(b"")
    if not room.told["calls"]:
        pytest.skip("LEFT OUT: this machine's system calls are not listed")
    server = room.process_id
    assert room.run(b"", what).said == {"got": "refused"}
    assert room.process_id == server


def test_our_secrets_do_not_reach_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUNHAN_DATABASE", "postgresql://user:password@host/base")
    with Room(TARGET, limits=SMALL) as room:
        assert room.run(b"").said["secrets"] == []


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("crash", Fell),
        ("eat", OutOfMemory),
        ("exit", Fell),
        ("raise", Fell),
        ("say a list", Fell),
        ("say half", Fell),
        ("say nests", Fell),
        ("say no JSON", Fell),
        ("say nothing", Fell),
        ("say too much", Fell),
        ("sleep", OutOfTime),
        ("spin", OutOfTime),
    ],
)
def test_a_job_that_misbehaves_is_ended_and_the_room_goes_on(
    room: Room, what: str, error: type[JobEnded]
) -> None:
    room.run(b"")
    server = room.process_id
    with pytest.raises(error) as caught:
        room.run(b"abc", what)
    assert type(caught.value) is error
    assert room.run(b"abc").said["bytes"] == 3
    assert room.process_id == server
    assert _children(server) == []


def test_a_spinning_job_uses_no_more_processor_than_it_may(room: Room) -> None:
    with pytest.raises(OutOfTime) as caught:
        room.run(b"", "spin")
    report = caught.value.report
    assert report is not None
    assert report.cpu_seconds < SMALL.cpu_seconds + 0.2


def test_a_hungry_job_gets_no_more_memory_than_it_may(room: Room) -> None:
    plain = room.run(b"").report.peak
    with pytest.raises(OutOfMemory) as caught:
        room.run(b"", "eat")
    assert caught.value.report is not None
    assert caught.value.report.peak < plain + SMALL.memory


def test_more_than_may_be_asked_is_not_even_sent(room: Room) -> None:
    with pytest.raises(OutOfMemory):
        room.run(bytes(SMALL.request + 1))


def test_who_finds_no_place_in_time_is_sent_away() -> None:
    with Room(TARGET, limits=SMALL, places=1, patience=0.05) as room:
        room.run(b"")
        busy = threading.Thread(target=room.run, args=(b"", "sleep 0.6"))
        busy.start()
        until = time.monotonic() + 10
        while not _children(room.process_id) and time.monotonic() < until:
            time.sleep(0.005)
        with pytest.raises(RoomFull):
            room.run(b"")
        busy.join()
        assert room.run(b"ab").said["bytes"] == 2


def test_whoever_comes_when_enough_are_waiting_is_sent_away_at_once() -> None:
    with Room(TARGET, limits=SMALL, places=1, queue=1, patience=60.0) as room:
        room.run(b"")
        ended: list[str] = []

        def ask() -> None:
            try:
                room.run(b"", "sleep 0.5")
            except RoomFull:
                ended.append("sent away")
            else:
                ended.append("answered")

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ended == ["sent away"] * 3 + ["answered"] * 2


def test_many_jobs_leave_no_descriptors_and_no_processes(room: Room) -> None:
    def open_ones() -> tuple[int, int]:
        folders = (Path("/proc/self/fd"), Path(f"/proc/{room.process_id}/fd"))
        ours, theirs = (len(list(folder.iterdir())) for folder in folders)
        return ours, theirs

    room.run(b"")
    time.sleep(0.1)
    before = open_ones()
    for what in ("", "crash", "say half", "raise") * 10:
        with suppress(JobEnded):
            room.run(b"abc", what)
    # The fork server reports first and closes then.
    until = time.monotonic() + 5
    while open_ones() != before and time.monotonic() < until:
        time.sleep(0.01)
    assert open_ones() == before
    assert _children(room.process_id) == []


def test_a_flood_runs_no_more_jobs_at_once_than_there_are_places() -> None:
    seen: list[int] = []
    answers: list[int] = []
    with Room(TARGET, limits=SMALL, places=2, queue=8, patience=20.0) as room:
        room.run(b"")

        def flood() -> None:
            answers.extend(room.run(b"abcd", "sleep 0.02").said["bytes"] for _ in range(4))

        threads = [threading.Thread(target=flood) for _ in range(6)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            seen.append(len(_children(room.process_id)))
            time.sleep(0.002)
        for thread in threads:
            thread.join()
    assert answers == [4] * 24
    assert 1 <= max(seen) <= 2


def test_the_fork_server_is_started_anew_when_it_was_killed(room: Room) -> None:
    room.run(b"")
    server = room.process_id
    assert server is not None
    os.kill(server, 9)
    assert _gone(server)
    assert room.run(b"ab").said["bytes"] == 2
    assert room.process_id != server


def test_a_job_dies_with_its_fork_server() -> None:
    with Room(TARGET, limits=Limits(seconds=30.0), places=1) as room:
        room.run(b"")
        ended: list[Exception] = []

        def ask() -> None:
            try:
                room.run(b"", "sleep 25")
            except JobEnded as error:
                ended.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        until = time.monotonic() + 10
        while not (jobs := _children(room.process_id)) and time.monotonic() < until:
            time.sleep(0.005)
        assert room.process_id is not None
        os.kill(room.process_id, 9)
        assert _gone(jobs[0])
        asking.join(10)
        assert [type(error) for error in ended] == [Fell]


def test_nothing_is_left_when_the_caller_is_killed() -> None:
    """Not even while a job runs."""
    program = (
        "import sys, threading, time\n"
        "from biometrics.sandbox.room import Room\n"
        "from biometrics.sandbox.wire import Limits\n"
        f"room = Room({TARGET!r}, limits=Limits(seconds=60.0))\n"
        "room.run(b'')\n"
        "threading.Thread(target=room.run, args=(b'', 'sleep 50'), daemon=True).start()\n"
        "time.sleep(0.3)\n"
        "print(room.process_id, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as caller:
        assert caller.stdout is not None
        server = int(caller.stdout.readline())
        jobs = _children(server)
        caller.kill()
    assert len(jobs) == 1
    assert _gone(server)
    assert _gone(jobs[0])


def test_a_forked_caller_gets_a_fork_server_of_its_own(room: Room) -> None:
    """As gunicorn's workers would, were the room made before them."""
    program = (
        "import os\n"
        "from biometrics.sandbox.room import Room\n"
        f"room = Room({TARGET!r})\n"
        "room.run(b'')\n"
        "first = room.process_id\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    room.run(b'')\n"
        "    other = room.process_id not in (None, first)\n"
        "    room.close()\n"
        "    os._exit(0 if other else 1)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\n"
        "room.run(b'')\n"
        "assert room.process_id == first\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_target_that_does_not_load_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    with Room("tests.sandboxed:broken") as room, pytest.raises(RoomBroken):
        room.run(b"")
    assert "it does not load" in capfd.readouterr().err
