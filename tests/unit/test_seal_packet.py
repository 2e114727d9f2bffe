"""A sealed packet opens for its keys and context, whole and unaltered, and otherwise not at all."""

import tracemalloc
from dataclasses import replace

import cbor2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.capture import JPEG
from biometrics.seal import errors, layout
from biometrics.seal.checking import check, device_id, look
from biometrics.seal.header import MAX_BYTES, MAX_CONTENT
from biometrics.seal.keys import PrivateKeys
from biometrics.seal.opening import open_packet
from biometrics.seal.sealing import Sealed, seal
from tests.captures import DOSSIER, VISIT, Bench, bench, capture, picture, resigned

SEED = 20261124
FLIPS = 2500


@pytest.fixture(scope="module")
def desk() -> Bench:
    return bench()


@pytest.fixture(scope="module")
def small(desk: Bench) -> Sealed:
    return desk.sealed(capture(size=60).encode())


@pytest.fixture(scope="module")
def large(desk: Bench) -> Sealed:
    """Three whole chunks and a rest."""
    image = picture(JPEG, 1, 3 * layout.CHUNK)
    return desk.sealed(capture(portrait=replace(capture().portrait, image=image)).encode())


def signature_length(sealed: Sealed) -> int:
    return len(layout.split(sealed.packet).signature)


def again(sealed: Sealed, packet: bytes, desk: Bench) -> bytes:
    """Signed anew until the signature is as long as the first: no length is met by chance."""
    length = signature_length(sealed)
    while True:
        signed = resigned(packet, desk, signature_length=length)
        if len(signed) == len(packet):
            return signed


def test_a_packet_passes_the_check_and_opens(desk: Bench, large: Sealed) -> None:
    checked = check(large.packet, desk.device.public_key())
    assert (checked.digest, checked.header) == (large.digest, large.header)
    header, opened = open_packet(
        large.packet, desk.keys, expect={"dossier": DOSSIER, "visit": VISIT}
    )
    assert header == large.header == look(large.packet)
    assert len(opened.portrait.image) == 3 * layout.CHUNK + len(JPEG)


@pytest.mark.parametrize("around", [-1, 0, 1])
@pytest.mark.parametrize("chunks", [1, 2])
def test_content_that_fills_its_last_chunk_opens_too(desk: Bench, chunks: int, around: int) -> None:
    wanted = chunks * layout.CHUNK + around
    size = 60_000
    for _ in range(3):
        content = capture(size=size).encode()
        size += wanted - len(content)
    sealed = desk.sealed(content)
    assert sealed.header.length == wanted
    _, opened = open_packet(sealed.packet, desk.keys, expect={})
    assert opened.encode() == content


def test_a_packet_is_hardly_larger_than_what_it_holds(desk: Bench, large: Sealed) -> None:
    overhead = len(large.packet) - large.header.length
    assert overhead < 2200
    assert len(large.packet) <= layout.MAX_PACKET


def test_nothing_of_a_picture_can_be_seen(large: Sealed) -> None:
    image = picture(JPEG, 1, 3 * layout.CHUNK)
    assert not any(image[at : at + 8] in large.packet for at in range(0, 4096, 8))


def test_sealing_the_same_twice_gives_nothing_in_common_to_look_for(desk: Bench) -> None:
    content = capture().encode()
    one, two = desk.sealed(content), desk.sealed(content)
    assert one.digest != two.digest
    start = len(layout.begin(one.header.encode()))
    same = sum(a == b for a, b in zip(one.packet[start:], two.packet[start:], strict=False))
    assert same < len(one.packet) / 50


def test_a_signature_made_anew_leaves_the_content_address(desk: Bench, small: Sealed) -> None:
    other = again(small, small.packet, desk)
    assert other != small.packet
    assert check(other, desk.device.public_key()).digest == small.digest


