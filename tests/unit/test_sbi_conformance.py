"""The report on a plugged device says of each thing whether it is as it should be, or unknown."""

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hardware.sbi.asked import Asked
from hardware.sbi.conformance import Conformance
from hardware.sbi.discovery import discover
from hardware.sbi.distrust import CheckName
from hardware.sbi.faults import Fault
from hardware.sbi.simulator import SbiSimulator
from hardware.sbi.trust import Trust
from hardware.sbi.vocabulary import FINGERS, Modality
from kiosk.doctor import sbi
from kiosk.readers import ANCHORS
from tests.sbi_authority import NOW, ROOT, TRUST, Fixed, PlainRecords
from tests.sbi_station import Station, discovered, http, informed

PERSON = 4
SCORES = Fixed(score=60)


TIMED = {"stream", "stream_timeout", "capture_timeout", "busy"}


def _nobody(_asked: Asked) -> None:
    return


@pytest.fixture(scope="module")
def simulator() -> Iterator[SbiSimulator]:
    with SbiSimulator(
        PlainRecords(), lambda: NOW, scores=SCORES, ports=(0,), modalities=[Modality.FINGER]
    ) as running:
        yield running


def _present(simulator: SbiSimulator, asked: Asked) -> None:
    simulator.present(PERSON, *(FINGERS[name] for name in asked.sub_types))


def _conformance(simulator: SbiSimulator) -> Conformance:
    (service,) = discover(ports=(simulator.port,))
    return Conformance(
        service.devices[0],
        trust=simulator.trust,
        records=PlainRecords(),
        scores=SCORES,
        now=lambda: NOW,
        present=lambda asked: _present(simulator, asked),
    )


def test_the_simulator_keeps_to_everything(simulator: SbiSimulator) -> None:
    simulator.lift()
    (found,) = sbi.report(
        simulator.trust,
        records=PlainRecords(),
        scores=SCORES,
        now=lambda: NOW,
        present=lambda asked: _present(simulator, asked),
        ports=(simulator.port,),
    )
    wrong = [check for check in found.checks if not check.passed]
    # Whether a machine under load is in time is no property of the simulator.
    assert [check for check in wrong if check.name not in TIMED] == []
    names = [check.name for check in found.checks]
    assert len(names) == len(set(names))
    assert set(CheckName) < set(names)
    # Every finding has its words, and there are no words of findings that do not exist.
    written = {key.removeprefix("sbi.check.") for key in sbi.sbi_words() if "check" in key}
    assert written == set(names)
    good = replace(found, checks=tuple(check for check in found.checks if check.passed))
    assert sbi.status([good]) == 0
    for language, said in (("vi", "Thiết bị tuân thủ SBI"), ("en", "The devices keep to SBI")):
        text = sbi.written([good], language)
        assert said in text
        assert text.count("✓") == len(good.checks)


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        (Fault.BAD_SIGNATURE, {"signature"}),
        (Fault.UNTRUSTED_CHAIN, {"chain"}),
        (Fault.EXPIRED_LEAF, {"chain"}),
        (Fault.REVOKED_LEAF, {"chain"}),
        (Fault.STALE_TIMESTAMP, {"timestamp", "clock"}),
        (Fault.OTHER_TRANSACTION, {"transaction"}),
        (Fault.OTHER_VERSION, {"spec_version"}),
        (Fault.BROKEN_HASHES, {"hash_chain", "hash_carried"}),
        (Fault.OTHER_SERIAL, {"serial"}),
        (Fault.MISSING_FINGER, {"sub_types"}),
        (Fault.EXTRA_FINGER, {"sub_types"}),
        (Fault.OTHER_POSITION, {"record"}),
        (Fault.TRUNCATED_RECORD, {"record", "quality"}),
        (Fault.INFLATED_QUALITY, {"quality"}),
        (Fault.BUSY, {"capture"}),
        (Fault.DROP, {"capture"}),
        (Fault.HALF_JSON, {"capture"}),
        (Fault.HUGE, {"capture"}),
    ],
)
def test_what_is_wrong_stands_in_its_own_line(
    simulator: SbiSimulator, fault: Fault, failed: set[str]
) -> None:
    conformance = _conformance(simulator)
    simulator.faults.inject(fault)
    try:
        found = list(conformance._captures())
    finally:
        simulator.faults.clear()
    assert {name for name, passed, _ in found if passed is False} == failed
    assert {name for name, _, _ in found} == {*CheckName, "capture", "clock", "hash_carried"}
    if failed in ({"capture"}, {"signature"}):
        # What could not be looked at is neither good nor bad.
        assert all(passed is None for name, passed, _ in found if name not in failed)


