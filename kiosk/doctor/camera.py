"""The examination of the camera: does it open, is it sharp, is the booth lit. Limits stand here.

How the figures are measured stands in `picture`.
"""

from typing import Final

from hardware.camera.port import CameraInfo
from hardware.errors import Broken
from kiosk.doctor.check import Check, Figure, State, detail, found
from kiosk.doctor.devices import Devices
from kiosk.doctor.picture import Picture, measure

FRAMES: Final = 24
"""After a camera was opened its first frames are too dark; they are not measured."""
MEASURED: Final = 12
SLOW_UNDER: Final = 10.0
"""Frames a second: the shutter wants 12 good ones in a row and people breathe."""
SMALLEST: Final = (960, 720)
"""Width, height: what cameras of 4:3 give where 1280 x 720 is asked for."""
BLURRED_OVER: Final = 1.4
"""Pixels, of 1280 x 720: the portrait's own gate refuses four simulated sitters of four from 1.6
(three from 1.15), see docs/devices.md."""
DARK_UNDER: Final = 60.0
BRIGHT_OVER: Final = 245.0
"""Levels of the median: a lit white wall is at 220, a clipped one at 255."""
UNEVEN_UNDER: Final = 0.6
"""Share of light, ours: one lamp of two that is out gives less."""
NOISY_OVER: Final = 6.0
"""Levels, ours: the simulated camera has 2, a sensor at its highest gain 10 and more."""

PARTS: Final = ("camera", "focus", "light")


def examine(devices: Devices) -> tuple[Check, ...]:
    """Return what was found of the camera, its focus and the light before it."""
    try:
        info, frames = devices.frames(FRAMES)
        seen = measure(frames[-MEASURED:])
    except Broken as error:
        why = detail(error)
        return (found("camera", State.BROKEN, "camera.missing", why),)
    return (_camera(info, seen), _focus(info, seen), _light(info, seen))


def _camera(info: CameraInfo, seen: Picture) -> Check:
    figures = (
        Figure(name="name", value=info.name),
        Figure(name="size", value=f"{info.width} x {info.height}"),
        *(() if seen.rate is None else (Figure(name="rate", value=round(seen.rate, 1)),)),
    )
    wrong: tuple[tuple[bool, State, str], ...] = (
        (seen.still and not info.simulated, State.BROKEN, "still"),
        (info.width < SMALLEST[0] or info.height < SMALLEST[1], State.ATTENTION, "small"),
        (seen.rate is not None and seen.rate < SLOW_UNDER, State.ATTENTION, "slow"),
    )
    return _first("camera", wrong, figures, info)


def _focus(info: CameraInfo, seen: Picture) -> Check:
    if seen.blur is None:
        return found("focus", State.ABSENT, "focus.blank", simulated=info.simulated)
    figures = (Figure(name="blur", value=round(seen.blur, 2), unit="px"),)
    return _first("focus", ((seen.blur > BLURRED_OVER, State.ATTENTION, "blurred"),), figures, info)


def _light(info: CameraInfo, seen: Picture) -> Check:
    figures = (
        Figure(name="light", value=round(seen.light), unit="/ 255"),
        Figure(name="evenness", value=round(100 * seen.evenness), unit="%"),
        Figure(name="noise", value=round(seen.noise, 1), unit="/ 255"),
    )
    wrong = (
        (seen.light < DARK_UNDER, State.ATTENTION, "dark"),
        (seen.light > BRIGHT_OVER, State.ATTENTION, "bright"),
        (seen.evenness < UNEVEN_UNDER, State.ATTENTION, "uneven"),
        (seen.noise > NOISY_OVER, State.ATTENTION, "noisy"),
    )
    return _first("light", wrong, figures, info)


def _first(
    name: str,
    wrong: tuple[tuple[bool, State, str], ...],
    figures: tuple[Figure, ...],
    info: CameraInfo,
) -> Check:
    for is_so, state, said in wrong:
        if is_so:
            return found(name, state, f"{name}.{said}", *figures, simulated=info.simulated)
    return found(name, State.OK, f"{name}.ok", *figures, simulated=info.simulated)
