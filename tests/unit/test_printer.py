"""Receipts: bit for bit on paper, what is wrong with a printer is said, and nobody waits for it."""

import os
import pty
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import zxingcpp

from hardware.errors import Broken, Silent, Unplugged
from hardware.printer import commands
from hardware.printer.escpos_printer import EscposPrinter
from hardware.printer.open import PrinterUnknown, open_printer
from hardware.printer.port import Dots, NotPrinted, Printer, PrinterInfo, Roll
from hardware.printer.simulator import Condition, NotUnderstood, PaperRoll
from hardware.printer.wire import open_device, open_port
from kiosk import paper, sheet
from kiosk.paper import Confirmation, Fate, Paper, draw, draw_trial, paper_words

AT = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
INFO = PrinterInfo(name="roll", path="", simulated=True, width=576)
PAPER = Confirmation(
    station="Công an phường Giả Định",
    number="S01-000123",
    at=AT,
    dossier="79.02-261125-000123",
    link="https://dichvu.example.vn/status",
    rehearsal=False,
)
LINES = 150
"""Rows of the feed before the cut."""


class Time:
    """A clock that goes on only while somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        self.seconds += 0.001
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


def machine(width: int = 576) -> tuple[PaperRoll, EscposPrinter]:
    clock = Time()
    roll = PaperRoll(width=width, clock=clock.now, sleep=clock.sleep)
    return roll, EscposPrinter(INFO, roll.connect, clock=clock.now)


def noise(rows: int, across: int, seed: int = 1) -> Dots:
    return np.random.default_rng(seed).random((rows, across)) < 0.4


# Bit for bit


@pytest.mark.parametrize(
    ("rows", "across"), [(1, 1), (1, 576), (23, 575), (24, 576), (25, 8), (1000, 571)]
)
def test_every_dot_comes_out_as_it_was_sent(rows: int, across: int) -> None:
    roll, printer = machine()
    dots = noise(rows, across)
    assert printer.print(dots, deadline=5) is None
    (receipt,) = roll.receipts
    assert np.array_equal(receipt[:rows, :across], dots)
    assert not receipt[:rows, across:].any()
    assert not receipt[rows:].any()
    assert len(receipt) == rows + LINES


def test_white_at_the_right_is_not_sent_and_stays_white() -> None:
    roll, printer = machine()
    dots = np.zeros((commands.BAND * 3, 576), np.bool_)
    dots[commands.BAND, 17] = True
    assert sum(map(len, commands.picture(dots))) == commands.BAND * (1 + 3 + 1) + 3 * 8
    assert printer.print(dots, deadline=5) is None
    assert np.array_equal(roll.receipts[0][: len(dots)], dots)


def test_receipts_follow_each_other_without_a_row_too_many() -> None:
    roll, printer = machine()
    for seed in range(3):
        assert printer.print(noise(300, 576, seed), deadline=5) is None
    assert [len(one) for one in roll.receipts] == [300 + LINES] * 3
    assert np.array_equal(roll.receipts[2][:300], noise(300, 576, 2))
    assert roll.uncut == 0


def test_a_picture_that_holds_the_bytes_of_questions_is_printed_and_misleads_nobody() -> None:
    row = np.unpackbits(np.frombuffer(b"\x10\x04\x01\x10\x04\x04" * 12, np.uint8)).astype(np.bool_)
    dots = np.tile(row, (64, 1))
    roll, printer = machine()
    roll.become(Condition(near_end=True))
    assert printer.print(dots, deadline=5) is None
    assert np.array_equal(roll.receipts[0][:64], dots)
    status = printer.status(deadline=1)
    assert status is not None
    assert status.roll is Roll.NEAR_END


def test_the_bytes_are_those_of_the_library_itself(tmp_path: Path) -> None:
    dots = noise(100, 64)
    np.save(tmp_path / "dots.npy", dots)
    # In a process of its own: importing its printers configures logging and the temporary folder.
    script = (
        "import sys, numpy as np\n"
        "from PIL import Image\n"
        "from escpos.printer import Dummy\n"
        "dots = np.load(sys.argv[1])\n"
        "printer = Dummy()\n"
        "image = Image.fromarray(np.where(dots, 0, 255).astype(np.uint8))\n"
        f"printer.image(image, fragment_height={commands.BAND})\n"
        "open(sys.argv[2], 'wb').write(printer.output)\n"
    )
    environment = {**os.environ, "ESCPOS_CAPABILITIES_PICKLE_DIR": str(tmp_path)}
    given, made = tmp_path / "dots.npy", tmp_path / "made"
    subprocess.run(
        [sys.executable, "-c", script, str(given), str(made)],
        capture_output=True,
        check=True,
        env=environment,
    )
    assert b"".join(commands.picture(dots)) == made.read_bytes()


@pytest.mark.parametrize(
    "shape", [(0, 576), (576,), (4, 0), (commands.MOST_ROWS + 1, 8), (2, 2, 2)]
)
def test_what_is_no_picture_of_a_receipt_is_refused_before_anything_is_sent(
    shape: tuple[int, ...],
) -> None:
    roll, printer = machine()
    with pytest.raises(ValueError, match="picture"):
        printer.print(np.zeros(shape, np.bool_), deadline=1)
    with pytest.raises(ValueError, match="dots"):
        printer.print(np.zeros((4, 577), np.bool_), deadline=1)
    assert roll.receipts == []
    assert roll.uncut == 0


def test_the_roll_understands_no_other_commands() -> None:
    roll = PaperRoll()
    with pytest.raises(NotUnderstood):
        roll.write(b"plain text", 0)
    with pytest.raises(NotUnderstood):
        PaperRoll(width=384).write(next(iter(commands.picture(noise(4, 576)))), 0)


def test_no_bytes_make_the_roll_fall_otherwise() -> None:
    rng = np.random.default_rng(3)
    starts = (b"\x1b@", b"\x1bd", b"\x1dv0\x00", b"\x1dV", b"\x1dr", b"\x10\x04", b"")
    for _ in range(3000):
        roll = PaperRoll()
        junk = rng.integers(0, 256, rng.integers(0, 40), np.uint8).tobytes()
        with suppress(NotUnderstood):
            roll.write(starts[rng.integers(len(starts))] + junk, 0)
        roll.read(0)


# What is wrong with it


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (Condition(paper=0), NotPrinted.PAPER_OUT),
        (Condition(cover_open=True), NotPrinted.COVER_OPEN),
        (Condition(cover_open=True, paper=0), NotPrinted.COVER_OPEN),
        (Condition(fault=True), NotPrinted.NOT_READY),
        (Condition(online=False), NotPrinted.NOT_READY),
        (Condition(near_end=True), None),
    ],
)
def test_a_printer_that_cannot_print_says_why_and_gets_nothing(
    condition: Condition, why: NotPrinted | None
) -> None:
    roll, printer = machine()
    roll.become(condition)
    assert printer.print(noise(100, 100), deadline=2) is why
    assert len(roll.receipts) == (why is None)
    roll.become(Condition())
    assert len(roll.receipts) == (why is None)


def test_a_roll_that_ends_within_a_receipt_is_said_and_the_rest_never_comes() -> None:
    roll, printer = machine()
    roll.become(Condition(paper=300))
    assert printer.print(noise(1000, 576), deadline=5) is NotPrinted.PAPER_OUT
    roll.become(Condition())
    assert roll.receipts == []
    assert roll.uncut == 0
    assert printer.print(noise(50, 50), deadline=5) is None
    assert len(roll.receipts[0]) == 50 + LINES


def test_a_printer_that_answers_no_questions_is_believed() -> None:
    roll, printer = machine()
    roll.become(Condition(deaf=True))
    assert printer.status(deadline=1) is None
    assert printer.print(noise(10, 10), deadline=3) is None
    assert len(roll.receipts) == 1


def test_a_printer_that_takes_nothing_and_says_nothing_is_broken() -> None:
    roll, printer = machine()
    roll.become(Condition(stuck=True))
    with pytest.raises(Silent):
        printer.print(noise(10, 10), deadline=1)


def test_a_pulled_printer_is_said_and_found_again() -> None:
    roll, printer = machine()
    roll.become(Condition(plugged=False))
    with pytest.raises(Unplugged):
        printer.print(noise(10, 10), deadline=1)
    with pytest.raises(Unplugged):
        printer.status(deadline=1)
    roll.become(Condition())
    assert printer.print(noise(10, 10), deadline=1) is None
    printer.close()
    printer.close()
    with pytest.raises(Unplugged):
        printer.status(deadline=1)


def test_no_answers_make_the_driver_fall() -> None:
    rng = np.random.default_rng(9)

    class Babbling(PaperRoll):
        def read(self, until: float) -> bytes:
            del until
            return rng.integers(0, 256, rng.integers(0, 4), np.uint8).tobytes()

    clock = Time()
    printer = EscposPrinter(
        INFO, Babbling(clock=clock.now, sleep=clock.sleep).connect, clock=clock.now
    )
    for _ in range(200):
        with suppress(Broken):
            printer.print(noise(3, 9), deadline=1)


# Wires


@contextmanager
def behind_a_terminal(roll: PaperRoll) -> Iterator[str]:
    """A roll at the other end of a pseudo-terminal, as a device that can be opened."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            data = os.read(master, 4096)
            if data != b"\0":
                roll.write(data, 0)
            answer = roll.read(0)
            if answer:
                os.write(master, answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield os.ttyname(slave)
    over.set()
    os.write(slave, b"\0")
    thread.join(10)
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("kind", ["device", "port"])
def test_a_receipt_goes_over_a_real_line(kind: str) -> None:
    roll, dots = PaperRoll(), draw(PAPER, 576)
    with behind_a_terminal(roll) as path:
        opens = {"device": lambda: open_device(path), "port": lambda: open_port(path, 115200)}
        printer = EscposPrinter(INFO, opens[kind])
        status = printer.status(deadline=5)
        assert status is not None
        assert status.hindrance is None
        assert printer.print(dots, deadline=20) is None
        printer.close()
    assert np.array_equal(roll.receipts[0][: len(dots)], dots)


def test_a_line_that_ends_is_an_unplugged_printer(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    printer = EscposPrinter(INFO, lambda: open_device(os.ttyname(slave)))
    os.close(master)
    with pytest.raises(Unplugged):
        printer.status(deadline=1)
    os.close(slave)
    (tmp_path / "lp0").touch()
    for path in (tmp_path / "lp0", tmp_path / "lp1"):
        with pytest.raises(Unplugged):
            open_device(str(path))
        with pytest.raises(Unplugged):
            open_port(str(path), 9600)


def test_a_file_takes_what_a_printer_would_and_says_that_it_is_none(tmp_path: Path) -> None:
    path = tmp_path / "receipts.bin"
    printer = open_printer(f"file:{path}")
    assert printer.info.simulated
    assert printer.status(deadline=1) is None
    assert printer.print(noise(20, 30), deadline=1) is None
    printer.close()
    roll = PaperRoll()
    roll.write(path.read_bytes(), 0)
    assert np.array_equal(roll.receipts[0][:20, :30], noise(20, 30))
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(Unplugged):
        open_printer(f"file:{link}")


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "none",
        "escpos:",
        "escpos:lp0",
        "escpos:/dev/usb/lp0,9600",
        "serial:/dev/ttyS0,1",
        "simulated,60mm",
        "simulated:/x",
        "file:/a\0b",
        "ipp://printer",
    ],
)
def test_names_of_no_printer_are_refused(spec: str) -> None:
    with pytest.raises(PrinterUnknown):
        open_printer(spec)


