"""The threshold lab counts what the gates do, believes no table and shows its mistakes."""

import csv
import json
import os
import signal
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest

from biometrics.face.gates import profile
from biometrics.face.lab import __main__ as lab
from biometrics.face.lab import tables
from biometrics.face.lab.curves import curves
from biometrics.face.lab.defects import DefectsRefused, Kind, read_defects
from biometrics.face.lab.evaluation import Evaluation, Relaxed, refusals
from biometrics.face.lab.judging import Seen
from biometrics.face.lab.labels import Row, read_labels, read_pairs
from biometrics.face.measures import MEASURES
from biometrics.lab import workers
from biometrics.lab.figures import Share
from biometrics.lab.sheet import MAX_BYTES, SheetRefused, inside
from biometrics.lab.writing import harmless
from hardware.camera.sitter import Behaviour
from tests import faces

HOSTILE = "<script>alert('x')</script>\x1b[31m|**&\"o'"


# What tables say


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"file,set\na.jpg,x\n",
        b"defect\nnone\n",
        b'file,defect\n"a.jpg,none\n',
        b'file,defect\n"a"b,none\n',
        b"file,defect\na.jpg,\xff\xfe\n",
        b"file,defect\na.jpg," + b"x" * 200_000 + b"\n",
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(SheetRefused):
        read_labels(tmp_path / "labels.csv")


def test_a_table_that_is_absent_a_folder_or_huge_is_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    for path in (tmp_path / "nothing.csv", tmp_path, huge):
        with pytest.raises(SheetRefused):
            read_labels(path)


def test_group_columns_may_be_absent_and_unknown_ones_are_carried(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_bytes(
        "﻿file,defect,light\r\na.jpg, none ,red\r\nb.jpg\r\nc.jpg,tilt,x,more\r\n".encode()
    )
    first, second, third = read_labels(table)
    assert (first.file, first.defect, first.set, first.gender) == ("a.jpg", "none", "", "")
    assert first.columns["light"] == "red"
    assert (second.defect, third.defect) == ("", "tilt")
    assert [row.file for row in read_labels(table, [("light", "red")])] == ["a.jpg"]
    with pytest.raises(SheetRefused, match="no column colour"):
        read_labels(table, [("colour", "red")])


def test_pairs_say_whether_they_are_one_person(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("file_a,file_b,same\na,b,1\na,c,0\n")
    assert [pair.same for pair in read_pairs(table)] == [True, False]
    table.write_text("file_a,file_b,same\na,b,perhaps\n")
    with pytest.raises(SheetRefused, match="perhaps"):
        read_pairs(table)


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../a.jpg", "a/../../b", "..\\a", "a\0.jpg"])
def test_a_name_does_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    assert inside(tmp_path, name) is None


UNMEASURED = {"Noise", "CompressionArtifacts"}
"""Right reasons that no profile need have: the lab says itself where nothing catches a defect."""


def test_the_table_of_defects_names_measures_there_are() -> None:
    gates = {gate.measure for gate in profile("can-cuoc").gates if gate.blocks}
    for defect in read_defects().table.values():
        assert set(defect.measures) <= MEASURES.keys() | UNMEASURED, defect.name
        assert defect.note
        if defect.kind is Kind.GATE:
            assert (gates | UNMEASURED) & set(defect.measures), defect.name


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"dated": "x", "defects": {"a": {}}}', "{"])
def test_a_table_of_defects_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "defects.json").write_text(content)
    with pytest.raises(DefectsRefused):
        read_defects(tmp_path / "defects.json")


# What is counted, on findings made up for it

ROLL, LIGHT, EYES = "HeadPoseRoll", "BackgroundLightness", "InterEyeDistance"
FINE = {EYES: 400.0, ROLL: 0.0, LIGHT: 90.0}
Judged = list[tuple[Row, Seen]]


def pictures(defect: str, *natives: Mapping[str, float], **columns: str) -> Judged:
    """Rows of one defect with what the shipped gates say of these native values."""
    gates = {gate.measure: gate for gate in profile("can-cuoc").gates}
    fields = {"set": "", "identity": "", "gender": "", "ethnicity": "", **columns}
    return [
        (
            Row(file=f"{defect}{fields}{number}", defect=defect, columns=fields, **fields),
            Seen(findings=tuple(gates[k].judge(v) for k, v in {**FINE, **values}.items())),
        )
        for number, values in enumerate(natives)
    ]


