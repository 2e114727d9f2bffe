"""The live pictures of one STREAM request, read as they come and ended from whatever thread.

It decodes none of them.
"""

from collections.abc import Callable, Iterator
from typing import Final

from hardware.errors import Unplugged
from hardware.sbi.raw import Line, Request
from hardware.sbi.stream import Ended, Picture, StreamParser
from hardware.sbi.vocabulary import PATHS, Verb

START: Final = 10.0
"""Seconds until the first live picture: a camera may have to be started."""
_PATIENCE: Final = 2.0
"""Seconds without a live picture after which a stream counts as silent."""


class Live:
    """The live pictures of one STREAM request; iterate over it once.

    Args:
        line: to the service, for this stream alone.
        body: of the request.
        lost: told the port where the service went away.
    """

    def __init__(self, line: Line, body: bytes, lost: Callable[[int], None]) -> None:
        self._line, self._body, self._lost = line, body, lost
        self._closed = False

    def __iter__(self) -> Iterator[Picture | Ended]:
        """Give pictures, and the device's word for the end where it has one.

        Raises:
            Unplugged, Silent, Garbled: see `hardware.errors`; a stream closed by us only ends.
        """
        parser = StreamParser()
        request = Request(Verb.STREAM, PATHS[Verb.STREAM], self._body)
        try:
            with self._line.stream(request, start=START, patience=_PATIENCE) as pieces:
                for data in pieces:
                    yield from parser.feed(data)
                    if parser.ended:
                        return
                yield from parser.end()
        except Unplugged:
            if self._closed:
                return
            self._lost(self._line.port)
            raise

    def close(self) -> None:
        """End it, from whatever thread; may be called twice."""
        self._closed = True
        self._line.close()
