"""The text of a file against Python's own csv module."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.options import Options
from easitrace.cohort.text import read_sheet
from easitrace.errors import DataError

LETTERS = st.text(st.sampled_from('ab é"😀;,\n\t '), max_size=6).filter(str.strip)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(LETTERS, min_size=width, max_size=width), min_size=1, max_size=6)
)


@settings(deadline=None, max_examples=200)
@given(table=TABLES, delimiter=st.sampled_from([",", ";", "\t"]), always=st.booleans())
@example(table=[["x" * 40_000_000, "y"], ["a", "b"]], delimiter=",", always=False)
def test_cells_are_those_of_the_csv_module(tmp_path_factory, table, delimiter, always):
    path = tmp_path_factory.mktemp("text") / "a.csv"
    names = [f"column {number}" for number in range(len(table[0]))]
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\n").writerows([names, *table])
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    sheet = read_sheet(path, Findings("a.csv"), Options(delimiter))
    columns = sheet.columns(names)
    assert [list(row) for row in zip(*(columns[name].to_pylist() for name in names), strict=True)] == table
    np.testing.assert_array_equal(sheet.rows, np.arange(2, len(table) + 2))


def sheet_rows(path: Path, text: str) -> tuple[list[int], list[str]]:
    path.write_text(text, encoding="utf-8", newline="")
    findings = Findings("a.csv")
    sheet = read_sheet(path, findings, Options(","))
    return sheet.columns(["x"])["x"].to_pylist(), [problem.where for problem in findings.errors]


@pytest.mark.parametrize("quote", ["", '"'])
def test_wrong_and_blank_rows_are_left_out_and_the_others_keep_their_place(tmp_path, quote):
    text = f"x,y\n{quote}1{quote},2\n\n3\n,\n4,5\n6,7,8\n9,10\n"
    cells, wrong = sheet_rows(tmp_path / "a.csv", text)
    assert cells == ["1", "4", "9"]
    assert wrong == ["a.csv row 4", "a.csv row 7"]


@pytest.mark.parametrize("text", ['x,y\n1,"2"3\n', 'x,y\n1,2"\n', 'x,y\n1,""2"\n', 'x,"y\n1,2\n', 'x,y\n"1" ,2\n'])
def test_quotes_that_the_csv_module_would_repair_are_refused(tmp_path, text):
    with pytest.raises(DataError, match="E206"):
        sheet_rows(tmp_path / "a.csv", text)


def test_escaped_quotes_empty_quotes_and_a_last_quoted_cell_are_read(tmp_path):
    cells, wrong = sheet_rows(tmp_path / "a.csv", 'x,y\n"a ""b""",""\n"""",""""""\n"",1\n"z","w"')
    assert cells == ['a "b"', '"', "", "z"]
    assert wrong == []