def test_narrow_paper_is_known_by_its_name() -> None:
    assert open_printer("simulated,58mm").info.width == 384
    assert open_printer("simulated").info.width == 576


# What stands on it


@pytest.mark.parametrize("width", [576, 384])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_receipt_fits_its_paper_and_its_code_leads_to_the_page(width: int, language: str) -> None:
    receipt = Confirmation(
        station=PAPER.station,
        number=PAPER.number,
        at=AT,
        dossier=PAPER.dossier,
        link=PAPER.link,
        rehearsal=True,
        language=language,
    )
    dots = draw(receipt, width)
    assert dots.shape[1] == width
    assert len(dots) < 1500
    below = dots[80:]
    assert not below[:, :8].any()
    assert not below[:, -8:].any()
    found = zxingcpp.read_barcodes(np.where(dots, np.uint8(0), np.uint8(255)))
    assert [code.text for code in found] == [PAPER.link]


def test_a_receipt_has_no_place_for_a_name_and_is_drawn_the_same_each_time() -> None:
    fields = set(Confirmation.__dataclass_fields__)
    assert fields == {"station", "number", "at", "dossier", "link", "rehearsal", "language"}
    plain = draw(PAPER, 576)
    other = draw(
        Confirmation(
            station=PAPER.station,
            number="S01-000124",
            at=AT,
            dossier=PAPER.dossier,
            link=None,
            rehearsal=False,
        ),
        576,
    )
    assert plain.shape != other.shape
    assert (plain == draw(PAPER, 576)).all()