def test_without_anchors_and_scores_nothing_is_said_of_them(simulator: SbiSimulator) -> None:
    (service,) = discover(ports=(simulator.port,))
    conformance = Conformance(
        service.devices[0],
        trust=Trust(serials=None),
        records=PlainRecords(),
        scores=None,
        now=lambda: NOW,
        present=lambda asked: _present(simulator, asked),
    )
    found = {name: passed for name, passed, _ in conformance._captures()}
    assert {name for name, passed in found.items() if passed is None} == {"chain", "quality"}
    assert conformance._info_chain()[0] is None
    assert conformance._enrolled()[0] is None


def test_no_finger_leaves_the_captures_unsaid() -> None:
    station = Station(capture=http(b'{"error":{"errorCode":"101","errorInfo":""}}'))
    (service,) = discover(ports=(station.port,))
    conformance = Conformance(
        service.devices[0],
        trust=TRUST,
        records=PlainRecords(),
        scores=None,
        now=lambda: NOW,
        present=_nobody,
    )
    found = list(conformance._captures())
    station.close()
    assert [(name, said) for name, passed, said in found if passed is False] == [
        ("capture", "no picture: nothing_there")
    ]


@pytest.mark.parametrize("fault", [Fault.SECOND_RESPONSE, Fault.DROP])
def test_a_live_picture_that_ends_at_once_is_not_good(
    simulator: SbiSimulator, fault: Fault
) -> None:
    conformance = _conformance(simulator)
    simulator.faults.inject(fault)
    try:
        passed, _ = conformance._stream()
    finally:
        simulator.faults.clear()
    assert passed is False


REFUSING = {
    "origin_refused",
    "host_checked",
    "short_transaction",
    "bad_transaction",
    "long_transaction",
    "count_refused",
    "environment_refused",
    "purpose_refused",
    "type_refused",
    "device_refused",
}


def test_a_service_that_refuses_nothing_is_told_so_line_by_line(tmp_path: Path) -> None:
    station = Station()
    anchors = tmp_path / ANCHORS
    anchors.mkdir()
    (anchors / "root.pem").write_bytes(ROOT.public_bytes(Encoding.PEM))
    (found,) = sbi.report(
        TRUST,
        records=PlainRecords(),
        scores=SCORES,
        now=lambda: NOW,
        present=_nobody,
        ports=(station.port,),
    )
    checks = {check.name: check.passed for check in found.checks}
    assert {name for name, passed in checks.items() if passed is False} == {
        *REFUSING,
        "info_schema",
        "malformed_json",
        "stream",
        "stream_timeout",
    }
    assert checks["busy"] is None
    assert all(checks[name] for name in ("capture", *CheckName, "hash_carried"))
    assert sbi.status([found]) == 1
    station.close()


def test_the_doctor_says_that_nobody_is_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    said = io.StringIO()
    assert sbi.main(tmp_path, "vi", as_json=False, ports=(port,), out=said) == 1
    assert said.getvalue() == "Không tìm thấy dịch vụ thiết bị SBI nào trên máy này.\n"


def test_the_doctor_names_a_service_without_devices_also_as_json(tmp_path: Path) -> None:
    station = Station()
    station.answers = {b"MOSIPDINFO": http(b"[{}]"), b"MOSIPDISC": http(b"[]")}
    said = io.StringIO()
    assert sbi.main(tmp_path, "en", as_json=False, ports=(station.port,), out=said) == 1
    assert f"Service on port {station.port}: port {station.port}" in said.getvalue()
    said = io.StringIO()
    assert sbi.main(tmp_path, "en", as_json=True, ports=(station.port,), out=said) == 1
    (found,) = json.loads(said.getvalue())
    assert (found["port"], found["serial"], found["checks"]) == (station.port, "", [])
    station.close()


def test_the_doctor_cannot_work_with_a_folder_of_trust_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ANCHORS).mkdir()
    (tmp_path / ANCHORS / "a.pem").write_text("no certificate")
    assert sbi.main(tmp_path, "en", as_json=False, ports=()) == 3
    assert "a.pem" in capsys.readouterr().err


