"""A station's own SBI service: its records, its scores, its keys, and that it starts."""

import datetime as dt
import logging
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.capture import ImpressionKind
from biometrics.face import encoding
from biometrics.face.record import FaceRecord
from biometrics.records import finger_image, iris_image
from biometrics.records.codings import Coding
from hardware.camera.sitter import SitterCamera
from hardware.finger.hand import SimulatedHand
from hardware.finger.port import NoImage, Touch, Wanted
from hardware.finger.simulated_reader import SimulatedReader
from hardware.iris.drawing import draw
from hardware.iris.port import Eye
from hardware.sbi.certificates import check_chain
from hardware.sbi.client import SbiClient
from hardware.sbi.desk import Desk
from hardware.sbi.finger import SbiFingerReader
from hardware.sbi.messages import DeviceInfo, DigitalId, decode_informed
from hardware.sbi.port import EyePicture, FacePicture, FingerPicture, RecordUnreadable
from hardware.sbi.service import SbiService
from hardware.sbi.tokens import parse, verify
from hardware.sbi.trust import Trust
from hardware.sbi.vocabulary import Environment, Modality
from kiosk.sbi import StationAnswers, StationScores, finger_offer, main, serve
from kiosk.sbi_keys import ANCHOR, FOLDER, TOKEN, SbiKeyUnfit, StationKeys
from kiosk.sbi_records import FingerScores, IsoRecords
from kiosk.settings import Settings
from tests.sbi_authority import NOW
from tests.sbi_desk import ask

RECORDS = IsoRecords()
MOMENT = dt.datetime(2026, 11, 25, 2, 0, 0, 123_000, dt.UTC)


def a_finger(**said: object) -> FingerPicture:
    made = {"pixels": SimulatedHand(4).finger(2).impression(1), "dpi": 500, "position": 2} | said
    return FingerPicture(**made)  # type: ignore[arg-type]


@pytest.mark.parametrize("rolled", [True, False, None])
def test_a_finger_reads_back_as_it_was_written(rolled: bool | None) -> None:
    picture = a_finger(rolled=rolled, quality=57, at=MOMENT)
    again = RECORDS.finger(RECORDS.write_finger(picture))
    assert np.array_equal(again.pixels, picture.pixels)
    assert (again.dpi, again.position, again.rolled) == (500, 2, rolled)
    assert (again.quality, again.at) == (57, MOMENT)


def test_an_eye_reads_back_as_it_was_written() -> None:
    for eye in Eye:
        picture = EyePicture(pixels=draw(1, eye, 1), eye=eye, at=MOMENT)
        again = RECORDS.iris(RECORDS.write_iris(picture))
        assert np.array_equal(again.pixels, picture.pixels)
        assert (again.eye, again.quality, again.at) == (eye, None, MOMENT)


def a_face() -> np.ndarray:
    return SitterCamera.portrait(3)


def test_a_face_reads_back_nearly_as_it_was_written_also_from_the_older_edition() -> None:
    pixels = a_face()
    again = RECORDS.face(RECORDS.write_face(FacePicture(pixels=pixels, quality=80, at=MOMENT)))
    assert (again.quality, again.at) == (80, MOMENT)
    height, width = pixels.shape[:2]
    older = FaceRecord(image=encoding.jpeg(pixels), width=width, height=height).encode()
    for found in (again, RECORDS.face(older)):
        assert found.pixels.shape == pixels.shape
        assert float(np.abs(found.pixels.astype(int) - pixels).mean()) < 3


def two_fingers() -> bytes:
    image = finger_image.FingerImage(
        position=2, kind=ImpressionKind.PLAIN, pixels=a_finger().pixels, dpi=500, quality=None
    )
    return finger_image.encode([image, image], Coding.RAW)


def two_eyes() -> bytes:
    image = iris_image.IrisImage(eye=None, pixels=draw(1, Eye.LEFT, 1), quality=None)
    return iris_image.encode([image, image], Coding.RAW)


