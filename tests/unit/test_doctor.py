"""The kiosk examines itself: each part says what to do, and none takes another down."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import chain, repeat
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from numpy.typing import NDArray

from biometrics.face import models
from biometrics.seal.keys import PrivateKeys
from hardware.camera.port import CameraInfo, Frame
from hardware.camera.sitter import Behaviour
from hardware.codes.port import CodeReaderInfo
from hardware.errors import Broken, Silent, Unplugged
from hardware.finger.examination import QUESTIONS, Module
from hardware.finger.hand import SimulatedHand
from hardware.finger.module_core import ModuleCore
from hardware.finger.module_simulator import Faults, SimulatedModule
from hardware.finger.port import (
    FingerReader,
    Impression,
    NoImage,
    Preview,
    ReaderInfo,
    Touch,
    Wanted,
)
from hardware.finger.serial_module import SerialReader
from hardware.finger.simulated_reader import SimulatedReader
from hardware.iris.port import IrisInfo
from hardware.printer.port import PrinterInfo, PrinterStatus, Roll
from kiosk import clock
from kiosk.device import KEY_FILE, Device
from kiosk.doctor import __main__ as command
from kiosk.doctor import camera, machine, office, peripherals, reader, record, rounds
from kiosk.doctor.check import Check, Figure, State, doctor_words, found, worst
from kiosk.doctor.devices import Opened
from kiosk.doctor.machine import Discipline
from kiosk.doctor.picture import edge_blur, measure
from kiosk.ledger import Ledger
from kiosk.protocol import (
    BothLanguages,
    CheckIn,
    LeaveVisit,
    Refusal,
    RosterOfficer,
    SealingKeys,
    Station,
    Visit,
)
from kiosk.readers import Readers
from kiosk.receipts import message_of
from kiosk.settings import Settings
from kiosk.station import StationMemory
from kiosk.uplink import NoNetwork, Refused, ServerForeign
from tests import faces

NOW = datetime(2026, 11, 25, 0, 30, tzinfo=UTC)
STATES = {
    "ok": State.OK,
    "absent": State.ABSENT,
    "attention": State.ATTENTION,
    "broken": State.BROKEN,
}


def settings_of(folder: Path, **changes: object) -> Settings:
    fields = {
        "server": "http://127.0.0.1:9",
        "data": folder,
        "camera": "sitter:7",
        "reader": "simulated",
        "least_free": 0,
    }
    return Settings.model_validate({**fields, **changes})


class Fakes:
    """Devices as a test wants them."""

    def __init__(self) -> None:
        self.info = CameraInfo(name="camera 0", simulated=False, width=1280, height=720)
        self.pictures: list[NDArray[np.uint8]] | Broken = []
        self.rate = 15.0
        self.glass: FingerReader | Broken | None = None
        self.scans: CodeReaderInfo | Broken = CodeReaderInfo(name="s", path="/x", simulated=False)
        self.eyes: IrisInfo | Broken = IrisInfo(name="e", serial="1", simulated=True, both=True)
        self.status: PrinterStatus | Broken | None = None

    def frames(self, count: int) -> tuple[CameraInfo, list[Frame]]:
        if isinstance(self.pictures, Broken):
            raise self.pictures
        shown = [self.pictures[n % len(self.pictures)] for n in range(count)]
        return self.info, [
            Frame(pixels=one, at=n / self.rate, number=n) for n, one in enumerate(shown)
        ]

    @contextmanager
    def reader(self) -> Iterator[FingerReader | None]:
        if isinstance(self.glass, Broken):
            raise self.glass
        yield self.glass

    def irises(self) -> IrisInfo:
        if isinstance(self.eyes, Broken):
            raise self.eyes
        return self.eyes

    def scanner(self) -> CodeReaderInfo:
        if isinstance(self.scans, Broken):
            raise self.scans
        return self.scans

    def printer(self) -> tuple[PrinterInfo, PrinterStatus | None]:
        if isinstance(self.status, Broken):
            raise self.status
        return PrinterInfo(name="p", path="/x", simulated=False, width=576), self.status


def figures(check: Check) -> dict[str, float | str]:
    return {one.name: one.value for one in check.figures}


def said(check: Check) -> str:
    """The key of a check's sentence, which is there with its places filled in."""
    assert "{" not in check.text.vi + check.text.en
    return check.key


# The picture


