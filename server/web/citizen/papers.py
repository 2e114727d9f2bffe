"""What a citizen takes along: QR code, calendar file, printed slip.

It knows no request and no database: everything on paper is given to it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import segno
import typst
from icalendar import Alarm, Calendar, Event

from kiosk.protocol import SCHEME
from scheduler.booking import Appointment
from scheduler.places import Place
from server.rules import tickets
from server.web import formats
from server.web.shell import font_folder

TEMPLATE = Path(__file__).parent / "slip.typ"
REMIND_BEFORE = timedelta(days=1)
QR_BORDER = 4
"""Modules of white around; the standard asks for four."""


BRING = ("bring.card", "bring.papers", "bring.look", "bring.early")
BRING_CHILD = ("bring.representative",)
WORDS = {
    "name": "shell.name",
    "kind": "ticket.kind",
    "code": "ticket.ticket",
    "show": "ticket.show",
    "qr_alt": "ticket.qr_alt",
    "about": "ticket.about",
    "bring": "ticket.bring",
    "change": "ticket.change_at",
}
"""Keys of the slip's fixed words."""

Say = Callable[[str], str]
"""Gives the sentence of a key in the reader's language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An appointment with everything people want to know of it."""

    appointment: Appointment
    ticket: str
    place: Place | None
    who: str
    why: str
    code: str
    fee_vnd: int | None
    """None: not decided yet for that day."""
    accompanied: bool
    """Whether a legal representative comes along."""

    def facts(self, say: Say, language: str) -> tuple[tuple[str, str], ...]:
        """Return name and value of what there is to know."""
        place, fee = self.place, self.fee_vnd
        where = f"{place.name}, {place.address}" if place else self.appointment.place
        return (
            (say("ticket.when"), formats.moment(self.appointment.starts_at, language)),
            (say("ticket.where"), where),
            (say("ticket.who"), self.who),
            (say("ticket.why"), self.why),
            (say("ticket.code"), self.code),
            (say("ticket.fee"), say("fee.then") if fee is None else formats.dong(fee, language)),
        )

    def bring(self, say: Say) -> tuple[str, ...]:
        """Return what to bring, a sentence each."""
        return tuple(say(key) for key in (*BRING, *(BRING_CHILD if self.accompanied else ())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Everything the slip and the calendar file say, in the reader's language."""

    ticket: str
    title: str
    place: str
    address: str
    starts_at: datetime
    minutes: int
    uid: str
    changed: int
    """Grows with every change, so that calendars replace the entry."""
    url: str
    words: Mapping[str, str]
    facts: tuple[tuple[str, str], ...]
    bring: tuple[str, ...]
    language: str


def paper(
    visit: Visit, *, say: Say, language: str, url: str, rehearsal: bool, now: datetime
) -> Paper:
    """Return the paper of a visit; `url` is where it is changed."""
    place = visit.place
    words = {name: say(key) for name, key in WORDS.items()}
    return Paper(
        ticket=visit.ticket,
        title=say("ticket.title"),
        place=place.name if place else visit.appointment.place,
        address=place.address if place else "",
        starts_at=visit.appointment.starts_at,
        minutes=visit.appointment.minutes,
        uid=f"{visit.appointment.id}@thunhan",
        changed=int(now.timestamp()),
        url=url,
        words={**words, "rehearsal": say("shell.rehearsal") if rehearsal else ""},
        facts=((say("ticket.ticket"), tickets.show(visit.ticket)), *visit.facts(say, language)),
        bring=visit.bring(say),
        language=language,
    )


def qr_svg(ticket: str) -> str:
    """Return the ticket's QR code as an SVG element without scripts or styles."""
    code = segno.make(SCHEME + ticket, error="m", micro=False)
    out = BytesIO()
    code.save(
        out,
        kind="svg",
        border=QR_BORDER,
        xmldecl=False,
        svgns=True,
        omitsize=True,
        dark="#000",
        light="#fff",
    )
    return out.getvalue().decode()


def calendar(paper: Paper, *, now: datetime) -> bytes:
    """Return an iCalendar file with the appointment and a reminder a day before."""
    event = Event()
    event.add("uid", paper.uid)
    event.add("dtstamp", now)
    event.add("sequence", paper.changed)
    event.add("dtstart", paper.starts_at)
    event.add("dtend", paper.starts_at + timedelta(minutes=paper.minutes))
    event.add("summary", paper.title)
    event.add("location", f"{paper.place}, {paper.address}")
    lines = [f"{name}: {value}" for name, value in paper.facts]
    event.add("description", "\n".join([*lines, "", *paper.bring, "", paper.url]))
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", paper.title)
    alarm.add("trigger", -REMIND_BEFORE)
    event.add_component(alarm)
    book = Calendar()
    book.add("prodid", "-//Thu Nhan//VI")
    book.add("version", "2.0")
    book.add_component(event)
    return bytes(book.to_ical())


def slip(paper: Paper) -> bytes:
    """Return the A5 slip as a tagged PDF (PDF/UA-1)."""
    data: dict[str, Any] = {
        "title": paper.title,
        "ticket": tickets.show(paper.ticket),
        "qr": qr_svg(paper.ticket),
        "words": dict(paper.words),
        "facts": [list(fact) for fact in paper.facts],
        "bring": list(paper.bring),
        "url": paper.url,
        "language": paper.language,
    }
    pdf = typst.compile(
        str(TEMPLATE),
        format="pdf",
        font_paths=[str(font_folder())],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        pdf_standards=["ua-1"],
    )
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave no single document")
    return pdf
