"""Minutiae come from processes that may be killed, hang or talk nonsense; then another is asked."""

import base64
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from biometrics.finger import limits
from biometrics.finger.compare import compare
from biometrics.finger.extraction import MINDTCT, PROGRAMS, MinutiaeWorker, Program
from biometrics.finger.extractor import Extractor
from biometrics.finger.impression import ImpressionInvalid
from biometrics.finger.minutiae import LEADER

Image = NDArray[np.uint8]
SECOND = PROGRAMS[1]


@pytest.fixture(scope="module")
def worker() -> Iterator[MinutiaeWorker]:
    with MinutiaeWorker() as worker:
        yield worker


@pytest.fixture
def finger(shared: Path) -> Image:
    pixels = cv2.imread(str(shared / "data/fingers/upek/1_1.png"), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


def program(folder: Path, body: str) -> Program:
    """An extractor that is asked once and then does what `body` says."""
    path = folder / "program.py"
    path.write_text(
        "import os, signal, socket, struct, sys, time\n"
        "link = socket.socket(fileno=sys.stdin.fileno())\n"
        "def say(data):\n"
        "    link.sendall(struct.pack('>I', len(data)) + data)\n"
        "count = struct.unpack('>I', link.recv(4, socket.MSG_WAITALL))[0]\n"
        "link.recv(count, socket.MSG_WAITALL)\n" + body,
        encoding="utf-8",
    )
    return Program(extractor="broken", arguments=("-I", str(path)))


@pytest.mark.parametrize("dpi", [500, 508, 1000])
def test_the_worker_sees_what_the_network_sees(
    worker: MinutiaeWorker, finger: Image, dpi: int
) -> None:
    pixels = finger if dpi < 1000 else np.asarray(cv2.resize(finger, None, fx=2, fy=2), np.uint8)
    seen, own = worker.extract(pixels, dpi), Extractor().extract(pixels, dpi)
    assert seen is not None
    assert seen.endings is not None
    assert own.endings is not None
    assert seen.extractor == own.extractor == LEADER
    assert np.array_equal(seen.points, own.points)
    assert np.array_equal(seen.endings, own.endings)


def test_a_worker_that_was_killed_is_replaced_at_once(
    worker: MinutiaeWorker, finger: Image
) -> None:
    before = worker.extract(finger, 500)
    first = worker.process_ids[0]
    assert first is not None
    os.kill(first, signal.SIGKILL)
    after = worker.extract(finger, 500)
    assert before is not None
    assert after is not None
    assert np.array_equal(before.points, after.points)
    assert after.extractor == LEADER
    assert worker.process_ids[0] not in {None, first}


@pytest.mark.parametrize(
    "body",
    [
        "os.kill(os.getpid(), signal.SIGKILL)\n",
        "sys.exit(0)\n",
        "time.sleep(60)\n",
        "say(b'no json')\n",
        "say(b'[]')\n",
        "say(b'{}')\n",
        "say(b'{\"minutiae\": 5}')\n",
        'say(b\'{"minutiae": "!"}\')\n',
        'say(b\'{"minutiae": "AAAA"}\')\n',
        'say(b\'{"refused": "ModelMissing"}\')\n',
        "link.sendall(b'\\xff\\xff\\xff\\xff')\n",
        "link.sendall(b'\\x00')\n",
    ],
)
def test_whatever_befalls_the_first_the_second_is_asked(
    tmp_path: Path, finger: Image, body: str
) -> None:
    with MinutiaeWorker(seconds=2.5, programs=(program(tmp_path, body), SECOND)) as worker:
        seen = worker.extract(finger, 500)
    assert seen is not None
    assert seen.extractor == MINDTCT
    assert len(seen) > 20


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_minutiae_that_are_no_numbers_are_nonsense(
    tmp_path: Path, finger: Image, value: str
) -> None:
    data = base64.b64encode(np.full(5, float(value), "<f4").tobytes()).decode()
    body = f"""say(b'{{"minutiae": "{data}"}}')\n"""
    with MinutiaeWorker(programs=(program(tmp_path, body),)) as worker:
        assert worker.extract(finger, 500) is None


def test_where_nobody_can_say_the_answer_is_none(tmp_path: Path, finger: Image) -> None:
    broken = program(tmp_path, "sys.exit(1)\n")
    absent = Program(extractor="absent", arguments=("-I", str(tmp_path / "absent.py")))
    with MinutiaeWorker(programs=(broken, absent)) as worker:
        assert worker.extract(finger, 500) is None
        assert set(worker.process_ids) == {None}


def test_an_interpreter_that_is_gone_is_no_fault_of_the_caller(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, finger: Image
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with MinutiaeWorker() as worker:
        worker.start()
        assert worker.extract(finger, 500) is None


def test_both_extractors_see_the_same_finger(worker: MinutiaeWorker, finger: Image) -> None:
    with MinutiaeWorker(programs=(SECOND,)) as other:
        theirs = other.extract(finger, 500)
    ours = worker.extract(finger, 500)
    assert theirs is not None
    assert ours is not None
    assert theirs.extractor == MINDTCT
    assert abs(theirs.points[:, 2]).max() <= np.pi + 1e-5
    assert (np.diff(theirs.points[:, 3]) <= 0).all()
    assert compare(ours, theirs) > 2 * limits.SAME_FROM.value


@pytest.mark.parametrize("second", [False, True])
def test_a_blank_picture_has_no_minutiae_and_that_is_known(
    worker: MinutiaeWorker, *, second: bool
) -> None:
    blank = np.full((288, 256), 255, np.uint8)
    if not second:
        seen = worker.extract(blank, 500)
    else:
        with MinutiaeWorker(programs=(SECOND,)) as other:
            seen = other.extract(blank, 500)
    assert seen is not None
    assert len(seen) == 0


def test_a_picture_no_finger_makes_is_refused_before_anybody_is_asked() -> None:
    with MinutiaeWorker() as worker:
        with pytest.raises(ImpressionInvalid):
            worker.extract(np.zeros((8, 8), np.uint8), 500)
        assert set(worker.process_ids) == {None}


def test_a_closed_worker_starts_again_when_asked(worker: MinutiaeWorker, finger: Image) -> None:
    worker.close()
    worker.close()
    assert set(worker.process_ids) == {None}
    worker.start()
    assert worker.process_ids[0] is not None
    assert worker.extract(finger, 500) is not None