def test_a_rehearsals_receipt_is_marked_from_edge_to_edge() -> None:
    marked = draw(
        Confirmation(
            station="X", number="1", at=AT, dossier="2", link=None, rehearsal=True, language="vi"
        ),
        576,
    )
    assert marked[:, 0].any()
    assert not draw(PAPER, 576)[:, 0].any()


def test_long_words_are_broken_and_never_leave_the_paper() -> None:
    receipt = Confirmation(
        station="Ư" * 200,
        number="S" * 60,
        at=AT,
        dossier="D" * 60,
        link="https://" + "a" * 190,
        rehearsal=False,
    )
    dots = draw(receipt, 384)
    assert not dots[:, :8].any()
    assert not dots[:, -8:].any()


def test_every_letter_of_vietnamese_has_its_own_shape() -> None:
    text = paper_words()["paper.test.text"].vi
    assert {"Ấ", "Ẫ", "Ộ", "Ữ", "Ỵ", "đ"} <= set(text)
    font = sheet._font("Bold", 40)
    shapes = {bytes(font.getmask(letter)) for letter in "ẤẦẨẪẬỐỒỔỖỘỨỪỬỮỰỲỶỸỴđd"}
    assert len(shapes) == len("ẤẦẨẪẬỐỒỔỖỘỨỪỬỮỰỲỶỸỴđd")
    assert draw_trial(576, AT).any()


