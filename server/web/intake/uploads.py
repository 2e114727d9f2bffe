"""The way of a packet up, in pieces: each is synced before it is counted, the last one stores it.

What is true of a packet is decided in `server.cases.intake`; here are files, locks and commits.
"""

import re

from flask import Response, request
from sqlalchemy.orm import Session

from kiosk.protocol import Receipt, UploadStart
from scheduler.database import reading, retrying
from server.cases import intake
from server.cases.refusals import Reason, Refused
from server.store import keys
from server.store.vault import DIGEST, PartLost
from server.web.guard import open_to
from server.web.intake.desk import CONFLICT, answer, desk, device, message

CHUNK = 1024 * 1024
OFFSET = re.compile(r"[0-9]{1,9}")


def _digest(text: str) -> str:
    if not DIGEST.fullmatch(text):
        raise Refused(Reason.UPLOAD_UNKNOWN)
    return text


@open_to("kiosk")
def begin() -> Response:
    """Begin an upload, or say how far it is already."""
    asked, now = message(UploadStart), desk().clock()
    has_room = desk().vault.has_room(asked.size)
    with desk().vault.locked(asked.digest):
        progress = retrying(
            desk().engine,
            lambda session: intake.begin(session, device(), asked, has_room=has_room, now=now),
        )
        if progress.complete and progress.receipt is None:
            # All bytes are here, but we fell before the capture was stored.
            return _complete(progress)
    return answer(progress.as_state())


@open_to("kiosk")
def state(digest: str) -> Response:
    """Say how far an upload is."""
    with reading(desk().engine) as session:
        return answer(intake.find(session, device(), _digest(digest)).as_state())


@open_to("kiosk")
def append(digest: str) -> Response:
    """Take the next piece; with the last one the capture is stored."""
    offset = request.headers.get("Upload-Offset", "")
    if not OFFSET.fullmatch(offset):
        raise Refused(Reason.MESSAGE_WRONG)
    chunk = request.get_data()
    with desk().vault.locked(_digest(digest)):
        with reading(desk().engine) as session:
            progress = intake.find(session, device(), digest)
        if progress.offset != int(offset):
            return answer(progress.as_state(), CONFLICT)
        if progress.offset + len(chunk) > progress.size:
            raise Refused(Reason.CHUNK_BEYOND)
        if progress.receipt is not None:
            return answer(progress.as_state())
        if len(chunk) > CHUNK:
            raise Refused(Reason.TOO_LARGE)
        if not chunk and not progress.complete:
            raise Refused(Reason.CHUNK_EMPTY)
        if chunk:
            try:
                desk().vault.append(digest, chunk, offset=progress.offset)
            except PartLost:
                return _begin_again(progress)
            more = len(chunk)
            progress = retrying(
                desk().engine, lambda session: intake.advance(session, progress, by=more)
            )
        if progress.complete:
            return _complete(progress)
    return answer(progress.as_state())


def _begin_again(progress: intake.Progress) -> Response:
    """Tell the kiosk to send from the first byte: the disk no longer holds what we counted."""
    again = retrying(desk().engine, lambda session: intake.reset(session, progress))
    return answer(again.as_state(), CONFLICT)


def _complete(progress: intake.Progress) -> Response:
    """Store the whole packet, or forget it and say why; the caller holds its lock."""
    now, digest = desk().clock(), progress.digest
    terms = intake.Terms(
        rehearsal=desk().settings.rehearsal,
        kids=frozenset(found.kid for found in keys.published(desk().settings.data)),
        receipts=desk().receipts,
    )
    try:
        packet = desk().vault.arrived(digest)
    except PartLost:
        return _begin_again(progress)
    try:
        header = intake.look_at(packet, device(), digest)

        def store(session: Session) -> Receipt:
            receipt = intake.accept(session, device(), header, progress, terms=terms, now=now)
            # Before the commit, so that no row is ever without its file; twice is as once.
            desk().vault.store(digest)
            return receipt

        receipt = retrying(desk().engine, store)
    except Refused as refused:
        reason = refused.reason
        retrying(
            desk().engine,
            lambda session: intake.turn_away(session, device(), progress, reason, now=now),
        )
        desk().vault.discard(digest)
        raise
    stored = intake.Progress(
        digest=digest, size=progress.size, offset=progress.size, receipt=receipt
    )
    return answer(stored.as_state())
