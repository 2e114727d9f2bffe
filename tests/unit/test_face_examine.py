"""A photo from home gets the kiosk's verdict, from a process that hostile pictures cannot leave."""

import json
import threading
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from biometrics.face import examine as home
from biometrics.face.containers import ImageRefused, Reason
from biometrics.face.examine import FEW_PIXELS, MENDABLE, Examined, Subject, examine
from biometrics.face.hints import PortraitHint
from biometrics.sandbox.room import JobEnded, Room
from biometrics.sandbox.wire import Limits, Report
from tests.bombs import BOMBS, Bomb, after_start, exif, progressive, segment
from tests.faces import frame, jpeg, judge, png

Pixels = NDArray[np.uint8]
MEGA = 1_000_000


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    home.room().close()


@pytest.fixture
def portrait() -> Pixels:
    """The simulated sitter at 1280 x 720, as a kiosk accepts it."""
    return frame(1)


def _on_a_wall(pixels: Pixels, height: int, width: int, top: int, left: int) -> Pixels:
    """The picture on a larger sheet of its own wall's colour."""
    sheet = np.empty((height, width, 3), np.uint8)
    sheet[:] = np.median(pixels[:40, :200].reshape(-1, 3), axis=0)
    sheet[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return sheet


def test_a_photo_gets_the_verdict_of_the_kiosk_s_own_judge(portrait: Pixels) -> None:
    seen = examine(png(portrait))
    theirs = judge().judge(portrait)
    assert seen.ok
    assert theirs.ok
    assert {f.name for f in seen.findings} == {f.name for f in theirs.findings}
    assert seen.profile_sha256 == theirs.profile.sha256
    assert (seen.width, seen.height) == (1280, 720)
    assert seen.mend == ()
    assert set(seen.good) >= {Subject.PERSON, Subject.POSE, Subject.EYES}


def test_the_preview_is_a_small_jpeg_without_metadata(portrait: Pixels) -> None:
    preview = examine(png(portrait)).preview
    assert preview is not None
    assert len(preview) < 150_000
    assert b"Exif" not in preview
    shown = cv2.imdecode(np.frombuffer(preview, np.uint8), cv2.IMREAD_UNCHANGED)
    assert shown is not None
    assert shown.shape == (600, 450, 3)


def test_nothing_of_where_a_photo_was_taken_comes_back(portrait: Pixels) -> None:
    place = b"21.0278N 105.8342E"
    data = after_start(jpeg(portrait), segment(0xE1, b"Exif\0\0" + place))
    seen = examine(data)
    assert seen.preview is not None
    assert place not in seen.preview
    assert "105.8342" not in repr(seen)


def test_a_photo_that_lies_on_its_side_is_judged_upright(portrait: Pixels) -> None:
    turned = np.asarray(cv2.rotate(portrait, cv2.ROTATE_90_COUNTERCLOCKWISE), np.uint8)
    assert {"head_straight", "no_face"} & set(examine(jpeg(turned)).mend)
    seen = examine(after_start(jpeg(turned), exif(6)))
    assert seen.ok
    assert (seen.width, seen.height) == (1280, 720)


def test_standing_beside_the_middle_of_a_wide_photo_does_not_matter(portrait: Pixels) -> None:
    wide = _on_a_wall(portrait, 1000, 2600, 140, 40)
    assert judge().judge(wide).ok is False
    assert examine(png(wide)).mend == ()


def test_a_face_at_the_edge_where_the_crop_does_not_fit_is_told(portrait: Pixels) -> None:
    face = judge().judge(portrait).face
    assert face is not None
    x = int(face.between_eyes[0])
    cut = portrait[:, x - round(1.1 * face.eye_distance) :]
    assert set(examine(png(np.ascontiguousarray(cut))).mend) & {"left", "right", "farther"}


def test_a_face_that_fills_the_photo_is_told_once_to_step_back(portrait: Pixels) -> None:
    face = judge().judge(portrait).face
    assert face is not None
    x, y = (int(v) for v in face.between_eyes)
    t = int(face.eye_to_chin)
    near = portrait[max(0, y - t) : y + round(1.3 * t), x - t : x + t]
    near = np.asarray(cv2.resize(near, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), np.uint8)
    mend = examine(png(near)).mend
    assert "farther" in mend
    assert not {"left", "right", "up", "down"} & set(mend)


def test_too_few_pixels_and_too_far_away_are_told_apart(portrait: Pixels) -> None:
    small = np.asarray(cv2.resize(portrait, (480, 270), interpolation=cv2.INTER_AREA), np.uint8)
    assert examine(png(small)).mend[0] == FEW_PIXELS
    far = _on_a_wall(small, 1200, 1600, 500, 500)
    assert examine(png(far)).mend[0] == PortraitHint.CLOSER


def test_a_photo_of_nobody_is_told_so_and_nothing_else_is_called_good() -> None:
    seen = examine(jpeg(np.full((900, 700, 3), 200, np.uint8)))
    assert seen.mend == ("no_face",)
    assert seen.hint is PortraitHint.NO_FACE
    assert seen.reason == "FacePresence"
    assert (seen.good, seen.unsure, seen.preview) == ((), (), None)


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda b: b.name)
def test_a_bomb_is_refused_or_disarmed_and_the_next_photo_is_read(
    bomb: Bomb, portrait: Pixels
) -> None:
    if bomb.said is None:
        assert examine(bomb.data).mend
    else:
        with pytest.raises(ImageRefused) as caught:
            examine(bomb.data)
        assert caught.value.reason is bomb.said
    assert examine(png(portrait)).ok


