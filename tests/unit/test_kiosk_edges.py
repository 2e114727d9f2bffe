"""What comes to the kiosk from outside: codes, PINs, drawings, settings, the words it says."""

import json
import re
import resource
import threading
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from argon2 import PasswordHasher

from biometrics.capture import MissingReason
from biometrics.face.images import decode
from biometrics.finger.plan import Step, Touch
from hardware.camera.sitter import Behaviour
from hardware.errors import Unplugged
from hardware.finger.synthesis import Condition
from kiosk import scan, signature
from kiosk.actions import ACTIONS
from kiosk.journal import Journal
from kiosk.officers import REST, TRIES, TRIES_IN_ALL, Desk, NotIn
from kiosk.portrait import Lens, Watch
from kiosk.protocol import CardClaim, CheckIn, RosterOfficer
from kiosk.rehearsal import NotUnderstood, Role, code_picture, role_of
from kiosk.scan import Unread
from kiosk.screens import STEPS, Screen
from kiosk.settings import Settings, SettingsMissing
from kiosk.signature import NotSigned
from kiosk.standing import Phase, Standing
from kiosk.telling import telling
from kiosk.words import FILES, words
from tests.kiosk_stage import GOOD, FakeCamera, drawing, until

CARD = "001190012345|012345678|Nguyễn Thị Giả Định|05091990|Nữ|Phường Giả Định, Hà Nội|01012022"
CLAIM = CheckIn(card=CardClaim(personal_number="001190012345", birth_date=date(1990, 9, 5)))
TEMPLATES = Path(str(files("kiosk").joinpath("web", "templates")))


# Codes


@pytest.mark.parametrize("fields", [6, 7, 9])
def test_a_card_with_six_seven_or_nine_fields_is_understood(fields: int) -> None:
    text = "|".join([*CARD.split("|"), "cha", "mẹ"][:fields])
    assert scan.understand(text) == CLAIM
    picture = np.repeat(code_picture(text)[:, :, None], 3, axis=2)
    assert scan.look(picture) == text


@pytest.mark.parametrize(
    "text",
    [
        "|".join(CARD.split("|")[:5]),
        CARD.replace("05091990", "31021990"),
        CARD.replace("05091990", "050990"),
        CARD.replace("05091990", "٠٥٠٩١٩٩٠"),
        CARD.replace("001190012345", "00119001234"),
        "|||||||",
    ],
)
def test_a_broken_card_is_told_apart_from_a_foreign_code(text: str) -> None:
    assert scan.understand(text) is Unread.CARD_BROKEN


@pytest.mark.parametrize("text", ["", "https://example.vn", "x" * 9000, "\0", "ABCD2345EFGHT"])
def test_a_code_that_is_neither_ticket_nor_card_is_foreign(text: str) -> None:
    assert scan.understand(text) is Unread.FOREIGN


@pytest.mark.parametrize("text", ["THUNHAN:1:", "THUNHAN:1:ABCD", "thunhan:1:" + "A" * 14])
def test_a_torn_ticket_says_so(text: str) -> None:
    assert scan.understand(text) is Unread.TICKET_BROKEN


@pytest.mark.parametrize("text", ["ABCD-2345-EFGH-T", "abcd2345efgh t", "THUNHAN:1:ABCD2345EFGHT"])
def test_a_ticket_is_read_however_it_is_written(text: str) -> None:
    assert scan.ticket(text) == "ABCD2345EFGHT"


def test_an_empty_picture_holds_no_code() -> None:
    assert scan.look(np.zeros((720, 1280, 3), np.uint8)) is None
    assert scan.look(GOOD) is None


# Officers


@pytest.fixture(scope="module")
def roster() -> tuple[RosterOfficer, ...]:
    hasher = PasswordHasher(time_cost=1, memory_cost=64)
    return tuple(
        RosterOfficer(officer=name, name=name, pin_hash=hasher.hash(f"pin {name}"))
        for name in ("cb01", "cb02")
    )


@pytest.fixture
def desk(roster: tuple[RosterOfficer, ...]) -> Desk:
    return Desk(lambda: roster)


def test_the_right_pin_lets_its_officer_in_and_nobody_else(desk: Desk) -> None:
    found = desk.sign_in(" CB01 ", "pin cb01", at=0)
    assert not isinstance(found, NotIn)
    assert found.officer == "cb01"
    for officer, pin in (
        ("cb02", "pin cb01"),
        ("cb09", "pin cb01"),
        ("", ""),
        ("cb01", "x" * 9999),
    ):
        assert desk.sign_in(officer, pin, at=0) is NotIn.WRONG


