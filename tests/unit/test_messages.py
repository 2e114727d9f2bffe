"""Messages to citizens: queued by rows, sent outside of transactions, tried again, never untrue."""

import email
import email.policy
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import booking
from scheduler.database import reading, transaction
from server.cases import filing, messages, reminding
from server.cases.messages import Outgoing, Undelivered
from server.cli import senders, worker
from server.cli.worker import Rounds
from server.rules.dossier import DossierState
from server.rules.messages import Channel, MessageState
from server.settings import Settings
from server.store.held import a_transaction_is_open
from server.store.tables import Dossier, Message
from tests.races.station import furnish, slot

URL = "https://can-cuoc.example"
PHONE = "0912345678"


class Carrier:
    """Takes messages, or does not; notes whether the database was held meanwhile."""

    def __init__(self, *, refuses: int = 0) -> None:
        self.taken: list[Outgoing] = []
        self.refuses = refuses
        self.in_transaction = False

    def send(self, message: Outgoing) -> None:
        self.in_transaction |= a_transaction_is_open()
        if self.refuses:
            self.refuses -= 1
            raise Undelivered("the gateway is down")
        self.taken.append(message)


def _dossier(session: Session, now: datetime, **answers: str) -> Dossier:
    dossier = Dossier(
        id=uuid4(),
        code=f"DEMO.001.026-261124-{uuid4().int % 10**6:06d}",
        state=DossierState.FILED,
        profile="can-cuoc-2026",
        purpose="NEW",
        answers=answers,
        person_key=uuid4().bytes,
        language="vi",
        created_at=now,
    )
    session.add(dossier)
    session.flush()
    return dossier


def _booked(session: Session, dossier: Dossier, number: int, now: datetime) -> UUID:
    held = booking.hold(
        session,
        slot=slot(number),
        whose=str(dossier.id),
        person_key=dossier.person_key or b"",
        purpose=dossier.purpose,
        now=now,
        minutes=10,
    )
    return booking.confirm(session, held.id, now=now).id


def _states(engine: sa.Engine) -> list[MessageState]:
    with reading(engine) as session:
        return list(session.scalars(sa.select(Message.state).order_by(Message.queued_at)))


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    carrier = Carrier()
    yield carrier
    assert not carrier.in_transaction


def _rounds(engine: sa.Engine, carrier: Carrier) -> Rounds:
    duties = [duty for duty in worker.DUTIES if duty.name == "reminders queued"]
    return Rounds(engine, (*duties, worker.sending(dict.fromkeys(Channel, carrier), url=URL)))


def test_the_day_before_somebody_is_told_when_and_where_in_their_language(
    engine: sa.Engine, carrier: Carrier
) -> None:
    furnish(engine, 1, 1)
    begins = slot().starts_at
    with transaction(engine) as session:
        long_ago = begins - timedelta(days=10)
        vietnamese = _dossier(session, long_ago, phone=PHONE)
        english = _dossier(session, long_ago, phone=PHONE, email="an@example.vn", notify="email")
        english.language = "en"
        _booked(session, vietnamese, 0, long_ago)
        _booked(session, english, 1, long_ago)
        code = vietnamese.code
    rounds = _rounds(engine, carrier)
    rounds.once(begins - timedelta(days=1) + timedelta(minutes=20))
    assert [(m.channel, m.address) for m in carrier.taken] == [
        (Channel.SMS, PHONE),
        (Channel.EMAIL, "an@example.vn"),
    ]
    first, second = carrier.taken
    assert "08:00, Thứ Năm 26/11/2026" in first.text
    assert "Điểm thu nhận số 1" in first.text
    assert code is not None
    assert code in first.text
    assert f"{URL}/manage" in first.text
    assert "08:15, Thursday 26/11/2026" in second.text
    rounds.once(begins - timedelta(hours=23))
    assert len(carrier.taken) == 2
    assert _states(engine) == [MessageState.SENT] * 2


