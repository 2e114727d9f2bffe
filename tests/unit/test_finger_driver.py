"""The driver against a simulated module: sound lines, bad lines, cut lines."""

import os
import pty
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from hardware.errors import Broken, Garbled, Refused, Silent, Unplugged
from hardware.finger.__main__ import main
from hardware.finger.commands import FAST, LEVEL, PACKET_SIZES, Product
from hardware.finger.module_core import Answer, ModuleCore
from hardware.finger.module_simulator import Faults, SimulatedModule
from hardware.finger.open import ReaderUnknown, open_reader
from hardware.finger.packets import Code, Instruction, Kind, Packet
from hardware.finger.port import FingerReader, NoImage, Touch, Wanted
from hardware.finger.serial_line import SerialLine
from hardware.finger.serial_module import SerialReader
from hardware.finger.simulated_reader import SimulatedReader
from hardware.finger.synthesis import Condition, Finger

FINGER = Finger(41)
WANTED = Wanted(positions=(2,), touch=Touch.SINGLE)
PATIENT = 30.0
"""Seconds no test should need, on however busy a machine."""


class Stubborn(ModuleCore):
    """A module that keeps its settings, as some do."""

    def take(self, packet: Packet) -> Answer:
        if packet.kind is Kind.COMMAND and packet.data[:1] == bytes([Instruction.SET_PARAMETER]):
            return [Packet(kind=Kind.ACK, data=bytes([Code.WRONG_REGISTER]))]
        return super().take(packet)


class Odd(ModuleCore):
    """A module that answers one instruction with a code of its own."""

    def __init__(self, instruction: Instruction, code: int) -> None:
        super().__init__(baud=FAST)
        self._odd, self._code = instruction, code

    def take(self, packet: Packet) -> Answer:
        if packet.data[:1] == bytes([self._odd]):
            return [Packet(kind=Kind.ACK, data=bytes([self._code]))]
        return super().take(packet)


