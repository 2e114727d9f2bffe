"""What the unsealing process answers, as a value and as the bytes that go over its socket.

It opens nothing, so that the web tier may know it.
"""

from dataclasses import dataclass
from typing import Any, Self

import cbor2

from biometrics.capture import Capture, CaptureInvalid

NO_REFERENCE = "no_reference"
REGISTRY_DOWN = "registry_down"
NO_FACE = "no_face"
OPEN = "/open"
CBOR = "application/cbor"


class AnswerGarbled(ValueError):
    """The bytes are no answer of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A capture in the open, beside the portrait the population registry holds."""

    capture: Capture
    reference: bytes | None
    """JPEG; None where the registry has none or could not be asked."""
    distance: float | None
    """Between the two faces, 0 to some 1.4; None where it could not be assessed."""
    outcome: str
    """match, unsure, no_match, not_assessed."""
    model: str
    """What the faces were compared with; empty where nothing was compared."""
    model_sha256: str | None
    """None where nothing was compared, as the two limits."""
    match_at_most: float | None
    no_match_above: float | None
    reason: str | None = None
    """Why it could not be assessed: no_reference, registry_down, no_face."""

    def encode(self) -> bytes:
        """Return CBOR."""
        return cbor2.dumps(
            {
                "capture": self.capture.encode(),
                "reference": self.reference,
                "distance": self.distance,
                "outcome": self.outcome,
                "model": self.model,
                "model_sha256": self.model_sha256,
                "match_at_most": self.match_at_most,
                "no_match_above": self.no_match_above,
                "reason": self.reason,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the answer in `data`.

        Raises:
            AnswerGarbled: it is none.
        """
        try:
            fields: Any = cbor2.loads(data)
            capture = Capture.decode(fields.pop("capture"))
            return cls(capture=capture, **fields)
        except (
            cbor2.CBORDecodeError,
            CaptureInvalid,
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
        ) as error:
            raise AnswerGarbled(f"{type(error).__name__}") from error
