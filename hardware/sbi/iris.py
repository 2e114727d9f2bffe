"""An iris device that speaks SBI as an `IrisReader`.

It judges no picture beyond what `verify` does.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from hardware.errors import Garbled
from hardware.finger.port import Preview
from hardware.iris.port import Eye, IrisInfo, IrisPicture, NoImage
from hardware.sbi.asked import ask_eyes
from hardware.sbi.client import SCORE, SbiClient
from hardware.sbi.discovery import PATIENCE, Device
from hardware.sbi.outcomes import Mendable
from hardware.sbi.port import EyePicture
from hardware.sbi.preview import shown

_DOUBLE: Final = "double"


class SbiIrisReader:
    """A device as an `IrisReader`; after `Unplugged` the next call looks for it again.

    Args:
        client: of an iris device.
        score: quality 0..100 at which the device takes the picture by itself.
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
        self._info = _describe(client.find(), simulated=simulated)

    @property
    def info(self) -> IrisInfo:
        """Return what the reader says of itself, or said before it went away."""
        return self._info

    def capture(
        self, eyes: tuple[Eye, ...], *, deadline: float, preview: Preview | None = None
    ) -> tuple[IrisPicture, ...] | NoImage:
        """Wait for the wanted eyes and take one picture of each, verified.

        Args:
            eyes: one or both, each once; a reader of one eye is asked for them in turn.
            deadline: seconds from now until the whole command must have ended.
            preview: told of live pictures, from another thread.

        Raises:
            Unplugged, Silent, Garbled, Refused: see `hardware.errors`.
            Distrusted: what came did not pass a check; see `hardware.sbi.distrust`.
            ValueError: no eye, or one twice.
        """
        ask_eyes(eyes)
        until = self._clock() + deadline
        found: list[IrisPicture] = []
        with self._lock:
            device = self._client.find(deadline=min(PATIENCE, deadline))
            self._info = _describe(device, simulated=self._simulated)
            looks = [eyes] if self._info.both else [(eye,) for eye in eyes]
            for look in looks:
                asked = ask_eyes(look)
                left = until - self._clock()
                with shown(self._client, asked.sub_id, preview, seconds=left):
                    taken = self._client.capture(
                        asked, deadline=until - self._clock(), score=self._score
                    )
                if isinstance(taken, Mendable):
                    return NoImage.NO_EYE
                for one in taken:
                    picture = one.picture
                    if not isinstance(picture, EyePicture) or picture.eye is None:
                        raise Garbled(f"a {type(picture).__name__} in place of an eye")
                    found.append(
                        IrisPicture(
                            pixels=picture.pixels,
                            eye=picture.eye,
                            at=self._clock(),
                            serial=self._info.serial,
                            claimed=one.claimed,
                        )
                    )
        return tuple(found)

    def close(self) -> None:
        """Let the device go; may be called twice, and from another thread than `capture`."""
        self._client.close()


def _describe(device: Device, *, simulated: bool) -> IrisInfo:
    return IrisInfo(
        name=device.identity.name,
        serial=device.identity.serial_no,
        simulated=simulated,
        both=device.identity.device_sub_type.casefold() == _DOUBLE,
    )
