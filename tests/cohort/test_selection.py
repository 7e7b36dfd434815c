"""Rows selected by the values of a column: counted in the log, and a value that no row has is an error."""

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError

CONTENT = "patient,visit,easi,site,set\nA,baseline,10,north,ITT\nA,week 4,5, north ,PP\nB,baseline,20,south,ITT\n"


def test_selected_rows_are_read_and_the_others_counted(read) -> None:
    cohort = read(CONTENT, only={"site": ["north"]})
    assert cohort.visits["easi"].tolist() == [10, 5]
    assert [(note.code, note.where, note.what) for note in cohort.log if note.code == "W235"] == [
        ("W235", "cohort.csv", '1 row left out, only "north" in column site being read')
    ]


def test_several_values_and_several_columns(read) -> None:
    cohort = read(CONTENT, only={"site": ["north", "south"], "set": ["ITT"]})
    assert cohort.visits["easi"].tolist() == [10, 20]
    assert [note.what for note in cohort.log if note.code == "W235"] == [
        '0 rows left out, only "north" or "south" in column site being read',
        '1 row left out, only "ITT" in column set being read',
    ]


@pytest.mark.parametrize(
    ("only", "problem"),
    [
        ({"site": ["North"]}, 'E265 cohort.csv: no row has "North" in column site; correct only'),
        ({"site": ["x", "north", "y"]}, 'E265 cohort.csv: no row has "x", "y" in column site; correct only'),
        ({"centre": ["north"]}, 'E211 cohort.csv: there is no column "centre"; correct only'),
    ],
)
def test_what_no_row_has_is_an_error(read, only: dict[str, list[str]], problem: str) -> None:
    with pytest.raises(DataError) as raised:
        read(CONTENT, only=only)
    assert [str(one) for one in raised.value.problems] == [problem]


def test_all_problems_of_a_selection_at_once(read) -> None:
    with pytest.raises(DataError) as raised:
        read(CONTENT, only={"centre": ["north"], "site": ["east"], "set": ["FAS"]})
    assert [one.code for one in raised.value.problems] == ["E211", "E265", "E265"]


@pytest.mark.parametrize("wanted", ["intention to treat", "1"])
def test_a_value_is_written_as_its_code_or_its_label(tmp_path: Path, wanted: str) -> None:
    path = tmp_path / "cohort.sav"
    table = pd.DataFrame(
        {"patient": ["A", "B", "C"], "visit": "baseline", "easi": [10.0, 20.0, 30.0], "set": [1.0, 2.0, np.nan]}
    )
    labels = {"set": {1.0: "intention to treat", 2.0: "per protocol"}}
    pyreadstat.write_sav(table, str(path), variable_value_labels=labels)
    cohort = read_cohort(path, visits={"baseline": 0}, only={"set": [wanted]})
    assert cohort.patients["patient"].tolist() == ["A"]
    with pytest.raises(DataError, match=r'E265 cohort.sav: no row has "safety" in column set'):
        read_cohort(path, visits={"baseline": 0}, only={"set": ["safety", wanted]})


def test_an_error_value_of_a_workbook_is_not_a_row_to_leave_out(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for line in (["patient", "visit", "easi", "set"], ["A", "baseline", 9, "ITT"], ["B", "baseline", 8, "#N/A"]):
        book.active.append(line)
    book.save(tmp_path / "cohort.xlsx")
    with pytest.raises(DataError) as raised:
        read_cohort(tmp_path / "cohort.xlsx", visits={"baseline": 0}, only={"set": ["ITT"]})
    assert [(problem.code, problem.where) for problem in raised.value.problems] == [
        ("E251", "cohort.xlsx row 3, column set (cell D3)")
    ]
