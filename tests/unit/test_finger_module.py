"""The simulated module's inside: every instruction, hostile commands, matching that matches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.finger import module_matcher
from hardware.finger.commands import PARAMETER_BAUD, PARAMETER_PACKET, Parameters, pack_image
from hardware.finger.hand import SimulatedHand
from hardware.finger.module_core import ModuleCore
from hardware.finger.packets import MAX_DATA, Code, Instruction, Kind, Packet, split
from hardware.finger.synthesis import Condition, Finger

FINGERS = [Finger(seed) for seed in range(200, 208)]


def told(core: ModuleCore, *octets: int) -> tuple[int, bytes]:
    """Return code and payload of the acknowledgement, and forget data packets."""
    answer = core.take(Packet(kind=Kind.COMMAND, data=bytes(octets)))
    assert answer[0].kind is Kind.ACK
    return answer[0].data[0], answer[0].data[1:]


def read_data(core: ModuleCore, *octets: int) -> bytes:
    answer = core.take(Packet(kind=Kind.COMMAND, data=bytes(octets)))
    assert answer[0].data == bytes([Code.OK])
    assert [part.kind for part in answer[1:-1]] == [Kind.DATA] * (len(answer) - 2)
    assert answer[-1].kind is Kind.END
    return b"".join(part.data for part in answer[1:])


def send_data(core: ModuleCore, payload: bytes) -> None:
    for part in split(payload, core.parameters.packet):
        assert core.take(part) == []


def pressed(core: ModuleCore, finger: Finger, touch: int, buffer: int = 1) -> None:
    core.glass = finger.impression(touch)
    assert told(core, Instruction.GET_IMAGE) == (Code.OK, b"")
    assert told(core, Instruction.IMAGE_TO_FEATURES, buffer) == (Code.OK, b"")


def enrolled(core: ModuleCore, finger: Finger, page: int) -> None:
    pressed(core, finger, 1, 1)
    pressed(core, finger, 2, 2)
    assert told(core, Instruction.MAKE_MODEL) == (Code.OK, b"")
    assert told(core, Instruction.STORE, 1, 0, page) == (Code.OK, b"")


@given(st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=MAX_DATA)), max_size=8))
def test_no_packet_brings_a_module_down(packets: list[tuple[Kind, bytes]]) -> None:
    core = ModuleCore()
    for kind, data in packets:
        for answer in core.take(Packet(kind=kind, data=data)):
            assert len(answer.encode()) == len(answer.data) + 11


@given(st.sampled_from(Instruction), st.binary(max_size=40))
def test_no_arguments_bring_a_module_down(instruction: Instruction, arguments: bytes) -> None:
    core = ModuleCore()
    core.glass = np.full((288, 256), 200, np.uint8)
    answer = core.take(Packet(kind=Kind.COMMAND, data=bytes([instruction]) + arguments))
    assert answer[0].kind is Kind.ACK


@given(st.binary(min_size=512, max_size=512), st.binary(max_size=600))
def test_no_template_brings_the_matching_down(first: bytes, second: bytes) -> None:
    assert 0 <= module_matcher.compare(first, second) <= 300
    marked = bytes([0x54, 20]) + first[2:]
    assert 0 <= module_matcher.compare(marked, marked) <= 300


@pytest.mark.parametrize("instruction", Instruction)
def test_every_instruction_is_answered_and_never_as_unknown(instruction: Instruction) -> None:
    lengths = (0, 1, 2, 3, 4, 5, 33)
    codes = {told(ModuleCore(), instruction, *bytes(length))[0] for length in lengths}
    assert Code.RECEIVE_ERROR in codes
    assert codes - {Code.RECEIVE_ERROR}
    if instruction not in {Instruction.READ_PRODUCT, Instruction.AURA_LED}:
        assert Code.UNDEFINED not in codes


def test_an_instruction_nobody_knows_is_refused() -> None:
    assert told(ModuleCore(), 0xEE) == (Code.UNDEFINED, b"")


@pytest.mark.parametrize(
    ("octets", "length"),
    [
        ((Instruction.VERIFY_PASSWORD, 0, 0, 0, 0), 12),
        ((Instruction.MATCH,), 14),
        ((Instruction.COUNT,), 14),
        ((Instruction.SEARCH, 1, 0, 0, 3, 0xE8), 16),
        ((Instruction.FAST_SEARCH, 1, 0, 0, 3, 0xE8), 16),
        ((Instruction.READ_PARAMETERS,), 28),
        ((Instruction.READ_INDEX, 0), 44),
        ((Instruction.RANDOM_CODE,), 16),
        ((Instruction.READ_NOTEPAD, 0), 44),
    ],
)
def test_answers_have_the_length_that_clients_wait_for(
    octets: tuple[int, ...], length: int
) -> None:
    answer = ModuleCore().take(Packet(kind=Kind.COMMAND, data=bytes(octets)))
    assert [len(part.encode()) for part in answer] == [length]


def test_a_module_with_a_password_does_nothing_before_it() -> None:
    core = ModuleCore(password=7)
    assert told(core, Instruction.READ_PARAMETERS)[0] == Code.PASSWORD_NEEDED
    assert told(core, Instruction.VERIFY_PASSWORD, 0, 0, 0, 8)[0] == Code.WRONG_PASSWORD
    assert told(core, Instruction.COUNT)[0] == Code.PASSWORD_NEEDED
    assert told(core, Instruction.VERIFY_PASSWORD, 0, 0, 0, 7)[0] == Code.OK
    assert told(core, Instruction.COUNT) == (Code.OK, b"\0\0")
    assert told(core, Instruction.SOFT_RESET)[0] == Code.OK
    assert told(core, Instruction.COUNT)[0] == Code.PASSWORD_NEEDED


def test_settings_are_kept_and_wrong_ones_refused() -> None:
    core = ModuleCore()
    assert told(core, Instruction.SET_PARAMETER, PARAMETER_BAUD, 12)[0] == Code.OK
    assert told(core, Instruction.SET_PARAMETER, PARAMETER_PACKET, 3)[0] == Code.OK
    assert told(core, Instruction.SET_PARAMETER, PARAMETER_BAUD, 13)[0] == Code.WRONG_VALUE
    assert told(core, Instruction.SET_PARAMETER, 9, 1)[0] == Code.WRONG_REGISTER
    told(core, Instruction.SOFT_RESET)
    read = Parameters.decode(told(core, Instruction.READ_PARAMETERS)[1])
    assert (read.baud, read.packet) == (115200, 256)


def test_a_new_address_stands_in_the_answer_to_it() -> None:
    core = ModuleCore()
    answer = core.take(Packet(kind=Kind.COMMAND, data=bytes([Instruction.SET_ADDRESS, 1, 2, 3, 4])))
    assert answer[0].address == 0x01020304


def test_a_notepad_keeps_its_pages() -> None:
    core = ModuleCore()
    assert told(core, Instruction.WRITE_NOTEPAD, 15, *range(32))[0] == Code.OK
    assert told(core, Instruction.READ_NOTEPAD, 15) == (Code.OK, bytes(range(32)))
    assert told(core, Instruction.READ_NOTEPAD, 14) == (Code.OK, bytes(32))
    assert told(core, Instruction.READ_NOTEPAD, 16)[0] == Code.WRONG_NOTEPAD_PAGE


def test_an_image_goes_up_and_down_unchanged() -> None:
    core, other = ModuleCore(), ModuleCore()
    assert told(core, Instruction.UP_IMAGE)[0] == Code.IMAGE_NOT_SENT
    shown = FINGERS[0].impression(1)
    core.glass = shown
    told(core, Instruction.GET_IMAGE)
    image = read_data(core, Instruction.UP_IMAGE)
    assert image == pack_image(shown)
    assert told(other, Instruction.DOWN_IMAGE)[0] == Code.OK
    send_data(other, image)
    assert read_data(other, Instruction.UP_IMAGE) == image


def test_features_go_up_and_down_and_still_match() -> None:
    core, other = ModuleCore(), ModuleCore()
    assert told(core, Instruction.UP_FEATURES, 1)[0] == Code.FEATURES_NOT_SENT
    pressed(core, FINGERS[0], 1)
    features = read_data(core, Instruction.UP_FEATURES, 1)
    assert len(features) == 512
    assert told(other, Instruction.DOWN_FEATURES, 2)[0] == Code.OK
    send_data(other, features)
    pressed(other, FINGERS[0], 2, 1)
    code, score = told(other, Instruction.MATCH)
    assert code == Code.OK
    assert int.from_bytes(score, "big") > 0


def test_a_command_within_data_ends_the_data() -> None:
    core = ModuleCore()
    told(core, Instruction.DOWN_FEATURES, 1)
    core.take(Packet(kind=Kind.DATA, data=bytes(128)))
    assert told(core, Instruction.COUNT)[0] == Code.OK
    assert core.take(Packet(kind=Kind.END, data=bytes(128))) == []
    assert told(core, Instruction.UP_FEATURES, 1)[0] == Code.FEATURES_NOT_SENT


def test_endless_data_ends() -> None:
    core = ModuleCore()
    told(core, Instruction.DOWN_IMAGE)
    for _ in range(2000):
        core.take(Packet(kind=Kind.DATA, data=bytes(MAX_DATA)))
    assert len(read_data(core, Instruction.UP_IMAGE)) == 36864


def test_the_library_is_counted_listed_and_emptied() -> None:
    core = ModuleCore()
    pressed(core, FINGERS[0], 1)
    for page in (0, 9, 300):
        assert told(core, Instruction.STORE, 1, *page.to_bytes(2, "big"))[0] == Code.OK
    assert told(core, Instruction.STORE, 1, 3, 0xE8)[0] == Code.PAGE_OUT_OF_RANGE
    assert told(core, Instruction.COUNT)[1] == b"\0\3"
    assert told(core, Instruction.READ_INDEX, 0)[1][:2] == b"\x01\x02"
    assert told(core, Instruction.READ_INDEX, 1)[1][5] == 1 << 4
    assert told(core, Instruction.LOAD, 2, 0, 9)[0] == Code.OK
    assert told(core, Instruction.LOAD, 2, 0, 8)[0] == Code.TEMPLATE_UNREADABLE
    assert told(core, Instruction.DELETE, 0, 9, 0, 1)[0] == Code.OK
    assert told(core, Instruction.DELETE, 3, 0xE0, 1, 0)[0] == Code.NOT_DELETED
    assert told(core, Instruction.COUNT)[1] == b"\0\2"
    assert told(core, Instruction.EMPTY)[0] == Code.OK
    assert told(core, Instruction.COUNT)[1] == b"\0\0"


def test_enrolled_fingers_are_found_and_no_other() -> None:
    core = ModuleCore()
    for page, finger in enumerate(FINGERS[:3]):
        enrolled(core, finger, page)
    for page, finger in enumerate(FINGERS[:3]):
        pressed(core, finger, 7)
        code, found = told(core, Instruction.SEARCH, 1, 0, 0, 3, 0xE8)
        assert code == Code.OK
        assert int.from_bytes(found[:2], "big") == page
    pressed(core, FINGERS[3], 7)
    assert told(core, Instruction.SEARCH, 1, 0, 0, 3, 0xE8) == (Code.NOT_FOUND, bytes(4))
    pressed(core, FINGERS[1], 8)
    assert told(core, Instruction.SEARCH, 1, 0, 2, 3, 0xE6) == (Code.NOT_FOUND, bytes(4))


def test_two_fingers_do_not_make_one_model() -> None:
    core = ModuleCore()
    pressed(core, FINGERS[0], 1, 1)
    pressed(core, FINGERS[1], 1, 2)
    assert told(core, Instruction.MAKE_MODEL)[0] == Code.NOT_ONE_FINGER
    assert told(core, Instruction.MATCH) == (Code.NO_MATCH, b"\0\0")


def test_mates_score_above_strangers_with_a_gap_between() -> None:
    def template(finger: Finger, touch: int, condition: Condition) -> bytes:
        return module_matcher.encode(
            module_matcher.extract(finger.impression(touch, condition)).points
        )

    first = [template(finger, 1, Condition.WELL) for finger in FINGERS]
    for condition in (Condition.WELL, Condition.TURNED, Condition.HARD):
        second = [template(finger, 2, condition) for finger in FINGERS]
        scores = np.array([[module_matcher.compare(a, b) for b in second] for a in first])
        same = np.eye(len(FINGERS), dtype=bool)
        assert scores[same].min() > scores[~same].max() + 15, condition


def test_ten_fingers_of_a_hand_are_ten_fingers() -> None:
    hand = SimulatedHand(11)
    again = SimulatedHand(11)
    seeds = {hand.finger(position).seed for position in range(1, 11)}
    assert len(seeds) == 10
    assert seeds == {again.finger(position).seed for position in range(1, 11)}
    assert seeds.isdisjoint(SimulatedHand(12).finger(position).seed for position in range(1, 11))


@pytest.mark.parametrize("position", [0, 11, -3])
def test_there_is_no_eleventh_finger(position: int) -> None:
    with pytest.raises(ValueError, match=r"1\.\.10"):
        SimulatedHand(1).finger(position)
