"""A finger device that speaks SBI as a `FingerReader`: slaps, thumbs, single and rolled fingers.

It judges no impression beyond what `verify` does.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hardware.errors import Garbled
from hardware.finger.port import Impression, NoImage, Preview, ReaderInfo, Touch, Wanted
from hardware.sbi.asked import Asked, ask_one, ask_together
from hardware.sbi.client import SCORE, SbiClient
from hardware.sbi.discovery import PATIENCE, Device
from hardware.sbi.outcomes import Mendable
from hardware.sbi.port import FingerPicture
from hardware.sbi.preview import shown
from hardware.sbi.vocabulary import ROLLED_TYPE

_SLAP: Final = "slap"
_SIZE: Final = (500, 400, 500)
"""Height, width and dpi until an impression came: a finger out of a slap."""
_NO_IMAGE: Final = {
    Mendable.NOTHING_THERE: NoImage.NO_FINGER,
    Mendable.UNCLEAR: NoImage.TOO_MESSY,
    Mendable.MISPLACED: NoImage.TOO_SMALL,
}


class SbiFingerReader:
    """A device as a `FingerReader`; after `Unplugged` the next call looks for it again.

    Args:
        client: of a finger device.
        score: quality 0..100 at which the device takes the picture by itself; of a slap it is
            the mean.
        simulated: True only where a stand-in is behind the service.
        clock: monotonic seconds.

    Raises:
        Unplugged, Distrusted: as `SbiClient.find`.
    """

    def __init__(
        self,
        client: SbiClient,
        *,
        score: int = SCORE,
        simulated: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._score, self._simulated = client, score, simulated
        self._clock = clock
        self._lock = threading.Lock()
        self._info = _describe(client.find(), simulated=simulated, size=_SIZE)

    @property
    def info(self) -> ReaderInfo:
        """Return what the reader says of itself, or said before it went away."""
        return self._info

    def capture(
        self,
        wanted: Wanted,
        *,
        deadline: float,
        progress: Callable[[float], None] | None = None,
        preview: Preview | None = None,
    ) -> tuple[Impression, ...] | NoImage:
        """Wait for the wanted fingers and take one impression of each, verified.

        Args:
            wanted: of a touch that `info.takes` names.
            deadline: seconds from now until the whole command must have ended.
            progress: told the share (0..1) of the answer that has come over.
            preview: told of live pictures of the glass, from another thread.

        Raises:
            Unplugged, Silent, Garbled, Refused: see `hardware.errors`.
            Distrusted: what came did not pass a check; see `hardware.sbi.distrust`.
            ValueError: the reader cannot take such a touch.
        """
        until = self._clock() + deadline
        with self._lock:
            device = self._client.find(deadline=min(PATIENCE, deadline))
            self._info = _describe(
                device,
                simulated=self._simulated,
                size=(self._info.height, self._info.width, self._info.dpi),
            )
            asked = self._asked(wanted, device)
            with shown(self._client, asked.sub_id, preview, seconds=deadline):
                taken = self._client.capture(
                    asked, deadline=until - self._clock(), score=self._score, progress=progress
                )
            if isinstance(taken, Mendable):
                return _NO_IMAGE[taken]
            at = self._clock()
            impressions = []
            for one in taken:
                picture = one.picture
                if not isinstance(picture, FingerPicture):
                    raise Garbled(f"a {type(picture).__name__} in place of a finger")
                impressions.append(
                    Impression(
                        pixels=picture.pixels,
                        dpi=picture.dpi,
                        at=at,
                        serial=self._info.serial,
                        position=picture.position,
                        claimed=one.claimed,
                    )
                )
            self._enlarge(impressions, device)
        return tuple(impressions)

    def wait_lifted(self, *, deadline: float) -> bool:  # noqa: ARG002 - SBI cannot tell
        """Return True at once: the interface has no word for a finger that still lies there."""
        return True

    def close(self) -> None:
        """Let the device go; may be called twice, and from another thread than `capture`."""
        self._client.close()

    def _asked(self, wanted: Wanted, device: Device) -> Asked:
        if wanted.touch not in self._info.takes:
            raise ValueError(f"{self._info.name} cannot take {wanted}")
        if wanted.touch in {Touch.SLAP, Touch.THUMBS}:
            return ask_together(wanted.positions)
        if len(wanted.positions) != 1:
            raise ValueError(f"one finger at a time, not {wanted}")
        # A slap reader takes one finger as a hand whose others are missing.
        one = ask_together(wanted.positions) if _is_slap(device) else ask_one(*wanted.positions)
        return replace(one, rolled=wanted.touch is Touch.ROLLED)

    def _enlarge(self, impressions: list[Impression], device: Device) -> None:
        height = max(one.pixels.shape[0] for one in impressions)
        width = max(one.pixels.shape[1] for one in impressions)
        if height > self._info.height or width > self._info.width:
            size = (
                max(height, self._info.height),
                max(width, self._info.width),
                impressions[0].dpi,
            )
            self._info = _describe(device, simulated=self._simulated, size=size)


def _is_slap(device: Device) -> bool:
    return device.identity.device_sub_type.casefold() == _SLAP


def _describe(device: Device, *, simulated: bool, size: tuple[int, int, int]) -> ReaderInfo:
    takes = {Touch.SINGLE}
    if _is_slap(device):
        takes |= {Touch.SLAP, Touch.THUMBS}
    if ROLLED_TYPE in device.info.impression_types:
        takes.add(Touch.ROLLED)
    height, width, dpi = size
    return ReaderInfo(
        name=device.identity.name,
        serial=device.identity.serial_no,
        simulated=simulated,
        width=width,
        height=height,
        dpi=dpi,
        takes=frozenset(takes),
    )
