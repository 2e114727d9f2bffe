"""Write the published test vectors of CCAP1 to tests/golden/seal/ccap1.json.

    python -m tests.tools.seal_vectors

Keys and captures are fixed, sealing is not: each run gives other packets, so vectors are only
written anew when the format changes. A wrong packet is given as pieces of a right one: `[from, to]`
copies those bytes, a text is hex to insert; `check` and `open` name the error, null means none.
"""

import base64
import hashlib
import json
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x25519

from biometrics.capture import JPEG
from biometrics.seal.header import Header
from biometrics.seal.keys import PrivateKeys
from biometrics.seal.layout import CHUNK, MAGIC, TAG, W1, W2, begin, split
from biometrics.seal.sealing import Sealed
from tests.captures import Bench, capture, picture, resigned

PATH = Path(__file__).parents[1] / "golden" / "seal" / "ccap1.json"
KID = "ingest-vectors"
Piece = tuple[int, int] | str


def secret(name: str, size: int = 32) -> bytes:
    """Bytes that everybody can make again: SHA-256 of a name and a counter."""
    blocks = (hashlib.sha256(f"ccap1 vectors {name} {at}".encode()).digest() for at in range(2))
    return b"".join(blocks)[:size]


def scalar(name: str) -> ec.EllipticCurvePrivateKey:
    """A P-256 key of a published secret."""
    return ec.derive_private_key(number(name), ec.SECP256R1())


def number(name: str) -> int:
    """A number below the order of P-256."""
    return int.from_bytes(secret(name)) >> 1


def fixed(name: str = "") -> Bench:
    """The keys of the vectors; `name` gives others."""
    keys = PrivateKeys(
        kid=KID,
        p256=scalar(f"{name}p256"),
        mlkem768=mlkem.MLKEM768PrivateKey.from_seed_bytes(secret(f"{name}mlkem768", 64)),
        curve25519=x25519.X25519PrivateKey.from_private_bytes(secret(f"{name}x25519")),
    )
    return Bench(keys=keys, device=scalar(f"{name}device"))


def shown(header: Header) -> dict[str, Any]:
    """The header's fields as JSON can hold them."""
    plain: dict[str, Any] = {}
    for name, value in asdict(header).items():
        if isinstance(value, bytes):
            plain[name] = value.hex()
        else:
            plain[name] = value.isoformat() if isinstance(value, datetime) else value
    return plain


def right(name: str, sealed: Sealed, content: bytes) -> dict[str, Any]:
    """A packet that must open."""
    return {
        "name": name,
        "packet": base64.b64encode(sealed.packet).decode(),
        "digest": sealed.digest,
        "header": shown(sealed.header),
        "plaintext_sha256": hashlib.sha256(content).hexdigest(),
    }


def wrong(
    name: str, of: str, pieces: list[Piece], check: str | None, opening: str | None
) -> dict[str, Any]:
    """A packet that must not open, or not pass."""
    return {"name": name, "of": of, "pieces": pieces, "check": check, "open": opening}


def make() -> dict[str, Any]:
    """All vectors."""
    bench = fixed()
    content = capture(size=60).encode()
    large = capture(portrait=replace(capture().portrait, image=picture(JPEG, 1, CHUNK))).encode()
    small, two = bench.sealed(content), bench.sealed(large, sequence=42)
    return {
        "format": "CCAP1",
        "keys": {
            "kid": KID,
            "p256_scalar": f"{number('p256'):064x}",
            "mlkem768_seed": secret("mlkem768", 64).hex(),
            "x25519": secret("x25519").hex(),
        },
        "device_scalar": f"{number('device'):064x}",
        "right": [
            right("one chunk", small, content),
            right("two chunks", two, large),
        ],
        "wrong": [*_misread(bench, small), *_mislaid(bench, two), *_mistaken(bench)],
    }


def _after(packet: bytes, header: bytes, bench: Bench) -> bytes:
    """The packet with another header, signed again by its device."""
    parts = split(packet)
    rest = bytes(parts.signed[len(MAGIC) + 2 + len(parts.header.encode()) :])
    return resigned(
        begin(header) + rest + packet[len(parts.signed) :],
        bench,
        signature_length=len(parts.signature),
    )