def evaluated(judged: Judged, *relaxed: Relaxed) -> Evaluation:
    rows = [row for row, _ in judged]
    seen = {row.file: what for row, what in judged}
    return Evaluation(rows, seen, profile("can-cuoc"), read_defects(), relaxed)


def test_a_defect_is_right_wrong_or_missed() -> None:
    found = evaluated(pictures("tilt", {ROLL: 40.0}, {ROLL: 40.0, EYES: 5.0}, {}))
    (figures,) = found.defect_figures
    assert (figures.refused, figures.right, figures.noticed) == (
        Share(2, 3),
        Share(1, 3),
        Share(2, 3),
    )
    assert figures.other_reasons == {EYES: 1}
    assert [picture.wrong for picture in found.pictures] == [False, True, True]
    assert found.caught(Kind.GATE) == Share(1, 3)


def test_a_relaxed_measure_uncovers_the_next_reason() -> None:
    table = pictures("tilt", {ROLL: 40.0, EYES: 5.0, LIGHT: 1.0})
    assert evaluated(table).pictures[0].refused_for == (EYES, ROLL, LIGHT)
    assert evaluated(table, Relaxed(EYES)).pictures[0].reason == ROLL
    assert evaluated(table, Relaxed(EYES), Relaxed(ROLL)).pictures[0].reason == LIGHT
    everything = [Relaxed(name) for name in (EYES, ROLL, LIGHT)]
    assert evaluated(table, *everything).pictures[0].reason is None


def test_a_measure_can_be_relaxed_for_one_set_alone() -> None:
    table = [
        *pictures("none", {LIGHT: 1.0}, set="studio"),
        *pictures("none", {LIGHT: 1.0}, set="kiosk"),
    ]
    found = evaluated(table, Relaxed(LIGHT, "studio"))
    assert found.false_alarms("studio") == Share(0, 1)
    assert found.false_alarms("kiosk") == Share(1, 1)
    assert found.false_alarms() == Share(1, 2)


def test_what_is_relaxed_or_cannot_be_caught_is_said() -> None:
    table = [*pictures("tilt", {}, set="here"), *pictures("never seen", {}), *pictures("none", {})]
    said = "\n".join(
        note.en for note in tables.notes(evaluated(table, Relaxed(ROLL, "here"), Relaxed("Magic")))
    )
    assert "HeadPoseRoll is no gate in this run for set here" in said
    assert "The profile has no gate Magic" in said
    assert 'No gate in force can catch the defect "tilt" in set here' in said
    assert 'No right reason is known for the defect "never seen"' in said
    assert not list(tables.notes(evaluated(pictures("tilt", {}))))


def test_a_defect_that_is_advice_is_neither_a_hit_nor_a_false_alarm() -> None:
    found = evaluated([*pictures("smile", {ROLL: 40.0}), *pictures("none", {})])
    assert found.caught(Kind.GATE) == Share(0, 0)
    assert found.false_alarms() == Share(0, 1)
    assert not any(picture.wrong for picture in found.pictures)


def test_drawn_defects_are_counted_apart() -> None:
    found = evaluated([*pictures("hat", {}), *pictures("tilt", {ROLL: 40.0})])
    assert found.caught(Kind.DRAWN) == Share(0, 1)
    assert found.caught(Kind.GATE) == Share(1, 1)


def test_the_widest_gap_between_groups_is_found_and_small_groups_are_not_compared() -> None:
    bad, good = {ROLL: 40.0}, dict[str, float]()
    table = [
        *pictures("none", bad, good, good, good, good, ethnicity="a"),
        *pictures("none", *[good] * 10, ethnicity="b"),
        *pictures("none", bad, bad, bad, bad, ethnicity="few"),
        *pictures("none", bad, gender="not in a group by ethnicity"),
    ]
    (gap,) = evaluated(table).gaps
    assert (gap.axis, gap.most, gap.fewest) == ("ethnicity", "a", "b")
    assert gap.points == pytest.approx(20)
    assert gap.interval[0] < 20 < gap.interval[1]
    assert list(evaluated(table).groups["ethnicity"]) == ["a", "b", "few"]


