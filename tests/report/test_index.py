"""The list of studies is made from the reports that are there."""

import json
import re
from pathlib import Path

from easitrace.report.index import write_index


def record(reports: Path, folder: str, **content: object) -> None:
    (reports / folder).mkdir(parents=True)
    (reports / folder / "manifest.json").write_text(json.dumps(content))


def test_every_report_is_listed_once_in_order_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".staging").mkdir()
    record(tmp_path, "zeta", study="zeta", title="Last <b>", synthetic="")
    record(tmp_path, "alpha", study="alpha", title="First", synthetic="yes")
    record(tmp_path, "copy", study="alpha", title="A copied folder", synthetic="")
    record(tmp_path, "foreign", name="a web extension", manifest_version=3)
    (tmp_path / "foreign" / "manifest.json").write_text("[1")
    page = write_index(tmp_path).read_text()
    assert re.findall('<li><a href="([^"]+)">([^<]+)</a>', page) == [
        ("alpha/report.html", "First"),
        ("zeta/report.html", "Last &lt;b&gt;"),
    ]
    assert page.count('class="synthetic"') == 1 and "://" not in page
    assert write_index(tmp_path).read_text() == page
