"""A small intake of our own, written from the protocol alone: it shares no code with the server.

It verifies every signature with the library, as any other implementer would, and keeps packets in
memory.
"""

import base64
import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from http_message_signatures import (
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    VerifyResult,
)
from http_message_signatures.algorithms import ECDSA_P256_SHA256

from biometrics.seal.keys import PublicKeys

AT = "2026-11-24T02:30:00Z"
NO = {"text": {"vi": "Không được", "en": "No"}}


@dataclass
class Memory:
    """What the server knows; outlives a restart."""

    devices: dict[str, ec.EllipticCurvePublicKey]
    keys: PublicKeys
    receipts: ec.EllipticCurvePrivateKey
    visit: dict[str, Any]
    sizes: dict[str, int] = field(default_factory=dict)
    parts: dict[str, bytes] = field(default_factory=dict)
    stored: Counter[str] = field(default_factory=Counter)
    nonces: set[str] = field(default_factory=set)
    seen: list[VerifyResult] = field(default_factory=list)
    departed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def signed(self, prefix: bytes, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields with their signature over canonical JSON."""
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        signature = self.receipts.sign(prefix + text.encode(), ec.ECDSA(hashes.SHA256()))
        return {**fields, "signature": base64.b64encode(signature).decode()}


class SmallIntake(ThreadingHTTPServer):
    """The server; a new one with the same memory and port is a restart."""

    def __init__(self, memory: Memory, port: int = 0) -> None:
        self.memory = memory
        super().__init__(("127.0.0.1", port), Handler)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    @property
    def memory(self) -> Memory:
        return cast("SmallIntake", self.server).memory

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        del format, args

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.read()

    def do_PATCH(self) -> None:
        self.read()

    def read(self) -> None:
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        # Where the line was cut, nobody is left to answer, and half a chunk proves nothing.
        if len(body) == size:
            self.answer(body)

    def answer(self, body: bytes) -> None:
        with self.memory.lock:
            try:
                device = self.recognised(body)
            except InvalidSignature as error:
                self.say(401, {"code": f"signature {error}", **NO})
                return
            self.route(device, body)

    def recognised(self, body: bytes) -> str:
        wanted = ["@method", "@target-uri"]
        wanted += ["content-digest"] if body else []
        wanted += ["upload-offset"] if self.command == "PATCH" else []
        verifier = HTTPMessageVerifier(
            signature_algorithm=ECDSA_P256_SHA256,
            key_resolver=MappingKeyResolver(public_keys=self.memory.devices, private_keys={}),
        )
        (result,) = verifier.verify(
            self,
            max_age=timedelta(seconds=300),
            require_components=wanted,
            body=body or None,
        )
        if result.nonce is None or result.nonce in self.memory.nonces:
            raise InvalidSignature("nonce")
        self.memory.nonces.add(result.nonce)
        self.memory.seen.append(result)
        return str(result.parameters["keyid"])

    @property
    def method(self) -> str:
        """As the verifier asks for it."""
        return self.command

    @property
    def url(self) -> str:
        """As the verifier asks for it."""
        return f"http://{self.headers['Host']}{self.path}"

    def route(self, device: str, body: bytes) -> None:
        upload = re.fullmatch(r"/kiosk/uploads/([0-9a-f]{64})", self.path)
        if self.path == "/kiosk/station":
            self.station()
        elif self.path == "/kiosk/check-in":
            known = json.loads(body)["ticket"] == "TICKET"
            self.say(
                200 if known else 404, self.memory.visit if known else {"code": "unknown", **NO}
            )
        elif self.path == "/kiosk/leave":
            self.memory.departed.append(json.loads(body)["visit_id"])
            self.say(204, None)
        elif self.path == "/kiosk/uploads":
            asked = json.loads(body)
            self.memory.sizes[asked["digest"]] = asked["size"]
            self.state(device, asked["digest"])
        elif upload and self.command == "PATCH":
            self.append(device, upload[1], body)
        else:
            self.say(404, {"code": "not_found", **NO})

    def station(self) -> None:
        keys = self.memory.keys
        fields = {
            "kid": keys.kid,
            "p256": base64.b64encode(keys.p256).decode(),
            "pq": base64.b64encode(keys.pq).decode(),
            "not_after": "2027-02-01T00:00:00Z",
        }
        signed = self.memory.signed(b"thunhan/sealing-keys/1\n", fields)
        self.say(200, {"code": "S01", "name": "Giả Định", "keys": signed, "officers": []})

    def append(self, device: str, digest: str, chunk: bytes) -> None:
        part = self.memory.parts.get(digest, b"")
        if int(self.headers["Upload-Offset"]) != len(part):
            self.state(device, digest, status=409)
            return
        self.memory.parts[digest] = part = part + chunk
        if len(part) == self.memory.sizes[digest]:
            if self.digest_of(part) != digest:
                self.say(422, {"code": "packet_digest", **NO})
                return
            self.memory.stored[digest] += 1
        self.state(device, digest)

    def digest_of(self, packet: bytes) -> str:
        """The content address, from the format's description: all before the signature."""
        for length in range(8, 73):
            if packet[-length - 2 : -length] == length.to_bytes(2):
                return sha256(packet[: -length - 2]).hexdigest()
        return ""

    def state(self, device: str, digest: str, *, status: int = 200) -> None:
        part = self.memory.parts.get(digest, b"")
        receipt = None
        if self.memory.stored[digest]:
            fields = {
                "number": "1",
                "digest": digest,
                "device": device,
                "sequence": self.sequence(part),
                "received_at": AT,
            }
            receipt = self.memory.signed(b"thunhan/receipt/1\n", fields)
        self.say(status, {"digest": digest, "offset": len(part), "receipt": receipt})

    def sequence(self, packet: bytes) -> int:
        """The header's sequence, a small number behind its name."""
        at = packet.index(b"hsequence") + len(b"hsequence")
        return packet[at] if packet[at] < 24 else packet[at + 1]

    def say(self, status: int, fields: dict[str, Any] | None) -> None:
        body = b"" if fields is None else json.dumps(fields).encode()
        self.send_response(status)
        if fields is not None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
