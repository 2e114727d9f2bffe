"""A reader or camera of ours as an SBI device: what it says it is, and one try to take something.

It speaks no HTTP, signs nothing and judges nothing.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from hardware.camera.port import Camera, Frame
from hardware.errors import Broken, Silent
from hardware.finger.port import FingerReader, NoImage, Touch, Wanted
from hardware.iris.port import IrisReader
from hardware.iris.port import NoImage as NoIris
from hardware.sbi.port import EyePicture, FacePicture, FingerPicture
from hardware.sbi.vocabulary import EYES, FINGERS, Modality, SubId

_BLANK: Final = (320, 400)
"""Height and width of what a reader shows until it sees something."""
_FRAME_PATIENCE: Final = 4.0
"""Seconds for one frame of a camera, its opening included."""
_PAUSE: Final = 0.5
"""Seconds before a camera that failed is opened again."""

AnyPicture = FingerPicture | EyePicture | FacePicture
Look = Callable[[], NDArray[np.uint8] | None]
"""Returns the newest live picture, height x width (x 3), None where there is none yet."""
Watch = AbstractContextManager[Look]
"""Has live pictures made while it is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a device says of itself.

    Attributes:
        device_id: by which requests name it within its service.
        several: whether it takes several fingers, or both eyes, at once.
        rolls: whether it takes rolled fingers.
    """

    device_id: str
    modality: Modality
    serial: str
    make: str
    model: str
    firmware: str
    several: bool = False
    rolls: bool = False

    @property
    def sub_type(self) -> str:
        """Return `deviceSubType`."""
        return _SUB_TYPES[self.modality, self.several]

    @property
    def sub_ids(self) -> tuple[SubId, ...]:
        """Return the parts that a request may name."""
        if self.modality is Modality.FACE or not self.several:
            return (SubId.UNKNOWN,)
        return (SubId.LEFT, SubId.RIGHT, SubId.BOTH)


_SUB_TYPES: Final = {
    (Modality.FINGER, True): "Slap",
    (Modality.FINGER, False): "Single",
    (Modality.IRIS, True): "Double",
    (Modality.IRIS, False): "Single",
    (Modality.FACE, False): "Full face",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a request wants of a device.

    Attributes:
        sub_types: names of fingers or eyes, ``("",)`` for a face; in the answer's order.
        rolled: one finger, rolled.
        score: 0..100 at which the picture is taken at once.
        seconds: for all of it.
    """

    sub_types: tuple[str, ...]
    score: int
    seconds: float
    rolled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Take:
    """One picture of a wish; its quality is what the reader itself claims."""

    sub_type: str
    picture: AnyPicture


class Offer(Protocol):
    """A device as its service sees it."""

    @property
    def card(self) -> Card:
        """Return what the device says of itself."""
        ...

    def attempt(self, wish: Wish, seconds: float) -> tuple[Take, ...]:
        """Try once; what is not there is left out.

        Raises:
            Broken: see `hardware.errors`.
        """
        ...

    def watched(self) -> Watch:
        """Hold the live picture open; what is given returns the newest one."""
        ...

    def close(self) -> None:
        """Let the device go; may be called twice."""
        ...


class Glance:
    """The newest live picture; shared by threads."""

    def __init__(self, first: NDArray[np.uint8] | None = None) -> None:
        self._picture = first

    def show(self, picture: NDArray[np.uint8]) -> None:
        """Put a picture in place of the last."""
        self._picture = picture

    def look(self) -> NDArray[np.uint8] | None:
        """Return the newest picture."""
        return self._picture


Reader = TypeVar("Reader", FingerReader, IrisReader)


class _ReaderOffer(Generic[Reader]):
    """What offers of readers share: live pictures come while one waits, if it has any.

    Args:
        reader: it is closed with the offer.
        card: what it says of itself.
    """

    def __init__(self, reader: Reader, card: Card) -> None:
        self._reader: Reader = reader
        self._card = card
        self._glance = Glance(np.full(_BLANK, 255, np.uint8))

    @property
    def card(self) -> Card:
        """Return what the device says of itself."""
        return self._card

    @contextmanager
    def watched(self) -> Iterator[Look]:
        """Give the newest live picture."""
        yield self._glance.look

    def close(self) -> None:
        """Let the reader go."""
        self._reader.close()


