"""How long each screen waits for somebody, and what happens once it has.

It shows nothing; the booth holds the times.
"""

from typing import TYPE_CHECKING

from kiosk.fittings import Help
from kiosk.life import VisitEvent, VisitState
from kiosk.screens import BUSY, Screen

if TYPE_CHECKING:
    from kiosk.booth import Booth


def left(booth: "Booth", at: float) -> int | None:
    """Let the time `at` (monotonic seconds) come; called under the booth's lock.

    Returns:
        The whole seconds until the screen ends by itself; None while nothing is counted.
    """
    if booth.help is not None:
        return _help(booth, booth.help, at)
    if booth.under in BUSY:
        return None
    if booth.until is not None:
        return _until(booth, booth.until, at)
    if booth.under is Screen.ATTRACT:
        return _attract(booth, at)
    return _step(booth, at)


def _step(booth: "Booth", at: float) -> int | None:
    settings = booth.fittings.settings
    broken = booth.waits_for_device
    idle = at - max(booth.touched, booth.last_seen)
    if broken is not None:
        most, now = settings.help_seconds, at - booth.trouble[broken]
    else:
        most, now = settings.idle_seconds + settings.warning_seconds, idle
    if now >= most:
        _time_out(booth)
        return booth.countdown
    asked = broken is None and idle >= settings.idle_seconds
    return _whole(most - now) if asked else None


def _time_out(booth: "Booth") -> None:
    if booth.visit.state is VisitState.WAITING:
        booth.finish()
    else:
        booth.leave(VisitEvent.TIME_OUT, "timed_out")


def _attract(booth: "Booth", at: float) -> int | None:
    if booth.language != "vi" and at - booth.touched >= booth.fittings.settings.idle_seconds:
        booth.language = "vi"
        booth.changed()
    return None


def _until(booth: "Booth", until: float, at: float) -> int | None:
    if booth.under is Screen.SEALED and booth.receipt is None:
        booth.look_for_receipt()
    if at < until:
        return None if booth.under is Screen.ATTRACT else _whole(until - at)
    booth.finish()
    return None


def _help(booth: "Booth", help_: Help, at: float) -> int | None:
    idle = at - booth.touched
    settings = booth.fittings.settings
    if help_.officer is not None and idle >= settings.desk_seconds:
        booth.sign_out()
    if at - help_.since >= settings.help_seconds and idle >= settings.idle_seconds:
        if booth.visit.state in {VisitState.WAITING, VisitState.SEALED}:
            booth.help = None
            booth.finish()
        else:
            booth.leave(VisitEvent.TIME_OUT, "timed_out")
    return None


def _whole(seconds: float) -> int:
    return max(1, int(-(-seconds // 1)))
