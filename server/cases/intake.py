"""A capture on its way up, and the moment it is stored: whole, from whom it says, for what it says.

It holds no key that could open one. The functions never commit and touch no file.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from biometrics.seal import errors
from biometrics.seal.checking import check
from biometrics.seal.header import Header
from kiosk.protocol import Receipt, UploadStart, UploadState
from scheduler import booking, calendar
from scheduler.life import NotNow as AppointmentNotNow
from server.cases import devices, plans, visits, waiting_room
from server.cases.refusals import Reason, Refused
from server.clock import HERE
from server.rules import cases, deadlines
from server.rules.dossier import DossierEvent, NotNow
from server.store import audit, journal
from server.store.keys import ReceiptKey, canonical
from server.store.tables import CaptureRow, Device, Dossier, Officer, Upload, VisitRow

MOST_UPLOADS = 64
"""[D] Unfinished uploads of one device: days without a network, and a bound on what it can fill."""
SKEW = timedelta(minutes=5)
"""[D] A capture from before its check-in or from after its arrival by more than this is noted."""

DAMAGED: dict[type[errors.PacketRefused], Reason] = {
    errors.SignatureWrong: Reason.PACKET_SIGNATURE,
    errors.DeviceWrong: Reason.PACKET_DEVICE,
}
"""What else is wrong with a packet is one reason: its bytes are damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an upload is."""

    digest: str
    size: int
    offset: int
    receipt: Receipt | None = None
    """Only of a capture that is stored."""

    @property
    def complete(self) -> bool:
        """Whether all bytes are here."""
        return self.offset == self.size

    def as_state(self) -> UploadState:
        """Return what the kiosk is told."""
        return UploadState(digest=self.digest, offset=self.offset, receipt=self.receipt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What this installation takes."""

    rehearsal: bool
    """Whether captures of stand-in devices are let in."""
    kids: Collection[str]
    """Names of the keys the unsealing process holds."""
    receipts: ReceiptKey


def _receipt(row: CaptureRow) -> Receipt:
    # By way of JSON: strict models take a time in words only from there.
    return Receipt.model_validate_json(canonical(row.receipt))


def find(session: Session, device: Device, digest: str) -> Progress:
    """Return how far this device's upload of this digest is.

    Raises:
        Refused: there is none, or it is another device's.
    """
    capture = session.get(CaptureRow, digest)
    if capture is not None:
        if capture.device_id != device.id:
            raise Refused(Reason.UPLOAD_FOREIGN)
        return Progress(
            digest=digest, size=capture.size, offset=capture.size, receipt=_receipt(capture)
        )
    upload = session.get(Upload, digest)
    if upload is None:
        raise Refused(Reason.UPLOAD_UNKNOWN)
    if upload.device_id != device.id:
        raise Refused(Reason.UPLOAD_FOREIGN)
    return Progress(digest=digest, size=upload.size, offset=upload.offset)


def begin(
    session: Session, device: Device, asked: UploadStart, *, has_room: bool, now: datetime
) -> Progress:
    """Begin an upload, or return how far it is already.

    Raises:
        Refused: another device's, too many unfinished ones, or the disk is full.
    """
    try:
        known = find(session, device, asked.digest)
    except Refused as refused:
        if refused.reason is not Reason.UPLOAD_UNKNOWN:
            raise
    else:
        if known.receipt is not None or known.size == asked.size:
            return known
        # A signature may have another length: the same content sealed anew begins anew.
        _upload(session, asked.digest).size = asked.size
        return reset(session, replace(known, size=asked.size))
    if not has_room:
        raise Refused(Reason.NO_ROOM)
    unfinished = session.scalar(
        sa.select(sa.func.count()).select_from(Upload).where(Upload.device_id == device.id)
    )
    if (unfinished or 0) >= MOST_UPLOADS:
        raise Refused(Reason.UPLOADS_MANY)
    session.add(
        Upload(digest=asked.digest, device_id=device.id, size=asked.size, offset=0, started_at=now)
    )
    session.flush()
    return Progress(digest=asked.digest, size=asked.size, offset=0)