def test_who_gave_no_way_to_be_told_gets_no_row(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        for answers in ({}, {"phone": PHONE, "notify": "none"}):
            dossier = _dossier(session, now, **answers)
            assert messages.reach(dossier) is None
            assert not messages.queue(session, dossier, "reminder.one_day", {}, now=now)
    assert _states(engine) == []


def test_what_was_cancelled_moved_or_is_over_is_not_told_any_more(
    engine: sa.Engine, now: datetime, carrier: Carrier
) -> None:
    furnish(engine, 1, 1, 1, 1)
    with transaction(engine) as session:
        for number in range(3):
            dossier = _dossier(session, now, phone=PHONE)
            about = booking.find(session, _booked(session, dossier, number, now))
            values = {"when": about.starts_at, "place": "x"}
            messages.queue(session, dossier, "reminder.one_day", values, now=now, about=about)
            if number == 0:
                booking.cancel(session, about.id, now=now)
            if number == 1:
                booking.move(session, about.id, to=slot(3), now=now)
    _rounds(engine, carrier).once(slot(2).starts_at)
    assert carrier.taken == []
    assert _states(engine) == [MessageState.DROPPED] * 3


def test_a_gateway_that_is_down_is_tried_again_and_given_up_in_the_end(
    engine: sa.Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        dossier = _dossier(session, now, phone=PHONE)
        values = {"when": now, "place": "x"}
        messages.queue(session, dossier, "reminder.one_day", values, now=now)
    carrier = Carrier(refuses=1)
    rounds = _rounds(engine, carrier)
    rounds.once(now)
    rounds.once(now + timedelta(minutes=1))
    assert (carrier.taken, _states(engine)) == ([], [MessageState.QUEUED])
    rounds.once(now + messages.LEASE)
    assert _states(engine) == [MessageState.SENT]
    with transaction(engine) as session:
        dossier = _dossier(session, now, phone=PHONE)
        messages.queue(session, dossier, "reminder.one_day", values, now=now)
    carrier.refuses = 99
    later = now
    for _ in range(messages.MOST_TRIES + 2):
        later += timedelta(hours=2)
        rounds.once(later)
    assert carrier.refuses == 99 - messages.MOST_TRIES
    assert sorted(_states(engine)) == [MessageState.FAILED, MessageState.SENT]
    with reading(engine) as session:
        failed = session.scalars(sa.select(Message).where(Message.state == "failed")).one()
        assert failed.trouble == "the gateway is down"


def test_a_message_that_nothing_can_carry_keeps_no_other_waiting(
    engine: sa.Engine, now: datetime
) -> None:
    class Broken(Carrier):
        def send(self, message: Outgoing) -> None:
            if message.address == PHONE:
                raise UnicodeError("no such address can be written")
            super().send(message)

    with transaction(engine) as session:
        values = {"when": now, "place": "x"}
        for number in range(2):
            dossier = _dossier(session, now, phone=f"{PHONE[:-1]}{number}")
            dossier.answers = {"phone": PHONE} if number == 0 else dossier.answers
            at = now + timedelta(seconds=number)
            messages.queue(session, dossier, "reminder.one_day", values, now=at)
    carrier = Broken()
    rounds = _rounds(engine, carrier)
    at = now + timedelta(minutes=1)
    for _ in range(messages.MOST_TRIES):
        rounds.once(at)
        at += timedelta(days=1)
    assert len(carrier.taken) == 1
    assert _states(engine) == [MessageState.FAILED, MessageState.SENT]


def test_a_message_of_the_night_waits_for_the_morning(engine: sa.Engine, now: datetime) -> None:
    night = now + timedelta(hours=14)
    with transaction(engine) as session:
        dossier = _dossier(session, night, phone=PHONE)
        values = {"when": now, "place": "x"}
        messages.queue(session, dossier, "reminder.one_day", values, now=night)
    with transaction(engine) as session:
        assert messages.take(session, url=URL, now=night + timedelta(minutes=5), limit=9) == ()
        assert len(messages.take(session, url=URL, now=night + timedelta(hours=9), limit=9)) == 1


def test_addresses_go_when_nobody_asks_any_more(
    engine: sa.Engine, now: datetime, carrier: Carrier
) -> None:
    with transaction(engine) as session:
        dossier = _dossier(session, now, phone=PHONE)
        values = {"when": now, "place": "x"}
        messages.queue(session, dossier, "reminder.one_day", values, now=now)
    _rounds(engine, carrier).once(now)
    with transaction(engine) as session:
        assert messages.forget_old(session, now=now + messages.KEPT) == 0
        assert messages.forget_old(session, now=now + messages.KEPT + timedelta(days=1)) == 1


def test_an_appointment_of_no_dossier_of_ours_is_passed_over(engine: sa.Engine) -> None:
    furnish(engine, 1)
    begins = slot().starts_at
    with transaction(engine) as session:
        held = booking.hold(
            session,
            slot=slot(),
            whose="another system's 17",
            person_key=b"17",
            purpose="NEW",
            now=begins - timedelta(days=9),
            minutes=10,
        )
        booking.confirm(session, held.id, now=begins - timedelta(days=9))
        due = begins - timedelta(days=1) + timedelta(minutes=1)
        assert reminding.remind(session, now=due, limit=9) == 1
    assert _states(engine) == []


def _outgoing(channel: Channel, address: str) -> Outgoing:
    return Outgoing(
        id=uuid4(), channel=channel, address=address, subject="Lịch hẹn", text="Mời đến"
    )


def _settings(folder: Path, **more: object) -> Settings:
    return Settings(
        database="sqlite://",
        data=folder,
        secret_file=folder / "secret",
        unseal_socket=folder / "socket",
        **more,  # type: ignore[arg-type]  # pydantic checks it
    )


def test_without_a_mail_server_messages_lie_as_files_and_twice_is_once(tmp_path: Path) -> None:
    carriers = senders.of(_settings(tmp_path, mail_from="hen@can-cuoc.example"))
    letter, short = (
        _outgoing(Channel.EMAIL, "an@example.vn"),
        _outgoing(Channel.SMS, PHONE),
    )
    for message in (letter, short, letter):
        carriers[message.channel].send(message)
    (mail,) = (tmp_path / "outgoing/email").iterdir()
    (text,) = (tmp_path / "outgoing/sms").iterdir()
    assert text.read_text(encoding="utf-8") == f"To: {PHONE}\n\nMời đến\n"
    read = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
    assert (read["To"], read["Subject"]) == ("an@example.vn", "Lịch hẹn")
    assert read["Message-ID"] == f"<{letter.id}@can-cuoc.example>"


def test_a_spool_that_cannot_be_written_and_a_mail_server_that_is_not_there_say_so(
    tmp_path: Path,
) -> None:
    (tmp_path / "outgoing").write_text("a file where a folder should be")
    carriers = senders.of(_settings(tmp_path, mail_server="127.0.0.1:1", mail_tls=False))
    with pytest.raises(Undelivered, match="spool"):
        carriers[Channel.SMS].send(_outgoing(Channel.SMS, PHONE))
    with pytest.raises(Undelivered, match="mail"):
        carriers[Channel.EMAIL].send(_outgoing(Channel.EMAIL, "an@example.vn"))


def test_drafts_that_lapse_take_their_contact_along(engine: sa.Engine, now: datetime) -> None:
    with transaction(engine) as session:
        dossier, _ = filing.begin(session, purpose="NEW", now=now, language="vi")
        filing.answer(dossier, phone=PHONE)
        assert messages.reach(dossier) is not None
        filing.lapse(session, dossier, now=now)
        assert messages.reach(dossier) is None