def test_groups_that_are_alike_have_no_gap() -> None:
    table = [
        *pictures("none", *[FINE] * 5, gender="x"),
        *pictures("none", *[FINE] * 5, gender="y"),
    ]
    (gap,) = evaluated(table).gaps
    assert gap.points == 0


def test_a_curve_takes_the_gates_own_sense_of_worse() -> None:
    table = [
        *pictures("tilt", {ROLL: -30.0}, {ROLL: 30.0}, {ROLL: 1.0}),
        *pictures("none", {ROLL: -2.0}, {ROLL: 2.0}, {ROLL: 0.0}, {ROLL: 30.0}),
    ]
    (curve,) = curves(evaluated(table))
    # -30 and 30 are as bad as each other and as the sound one; 1 is better than -2 and 2.
    assert curve.area.value == pytest.approx((3.5 + 3.5 + 1) / 12)
    assert (curve.caught, curve.alarms) == (Share(2, 3), Share(1, 4))


def test_a_defect_is_compared_with_sound_pictures_of_its_own_set_or_people() -> None:
    table = [
        *pictures("none", {}, set="originals", identity="ann"),
        *pictures("none", {}, set="others", identity="bob"),
        *pictures("tilt", {}, set="copies", identity="ann"),
        *pictures("tilt", {}, set="others", identity="eve"),
        *pictures("tilt", {}, set="strangers", identity="zoe"),
    ]
    found = evaluated(table)
    compared = {
        figures.set: [picture.row.set for picture in found.counterparts(figures)]
        for figures in found.defect_figures
    }
    assert compared == {
        "copies": ["originals"],
        "others": ["others"],
        "strangers": ["originals", "others"],
    }


def test_a_value_that_is_not_assessed_is_in_no_curve_and_refuses_nothing() -> None:
    gates = {gate.measure: gate for gate in profile("can-cuoc").gates}
    (blank, _), *_ = pictures("tilt", {})
    found = evaluated([(blank, Seen(findings=(gates[ROLL].judge(None),))), *pictures("none", {})])
    assert found.pictures[0].reason is None
    assert curves(found) == ()


def test_a_measure_that_moves_with_the_group_shows_in_the_table() -> None:
    table = [
        *pictures("none", *({ROLL: 0.1 * n, LIGHT: 80.0 + n} for n in range(6)), gender="x"),
        *pictures("none", *({ROLL: 0.1 * n, LIGHT: 90.0 + n} for n in range(6)), gender="y"),
    ]
    (fairness,) = tables.fairness(evaluated(table))
    explained = {str(line[0]): line[-1] for line in fairness.rows}
    assert explained[ROLL] == pytest.approx(0)
    moved = explained[LIGHT]
    assert isinstance(moved, float)
    assert moved > 0.7


def test_the_first_refusal_is_the_judges_own_reason() -> None:
    for behaviour in (Behaviour.TILT, Behaviour.FAR, Behaviour.AWAY, Behaviour.WELL):
        verdict = faces.verdict(4, behaviour)
        refused = refusals(verdict.findings, verdict.profile, (), "")
        assert verdict.reason == (refused[0] if refused else None)
        assert verdict.ok == (not refused)


# Workers


def perish_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def test_a_picture_that_takes_its_process_down_is_the_only_one_lost() -> None:
    found = dict(workers.each(perish_at_three, range(12), 2))
    assert found == {n: None if n == 3 else n * n for n in range(12)}


def refuse(number: int) -> int:
    raise LookupError(number)


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(LookupError):
        list(workers.each(refuse, [1], 1))


