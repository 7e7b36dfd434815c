"""Two reports side by side: parameters that differ, numbers that moved, and how it is printed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from easitrace.cli import main
from easitrace.errors import MachineError
from easitrace.report.compare import as_html, as_json, as_text, compare

PARAMETERS = {"study": "a", "covariance": "us", "style": {"digits": 1, "decimal": "."}, "covariates": ["age"]}
NUMBERS = {
    "03_trajectory": {"mean": 8.0, "upper": 0.0, "label": "unstructured", "gone": 1.5, "fine": 1 / 3, "n": 20},
    "02_course": {"median": 6.25, "p": None, "sure": True},
}


def report(folder: Path, name: str, parameters: Any = PARAMETERS, numbers: Any = NUMBERS, **more: Any) -> Path:
    path = folder / name
    path.mkdir()
    record = {"parameters": parameters, "sources": [{"path": "x.csv", "sha256": "1f"}], "commit": "abc", **more}
    chapters = {key: {"title": key, "status": "complete", "numbers": own} for key, own in numbers.items()}
    (path / "manifest.json").write_text(json.dumps(record))
    (path / "results.json").write_text(json.dumps(chapters))
    return path


@pytest.fixture
def reports(tmp_path: Path) -> tuple[Path, Path]:
    trajectory = {"mean": 6.0, "upper": 2.5, "label": "<b>", "new": 4, "fine": 1 / 3 * (1 + 1e-12), "n": 20}
    numbers = {"03_trajectory": trajectory, "02_course": {"median": 6.25, "p": 0.25, "sure": False}}
    other = {**PARAMETERS, "covariance": "cs", "style": {"digits": 2, "decimal": "."}}
    sources = [{"path": "x.csv", "sha256": "2e"}]
    return report(tmp_path, "a"), report(tmp_path, "b", other, numbers, sources=sources)


def test_parameters_and_data_that_differ_are_named(reports: tuple[Path, Path]) -> None:
    found = compare(*reports)
    assert [(one.name, one.first, one.second) for one in found.parameters] == [
        ("covariance", "us", "cs"),
        ("style.digits", 1, 2),
    ]
    assert [(one.name, one.second) for one in found.circumstances] == [("sources.0.sha256", "2e")]


def test_numbers_that_moved_are_listed_by_chapter_with_both_sizes(reports: tuple[Path, Path]) -> None:
    found = compare(*reports)
    assert [(move.chapter[:2], move.name) for move in found.moved] == [
        ("02", "p"), ("02", "sure"), ("03", "mean"), ("03", "upper"), ("03", "label"), ("03", "gone"), ("03", "new")
    ]  # fmt: skip
    sizes = {move.name: (move.absolute, move.relative) for move in found.moved}
    assert sizes["mean"] == (-2.0, -0.25) and sizes["upper"] == (2.5, None)
    assert {sizes[name] for name in ("p", "sure", "label", "gone", "new")} == {(None, None)}
    assert found.n_equal == 3


def test_a_report_is_equal_to_itself(reports: tuple[Path, Path]) -> None:
    found = compare(reports[0], reports[0])
    assert (found.parameters, found.circumstances, found.chapters, found.moved) == ([], [], [], [])
    assert found.n_equal == 9 and as_text(found).endswith("0 numbers moved, 9 are equal")


def test_a_skipped_chapter_is_a_difference(tmp_path: Path) -> None:
    first = report(tmp_path, "a")
    second = report(tmp_path, "b", numbers={"02_course": NUMBERS["02_course"]})
    assert [(one.name, one.first, one.second) for one in compare(first, second).chapters] == [
        ("03_trajectory", "complete", None)
    ]


def test_the_text_has_a_number_to_a_line(reports: tuple[Path, Path]) -> None:
    lines = as_text(compare(*reports)).splitlines()
    assert lines[0].endswith("a and " + str(reports[1]) + ": 7 numbers moved, 3 are equal")
    assert "  mean: 8 -> 6  by -2  (-25.00%)" in lines and "  upper: 0 -> 2.5  by +2.5" in lines
    assert "  gone: 1.5 -> \u2013" in lines and "  covariance: us -> cs" in lines
    assert lines.index("02_course") < lines.index("03_trajectory")


def test_the_json_can_be_read_again(reports: tuple[Path, Path]) -> None:
    content = json.loads(as_json(compare(*reports)))
    assert content["n_moved"] == 7 and content["n_equal"] == 3
    assert content["moved"][2] == {
        "chapter": "03_trajectory", "name": "mean", "first": 8.0, "second": 6.0, "absolute": -2.0, "relative": -0.25
    }  # fmt: skip


def test_the_page_shows_text_as_text_and_needs_no_network(reports: tuple[Path, Path]) -> None:
    page = as_html(compare(*reports))
    assert "<td>&lt;b&gt;</td>" in page and "<b>" not in page and "<td>-25.00%</td>" in page
    assert "default-src 'none'" in page and not re.search(r"https?://|<script", page)


def test_a_folder_that_is_no_report_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MachineError) as caught:
        compare(tmp_path / "empty", tmp_path / "nowhere")
    assert [problem.code for problem in caught.value.problems] == ["E621", "E621"]


@pytest.mark.parametrize(("form", "start"), [("text", "/"), ("json", "{"), ("html", "<!DOCTYPE html>")])
def test_the_command_prints_each_form(
    reports: tuple[Path, Path], form: str, start: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(reports[0]), str(reports[1]), "--format", form])
    assert ended.value.code == 0 and capsys.readouterr().out.startswith(start)


def test_the_command_ends_with_the_code_of_the_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(tmp_path), str(tmp_path)])
    assert ended.value.code == 6 and "E621" in capsys.readouterr().err
