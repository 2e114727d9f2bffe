"""libfprint in its helper process: over its virtual driver where that is there, and bad helpers."""

import fcntl
import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hardware.errors import Broken, Garbled, Refused, Silent, Unplugged
from hardware.finger.hand import SimulatedHand
from hardware.finger.open import open_reader
from hardware.finger.port import NoImage, Touch, Wanted
from hardware.libfprint import reader as driver
from hardware.libfprint.reader import INTERPRETER, LibfprintReader
from hardware.libfprint.simulated import SimulatedLibfprint

WANTED = Wanted(positions=(2,), touch=Touch.SINGLE)
PATIENT = 30.0

INSTALLED = (
    Path(INTERPRETER).exists()
    and subprocess.run(
        [INTERPRETER, "-c", "import gi; gi.require_version('FPrint', '2.0')"],
        capture_output=True,
        check=False,
    ).returncode
    == 0
)
needs_libfprint = pytest.mark.skipif(
    not INSTALLED,
    reason="NOT TESTED: install libfprint-2-2, gir1.2-fprint-2.0 and python3-gi for it",
)


@pytest.fixture
def reader() -> Iterator[SimulatedLibfprint]:
    found = SimulatedLibfprint()
    yield found
    found.close()
    found.close()


@needs_libfprint
def test_a_finger_that_lies_on_the_glass_comes_over_bit_by_bit(reader: SimulatedLibfprint) -> None:
    shares: list[float] = []
    reader.present(7, 2)
    taken = reader.capture(WANTED, deadline=PATIENT, progress=shares.append)
    assert isinstance(taken, tuple)
    assert (taken[0].pixels == SimulatedHand(7).finger(2).impression(1)).all()
    assert (taken[0].position, taken[0].dpi, shares) == (2, 500, [1.0])
    assert reader.info.simulated
    assert not reader.wait_lifted(deadline=0.3)
    reader.lift()
    assert reader.wait_lifted(deadline=PATIENT)


@needs_libfprint
def test_every_touch_of_a_finger_is_another_one(reader: SimulatedLibfprint) -> None:
    pictures = []
    for _ in range(2):
        reader.present(7, 2)
        taken = reader.capture(WANTED, deadline=PATIENT)
        assert isinstance(taken, tuple)
        pictures.append(taken[0].pixels)
    assert (pictures[0] != pictures[1]).any()


@needs_libfprint
def test_without_a_finger_the_wait_ends_and_the_reader_goes_on(reader: SimulatedLibfprint) -> None:
    assert reader.capture(WANTED, deadline=0.3) is NoImage.NO_FINGER
    reader.present(3, 2)
    assert isinstance(reader.capture(WANTED, deadline=PATIENT), tuple)


@needs_libfprint
def test_a_helper_that_is_killed_is_said_and_another_one_serves(reader: SimulatedLibfprint) -> None:
    before = reader.process_id
    assert before is not None
    os.kill(before, signal.SIGKILL)
    with pytest.raises(Unplugged):
        reader.capture(WANTED, deadline=PATIENT)
    reader.present(7, 2)
    assert isinstance(reader.capture(WANTED, deadline=PATIENT), tuple)
    assert reader.process_id not in {None, before}


@needs_libfprint
def test_a_helper_that_hangs_is_ended(
    reader: SimulatedLibfprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_GRACE", 0.3)
    before = reader.process_id
    assert before is not None
    os.kill(before, signal.SIGSTOP)
    with pytest.raises(Silent):
        reader.capture(WANTED, deadline=0.1)
    assert reader.process_id is None


@needs_libfprint
@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(positions=(2, 3, 4, 5), touch=Touch.SLAP),
        Wanted(positions=(2,), touch=Touch.ROLLED),
        Wanted(positions=(), touch=Touch.SINGLE),
    ],
)
def test_what_such_a_reader_cannot_take_is_refused(
    reader: SimulatedLibfprint, wanted: Wanted
) -> None:
    with pytest.raises(ValueError, match="one flat finger"):
        reader.capture(wanted, deadline=1)


@needs_libfprint
@pytest.mark.parametrize("positions", [(), (2, 3), (0,), (11,)])
def test_a_hand_that_nobody_has_is_not_presented(
    reader: SimulatedLibfprint, positions: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="finger"):
        reader.present(1, *positions)


@needs_libfprint
def test_closing_ends_a_wait_in_another_thread() -> None:
    reader = open_reader("libfprint-simulated")
    closer = threading.Timer(0.2, reader.close)
    closer.start()
    with pytest.raises(Unplugged):
        reader.capture(WANTED, deadline=PATIENT)
    with pytest.raises(Unplugged):
        reader.capture(WANTED, deadline=PATIENT)
    closer.join()