@pytest.mark.parametrize("data", [b"", b"FIR\0", b"\0" * 100, b"{}"])
@pytest.mark.parametrize(
    "read", [RECORDS.finger, RECORDS.iris, RECORDS.face], ids=["finger", "iris", "face"]
)
def test_what_is_no_record_cannot_be_read(read: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(RecordUnreadable):
        read(data)


def test_a_record_of_two_pictures_is_not_taken_for_one() -> None:
    with pytest.raises(RecordUnreadable, match="2 images"):
        RECORDS.finger(two_fingers())
    with pytest.raises(RecordUnreadable, match="2 images"):
        RECORDS.iris(two_eyes())


def test_a_record_cut_anywhere_cannot_be_read() -> None:
    whole = RECORDS.write_finger(a_finger())
    for length in np.random.default_rng(3).integers(0, len(whole), 40):
        with pytest.raises(RecordUnreadable):
            RECORDS.finger(whole[: int(length)])


def test_fingers_are_scored_by_nfiq_2_and_what_is_no_finger_by_nobody() -> None:
    scores = FingerScores()
    score = scores.finger(a_finger())
    assert score is not None
    assert 20 <= score <= 100
    assert scores.finger(a_finger(pixels=np.full((4, 4), 9, np.uint8))) is None
    assert scores.iris(EyePicture(pixels=draw(1, Eye.LEFT, 1), eye=Eye.LEFT)) is None
    assert scores.face(FacePicture(pixels=a_face())) is None


def test_a_face_is_scored_by_the_checks_it_passes() -> None:
    scores = StationScores()
    good = scores.face(FacePicture(pixels=a_face()))
    blurred = np.asarray(cv2.GaussianBlur(a_face() // 3, (0, 0), 9), np.uint8)
    poor = scores.face(FacePicture(pixels=blurred))
    assert good is not None
    assert poor is not None
    assert good > poor
    assert scores.face(FacePicture(pixels=np.full((480, 640, 3), 200, np.uint8))) == 0
    assert scores.face(FacePicture(pixels=np.zeros((4, 4, 3), np.uint8))) is None


def anchors_of(data: Path) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates((data / FOLDER / ANCHOR).read_bytes()))


def test_keys_are_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    first = StationKeys(tmp_path, "kiosk-1", NOW)
    again = StationKeys(tmp_path, "kiosk-1", NOW)
    assert first.token == again.token
    assert len(first.token) >= 43
    folder = tmp_path / FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes.pop(ANCHOR) == 0o644
    assert set(modes.values()) == {0o600}
    for keys in (first, again):
        check_chain(keys.signer(NOW).chain, Trust(anchors=anchors_of(tmp_path)), NOW)


def test_a_device_key_is_renewed_before_its_time_is_over(tmp_path: Path) -> None:
    keys = StationKeys(tmp_path, "kiosk-1", NOW)
    first = keys.signer(NOW)
    assert keys.signer(NOW + dt.timedelta(days=20)) is first
    later = NOW + dt.timedelta(days=25)
    second = keys.signer(later)
    assert second.key.private_numbers() != first.key.private_numbers()
    assert second.chain[0].not_valid_after_utc > later + dt.timedelta(days=20)


def open_to_others(folder: Path) -> None:
    (folder / "authority-key.pem").chmod(0o640)


def no_key(folder: Path) -> None:
    (folder / "authority-key.pem").write_bytes(b"none")


def a_curves_key(folder: Path) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "authority-key.pem").write_bytes(pem)


def no_certificate(folder: Path) -> None:
    (folder / ANCHOR).unlink()


def another_certificate(folder: Path) -> None:
    other = folder.parent / "other"
    StationKeys(other, "other", NOW)
    (folder / ANCHOR).write_bytes((other / FOLDER / ANCHOR).read_bytes())


def an_open_token(folder: Path) -> None:
    (folder / TOKEN).chmod(0o644)


def an_empty_token(folder: Path) -> None:
    (folder / TOKEN).write_bytes(b"\n")


@pytest.mark.parametrize(
    "spoil",
    [open_to_others, no_key, a_curves_key, no_certificate, another_certificate, an_open_token,
     an_empty_token],
)  # fmt: skip
def test_a_key_that_is_unfit_is_named_and_not_replaced(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    StationKeys(tmp_path, "kiosk-1", NOW)
    spoil(tmp_path / FOLDER)
    with pytest.raises(SbiKeyUnfit, match=str(tmp_path)):
        StationKeys(tmp_path, "kiosk-1", NOW)


@pytest.mark.parametrize("open_to_all", [False, True])
def test_a_station_offers_what_its_settings_name_to_who_knows_the_token(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    open_to_all: bool,
) -> None:
    caplog.set_level(logging.INFO, logger="kiosk.sbi")
    settings = Settings(
        server="https://intake.example.test", data=tmp_path, camera="sitter:3", reader="simulated",
        iris="sbi-simulated", name="kiosk-7",
    )  # fmt: skip
    over = threading.Event()
    thread = threading.Thread(
        target=lambda: serve(settings, over, open_to_all=open_to_all, ports=(0,))
    )
    thread.start()
    try:
        until = time.monotonic() + 30
        while not (started := [one for one in caplog.records if one.name == "kiosk.sbi"]):
            assert time.monotonic() < until
            time.sleep(0.05)
        port = int(started[0].getMessage().split()[1].rstrip(";"))
        token = (tmp_path / FOLDER / TOKEN).read_text(encoding="ascii")
        assert ask(port, "MOSIPDINFO", "/info")[0] == (200 if open_to_all else 403)
        _, _, body = ask(port, "MOSIPDINFO", "/info", None, f"Authorization: Bearer {token}")
    finally:
        over.set()
        thread.join(30)
    assert not thread.is_alive()
    infos = [DeviceInfo.decode(verify(parse(one.device_info))) for one in decode_informed(body)]
    found = [DigitalId.decode(verify(parse(info.digital_id))) for info in infos]
    assert {(one.type, one.device_sub_type) for one in found} == {
        ("Finger", "Single"), ("Face", "Full face"), ("Iris", "Double"),
    }  # fmt: skip
    assert {info.firmware for info in infos} == {"simulated"}
    assert {info.env for info in infos} == {"Production"}
    assert "kiosk-7-camera" in {one.serial_no for one in found}


def test_a_serial_module_is_a_device_to_any_client(tmp_path: Path) -> None:
    keys = StationKeys(tmp_path, "kiosk-1", NOW)
    reader = SimulatedReader()
    desk = Desk(
        [finger_offer(reader)],
        StationAnswers(keys, lambda: NOW, Environment.PRODUCTION),
        FingerScores(),
    )
    service = SbiService(desk, token=keys.token, ports=(0,))
    try:
        client = SbiClient(
            Modality.FINGER,
            trust=Trust(anchors=anchors_of(tmp_path), serials=frozenset({reader.info.serial})),
            records=RECORDS,
            now=lambda: NOW,
            scores=FingerScores(),
            ports=(service.port,),
            token=keys.token,
        )
        asking = SbiFingerReader(client)
        assert asking.info.takes == {Touch.SINGLE}
        wanted = Wanted(positions=(2,), touch=Touch.SINGLE)
        assert asking.capture(wanted, deadline=3) is NoImage.NO_FINGER
        reader.present(4, 2)
        found = asking.capture(wanted, deadline=60)
    finally:
        service.stop()
    assert isinstance(found, tuple)
    assert found[0].pixels.shape == (288, 256)
    assert found[0].claimed is not None


def test_without_settings_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("THUNHAN_KIOSK_SERVER", raising=False)
    assert main([]) == 1
    assert "THUNHAN_KIOSK_" in capsys.readouterr().err
