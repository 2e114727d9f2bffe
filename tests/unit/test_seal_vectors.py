"""The published vectors hold: what must open opens, what must not is refused with its error."""

import base64
import hashlib
import json
from typing import Any

import pytest

from biometrics.seal import errors
from biometrics.seal.checking import check, device_id, look
from biometrics.seal.opening import open_packet
from tests.tools.seal_vectors import PATH, fixed, number, secret, shown

VECTORS: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
RIGHT = {vector["name"]: vector for vector in VECTORS["right"]}
WRONG = {vector["name"]: vector for vector in VECTORS["wrong"]}
BENCH = fixed()


def packet(name: str) -> bytes:
    return base64.b64decode(RIGHT[name]["packet"])


def pieced(vector: dict[str, Any]) -> bytes:
    of = packet(vector["of"])
    return b"".join(
        bytes.fromhex(piece) if isinstance(piece, str) else of[piece[0] : piece[1]]
        for piece in vector["pieces"]
    )


def test_the_published_secrets_are_the_ones_used() -> None:
    keys = VECTORS["keys"]
    assert keys["p256_scalar"] == f"{number('p256'):064x}"
    assert keys["mlkem768_seed"] == secret("mlkem768", 64).hex()
    assert keys["x25519"] == secret("x25519").hex()
    assert VECTORS["device_scalar"] == f"{number('device'):064x}"


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_packet_passes_and_opens(name: str) -> None:
    vector = RIGHT[name]
    data = packet(name)
    checked = check(data, BENCH.device.public_key())
    assert checked.digest == vector["digest"]
    assert shown(checked.header) == vector["header"]
    assert look(data) == checked.header
    header, capture = open_packet(data, BENCH.keys, expect={"dossier": vector["header"]["dossier"]})
    assert header == checked.header
    assert header.device == device_id(BENCH.device.public_key())
    assert hashlib.sha256(capture.encode()).hexdigest() == vector["plaintext_sha256"]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_packet_is_refused_with_its_error(name: str) -> None:
    vector = WRONG[name]
    data = pieced(vector)
    assert vector["check"] is not None or vector["open"] is not None
    for wanted, ask in (
        (vector["check"], lambda: check(data, BENCH.device.public_key())),
        (vector["open"], lambda: open_packet(data, BENCH.keys, expect={})),
    ):
        if wanted is None:
            ask()
            continue
        with pytest.raises(errors.PacketRefused) as refused:
            ask()
        assert type(refused.value).__name__ == wanted


def test_every_way_to_refuse_a_packet_has_a_vector_but_the_context() -> None:
    named = {vector[tier] for vector in WRONG.values() for tier in ("check", "open")} - {None}
    assert named | {"ContextWrong"} == {
        kind.__name__ for kind in errors.PacketRefused.__subclasses__()
    }
