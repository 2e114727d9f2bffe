"""The audit chain, read page by page and checked link by link; it shows no biometrics."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from scheduler.database import reading
from server.store import audit
from server.store.tables import Audit, AuditHead, Role
from server.web.guard import open_to
from server.web.officer.desk import desk
from server.web.shell import words

pages = Blueprint("audit", __name__)

ROWS: Final = 50
LONGEST_NUMBER: Final = 12
LONGEST_SUBJECT: Final = 44
BEGINNING: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry as it is shown."""

    seq: int
    at: datetime
    actor: str
    action: str
    dossier: str
    subject: str
    link: str
    detail: str
    """The rest of the entry, as it is chained; empty where there is none."""


def _line(row: Audit) -> Line:
    long = len(row.subject) > LONGEST_SUBJECT
    rest = {name: value for name, value in row.detail.items() if name != "dossier"}
    return Line(
        seq=row.seq,
        at=row.at,
        actor=row.actor,
        action=row.action,
        dossier=str(row.detail.get("dossier") or ""),
        subject=f"{row.subject[:BEGINNING]}…" if long else row.subject,
        link=f"{row.hash.hex()[:BEGINNING]}…",
        detail=json.dumps(rest, ensure_ascii=False, sort_keys=True, indent=1) if rest else "",
    )


def _page(**more: object) -> str:
    asked = request.args.get("before", "")
    usable = asked.isascii() and asked.isdigit() and len(asked) <= LONGEST_NUMBER
    with reading(desk().engine) as session:
        head = session.get(AuditHead, 1)
        last = 0 if head is None else head.seq
        before = min(int(asked), last + 1) if usable else last + 1
        rows = session.scalars(
            sa.select(Audit).where(Audit.seq < before).order_by(Audit.seq.desc()).limit(ROWS)
        )
        entries = [_line(row) for row in rows]
    return render_template(
        "officer/audit.html",
        entries=entries,
        last=last,
        older=entries[-1].seq if entries and entries[-1].seq > 1 else None,
        newest=before > last,
        has_words=words().__contains__,
        **more,
    )


@pages.get("/audit")
@open_to(Role.AUDITOR.value)
def show() -> ResponseReturnValue:
    """Show the entries, the newest first."""
    return _page()


@pages.post("/audit")
@open_to(Role.AUDITOR.value)
def check() -> ResponseReturnValue:
    """Go through the whole chain and say whether every link fits."""
    here = desk()
    with reading(here.engine) as session:
        broken = audit.broken_at(session)
    return _page(checked_at=here.now(), broken=broken)
