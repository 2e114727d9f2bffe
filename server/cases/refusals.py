"""Why a kiosk is refused something: one name a reason; its sentence stands in texts/refusal.json.

It decides nothing and knows no HTTP.
"""

import enum


class Reason(enum.StrEnum):
    """Every reason there is; the text's key is ``refusal.<value>``."""

    # The request.
    SIGNATURE_WRONG = "signature_wrong"
    CLOCK_WRONG = "clock_wrong"
    REPLAYED = "replayed"
    DEVICE_UNKNOWN = "device_unknown"
    DEVICE_REVOKED = "device_revoked"
    MESSAGE_WRONG = "message_wrong"
    TOO_LARGE = "too_large"
    NOT_FOUND = "not_found"
    METHOD_WRONG = "method_wrong"
    BROKEN = "broken"
    NO_KEYS = "no_keys"
    NO_ROOM = "no_room"
    TRY_LATER = "try_later"
    # Check-in and leaving.
    UNKNOWN = "unknown"
    WRONG_STATION = "wrong_station"
    WRONG_DAY = "wrong_day"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    CANCELLED = "cancelled"
    MISSED = "missed"
    ALREADY_HERE = "already_here"
    ALREADY_CAPTURED = "already_captured"
    RECAPTURE = "recapture"
    NOT_NOW = "not_now"
    VISIT_UNKNOWN = "visit_unknown"
    VISIT_SEALED = "visit_sealed"
    # Uploads.
    UPLOAD_UNKNOWN = "upload_unknown"
    UPLOAD_FOREIGN = "upload_foreign"
    UPLOADS_MANY = "uploads_many"
    CHUNK_EMPTY = "chunk_empty"
    CHUNK_BEYOND = "chunk_beyond"
    # Packets.
    PACKET_DAMAGED = "packet_damaged"
    PACKET_SIGNATURE = "packet_signature"
    PACKET_DIGEST = "packet_digest"
    PACKET_DEVICE = "packet_device"
    PACKET_STATION = "packet_station"
    PACKET_VISIT = "packet_visit"
    PACKET_DOSSIER = "packet_dossier"
    PACKET_TRUST = "packet_trust"
    PACKET_KEY = "packet_key"
    PACKET_NOTICE = "packet_notice"
    PACKET_OFFICER = "packet_officer"
    PACKET_SIMULATED = "packet_simulated"
    VISIT_CLOSED = "visit_closed"
    SEQUENCE_REUSED = "sequence_reused"


class Refused(Exception):
    """No; nothing was changed."""

    def __init__(self, reason: Reason, **values: object) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.values = values
        """What the sentence's places are filled with."""
