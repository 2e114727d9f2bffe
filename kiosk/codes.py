"""The scanner's thread: reports the text of each code it reads.

It knows no tickets and no cards (see `scan`); a kiosk without its scanner reads by the camera.
"""

import logging
from collections.abc import Callable
from typing import Final

from hardware.codes.port import CodeReader, CodeReaderInfo
from hardware.errors import Broken
from kiosk.thread import Running

log = logging.getLogger(__name__)

NO_SCANNER: Final = "none"
AGAIN_AFTER: Final = 2.0
"""Seconds until a scanner that went away is looked for again."""
_WAIT: Final = 0.5


class Scanner(Running):
    """The scanner, read by one thread; it survives one that goes away and comes back.

    Args:
        open_: opens the scanner; raises `Broken` where it is not there.
        report: told the text of each code.
    """

    def __init__(self, open_: Callable[[], CodeReader], report: Callable[[str], None]) -> None:
        super().__init__("scanner")
        self._open = open_
        self._report = report
        self._info: CodeReaderInfo | None = None

    @property
    def info(self) -> CodeReaderInfo | None:
        """Return what is known of the scanner, None while it is not there."""
        return self._info

    def _run(self) -> None:
        said = ""
        while not self._stop.is_set():
            try:
                self._read(self._open())
            except Broken as error:
                # Once, not every two seconds of a day without a scanner.
                if str(error) != said:
                    said = str(error)
                    log.warning("no scanner: %s", error)
            except Exception:
                log.exception("the scanner failed as no scanner should")
            self._info = None
            self._stop.wait(AGAIN_AFTER)

    def _read(self, reader: CodeReader) -> None:
        try:
            self._info = reader.info
            while not self._stop.is_set():
                text = reader.read(deadline=_WAIT)
                if text is not None:
                    self._report(text)
        finally:
            reader.close()