def step(blur: float, noise: float = 0.0) -> NDArray[np.float32]:
    picture = np.full((360, 640), 40, np.float32)
    picture[60:300, 150:450] = 200
    rng = np.random.default_rng(3)
    blurred = cv2.GaussianBlur(picture, (0, 0), blur) if blur else picture
    return np.asarray(blurred + rng.normal(0, noise or 1e-9, picture.shape), np.float32)


@pytest.mark.parametrize("blur", [1.0, 1.5, 2.0, 3.0, 4.0])
def test_the_blur_of_an_edge_is_measured_in_pixels_whatever_its_contrast(blur: float) -> None:
    assert edge_blur(step(blur)) == pytest.approx(blur, rel=0.1)
    assert edge_blur(step(blur, noise=2)) == pytest.approx(blur, rel=0.15)
    pale = (40 + (step(blur) - 40) * 0.6).astype(np.float32)
    assert edge_blur(pale) == pytest.approx(blur, rel=0.1)


def test_more_blur_is_never_measured_as_less() -> None:
    grey = np.asarray(cv2.cvtColor(faces.frame(1), cv2.COLOR_BGR2GRAY), np.uint8)
    steps = (0.8, 1.2, 1.8, 2.5, 3.5, 5)
    seen = [edge_blur(blurred(grey, sigma).astype(np.float32)) for sigma in steps]
    assert seen == sorted(seen, key=lambda one: one or 0)


def test_a_blank_wall_has_no_focus_to_measure() -> None:
    rng = np.random.default_rng(1)
    wall = 200 + rng.normal(0, 4, (720, 1280))
    assert edge_blur(wall.astype(np.float32)) is None


def fakes_of(*pictures: NDArray[np.uint8]) -> Fakes:
    fakes = Fakes()
    fakes.pictures = list(pictures)
    return fakes