# The whole way, on pictures of the simulated sitter


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sitters, some labelled wrongly on purpose, and things that are no pictures."""
    folder = tmp_path_factory.mktemp("faces")
    rows = [
        ("well4.jpg", Behaviour.WELL, 4, "none", "female"),
        ("well5.jpg", Behaviour.WELL, 5, "none", "male"),
        ("tilt4.jpg", Behaviour.TILT, 4, "tilt", "female"),
        ("tilt5.png", Behaviour.TILT, 5, "tilt", "male"),
        ("company.jpg", Behaviour.SECOND_PERSON, 4, "second_face", "male"),
        ("lie-well.jpg", Behaviour.WELL, 4, "tilt", "male"),
        (f"lie-tilt {HOSTILE.replace('/', '')}.jpg", Behaviour.TILT, 4, "none", HOSTILE),
    ]
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "set", "identity", "gender", "defect", "comment"))
        for name, behaviour, seed, defect, gender in rows:
            pixels = faces.frame(seed, behaviour)
            data = faces.png(pixels) if name.endswith("png") else faces.jpeg(pixels)
            (folder / name).write_bytes(data)
            table.writerow((name, "sitters", seed, gender, defect, "-"))
        (folder / "text.jpg").write_text("no picture")
        (folder / "cut.jpg").write_bytes(faces.jpeg(faces.frame(4))[:5000])
        (folder / "bomb.png").write_bytes(faces.one_bit_png(20_000))
        (folder / "small.png").write_bytes(faces.png(faces.frame(4)[:20, :20]))
        for name in ("text.jpg", "cut.jpg", "bomb.png", "small.png", "gone.jpg", "../out.jpg"):
            table.writerow((name, HOSTILE, "", "", "blur_gauss", ""))
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> Path:
    """Where one evaluation has written its reports; its text is `out.txt`."""
    return folder / "report"


@pytest.fixture
def evaluation(folder: Path, report: Path, capsys: pytest.CaptureFixture[str]) -> Mapping[str, str]:
    """The texts of one evaluation with everything it can write, made once."""
    if not report.is_dir():
        report.mkdir()
        arguments = ["evaluate", str(folder), str(folder / "labels.csv"), "--wrong", "--markdown"]
        arguments += ["--html", str(report / "html"), "--json", str(report / "json")]
        assert lab.main(arguments) == 0
        (report / "out").write_text(capsys.readouterr().out)
    return {path.name: path.read_text() for path in report.iterdir()}


def test_an_evaluation_counts_caught_missed_and_false_alarms(
    evaluation: Mapping[str, str],
) -> None:
    found = json.loads(evaluation["json"])
    by_defect = {entry["defect"]: entry for entry in found["defects"]}
    assert (
        by_defect["tilt"]["right_first_reason"]["count"],
        by_defect["tilt"]["refused"]["of"],
    ) == (
        2,
        3,
    )
    assert by_defect["second_face"]["right_first_reason"]["share"] == 1
    assert found["summary"]["right_first_reason"]["of"] == 4
    assert (found["summary"]["false_alarms"]["count"], found["summary"]["false_alarms"]["of"]) == (
        1,
        3,
    )
    wrong = {picture["file"] for picture in found["pictures"] if picture["wrong"]}
    assert {name.split(" ")[0] for name in wrong} == {"lie-well.jpg", "lie-tilt"}


def test_what_is_no_picture_is_reported_and_in_no_figure(evaluation: Mapping[str, str]) -> None:
    found = json.loads(evaluation["json"])
    assert {entry["file"]: entry["problem"] for entry in found["problems"]} == {
        "text.jpg": "unreadable",
        "cut.jpg": "unreadable",
        "bomb.png": "unreadable",
        "small.png": "unreadable",
        "gone.jpg": "absent",
        "../out.jpg": "outside",
    }
    assert "blur_gauss" not in {entry["defect"] for entry in found["defects"]}
    assert "6 files could not be judged" in evaluation["out"]


def test_a_report_says_by_which_limits_it_was_made(evaluation: Mapping[str, str]) -> None:
    sha256 = profile("can-cuoc").sha256
    for text in evaluation.values():
        assert sha256 in text
        assert read_defects().sha256 in text
        assert "thunhan-portrait evaluate" in text


class Page:
    """What a browser would make of a page."""

    def __init__(self, html: str) -> None:
        self.tags: list[str] = []
        self.classes: list[str] = []
        self.sources: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        parser = HTMLParser()
        vars(parser).update(handle_starttag=self._opened, handle_data=self._read)
        parser.feed(html)

    def _opened(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.tags.append(tag)
        self.classes += (values.get("class") or "").split()
        self.attributes |= set(values)
        if "src" in values:
            self.sources.append(values["src"] or "")

    def _read(self, data: str) -> None:
        self.text += data


@pytest.fixture
def page(evaluation: Mapping[str, str]) -> Page:
    return Page(evaluation["html"])


def test_the_page_takes_nothing_from_a_table_as_markup(page: Page) -> None:
    assert HOSTILE.replace("/", "") in page.text.replace("\\x1b", "\x1b")
    assert "script" not in page.tags
    assert not {name for name in page.attributes if name.startswith("on")}
    assert "link" not in page.tags


def test_the_page_needs_nothing_from_elsewhere(page: Page, evaluation: Mapping[str, str]) -> None:
    assert page.sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.sources)
    assert "default-src 'none'" in evaluation["html"]
    assert "http:" not in evaluation["html"]
    assert "https:" not in evaluation["html"]


def test_the_page_shows_curves_histograms_and_what_was_judged_wrongly(
    page: Page, evaluation: Mapping[str, str]
) -> None:
    found = json.loads(evaluation["json"])
    assert len(found["curves"]) > 1
    for kind in ("roc", "histogram", "curve"):
        assert page.classes.count(kind) == len(found["curves"])
    assert page.tags.count("img") == 2
    assert "Ảnh bị đánh giá sai" in page.text
    assert "Pictures judged wrongly" in page.text


def test_what_is_printed_cannot_steer_a_terminal_or_break_a_table(
    evaluation: Mapping[str, str],
) -> None:
    out = evaluation["out"]
    assert "\x1b" not in out
    assert "\\x1b[31m" in out.replace("\\[", "[").replace("\\\\", "\\")
    lines = [line for line in out.splitlines() if "lie-tilt" in line]
    assert lines
    for line in lines:
        assert line.replace("\\|", "").count("|") == 5
        assert "<script" not in line.replace("\\<", "")


def test_harmless_text_stays_as_it_is() -> None:
    assert harmless("Phông nền · 日本 ×2") == "Phông nền · 日本 ×2"
    assert harmless("a\r\nb\x9b\u202e") == "a\\r\\nb\\x9b\\u202e"


def test_what_changed_since_an_earlier_run_is_listed(
    folder: Path, evaluation: Mapping[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "before.json").write_text(evaluation["json"])
    arguments = ["evaluate", str(folder), str(folder / "labels.csv"), "--where", "set=sitters"]
    arguments += ["--since", str(tmp_path / "before.json")]
    assert lab.main([*arguments, "--relax", "HeadPoseRoll"]) == 0
    said = capsys.readouterr().out.partition("judged otherwise than in the earlier run")[2]
    assert {line.split()[0] for line in said.splitlines() if "tilt" in line} == {
        "tilt4.jpg",
        "tilt5.png",
        "lie-tilt",
    }
    (tmp_path / "before.json").write_text("{}")
    assert lab.main(arguments) == 2


@pytest.mark.parametrize(("percent", "code"), [("50", 0), ("76", 1)])
def test_below_the_share_that_is_asked_for_an_evaluation_fails(
    folder: Path, percent: str, code: int
) -> None:
    labels = str(folder / "labels.csv")
    arguments = ["--fail-under", percent, "--where", "set=sitters"]
    assert lab.main(["evaluate", str(folder), labels, *arguments]) == code


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["evaluate"],
        ["evaluate", "{folder}/nothing", "{folder}/labels.csv"],
        ["evaluate", "{folder}", "{folder}/labels.csv", "--profile", "../can-cuoc"],
        ["evaluate", "{folder}", "{folder}/labels.csv", "--processes", "0"],
        ["evaluate", "{folder}", "{folder}/labels.csv", "--where", "set"],
        ["evaluate", "{folder}", "{folder}/labels.csv", "--relax", "@set"],
        ["evaluate", "{folder}", "{folder}/labels.csv", "--html", "{folder}/no/where.html"],
    ],
)
def test_arguments_that_make_no_sense_are_refused(folder: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        lab.main([argument.format(folder=folder) for argument in arguments])
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "{folder}", "{folder}/nothing.csv"],
        ["evaluate", "{folder}", "{folder}/labels.csv", "--split", "dev"],
        ["evaluate", "{folder}", "{folder}/labels.csv", "--where", "set=nobody"],
        ["evaluate", "{folder}", "{folder}/labels.csv", "--defects", "{folder}/text.jpg"],
        ["pairs", "{folder}", "{folder}/labels.csv"],
    ],
)
def test_tables_that_cannot_be_used_are_refused_with_a_reason(
    folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert lab.main([argument.format(folder=folder) for argument in arguments]) == 2
    assert capsys.readouterr().err.startswith("thunhan-portrait: ")


def test_single_pictures_are_judged_in_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(folder / name) for name in ("well4.jpg", "tilt4.jpg", "text.jpg")]
    assert lab.main(["judge", *files]) == 1
    said = capsys.readouterr().out
    assert f"{files[0]}: Đạt" in said
    assert f"{files[1]}: Chưa đạt" in said
    assert "HeadPoseRoll" in said
    assert f"{files[2]}: Không đánh giá được: không đọc được ảnh" in said
    assert lab.main(["judge", files[0], "--json"]) == 0
    (verdict,) = json.loads(capsys.readouterr().out)
    assert verdict["ok"]
    assert verdict["profile_sha256"] == profile("can-cuoc").sha256
    assert verdict["findings"]["HeadPoseRoll"]["passed"]


def test_pairs_are_compared_and_what_cannot_be_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "pairs.csv").write_text(
        "file_a,file_b,same,kind,group\n"
        "well4.jpg,tilt4.jpg,1,genuine,x\n"
        "well4.jpg,well5.jpg,0,impostor,x\n"
        "well4.jpg,gone.jpg,0,impostor,x\n"
        "well4.jpg,../out.jpg,0,impostor,x\n"
    )
    arguments = ["pairs", str(folder), str(folder / "pairs.csv"), "--processes", "1"]
    assert lab.main(arguments) == 0
    said = capsys.readouterr().out
    assert "2 pairs could not be compared" in said
    assert "0/1 0.0 % (0-79)" in said
    assert "match, 0.45" in said


def test_a_network_that_is_not_there_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "pairs.csv").write_text("file_a,file_b,same\nwell4.jpg,tilt4.jpg,1\n")
    arguments = ["pairs", str(folder), str(folder / "pairs.csv"), "--model", "nothing.json"]
    assert lab.main(arguments) == 3
    assert "nothing.json" in capsys.readouterr().err


def test_without_the_reference_it_is_said_how_to_install_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OFIQ_DATA_DIR", str(folder))
    assert lab.main(["compare-ofiq", str(folder)]) == 3
    assert "python-ofiq setup" in capsys.readouterr().err


def test_with_a_reference_both_scores_stand_side_by_side(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net.onnx").touch()
    (tmp_path / "ofiq_config.jaxn").touch()
    (tmp_path / "ofiq.py").write_text(
        "class OFIQError(Exception): ...\n"
        "class QualityError(OFIQError): ...\n"
        "class OFIQ:\n"
        "    def __init__(self, folder): ...\n"
        "    def vector_quality(self, pixels, include_raw):\n"
        "        mean = float(pixels.mean())\n"
        "        return {'HeadPoseRoll': {'scalar': 50, 'raw': mean}, 'Other': None}\n"
    )
    monkeypatch.setenv("OFIQ_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    table = tmp_path / "both.csv"
    assert lab.main(["compare-ofiq", str(folder), "--csv", str(table)]) == 0
    assert "HeadPoseRoll  7" in capsys.readouterr().out
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert {row["component"] for row in rows} == {"HeadPoseRoll"}
    assert len(rows) == 7
    assert {row["ofiq_score"] for row in rows} == {"50"}
    assert all(row["ours_native"] and row["ofiq_native"] for row in rows)


# Real faces, where they are


def test_every_defect_of_the_development_faces_is_known(shared: Path) -> None:
    table = read_defects().table
    rows = read_labels(shared / "data/faces/labels.csv")
    assert {row.defect for row in rows} - {"none"} <= table.keys()
    assert all((shared / "data/faces" / row.file).is_file() for row in rows)
