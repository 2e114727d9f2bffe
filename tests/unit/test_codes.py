"""Scanners: their bytes become texts, junk and pulled cables harm nothing, cards prove nobody."""

import errno
import os
import pty
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from hardware.codes import keys
from hardware.codes.keyboard_scanner import KeyboardScanner
from hardware.codes.keys import EVENT, KEY, KEYS, SYN, Typed
from hardware.codes.lines import LONGEST, Lines, text_of
from hardware.codes.open import CodeReaderUnknown, open_code_reader
from hardware.codes.port import CodeReader, CodeReaderInfo
from hardware.codes.serial_scanner import SerialScanner
from hardware.errors import Unplugged
from kiosk import scan
from kiosk.codes import Scanner
from kiosk.protocol import CardClaim, CheckIn
from kiosk.screens import Screen
from kiosk.steps import SENSES
from tests.kiosk_stage import NAME, TICKET, stage, until

TICKET_QR = f"THUNHAN:1:{TICKET}"
CARD = "001090012345|012345678|Đỗ Thị Ước Ẩn|05091990|Nữ|Số 1, phường Giả Định, Hà Nội|01072021|x|y"
SHIFT, ENTER = 42, 28


def presses(text: str, *, enter: bool = True) -> bytes:
    """The kernel's events of a keyboard that types `text`."""
    signs = {low: (code, False) for code, (low, _) in KEYS.items()}
    signs = {high: (code, True) for code, (_, high) in KEYS.items()} | signs
    events = []
    for sign in text:
        code, shifted = signs[sign]
        events += [(KEY, SHIFT, 1)] * shifted + [(KEY, code, 1), (SYN, 0, 0), (KEY, code, 0)]
        events += [(KEY, SHIFT, 0)] * shifted
    events += [(KEY, ENTER, 1), (KEY, ENTER, 0)] * enter
    return b"".join(EVENT.pack(1, 2, *event) for event in events)


# Bytes


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\x03", b"\n\n\r"])
def test_a_code_ends_however_scanners_end_it_and_comes_once(end: bytes) -> None:
    lines = Lines()
    assert lines.receive(CARD.encode() + end + TICKET_QR.encode() + end) == [CARD, TICKET_QR]
    assert not lines.pending


@pytest.mark.parametrize("piece", [1, 2, 7, 64])
def test_a_code_that_comes_in_pieces_is_whole(piece: int) -> None:
    lines, got = Lines(), list[str]()
    data = CARD.encode() + b"\r\n" + TICKET_QR.encode() + b"\r"
    for start in range(0, len(data), piece):
        got += lines.receive(data[start : start + piece])
    assert got == [CARD, TICKET_QR]


def test_what_is_too_long_is_dropped_whole_and_the_next_code_is_read() -> None:
    lines = Lines()
    assert lines.receive(b"x" * LONGEST + b"\r") == ["x" * LONGEST]
    for _ in range(50):
        assert lines.receive(b"x" * 100) == []
    assert lines.pending
    assert lines.receive(b"tail\r" + TICKET_QR.encode() + b"\r") == [TICKET_QR]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"", None),
        (b"\x00\x01\x1b\x7f", None),
        (b"   \t ", None),
        (b"]Q1THUNHAN:1:A", "THUNHAN:1:A"),
        (b"\x02THUNHAN:1:A", "THUNHAN:1:A"),
        (b"]Q", "]Q"),
        (b"001090012345||\xc3\x28|05091990", "001090012345||\ufffd(|05091990"),
        ("Ước".encode(), "Ước"),
    ],
)
def test_junk_around_a_code_is_left_out(sent: bytes, text: str | None) -> None:
    assert text_of(sent) == text


def test_no_bytes_make_the_cutters_fall() -> None:
    rng = np.random.default_rng(5)
    lines, typed = Lines(64), Typed()
    for _ in range(2000):
        data = rng.integers(0, 256, rng.integers(0, 90), np.uint8).tobytes()
        for text in [*lines.receive(data), *typed.receive(data)]:
            assert text
            assert text.isprintable()


# Keys


@pytest.mark.parametrize(
    "text", [TICKET_QR, "ABCD-2345-EFGH-T~$=*", "001090012345||NGUYEN|05091990|Nu|x|01072021"]
)
def test_what_a_scanner_types_is_read_with_its_capitals_and_signs(text: str) -> None:
    assert list(Typed().receive(presses(text))) == [text]


def test_every_printable_sign_of_ascii_has_a_key() -> None:
    assert {sign for pair in KEYS.values() for sign in pair} == {chr(n) for n in range(32, 127)}


def test_events_cut_anywhere_are_whole() -> None:
    typed, got, data = Typed(), list[str](), presses(TICKET_QR)
    for start in range(0, len(data), 5):
        got += typed.receive(data[start : start + 5])
    assert got == [TICKET_QR]


def test_capitals_lock_turns_the_letters_and_nothing_else() -> None:
    caps = EVENT.pack(0, 0, KEY, 58, 1)
    assert list(Typed().receive(caps + presses("abc1|"))) == ["ABC1|"]
    assert list(Typed().receive(caps + presses("ABC"))) == ["abc"]