def moving(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Two frames that differ as a sensor's do."""
    other = picture.copy()
    other[0, 0] ^= 1
    return picture, other


def blurred(picture: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def half_dark(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shade = np.linspace(0.35, 1.0, picture.shape[1])[None, :, None]
    return np.asarray(picture * shade, np.uint8)


@pytest.mark.parametrize(
    ("picture", "part", "key"),
    [
        (lambda: faces.frame(1), "camera", "camera.ok"),
        (lambda: faces.frame(1), "focus", "focus.ok"),
        (lambda: faces.frame(1), "light", "light.ok"),
        (lambda: blurred(faces.frame(1), 5), "focus", "focus.blurred"),
        (lambda: np.full((720, 1280, 3), 180, np.uint8), "focus", "focus.blank"),
        (lambda: faces.frame(1, Behaviour.DARK), "light", "light.dark"),
        (lambda: faces.frame(1, Behaviour.BRIGHT), "light", "light.bright"),
        (lambda: half_dark(faces.frame(1)), "light", "light.uneven"),
    ],
)
def test_what_is_wrong_with_a_picture_is_said(
    picture: Callable[[], NDArray[np.uint8]], part: str, key: str
) -> None:
    checks = {check.name: check for check in camera.examine(fakes_of(*moving(picture())))}
    assert set(checks) == set(camera.PARTS)
    assert said(checks[part]) == key


def test_a_grainy_picture_asks_for_more_light() -> None:
    rng = np.random.default_rng(2)
    grey = [np.clip(rng.normal(120, 12, (720, 1280, 3)), 0, 255).astype(np.uint8) for _ in "ab"]
    light = camera.examine(fakes_of(*grey))[2]
    assert said(light) == "light.noisy"
    assert figures(light)["noise"] == pytest.approx(9, abs=4)


def test_a_camera_that_gives_one_picture_for_ever_or_too_few_is_found_out() -> None:
    fakes = fakes_of(faces.frame(1))
    assert said(camera.examine(fakes)[0]) == "camera.still"
    fakes = fakes_of(*moving(faces.frame(1)))
    fakes.rate = 4
    assert said(camera.examine(fakes)[0]) == "camera.slow"
    assert figures(camera.examine(fakes)[0])["rate"] == 4
    fakes.info = replace(fakes.info, width=640, height=480)
    assert said(camera.examine(fakes)[0]) == "camera.small"


def test_a_missing_camera_is_broken_and_only_one_finding() -> None:
    fakes = Fakes()
    fakes.pictures = Unplugged("camera 0 is not there")
    (check,) = camera.examine(fakes)
    assert check.state is State.BROKEN
    assert figures(check)["detail"] == "camera 0 is not there"


def test_no_frame_is_no_picture() -> None:
    with pytest.raises(ValueError, match="no frame"):
        measure([])


# The reader


@contextmanager
def serial(*, raise_baud: bool = True) -> Iterator[tuple[SimulatedModule, SerialReader]]:
    with SimulatedModule(ModuleCore(baud=57600)) as module:
        opened = SerialReader(module.port, raise_baud=raise_baud)
        try:
            yield module, opened
        finally:
            opened.close()


def lying(*, condition: str = "well") -> NDArray[np.uint8]:
    return SimulatedHand(7).finger(2).impression(1, condition)  # type: ignore[arg-type]


def test_a_clean_module_on_a_good_line_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LOOK", 0.2)
    fakes = Fakes()
    with serial() as (_, opened):
        assert isinstance(opened, Module)
        fakes.glass = opened
        line, glass = reader.examine_reader(fakes)
    assert (said(line), said(glass)) == ("reader.ok", "glass.ok")
    assert figures(line)["baud"] == 115200
    assert figures(line)["answers"] == f"{QUESTIONS} / {QUESTIONS}"


def test_a_slow_line_and_a_bad_one_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LOOK", 0.2)
    fakes = Fakes()
    with serial(raise_baud=False) as (module, opened):
        fakes.glass = opened
        slow = reader.examine_reader(fakes)[0]
        assert said(slow) == "reader.slow"
        assert "57600" in slow.text.vi
        module.fail(Faults(checksum=1.0, most=3))
        bad = reader.examine_reader(fakes)[0]
    assert said(bad) == "reader.line"
    assert figures(bad)["answers"] == f"{QUESTIONS - 1} / {QUESTIONS}"


def test_a_trace_that_the_module_takes_for_a_finger_asks_for_a_cloth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "LOOK", 6.0)
    fakes = Fakes()
    with serial() as (module, opened):
        module.press(lying())
        fakes.glass = opened
        glass = reader.examine_reader(fakes)[1]
    assert said(glass) == "glass.latent"
    assert glass.state is State.ATTENTION
    assert float(figures(glass)["area"]) >= reader.LATENT_FROM


class Glass:
    """A reader with live pictures of its glass."""

    def __init__(
        self, *pictures: NDArray[np.uint8], answer: NoImage = NoImage.NO_FINGER, touch: Touch
    ) -> None:
        self.pictures, self.answer = pictures, answer
        self.info = ReaderInfo(
            name="slap",
            serial="S",
            simulated=False,
            width=500,
            height=500,
            dpi=500,
            takes=frozenset({touch}),
        )

    def capture(
        self,
        wanted: Wanted,
        *,
        deadline: float,
        progress: Callable[[float], None] | None = None,
        preview: Preview | None = None,
    ) -> tuple[Impression, ...] | NoImage:
        assert wanted.touch in self.info.takes
        assert deadline > 0
        assert progress is None
        assert preview is not None
        for picture in self.pictures:
            preview(picture)
        return self.answer

    def wait_lifted(self, *, deadline: float) -> bool:
        return deadline > 0

    def close(self) -> None:
        """Nothing is held."""


def empty() -> NDArray[np.uint8]:
    return np.clip(np.random.default_rng(4).normal(250, 1, (400, 400)), 0, 255).astype(np.uint8)


def latent(strength: float) -> NDArray[np.uint8]:
    faint = 250 - (250 - lying().astype(np.float64)) * strength
    return faint.astype(np.uint8)


@pytest.mark.parametrize("touch", list(Touch))
@pytest.mark.parametrize(
    ("glass", "key"),
    [
        (lambda: (empty(),), "glass.ok"),
        (lambda: (empty(), latent(0.25)), "glass.latent"),
        (lambda: (), "glass.unseen"),
        (lambda: (np.zeros((3, 3), np.uint8),), "glass.ok"),
    ],
)
def test_live_pictures_of_an_empty_glass_show_what_lies_there(
    touch: Touch, glass: Callable[[], tuple[NDArray[np.uint8], ...]], key: str
) -> None:
    fakes = Fakes()
    fakes.glass = Glass(*glass(), touch=touch)
    assert said(reader.examine_reader(fakes)[1]) == key


def test_something_that_is_no_finger_is_dirt() -> None:
    fakes = Fakes()
    fakes.glass = Glass(answer=NoImage.TOO_MESSY, touch=Touch.SINGLE)
    assert said(reader.examine_reader(fakes)[1]) == "glass.latent"


def test_a_missing_reader_is_broken_and_one_in_use_is_left_alone() -> None:
    fakes = Fakes()
    (check,) = reader.examine_reader(fakes)
    assert check.state is State.ABSENT
    fakes.glass = Silent("no module answers")
    (check,) = reader.examine_reader(fakes)
    assert check.state is State.BROKEN


# What is beside


@pytest.mark.parametrize(
    ("status", "key", "state"),
    [
        (None, "printer.silent", "absent"),
        (Unplugged("gone"), "printer.missing", "attention"),
        (
            PrinterStatus(online=True, cover_open=False, fault=False, roll=Roll.PLENTY),
            "printer.ok",
            "ok",
        ),
        (
            PrinterStatus(online=True, cover_open=False, fault=False, roll=Roll.NEAR_END),
            "printer.near_end",
            "attention",
        ),
        (
            PrinterStatus(online=False, cover_open=False, fault=False, roll=Roll.OUT),
            "printer.paper_out",
            "attention",
        ),
        (
            PrinterStatus(online=False, cover_open=True, fault=False, roll=Roll.PLENTY),
            "printer.cover_open",
            "attention",
        ),
        (
            PrinterStatus(online=False, cover_open=False, fault=True, roll=Roll.PLENTY),
            "printer.not_ready",
            "attention",
        ),
    ],
)
def test_the_printers_paper_and_cover_are_looked_at(
    tmp_path: Path, status: PrinterStatus | Broken | None, key: str, state: str
) -> None:
    fakes = Fakes()
    fakes.status = status
    settings = settings_of(tmp_path, printer="escpos:/dev/usb/lp0")
    check = peripherals.examine_printer(settings, fakes)
    assert (said(check), check.state) == (key, STATES[state])


def test_a_scanner_is_missed_only_where_one_is_wanted(tmp_path: Path) -> None:
    fakes = Fakes()
    fakes.scans = Unplugged("gone")
    none = peripherals.examine_scanner(settings_of(tmp_path), fakes)
    assert said(none) == "scanner.none"
    wanted = settings_of(tmp_path, code_reader="hid:/dev/input/by-id/x-event-kbd")
    assert said(peripherals.examine_scanner(wanted, fakes)) == "scanner.missing"
    fakes.scans = CodeReaderInfo(name="Wedge", path="/x", simulated=False)
    assert said(peripherals.examine_scanner(wanted, fakes)) == "scanner.ok"
    assert said(peripherals.examine_printer(settings_of(tmp_path), fakes)) == "printer.none"


def test_an_iris_scanner_is_missed_only_where_one_is_wanted(tmp_path: Path) -> None:
    fakes = Fakes()
    assert said(peripherals.examine_irises(settings_of(tmp_path), fakes)) == "iris.none"
    wanted = settings_of(tmp_path, iris="sbi:EYE-1")
    check = peripherals.examine_irises(wanted, fakes)
    assert (said(check), check.simulated) == ("iris.ok", True)
    fakes.eyes = Unplugged("no service")
    check = peripherals.examine_irises(wanted, fakes)
    assert (said(check), check.state) == ("iris.missing", State.ATTENTION)


def test_each_device_is_named_once_by_the_name_that_stays(tmp_path: Path) -> None:
    for name in ("ttyUSB0", "video0", "video1", "input/event3", "usb/lp0"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    for link, to in (
        ("serial/by-id/usb-FTDI_A1-if00-port0", "ttyUSB0"),
        ("input/by-id/usb-Wedge-event-kbd", "input/event3"),
        ("v4l/by-id/usb-Cam-index0", "video0"),
    ):
        path = tmp_path / link
        path.parent.mkdir(parents=True)
        path.symlink_to(tmp_path / to)
    check = peripherals.examine_ports(settings_of(tmp_path), tmp_path)
    assert said(check) == "plugged.ok"
    assert [(one.name, one.value) for one in check.figures] == [
        ("port", "usb-FTDI_A1-if00-port0 → ttyUSB0"),
        ("video", "usb-Cam-index0 → video0"),
        ("video", str(tmp_path / "video1")),
        ("input", "usb-Wedge-event-kbd → event3"),
        ("paper", str(tmp_path / "usb/lp0")),
    ]
    assert said(peripherals.examine_ports(settings_of(tmp_path), tmp_path / "x")) == "plugged.none"
    changing = settings_of(tmp_path, reader="serial:/dev/ttyUSB0,57600")
    assert said(peripherals.examine_ports(changing, tmp_path)) == "plugged.name"


# The machine


@pytest.mark.parametrize(
    ("kept", "offset", "key"),
    [
        (Discipline(synchronised=True, error=0.001), 0.3, "clock.ok"),
        (Discipline(synchronised=True, error=0.001), None, "clock.alone"),
        (Discipline(synchronised=False, error=16), 0.3, "clock.free"),
        (Discipline(synchronised=False, error=16), None, "clock.free"),
        (None, 0.3, "clock.ok"),
        (None, None, "clock.alone"),
        (None, -20.0, "clock.off"),
        (Discipline(synchronised=True, error=0.001), 59.0, "clock.off"),
        (None, 61.0, "clock.wrong"),
        (None, -301.0, "clock.wrong"),
    ],
)
def test_the_clock_is_held_against_the_kernel_and_the_server(
    kept: Discipline | None, offset: float | None, key: str
) -> None:
    assert said(machine.examine_clock(kept, offset)) == key


def test_the_kernel_of_this_machine_says_something_or_nothing() -> None:
    kept = machine.discipline()
    assert kept is None or kept.error >= 0


def ledger_of(folder: Path, *sizes: int, at: datetime = NOW) -> Path:
    path = folder / "outbox.db"
    ledger = Ledger(path)
    for number, size in enumerate(sizes, 1):
        ledger._write(
            "INSERT INTO packet (sequence, digest, visit, size, sealed_at) VALUES (?, ?, ?, ?, ?)",
            number,
            f"{number:064x}",
            "v",
            size,
            at.isoformat(),
        )
    ledger.close()
    return path


def test_room_is_counted_in_people_by_what_people_took_here(tmp_path: Path) -> None:
    path = ledger_of(tmp_path, 2_000_000, 4_000_000)
    check = machine.examine_disk(tmp_path, path, 0)
    seen = figures(check)
    assert seen["measured"] == 2
    assert float(seen["each"]) == pytest.approx(3_000_000 / 1024**2, abs=0.01)
    before = int(seen["people"])
    (tmp_path / "other").mkdir()
    twice = ledger_of(tmp_path / "other", 6_000_000)
    assert int(figures(machine.examine_disk(tmp_path, twice, 0))["people"]) == pytest.approx(
        before / 2, rel=0.1
    )


def test_a_disk_with_too_little_room_says_for_how_few(tmp_path: Path) -> None:
    path = ledger_of(tmp_path, 1024**2)
    room = int(figures(machine.examine_disk(tmp_path, path, 0))["people"])
    few = machine.examine_disk(tmp_path, path, (room - 100) * 1024**2)
    assert said(few) == "disk.low"
    assert machine.examine_disk(tmp_path, path, 2**62).state is State.BROKEN
    assert said(machine.examine_disk(tmp_path / "nowhere", path, 0)) == "disk.unknown"


def test_a_damaged_outbox_takes_the_disks_examination_not_down(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"no database" * 100)
    assert figures(machine.examine_disk(tmp_path, path, 0))["measured"] == 0
    assert said(office.examine_outbox(path, now=NOW)) == "outbox.broken"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n", "memory.ok"),
        ("MemTotal: 8000000 kB\nMemAvailable: 100000 kB\n", "memory.low"),
        ("MemTotal: 8000000 kB\n", "memory.unknown"),
        ("nonsense", "memory.unknown"),
        ("MemAvailable:\n", "memory.unknown"),
    ],
)
def test_memory_is_read_from_the_kernel(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "meminfo").write_text(text, encoding="ascii")
    assert said(machine.examine_memory(tmp_path / "meminfo")) == key
    assert said(machine.examine_memory(tmp_path / "none")) == "memory.unknown"


def test_the_hottest_place_counts(tmp_path: Path) -> None:
    assert said(machine.examine_heat(tmp_path)) == "heat.unknown"
    for number, text in enumerate(("45000", "81500", "asleep")):
        zone = tmp_path / f"thermal_zone{number}"
        zone.mkdir()
        (zone / "temp").write_text(text, encoding="ascii")
        if number == 0:
            assert said(machine.examine_heat(tmp_path)) == "heat.ok"
    hot = machine.examine_heat(tmp_path)
    assert said(hot) == "heat.hot"
    assert figures(hot)["heat"] == 82


# Between kiosk and server


@pytest.mark.parametrize(
    ("age", "key"), [(timedelta(hours=1), "outbox.waiting"), (timedelta(hours=30), "outbox.old")]
)
def test_what_waits_is_counted_and_what_waits_long_is_said(
    tmp_path: Path, age: timedelta, key: str
) -> None:
    path = ledger_of(tmp_path, 10, 20, 30, at=NOW - age)
    check = office.examine_outbox(path, now=NOW)
    assert said(check) == key
    assert figures(check)["waiting"] == 3
    ledger = Ledger(path)
    text = BothLanguages(vi="không", en="no")
    ledger.refused(2, Refusal(code="x", text=text), now=NOW)
    ledger.close()
    check = office.examine_outbox(path, now=NOW)
    assert said(check) == "outbox.refused"
    assert figures(check)["refused"] == 1
    assert said(office.examine_outbox(tmp_path / "none", now=NOW)) == "outbox.ok"


class Post:
    """A server that says what it is told to."""

    def __init__(self, station: Station | Exception) -> None:
        self._station = station

    def station(self) -> Station:
        if isinstance(self._station, Exception):
            raise self._station
        return self._station

    def check_in(self, who: CheckIn) -> Visit:
        raise AssertionError(who)

    def leave(self, leave: LeaveVisit) -> None:
        raise AssertionError(leave)


def furnish(folder: Path, *, until: datetime) -> Station:
    """Give a data folder all its keys."""
    Device.create(folder)
    receipts = ec.generate_private_key(ec.SECP256R1())
    public = receipts.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "receipt-key.pem").write_bytes(public)
    sealing = PrivateKeys.create("k1").public
    unsigned = SealingKeys(
        kid=sealing.kid,
        p256=base64.b64encode(sealing.p256).decode(),
        pq=base64.b64encode(sealing.pq).decode(),
        not_after=until,
        signature="",
    )
    signature = receipts.sign(message_of(unsigned), ec.ECDSA(hashes.SHA256()))
    keys = unsigned.model_copy(update={"signature": base64.b64encode(signature).decode()})
    officer = RosterOfficer(officer="cb01", name="Lê Văn An", pin_hash="x")
    station = Station(code="S01", name="Giả Định", keys=keys, officers=(officer,))
    StationMemory(folder, receipts.public_key()).keep(station)
    return station