@needs_libfprint
def test_where_no_reader_is_plugged_in_it_is_said() -> None:
    with pytest.raises(Unplugged, match="no reader"):
        open_reader("libfprint:no such device")


def test_where_libfprint_is_not_installed_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(driver, "INTERPRETER", "/there/is/no/such/python")
    with pytest.raises(Unplugged, match="install libfprint"):
        LibfprintReader()


GREETING = {"name": "n", "driver": "d", "id": "1", "captures": True}
ANSWER = """
import json, struct, sys
def say(facts, picture=b"", promised=None):
    text = json.dumps(facts).encode()
    size = len(picture) if promised is None else promised
    sys.stdout.buffer.write(struct.pack(">II", len(text), size) + text + picture)
    sys.stdout.buffer.flush()
"""


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "helper.py"
    monkeypatch.setattr(driver, "INTERPRETER", sys.executable)
    monkeypatch.setattr(driver, "_HELPER", script)
    monkeypatch.setattr(driver, "_GRACE", 1.0)
    return script


def lay(script: Path, body: str) -> None:
    script.write_text(ANSWER + f"say({GREETING!r})\nsys.stdin.readline()\n" + textwrap.dedent(body))


BAD_ANSWERS = {
    "half": ('say({"width": 9, "height": 9}, bytes(40), promised=81)', Unplugged),
    "wrong_size": ('say({"width": 9, "height": 9}, bytes(40))', Garbled),
    "no_size": ('say({"width": "9", "height": None}, bytes(81))', Garbled),
    "huge": ('say({"width": 9, "height": 9}, b"", promised=2**31)', Garbled),
    "no_object": ("say([1])", Garbled),
    "no_json": ('sys.stdout.buffer.write(b"\\0\\0\\0\\4\\0\\0\\0\\0nope")', Garbled),
    "no_reason": ('say({"no": "because"})', Garbled),
    "refused": ('say({"broken": "refused", "text": "busy", "code": 5})', Refused),
    "gone": ('say({"broken": "unplugged", "text": "removed", "code": 5})', Unplugged),
    "fell": ("sys.exit(1)", Unplugged),
    "silent": ("sys.stdin.read()", Silent),
}


@pytest.mark.parametrize("name", sorted(BAD_ANSWERS))
def test_a_helper_that_answers_badly_costs_that_touch_only(helper: Path, name: str) -> None:
    body, error = BAD_ANSWERS[name]
    lay(helper, body)
    reader = LibfprintReader()
    with pytest.raises(error):
        reader.capture(WANTED, deadline=0.5)
    reader.close()
    lay(helper, 'say({"width": 9, "height": 9, "dpi": 508}, bytes(81))\nsys.stdin.read()')
    reader = LibfprintReader()
    taken = reader.capture(WANTED, deadline=PATIENT)
    assert isinstance(taken, tuple)
    assert (taken[0].pixels == np.zeros((9, 9))).all()
    assert taken[0].dpi == 508
    reader.close()


@pytest.mark.parametrize("said", [b"", b"\0" * 8, b"x" * 100])
def test_a_helper_that_greets_badly_is_no_reader(helper: Path, said: bytes) -> None:
    helper.write_text(f"import sys\nsys.stdout.buffer.write({said!r})\n")
    with pytest.raises(Broken):
        LibfprintReader()


def test_a_device_that_cannot_be_opened_leaves_no_helper_behind(
    helper: Path, tmp_path: Path
) -> None:
    lock = tmp_path / "held"
    lock.touch()
    busy = {"broken": "refused", "text": "busy", "code": 5}
    helper.write_text(
        ANSWER + f"import fcntl\nheld = open({str(lock)!r})\nfcntl.flock(held, fcntl.LOCK_EX)\n"
        f"say({busy!r})\nsys.stdin.read()"
    )
    with pytest.raises(Refused, match="busy"):
        LibfprintReader()
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_one_may_wait_without_end_and_close_ends_it(helper: Path) -> None:
    lay(helper, "sys.stdin.read()")
    reader = LibfprintReader()
    closer = threading.Timer(0.2, reader.close)
    closer.start()
    with pytest.raises(Unplugged, match="closed"):
        reader.capture(WANTED, deadline=math.inf)
    closer.join()
    assert reader.process_id is None


def test_a_driver_without_images_is_refused(helper: Path) -> None:
    helper.write_text(ANSWER + f"say({ {**GREETING, 'captures': False}!r})\nsys.stdin.read()")
    with pytest.raises(Refused, match="no images"):
        LibfprintReader()