def test_too_many_wrong_pins_lock_one_officer_for_a_while(desk: Desk) -> None:
    for second in range(TRIES):
        assert desk.sign_in("cb01", "wrong", at=second) is NotIn.WRONG
    assert desk.sign_in("cb01", "pin cb01", at=TRIES) is NotIn.LOCKED
    assert not isinstance(desk.sign_in("cb02", "pin cb02", at=TRIES), NotIn)
    assert not isinstance(desk.sign_in("cb01", "pin cb01", at=TRIES + REST), NotIn)


def test_guessing_over_many_names_locks_them_all(desk: Desk) -> None:
    said = [desk.sign_in(f"cb{n:02}", "wrong", at=0) for n in range(3, 3 + TRIES)]
    said += [desk.sign_in("cb01", "wrong", at=0) for _ in range(TRIES)]
    said += [desk.sign_in("cb02", "wrong", at=0) for _ in range(TRIES)]
    assert len(said) == TRIES_IN_ALL
    assert desk.sign_in("cb02", "pin cb02", at=1) is NotIn.LOCKED
    assert desk.sign_in("cb01", "pin cb01", at=1) is NotIn.LOCKED


# Drawings


def test_a_signature_is_kept_small_grey_and_without_what_came_with_it() -> None:
    found = signature.read(drawing(1600, 640))
    assert not isinstance(found, NotSigned)
    pixels = decode(found.image)
    assert pixels.shape == (320, 800, 3)
    assert (pixels < 128).any()
    assert len(found.image) < 64 * 1024


def test_a_dot_a_blot_and_a_small_scratch_are_no_signature() -> None:
    assert signature.read(drawing(ink=False)) is NotSigned.EMPTY
    assert signature.read("") is NotSigned.EMPTY


def test_the_officers_word_for_a_signature_names_them() -> None:
    pixels = decode(signature.attested("cb01", "24/11/2026").image)
    assert (pixels == 0).any()


# The camera's threads


@pytest.fixture
def camera() -> FakeCamera:
    return FakeCamera()


@pytest.fixture
def told() -> list[bool]:
    return []


@pytest.fixture
def lens(camera: FakeCamera, told: list[bool]) -> Iterator[Lens]:
    made = Lens(lambda: camera, told.append)
    made.start()
    yield made
    camera.frames.put(Unplugged("the test is over"))
    made.stop()


def test_a_camera_that_comes_back_is_read_again_and_shows_nothing_old(
    lens: Lens, camera: FakeCamera, told: list[bool]
) -> None:
    camera.frames.put(GOOD)
    until(lambda: told == [True])
    assert lens.newest(0) is not None
    camera.frames.put(Unplugged("pulled"))
    until(lambda: told == [True, False])
    assert lens.newest(0) is None
    camera.frames.get()  # what close() left
    camera.frames.put(GOOD)
    until(lambda: told == [True, False, True])


def test_two_viewers_are_shown_one_encoded_picture(lens: Lens, camera: FakeCamera) -> None:
    camera.frames.put(GOOD)
    until(lambda: lens.newest(0) is not None)
    first, second = (next(lens.jpegs(while_=lambda: True)) for _ in range(2))
    assert first is second
    assert decode(first).shape == GOOD.shape


def test_a_frame_nobody_foresaw_does_not_blind_the_kiosk(lens: Lens, camera: FakeCamera) -> None:
    seen = threading.Event()
    calls: list[int] = []

    def eye(pixels: object) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError(type(pixels))
        seen.set()

    watch = Watch(lens)
    watch.use(eye)
    watch.start()
    camera.frames.put(GOOD)
    until(lambda: calls)
    camera.frames.put(GOOD)
    assert seen.wait(20)
    watch.stop()


# Rehearsals


def test_a_role_keeps_what_is_not_said_anew() -> None:
    role = role_of({"person": "9", "behaviour": "dark", "ticket": "X"}, Role())
    role = role_of({"finger": "3", "condition": "dry"}, role)
    assert (role.person, role.behaviour, role.code) == (9, Behaviour.DARK, "X")
    assert (role.finger, role.condition) == (3, Condition.DRY)
    assert role_of({"finger": "asked", "ticket": ""}, role).finger is None