@pytest.mark.parametrize(
    "bomb",
    [b for b in BOMBS if 0 < len(b.data) < home.MAX_BYTES],
    ids=lambda b: b.name,
)
def test_a_bomb_takes_no_more_than_its_share(bomb: Bomb) -> None:
    """Measured in the child itself, whatever the parent would have sent away before."""
    report: Report | None
    try:
        report = home.room().run(bomb.data, "can-cuoc").report
    except JobEnded as error:
        report = error.report
    assert report is not None
    assert report.peak < 300 * MEGA
    assert report.cpu_seconds < 2


def test_a_picture_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Room("biometrics.face.examination:prepare", limits=Limits(cpu_seconds=0.05))
    monkeypatch.setattr(home, "room", lambda: quick)
    with quick, pytest.raises(ImageRefused) as caught:
        examine(progressive(3800, 3800, sampling=0x111111))
    assert caught.value.reason is Reason.TOO_HEAVY


def test_photos_are_examined_from_many_threads_at_once(portrait: Pixels) -> None:
    data, results = png(portrait), list[Examined]()
    threads = [threading.Thread(target=lambda: results.append(examine(data))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [seen.ok for seen in results] == [True] * 4
    assert len({seen.findings for seen in results}) == 1


def _good_answer(portrait: Pixels) -> tuple[dict[str, Any], bytes]:
    answer = home.room().run(png(portrait), "can-cuoc")
    return json.loads(json.dumps(answer.said)), answer.beside


def _finding(**changed: object) -> Callable[[dict[str, Any]], None]:
    return lambda said: said["findings"][0].update(changed)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda said: said.clear(), id="nothing"),
        pytest.param(lambda said: said.update(refused="a reason of its own"), id="reason"),
        pytest.param(lambda said: said.update(findings={}), id="findings"),
        pytest.param(lambda said: said.update(findings=said["findings"] * 30), id="too many"),
        pytest.param(lambda said: said.update(mend=["<script>"]), id="hint"),
        pytest.param(lambda said: said.update(mend=[["a"]]), id="nested hint"),
        pytest.param(lambda said: said.update(good=["everything"]), id="subject"),
        pytest.param(lambda said: said.update(width="wide"), id="width"),
        pytest.param(lambda said: said.update(profile="p" * 200), id="long name"),
        pytest.param(_finding(native=float("inf")), id="infinite"),
        pytest.param(_finding(passed="yes"), id="passed"),
        pytest.param(_finding(hint="anything"), id="finding's hint"),
        pytest.param(_finding(score=-1), id="score"),
        pytest.param(_finding(name=7), id="name"),
    ],
)
def test_an_answer_of_a_job_that_was_taken_over_is_not_believed(
    portrait: Pixels, spoil: Callable[[dict[str, Any]], None]
) -> None:
    said, preview = _good_answer(portrait)
    home._understood(said, preview)
    spoil(said)
    with pytest.raises((KeyError, TypeError, ValueError)):
        home._understood(said, preview)


@pytest.mark.parametrize("preview", [b"<svg onload=alert(1)>", b"\xff\xd8\xff" + bytes(250_000)])
def test_a_preview_that_is_no_small_jpeg_is_not_believed(portrait: Pixels, preview: bytes) -> None:
    said, _ = _good_answer(portrait)
    with pytest.raises(ValueError, match="preview"):
        home._understood(said, preview)


def test_everything_that_can_be_said_has_words() -> None:
    needed = {
        *(f"photo.mend.{key}" for key in MENDABLE),
        *(f"photo.good.{subject.value}" for subject in Subject),
        *(f"photo.unsure.{subject.value}" for subject in Subject),
        *(f"photo.refused.{reason.value}" for reason in Reason),
    }
    assert set(home.words()) == needed
    for key in needed:
        said = home.words()[key]
        assert said.vi == unicodedata.normalize("NFC", said.vi), key
    assert set(home.SUBJECT_OF) == MENDABLE


@pytest.mark.parametrize("folder", ["portraits", "degraded"])
def test_the_first_thing_to_mend_is_the_kiosk_s_own(shared: Path, folder: str) -> None:
    """Photos of one size with the head where the crop fits: the cut must not change a verdict."""
    paths = sorted((shared / "data" / "faces" / folder).glob("*.jpg"))[::18]
    same = 0
    for path in paths:
        data = path.read_bytes()
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None
        theirs = judge().judge(np.asarray(pixels, np.uint8))
        same += examine(data).ok == theirs.ok
    assert len(paths) >= 3
    assert same >= 0.9 * len(paths) - 1


def test_a_fault_of_ours_is_told_to_whoever_keeps_the_log(
    portrait: Pixels, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ImageRefused) as caught:
        examine(png(portrait), "no-such-profile")
    assert caught.value.reason is Reason.BROKEN
    assert "KeyError" in caplog.text