class FingerOffer(_ReaderOffer[FingerReader]):
    """Any `FingerReader`."""

    def attempt(self, wish: Wish, seconds: float) -> tuple[Take, ...]:
        """Ask the reader once.

        Raises:
            Broken: see `hardware.errors`.
        """
        wanted = Wanted(
            positions=tuple(sorted(FINGERS[name] for name in wish.sub_types)), touch=_touch(wish)
        )
        found = self._reader.capture(wanted, deadline=seconds, preview=self._glance.show)
        if isinstance(found, NoImage):
            return ()
        by_position = {one.position: one for one in found}
        takes = []
        for name in wish.sub_types:
            one = by_position.get(FINGERS[name])
            if one is None:
                continue
            picture = FingerPicture(
                pixels=one.pixels,
                dpi=one.dpi,
                position=one.position,
                rolled=wish.rolled,
                quality=one.claimed,
            )
            takes.append(Take(sub_type=name, picture=picture))
        if takes:
            self._glance.show(found[0].pixels)
        return tuple(takes)


def _touch(wish: Wish) -> Touch:
    if wish.rolled:
        return Touch.ROLLED
    if len(wish.sub_types) == 1:
        return Touch.SINGLE
    thumbs = all(name.endswith("Thumb") for name in wish.sub_types)
    return Touch.THUMBS if thumbs else Touch.SLAP


class IrisOffer(_ReaderOffer[IrisReader]):
    """Any `IrisReader`."""

    def attempt(self, wish: Wish, seconds: float) -> tuple[Take, ...]:
        """Ask the reader once.

        Raises:
            Broken: see `hardware.errors`.
        """
        eyes = tuple(EYES[name] for name in wish.sub_types)
        found = self._reader.capture(eyes, deadline=seconds, preview=self._glance.show)
        if isinstance(found, NoIris):
            return ()
        pictures = {
            one.eye: EyePicture(pixels=one.pixels, eye=one.eye, quality=one.claimed)
            for one in found
        }
        return tuple(
            Take(sub_type=name, picture=pictures[EYES[name]])
            for name in wish.sub_types
            if EYES[name] in pictures
        )


class CameraOffer:
    """Any `Camera`, read only while somebody wants its pictures.

    Args:
        open_camera: opens it, at the first wish and again after a failure.
        card: what it says of itself.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        open_camera: Callable[[], Camera],
        card: Card,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_camera, self._card, self._clock = open_camera, card, clock
        self._glance = Glance()
        self._told = threading.Condition()
        self._watchers = 0
        self._newest: Frame | None = None
        self._frames = 0
        self._broken: Broken | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def card(self) -> Card:
        """Return what the device says of itself."""
        return self._card

    def attempt(self, wish: Wish, seconds: float) -> tuple[Take, ...]:
        """Take the next frame.

        Raises:
            Broken: see `hardware.errors`.
        """
        with self.watched(), self._told:
            seen = self._frames
            self._broken = None
            patience = min(seconds, _FRAME_PATIENCE)
            self._told.wait_for(
                lambda: self._frames > seen or self._broken is not None or self._closed,
                timeout=patience,
            )
            frame, broken = self._newest, self._broken
            if self._frames == seen or frame is None:
                if broken is not None:
                    raise broken
                if patience < _FRAME_PATIENCE:
                    return ()
                raise Silent(f"{self._card.model} gives no pictures")
        return tuple(
            Take(sub_type=name, picture=FacePicture(pixels=frame.pixels)) for name in wish.sub_types
        )

    @contextmanager
    def watched(self) -> Iterator[Look]:
        """Have the camera read, and give the newest frame."""
        with self._told:
            self._watchers += 1
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="sbi-face", daemon=True)
                self._thread.start()
            self._told.notify_all()
        try:
            yield self._glance.look
        finally:
            with self._told:
                self._watchers -= 1

    def close(self) -> None:
        """Let the camera go; may be called twice."""
        with self._told:
            self._closed = True
            self._told.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(_FRAME_PATIENCE)

    def _run(self) -> None:
        while self._wanted():
            try:
                camera = self._open_camera()
            except Broken as error:
                self._fail(error)
                continue
            try:
                while self._wanted():
                    frame = camera.read()
                    with self._told:
                        self._newest = frame
                        self._frames += 1
                        self._told.notify_all()
                    self._glance.show(frame.pixels)
            except Broken as error:
                self._fail(error)
            finally:
                camera.close()

    def _wanted(self) -> bool:
        """Wait until somebody wants pictures; False once the offer is closed."""
        with self._told:
            self._told.wait_for(lambda: self._watchers > 0 or self._closed)
            return not self._closed

    def _fail(self, error: Broken) -> None:
        with self._told:
            self._broken = error
            self._told.notify_all()
            self._told.wait_for(lambda: self._closed, timeout=_PAUSE)