@pytest.mark.parametrize(
    ("left", "key"),
    [
        (timedelta(days=60), "keys.ok"),
        (timedelta(days=3), "keys.soon"),
        (timedelta(days=-1), "keys.over"),
    ],
)
def test_keys_are_counted_in_days(tmp_path: Path, left: timedelta, key: str) -> None:
    furnish(tmp_path, until=NOW + left)
    check = office.examine_keys(tmp_path, now=NOW)
    assert said(check) == key
    assert figures(check)["sealing"] == "k1"


def test_a_key_that_is_missing_or_read_by_others_is_broken(tmp_path: Path) -> None:
    assert said(office.examine_keys(tmp_path, now=NOW)) == "keys.device"
    furnish(tmp_path, until=NOW + timedelta(days=60))
    (tmp_path / "station.json").unlink()
    assert said(office.examine_keys(tmp_path, now=NOW)) == "keys.unknown"
    (tmp_path / "receipt-key.pem").write_bytes(b"no key")
    assert said(office.examine_keys(tmp_path, now=NOW)) == "keys.receipt"
    (tmp_path / KEY_FILE).chmod(0o644)
    assert said(office.examine_keys(tmp_path, now=NOW)) == "keys.device"


def dated(offset: timedelta) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.method == "HEAD"
        return httpx.Response(404, headers={"Date": format_datetime(NOW - offset, usegmt=True)})

    return httpx.MockTransport(answer)


