"""A thread of the kiosk that begins once and ends when it is told to; what it does is another's."""

import threading
from typing import Final

PATIENCE: Final = 5.0
"""Seconds a thread has to end; a driver that hangs keeps it, not the kiosk."""


class Running:
    """Something that runs in a thread of its own until it is stopped."""

    def __init__(self, name: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; may be called once."""
        self._thread.start()

    def stop(self) -> None:
        """End; may be called twice, and before it has begun."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        raise NotImplementedError
