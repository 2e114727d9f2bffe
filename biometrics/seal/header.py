"""The header of a packet: everything about a capture that is not secret, and that binds it.

Its canonical bytes are hashed into every key wrap and every chunk. It says nothing about a person.
"""

import math
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Self

import cbor2

from biometrics.seal.cbor import Fields, NotPlain, read
from biometrics.seal.errors import HeaderInvalid

VERSION = 1
SUITE = "P256+MLKEM768X25519/HKDF-SHA256/AES-256-GCM/ES256"
MAX_BYTES = 4096
MAX_CONTENT = 32 * 1024 * 1024
"""Plaintext bytes of one packet: as much as one capture may have."""
ID_BYTES = 16
HASH_BYTES = 32
MAX_SEQUENCE = 2**53
MAX_TEXT = 64
MAX_MODALITIES = 64
TRUSTS = frozenset({"software", "tpm"})
"""Where the device's key lives; the server decides what it believes."""
KID = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,30}[a-z0-9])?")
"""Names of keys are names of files too."""
_DEVICE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands in the open.

    Attributes:
        v: version of the format.
        suite: which algorithms.
        kid: which pair of public keys it is sealed to.
        packet_id: 16 random bytes.
        dossier: dossier code.
        appointment: the appointment it serves.
        visit: the visit it closes.
        station: code of the station.
        device: SHA-256 of the device's public key (SPKI DER), lower-case hex.
        sequence: the device's counter; one sequence is one content.
        captured_at: wall clock of the kiosk, UTC.
        mono: seconds on the monotonic clock of this boot.
        boot_id: which boot that was; empty where the system does not say.
        length: bytes of plaintext.
        modalities: how many portraits and prints are inside.
        consent: SHA-256 of the notice that was agreed to.
        software: version of the kiosk's program.
        operator: officer who helped, or None.
        previous: digest of the device's packet before this one, None for its first.
        trust: where the device's key lives, see `TRUSTS`.
        simulated: a stand-in device took part.
    """

    v: int
    suite: str
    kid: str
    packet_id: bytes
    dossier: str
    appointment: str
    visit: str
    station: str
    device: str
    sequence: int
    captured_at: datetime
    mono: float
    boot_id: str
    length: int
    modalities: int
    consent: bytes
    software: str
    operator: str | None
    previous: bytes | None
    trust: str
    simulated: bool

    def encode(self) -> bytes:
        """Return the canonical bytes.

        Raises:
            HeaderInvalid: a field is of wrong type or out of bounds: it could not be read again.
        """
        data = _write(self)
        if Header.decode(data) != self:
            raise HeaderInvalid("the header would not be read as it was written")
        return data

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the header in `data`.

        Raises:
            HeaderInvalid: truncated, over `MAX_BYTES`, not canonical, with a missing or unknown
                field, with a field of wrong type or out of bounds.
        """
        header = cls._read(data)
        if _write(header) != data:
            raise HeaderInvalid("the header is not canonical")
        return header

    @classmethod
    def _read(cls, data: bytes) -> Self:
        if len(data) > MAX_BYTES:
            raise HeaderInvalid(f"the header has more than {MAX_BYTES} bytes")
        try:
            fields = Fields(read(data), "header")
            header = cls(
                v=fields.whole("v", VERSION, VERSION),
                suite=fields.text("suite", MAX_TEXT),
                kid=fields.text("kid", MAX_TEXT),
                packet_id=fields.octets("packet_id", ID_BYTES, ID_BYTES),
                dossier=fields.text("dossier", MAX_TEXT),
                appointment=fields.text("appointment", MAX_TEXT),
                visit=fields.text("visit", MAX_TEXT),
                station=fields.text("station", MAX_TEXT),
                device=fields.text("device", MAX_TEXT),
                sequence=fields.whole("sequence", 1, MAX_SEQUENCE),
                captured_at=fields.time("captured_at"),
                mono=fields.number("mono"),
                boot_id=fields.text("boot_id", MAX_TEXT, shortest=0),
                length=fields.whole("length", 1, MAX_CONTENT),
                modalities=fields.whole("modalities", 1, MAX_MODALITIES),
                consent=fields.octets("consent", HASH_BYTES, HASH_BYTES),
                software=fields.text("software", MAX_TEXT),
                operator=fields.text_or_none("operator", MAX_TEXT),
                previous=fields.octets_or_none("previous", HASH_BYTES, HASH_BYTES),
                trust=fields.text("trust", MAX_TEXT),
                simulated=fields.flag("simulated"),
            )
            fields.close()
        except NotPlain as error:
            raise HeaderInvalid(str(error)) from error
        header._hold()
        return header

    def _hold(self) -> None:
        rules = {
            "suite": self.suite == SUITE,
            "kid": KID.fullmatch(self.kid) is not None,
            "device": _DEVICE.fullmatch(self.device) is not None,
            "captured_at": self.captured_at.tzinfo is UTC,
            "mono": math.isfinite(self.mono) and self.mono >= 0,
            "trust": self.trust in TRUSTS,
        }
        broken = sorted(name for name, held in rules.items() if not held)
        if broken:
            raise HeaderInvalid(f"header: {', '.join(broken)} is not allowed")


def _write(header: Header) -> bytes:
    try:
        return cbor2.dumps(asdict(header), canonical=True)
    except (cbor2.CBOREncodeError, ValueError, TypeError, OverflowError) as error:
        raise HeaderInvalid("a field of the header cannot be written") from error
