"""Moves a dossier along its life and writes down that it did; nobody else assigns `.state`."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from server.rules.dossier import DossierEvent, after
from server.store.tables import Dossier, Journal


def move(
    session: Session,
    dossier: Dossier,
    event: DossierEvent,
    *,
    now: datetime,
    actor: str,
    note: dict[str, Any] | None = None,
) -> None:
    """Let `event` happen to `dossier` in the caller's transaction.

    Raises:
        NotNow: the event does not fit the dossier's state; nothing was changed.
    """
    dossier.state = after(dossier.state, event)
    session.add(
        Journal(
            dossier_id=dossier.id,
            at=now,
            event=event,
            state_after=dossier.state,
            actor=actor,
            note=note or {},
        )
    )