def wanted(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray((pixels >> 4) * np.uint8(LEVEL), np.uint8)


def image_from(reader: FingerReader) -> NDArray[np.uint8]:
    taken = reader.capture(WANTED, deadline=PATIENT)
    assert isinstance(taken, tuple)
    return taken[0].pixels


@pytest.fixture
def module() -> Iterator[SimulatedModule]:
    with SimulatedModule(ModuleCore(baud=FAST)) as module:
        module.press(FINGER.impression(1))
        yield module


@pytest.fixture
def reader(module: SimulatedModule) -> Iterator[SerialReader]:
    reader = SerialReader(module.port)
    yield reader
    reader.close()


@pytest.mark.parametrize("packet", [32, 64, 128, 256])
def test_an_image_comes_over_bit_by_bit_at_every_packet_size(packet: int) -> None:
    shown = FINGER.impression(3)
    with SimulatedModule(Stubborn(packet=packet)) as module:
        module.press(shown)
        reader = SerialReader(module.port)
        shares: list[float] = []
        result = reader.capture(WANTED, deadline=PATIENT, progress=shares.append)
        assert isinstance(result, tuple)
        (taken,) = result
        assert taken.position == 2
        assert (taken.pixels == wanted(shown)).all()
        assert taken.dpi == 500
        assert taken.serial == reader.info.serial
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        assert len(shares) == 36864 // packet
        reader.close()


R503 = Product(model="R503", serial="A1B2C3D4", width=192, height=192)


@pytest.mark.parametrize("product", [None, R503], ids=["silent", "named"])
@pytest.mark.parametrize("packet", [32, 64, 128, 256])
def test_a_module_of_192_by_192_pixels_is_known_by_its_word_or_its_image(
    packet: int, product: Product | None
) -> None:
    core = Stubborn(size=(192, 192), packet=packet, product=product)
    with SimulatedModule(core) as module:
        module.press(FINGER.impression(1))
        reader = SerialReader(module.port)
        assert reader.info.width == (256 if product is None else 192)
        taken = reader.capture(WANTED, deadline=PATIENT)
        assert isinstance(taken, tuple)
        shown = FINGER.impression(1)[48:-48, 32:-32]
        assert (taken[0].pixels == wanted(shown)).all()
        assert (taken[0].dpi, reader.info.dpi, reader.info.height) == (508, 508, 192)
        reader.close()


class Halving(ModuleCore):
    """A module on a line that loses the second half of an image, packet by packet, but the end."""

    halving = False

    def take(self, packet: Packet) -> Answer:
        answer = super().take(packet)
        if self.halving and packet.data[:1] == bytes([Instruction.UP_IMAGE]):
            return [*answer[: len(answer) // 2], answer[-1]]
        return answer


def test_half_an_image_is_not_taken_for_one_of_a_smaller_module() -> None:
    core = Halving(baud=FAST)
    with SimulatedModule(core) as module:
        module.press(FINGER.impression(1))
        reader = SerialReader(module.port)
        image_from(reader)
        core.halving = True
        with pytest.raises(Garbled, match="lost again and again"):
            reader.capture(WANTED, deadline=PATIENT)
        core.halving = False
        assert (image_from(reader) == wanted(FINGER.impression(1))).all()
        reader.close()


@pytest.mark.parametrize("packet", [32, 64, 128, 256])
def test_small_packets_are_made_larger_where_the_module_lets_us(packet: int) -> None:
    with SimulatedModule(ModuleCore(packet=packet)) as module:
        SerialReader(module.port).close()
        assert module.core.parameters.packet == 256


@pytest.mark.parametrize("baud", [9600, 38400, 57600, 115200])
def test_a_module_is_found_at_its_baud_rate_and_made_fast(baud: int) -> None:
    with SimulatedModule(ModuleCore(baud=baud), heed_baud=True) as module:
        module.press(FINGER.impression(1))
        reader = SerialReader(module.port)
        assert reader.baud == module.core.parameters.baud == FAST
        assert (image_from(reader) == wanted(FINGER.impression(1))).all()
        reader.close()


def test_a_module_keeps_its_baud_rate_where_that_is_wished() -> None:
    with SimulatedModule(ModuleCore(baud=57600), heed_baud=True) as module:
        reader = SerialReader(module.port, baud=57600, raise_baud=False)
        assert reader.baud == module.core.parameters.baud == 57600
        reader.close()


@pytest.mark.parametrize(
    "faults",
    [
        Faults(noise=0.4),
        Faults(drop=0.3, most=2),
        Faults(checksum=0.3, most=2),
        Faults(drop=1.0, most=1),
        Faults(deaf=1),
        Faults(noise=1.0, checksum=0.01, most=40),
    ],
    ids=str,
)
def test_a_bad_line_costs_time_and_no_pixel(
    module: SimulatedModule, reader: SerialReader, faults: Faults
) -> None:
    module.fail(faults)
    assert (image_from(reader) == wanted(FINGER.impression(1))).all()


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (Faults(checksum=1.0), Garbled),
        (Faults(drop=1.0), Broken),
        (Faults(deaf=10**9), Silent),
    ],
    ids=str,
)
def test_a_line_that_stays_bad_is_said_and_works_again_when_mended(
    module: SimulatedModule, reader: SerialReader, faults: Faults, said: type[Broken]
) -> None:
    module.fail(faults)
    with pytest.raises(said, match=module.port):
        reader.capture(WANTED, deadline=3)
    module.fail(Faults())
    assert (image_from(reader) == wanted(FINGER.impression(1))).all()


def test_a_deadline_ends_an_image_that_would_take_longer() -> None:
    with SimulatedModule(ModuleCore(baud=9600), throttled=True) as module:
        module.press(FINGER.impression(1))
        reader = SerialReader(module.port, raise_baud=False)
        begun = time.monotonic()
        with pytest.raises(Silent):
            reader.capture(WANTED, deadline=0.6)
        # The image takes 42 s at this rate.
        assert time.monotonic() - begun < 15
        reader.close()


def test_after_a_deadline_the_rest_of_the_image_is_not_taken_for_an_answer() -> None:
    with SimulatedModule(ModuleCore(baud=FAST), throttled=True) as module:
        module.press(FINGER.impression(1))
        reader = SerialReader(module.port)
        with pytest.raises(Silent):
            reader.capture(WANTED, deadline=0.8)
        module.press(FINGER.impression(2))
        taken = image_from(reader)
        assert (taken == wanted(FINGER.impression(2))).all()
        reader.close()


def test_a_cable_pulled_within_an_image_is_said_and_the_reader_works_when_it_is_back(
    module: SimulatedModule, reader: SerialReader
) -> None:
    shares: list[float] = []
    module.fail(Faults(unplug_after=12000))
    with pytest.raises(Unplugged, match="plug it in again"):
        reader.capture(WANTED, deadline=PATIENT, progress=shares.append)
    assert module.core.log[-1] == Instruction.UP_IMAGE
    assert 1.0 not in shares
    assert reader.baud is None
    with pytest.raises(Unplugged, match="plugged in"):
        reader.capture(WANTED, deadline=PATIENT)
    assert reader.info.width == 256
    module.replug()
    assert (image_from(reader) == wanted(FINGER.impression(1))).all()


def test_a_cable_pulled_while_a_finger_is_awaited_is_said(
    module: SimulatedModule, reader: SerialReader
) -> None:
    module.press(None)
    puller = threading.Timer(0.2, module.unplug)
    puller.start()
    with pytest.raises(Unplugged):
        reader.capture(WANTED, deadline=PATIENT)
    puller.join()
    assert not module.plugged


def test_a_finger_that_comes_while_we_wait_is_taken(
    module: SimulatedModule, reader: SerialReader
) -> None:
    module.press(None)
    presser = threading.Timer(0.2, module.press, [FINGER.impression(5)])
    presser.start()
    taken = image_from(reader)
    presser.join()
    assert (taken == wanted(FINGER.impression(5))).all()


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (None, NoImage.NO_FINGER),
        (np.full((288, 256), 230, np.uint8), NoImage.NO_FINGER),
        (FINGER.impression(1, Condition.PARTIAL), NoImage.TOO_SMALL),
        (
            np.random.default_rng(3).integers(0, 256, (288, 256)).astype(np.uint8),
            NoImage.TOO_MESSY,
        ),
    ],
    ids=["nothing", "bare glass", "a fingertip", "noise"],
)
def test_what_a_person_can_mend_is_a_value(
    module: SimulatedModule, reader: SerialReader, pixels: NDArray[np.uint8] | None, said: NoImage
) -> None:
    module.press(pixels)
    assert reader.capture(WANTED, deadline=1.0) is said


