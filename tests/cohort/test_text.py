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


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "sep=;\r"])
def test_the_separator_line_of_a_spreadsheet_is_obeyed_and_is_no_row(tmp_path, line):
    path = tmp_path / "a.csv"
    path.write_bytes(f"{line}\nx;y\n1,5;2\n3;4;5\n".encode())
    findings = Findings("a.csv")
    sheet = read_sheet(path, findings, Options(decimal=","))
    assert sheet.columns(["x"])["x"].to_pylist() == ["1,5"] and sheet.rows.tolist() == [2]
    assert [problem.where for problem in findings.errors] == ["a.csv row 3"]
    assert "F221 a.csv: the first line, sep=;, was obeyed and left out" in [str(note) for note in findings.log]


def test_a_separator_line_that_contradicts_the_declared_one_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sep=;\nx,y\n1,2\n", encoding="utf-8")
    message = r'E209 a\.csv: the first line says that ";" separates the columns, not ","; set delimiter: ";", or leave'
    with pytest.raises(DataError, match=message):
        read_sheet(path, Findings("a.csv"), Options(","))


def test_rows_above_the_column_names_are_counted_and_places_stay_those_of_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('EASI of the "clinic\n\nx,y\n1,2\n\n3\n4,"5\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"E206 a\.csv row 7"):
        read_sheet(path, Findings("a.csv"), Options(header_row=3))
    findings = Findings("a.csv")
    path.write_text("title\n\nx,y\n1,2\n\n3\n4,5\n", encoding="utf-8")
    sheet = read_sheet(path, findings, Options(header_row=3))
    assert sheet.rows.tolist() == [4, 7]
    assert findings.errors[-1].where == "a.csv row 6"
    assert "F223 a.csv: 2 rows above the column names left out" in [str(note) for note in findings.log]
    for beyond in (8, 9):
        with pytest.raises(DataError, match=rf"E202 a\.csv: there is no row {beyond} to hold the column names"):
            read_sheet(path, Findings("a.csv"), Options(header_row=beyond))
