"""The examination of the fingerprint reader: its settings and line, and what lies on its glass.

It judges no finger. Nobody is asked to put one there: what is seen is dirt, or somebody's trace.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.finger.impression import ImpressionInvalid, at_500_dpi
from biometrics.finger.measures import Measures, measure
from hardware.errors import Broken
from hardware.finger.commands import FAST
from hardware.finger.examination import Answers, Module, examine
from hardware.finger.port import FingerReader, NoImage, ReaderInfo, Touch, Wanted
from kiosk.doctor.check import Check, Figure, State, detail, found
from kiosk.doctor.devices import Devices

PARTS: Final = ("reader", "glass")
LOOK: Final = 2.0
"""Seconds that the glass is looked at: a module looks about twenty times meanwhile."""
_ANSWERING: Final = 5.0
LATENT_FROM: Final = 25.0
"""mm2 of structure that count as a trace: a third of what any finger covers."""
_ASKED: Final = (
    Wanted(positions=(1,), touch=Touch.SINGLE),
    Wanted(positions=(1,), touch=Touch.ROLLED),
    Wanted(positions=(2, 3, 4, 5), touch=Touch.SLAP),
    Wanted(positions=(1, 6), touch=Touch.THUMBS),
)
"""Any finger is as good as another: none is expected. The first that the reader takes is asked."""

Grey = NDArray[np.uint8]


def examine_reader(devices: Devices) -> tuple[Check, ...]:
    """Return what was found of the reader and of its glass."""
    try:
        with devices.reader() as reader:
            if reader is None:
                return (found("reader", State.ABSENT, "reader.busy"),)
            return (_line(reader), _glass(reader))
    except Broken as error:
        why = detail(error)
        return (found("reader", State.BROKEN, "reader.missing", why),)


def _line(reader: FingerReader) -> Check:
    info = reader.info
    figures = [
        Figure(name="name", value=info.name),
        Figure(name="serial", value=info.serial),
        Figure(name="size", value=f"{info.width} x {info.height}"),
        Figure(name="resolution", value=info.dpi, unit="dpi"),
    ]
    if not isinstance(reader, Module):
        return found("reader", State.OK, "reader.ok", *figures, simulated=info.simulated)
    answers = examine(reader, deadline=_ANSWERING)
    figures += _answers(answers)
    simulated = info.simulated
    if answers.lost:
        return found("reader", State.ATTENTION, "reader.line", *figures, simulated=simulated)
    baud = answers.parameters.baud
    if baud < FAST:
        return found(
            "reader", State.ATTENTION, "reader.slow", *figures, simulated=simulated, baud=baud
        )
    return found("reader", State.OK, "reader.ok", *figures, simulated=simulated)


def _answers(answers: Answers) -> list[Figure]:
    parameters = answers.parameters
    return [
        Figure(name="firmware", value=parameters.system),
        Figure(name="baud", value=parameters.baud, unit="bit/s"),
        Figure(name="packet", value=parameters.packet, unit="byte"),
        Figure(name="answers", value=f"{answers.asked - answers.lost} / {answers.asked}"),
        Figure(name="slowest", value=round(1000 * answers.slowest), unit="ms"),
    ]


def _glass(reader: FingerReader) -> Check:
    """What the reader takes for a finger though nobody is there, and its live pictures if any."""
    info = reader.info
    pictures: list[Grey] = []
    wanted = next(one for one in _ASKED if one.touch in info.takes)
    taken = reader.capture(wanted, deadline=LOOK, preview=pictures.append)
    if not isinstance(taken, NoImage):
        pictures = [one.pixels for one in taken]
    trace = _trace(pictures[-1], info) if pictures else None
    if trace is not None and trace.area >= LATENT_FROM:
        figures = (
            Figure(name="area", value=round(trace.area), unit="mm²"),
            Figure(name="contrast", value=round(trace.contrast), unit="/ 255"),
        )
        return found("glass", State.ATTENTION, "glass.latent", *figures, simulated=info.simulated)
    if taken is not NoImage.NO_FINGER:
        # The module saw something and could make nothing of it: dirt rather than a finger.
        return found("glass", State.ATTENTION, "glass.latent", simulated=info.simulated)
    if not pictures and not isinstance(reader, Module):
        return found("glass", State.ABSENT, "glass.unseen", simulated=info.simulated)
    return found("glass", State.OK, "glass.ok", simulated=info.simulated)


def _trace(pixels: Grey, info: ReaderInfo) -> Measures | None:
    try:
        return measure(at_500_dpi(pixels, info.dpi))
    except ImpressionInvalid:
        return None