def test_what_is_typed_with_control_or_alt_held_is_no_sign() -> None:
    alt, up = EVENT.pack(0, 0, KEY, 56, 1), EVENT.pack(0, 0, KEY, 56, 0)
    sent = presses("a", enter=False) + alt + presses("0225", enter=False) + up + presses("b")
    assert list(Typed().receive(sent)) == ["ab"]


def test_a_code_of_which_the_kernel_lost_keys_is_not_read_as_another() -> None:
    lost = EVENT.pack(0, 0, SYN, keys.DROPPED, 0)
    sent = presses("THUNHAN:1:", enter=False) + lost + presses(TICKET)
    typed = Typed()
    assert list(typed.receive(sent)) == []
    assert list(typed.receive(presses(TICKET_QR))) == [TICKET_QR]


def test_a_key_that_never_ends_fills_no_memory() -> None:
    typed = Typed()
    assert list(typed.receive(presses("x" * (LONGEST + 1), enter=False))) == []
    assert list(typed.receive(presses("tail"))) == []
    assert list(typed.receive(presses(TICKET_QR))) == [TICKET_QR]


# A scanner on a serial port


class Cable:
    """A serial scanner's end of the line, as a path that stays the same after a replug."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "scanner"
        self._ends: tuple[int, int] | None = None
        self.plug_in()

    def plug_in(self) -> None:
        master, slave = pty.openpty()
        tty.setraw(slave)
        self._ends = (master, slave)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))

    def send(self, data: bytes) -> None:
        assert self._ends is not None
        os.write(self._ends[0], data)

    def unplug(self) -> None:
        if self._ends is not None:
            for end in self._ends:
                os.close(end)
        self._ends = None
        self.path.unlink(missing_ok=True)


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    made = Cable(tmp_path)
    yield made
    made.unplug()


@contextmanager
def opened(reader: CodeReader) -> Iterator[CodeReader]:
    try:
        yield reader
    finally:
        reader.close()


def read_on(scanner: CodeReader) -> None:
    while True:
        assert scanner.read(deadline=0.1) is None


def test_a_serial_scanner_gives_one_text_after_another(cable: Cable) -> None:
    with opened(SerialScanner(str(cable.path))) as scanner:
        cable.send(CARD.encode() + b"\r" + TICKET_QR.encode() + b"\r\n")
        assert scanner.read(deadline=5) == CARD
        assert scanner.read(deadline=5) == TICKET_QR
        assert scanner.read(deadline=0) is None
        assert not scanner.info.simulated


def test_a_scanner_that_sends_no_end_is_read_once_it_falls_silent(cable: Cable) -> None:
    with opened(SerialScanner(str(cable.path))) as scanner:
        cable.send(TICKET_QR.encode())
        assert scanner.read(deadline=10) == TICKET_QR


def test_a_pulled_scanner_is_said_and_found_again(cable: Cable) -> None:
    with opened(SerialScanner(str(cable.path))) as scanner:
        cable.send(b"half a co")
        cable.unplug()
        with pytest.raises(Unplugged):
            read_on(scanner)
        with pytest.raises(Unplugged):
            scanner.read(deadline=0)
        cable.plug_in()
        assert scanner.read(deadline=0) is None
        cable.send(TICKET_QR.encode() + b"\r")
        assert scanner.read(deadline=5) == TICKET_QR


def test_a_closed_scanner_ends_a_wait_in_another_thread(cable: Cable) -> None:
    scanner = SerialScanner(str(cable.path))
    ended = list[bool]()

    def wait() -> None:
        with suppress(Unplugged):
            scanner.read(deadline=60)
        ended.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    scanner.close()
    scanner.close()
    thread.join(20)
    assert ended == [True]


# A scanner that types


def taken(names: list[int]) -> Callable[[int], str]:
    def take(handle: int) -> str:
        names.append(handle)
        return "Wedge 2000"

    return take


def test_a_typing_scanner_is_taken_before_it_is_read(tmp_path: Path) -> None:
    pipe, handles = tmp_path / "event7", list[int]()
    os.mkfifo(pipe)
    scanner = KeyboardScanner(str(pipe), taking=taken(handles))
    with opened(scanner), pipe.open("wb", buffering=0) as wedge:
        assert len(handles) == 1
        assert scanner.info.name == "Wedge 2000"
        assert scanner.read(deadline=0) is None
        wedge.write(presses(TICKET_QR))
        assert scanner.read(deadline=5) == TICKET_QR
        wedge.write(presses(TICKET, enter=False))
        assert scanner.read(deadline=10) == TICKET


def test_a_typing_scanner_that_is_pulled_is_taken_anew(tmp_path: Path) -> None:
    pipe, handles = tmp_path / "event7", list[int]()
    os.mkfifo(pipe)
    scanner = KeyboardScanner(str(pipe), taking=taken(handles))
    with opened(scanner):
        wedge = os.open(pipe, os.O_WRONLY)
        os.write(wedge, presses("half", enter=False))
        assert scanner.read(deadline=0) is None
        os.close(wedge)
        with pytest.raises(Unplugged):
            read_on(scanner)
        wedge = os.open(pipe, os.O_RDWR)
        os.write(wedge, presses(TICKET_QR))
        assert scanner.read(deadline=5) == TICKET_QR
        os.close(wedge)
        assert len(handles) == 2


def test_what_is_no_input_device_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "notes").write_bytes(presses(TICKET_QR))
    with pytest.raises(Unplugged, match="cannot be taken"):
        KeyboardScanner(str(tmp_path / "notes"))
    with pytest.raises(Unplugged):
        KeyboardScanner(str(tmp_path / "nowhere"))


def test_a_keyboard_that_another_program_has_is_not_shared(tmp_path: Path) -> None:
    def busy(handle: int) -> str:
        raise OSError(errno.EBUSY, f"{handle} is taken")

    os.mkfifo(tmp_path / "event7")
    with pytest.raises(Unplugged):
        KeyboardScanner(str(tmp_path / "event7"), taking=busy)


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "none",
        "serial",
        "serial:",
        "serial:ttyUSB0",
        "serial:/dev/ttyUSB0,1",
        "serial:/dev/ttyUSB0,9600,8",
        "hid:",
        "hid:input",
        "usb:/dev/x",
        "serial:/dev/\0x",
    ],
)
def test_names_of_no_scanner_are_refused(spec: str) -> None:
    with pytest.raises(CodeReaderUnknown):
        open_code_reader(spec)


def test_a_scanner_is_opened_by_its_name(cable: Cable) -> None:
    with opened(open_code_reader(f"serial:{cable.path},115200")) as scanner:
        assert scanner.info.path == str(cable.path)
        assert "115200" in scanner.info.name
    with pytest.raises(Unplugged):
        open_code_reader("hid:/dev/input/by-id/nothing-event-kbd")


# The kiosk's thread, and what cards are good for


class Hand:
    """A scanner whose codes are listed; then it is pulled."""

    info = CodeReaderInfo(name="hand", path="", simulated=True)

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)
        self.closed = False

    def read(self, *, deadline: float) -> str | None:
        assert deadline > 0
        if not self._texts:
            raise Unplugged("pulled")
        return self._texts.pop(0)

    def close(self) -> None:
        self.closed = True


def test_the_thread_reports_every_code_and_outlives_its_scanner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kiosk.codes.AGAIN_AFTER", 0.01)
    hands, got = [Hand("a", "b"), Hand("c")], list[str]()
    waiting = iter(hands)

    def plugged() -> CodeReader:
        hand = next(waiting, None)
        if hand is None:
            raise Unplugged("no scanner")
        return hand

    scanner = Scanner(plugged, got.append)
    scanner.start()
    until(lambda: got == ["a", "b", "c"])
    until(lambda: scanner.info is None)
    scanner.stop()
    assert all(hand.closed for hand in hands)


@pytest.mark.parametrize("fields", [6, 7, 8, 9])
def test_a_card_of_any_issue_gives_number_and_birth_date_and_nothing_else(fields: int) -> None:
    found = scan.understand("|".join(CARD.split("|")[:fields]))
    claim = CardClaim(personal_number="001090012345", birth_date=date(1990, 9, 5))
    assert found == CheckIn(card=claim)
    assert set(CardClaim.model_fields) == {"personal_number", "birth_date"}


def test_a_card_without_an_old_number_and_with_a_spoilt_name_is_read() -> None:
    text = text_of(b"001090012345||Ho\xff T\xean|05091990|N\xfa|x|01072021")
    assert text is not None
    found = scan.understand(text)
    assert isinstance(found, CheckIn)
    assert found.card is not None


@pytest.mark.parametrize("fields", [1, 2, 3, 4, 5])
def test_a_card_of_too_few_fields_is_broken(fields: int) -> None:
    text = "|".join(CARD.split("|")[:fields])
    assert isinstance(scan.understand(text), scan.Unread)


def test_a_scanned_card_only_asks_who_it_is_and_proves_nobody(tmp_path: Path) -> None:
    with stage(tmp_path) as kiosk:
        SENSES.scanned(kiosk.booth, CARD)
        assert kiosk.shows(Screen.CONFIRM)
        asked = kiosk.server.asked[0]
        assert asked.ticket is None
        assert "Đỗ Thị Ước Ẩn" not in asked.model_dump_json()
        shown = kiosk.web.get("/").get_data(as_text=True)
        assert NAME.upper() in shown
        assert "ước ẩn" not in shown.lower()
        assert kiosk.booth.visit.portrait is None


def test_a_code_scanned_during_a_visit_changes_nothing(tmp_path: Path) -> None:
    with stage(tmp_path) as kiosk:
        kiosk.to_prepare()
        before = kiosk.booth.token
        SENSES.scanned(kiosk.booth, TICKET_QR)
        assert kiosk.shows(Screen.PREPARE)
        assert kiosk.booth.token == before
        assert len(kiosk.server.asked) == 1