# The thread


class Slow:
    """A printer that is opened only when it is let."""

    def __init__(self, roll: PaperRoll) -> None:
        self.roll = roll
        self.let = threading.Event()
        self.opened = 0

    def open(self, spec: str) -> Printer:
        assert spec == "slow"
        self.opened += 1
        assert self.let.wait(20)
        return EscposPrinter(INFO, self.roll.connect)


def test_nobody_waits_for_a_receipt_and_the_screen_is_told_what_became_of_it() -> None:
    slow, fates = Slow(PaperRoll()), list[Fate | None]()
    printing = Paper("slow", lambda: fates.append(printing.fate), open_=slow.open)
    printing.start()
    printing.print_confirmation(PAPER)
    assert printing.fate == "printing"
    slow.let.set()
    until(lambda: printing.fate is Fate.PRINTED)
    printing.stop()
    until(lambda: fates == [Fate.PRINTING, Fate.PRINTED])
    assert np.array_equal(slow.roll.receipts[0][:-LINES], draw(PAPER, 576))


@pytest.mark.parametrize(
    ("condition", "fate"),
    [
        (Condition(paper=0), Fate.PAPER_OUT),
        (Condition(cover_open=True), Fate.COVER_OPEN),
        (Condition(fault=True), Fate.NOT_READY),
        (Condition(plugged=False), Fate.BROKEN),
    ],
)
def test_what_hindered_a_receipt_is_said_in_both_languages(
    condition: Condition, fate: Fate
) -> None:
    slow = Slow(PaperRoll())
    slow.let.set()
    slow.roll.become(condition)
    printing = Paper("slow", lambda: None, open_=slow.open)
    printing.start()
    printing.print_confirmation(PAPER)
    until(lambda: printing.fate is fate)
    printing.stop()
    assert "số thu nhận" in paper.said(fate).vi
    assert "number" in paper.said(fate).en


def test_of_somebody_who_has_left_nothing_is_said_to_the_next_person() -> None:
    slow = Slow(PaperRoll())
    printing = Paper("slow", lambda: None, open_=slow.open)
    printing.start()
    printing.print_confirmation(PAPER)
    until(lambda: slow.opened)
    printing.forget()
    slow.roll.become(Condition(paper=0))
    slow.let.set()
    printing.stop()
    assert printing.fate is None


def test_a_driver_that_falls_takes_no_later_receipt_with_it() -> None:
    slow = Slow(PaperRoll())
    slow.let.set()
    calls = list[str]()

    def faulty(spec: str) -> Printer:
        calls.append(spec)
        if len(calls) == 1:
            raise KeyError("no driver foresaw this")
        return slow.open(spec)

    printing = Paper("slow", lambda: None, open_=faulty)
    printing.start()
    printing.print_confirmation(PAPER)
    until(lambda: printing.fate is Fate.BROKEN)
    printing.print_confirmation(PAPER)
    until(lambda: printing.fate is Fate.PRINTED)
    info, status = printing.status()
    assert info is INFO
    assert status is not None
    assert printing.print_trial(AT) is Fate.PRINTED
    printing.stop()


def test_every_fate_has_its_sentence() -> None:
    for fate in Fate:
        assert paper.said(fate).vi != paper.said(fate).en
