"""The token of each screen, so that a press answers the screen it was made on, once.

It knows no screen and no button.
"""

import secrets
from hmac import compare_digest


class Turns:
    """One person's time at the kiosk after another (a sitting), and each one's screens (turns)."""

    def __init__(self) -> None:
        self.sitting = secrets.token_hex(8)
        """Names this person's time at the kiosk; whoever comes next has another."""
        self._turn = 0

    @property
    def token(self) -> str:
        """Return what a press on the present screen must bring."""
        return f"{self.sitting}.{self._turn}"

    def fits(self, token: str, *, bound: bool) -> bool:
        """Return whether a press that brings `token` counts; see `kiosk.actions.Action`."""
        sitting, _, turn = token.partition(".")
        same = compare_digest(sitting.encode(), self.sitting.encode())
        return same and (not bound or turn == str(self._turn))

    def turn(self) -> None:
        """Let what was to be pressed so far be worth nothing."""
        self._turn += 1

    def anew(self) -> None:
        """Begin another person's time."""
        self.sitting = secrets.token_hex(8)
