"""The machine on which figures were taken, in one line.

It measures nothing.
"""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Final

_CPUS: Final = Path("/proc/cpuinfo")


def machine() -> str:
    """Return processor, cores and the versions that change figures."""
    model = platform.processor() or platform.machine()
    if _CPUS.is_file():
        for line in _CPUS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    carried = ", ".join(f"{name} {version(name)}" for name in ("opencv-python-headless", "numpy"))
    return f"{model}, {platform.system()}, Python {platform.python_version()}, {carried}"