def _misread(bench: Bench, small: Sealed) -> list[dict[str, Any]]:
    packet, header = small.packet, small.header
    size = len(packet)
    fields = asdict(header)

    def other(name: str, encoded: bytes, check: str | None, opening: str) -> dict[str, Any]:
        pieces = _pieces(packet, _after(packet, encoded, bench))
        return wrong(name, "one chunk", pieces, check, opening)

    def canonical(**changes: object) -> bytes:
        return cbor2.dumps({**fields, **changes}, canonical=True)

    invalid = "HeaderInvalid"
    body = len(begin(header.encode()))
    first = packet[body] ^ 1
    return [
        wrong("nothing", "one chunk", [], "PacketForeign", "PacketForeign"),
        wrong("another magic", "one chunk", ["43434150320a", (6, size)], *["PacketForeign"] * 2),
        wrong("only the magic", "one chunk", [(0, 6)], *["PacketTruncated"] * 2),
        wrong("cut in the header", "one chunk", [(0, 100)], *["PacketTruncated"] * 2),
        wrong("cut in a wrapped key", "one chunk", [(0, body + 50)], *["PacketTruncated"] * 2),
        wrong("last byte gone", "one chunk", [(0, size - 1)], *["PacketTruncated"] * 2),
        wrong("a byte behind the end", "one chunk", [(0, size), "00"], *["PacketTruncated"] * 2),
        wrong(
            "a long header announced",
            "one chunk",
            [(0, 6), "ffff", (8, size)],
            *["PacketTruncated"] * 2,
        ),
        other("header out of order", cbor2.dumps(fields), invalid, invalid),
        other("unknown header field", canonical(more=1), invalid, invalid),
        other("header of version 2", canonical(v=2), invalid, invalid),
        other("another suite", canonical(suite="none"), invalid, invalid),
        other("length beyond the limit", canonical(length=2**40), invalid, invalid),
        other("longer than it is", canonical(length=header.length + 1), *["PacketTruncated"] * 2),
        other("another dossier", canonical(dossier="TN-0000-0000"), None, "SealBroken"),
        other("another visit", canonical(visit="x"), None, "SealBroken"),
        other("another sequence", canonical(sequence=7), None, "SealBroken"),
        other("not simulated after all", canonical(simulated=False), None, "SealBroken"),
        other("another device", canonical(device="0" * 64), "DeviceWrong", "SealBroken"),
        wrong(
            "a bit of a wrapped key, not signed again",
            "one chunk",
            [(0, body), f"{first:02x}", (body + 1, size)],
            "SignatureWrong",
            "SealBroken",
        ),
    ]


def _mislaid(bench: Bench, two: Sealed) -> list[dict[str, Any]]:
    parts = split(two.packet)
    start = len(begin(two.header.encode())) + W1 + W2
    stop = len(parts.signed)
    piece = CHUNK + TAG
    last = stop - start - piece

    def again(name: str, body: bytes) -> dict[str, Any]:
        packet = resigned(
            two.packet[:start] + body + two.packet[stop:],
            bench,
            signature_length=len(parts.signature),
        )
        cut = stop - start == len(body)
        pieces: list[Piece] = _pieces(two.packet, packet)
        return wrong(
            name,
            "two chunks",
            pieces,
            None if cut else "PacketTruncated",
            "SealBroken" if cut else "PacketTruncated",
        )

    body = bytes(parts.body)
    return [
        again(
            "the first chunk turned round",
            body[last:piece] + body[:last] + body[piece:],
        ),
        again("the last chunk's place taken by the first", body[:piece] + body[:last]),
        again("the last chunk gone", body[:piece]),
        again("the first chunk gone", body[piece:]),
        again("a chunk added", body + body[:piece]),
    ]


def _pieces(of: bytes, packet: bytes) -> list[Piece]:
    """Write `packet` as runs of bytes of `of`, where there are long ones."""
    pieces: list[Piece] = []
    literal = bytearray()
    at = 0
    while at < len(packet):
        found = of.find(packet[at : at + 48]) if at + 48 <= len(packet) else -1
        if found < 0:
            literal.append(packet[at])
            at += 1
            continue
        if literal:
            pieces.append(literal.hex())
            literal = bytearray()
        end = 48
        while (
            at + end < len(packet) and found + end < len(of) and packet[at + end] == of[found + end]
        ):
            end += 1
        pieces.append((found, found + end))
        at += end
    if literal:
        pieces.append(literal.hex())
    return pieces


def _mistaken(bench: Bench) -> list[dict[str, Any]]:
    stranger = fixed("stranger ")
    by_stranger = replace(bench, device=stranger.device)
    to_stranger = replace(bench, keys=stranger.keys)
    elsewhere = replace(bench, keys=replace(bench.keys, kid="ingest-other"))
    content = capture(size=60).encode()
    device = {"device": bench.device_id}
    return [
        _whole(
            "signed by another device",
            by_stranger.sealed(content, **device),
            "SignatureWrong",
            None,
        ),
        _whole(
            "sealed to other keys of this name", to_stranger.sealed(content), None, "SealBroken"
        ),
        _whole("sealed to keys of another name", elsewhere.sealed(content), None, "KeysWrong"),
        _whole("holds no capture", bench.sealed(b"no capture"), None, "ContentInvalid"),
        _whole(
            "the capture is of another visit",
            bench.sealed(content, visit="x"),
            None,
            "ContentInvalid",
        ),
        _whole(
            "the capture is simulated, the header is not",
            bench.sealed(content, simulated=False),
            None,
            "ContentInvalid",
        ),
    ]


def _whole(name: str, sealed: Sealed, check: str | None, opening: str | None) -> dict[str, Any]:
    return wrong(name, "one chunk", [sealed.packet.hex()], check, opening)


if __name__ == "__main__":
    PATH.write_text(json.dumps(make(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