def test_one_can_wait_for_the_finger_to_be_lifted(
    module: SimulatedModule, reader: SerialReader
) -> None:
    assert not reader.wait_lifted(deadline=0.3)
    lifter = threading.Timer(0.2, module.press, [None])
    lifter.start()
    assert reader.wait_lifted(deadline=PATIENT)
    lifter.join()


def test_a_module_that_was_reset_is_given_its_password_again() -> None:
    with SimulatedModule(ModuleCore(password=0xCAFE, baud=FAST)) as module:
        module.press(FINGER.impression(1))
        reader = SerialReader(module.port, password=0xCAFE)
        module.core.wake()
        assert (image_from(reader) == wanted(FINGER.impression(1))).all()
        reader.close()


def test_a_wrong_password_is_refused() -> None:
    with (
        SimulatedModule(ModuleCore(password=0xCAFE)) as module,
        pytest.raises(Refused, match="WRONG_PASSWORD") as refused,
    ):
        SerialReader(module.port)
    assert refused.value.code == Code.WRONG_PASSWORD


@pytest.mark.parametrize(
    "instruction",
    [Instruction.GET_IMAGE, Instruction.IMAGE_TO_FEATURES, Instruction.UP_IMAGE],
)
def test_a_code_that_nobody_knows_is_told_by_its_number(instruction: Instruction) -> None:
    with SimulatedModule(Odd(instruction, 0x77)) as module:
        module.press(FINGER.impression(1))
        reader = SerialReader(module.port)
        with pytest.raises(Refused, match="code 0x77") as refused:
            reader.capture(WANTED, deadline=2)
        assert refused.value.code == 0x77
        reader.close()


