"""Opens one capture for one grant: consumed once, checked, opened, compared, and written down.

The only module of the server that imports what can open a packet; it decides nothing an officer
decides.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from biometrics.capture import Capture
from biometrics.face.compare import Comparer, Comparison
from biometrics.face.outputs import refused
from biometrics.seal.checking import check, look
from biometrics.seal.errors import KeysInvalid, PacketRefused
from biometrics.seal.keys import PrivateKeys
from biometrics.seal.opening import open_packet
from scheduler.database import retrying
from server.cases import devices
from server.registry.port import Registry, RegistryDown, RegistryGarbled
from server.store import audit
from server.store.tables import CaptureRow, Device, Dossier, Grant, Review
from server.store.vault import PartLost, Vault
from server.unseal import fingers
from server.unseal.answer import NO_FACE, NO_REFERENCE, REGISTRY_DOWN, Opened
from server.unseal.client import GrantRefused, PacketBad

BIOMETRIC: Final = ("image", "template", "support")
"""Fields of a print that stay in the sealed packet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a consumed grant is good for."""

    digest: str
    device_key: bytes
    """SubjectPublicKeyInfo, DER."""
    expect: Mapping[str, object]
    """What the header has to say."""
    personal_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsealing:
    """The parts the unsealing process works with."""

    engine: sa.Engine
    vault: Vault
    keys: Path
    """One folder a pair, named by its kid."""
    registry: Registry
    comparer: Comparer
    clock: Callable[[], datetime]
    one_face_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    """Networks and dlib keep state between calls."""

    def open(self, grant: UUID) -> Opened:
        """Return what the grant opens.

        Raises:
            GrantRefused: it is unknown, used or expired; nothing was opened.
            PacketBad: the packet is not what its row says; written down in the audit chain.
        """
        now = self.clock()
        job = retrying(self.engine, lambda session: consume(session, grant, now=now))
        try:
            capture = self._opened(job)
        except (PacketRefused, KeysInvalid, devices.KeyInvalid, OSError, PartLost) as error:
            why = type(error).__name__
            retrying(self.engine, lambda session: _damaged(session, job, why, now=now))
            raise PacketBad(why) from error
        reference, reason = self._reference(job)
        compared = self._compared(capture, reference)
        if compared is not None and compared.distance is None:
            reason = NO_FACE
        opened = Opened(
            capture=capture,
            reference=reference,
            distance=compared.distance if compared else None,
            outcome=compared.outcome if compared else "not_assessed",
            model=compared.model if compared else "",
            model_sha256=compared.model_sha256 if compared else None,
            match_at_most=compared.match_at_most if compared else None,
            no_match_above=compared.no_match_above if compared else None,
            reason=reason,
        )
        looked = fingers.look(capture)
        retrying(self.engine, lambda session: review(session, job.digest, opened, looked, now=now))
        return opened

    def _opened(self, job: Job) -> Capture:
        packet = self.vault.read(job.digest)
        # The device's signature again: whoever could alter files could also swap them.
        digest = check(packet, devices.public_key(job.device_key)).digest
        if digest != job.digest:
            raise PacketRefused("another packet than the row speaks of")
        # A header's kid is checked by its form, so it names no other folder.
        private = PrivateKeys.load(self.keys / look(packet).kid)
        return open_packet(packet, private, expect=job.expect)[1]

    def _reference(self, job: Job) -> tuple[bytes | None, str | None]:
        if job.personal_number is None:
            return None, NO_REFERENCE
        try:
            portrait = self.registry.portrait(job.personal_number)
        except (RegistryDown, RegistryGarbled):
            return None, REGISTRY_DOWN
        return portrait, None if portrait else NO_REFERENCE

    def _compared(self, capture: Capture, reference: bytes | None) -> Comparison | None:
        if reference is None:
            return None
        with self.one_face_at_a_time:
            return self.comparer.compare(capture.portrait.image, reference)


def consume(session: Session, grant: UUID, *, now: datetime) -> Job:
    """Use the grant up, write down that its capture is opened, and return what it is good for.

    Raises:
        GrantRefused: it is unknown, used or expired.
    """
    used = session.execute(
        sa.update(Grant)
        .where(Grant.id == grant, Grant.used_at.is_(None), Grant.expires_at > now)
        .values(used_at=now)
        .returning(Grant.digest, Grant.officer_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if used is None:
        raise GrantRefused
    row = session.get_one(CaptureRow, used.digest)
    device = session.get_one(Device, row.device_id)
    dossier = session.get_one(Dossier, row.dossier_id)
    audit.append(
        session,
        at=now,
        actor=f"officer:{used.officer_id}",
        action="capture.opened",
        subject=row.digest,
        detail={"grant": str(grant), "dossier": dossier.code},
    )
    return Job(
        digest=row.digest,
        device_key=device.public_key,
        expect={
            "dossier": dossier.code,
            "appointment": str(row.appointment_id),
            "visit": str(row.visit_id),
            "station": row.station,
            "device": row.device_id,
            "sequence": row.sequence,
            "operator": row.operator,
            "simulated": row.simulated,
        },
        personal_number=dossier.personal_number,
    )


def _damaged(session: Session, job: Job, why: str, *, now: datetime) -> None:
    audit.append(
        session,
        at=now,
        actor="unseal",
        action="capture.damaged",
        subject=job.digest,
        detail={"why": why},
    )


def review(
    session: Session, digest: str, opened: Opened, looked: fingers.Looked, *, now: datetime
) -> None:
    """Keep the figures of the capture that was opened last; no image and no template."""
    # The capture's row is the lock: two officers' grants may be opened at one moment.
    session.get_one(CaptureRow, digest, with_for_update={"key_share": True})
    found = session.get(Review, digest, populate_existing=True)
    row = found or Review(digest=digest)
    row.at, row.distance, row.outcome = now, opened.distance, opened.outcome
    row.model, row.model_sha256 = opened.model, opened.model_sha256
    row.match_at_most, row.no_match_above = opened.match_at_most, opened.no_match_above
    row.summary = _summary(opened, looked)
    session.add(row)


def _summary(opened: Opened, looked: fingers.Looked) -> dict[str, Any]:
    capture = opened.capture
    portrait, prints = asdict(capture.portrait), [asdict(found) for found in capture.prints]
    for found, secrets in ((portrait, ("image",)), *((print_, BIOMETRIC) for print_ in prints)):
        for name in secrets:
            del found[name]
    missing = [
        {
            "position": absent.position,
            "reason": absent.reason.value,
            "permanent": absent.permanent,
            "officer": absent.officer,
        }
        for absent in capture.missing
    ]
    return {
        "reason": opened.reason,
        "portrait": portrait,
        "refused": list(refused(capture.portrait)),
        "prints": prints,
        "missing": missing,
        "concerns": [concern.as_json() for concern in looked.concerns],
        "compared": looked.compared,
        "pairs": looked.pairs,
        "simulated": list(capture.simulated),
        "helpers": sorted(capture.helpers),
    }
