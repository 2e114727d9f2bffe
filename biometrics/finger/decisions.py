"""What officers decide about fingers, and how a visit of fingers refuses what does not fit.

It holds no state of any finger.

```
FingerVisitError
+-- PlanInvalid      the plan cannot be followed by anybody
+-- NotWanted        this item is not asked for now
+-- NotNow           this cannot be decided in the state the item is in
+-- ReasonInvalid    the reason does not last so long, or so short
+-- OfficerNeeded    only an officer may do this, or only another one
```
"""

import enum
from dataclasses import dataclass
from datetime import datetime

from biometrics.finger.offers import Item


class FingerVisitError(ValueError):
    """Something was asked that does not fit; nothing has changed."""


class PlanInvalid(FingerVisitError):
    """The plan cannot be followed by anybody."""


class NotWanted(FingerVisitError):
    """This item is not asked for now."""


class NotNow(FingerVisitError):
    """This cannot be decided in the state the item is in."""


class ReasonInvalid(FingerVisitError):
    """The reason does not last so long, or so short."""


class OfficerNeeded(FingerVisitError):
    """Only an officer may do this, or only another one."""


class DecisionKind(enum.StrEnum):
    """What an officer decided."""

    KEEP = "keep"
    MISSING = "missing"
    WAIVE = "waive"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision of an officer, for the visit's journal.

    Attributes:
        item: what it is about; of a finger that is missing, the first of its items.
    """

    item: Item
    kind: DecisionKind
    officer: str
    at: datetime

    @property
    def position(self) -> int:
        """Return the finger it is about."""
        return self.item.position
