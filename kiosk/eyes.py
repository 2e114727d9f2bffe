"""The iris scanner's thread: takes both eyes when it is asked to, again until they are there.

It judges no iris and decides no step of the visit.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import cv2

from biometrics.capture import MAX_NAME, EyeSide, Iris
from hardware.errors import Broken
from hardware.iris.port import Eye, IrisInfo, IrisPicture, IrisReader, NoImage
from kiosk.thread import Running

log = logging.getLogger(__name__)

LOOK_WITHIN: Final = 12.0
"""Seconds of one wait for the eyes."""
AGAIN_AFTER: Final = 1.0
"""Seconds until a scanner that went away is looked for again."""
TRIES: Final = 3
"""Looks that gave nothing until an officer is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """How far the irises have come.

    Attributes:
        failed: looks in a row that gave nothing.
        irises: what was taken.
        alone: the eye that is asked for by itself; None where both are, or all is done.
    """

    failed: int = 0
    irises: tuple[Iris, ...] = ()
    alone: EyeSide | None = None

    @property
    def lacking(self) -> tuple[EyeSide, ...]:
        """Return the eyes that are not there yet."""
        there = {one.eye for one in self.irises}
        return tuple(eye for eye in EyeSide if eye not in there)


Report = Callable[[Looked], None]


class IrisTaker(Running):
    """The scanner, used by one thread; it survives one that goes away and comes back.

    Args:
        open_: opens the scanner; raises `Broken` where it is not there.
        told: called with True when it works and False when it stops to.
    """

    def __init__(self, open_: Callable[[], IrisReader], told: Callable[[bool], None]) -> None:
        super().__init__("irises")
        self._open = open_
        self._told = told
        self._wake = threading.Condition()
        self._report: Report | None = None
        self._paused = False
        self._looked = Looked()
        self._reader: IrisReader | None = None
        self._info: IrisInfo | None = None
        self._working: bool | None = None

    @property
    def info(self) -> IrisInfo | None:
        """Return what the scanner says of itself, None before it was opened once."""
        return self._info

    @property
    def looked(self) -> Looked:
        """Return how far the irises have come."""
        return self._looked

    def begin(self, report: Report) -> None:
        """Take irises from now on, and tell `report` of each look."""
        with self._wake:
            self._report, self._looked, self._paused = report, Looked(), False
            self._wake.notify_all()

    def end(self) -> None:
        """Take none any more, and let what was taken go."""
        with self._wake:
            self._report, self._looked = None, Looked()
            self._wake.notify_all()

    def pause(self, *, paused: bool) -> None:
        """Hold on while an officer helps, or go on; a look under way is thrown away."""
        with self._wake:
            self._paused = paused
            self._looked = replace(self._looked, failed=0)
            self._wake.notify_all()

    def stop(self) -> None:
        """End, also in the middle of a look."""
        self._stop.set()
        with self._wake:
            reader = self._reader
            self._wake.notify_all()
        if reader is not None:
            reader.close()
        super().stop()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._serve(self._open())
            except Broken as error:
                log.warning("no iris scanner: %s", error)
                self._tell(working=False)
            except Exception:
                # Whatever a driver comes up with, a scanner that is not asked must be said.
                log.exception("the iris scanner failed as none should")
                self._tell(working=False)
            self._stop.wait(AGAIN_AFTER)

    def _serve(self, reader: IrisReader) -> None:
        self._reader = reader
        try:
            self._info = reader.info
            self._tell(working=True)
            while (report := self._asked()) is not None:
                eyes = self._eyes(reader.info)
                pictures = reader.capture(eyes, deadline=LOOK_WITHIN)
                self._take(report, pictures, reader.info)
                self._tell(working=True)
        finally:
            reader.close()

    def _eyes(self, info: IrisInfo) -> tuple[Eye, ...]:
        """Return the eyes to ask for: both together, or one after the other."""
        with self._wake:
            lacking = self._looked.lacking
            alone = None if info.both or not lacking else lacking[0]
            self._looked = replace(self._looked, alone=alone)
        return tuple(Eye(one) for one in (lacking if alone is None else (alone,)))

    def _tell(self, *, working: bool) -> None:
        if working is not self._working and not self._stop.is_set():
            self._working = working
            self._told(working)

    def _asked(self) -> Report | None:
        """Return who wants irises, waiting for somebody; None to stop."""
        with self._wake:
            self._wake.wait_for(lambda: self._stop.is_set() or self._wants())
            return None if self._stop.is_set() else self._report

    def _wants(self) -> bool:
        return self._report is not None and not self._paused and bool(self._looked.lacking)

    def _take(
        self, report: Report, pictures: tuple[IrisPicture, ...] | NoImage, info: IrisInfo
    ) -> None:
        found = () if isinstance(pictures, NoImage) else tuple(_iris(one, info) for one in pictures)
        with self._wake:
            if self._report is not report or self._paused:
                return
            before = self._looked
            new = tuple(one for one in found if one.eye in before.lacking)
            failed = 0 if new else before.failed + 1
            looked = Looked(failed=failed, irises=(*before.irises, *new))
            if not info.both:
                looked = replace(looked, alone=next(iter(looked.lacking), None))
            self._looked = looked
        report(looked)


def _iris(picture: IrisPicture, info: IrisInfo) -> Iris:
    height, width = picture.pixels.shape
    return Iris(
        eye=EyeSide(picture.eye),
        image=cv2.imencode(".png", picture.pixels)[1].tobytes(),
        width=width,
        height=height,
        quality=picture.claimed,
        reader=f"{info.name} {picture.serial}"[:MAX_NAME],
    )
