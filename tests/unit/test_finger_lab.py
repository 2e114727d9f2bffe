"""The lab of fingers: figures held to counting by hand, tables that lie, and a small whole run."""

import json
import os
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from biometrics.finger.lab.__main__ import BELOW, DONE, REFUSED, main
from biometrics.finger.lab.errors import Scores, by_quality, discarding
from biometrics.finger.lab.impressions import Entry, found
from biometrics.lab.sheet import SheetRefused
from hardware.finger.hand import SimulatedHand
from hardware.finger.synthesis import Condition


def scores(mates: list[float], strangers: list[float]) -> Scores:
    return Scores(
        mates=np.array(mates),
        mate_fingers=np.arange(len(mates)) % 2,
        strangers=np.array(strangers),
        stranger_fingers=np.tile([[0, 1]], (len(strangers), 1)),
        groups=["a", "a"],
    )


def test_errors_are_what_counting_gives() -> None:
    strangers = [float(at) for at in range(1, 101)]
    figures = scores([50.5, 99.5, 200.0, 300.0], strangers).figures
    # Only from 101 on is no stranger taken; at 1 % the highest stranger may be.
    assert figures["ZeroFMR"].value == 0.5
    assert figures["FMR100"].value == pytest.approx(0.25)
    # Between 75 and 76 a quarter of the mates is missed and a quarter of the strangers taken.
    assert figures["EER"].value == pytest.approx(0.25)
    assert figures["EER"].low <= 0.25 <= figures["EER"].high


def test_where_no_pair_is_wrong_the_interval_still_says_how_surely() -> None:
    figures = scores([5.0] * 100, [1.0] * 50).figures
    assert {figure.value for figure in figures.values()} == {0.0}
    # Wilson's upper end of 0 of 100.
    assert figures["EER"].high == pytest.approx(0.037, abs=0.001)


def test_the_interval_is_that_of_fingers_and_not_of_pairs() -> None:
    # All misses are one finger's: of three it may be drawn twice or not at all.
    one_bad = Scores(
        mates=np.array([0.0] * 100 + [9.0] * 200),
        mate_fingers=np.array([0] * 100 + [1] * 100 + [2] * 100),
        strangers=np.array([1.0, 2.0, 1.5]),
        stranger_fingers=np.array([[0, 1], [1, 2], [0, 2]]),
        groups=["a"] * 3,
    )
    figure = one_bad.figures["ZeroFMR"]
    assert figure.value == pytest.approx(1 / 3)
    assert [figure.low, figure.high] == pytest.approx([0, 2 / 3])


def test_figures_are_the_same_each_time() -> None:
    generator = np.random.default_rng(3)
    mates, strangers = generator.normal(3, 1, 40).tolist(), generator.normal(0, 1, 90).tolist()
    assert scores(mates, strangers).figures == scores(mates, strangers).figures


def test_the_threshold_of_a_level_lets_no_more_strangers_pass() -> None:
    some = scores([1.0, 2.0], [float(at) for at in range(1000)])
    limit = some.threshold_at(0.001)
    assert (some.strangers >= limit).sum() <= 1
    assert some.missed(limit).count == 2


def test_mates_are_counted_in_the_band_of_their_poorer_impression() -> None:
    quality = np.array([10.0, 19.0, 34.0, 50.0, 100.0, np.nan])
    bands = by_quality(np.array([0.0, 9.0, 0.0, 0.0, 9.0, 0.0]), quality, 1.0)
    assert [(band.low, band.missed.count, band.missed.of) for band in bands] == [
        (0, 1, 2),
        (20, 1, 1),
        (35, 0, 0),
        (50, 1, 1),
        (65, 0, 1),
    ]


