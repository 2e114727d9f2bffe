"""The house itself: names, locks, and what must never be installed."""

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from server.cli import worker

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kiosk", "biometrics", "scheduler", "server", "hardware")
LOCKS = ("core", "test")


def _lock(name: str) -> str:
    return (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found[0].lower().replace("_", "-").replace(".", "-")


def _locked(name: str) -> dict[str, str]:
    """Return marker by name of every package pinned in a lock."""
    pins = re.findall(r"^([a-z0-9-]+)==\S+( ; [^\\\n]+)?", _lock(name), flags=re.MULTILINE)
    return dict(pins)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_installed_distribution_owns_our_names(package: str) -> None:
    assert packages_distributions().get(package, []) in ([], ["thunhan"])


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_locks_hold_everything_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    core = {_name(r) for r in project["project"]["dependencies"]}
    test = {_name(r) for r in project["dependency-groups"]["test"]}
    assert core <= _locked("core").keys()
    assert core | test <= _locked("test").keys()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_by_hash_and_names_no_host(lock: str) -> None:
    text = _lock(lock)
    assert "://" not in text
    assert "--index" not in text
    pins = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(pins) > 50
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_on_the_way_compiles_dlib_or_brings_a_second_opencv(lock: str) -> None:
    pinned = _locked(lock)
    for package in ("dlib", "face-recognition-models", "opencv-contrib-python", "jax"):
        assert "never" in pinned.get(package, "never")
    assert "opencv-python" not in pinned
    assert pinned["opencv-python-headless"] == ""


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    return names | {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}


def test_the_server_knows_of_the_kiosk_only_its_protocol() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "server").rglob("*.py")
        for name in _imports(path)
        if name.split(".")[0] == "kiosk" and name != "kiosk.protocol"
    }
    assert found == set()


def test_commands_and_the_worker_load_no_web_app() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "server/cli").glob("*.py")
        for name in _imports(path)
        if name.startswith("server.web") or name.split(".")[0] == "flask"
    }
    assert found == set()


def test_the_worker_forgets_the_tries_of_every_limit() -> None:
    made = {
        found[1]
        for path in (ROOT / "server").rglob("*.py")
        for found in re.finditer(r'\bLimit\(name="(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert "sign_in" in made
    assert {limit.name for limit in worker.LIMITS} == made
    assert len(worker.LIMITS) == len(made)


def test_rules_are_plain_python() -> None:
    banned = {"flask", "sqlalchemy", "serial", "cv2"}
    paths = [*(ROOT / "server/rules").glob("*.py"), *ROOT.glob("*/life.py")]
    assert len(paths) > 2
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in paths
        for name in _imports(path)
        if name.split(".")[0] in banned
    }
    assert found == set()


def test_no_file_of_the_project_names_a_path_of_one_machine_or_a_registry() -> None:
    banned = ("/work" + "/", "/root" + "/.", "pypi." + "org", "files.python" + "hosted")
    suffixes = {".py", ".md", ".toml", ".json", ".txt", ".html", ".css", ".js", ".typ", ""}
    found = {
        str(path.relative_to(ROOT))
        for folder in (*PACKAGES, "tests", "docs", "benchmarks", "requirements")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts
        for text in [path.read_text(encoding="utf-8", errors="ignore")]
        if any(word in text for word in banned)
    }
    assert found == set()
