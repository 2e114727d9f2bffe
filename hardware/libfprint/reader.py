"""A `FingerReader` over libfprint, which is driven by a helper process with the system's Python.

Its own matching is not used; a helper that falls or hangs is ended and started anew.
"""

import json
import os
import select
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hardware.errors import Broken, Garbled, Refused, Silent, Unplugged
from hardware.finger.port import Impression, NoImage, Preview, ReaderInfo, Touch, Wanted

INTERPRETER: Final = "/usr/bin/python3"
"""Debian's own: python3-gi is built for no other."""
_HELPER: Final = Path(__file__).with_name("helper.py")
_HEAD: Final = struct.Struct(">II")
_MOST_TEXT: Final = 65_536
_MOST_PIXELS: Final = 4_000_000
_SIDE: Final = 4096
_START: Final = 10.0
"""Seconds until a helper has opened its device; USB devices take up to three."""
_GRACE: Final = 3.0
"""Seconds a helper may need beyond a deadline that it was told."""
_LONGEST: Final = 3600.0
"""Seconds that a helper is ever told to wait."""
_LOOK: Final = 0.1
"""Seconds between two looks at the glass, and at whether the reader was closed."""
_DPI: Final = 500
"""Where a driver does not say: what libfprint's own matching takes for granted."""
_UNKNOWN: Final = (256, 288)
_MISSING: Final = (
    "libfprint's helper does not run; install libfprint-2-2, gir1.2-fprint-2.0 and python3-gi"
)


class _Ended(Unplugged):
    """The helper's process is over."""