def test_a_device_that_discovery_does_not_name_is_told_so() -> None:
    station = Station()
    station.answers[b"MOSIPDISC"] = http(b"[]")
    (service,) = discover(ports=(station.port,))
    device = service.devices[0]
    conformance = Conformance(
        device,
        trust=TRUST,
        records=PlainRecords(),
        scores=None,
        now=lambda: NOW,
        present=_nobody,
    )
    assert conformance._discovery()[0] is False
    other = device.identity.model_copy(update={"serial_no": "SN-2"})
    station.answers[b"MOSIPDISC"] = http(discovered(other))
    assert conformance._discovery()[0] is False
    assert informed(other) != informed(device.identity)
    station.close()


def test_a_service_that_a_bad_request_takes_down_is_told_so() -> None:
    station = Station()
    (service,) = discover(ports=(station.port,))

    def fall(_request: bytes) -> bytes:
        threading.Thread(target=station.close).start()
        return b""

    station.answers[b"RCAPTURE"] = fall
    conformance = Conformance(
        service.devices[0],
        trust=TRUST,
        records=PlainRecords(),
        scores=None,
        now=lambda: NOW,
        present=_nobody,
    )
    checks = conformance.run()
    assert (checks[-1].name, checks[-1].passed) == ("alive", False)
    assert "malformed_json" in checks[-1].said
    assert "capture" not in {check.name for check in checks}


def test_fingers_are_asked_for_by_the_names_that_people_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = Station(capture=b"")
    sbi.main(tmp_path, "vi", as_json=False, ports=(station.port,), out=io.StringIO())
    assert "ngón trỏ trái, ngón giữa trái, ngón áp út trái" in capsys.readouterr().err
    station.close()


def _steps(step: float) -> Callable[[], float]:
    """Return a clock that goes on by so many seconds whenever it is read."""
    reads = count()
    return lambda: next(reads) * step


def _scripted(station: Station, step: float) -> Conformance:
    (service,) = discover(ports=(station.port,))
    return Conformance(
        service.devices[0],
        trust=TRUST,
        records=PlainRecords(),
        scores=None,
        now=lambda: NOW,
        present=_nobody,
        clock=_steps(step),
    )


def _pictures(number: int) -> bytes:
    jpeg = cv2.imencode(".jpg", np.full((8, 8), 90, np.uint8))[1].tobytes()
    part = b"--b\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg)
    return b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x; boundary=b\r\n\r\n" + part * number


@pytest.mark.parametrize(
    ("check", "step", "passed"),
    [
        ("_stream", 0.2, True),
        ("_stream", 0.5, False),
        ("_stream_timeout", 0.05, False),
    ],
)
def test_a_live_picture_must_be_quick_and_end_in_time(
    check: str, step: float, *, passed: bool
) -> None:
    station = Station()
    station.answers[b"STREAM"] = _pictures(100)
    station.answers[b"MOSIPDISC"] = http(b"[]")
    assert getattr(_scripted(station, step), check)()[0] is passed
    station.close()


def test_a_live_picture_that_ends_too_early_or_is_none_is_not_good() -> None:
    station = Station()
    station.answers[b"STREAM"] = _pictures(2)
    # Two pictures in about a second and a half of that clock.
    assert _scripted(station, 0.25)._stream_timeout()[0] is True
    assert _scripted(station, 0.01)._stream_timeout()[0] is False
    station.answers[b"STREAM"] = _pictures(1).replace(b"\xff\xdb", b"\xff\x00")
    assert _scripted(station, 0.1)._stream()[0] is False
    station.close()


@pytest.mark.parametrize(("step", "passed"), [(0.1, True), (1.0, False)])
def test_a_capture_must_be_answered_in_time(step: float, *, passed: bool) -> None:
    station = Station()
    checks = _scripted(station, step)._provocations.checks()
    assert checks["capture_timeout"]()[0] is passed
    station.close()


@pytest.mark.parametrize(
    ("code", "passed"), [(b"111", True), (b"703", True), (b"101", False), (b"0", None)]
)
def test_a_device_asked_twice_says_that_it_is_busy(code: bytes, *, passed: bool | None) -> None:
    station = Station(capture=http(b'{"biometrics":[{"error":{"errorCode":"%s"}}]}' % code))
    checks = _scripted(station, 0.01)._provocations.checks()
    assert checks["busy"]()[0] is passed
    station.close()
