"""The process that does what nobody waits for: frees expired holds, opens days, forgets.

A duty that fails is logged and tried again when it is next due; the others go on.
"""

import argparse
import logging
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler import (
    announcements,
    booking,
    draws,
    freed,
    horizon,
    ledger,
    offering,
    partitions,
    requests,
    stranded,
)
from scheduler.database import connect, reading, retrying
from server import clock
from server.cases import (
    appointments,
    day,
    filing,
    home_check,
    hours,
    messages,
    programs,
    rebooking,
    registry_check,
    reminding,
    signing_in,
    status,
    throttle,
    visits,
    waiting,
)
from server.cases.messages import Outgoing, Sender, Undelivered
from server.cli import senders
from server.rules.messages import Channel
from server.settings import Settings

EVERY = 5.0
"""Seconds between two looks at what is due."""
BATCH = 500
"""Rows of one transaction, so that nobody waits long for us."""
MAILS = 50
"""Messages sent at a time: a slow gateway keeps the other duties waiting no longer."""
A_MONTH = timedelta(days=31)
"""[D] So far ahead of the last day that is offered there are partitions."""
LIMITS = (
    *status.LIMITS,
    *appointments.LIMITS,
    *registry_check.LIMITS,
    *home_check.LIMITS,
    *programs.LIMITS,
    signing_in.BY_NETWORK,
    visits.BY_CARD,
)
"""Everything that is counted; a rule's test holds that none is left out."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class Drifted(Exception):
    """What is counted is not what is there: a fault of ours that somebody has to look at."""


class Unfinished(Exception):
    """Some of what a duty was about could not be done; the log says which, and the rest was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something done now and then."""

    name: str
    every: timedelta
    do: Callable[[sa.Engine, datetime], int]
    """Does it and returns how many rows it was about."""


def _until_done(engine: sa.Engine, work: Callable[[Session], int]) -> int:
    done = batch = retrying(engine, work)
    while batch >= BATCH:
        batch = retrying(engine, work)
        done += batch
    return done


def _each(things: Sequence[T], work: Callable[[T], int]) -> int:
    """Do it with each of them; one that fails keeps none of the others waiting.

    Raises:
        Unfinished: one failed.
    """
    done, failed = 0, 0
    for thing in things:
        try:
            done += work(thing)
        except Exception:
            log.exception("%s: failed", thing)
            failed += 1
    if failed:
        raise Unfinished(f"{failed} of {len(things)}")
    return done


def _expire(engine: sa.Engine, now: datetime) -> int:
    return _until_done(engine, lambda s: booking.expire_due(s, now=now, limit=BATCH))


def _miss(engine: sa.Engine, now: datetime) -> int:
    """Note who did not come, once nobody would let them begin any more."""
    return _until_done(engine, lambda s: day.miss_late(s, after=visits.LATE, now=now, limit=BATCH))


def _empty_rooms(engine: sa.Engine, now: datetime) -> int:
    return _until_done(engine, lambda s: day.empty_rooms(s, now=now, limit=BATCH))


def _open_days(engine: sa.Engine, now: datetime) -> int:
    with reading(engine) as session:
        codes = horizon.behind(session, through=hours.last_day(now))

    def one(code: str) -> int:
        done = retrying(engine, lambda session: hours.open_days(session, code, now))
        if done.withdrawn and done.stranded:
            log.warning("%s: %d slots with people in them are gone", code, len(done.stranded))
        return done.opened

    return _each(codes, one)


def _offer_other_times(engine: sa.Engine, now: datetime) -> int:
    """Tell whoever lost their time of others, and settle whoever has chosen."""
    told = _until_done(engine, lambda s: rebooking.tell(s, now=now, limit=BATCH))
    return told + _until_done(engine, lambda s: stranded.settle_done(s, now=now, limit=BATCH))


def _lapse(engine: sa.Engine, now: datetime) -> int:
    return _until_done(engine, lambda s: filing.lapse_drafts(s, now=now, limit=BATCH))


def _end_visits(engine: sa.Engine, now: datetime) -> int:
    return _until_done(engine, lambda s: visits.end_abandoned(s, now=now, limit=BATCH))


def _forget(engine: sa.Engine, now: datetime) -> int:
    return retrying(engine, lambda s: throttle.forget_old(s, now=now, limits=LIMITS))


def _return_places(engine: sa.Engine, now: datetime) -> int:
    return _until_done(engine, lambda s: freed.return_due(s, now=now, limit=BATCH))


def _offer_places(engine: sa.Engine, now: datetime) -> int:
    """Pass on what nobody answered, then offer what there is, a transaction a place."""
    done = _until_done(engine, lambda s: waiting.pass_on(s, now=now, limit=BATCH))
    with reading(engine) as session:
        codes = offering.places_waited_for(session, now=now)
    return done + _each(
        codes, lambda code: retrying(engine, lambda s: waiting.offer(s, code, now=now))
    )


def drawing(secret: bytes) -> "Duty":
    """Return the duty to close draws at their hour, and to draw those without a public number."""

    def draw(engine: sa.Engine, now: datetime) -> int:
        with reading(engine) as session:
            closing = announcements.due_to_close(session, now=now)
        done = _each(closing, lambda one: _only(engine, lambda s: draws.close(s, one, now=now)))
        with reading(engine) as session:
            due = announcements.due_to_draw(session)
        return done + _each(
            due,
            lambda one: _only(engine, lambda s: waiting.draw(s, one, secret=secret, now=now)),
        )

    return Duty(name="places drawn", every=timedelta(minutes=1), do=draw)


def _only(engine: sa.Engine, work: Callable[[Session], object]) -> int:
    """Do it unless another worker did it meanwhile; return how often it was done."""
    try:
        retrying(engine, work)
    except draws.NotNow:
        return 0
    return 1


def _remind(engine: sa.Engine, now: datetime) -> int:
    return _until_done(engine, lambda s: reminding.remind(s, now=now, limit=BATCH))


def _forget_messages(engine: sa.Engine, now: datetime) -> int:
    return _until_done(engine, lambda s: messages.forget_old(s, now=now, limit=BATCH))


def _came_to(
    engine: sa.Engine, message: Outgoing, *, now: datetime, trouble: str | None = None
) -> None:
    """Note at once what came of one message: the next may take its time."""

    def work(session: Session) -> None:
        if trouble is None:
            messages.sent(session, message.id, now=now)
        else:
            messages.failed(session, message.id, trouble, now=now)

    retrying(engine, work)


def sending(carriers: Mapping[Channel, Sender], *, url: str) -> "Duty":
    """Return the duty to hand queued messages on; no transaction is open meanwhile."""

    def send(engine: sa.Engine, now: datetime) -> int:
        done = batch = some(engine, now)
        while batch == MAILS:
            batch = some(engine, now)
            done += batch
        return done

    def some(engine: sa.Engine, now: datetime) -> int:
        """Return how many went out; after a failure the next round goes on."""
        due = retrying(engine, lambda s: messages.take(s, url=url, now=now, limit=MAILS))
        gone = 0
        for message in due:
            try:
                carriers[message.channel].send(message)
            except Undelivered as trouble:
                log.warning("message %s: %s", message.id, trouble)
                _came_to(engine, message, now=now, trouble=str(trouble))
            except Exception as fault:
                # A fault of ours: it is tried as often as others, and keeps none of them waiting.
                log.exception("message %s", message.id)
                _came_to(engine, message, now=now, trouble=type(fault).__name__)
            else:
                _came_to(engine, message, now=now)
                gone += 1
        return gone

    return Duty(name="messages sent", every=timedelta(seconds=30), do=send)


def _reconcile(engine: sa.Engine, now: datetime) -> int:
    del now
    with reading(engine) as session:
        slots, claims = ledger.drift(session), ledger.loose(session)
    if slots or claims:
        raise Drifted(f"{len(slots)} slots, {claims} claims; the first: {slots[:1]}")
    return 0


def _make_months(engine: sa.Engine, now: datetime) -> int:
    """Make the partitions of the months to come, each in a transaction of its own."""
    first, last = now.astimezone(clock.HERE).date(), hours.last_day(now) + A_MONTH
    with reading(engine) as session:
        ahead = partitions.missing(session, first, last)
    return sum(
        len(retrying(engine, lambda s, month=month: partitions.ensure(s, month, month)))  # type: ignore[misc]
        for month in ahead
    )


def _forget_requests(engine: sa.Engine, now: datetime) -> int:
    before = now - requests.KEPT
    return _until_done(engine, lambda s: requests.forget_old(s, before=before, limit=BATCH))


DUTIES = (
    Duty(name="months made", every=timedelta(hours=1), do=_make_months),
    Duty(name="holds expired", every=timedelta(seconds=5), do=_expire),
    Duty(name="slots opened", every=timedelta(minutes=5), do=_open_days),
    Duty(name="other times offered", every=timedelta(minutes=1), do=_offer_other_times),
    Duty(name="places returned", every=timedelta(seconds=30), do=_return_places),
    Duty(name="places offered", every=timedelta(seconds=30), do=_offer_places),
    Duty(name="appointments missed", every=timedelta(minutes=10), do=_miss),
    Duty(name="waiting rooms emptied", every=timedelta(minutes=10), do=_empty_rooms),
    Duty(name="reminders queued", every=timedelta(minutes=1), do=_remind),
    Duty(name="drafts lapsed", every=timedelta(hours=1), do=_lapse),
    Duty(name="abandoned visits ended", every=timedelta(hours=1), do=_end_visits),
    Duty(name="counters of tries forgotten", every=timedelta(hours=1), do=_forget),
    Duty(name="old messages forgotten", every=timedelta(hours=1), do=_forget_messages),
    Duty(name="answered requests forgotten", every=timedelta(hours=1), do=_forget_requests),
    Duty(name="counters reconciled", every=timedelta(hours=1), do=_reconcile),
)


class Rounds:
    """Knows when each duty is due next; all are due at first."""

    def __init__(self, engine: sa.Engine, duties: Sequence[Duty] = DUTIES) -> None:
        self._engine = engine
        self._due: dict[Duty, datetime | None] = dict.fromkeys(duties)

    def once(self, now: datetime) -> dict[str, int]:
        """Do what is due; return how many rows each duty that succeeded was about, by name."""
        done = {}
        for duty, due in self._due.items():
            if due is not None and now < due:
                continue
            self._due[duty] = now + duty.every
            try:
                done[duty.name] = duty.do(self._engine, now)
            except Exception:
                log.exception("%s: failed, due again in %s", duty.name, duty.every)
            else:
                if done[duty.name]:
                    log.info("%s: %d", duty.name, done[duty.name])
        return done


def _run(_arguments: argparse.Namespace, settings: Settings) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    send = sending(senders.of(settings), url=settings.citizen_url)
    draw = drawing(settings.secret)
    rounds = Rounds(connect(settings.database), (*DUTIES, send, draw))
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    while not stop.is_set():
        rounds.once(clock.now())
        stop.wait(EVERY)
    return 0


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``worker``."""
    parser = commands.add_parser("worker", help="free expired holds and open new days, for ever")
    parser.set_defaults(run=_run)