@pytest.mark.parametrize(
    "values",
    [
        {"person": "-1"},
        {"person": "9" * 12},
        {"behaviour": "dance"},
        {"condition": "burnt"},
        {"finger": "11"},
        {"finger": "x"},
        {"ticket": "x" * 401},
    ],
)
def test_a_role_nobody_can_play_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(NotUnderstood):
        role_of(values, Role())


# Settings and journal


def test_settings_that_are_none_name_the_variable(tmp_path: Path) -> None:
    good = {"THUNHAN_KIOSK_SERVER": "http://x", "THUNHAN_KIOSK_DATA": str(tmp_path)}
    assert Settings.from_environment(good).port == 8101
    for name, wrong in (
        ("PORT", "0"),
        ("CAMERA", "eye"),
        ("READER", "tty"),
        ("IDLE_SECONDS", "-1"),
    ):
        with pytest.raises(SettingsMissing, match=name.lower()):
            Settings.from_environment({**good, f"THUNHAN_KIOSK_{name}": wrong})


def test_the_journal_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "visit.journal")
    assert journal.read() == []
    journal.erase()
    journal.write({"a": 1})
    journal.write({"b": "Đ"})
    assert journal.read() == [{"a": 1}, {"b": "Đ"}]
    assert (tmp_path / "visit.journal").stat().st_mode & 0o777 == 0o600


def test_a_line_that_fits_the_disk_only_in_part_is_refused_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "visit.journal")
    journal.write({"a": 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        with pytest.raises(OSError, match="fit"):
            journal.write({"b": "x" * 100})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    journal.write({"c": 3})
    assert journal.read() == [{"a": 1}, {"c": 3}]


# Words


def test_no_sentence_is_said_twice_and_every_one_is_in_both_languages() -> None:
    keys = [
        key
        for name in FILES
        for key in json.loads(files("kiosk").joinpath("texts", name).read_text(encoding="utf-8"))
    ]
    assert len(keys) == len(set(keys)) == len(list(words()))
    for key in words():
        places = [set(re.findall(r"{(\w+)}", text)) for text in (words()[key].vi, words()[key].en)]
        assert places[0] == places[1], key


def test_every_sentence_the_kiosk_may_ask_for_is_there() -> None:
    asked = {f"title.{screen}" for screen in Screen}
    asked |= {f"step.{step}" for step in STEPS}
    asked |= {f"reason.{reason}" for reason in MissingReason}
    asked |= {f"scan.{one}" for one in Unread} | {f"pin.{one}" for one in NotIn}
    asked |= {f"sign.{one}" for one in NotSigned}
    asked |= {f"behaviour.{one}" for one in Behaviour} | {f"condition.{one}" for one in Condition}
    asked |= {f"name.{n}" for n in range(1, 11)} | {f"short.{n}" for n in range(1, 6)}
    asked |= {f"farewell.{one}" for one in ("gave_up", "refused", "not_me", "timed_out", "officer")}
    sources = [*TEMPLATES.rglob("*.html"), *Path(str(files("kiosk"))).rglob("*.py")]
    # The examination's page has words of its own.
    for source in (one for one in sources if "doctor" not in f"{one.parent.name}/{one.name}"):
        text = source.read_text(encoding="utf-8")
        asked |= set(re.findall(r'\bt\("([a-z_.0-9]+)"[,)]', text))
        asked |= set(re.findall(r"""\bt\('([a-z_.0-9]+)'[,)]""", text))
        asked |= set(re.findall(r'words\(\)\["([a-z_.0-9]+)"\]', text))
    assert {key for key in asked if key not in words()} == set()
    assert len(asked) > 150


def test_every_button_of_the_pages_is_an_action_and_every_action_has_a_button() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html"))
    text += files("kiosk").joinpath("web", "static", "kiosk.js").read_text(encoding="utf-8")
    used = set(re.findall(r'press\(now\.step, "(\w+)"', text))
    used |= set(re.findall(r'/press/(\w+)"', text)) | set(re.findall(r'post\("(\w+)"', text))
    assert used == set(ACTIONS)


@pytest.mark.parametrize("touch", Touch)
def test_every_phase_of_a_touch_says_something(touch: Touch) -> None:
    wanted = Step(positions=(1,), touch=touch)
    for phase in Phase:
        told = telling(Standing(plan=(1,), wanted=wanted, phase=phase))
        assert told.text.vi
        assert told.text.en
