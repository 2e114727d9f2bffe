"""The one place where the server reads the time; everybody else is given it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

HERE = ZoneInfo("Asia/Ho_Chi_Minh")


def now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the entry points' clock
