"""Two drivers that others wrote take the simulated module for a real one."""

import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import serial
from pyfingerprint.pyfingerprint import PyFingerprint

from hardware.finger.commands import LEVEL, pack_image
from hardware.finger.module_core import ModuleCore
from hardware.finger.module_simulator import SimulatedModule
from hardware.finger.packets import Code
from hardware.finger.synthesis import Finger

ENROLLED = Finger(301)
OTHER = Finger(302)
STRANGER = Finger(303)
BAUD = 57600


@pytest.fixture
def adafruit(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The module adafruit_fingerprint, with stand-ins for what only their boards have."""
    busio, micropython = types.ModuleType("busio"), types.ModuleType("micropython")
    monkeypatch.setattr(busio, "UART", object, raising=False)
    monkeypatch.setattr(micropython, "const", lambda number: number, raising=False)
    monkeypatch.setitem(sys.modules, "busio", busio)
    monkeypatch.setitem(sys.modules, "micropython", micropython)
    monkeypatch.delitem(sys.modules, "adafruit_fingerprint", raising=False)
    return importlib.import_module("adafruit_fingerprint")


@pytest.fixture
def module() -> Iterator[SimulatedModule]:
    with SimulatedModule() as module:
        yield module


def py_client(module: SimulatedModule) -> Any:  # noqa: ANN401 - the client has no types
    client = PyFingerprint(module.port, BAUD, 0xFFFFFFFF, 0)
    assert client.verifyPassword()
    return client


@pytest.mark.parametrize("packet", [32, 64, 128, 256])
def test_pyfingerprint_takes_an_image_bit_by_bit(packet: int, tmp_path: Path) -> None:
    shown = ENROLLED.impression(1)
    with SimulatedModule(ModuleCore(packet=packet)) as module:
        client = py_client(module)
        assert client.getMaxPacketSize() == packet
        assert not client.readImage()
        module.press(shown)
        assert client.readImage()
        client.downloadImage(str(tmp_path / "taken.png"))
        taken = cv2.imread(str(tmp_path / "taken.png"), cv2.IMREAD_GRAYSCALE)
        assert taken is not None
        assert (taken == (shown >> 4) * np.uint8(LEVEL)).all()


@pytest.mark.parametrize("packet", [32, 64, 128, 256])
def test_pyfingerprint_enrols_a_finger_and_finds_it_and_no_other(
    module: SimulatedModule, packet: int
) -> None:
    client = py_client(module)
    client.setMaxPacketSize(packet)
    assert client.getStorageCapacity() == 1000
    for page, finger in enumerate((ENROLLED, OTHER)):
        for buffer in (1, 2):
            module.press(finger.impression(buffer))
            assert client.readImage()
            assert client.convertImage(buffer)
        assert client.compareCharacteristics() > 0
        assert client.createTemplate()
        assert client.storeTemplate() == page
    assert client.getTemplateCount() == 2
    assert client.getTemplateIndex(0)[:3] == [True, True, False]
    for finger, page in ((ENROLLED, 0), (OTHER, 1), (STRANGER, -1)):
        module.press(finger.impression(9))
        assert client.readImage()
        assert client.convertImage(1)
        assert client.searchTemplate()[0] == page
    assert client.deleteTemplate(0)
    assert client.getTemplateCount() == 1
    assert client.clearDatabase()
    assert client.getTemplateCount() == 0


def test_pyfingerprint_carries_features_from_one_module_to_another(
    module: SimulatedModule,
) -> None:
    client = py_client(module)
    module.press(ENROLLED.impression(1))
    assert client.readImage()
    assert client.convertImage(1)
    features = client.downloadCharacteristics(1)
    assert len(features) == 512
    with SimulatedModule() as second:
        there = py_client(second)
        assert there.uploadCharacteristics(2, features)
        for finger, same in ((ENROLLED, True), (STRANGER, False)):
            second.press(finger.impression(2))
            assert there.readImage()
            assert there.convertImage(1)
            assert (there.compareCharacteristics() > 0) is same


def test_pyfingerprint_changes_settings_and_passwords(module: SimulatedModule) -> None:
    client = py_client(module)
    client.setSecurityLevel(5)
    client.setMaxPacketSize(256)
    client.setBaudRate(115200)
    assert client.getSecurityLevel() == 5
    assert client.getMaxPacketSize() == 256
    assert client.getBaudRate() == 115200
    assert 0 <= client.generateRandomNumber() < 2**32
    assert client.setPassword(0x1234)
    assert client.verifyPassword()
    assert not PyFingerprint(module.port, BAUD, 0xFFFFFFFF, 0).verifyPassword()


@pytest.mark.parametrize("packet", [64, 128, 256])
def test_adafruit_takes_an_image_bit_by_bit(adafruit: types.ModuleType, packet: int) -> None:
    shown = ENROLLED.impression(1)
    with (
        SimulatedModule(ModuleCore(packet=packet)) as module,
        serial.Serial(module.port, BAUD, timeout=10) as line,
    ):
        client = adafruit.Adafruit_Fingerprint(line)
        assert client.check_module()
        assert client.get_image() == Code.NO_FINGER
        module.press(shown)
        assert client.get_image() == Code.OK
        assert bytes(client.get_fpdata("image")) == pack_image(shown)


@pytest.mark.parametrize("packet", [64, 128, 256])
def test_adafruit_enrols_a_finger_and_finds_it_and_no_other(
    adafruit: types.ModuleType, packet: int
) -> None:
    with (
        SimulatedModule(ModuleCore(packet=packet)) as module,
        serial.Serial(module.port, BAUD, timeout=10) as line,
    ):
        client = adafruit.Adafruit_Fingerprint(line)
        assert client.library_size == 1000
        for page, finger in ((4, ENROLLED), (300, OTHER)):
            for buffer in (1, 2):
                module.press(finger.impression(buffer))
                assert client.get_image() == Code.OK
                assert client.image_2_tz(buffer) == Code.OK
            assert client.create_model() == Code.OK
            assert client.store_model(page) == Code.OK
        assert client.count_templates() == Code.OK
        assert client.template_count == 2
        assert client.read_templates() == Code.OK
        assert client.templates == [4, 300]
        for finger, page in ((ENROLLED, 4), (OTHER, 300)):
            module.press(finger.impression(9))
            assert client.get_image() == Code.OK
            assert client.image_2_tz(1) == Code.OK
            for search in (client.finger_search, client.finger_fast_search):
                assert search() == Code.OK
                assert client.finger_id == page
                assert client.confidence > 0
        module.press(STRANGER.impression(9))
        assert client.get_image() == Code.OK
        assert client.image_2_tz(1) == Code.OK
        assert client.finger_fast_search() == Code.NOT_FOUND
        assert client.set_led(color=2, mode=1) == Code.OK
        assert client.delete_model(4) == Code.OK
        assert client.count_templates() == Code.OK
        assert client.template_count == 1
        assert client.empty_library() == Code.OK


def test_adafruit_carries_features_to_another_module(
    adafruit: types.ModuleType, module: SimulatedModule
) -> None:
    with (
        SimulatedModule() as second,
        serial.Serial(module.port, BAUD, timeout=10) as line,
        serial.Serial(second.port, BAUD, timeout=10) as other_line,
    ):
        client, there = (adafruit.Adafruit_Fingerprint(one) for one in (line, other_line))
        module.press(ENROLLED.impression(1))
        assert client.get_image() == Code.OK
        assert client.image_2_tz(1) == Code.OK
        assert there.send_fpdata(client.get_fpdata("char", 1), "char", 2)
        second.press(ENROLLED.impression(2))
        assert there.get_image() == Code.OK
        assert there.image_2_tz(1) == Code.OK
        assert there.compare_templates() == Code.OK
        assert there.confidence[0] > 0