def test_leaving_out_the_poorest_leaves_the_errors_of_the_rest() -> None:
    points = discarding(np.array([0.0, 0.0, 9.0, 9.0]), np.array([10.0, 90.0, 20.0, 80.0]), 1.0)
    assert [left for left, _ in points] == [0.0, 0.25, 0.5]
    assert [missed for _, missed in points] == pytest.approx([0.5, 1 / 3, 0.5])
    assert discarding(np.array([1.0]), np.array([np.nan]), 1.0) == ()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three made-up fingers, three touches each; one file is no picture, one no finger."""
    home = tmp_path_factory.mktemp("prints")
    hand = SimulatedHand(11)
    for position in (2, 3, 8):
        for touch in (1, 2, 3):
            pixels = hand.finger(position).impression(touch, Condition.WELL)
            cv2.imwrite(str(home / f"{position}_{touch}.png"), pixels)
    (home / "9_1.png").write_bytes(b"no picture")
    cv2.imwrite(str(home / "9_2.png"), np.full((200, 200), 255, np.uint8))
    (home / "readme.txt").write_text("not an impression")
    return home


def test_a_folder_says_by_its_names_which_finger_each_is(folder: Path) -> None:
    entries = found(folder, None)
    assert len(entries) == 11
    assert entries[0] == Entry(file="2_1.png", set="", finger="2", dpi=500)


def test_a_whole_run_says_every_figure_and_names_what_it_could_not_use(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, values = tmp_path / "report.html", tmp_path / "scores.json"
    arguments = ["evaluate", str(folder), "--processes", "2", "--html", str(page)]
    assert main([*arguments, "--json", str(values), "--no-quality"]) == DONE
    said = capsys.readouterr().out
    # 9 sound prints have 9 pairs of mates; the two files of finger 9 add one that is missed.
    assert re.search(r"-\s+10\s+45\s+", said)
    assert "2/11 18.2 %" in said
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "9_1.png" in html
    assert "polyline" in html
    content = json.loads(values.read_text(encoding="utf-8"))
    problems = [one["problem"] for one in content["impressions"]]
    assert sum(problem is not None for problem in problems) == 2
    sound = {at for at, problem in enumerate(problems) if problem is None}
    mates = [score for one, other, score in content["mates"] if {one, other} <= sound]
    strangers = [score for _, _, score in content["strangers"]]
    assert min(mates) > max(strangers)


def test_an_error_rate_over_the_wish_is_an_exit_code(folder: Path) -> None:
    arguments = ["evaluate", str(folder), "--processes", "1", "--no-quality", "--markdown"]
    # One of ten pairs of mates is of files that nobody can use.
    assert main([*arguments, "--fail-over", "1"]) == BELOW
    assert main([*arguments, "--fail-over", "60"]) == DONE


@pytest.mark.parametrize("names", [["2_1.png", "2_2.png"], ["2_1.png", "3_1.png"]])
def test_a_folder_without_mates_or_strangers_has_no_rates_and_no_pass(
    folder: Path, tmp_path: Path, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in names:
        shutil.copy(folder / name, tmp_path)
    page = tmp_path / "report.html"
    arguments = ["evaluate", str(tmp_path), "--processes", "1", "--html", str(page)]
    assert main([*arguments, "--fail-over", "50"]) == BELOW
    assert "FMR 0.1 %" not in capsys.readouterr().out.partition("== Imp")[2]
    assert "polyline" not in page.read_text(encoding="utf-8")


def test_more_comparisons_than_a_run_can_hold_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"{at}.png,{at // 4}\n" for at in range(20_000))
    (tmp_path / "manifest.csv").write_text("file,finger\n" + rows)
    with pytest.raises(SheetRefused, match="199990000 comparisons"):
        found(tmp_path, None)


def test_a_name_that_is_no_text_is_named_and_reported(folder: Path, tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff_1.png")
    for name in ("2_1.png", "2_2.png", "3_1.png"):
        shutil.copy(folder / name, tmp_path)
    (tmp_path / odd).write_bytes(b"no picture")
    page, values = tmp_path / "report.html", tmp_path / "scores.json"
    arguments = ["evaluate", str(tmp_path), "--processes", "1", "--no-quality"]
    assert main([*arguments, "--html", str(page), "--json", str(values)]) == DONE
    assert "udcff_1.png" in page.read_text(encoding="utf-8")
    files = [one["file"] for one in json.loads(values.read_text(encoding="utf-8"))["impressions"]]
    assert odd in files


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--html", "/no/such/folder/report.html"),
        ("--json", "/tmp"),
        ("--fail-over", "nan"),
        ("--fail-over", "101"),
        ("--processes", "0"),
    ],
)
def test_what_a_run_could_not_end_with_is_refused_before_it_begins(
    folder: Path, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["evaluate", str(folder), option, value])
    assert refused.value.code == REFUSED
    assert option in capsys.readouterr().err


def test_two_impressions_of_one_finger_are_one_and_of_two_are_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mates = [str(folder / name) for name in ("2_1.png", "2_2.png")]
    assert main(["compare", *mates]) == DONE
    assert "one finger" in capsys.readouterr().out
    assert main(["compare", mates[0], str(folder / "3_1.png")]) == BELOW
    assert main(["compare", mates[0], str(folder / "9_1.png")]) == REFUSED
    assert "9_1.png" in capsys.readouterr().err


def test_single_impressions_are_judged_in_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", str(folder / "2_1.png")]) == DONE
    assert re.search(r"NFIQ 2 \d+, estimate \d+", capsys.readouterr().out)
    assert main(["judge", str(folder / "9_2.png"), "--language", "vi"]) == BELOW
    assert "RidgeCoherence" not in capsys.readouterr().out
    assert main(["judge", str(folder / "absent.png")]) == REFUSED
    # What has no end is not read.
    assert main(["judge", "/dev/zero"]) == REFUSED


TABLES = {
    "absent": (None, "cannot be read|no file"),
    "no_columns": ("name\nx\n", "no column file, finger"),
    "no_finger": ("file,finger\na.png,\n", "no finger"),
    "bad_dpi": ("file,finger,dpi\na.png,1,many\n", "no resolution"),
    "no_row": ("file,finger\n", "no column|no impression"),
    "twice": ("file,finger\na.png,1\nb.png,1\n./a.png,1\n", "a.png is named twice"),
    "no_text": ("file,finger\n\0\xff", "cannot be read|no CSV|no column|names no"),
}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_that_says_nothing_usable_is_refused(tmp_path: Path, name: str) -> None:
    text, said = TABLES[name]
    table = tmp_path / "table.csv"
    if text is not None:
        table.write_bytes(text.encode("latin-1"))
    with pytest.raises(SheetRefused, match=said):
        found(tmp_path, table)


def test_a_folder_without_impressions_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(tmp_path)]) == REFUSED
    assert "no impression" in capsys.readouterr().err
    with pytest.raises(SheetRefused, match="columns"):
        found(tmp_path, None, [("set", "upek")])


def test_a_table_cannot_lead_out_of_the_folder_or_write_on_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "manifest.csv"
    rows = ["../../etc/passwd,1", "/etc/passwd,1", "<script>x</script>.png,2", "a\x1b[31m.png,2"]
    table.write_text("file,finger\n" + "\n".join(rows) + "\n", encoding="utf-8")
    page = tmp_path / "report.html"
    arguments = ["evaluate", str(tmp_path), "--processes", "1", "--no-quality"]
    assert main([*arguments, "--html", str(page)]) == DONE
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "\x1b" not in capsys.readouterr().out
    assert "4/4" in html


def test_development_sets_keep_mates_and_strangers_apart(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = tmp_path / "scores.json"
    fingers = shared / "data" / "fingers"
    arguments = ["evaluate", str(fingers), "--where", "set=upek", "--no-quality"]
    assert main([*arguments, "--processes", "2", "--json", str(values)]) == DONE
    assert "0/64" in capsys.readouterr().out
    content = json.loads(values.read_text(encoding="utf-8"))
    mates = [score for _, _, score in content["mates"]]
    strangers = [score for _, _, score in content["strangers"]]
    assert (len(mates), len(strangers)) == (224, 1792)
    assert min(mates) > 2 * max(strangers)