def test_a_capture_that_fails_in_the_module_says_nothing_of_a_finger() -> None:
    with SimulatedModule(Odd(Instruction.GET_IMAGE, Code.CAPTURE_FAILED)) as module:
        reader = SerialReader(module.port)
        assert reader.capture(WANTED, deadline=0.3) is NoImage.NO_FINGER
        assert not reader.wait_lifted(deadline=0.3)
        reader.close()


def test_a_newer_module_says_its_name_and_serial_number() -> None:
    product = Product(model="R5xx", serial="A1B2C3D4", width=256, height=288)
    with SimulatedModule(ModuleCore(product=product)) as module:
        reader = SerialReader(module.port)
        assert (reader.info.name, reader.info.serial) == ("R5xx", "A1B2C3D4")
        assert not reader.info.simulated
        reader.close()


def test_closing_ends_a_capture_in_another_thread(
    module: SimulatedModule, reader: SerialReader
) -> None:
    module.press(None)
    closer = threading.Timer(0.2, reader.close)
    closer.start()
    with pytest.raises(Unplugged, match="closed"):
        reader.capture(WANTED, deadline=PATIENT)
    closer.join()
    reader.close()
    with pytest.raises(Unplugged, match="closed"):
        reader.capture(WANTED, deadline=1)


def test_closing_does_not_wait_for_the_rest_of_an_image() -> None:
    begun = threading.Event()
    shares: list[float] = []

    def progress(share: float) -> None:
        shares.append(share)
        begun.set()

    with SimulatedModule(ModuleCore(baud=9600), throttled=True) as module:
        module.press(FINGER.impression(1))
        reader = SerialReader(module.port, raise_baud=False)

        def close() -> None:
            begun.wait(PATIENT)
            reader.close()

        closer = threading.Thread(target=close)
        closer.start()
        with pytest.raises(Unplugged, match="closed"):
            reader.capture(WANTED, deadline=100, progress=progress)
        closer.join()
    assert max(shares) < 0.5


def test_a_port_that_hangs_up_before_a_command_is_unplugged() -> None:
    host, own = pty.openpty()
    tty.setraw(own)
    line = SerialLine(os.ttyname(own), baud=FAST)
    os.close(own)
    os.close(host)
    with pytest.raises(Unplugged, match="plug it in again"):
        line.ask(bytes([Instruction.GET_IMAGE]), until=time.monotonic() + PATIENT)
    line.close()


def test_a_serial_number_is_found_by_the_name_that_stays(
    module: SimulatedModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_id = tmp_path / "usb-1a86_USB_Serial-if00-port0"
    by_id.symlink_to(module.port)
    listed = ListPortInfo(os.path.realpath(module.port))
    listed.serial_number = "A50285BI"
    monkeypatch.setattr(list_ports, "comports", lambda: [listed])
    reader = SerialReader(str(by_id))
    assert reader.info.serial == "A50285BI"
    reader.close()


def test_a_port_without_a_module_is_silent() -> None:
    host, own = pty.openpty()
    tty.setraw(own)
    try:
        with pytest.raises(Silent, match="check power"):
            SerialReader(os.ttyname(own), clock=lambda: time.monotonic() * 10)
    finally:
        os.close(host)
        os.close(own)


def test_a_port_that_is_not_there_is_unplugged() -> None:
    with pytest.raises(Unplugged, match="plugged in"):
        SerialReader("/dev/no-such-port")


def test_two_drivers_do_not_share_a_port(module: SimulatedModule, reader: SerialReader) -> None:
    with pytest.raises(Unplugged, match="cannot be opened"):
        SerialReader(module.port)
    assert reader.capture(WANTED, deadline=PATIENT) is not NoImage.NO_FINGER


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "simulated:1",
        "serial",
        "serial:",
        "serial:ttyUSB0",
        "serial:/dev/ttyUSB0,",
        "serial:/dev/ttyUSB0,57601",
        "serial:/dev/ttyUSB0,57600,8N1",
        "serial:/dev/tty\0USB0",
        "camera:0",
        "SIMULATED",
        "x" * 10_000,
    ],
)
def test_a_reader_nobody_knows_is_refused(spec: str) -> None:
    with pytest.raises(ReaderUnknown) as refused:
        open_reader(spec)
    assert len(str(refused.value)) < 300


