"""A scanner as everybody sees it: one text after another. What a text means is judged elsewhere."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReaderInfo:
    """What is known of a scanner; a stand-in announces itself by `simulated`."""

    name: str
    path: str
    simulated: bool


class CodeReader(Protocol):
    """A scanner that reads codes by itself and sends their text."""

    @property
    def info(self) -> CodeReaderInfo:
        """Return what is known of the scanner."""
        ...

    def read(self, *, deadline: float) -> str | None:
        """Return the text of the next code; None if none was read within `deadline` seconds.

        After `Unplugged` the next call looks for the scanner anew.

        Raises:
            Unplugged: the scanner went away, or was closed.
        """
        ...

    def close(self) -> None:
        """Let the device go; may be called twice, and from another thread than `read`."""
        ...
