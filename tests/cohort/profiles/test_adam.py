"""ADaM: which records count, which row a value comes from, and what contradicts itself."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pytest

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.table import TEXT, Table, as_text
from easitrace.cohort.mapping import build_mapping
from easitrace.cohort.profiles import PROFILES
from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError

HEAD = "USUBJID,TRTP,PARAMCD,AVISIT,AVAL,BASE,CHG,ADY,ABLFL,ANL01FL,DTYPE\n"
ROWS = """\
S-1,active,EASI,Screening,20.5,,,-10,,,
S-1,active,EASI,Baseline,21.4,21.4,0,1,Y,Y,
S-1,active,POEM,Baseline,18,18,0,1,Y,Y,
S-1,active,EASI,Week 4,9.1,21.4,-12.3,30,,Y,
S-1,active,POEM,Week 4,7,18,-11,31,,Y,
S-1,active,EASI,Week 12,9.1,21.4,-12.3,,,Y,LOCF
S-2,placebo,EASI,Screening,33,33,0,-2,Y,Y,
S-2,placebo,EASI,Baseline,30,,,1,,,
S-2,placebo,EASI,Week 4,28,33,-5,28,,Y,
S-2,placebo,EASI,Week 4,27,33,-6,27,,,
S-2,placebo,WEIGHT,Week 4,80,,,28,,Y,
S-2,placebo,EASI,,26,33,-7,40,,Y,
"""
ARGUMENTS: dict[str, Any] = {
    "columns": {"easi": "EASI", "poem": "POEM", "arm": "TRTP"},
    "visits": {"Baseline": 0, "Week 4": 4, "Week 12": 12},
}


def table_of(text: str) -> Table:
    header, *records = csv.reader(io.StringIO(text))
    columns = {name: pa.array([r[i] for r in records], type=TEXT) for i, name in enumerate(header)}
    return Table.of(columns, np.arange(2, len(records) + 2))


def prepared(text: str, **more: Any) -> tuple[Table, Findings]:
    return prepared_of(table_of(text), **more)


def prepared_of(table: Table, **more: Any) -> tuple[Table, Findings]:
    findings, profile = Findings("adeff.csv"), PROFILES["adam"]
    given = {"decimal": ".", "missing_codes": ()} | ARGUMENTS | more
    columns = profile.roles(table.header) | given["columns"]
    mapping = build_mapping(
        columns=columns, visits=given["visits"], values=None, windows=None, decimal=given["decimal"],
        date_format=None, missing_codes=given["missing_codes"], outcome="easi", instrument=None, covariates=(),
    )  # fmt: skip
    return profile.prepare(table, columns, mapping, findings), findings


def cells(table: Table, *names: str) -> list[tuple[str, ...]]:
    columns = table.columns(names)
    return list(zip(*(as_text(columns[name]).to_pylist() for name in names), strict=True))


def test_records_of_one_visit_stand_side_by_side() -> None:
    table, findings = prepared(HEAD + ROWS)
    assert findings.errors == []
    assert cells(table, "USUBJID", "AVISIT", "EASI", "POEM", "ADY", "TRTP") == [
        ("S-1", "Baseline", "21.4", "18", "0", "active"),
        ("S-1", "Week 4", "9.1", "7", "29", "active"),
        ("S-2", "Baseline", "33", "", "-2", "placebo"),
        ("S-2", "Week 4", "28", "", "27", "placebo"),
    ]


def test_a_value_knows_the_record_it_comes_from() -> None:
    table, _ = prepared(HEAD + ROWS)
    assert table.rows_of("EASI").tolist() == [3, 5, 8, 10]
    assert table.rows_of("POEM").tolist()[:2] == [4, 6]
    assert table.rows.tolist() == [3, 5, 8, 10]


def test_what_is_left_out_is_counted() -> None:
    _, findings = prepared(HEAD + ROWS)
    notes = {str(problem) for problem in findings.log}
    assert "W234 adeff.csv: 1 record left out: DTYPE LOCF (row 7)" in notes
    assert "W234 adeff.csv: 3 records left out: ANL01FL is not Y (rows 2, 9 and 11)" in notes
    assert "W234 adeff.csv: 1 record left out: AVISIT is blank (row 13)" in notes
    assert sum(problem.code == "W234" for problem in findings.log) == 3
    assert any(problem.code == "F230" for problem in findings.log)


def test_a_baseline_visit_without_the_flag_gives_way_to_the_flagged_record() -> None:
    table, findings = prepared(HEAD + ROWS.replace("Baseline,30,,,1,,,", "Baseline,30,,,1,,Y,"))
    assert ("S-2", "Baseline", "33") in cells(table, "USUBJID", "AVISIT", "EASI")
    assert any("at Baseline without ABLFL Y (row 9)" in str(problem) for problem in findings.log)


def test_two_records_of_one_parameter_and_visit_make_two_rows() -> None:
    table, _ = prepared(HEAD + ROWS.replace("Week 4,27,33,-6,27,,,", "Week 4,27,33,-6,27,,Y,"))
    assert [row for row in cells(table, "USUBJID", "AVISIT", "EASI") if row[0] == "S-2"] == [
        ("S-2", "Baseline", "33"),
        ("S-2", "Week 4", "28"),
        ("S-2", "Week 4", "27"),
    ]


def test_without_flags_every_record_counts() -> None:
    head = "USUBJID,PARAMCD,AVISIT,AVAL\n"
    table, findings = prepared(head + "S-1,EASI,Baseline,12.5\nS-1,EASI,Week 4,3\n", columns={"easi": "EASI"})
    assert cells(table, "USUBJID", "AVISIT", "EASI") == [("S-1", "Baseline", "12.5"), ("S-1", "Week 4", "3")]
    assert findings.log == []


def test_records_without_visits_are_told_by_their_day() -> None:
    head = "USUBJID,PARAMCD,AVAL,ADY\n"
    table, _ = prepared(
        head + "S-1,EASI,12.5,1\nS-1,POEM,20,1\nS-1,EASI,3,29\n", columns={"easi": "EASI", "poem": "POEM"}
    )
    assert cells(table, "ADY", "EASI", "POEM") == [("0", "12.5", "20"), ("28", "3", "")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Week 4,9.1,21.4,-12.3", "Week 4,9.1,21.9,-12.8", "E264 adeff.csv row 5, column BASE: 21.9 is not the 21.4"),
        ("Week 4,9.1,21.4,-12.3", "Week 4,9.1,21.4,-12.2", "E264 adeff.csv row 5, column CHG: -12.2 is not AVAL 9.1"),
        ("28,33,-5,28,", "28,33,-5,0,", "E264 adeff.csv row 10, column ADY: ADY cannot be 0"),
        ("S-1,active,POEM,Week 4", "S-1,placebo,POEM,Week 4", 'E221 adeff.csv row 6, column TRTP: one patient has'),
    ],
)  # fmt: skip
def test_contradictions_are_located(old: str, new: str, message: str) -> None:
    assert old in ROWS
    _, findings = prepared(HEAD + ROWS.replace(old, new, 1))
    assert [str(problem)[: len(message)] for problem in findings.errors] == [message]


def test_a_day_that_is_missing_or_no_day_keeps_no_other_from_being_counted_from_0() -> None:
    table, findings = prepared(HEAD + ROWS.replace("-12.3,30,", "-12.3,NA,"), missing_codes=["NA"])
    assert [day for (day,) in cells(table, "ADY")] == ["0", "NA", "-2", "27"]
    table, _ = prepared(HEAD + ROWS.replace("-12.3,30,", "-12.3,999,"), missing_codes=["999"])
    assert [day for (day,) in cells(table, "ADY")] == ["0", "999", "-2", "27"]
    assert any(problem.code == "F230" for problem in findings.log)


def test_typed_days_are_counted_from_0_too() -> None:
    head = "USUBJID,PARAMCD,AVAL,ADY\n"
    table = table_of(head + "S-1,EASI,12.5,1\nS-1,EASI,3,\nS-1,EASI,3,-4\nS-1,EASI,3,99\n")
    days = table.columns(["ADY"])["ADY"].to_pandas()
    table = table.with_columns({"ADY": pa.array([int(day) if day else None for day in days])})
    roles = {"patient": "USUBJID", "easi": "EASI", "day": "ADY"}
    mapping = build_mapping(
        columns=roles, visits={"Baseline": 0}, values=None, windows={"Baseline": [0, 9]}, decimal=".",
        date_format=None, missing_codes=["99"], outcome="easi", instrument=None, covariates=(),
    )  # fmt: skip
    found = PROFILES["adam"].prepare(table, roles, mapping, Findings("adeff.csv"))
    assert cells(found, "ADY") == [("0",), ("",), ("-4",), ("99",)]


def test_base_and_change_are_compared_with_the_decimal_sign_of_the_file() -> None:
    rows = 'S-1,a,EASI,Baseline,"20,5","20,5",0,1,Y,Y,\nS-1,a,EASI,Week 4,"10,5","20,5","-10,5",29,,Y,\n'
    _, findings = prepared(HEAD + rows, decimal=",")
    what = "E264 adeff.csv row 3, column CHG: -10.5 is not AVAL 10.5 minus BASE 20.5"
    assert [str(problem)[: len(what)] for problem in findings.errors] == [what]


def test_cells_that_cannot_be_compared_are_counted() -> None:
    _, findings = prepared(HEAD + ROWS.replace("9.1,21.4,-12.3,30", "9.1,<21,n.d.,30"), missing_codes=["n.d."])
    told = [str(problem) for problem in findings.log if problem.code == "W239"]
    assert told == ["W239 adeff.csv column BASE: 1 cell not compared with AVAL, being no number (row 5)"]
    assert findings.errors == []


def test_another_kind_of_file_is_refused() -> None:
    with pytest.raises(DataError, match=r"E263 adeff\.csv: there is no column AVAL and PARAMCD"):
        prepared("USUBJID,EASI\nS-1,3\n")


def workbook(folder: Path, cell: str, value: str) -> Path:
    """The records in a workbook, with one cell replaced."""
    book = openpyxl.Workbook()
    for line in csv.reader(io.StringIO(HEAD + ROWS)):
        book.active.append([float(word) if re.fullmatch(r"-?[\d.]+", word) else word for word in line])
    book.active[cell] = value
    book.save(folder / "adeff.xlsx")
    return folder / "adeff.xlsx"


@pytest.mark.parametrize(
    ("cell", "column"),
    [("C9", "PARAMCD"), ("E5", "AVAL"), ("F6", "BASE"), ("G6", "CHG"), ("I8", "ABLFL"), ("J5", "ANL01FL"),
     ("H5", "ADY"), ("D5", "AVISIT"), ("A9", "USUBJID"), ("K5", "DTYPE")],
)  # fmt: skip
def test_an_error_value_of_a_workbook_is_an_error_in_every_column_that_is_read(
    cell: str, column: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as raised:
        read_cohort(workbook(tmp_path, cell, "#N/A"), format="adam", **ARGUMENTS)
    place = f"adeff.xlsx row {cell[1:]}, column {column} (cell {cell})"
    assert [problem.where for problem in raised.value.problems if problem.code == "E251"] == [place]


def test_a_wrong_score_of_a_workbook_names_its_cell(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        read_cohort(workbook(tmp_path, "E6", "eight"), format="adam", **ARGUMENTS)
    assert [(problem.code, problem.where) for problem in raised.value.problems] == [
        ("E207", "adeff.xlsx row 6, column POEM (cell E6)")
    ]


def test_why_a_score_or_a_day_is_missing_is_kept() -> None:
    table = table_of("USUBJID,PARAMCD,AVISIT,AVAL,ADY\nS-1,EASI,Baseline,12,1\nS-1,EASI,Week 4,,\nS-1,POEM,Week 4,3,\n")
    reasons = {"AVAL": pa.array([None, "not done", None]), "ADY": pa.array([None, "unknown", "asked later"])}
    table = replace(table, reasons=reasons)
    plain, _ = prepared_of(table)
    assert cells(plain, "AVISIT", "EASI", "POEM", "ADY") == [("Baseline", "12", "", "0"), ("Week 4", "", "3", "")]
    assert {name: plain.reasons[name].to_pylist() for name in ("EASI", "POEM", "ADY")} == {
        "EASI": [None, "not done"], "POEM": [None, None], "ADY": [None, "unknown"]
    }  # fmt: skip


def test_a_file_without_the_parameters_that_are_wanted_is_refused() -> None:
    says = 'E211 adeff.csv: no record has a PARAMCD that is under columns; there is "EASI", "POEM", "WEIGHT"; name'
    with pytest.raises(DataError, match=says):
        prepared(HEAD + ROWS, columns={"scorad": "SCORAD"})


def test_no_record_that_counts_makes_a_table_without_rows() -> None:
    table, findings = prepared(HEAD + ROWS.replace("Y,", "N,"))
    assert table.header[:2] == ["USUBJID", "TRTP"] and len(table.rows) == 0
    assert [problem.code for problem in findings.log][:2] == ["W234", "W234"] and findings.errors == []
