"""The list of studies is made from the reports that are there."""

import json
import re
from pathlib import Path

import pytest

from easitrace.report.index import write_index

TRIAL = "=HYPERLINK() <b>\u202e"


def record(reports: Path, folder: str, **content: object) -> Path:
    (reports / folder).mkdir(parents=True)
    (reports / folder / "manifest.json").write_text(json.dumps(content))
    return reports / folder


@pytest.fixture(autouse=True)
def staging(tmp_path: Path) -> None:
    (tmp_path / ".staging").mkdir()


def test_every_report_is_listed_once_in_order_and_nothing_else(tmp_path: Path) -> None:
    record(tmp_path, "zeta", study="zeta", title="Last <b>", synthetic="")
    record(tmp_path, "alpha", study="alpha", title="First", synthetic="Not patients & not yours.")
    record(tmp_path, "copy", study="alpha", title="A copied folder", synthetic="")
    record(tmp_path, "foreign", name="a web extension", manifest_version=3)
    (tmp_path / "foreign" / "manifest.json").write_text("[1")
    page = write_index(tmp_path).read_text()
    assert re.findall('<h2><a href="([^"]+)">([^<]+)</a></h2>', page) == [
        ("alpha/report.html", "First"),
        ("zeta/report.html", "Last &lt;b&gt;"),
    ]
    assert re.findall('<p class="synthetic">(.*)</p>', page) == ["Not patients &amp; not yours."]
    assert "://" not in page and "<script" not in page
    assert write_index(tmp_path).read_text() == page


def test_a_study_has_its_date_its_size_its_answers_and_its_other_forms(tmp_path: Path) -> None:
    about = {"started": "2025-03-09T08:07:06+00:00", "versions": {"easitrace": "4.5.6"}}
    files = {"report.html": "", "report.docx": "", "share/report.html": ""}
    folder = record(tmp_path, "trial", study="trial", title="A trial", synthetic="", files=files, **about)
    (folder / "tables").mkdir()
    rows = ["question,answer", "Who?,Everyone", f"How many?,17 in {TRIAL}", '"What changed?","EASI, by -3"']
    (folder / "tables" / "00_summary_key.csv").write_text("\n".join(rows), encoding="utf-8")
    page = write_index(tmp_path).read_text(encoding="utf-8")
    assert re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", page) == [
        ("How many?", "17 in =HYPERLINK() &lt;b&gt;\ufffd"),
        ("What changed?", "EASI, by -3"),
    ]
    assert re.findall('<p class="made">(.*)</p>', page) == [
        '2025-03-09 · easitrace 4.5.6 · <a href="trial/report.docx">Word</a> · '
        '<a href="trial/share/report.html">For others</a>'
    ]


def test_without_a_report_the_list_says_so(tmp_path: Path) -> None:
    assert "There is no report yet." in write_index(tmp_path).read_text()
