"""The device's key is made once, read by its owner only, and named by its public half."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.seal.checking import device_id
from kiosk.device import KEY_FILE, PUBLIC_FILE, Device, DeviceKeyUnfit, main


def test_the_command_makes_a_key_once_and_says_who_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    assert main(["--folder", str(folder)]) == 0
    first = (folder / KEY_FILE).read_bytes()
    assert main(["--folder", str(folder)]) == 0
    assert (folder / KEY_FILE).read_bytes() == first
    one, two = capsys.readouterr().out.split()
    public = serialization.load_pem_public_key((folder / PUBLIC_FILE).read_bytes())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert one == two == device_id(public) == Device.load(folder).id
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert {path.name for path in folder.iterdir()} == {KEY_FILE, PUBLIC_FILE}


def test_what_a_device_signs_is_verified_by_its_public_key(tmp_path: Path) -> None:
    device = Device.create(tmp_path)
    assert device.trust == "software"
    device.key.public_key().verify(device.sign(b"x"), b"x", ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_key_that_others_may_read_is_refused(
    tmp_path: Path, mode: int, capsys: pytest.CaptureFixture[str]
) -> None:
    Device.create(tmp_path)
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(DeviceKeyUnfit, match="0600"):
        Device.load(tmp_path)
    assert main(["--folder", str(tmp_path)]) == 1
    assert "0600" in capsys.readouterr().err


def test_a_key_behind_a_link_is_refused(tmp_path: Path) -> None:
    Device.create(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / KEY_FILE).symlink_to(tmp_path / "a" / KEY_FILE)
    with pytest.raises(DeviceKeyUnfit):
        Device.load(tmp_path / "b")
    with pytest.raises(DeviceKeyUnfit):
        Device.create(tmp_path / "b")


def test_no_key_and_no_such_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceKeyUnfit):
        Device.load(tmp_path)
    other = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for text in (b"", b"no key", b"x" * 10_000, other):
        (tmp_path / KEY_FILE).write_bytes(text)
        (tmp_path / KEY_FILE).chmod(0o600)
        with pytest.raises(DeviceKeyUnfit):
            Device.create(tmp_path)
        assert (tmp_path / KEY_FILE).read_bytes() == text
