"""The one place where the kiosk reads the time; everybody else is given it."""

import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

HERE = ZoneInfo("Asia/Ho_Chi_Minh")


def now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the entry point's clock


def monotonic() -> float:
    """Return seconds that only ever grow, since some moment of this boot."""
    return time.monotonic()


def boot_id() -> str:
    """Return what names this boot of the machine; empty where the system does not say."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text(encoding="ascii").strip() if path.is_file() else ""