def cut(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("the line is cut", request=request)


@pytest.mark.parametrize("ahead", [0, 120, -400])
def test_the_servers_time_is_compared_with_ours(tmp_path: Path, ahead: int) -> None:
    station = furnish(tmp_path, until=NOW + timedelta(days=60))
    transport = dated(timedelta(seconds=ahead))
    line = office.examine_line(Post(station), "http://x", clock=lambda: NOW, transport=transport)
    assert said(line.check) == "server.ok"
    assert line.offset == pytest.approx(ahead, abs=0.6)


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (NoNetwork("cut"), "server.away"),
        (ServerForeign("a sign-in page"), "server.foreign"),
        (
            Refused(Refusal(code="x", text=BothLanguages(vi="Máy lạ.", en="Unknown.")), 403),
            "server.refused",
        ),
    ],
)
def test_each_way_a_server_can_fail_has_its_own_advice(error: Exception, key: str) -> None:
    transport = httpx.MockTransport(cut)
    line = office.examine_line(Post(error), "http://x", clock=lambda: NOW, transport=transport)
    assert said(line.check) == key
    assert line.check.state is State.BROKEN
    assert line.offset is None
    if isinstance(error, Refused):
        assert error.refusal.text.vi in line.check.text.vi
        assert error.refusal.text.en in line.check.text.en
        assert error.refusal.text.vi not in line.check.text.en
    alone = office.examine_line(None, "http://x", clock=lambda: NOW, transport=transport)
    assert said(alone.check) == "server.away"


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 99 Nov 2026 00:00:00 GMT"])
def test_a_date_that_is_none_is_not_compared(date: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers={"Date": date}))
    line = office.examine_line(
        Post(NoNetwork("x")), "http://x", clock=lambda: NOW, transport=transport
    )
    assert line.offset is None