class LibfprintReader:
    """The first reader that libfprint sees, or the one with the id `device`.

    After `Unplugged`, `Silent` or `Garbled` the next call starts another helper.

    Args:
        device: as libfprint names it; empty for the first.
        environment: what the helper gets beside this process's.
        simulated: True only where a stand-in is behind it.
        waiting: called whenever the device has begun to wait for a finger.

    Raises:
        Unplugged: libfprint sees no such reader, or it or its binding is not installed.
        Refused: the driver gives no images.
    """

    def __init__(
        self,
        device: str = "",
        *,
        environment: Mapping[str, str] | None = None,
        simulated: bool = False,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self._device = device
        self._environment = dict(environment or {})
        self._simulated = simulated
        self._waiting = waiting
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._heard = bytearray()
        self._shape = _UNKNOWN
        with self._lock:
            self._info = self._start()

    @property
    def info(self) -> ReaderInfo:
        """Return what the reader says of itself, or said before it went away."""
        return self._info

    @property
    def process_id(self) -> int | None:
        """Return the helper's process id, None where none runs."""
        process = self._process
        return None if process is None else process.pid

    def capture(
        self,
        wanted: Wanted,
        *,
        deadline: float,
        progress: Callable[[float], None] | None = None,
        preview: Preview | None = None,  # noqa: ARG002 - libfprint gives no live picture
    ) -> tuple[Impression] | NoImage:
        """Wait for a finger and take one impression.

        Args:
            wanted: one finger, flat.
            deadline: seconds from now, an hour at most; the driver is given `_GRACE` more to
                stop in.
            progress: told 1.0 with the image.
            preview: never told anything.

        Raises:
            ValueError: more is wanted than one flat finger.
            Unplugged, Silent, Garbled, Refused: see `hardware.errors`.
        """
        if wanted.touch is not Touch.SINGLE or len(wanted.positions) != 1:
            raise ValueError(f"such a reader takes one flat finger, not {wanted}")
        with self._lock:
            seconds = min(deadline, _LONGEST)
            end = time.monotonic() + seconds + _GRACE
            facts, picture = self._ask({"do": "capture", "seconds": seconds}, end)
            if facts.get("waiting"):
                self._waiting()
                facts, picture = self._next(end)
            at = time.monotonic()
            if "no" in facts:
                return self._mendable(facts["no"])
            pixels, dpi = self._image(facts, picture)
        if progress is not None:
            progress(1.0)
        (position,) = wanted.positions
        return (
            Impression(pixels=pixels, dpi=dpi, at=at, serial=self._info.serial, position=position),
        )

    def wait_lifted(self, *, deadline: float) -> bool:
        """Wait until no finger lies on the reader; False if one still does after `deadline` s.

        Raises:
            Unplugged, Silent, Garbled, Refused: see `hardware.errors`.
        """
        end = time.monotonic() + deadline
        while True:
            with self._lock:
                facts, _ = self._ask({"do": "lifted"}, time.monotonic() + _GRACE)
            if facts.get("lifted") is True:
                return True
            if time.monotonic() + _LOOK >= end:
                return False
            time.sleep(_LOOK)

    def close(self) -> None:
        """End the helper; may be called twice, and from another thread than `capture`."""
        self._closed.set()
        with self._lock:
            self._end()

    def _start(self) -> ReaderInfo:
        environment = {**os.environ, **self._environment}
        try:
            self._process = subprocess.Popen(
                [INTERPRETER, "-I", str(_HELPER), self._device],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        except OSError as error:
            raise Unplugged(f"{_MISSING} ({error.strerror})") from error
        try:
            facts, _ = self._next(time.monotonic() + _START)
        except _Ended as error:
            raise Unplugged(_MISSING) from error
        except Refused:
            # The device could not be opened: such a helper serves nobody.
            self._end()
            raise
        name, serial = str(facts.get("name", "")), str(facts.get("id", ""))
        if facts.get("captures") is not True:
            self._end()
            raise Refused(f"{name or 'the reader'} gives no images", 0)
        return ReaderInfo(
            name=f"{name} ({facts.get('driver', '')})",
            serial=serial,
            simulated=self._simulated,
            width=self._shape[0],
            height=self._shape[1],
            dpi=_DPI,
        )

    def _ask(self, what: dict[str, Any], until: float) -> tuple[dict[str, Any], bytes]:
        if self._closed.is_set():
            raise Unplugged("the reader was closed")
        if self._process is None:
            self._info = self._start()
        process = self._process
        if process is None or process.stdin is None:
            raise Unplugged("the reader went away")
        try:
            process.stdin.write(json.dumps(what).encode() + b"\n")
            process.stdin.flush()
        except OSError as error:
            self._end()
            raise Unplugged("libfprint's helper ended") from error
        return self._next(until)

    def _next(self, until: float) -> tuple[dict[str, Any], bytes]:
        """Return the helper's next answer; after an error it is ended."""
        try:
            text, picture = _HEAD.unpack(self._octets(_HEAD.size, until))
            if text > _MOST_TEXT or picture > _MOST_PIXELS:
                raise Garbled("libfprint's helper announced more than any answer has")
            facts = json.loads(self._octets(text, until))
            body = self._octets(picture, until)
        except Broken:
            self._end()
            raise
        except ValueError as error:
            self._end()
            raise Garbled("libfprint's helper answered no JSON") from error
        if not isinstance(facts, dict):
            self._end()
            raise Garbled("libfprint's helper answered no JSON object")
        if "broken" in facts:
            said = str(facts.get("text", ""))
            if facts["broken"] == "unplugged":
                self._end()
                raise Unplugged(f"{said}; is the reader plugged in?")
            code = facts.get("code")
            raise Refused(f"libfprint: {said}", code if isinstance(code, int) else 0)
        return facts, body

    def _octets(self, count: int, until: float) -> bytes:
        process = self._process
        if process is None or process.stdout is None:
            raise Unplugged("the reader went away")
        end = process.stdout.fileno()
        while len(self._heard) < count:
            if self._closed.is_set():
                raise Unplugged("the reader was closed")
            left = max(0.0, until - time.monotonic())
            ready, _, _ = select.select([end], [], [], min(_LOOK, left))
            if not ready:
                if left > _LOOK:
                    continue
                raise Silent("libfprint's helper does not answer")
            octets = os.read(end, 65_536)
            if not octets:
                raise _Ended("libfprint's helper ended")
            self._heard += octets
        found = bytes(self._heard[:count])
        del self._heard[:count]
        return found

    def _end(self) -> None:
        process, self._process = self._process, None
        self._heard.clear()
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    # A request that the helper never read is of no more use.
                    continue

    @staticmethod
    def _mendable(said: object) -> NoImage:
        try:
            return NoImage(str(said))
        except ValueError as error:
            raise Garbled("libfprint's helper gave a reason that is none of ours") from error

    @staticmethod
    def _image(facts: dict[str, Any], picture: bytes) -> tuple[NDArray[np.uint8], int]:
        height, width = _side(facts, "height"), _side(facts, "width")
        if height * width != len(picture):
            raise Garbled("libfprint's helper gave half an image")
        pixels = np.frombuffer(picture, np.uint8).reshape(height, width)
        return pixels, _side(facts, "dpi") if facts.get("dpi") else _DPI


def _side(facts: dict[str, Any], name: str) -> int:
    value = facts.get(name)
    if isinstance(value, int) and 0 < value <= _SIDE:
        return value
    raise Garbled(f"libfprint's helper gave an image of impossible {name}")
