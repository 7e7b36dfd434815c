"""What a workbook can hold that a table cannot: merged cells, formulas, errors, hidden rows, several sheets."""

import datetime
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.excel import parse_excel
from easitrace.cohort.formats.options import Options
from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError

HEADER = ["patient", "visit", "easi"]
VISITS = {"0": 0, "4": 4}
ROWS = [["A", 0, 20.5], ["A", 4, 10], ["B", 0, 7]]


def book_of(*rows: Any) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return book


def saved(book: openpyxl.Workbook, folder: Path) -> Path:
    path = folder / "book.xlsx"
    book.save(path)
    book.close()
    return path


def parsed(path: Path, **options: Any) -> tuple[dict[str, list[Any]], Findings, Any]:
    findings = Findings(path.name)
    table = parse_excel(path, findings, Options(**options))
    return {name: column.to_pylist() for name, column in table.columns(table.header).items()}, findings, table


def refused(path: Path, **arguments: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_cohort(path, **{"visits": VISITS, **arguments})
    return str(caught.value)


def patched(path: Path, part: str, old: str, new: str) -> Path:
    """The workbook with text of one of its parts replaced."""
    other = path.with_name("patched.xlsx")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in archive.namelist():
            text = archive.read(name)
            if name == part:
                text = text.replace(b"<v />", b"<v></v>").replace(b"<v/>", b"<v></v>")
                assert old.encode() in text
                text = text.replace(old.encode(), new.encode())
            copy.writestr(name, text)
    return other


SHEET = "xl/worksheets/sheet1.xml"


def test_cells_of_one_kind_are_typed_and_mixed_ones_are_text_in_the_declared_way(tmp_path):
    day, moment = datetime.date(2024, 3, 4), datetime.datetime(2024, 3, 4, 5, 6)
    rows = [["n", "x", "day", "when", "yes", "mixed", "dated", "odd"],
            [1, 1.5, day, moment, True, 12.5, day, datetime.time(3, 4)],
            [20, 2, day, day, False, "12,5", "5-3-2024", True],
            [None, None, None, None, None, 7, moment, "  "]]  # fmt: skip
    cells, _, table = parsed(saved(book_of(*rows), tmp_path), decimal=",", date_format="d-m-yyyy")
    kinds = {name: str(column.type) for name, column in table.columns(table.header).items()}
    assert kinds == {"n": "int64", "x": "double", "day": "date32[day]", "when": "timestamp[us]", "yes": "bool",
                     "mixed": "large_string", "dated": "large_string", "odd": "large_string"}  # fmt: skip
    assert cells["x"] == [1.5, 2.0, None] and cells["day"] == [day, day, None]
    assert cells["when"] == [moment, datetime.datetime(2024, 3, 4), None]
    assert cells["mixed"] == ["12,5", "12,5", "7"]
    assert cells["dated"] == ["4-3-2024", "5-3-2024", "4-3-2024 05:06:00"]
    assert cells["odd"] == ["03:04:00", "true", ""]
    cells, _, _ = parsed(tmp_path / "book.xlsx")
    assert cells["dated"][0] == "2024-03-04" and cells["mixed"][0] == "12.5"


def test_numbers_beyond_64_bits_are_read_as_floats(tmp_path):
    cells, _, _ = parsed(saved(book_of(["a", "b"], [2**70, 1], [1, 2]), tmp_path))
    assert cells["a"] == [pytest.approx(2.0**70), 1.0]


def test_both_epochs_give_the_day_that_was_meant(tmp_path):
    day = datetime.date(2024, 2, 29)
    for epoch in (openpyxl.utils.datetime.WINDOWS_EPOCH, openpyxl.utils.datetime.MAC_EPOCH):
        book = book_of()
        book.epoch = epoch
        book.active.append(["patient", "when"])
        book.active.append(["A", day])
        path = saved(book, tmp_path)
        cells, _, _ = parsed(path)
        assert cells["when"] == [day]
        with zipfile.ZipFile(path) as archive:
            serial = b"43889" if epoch == openpyxl.utils.datetime.MAC_EPOCH else b"45351"
            assert serial in archive.read(SHEET)


def test_a_serial_number_in_a_cell_that_is_no_date_is_refused_with_a_hint(tmp_path):
    for serial in (45351, "45351"):
        path = saved(book_of(["patient", "visit", "easi", "when"], ["A", 0, 3, serial], ["A", 4, 2, None]), tmp_path)
        columns = {"visit": "visit", "date": "when"}
        message = refused(path, columns=columns, date_format="dd-mm-yyyy")
        assert 'E218 book.xlsx row 2, column when (cell D2): "45351" is not a date' in message
        assert "a spreadsheet's day number: format the column as a date" in message


def test_places_name_the_cell(tmp_path):
    message = refused(saved(book_of([None, *HEADER], [None, "A", 0, 99], [None, "A", 4, 3]), tmp_path))
    assert message.startswith('E217 book.xlsx row 2, column easi (cell D2): "99" is out of range')


def test_what_is_wrong_in_a_cell_counts_only_when_its_column_is_read(tmp_path):
    book = book_of([*HEADER, "note", "sum", "both"], *[[*row, "x", "=1+1", "y"] for row in ROWS])
    book.active["D3"] = "#N/A"
    book.active.merge_cells("F2:H3")
    path = saved(book, tmp_path)
    assert len(read_cohort(path, visits=VISITS).visits) == 3
    message = refused(path, covariates=["note", "sum", "both"])
    assert "E251 book.xlsx row 3, column note (cell D3): the cell holds #N/A; correct or empty the cell" in message
    assert "E250 book.xlsx row 2, column sum (cell E2): the formula has no stored result; open the workbook" in message
    assert message.count("E250") == 3
    assert "E249 book.xlsx row 2, column both (cell F2): the cells F2:H3 are merged; unmerge them" in message


def test_formulas_are_read_as_their_stored_results(tmp_path):
    book = book_of(HEADER, *ROWS)
    book.active["C2"], book.active["C3"], book.active["C4"] = "=20.5", '=""', "=1/0"
    path = saved(book, tmp_path)
    path = patched(path, SHEET, '<c r="C2"><f>20.5</f><v></v>', '<c r="C2"><f>20.5</f><v>20.5</v>')
    path = path.rename(tmp_path / "one.xlsx")
    path = patched(path, SHEET, '<c r="C3"><f>""</f><v></v>', '<c r="C3" t="str"><f>""</f><v></v>')
    path = path.rename(tmp_path / "two.xlsx")
    path = patched(path, SHEET, '<c r="C4"><f>1/0</f><v></v>', '<c r="C4" t="e"><f>1/0</f><v>#DIV/0!</v>')
    cells, _, table = parsed(path)
    assert cells["easi"] == [20.5, None, None]
    assert [(fault.code, fault.what) for fault in table.faults["easi"]] == [("E251", "the cell holds #DIV/0!")]


def test_a_header_that_is_merged_wrong_blank_or_doubled_is_refused(tmp_path):
    book = book_of(HEADER, *ROWS)
    book.active.merge_cells("B1:C1")
    message = refused(saved(book, tmp_path))
    assert (
        "E249 book.xlsx row 1: the cells B1:C1 are merged; unmerge them and fill in every cell, or set hea" in message
    )
    message = refused(saved(book_of(["patient", "=A1", "easi"], *ROWS), tmp_path))
    assert "E250 book.xlsx cell B1: the formula has no stored result" in message
    message = refused(saved(book_of(["patient", None, "patient"], *ROWS), tmp_path))
    assert "E210 book.xlsx row 1: column 2 has no name" in message
    assert 'E210 book.xlsx row 1: columns 1 and 3 are both named "patient"' in message


def test_column_names_may_be_numbers_and_stand_in_another_row(tmp_path):
    book = book_of(["EASI of the clinic"], ["patient", 0, 4.0], ["A", 20.5, 7])
    book.active.merge_cells("A1:C1")
    path = saved(book, tmp_path)
    columns = {"patient": "patient", "easi": "*"}
    cohort = read_cohort(path, visits=VISITS, columns=columns, header_row=2)
    assert cohort.visits["easi"].tolist() == [20.5, 7.0]
    assert [entry.code for entry in cohort.log] == ["F223"]
    assert "E202 book.xlsx: the sheet holds nothing there; correct sheet or header_row" in refused(path, header_row=5)
    assert "E202 book.xlsx: there is a header but no data row" in refused(path, header_row=3)
    path = saved(book_of([], ["A", 20.5, 7]), tmp_path)
    assert "E202 book.xlsx row 1: there are no column names in row 1; set header_row" in refused(path)


def test_blank_rows_are_counted_and_hidden_ones_are_read_and_said(tmp_path):
    book = book_of(HEADER, ROWS[0], [], ROWS[1], ["  "], ROWS[2])
    book.active.row_dimensions[4].hidden = True
    book.active.column_dimensions["C"].hidden = True
    hidden = book.create_sheet("codes")
    hidden["A1"], hidden.sheet_state = "x", "hidden"
    cohort = read_cohort(saved(book, tmp_path), visits=VISITS)
    assert len(cohort.visits) == 3
    assert [str(entry) for entry in cohort.log] == [
        'W220 book.xlsx: 1 hidden sheet not read: "codes"; set sheet if one of them is meant',
        "F206 book.xlsx: 2 blank rows left out (rows 3 and 5)",
        "W220 book.xlsx: 1 hidden row read too (row 4); delete them or clear the filter if they do not belong to the "
        "data",
        "W220 book.xlsx: 1 hidden column read too (C); delete them or clear the filter if they do not belong to the "
        "data",
    ]


def test_a_sheet_is_chosen_by_name_when_there_are_several(tmp_path):
    book = book_of(HEADER, *ROWS)
    book.active.title = "Visits"
    other = book.create_sheet("Patients")
    other.append(["patient", "age"])
    path = saved(book, tmp_path)
    assert 'E248 book.xlsx: the workbook has the sheets "Visits", "Patients"; set sheet: Visits' in refused(path)
    assert 'no sheet "Visit"; the sheets are "Visits", "Patients"; did you mean "Visits"?' in refused(
        path, sheet="Visit"
    )
    assert "correct sheet" in refused(path, sheet="xyz")
    assert len(read_cohort(path, visits=VISITS, sheet="Visits").visits) == 3
    assert "holds nothing" in refused(saved(book_of(), tmp_path), sheet="Sheet")
    assert "no visible sheet holds a cell" in refused(tmp_path / "book.xlsx")
    assert "there is a header but no data row" in refused(saved(book_of(HEADER), tmp_path))


def test_a_tiny_file_whose_cells_lie_far_apart_is_refused_at_once(tmp_path):
    book = book_of()
    book.active["A1"], book.active["XFD1048576"] = "patient", 1
    path = saved(book, tmp_path)
    assert path.stat().st_size < 6000
    assert "E244 book.xlsx: the sheet stretches over 1,048,576 rows and 16,384 columns" in refused(path)
