"""Waiting for the next code: the loop that scanners of every kind share. It opens no device."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Protocol

TICK: Final = 0.05
"""Seconds a single look at the device may wait: so often a deadline and a close are looked at."""
_QUIET: Final = 0.25
"""Seconds of silence that end a code without an end: 240 bytes' time at 9600 baud."""


class Cutter(Protocol):
    """Cuts what a scanner sends into texts."""

    @property
    def pending(self) -> bool:
        """Return whether a text has begun and not ended."""
        ...

    def receive(self, data: bytes) -> Iterable[str]:
        """Return the texts that end in `data`, in their order."""
        ...

    def end(self) -> str | None:
        """End the text here; None where nothing is left that can be read."""
        ...


class Waiting:
    """Reads until a text has ended or fallen silent.

    Args:
        cutter: of the scanner's kind.
        receive: returns what came within `TICK`, empty for nothing; raises `Unplugged`.
        clock: monotonic seconds.
    """

    def __init__(
        self, cutter: Cutter, receive: Callable[[], bytes], clock: Callable[[], float]
    ) -> None:
        self._cutter, self._receive, self._clock = cutter, receive, clock
        self._texts: deque[str] = deque()
        self._heard_at = clock()

    def next(self, deadline: float) -> str | None:
        """Return the next text, None if none ended within `deadline` seconds.

        Raises:
            Unplugged: as `receive` does.
        """
        until = self._clock() + deadline
        while not self._texts:
            got = self._receive()
            now = self._clock()
            if got:
                self._heard_at = now
                self._texts.extend(self._cutter.receive(got))
            elif self._cutter.pending and now - self._heard_at >= _QUIET:
                text = self._cutter.end()
                if text is not None:
                    self._texts.append(text)
            if not self._texts and now >= until:
                return None
        return self._texts.popleft()
