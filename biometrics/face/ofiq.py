"""OFIQ, the reference implementation of ISO/IEC 29794-5, where a station has its models.

It gates nothing: its scores are put on record beside ours. Without the package `python-ofiq` or
without its models (about 400 MB, fetched apart by ``python-ofiq setup``) it is not available.

    NoReference             OFIQ said nothing
      NotInstalled          package or models are absent
      Fallen                it refused to start, died, took too long or answered nonsense
"""

import os
import re
import struct
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from biometrics.capture import Finding
from biometrics.child import Child, ChildFell
from biometrics.face.images import decode

PREFIX: Final = "OFIQ/"
CONFIG: Final = "ofiq_config.jaxn"
SECONDS: Final = 90.0
"""For one picture, the loading of the models before the first included."""
_LIBRARY: Final = "ofiq"
_PROGRAM: Final = Path(__file__).with_name("ofiq_worker.py")
_SIZE: Final = struct.Struct(">II")
_COMPONENT: Final = re.compile(r"[A-Za-z0-9_.]{1,64}")
_BEST: Final = 100


class NoReference(RuntimeError):
    """OFIQ said nothing."""


class NotInstalled(NoReference):
    """The package or its models are absent."""


class Fallen(NoReference):
    """It refused to start, died, took too long or answered nonsense."""


def data_folder() -> Path | None:
    """Return where OFIQ's configuration and models lie, None where they do not.

    That is ``OFIQ_DATA_DIR``, else ``~/.ofiq/data`` as python-ofiq itself has it.
    """
    try:
        folder = Path(os.environ.get("OFIQ_DATA_DIR") or "~/.ofiq/data").expanduser()
        whole = (folder / CONFIG).is_file() and any((folder / "models").iterdir())
    except (OSError, RuntimeError, ValueError):
        return None
    return folder.absolute() if whole else None


def available() -> bool:
    """Return whether package and models are here; nothing is loaded to find out."""
    return find_spec(_LIBRARY) is not None and data_folder() is not None


def findings(image: bytes) -> tuple[Finding, ...]:
    """Return OFIQ's components of a JPEG or PNG picture, named ``OFIQ/<Component>``.

    A process of its own is started for it and ended; for many pictures use `Reference`.

    Raises:
        ImageRefused: the bytes are no picture that we read.
        NotInstalled, Fallen: see there.
    """
    with Reference() as reference:
        return reference.findings(image)


class Reference:
    """OFIQ in a process of its own, started with the first picture; for one thread.

    Args:
        seconds: for one picture.
    """

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._child = Child(_command, seconds)

    def findings(self, image: bytes) -> tuple[Finding, ...]:
        """Return OFIQ's components: its scalar as score, its raw value as native, no verdict.

        What it could not assess has neither. Empty where it found no face to assess. After a
        fall the next picture gets a fresh process.

        Raises:
            ImageRefused: the bytes are no picture that we read.
            NotInstalled, Fallen: see there.
        """
        pixels = decode(image)
        height, width = pixels.shape[:2]
        rgb = np.ascontiguousarray(pixels[..., ::-1]).tobytes()
        try:
            return _understood(self._child.ask(_SIZE.pack(height, width) + rgb))
        except (ChildFell, TimeoutError, ValueError) as error:
            self.close()
            raise Fallen(f"OFIQ gave no answer: {type(error).__name__} {error}") from error
        except Fallen:
            self.close()
            raise

    @property
    def process_id(self) -> int | None:
        """Return the id of the running process, None where none runs."""
        return self._child.process_id

    def close(self) -> None:
        """End the process; may be called twice."""
        self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _command() -> list[str]:
    folder = data_folder()
    if folder is None or find_spec(_LIBRARY) is None:
        raise NotInstalled("python-ofiq or its models are not installed")
    # -P: the program's own folder holds a module called ofiq too.
    return ["-P", str(_PROGRAM), str(folder)]


def _understood(answer: Any) -> tuple[Finding, ...]:  # noqa: ANN401 - JSON
    if not isinstance(answer, dict):
        raise Fallen("OFIQ's answer is no answer")
    if "refused" in answer:
        return ()
    components = answer.get("components")
    if not isinstance(components, dict):
        raise Fallen(f"OFIQ failed: {answer.get('failed', 'without a word')}")
    return tuple(_finding(name, values) for name, values in components.items())


def _finding(name: str, values: Any) -> Finding:  # noqa: ANN401 - JSON
    if not _COMPONENT.fullmatch(name):
        raise Fallen("OFIQ's answer names no component")
    score = native = None
    if isinstance(values, dict):
        score, native = values.get("scalar"), values.get("raw")
    # OFIQ itself says -1 of what it could not assess.
    if score is None or not 0 <= score <= _BEST:
        score = None
    return Finding(
        name=PREFIX + name,
        native=native,
        unit="OFIQ",
        score=None if score is None else round(score),
        passed=None,
        hint=None,
    )