def _upload(session: Session, digest: str) -> Upload:
    upload = session.get(Upload, digest)
    if upload is None:
        raise Refused(Reason.UPLOAD_UNKNOWN)
    return upload


def advance(session: Session, progress: Progress, *, by: int) -> Progress:
    """Note that `by` more bytes are safe on the disk."""
    _upload(session, progress.digest).offset = progress.offset + by
    session.flush()
    return replace(progress, offset=progress.offset + by)


def reset(session: Session, progress: Progress) -> Progress:
    """Begin the upload again at its first byte: what was here is lost or belongs to other bytes."""
    _upload(session, progress.digest).offset = 0
    session.flush()
    return replace(progress, offset=0)


def look_at(packet: bytes, device: Device, digest: str) -> Header:
    """Return the header of a packet that this device sealed and whose content has this digest.

    Raises:
        Refused: damaged, of another device, or another packet than announced.
    """
    try:
        checked = check(packet, devices.public_key(device.public_key))
    except errors.PacketRefused as error:
        raise Refused(DAMAGED.get(type(error), Reason.PACKET_DAMAGED)) from error
    if checked.digest != digest:
        raise Refused(Reason.PACKET_DIGEST)
    return checked.header


def accept(
    session: Session,
    device: Device,
    header: Header,
    progress: Progress,
    *,
    terms: Terms,
    now: datetime,
) -> Receipt:
    """Store the capture's rows, move dossier, appointment and visit on, and return the receipt.

    The same packet again is the same capture with the same receipt.

    Raises:
        Refused: it does not belong where it says it does; nothing was changed.
    """
    # One packet a device at a time: its sequence is looked up, and nobody revokes it meanwhile.
    standing = session.get(
        Device, device.id, with_for_update={"key_share": True}, populate_existing=True
    )
    if standing is None:
        raise Refused(Reason.DEVICE_UNKNOWN)
    stored = session.get(CaptureRow, progress.digest)
    if stored is not None:
        return _receipt(stored)
    _refuse_terms(standing, header, terms)
    _refuse_stranger(session, header)
    _refuse_reuse(session, standing, header)
    visit, dossier = _bound(session, device, header)
    receipt = _signed(device, header, progress.digest, terms.receipts, now=now)
    session.add(
        CaptureRow(
            digest=progress.digest,
            device_id=device.id,
            sequence=header.sequence,
            dossier_id=dossier.id,
            visit_id=visit.id,
            appointment_id=visit.appointment_id,
            station=device.station,
            operator=header.operator,
            simulated=header.simulated,
            size=progress.size,
            captured_at=header.captured_at,
            received_at=now,
            receipt=receipt.model_dump(mode="json"),
        )
    )
    session.execute(sa.delete(Upload).where(Upload.digest == progress.digest))
    _serve(session, device, visit, dossier, header, progress.digest, now=now)
    return receipt


def _refuse_terms(device: Device, header: Header, terms: Terms) -> None:
    conditions = (
        (Reason.DEVICE_REVOKED, device.revoked_at is None),
        (Reason.PACKET_STATION, header.station == device.station),
        (Reason.PACKET_TRUST, header.trust == device.trust),
        (Reason.PACKET_KEY, header.kid in terms.kids),
        (Reason.PACKET_NOTICE, header.consent in plans.every_notice()),
        (Reason.PACKET_SIMULATED, terms.rehearsal or not header.simulated),
    )
    for reason, met in conditions:
        if not met:
            raise Refused(reason)


def _refuse_stranger(session: Session, header: Header) -> None:
    """Refuse a helper nobody knows: whoever really helped could then decide.

    One who was let go since, or moved to another station, did help.

    Raises:
        Refused: there never was such an officer.
    """
    if header.operator is not None and session.get(Officer, header.operator) is None:
        raise Refused(Reason.PACKET_OFFICER)