def test_a_network_of_one_wrong_bit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(office.examine_models()) == "models.ok"
    wrong = {**models.MODELS, "iris": replace(models.MODELS["iris"], sha256="0" * 64)}
    monkeypatch.setattr(models, "MODELS", wrong)
    check = office.examine_models()
    assert said(check) == "models.altered"
    assert "iris" in check.text.vi


# All of it


def test_a_whole_round_examines_every_part_with_stand_ins_that_say_so(tmp_path: Path) -> None:
    furnish(tmp_path, until=NOW + timedelta(days=60))
    settings = settings_of(tmp_path, printer="simulated")
    checks = {check.name: check for check in rounds.run(settings, clock=lambda: NOW)}
    words = doctor_words()
    parts = {key.split(".")[2] for key in words if key.startswith("doctor.part.")}
    assert set(checks) == parts
    assert checks["server"].state is State.BROKEN
    assert {name for name, one in checks.items() if one.simulated} == {
        *("camera", "focus", "light", "reader", "glass", "printer")
    }
    for check in checks.values():
        assert all(f"doctor.figure.{one.name}" in words for one in check.figures), check.name


def test_a_part_that_falls_is_a_finding_and_takes_no_other_down(tmp_path: Path) -> None:
    class Falling(Fakes):
        def frames(self, count: int) -> tuple[CameraInfo, list[Frame]]:
            raise ZeroDivisionError(count)

    checks = rounds.run(settings_of(tmp_path), clock=lambda: NOW, devices=Falling())
    assert said(checks[0]) == "fell"
    assert checks[0].state is State.BROKEN
    assert {"reader", "keys", "memory"} <= {check.name for check in checks}