def test_every_flipped_bit_is_refused_by_the_check(desk: Bench, large: Sealed) -> None:
    key = desk.device.public_key()
    check(large.packet, key)
    rng = np.random.default_rng(SEED)
    for at in rng.integers(0, 8 * len(large.packet), FLIPS):
        altered = bytearray(large.packet)
        altered[at // 8] ^= 1 << (at % 8)
        with pytest.raises(errors.PacketRefused):
            check(bytes(altered), key)


def test_every_flipped_bit_is_refused_by_opening_alone(desk: Bench, small: Sealed) -> None:
    """Whoever holds the device's key can sign anew; the seal itself must still refuse."""
    end = len(layout.split(small.packet).signed)
    open_packet(small.packet, desk.keys, expect={})
    rng = np.random.default_rng(SEED)
    for at in rng.integers(0, 8 * end, FLIPS):
        altered = bytearray(small.packet)
        altered[at // 8] ^= 1 << (at % 8)
        signed = again(small, bytes(altered), desk)
        with pytest.raises(errors.PacketRefused):
            open_packet(signed, desk.keys, expect={})


def test_a_packet_cut_anywhere_is_refused(desk: Bench, small: Sealed) -> None:
    key = desk.device.public_key()
    for cut in range(len(small.packet)):
        with pytest.raises(errors.PacketRefused):
            check(small.packet[:cut], key)
        with pytest.raises(errors.PacketRefused):
            open_packet(small.packet[:cut], desk.keys, expect={})


@pytest.mark.parametrize("behind", [1, 2, 16, layout.CHUNK + layout.TAG])
def test_bytes_behind_a_packet_are_refused(desk: Bench, small: Sealed, behind: int) -> None:
    for data in (
        small.packet + bytes(behind),
        again(small, small.packet + bytes(behind), desk),
    ):
        with pytest.raises(errors.PacketTruncated):
            check(data, desk.device.public_key())
        with pytest.raises(errors.PacketTruncated):
            open_packet(data, desk.keys, expect={})


def chunked(sealed: Sealed) -> tuple[bytes, list[bytes], bytes]:
    parts = layout.split(sealed.packet)
    body = bytes(parts.body)
    step = layout.CHUNK + layout.TAG
    start = len(parts.signed) - len(body)
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    return sealed.packet[:start], pieces, sealed.packet[len(parts.signed) :]


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ((1, 0, 2, 3), errors.SealBroken),
        ((0, 2, 1, 3), errors.SealBroken),
        ((0, 0, 2, 3), errors.SealBroken),
        ((0, 2, 3), errors.PacketTruncated),
        ((0, 1, 2), errors.PacketTruncated),
        ((0, 1, 2, 2, 3), errors.PacketTruncated),
        ((0, 1, 2, 3, 3), errors.PacketTruncated),
    ],
)
def test_chunks_swapped_dropped_or_added_are_refused(
    desk: Bench, large: Sealed, order: tuple[int, ...], error: type[errors.PacketRefused]
) -> None:
    front, pieces, back = chunked(large)
    assert len(pieces) == 4
    packet = again(large, front + b"".join(pieces[at] for at in order) + back, desk)
    with pytest.raises(error):
        open_packet(packet, desk.keys, expect={})


def test_a_chunk_dropped_with_a_header_that_says_so_is_refused(desk: Bench, large: Sealed) -> None:
    front, pieces, back = chunked(large)
    shorter = replace(large.header, length=large.header.length - layout.CHUNK)
    begin = layout.begin(shorter.encode())
    wraps = front[len(layout.begin(large.header.encode())) :]
    packet = again(large, begin + wraps + b"".join(pieces[1:]) + back, desk)
    assert check(packet, desk.device.public_key()).header == shorter
    with pytest.raises(errors.SealBroken):
        open_packet(packet, desk.keys, expect={})


def test_a_packet_of_one_dossier_does_not_open_as_another(desk: Bench, small: Sealed) -> None:
    with pytest.raises(errors.ContextWrong, match="dossier"):
        open_packet(small.packet, desk.keys, expect={"dossier": "TN-0000-0000"})
    moved = again(small, small.packet.replace(DOSSIER.encode(), b"TN-0000-0000"), desk)
    assert check(moved, desk.device.public_key()).header.dossier == "TN-0000-0000"
    with pytest.raises(errors.SealBroken):
        open_packet(moved, desk.keys, expect={"dossier": "TN-0000-0000"})


def test_the_wrapped_keys_of_another_packet_do_not_open_this_one(
    desk: Bench, small: Sealed
) -> None:
    other = desk.sealed(capture(size=60).encode())
    start = len(layout.begin(small.header.encode()))
    end = start + layout.W1 + layout.W2
    mixed = again(small, small.packet[:start] + other.packet[start:end] + small.packet[end:], desk)
    with pytest.raises(errors.SealBroken):
        open_packet(mixed, desk.keys, expect={})


