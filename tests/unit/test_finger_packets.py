"""The module's packets: whatever comes over a line, packets are found and nothing breaks."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.finger.commands import (
    BAUDS,
    PACKET_SIZES,
    Parameters,
    Product,
    pack_image,
    unpack_image,
)
from hardware.finger.packets import (
    EVERYBODY,
    MAX_DATA,
    START,
    Code,
    Damage,
    Fault,
    Kind,
    Packet,
    PacketStream,
    split,
)

PACKETS = st.builds(Packet, kind=st.sampled_from(Kind), data=st.binary(max_size=MAX_DATA))
OK = Packet(kind=Kind.ACK, data=b"\0")


def taken(stream: PacketStream) -> list[Packet | Damage]:
    found = []
    while (one := stream.next()) is not None:
        found.append(one)
    return found


def in_pieces(octets: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    return [octets[a:b] for a, b in itertools.pairwise(edges)]


def test_a_packet_has_the_bytes_that_the_open_drivers_send() -> None:
    command = Packet(kind=Kind.COMMAND, data=b"\x13\0\0\0\0")
    assert command.encode().hex(" ") == "ef 01 ff ff ff ff 01 00 07 13 00 00 00 00 00 1b"
    assert OK.encode().hex(" ") == "ef 01 ff ff ff ff 07 00 03 00 00 0a"


@given(st.lists(PACKETS, max_size=6), st.lists(st.integers(0, 5000), max_size=12))
def test_packets_are_found_however_the_bytes_are_cut(
    packets: list[Packet], cuts: list[int]
) -> None:
    stream, found = PacketStream(), []
    for piece in in_pieces(b"".join(packet.encode() for packet in packets), cuts):
        stream.receive(piece)
        found += taken(stream)
    assert found == packets
    assert stream.pending == 0


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([START, b"\xef", START + b"\xff" * 4, START + b"\xff" * 4 + b"\x07"]),
            PACKETS.map(Packet.encode),
        ),
        max_size=8,
    ).map(b"".join),
    st.lists(st.integers(0, 5000), max_size=6),
)
def test_any_bytes_end_as_packets_or_as_counted_damage(octets: bytes, cuts: list[int]) -> None:
    stream, found = PacketStream(), []
    for piece in in_pieces(octets, cuts):
        stream.receive(piece)
        found += taken(stream)
    counted = sum(one.count if isinstance(one, Damage) else len(one.encode()) for one in found)
    assert counted + stream.pending == len(octets)
    assert stream.pending <= MAX_DATA + 11


def test_ten_thousand_streams_of_damaged_packets_end_as_packets_or_as_counted_damage() -> None:
    random = np.random.default_rng(10_000)
    for _ in range(10_000):
        octets = bytearray()
        for _ in range(int(random.integers(1, 4))):
            data = random.bytes(int(random.integers(0, 40)))
            octets += Packet(kind=list(Kind)[int(random.integers(4))], data=data).encode()
        for place in random.integers(0, len(octets), int(random.integers(0, 6))).tolist():
            octets[place] = int(random.integers(256))
        del octets[int(random.integers(0, len(octets) + 1)) :]
        stream = PacketStream()
        stream.receive(bytes(octets))
        found = taken(stream)
        counted = sum(one.count if isinstance(one, Damage) else len(one.encode()) for one in found)
        assert counted + stream.pending == len(octets)


@given(PACKETS, st.integers(0, 400), st.integers(1, 255))
def test_a_damaged_byte_costs_no_packet_but_its_own(packet: Packet, place: int, flip: int) -> None:
    octets = bytearray(packet.encode())
    octets[place % len(octets)] ^= flip
    stream = PacketStream()
    stream.receive(bytes(octets) + OK.encode() * 30)
    found = taken(stream)
    assert found.count(OK) == 30
    assert sum(isinstance(one, Damage) for one in found) >= 1


@given(PACKETS, st.integers(0, 400))
def test_a_lost_byte_costs_no_packet_but_its_own(packet: Packet, place: int) -> None:
    octets = bytearray(packet.encode())
    del octets[place % len(octets)]
    stream = PacketStream()
    stream.receive(bytes(octets) + OK.encode() * 30)
    # The short packet may take the next one's start byte for its own last one.
    assert taken(stream).count(OK) >= 29


def test_a_packet_for_another_module_is_not_ours() -> None:
    stream = PacketStream(address=0x01020304)
    stream.receive(OK.encode() + Packet(kind=Kind.ACK, data=b"\0", address=0x01020304).encode())
    found = taken(stream)
    assert found[0] == Damage(fault=Fault.ADDRESS, count=2)
    assert [one for one in found if isinstance(one, Packet)] == [
        Packet(kind=Kind.ACK, data=b"\0", address=0x01020304)
    ]


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        ("ef01ffffffff05000300", Fault.KIND),
        ("ef01ffffffff07000100", Fault.LENGTH),
        ("ef01ffffffff07ffff00", Fault.LENGTH),
        ("ef01ffffffff070003000000", Fault.CHECKSUM),
        ("ef01fffffffe", Fault.ADDRESS),
        ("00112233", Fault.NOISE),
    ],
)
def test_what_is_wrong_is_said_as_soon_as_it_is_seen(head: str, fault: Fault) -> None:
    stream = PacketStream()
    stream.receive(bytes.fromhex(head))
    first = stream.next()
    assert isinstance(first, Damage)
    assert first.fault is fault


def test_a_code_that_nobody_knows_stays_a_number() -> None:
    assert Code.of(0x02) is Code.NO_FINGER
    assert Code.of(0x77) == 0x77
    assert not isinstance(Code.of(0x77), Code)


@pytest.mark.parametrize("data", [b"x" * (MAX_DATA + 1), b"x" * 70000])
def test_more_data_than_a_packet_holds_is_not_sent(data: bytes) -> None:
    with pytest.raises(ValueError, match="bytes for address"):
        Packet(kind=Kind.DATA, data=data).encode()


@pytest.mark.parametrize(("payload", "size"), [(b"", 32), (b"x", 0), (b"x", MAX_DATA + 1)])
def test_nothing_is_not_split(payload: bytes, size: int) -> None:
    with pytest.raises(ValueError, match="in packets of"):
        split(payload, size)


@given(st.binary(min_size=1, max_size=2000), st.sampled_from(PACKET_SIZES))
def test_split_data_is_whole_and_only_its_last_packet_says_so(payload: bytes, size: int) -> None:
    parts = split(payload, size)
    assert b"".join(part.data for part in parts) == payload
    assert [part.kind for part in parts] == [Kind.DATA] * (len(parts) - 1) + [Kind.END]


@given(st.binary(max_size=60))
def test_hostile_answers_are_refused_or_make_sense(answer: bytes) -> None:
    try:
        parameters = Parameters.decode(answer)
    except ValueError:
        pass
    else:
        assert parameters.packet in PACKET_SIZES
        assert parameters.baud in BAUDS
        assert Parameters.decode(parameters.encode()) == parameters
    try:
        product = Product.decode(answer)
    except ValueError:
        pass
    else:
        assert 0 < product.width * product.height <= 1024 * 1024
        assert product.serial.isascii()


def test_a_pixel_is_four_bits_the_left_one_in_the_high_half() -> None:
    pixels = unpack_image(bytes([0x0F, 0xA5]), 1, 4)
    assert pixels.tolist() == [[0, 255, 170, 85]]
    assert pack_image(pixels) == bytes([0x0F, 0xA5])
    noise = np.random.default_rng(1).integers(0, 256, (288, 256)).astype(np.uint8)
    assert (unpack_image(pack_image(noise), 288, 256) == (noise >> 4) * 17).all()


@pytest.mark.parametrize("count", [0, 1, 36863, 36865])
def test_a_picture_of_the_wrong_size_is_none(count: int) -> None:
    with pytest.raises(ValueError, match="are not 288 x 256"):
        unpack_image(bytes(count), 288, 256)


def test_everybody_listens_to_the_factory_address() -> None:
    assert OK.address == EVERYBODY == 0xFFFFFFFF