def test_no_device_is_touched_once_somebody_is_there(tmp_path: Path) -> None:
    asked = chain([True], repeat(False))
    fakes = fakes_of(*moving(faces.frame(1)))
    fakes.glass = Unplugged("must not be asked")
    checks = rounds.run(
        settings_of(tmp_path), clock=lambda: NOW, devices=fakes, free=lambda: next(asked)
    )
    by_name = {check.name: check for check in checks}
    assert said(by_name["camera"]) == "camera.ok"
    assert said(by_name["reader"]) == "skipped"
    assert by_name["reader"].state is State.ABSENT


def test_opened_devices_are_let_go_again(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    devices = Opened(settings=settings, readers=Readers(settings, lambda: NOW))
    info, frames = devices.frames(3)
    assert info.simulated
    assert [frame.number for frame in frames] == sorted(frame.number for frame in frames)
    with devices.reader() as opened:
        assert isinstance(opened, SimulatedReader)
    assert opened.info.simulated
    with pytest.raises(Unplugged):
        opened.wait_lifted(deadline=0.1)
    with pytest.raises(Unplugged):
        devices.irises()


# What is kept of it


CHECKS = (
    found("camera", State.OK, "camera.ok", Figure(name="rate", value=14.9)),
    found("keys", State.ATTENTION, "keys.soon", days=3),
    found("heat", State.ABSENT, "heat.unknown"),
)


def test_the_last_examination_is_kept_whole_and_is_due_again_tomorrow(tmp_path: Path) -> None:
    assert record.last(tmp_path) is None
    kept = record.Record(at=NOW, checks=CHECKS)
    record.keep(tmp_path, kept)
    assert record.last(tmp_path) == kept
    assert kept.as_json()["state"] == "attention"
    assert not kept.due(NOW + timedelta(hours=10))
    # 17:00 UTC is midnight here.
    assert kept.due(NOW + timedelta(hours=17))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'{"at": "2026-11-25T00:30:00", "checks": []}',
        b'{"at": 5, "checks": []}',
        b'{"at": "2026-11-25T00:30:00+00:00", "checks": [{"name": "x"}]}',
        b'{"at": "2026-11-25T00:30:00+00:00", "checks": 7}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_record_that_cannot_be_read_is_as_good_as_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / record.FILE).write_bytes(data)
    assert record.last(tmp_path) is None


def test_the_worst_state_is_the_one_that_counts() -> None:
    assert worst(()) is State.OK
    assert worst(CHECKS) is State.ATTENTION
    assert worst((*CHECKS, found("camera", State.BROKEN, "camera.missing"))) is State.BROKEN


@pytest.mark.parametrize("value", [None, True, [], {}])
def test_a_figure_is_a_number_or_a_name(value: object) -> None:
    data = CHECKS[0].as_json()
    assert Check.from_json(data) == CHECKS[0]
    data["figures"][0]["value"] = value
    with pytest.raises(TypeError):
        Check.from_json(data)


# The command


def environment(monkeypatch: pytest.MonkeyPatch, folder: Path, checks: tuple[Check, ...]) -> None:
    monkeypatch.setenv("THUNHAN_KIOSK_SERVER", "http://127.0.0.1:9")
    monkeypatch.setenv("THUNHAN_KIOSK_DATA", str(folder))
    # Nothing listens there: the lowest ports belong to services no test machine runs.
    monkeypatch.setenv("THUNHAN_KIOSK_PORT", "9")
    monkeypatch.setattr(command, "run", lambda *_, **__: checks)


@pytest.mark.parametrize(
    ("checks", "status"), [(CHECKS[:1], 0), (CHECKS[2:], 0), (CHECKS, 1), ((), 0)]
)
def test_the_exit_status_says_whether_something_is_to_be_done(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checks: tuple[Check, ...],
    status: int,
) -> None:
    environment(monkeypatch, tmp_path, checks)
    assert command.main([]) == status
    written = capsys.readouterr().out
    assert all(check.text.vi in written for check in checks)
    assert record.last(tmp_path) is not None


def test_what_is_broken_ends_with_two_and_json_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = (*CHECKS, found("camera", State.BROKEN, "camera.missing"))
    environment(monkeypatch, tmp_path, broken)
    assert command.main(["--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["state"] == "broken"
    assert record.read(told).checks == broken
    assert command.main(["--language", "en"]) == 2
    assert "Cannot serve yet" in capsys.readouterr().out


def test_without_settings_or_in_anothers_folder_nothing_is_examined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("THUNHAN_KIOSK_SERVER", raising=False)
    assert command.main([]) == command.UNABLE
    environment(monkeypatch, tmp_path, CHECKS)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert command.main([]) == command.UNABLE
    assert "belongs to another user" in capsys.readouterr().err
    assert record.last(tmp_path) is None


def test_a_running_kiosk_is_asked_to_examine_itself(tmp_path: Path) -> None:
    kept = record.Record(at=NOW, checks=CHECKS)

    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/doctor")
        return httpx.Response(200, json=kept.as_json())

    settings = settings_of(tmp_path)
    assert command.examined(settings, httpx.MockTransport(answer)) == kept


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(409, json={"said": "Đang có người dân"}), "người dân"),
        (httpx.Response(200, text="<html>"), "/doctor"),
        (httpx.Response(200, json=[1]), "/doctor"),
        (httpx.Response(500, json={}), "/doctor"),
    ],
)
def test_whoever_else_answers_there_is_no_examination(
    tmp_path: Path, answer: httpx.Response, why: str
) -> None:
    with pytest.raises(command.Unable, match=why):
        command.examined(settings_of(tmp_path), httpx.MockTransport(lambda _: answer))


def test_the_report_of_sbi_devices_is_printed_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, str, bool]] = []

    def report(data: Path, language: str, *, as_json: bool) -> int:
        asked.append((data, language, as_json))
        return 1

    environment(monkeypatch, tmp_path, CHECKS)
    monkeypatch.setattr("kiosk.doctor.sbi.main", report)
    assert command.main(["--sbi", "--json", "--language", "en"]) == 1
    assert asked == [(tmp_path, "en", True)]
    assert record.last(tmp_path) is None


def test_what_is_written_is_one_line_a_figure() -> None:
    text = command.written(CHECKS, "vi")
    assert io.StringIO(text).readline() == "✓ Máy ảnh: Máy ảnh hoạt động tốt.\n"
    assert "    Hình mỗi giây: 14.9\n" in text
    assert text.endswith("\nPhục vụ được; có việc cần làm\n")
    assert clock.HERE.key == "Asia/Ho_Chi_Minh"