def test_a_context_nobody_knows_is_a_mistake_of_ours(desk: Bench, small: Sealed) -> None:
    with pytest.raises(AttributeError):
        open_packet(small.packet, desk.keys, expect={"dosier": DOSSIER})


def test_both_keys_are_needed(desk: Bench, small: Sealed) -> None:
    stranger = PrivateKeys.create(desk.keys.kid)
    for half in (
        replace(desk.keys, p256=stranger.p256),
        replace(desk.keys, mlkem768=stranger.mlkem768),
        replace(desk.keys, curve25519=stranger.curve25519),
    ):
        with pytest.raises(errors.SealBroken):
            open_packet(small.packet, half, expect={})
    with pytest.raises(errors.KeysWrong):
        open_packet(small.packet, replace(desk.keys, kid="another"), expect={})


def test_a_packet_of_another_device_is_refused(desk: Bench, small: Sealed) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(errors.DeviceWrong):
        check(small.packet, other.public_key())
    posing = replace(desk, device=other).sealed(capture().encode(), device=desk.device_id)
    with pytest.raises(errors.SignatureWrong):
        check(posing.packet, desk.device.public_key())


@pytest.mark.parametrize(
    "data",
    [
        layout.MAGIC + b"\xff\xff" + bytes(200_000),
        layout.MAGIC + (MAX_BYTES + 1).to_bytes(2) + bytes(200_000),
        layout.MAGIC + b"\x00\x09\x9b" + b"\xff" * 8,
        layout.MAGIC + b"\x00\x09\x5b" + b"\xff" * 8,
    ],
    ids=["header", "over", "array", "bytes"],
)
def test_huge_lengths_are_refused_before_anything_is_allocated(desk: Bench, data: bytes) -> None:
    tracemalloc.start()
    try:
        for ask in (
            lambda: look(data),
            lambda: check(data, desk.device.public_key()),
            lambda: open_packet(data, desk.keys, expect={}),
        ):
            with pytest.raises(errors.PacketRefused):
                ask()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_a_header_that_claims_a_huge_content_is_refused(desk: Bench, small: Sealed) -> None:
    for claimed in (MAX_CONTENT, MAX_CONTENT + 1, 2**63):
        fields = cbor2.loads(small.header.encode())
        encoded = cbor2.dumps({**fields, "length": claimed}, canonical=True)
        rest = small.packet[len(layout.begin(small.header.encode())) :]
        packet = again(small, layout.begin(encoded) + rest, desk)
        with pytest.raises((errors.PacketTruncated, errors.HeaderInvalid)):
            check(packet, desk.device.public_key())


def test_random_bytes_never_make_it_fall(desk: Bench) -> None:
    rng = np.random.default_rng(SEED)
    key = desk.device.public_key()
    for size in rng.integers(0, 3000, 400):
        data = layout.MAGIC + rng.bytes(int(size))
        for ask in (lambda data=data: check(data, key), lambda data=data: look(data)):
            with pytest.raises(errors.PacketRefused):
                ask()


@pytest.mark.parametrize("size", [0, MAX_CONTENT + 1])
def test_nothing_and_too_much_are_not_sealed(desk: Bench, size: int) -> None:
    with pytest.raises(errors.ContentRefused):
        seal(bytes(size), keys=desk.keys.public, sign=desk.sign, **desk.about())


@pytest.mark.parametrize(
    "changes",
    [
        {"visit": "x"},
        {"appointment": "x"},
        {"dossier": "x"},
        {"consent": bytes(32)},
        {"simulated": False},
    ],
)
def test_a_capture_that_contradicts_its_header_is_refused(
    desk: Bench, changes: dict[str, object]
) -> None:
    sealed = desk.sealed(**changes)
    with pytest.raises(errors.ContentInvalid, match=next(iter(changes))):
        open_packet(sealed.packet, desk.keys, expect={})


def test_what_is_no_capture_is_refused(desk: Bench) -> None:
    with pytest.raises(errors.ContentInvalid):
        open_packet(desk.sealed(b"no capture").packet, desk.keys, expect={})


def test_a_device_is_named_by_its_public_key(desk: Bench) -> None:
    assert device_id(desk.device.public_key()) == desk.device_id
    assert device_id(ec.generate_private_key(ec.SECP256R1()).public_key()) != desk.device_id
