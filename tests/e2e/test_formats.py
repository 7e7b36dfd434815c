"""A run that is asked for PDF and Word, with and without what it takes to make them."""

import shutil
from pathlib import Path

import pytest
from study import command, files, is_whole, make_study

ALL = "formats: [html, pdf, docx]\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    parameters = make_study(folder)
    parameters.write_text(parameters.read_text() + ALL)
    code, output, messages = command(folder, "run", "small.yml")
    assert (code, output) == (0, "reports/small/report.html\n"), messages
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "study"))


def test_the_documents_are_part_of_the_report(made: Path) -> None:
    report = made / "reports" / "small"
    assert {"report.html", "report.pdf", "report.docx"} <= set(files(report)) and is_whole(report)


def test_documents_that_are_not_asked_for_any_more_go(study: Path) -> None:
    parameters = study / "small.yml"
    parameters.write_text(parameters.read_text().replace(ALL, "formats: [html, pdf]\n"))
    before = files(study / "reports" / "small")
    assert command(study, "run", "small.yml")[0] == 0
    after = files(study / "reports" / "small")
    assert set(before) - set(after) == {"report.docx"}
    assert before["report.pdf"] == after["report.pdf"] and before["report.html"] == after["report.html"]


def test_without_a_converter_the_page_is_written_and_the_exit_code_says_what_is_not(study: Path) -> None:
    (study / "broken" / "typst").mkdir(parents=True)
    (study / "broken" / "typst" / "__init__.py").write_text('raise ImportError("no typst here")')
    page = (study / "reports" / "small" / "report.html").read_bytes()
    code, output, messages = command(study, "run", "small.yml", PYTHONPATH=str(study / "broken"))
    assert code == 6 and output == "" and "Traceback" not in messages
    lines = [line for line in messages.splitlines() if line.startswith("E6")]
    remedy = "reinstall the package typst"
    assert lines == [f"E613 report.{ending}: typst: no typst here; {remedy}" for ending in ("pdf", "docx")]
    report = study / "reports" / "small"
    assert is_whole(report) and (report / "report.html").read_bytes() == page
    assert not (report / "report.pdf").exists() and not (report / "report.docx").exists()


@pytest.mark.parametrize("formats", ["[]", "[html, html]", "[doc]", "pdf"])
def test_formats_that_are_none_are_refused(study: Path, formats: str) -> None:
    parameters = study / "small.yml"
    parameters.write_text(parameters.read_text().replace(ALL, f"formats: {formats}\n"))
    code, _, messages = command(study, "check", "small.yml")
    assert code == 2 and "E105" in messages and "formats" in messages
