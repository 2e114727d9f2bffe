"""The reference implementation is asked at arm's length: absent, broken or hung, we go on."""

import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

from biometrics.face import ofiq
from biometrics.face.images import ImageRefused
from hardware.camera.sitter import portrait
from tests import faces
from tests.conftest import absent

ERRORS = """
class OFIQError(Exception): ...
class ConfigError(OFIQError): ...
class QualityError(OFIQError): ...
class FaceDetectionError(QualityError): ...
"""


@pytest.fixture
def picture() -> bytes:
    return faces.jpeg(portrait(3))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that looks whole."""
    folder = tmp_path / "data"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "net.onnx").touch()
    (folder / ofiq.CONFIG).touch()
    monkeypatch.setenv("OFIQ_DATA_DIR", str(folder))
    return folder


class Binding:
    """Puts a stand-in where the worker imports the binding."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        folder.mkdir()
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setenv("PYTHONPATH", str(folder))

    def says(self, body: str, start: str = "pass") -> None:
        (self._folder / "ofiq.py").write_text(
            f"import os, time\n{ERRORS}\n"
            "class OFIQ:\n"
            f"    def __init__(self, folder):\n{textwrap.indent(start, ' ' * 8)}\n"
            "    def vector_quality(self, pixels, include_raw=False):\n"
            "        assert include_raw and pixels.shape == (800, 600, 3), pixels.shape\n"
            f"{textwrap.indent(body, ' ' * 8)}\n"
        )


@pytest.fixture
def binding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Binding:
    return Binding(tmp_path / "binding", monkeypatch)


def test_without_models_it_is_not_available(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: bytes
) -> None:
    for folder in (tmp_path, tmp_path / "nothing"):
        monkeypatch.setenv("OFIQ_DATA_DIR", str(folder))
        assert not ofiq.available()
        with pytest.raises(ofiq.NotInstalled):
            ofiq.findings(picture)


def test_a_configuration_without_models_is_not_enough(models: Path) -> None:
    (models / "models" / "net.onnx").unlink()
    assert not ofiq.available()


def test_without_a_folder_named_it_looks_where_the_binding_looks(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFIQ_DATA_DIR", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ofiq.data_folder() is None
    (tmp_path / ".ofiq").mkdir()
    models.rename(tmp_path / ".ofiq" / "data")
    assert ofiq.data_folder() == tmp_path / ".ofiq" / "data"


def test_the_real_binding_refuses_broken_models_and_we_say_so(models: Path, picture: bytes) -> None:
    if find_spec("ofiq") is None:
        absent("python-ofiq")
    assert ofiq.available()
    with pytest.raises(ofiq.Fallen, match=r"OFIQ failed: .*Error"):
        ofiq.findings(picture)


def test_its_components_become_findings_without_a_verdict(
    binding: Binding, models: Path, picture: bytes
) -> None:
    binding.says(
        "return {'Sharpness': {'scalar': 71.6, 'raw': 12.5}, 'EyesOpen': None,"
        " 'HeadSize': {'scalar': -1.0, 'raw': float('nan')}, 'FolderIs': {'scalar': 1.0,"
        " 'raw': float(self.whole)}}",
        start="self.whole = os.path.isdir(folder + '/models')",
    )
    assert ofiq.available()
    found = {finding.name: finding for finding in ofiq.findings(picture)}
    assert set(found) == {"OFIQ/Sharpness", "OFIQ/EyesOpen", "OFIQ/HeadSize", "OFIQ/FolderIs"}
    assert (found["OFIQ/Sharpness"].native, found["OFIQ/Sharpness"].score) == (12.5, 72)
    for name in ("OFIQ/EyesOpen", "OFIQ/HeadSize"):
        assert (found[name].native, found[name].score) == (None, None)
    assert found["OFIQ/FolderIs"].native == 1
    assert {finding.passed for finding in found.values()} == {None}
    assert {finding.hint for finding in found.values()} == {None}


def test_it_gets_red_green_blue(binding: Binding, models: Path) -> None:
    pixels = portrait(3)
    pixels[:] = (200, 10, 10)
    binding.says("return {'Red': {'scalar': 0, 'raw': float(pixels[9, 9, 0])}}")
    (finding,) = ofiq.findings(faces.png(pixels))
    assert finding.native == 10


def test_where_it_sees_no_face_there_are_no_findings(
    binding: Binding, models: Path, picture: bytes
) -> None:
    binding.says("raise FaceDetectionError('nobody')")
    assert ofiq.findings(picture) == ()


@pytest.mark.parametrize(
    ("body", "start"),
    [
        ("os._exit(1)", "pass"),
        ("os.kill(os.getpid(), 11)", "pass"),
        ("raise ValueError", "pass"),
        ("raise OFIQError('broken')", "pass"),
        ("return {}", "raise ConfigError('no config')"),
        ("return {}", "os._exit(1)"),
        ("return {'../' * 40: None}", "pass"),
        ("return {f'C{n}': None for n in range(9999)}", "pass"),
        ("return None", "pass"),
    ],
)
def test_a_binding_that_breaks_is_a_typed_error(
    binding: Binding, models: Path, picture: bytes, body: str, start: str
) -> None:
    binding.says(body, start)
    with pytest.raises(ofiq.Fallen):
        ofiq.findings(picture)


def test_a_binding_that_hangs_is_given_up_and_ended(
    binding: Binding, models: Path, picture: bytes
) -> None:
    binding.says("time.sleep(600)")
    with ofiq.Reference(seconds=1) as reference:
        with pytest.raises(ofiq.Fallen):
            reference.findings(picture)
        assert reference.process_id is None


def test_after_a_fall_the_next_picture_gets_a_fresh_process(
    binding: Binding, models: Path, picture: bytes
) -> None:
    binding.says("os._exit(1)")
    with ofiq.Reference() as reference:
        with pytest.raises(ofiq.Fallen):
            reference.findings(picture)
        binding.says("return {'Sharpness': {'scalar': 5, 'raw': 0.5}}")
        assert [finding.score for finding in reference.findings(picture)] == [5]
        first = reference.process_id
        assert [finding.score for finding in reference.findings(picture)] == [5]
        assert reference.process_id == first is not None


def test_what_is_no_picture_never_reaches_it(binding: Binding, models: Path) -> None:
    binding.says("os._exit(1)")
    with ofiq.Reference() as reference:
        for data in (b"", b"no picture", faces.jpeg(portrait(3))[:200]):
            with pytest.raises(ImageRefused):
                reference.findings(data)
        assert reference.process_id is None