def test_a_serial_reader_is_opened_by_its_name(module: SimulatedModule) -> None:
    for spec in (f"serial:{module.port}", f"serial:{module.port},115200"):
        reader = open_reader(spec)
        assert isinstance(reader, SerialReader)
        assert isinstance(reader.capture(WANTED, deadline=PATIENT), tuple)
        reader.close()


def test_the_simulated_reader_says_that_it_is_simulated_and_reads_fingers() -> None:
    reader = open_reader("simulated")
    assert isinstance(reader, SimulatedReader)
    assert reader.info.simulated
    assert reader.capture(WANTED, deadline=0.2) is NoImage.NO_FINGER
    reader.present(5, 2)
    first = image_from(reader)
    reader.present(5, 2)
    second = image_from(reader)
    assert (first != second).any()
    assert first.shape == (reader.info.height, reader.info.width)
    reader.present(5, 2, condition="partial")
    assert reader.capture(WANTED, deadline=PATIENT) is NoImage.TOO_SMALL
    reader.lift()
    assert reader.wait_lifted(deadline=PATIENT)
    reader.close()
    reader.close()


@pytest.mark.parametrize(
    ("position", "condition"), [(0, "well"), (11, "well"), (-1, "well"), (1, "perfect"), (1, "")]
)
def test_a_finger_that_nobody_has_is_not_presented(position: int, condition: str) -> None:
    reader = SimulatedReader()
    with pytest.raises(ValueError, match=r"position|Condition"):
        reader.present(1, position, condition=condition)
    reader.close()


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((288, 256, 3), np.uint8),
        np.zeros((288, 256), np.float32),
        np.zeros((0, 256), np.uint8),
    ],
)
def test_only_grey_images_lie_on_the_glass(
    module: SimulatedModule, pixels: NDArray[np.uint8]
) -> None:
    with pytest.raises(ValueError, match="uint8"):
        module.press(pixels)


def test_a_reader_is_tried_from_the_command_line(
    module: SimulatedModule, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "taken.png"
    assert main(["take", f"serial:{module.port}", "--out", str(out)]) == 0
    taken = cv2.imread(str(out), cv2.IMREAD_GRAYSCALE)
    assert taken is not None
    assert (taken == wanted(FINGER.impression(1))).all()
    assert main(["take", "simulated", "--out", str(out)]) == 0
    module.press(None)
    assert main(["take", f"serial:{module.port}", "--seconds", "0.2", "--out", str(out)]) == 1
    assert main(["take", "serial:/dev/no-such-port", "--out", str(out)]) == 1
    assert main(["take", "nonsense", "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert all(word in said for word in ("no_finger", "plugged in", "wanted serial:"))


def test_made_up_hands_are_drawn_from_the_command_line(tmp_path: Path) -> None:
    out = tmp_path / "hands.png"
    assert main(["hands", "--person", "3", "--out", str(out)]) == 0
    drawn = cv2.imread(str(out), cv2.IMREAD_GRAYSCALE)
    assert drawn is not None
    assert drawn.shape == (2 * 288, 5 * 256)
    assert main(["hands", "--person", "3", "--out", str(tmp_path / "no" / "such.png")]) == 1
    assert main(["hands", "--person", "-1", "--out", str(out)]) == 1


def test_a_plug_pulled_at_any_of_100_bytes_costs_nothing_but_time() -> None:
    shown = FINGER.impression(1)
    places = np.random.default_rng(2026).integers(0, 38_400, 100)
    with SimulatedModule(ModuleCore(baud=FAST, packet=PACKET_SIZES[-1])) as module:
        module.press(shown)
        reader = SerialReader(module.port, baud=FAST)
        for place in places.tolist():
            module.fail(Faults(unplug_after=place))
            with pytest.raises(Unplugged):
                reader.capture(WANTED, deadline=PATIENT)
            assert not module.plugged
            module.replug()
            assert (image_from(reader) == wanted(shown)).all()
        reader.close()


@pytest.mark.parametrize("wrong", [{"password": -1}, {"password": 2**32}, {"address": 2**32}])
def test_a_password_or_address_that_no_module_has_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="32 bits"):
        SerialReader("/dev/null", **wrong)  # type: ignore[arg-type]  # one of two numbers