def _refuse_reuse(session: Session, device: Device, header: Header) -> None:
    """Refuse a sequence that was used: the device was set back, or its key is used elsewhere.

    One that comes later than it was counted is taken: kiosks send on past a packet that fails.

    Raises:
        Refused: it was used.
    """
    used = session.scalar(
        sa.select(CaptureRow.digest).where(
            CaptureRow.device_id == device.id, CaptureRow.sequence == header.sequence
        )
    )
    if used is not None:
        raise Refused(Reason.SEQUENCE_REUSED)


def _bound(session: Session, device: Device, header: Header) -> tuple[VisitRow, Dossier]:
    """Return the open visit the header names, and its dossier, if all three speak of each other."""
    try:
        named = UUID(header.visit)
    except ValueError:
        raise Refused(Reason.PACKET_VISIT) from None
    visit = session.get(VisitRow, named, with_for_update={"key_share": True})
    if visit is None or visit.device_id != device.id or str(visit.id) != header.visit:
        raise Refused(Reason.PACKET_VISIT)
    dossier = session.get(Dossier, visit.dossier_id, with_for_update={"key_share": True})
    if dossier is None or (dossier.code, str(visit.appointment_id)) != (
        header.dossier,
        header.appointment,
    ):
        raise Refused(Reason.PACKET_DOSSIER)
    if visit.closed_at is not None:
        raise Refused(Reason.VISIT_CLOSED)
    return visit, dossier


def _signed(
    device: Device, header: Header, digest: str, key: ReceiptKey, *, now: datetime
) -> Receipt:
    received = now.replace(microsecond=0)
    number = digest[:12].upper()
    unsigned = Receipt(
        number=f"{received.astimezone(HERE):%y%m%d}-{number[:4]}-{number[4:8]}-{number[8:]}",
        digest=digest,
        device=device.id,
        sequence=header.sequence,
        received_at=received,
        signature="",
    )
    return key.sign_receipt(unsigned)


def _serve(
    session: Session,
    device: Device,
    visit: VisitRow,
    dossier: Dossier,
    header: Header,
    digest: str,
    *,
    now: datetime,
) -> None:
    note: dict[str, object] = {"digest": digest, "sequence": header.sequence}
    off = max(visit.opened_at - header.captured_at, header.captured_at - now)
    if off > SKEW:
        # The kiosk's clock is no witness: it is noted, never a reason to lose a capture.
        note["clock_off"] = math.ceil(off.total_seconds())
    try:
        journal.move(
            session, dossier, DossierEvent.SEAL, now=now, actor=visits.actor(device), note=note
        )
        by = visits.actor(device)
        served = booking.serve(session, visit.appointment_id, by=by, now=now)
    except (NotNow, AppointmentNotNow):
        raise Refused(Reason.VISIT_CLOSED) from None
    came_on = visit.opened_at.astimezone(HERE).date()
    waiting_room.end(session, dossier, station=served.place, day=came_on, now=now)
    visit.closed_at, visit.how = now, visits.SEALED
    # The day of the visit, by our own clock: a capture that came up late costs the citizen no day.
    dossier.due_on = _due(dossier, came_on)
    session.flush()


def _due(dossier: Dossier, complete_on: date) -> date | None:
    """Return the promised day, or None where the law has no row: a capture never fails for that."""
    try:
        deadline = cases.case(dossier.purpose, dossier.profile).deadline
        days = deadlines.working_days(dossier.profile, deadline, complete_on)
        return deadlines.due(complete_on, days, calendar.is_working)
    except LookupError:
        return None


def turn_away(
    session: Session, device: Device, progress: Progress, reason: Reason, *, now: datetime
) -> None:
    """Forget an upload whose packet was refused, and write down that it was."""
    session.execute(sa.delete(Upload).where(Upload.digest == progress.digest))
    audit.append(
        session,
        at=now,
        actor=visits.actor(device),
        action="capture.refused",
        subject=progress.digest,
        detail={"reason": reason.value, "size": progress.size},
    )
