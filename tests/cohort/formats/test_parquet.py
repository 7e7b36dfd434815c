"""Every type that a Parquet column can have, and those that hold no single values."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.options import Options
from easitrace.cohort.formats.parquet import parse_parquet
from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError

DAY = datetime.date(2024, 2, 29)
MOMENT = datetime.datetime(2024, 2, 29, 22, 30)
VISITS = {"0": 0, "4": 4}


def parsed(folder: Path, table: pa.Table) -> tuple[Any, Findings]:
    path = folder / "cohort.parquet"
    pq.write_table(table, path)
    findings = Findings(path.name)
    return parse_parquet(path, findings, Options()), findings


@pytest.mark.parametrize(
    ("array", "kind", "value"),
    [
        (pa.array(["x", None]), "large_string", "x"),
        (pa.array(["x", None]).dictionary_encode(), "large_string", "x"),
        (pa.array([None, None]), "large_string", None),
        (pa.array([7, None], pa.int8()), "int64", 7),
        (pa.array([7, None], pa.uint64()), "double", 7.0),
        (pa.array([7.5, None], pa.float16()), "double", 7.5),
        (pa.array([12.3, None], pa.float32()), "double", 12.3),
        (pa.array([12.5, None], pa.float32()), "double", 12.5),
        (pa.array([12.3, None]), "double", 12.3),
        (pa.array([Decimal("12.30"), None], pa.decimal128(5, 2)), "double", 12.3),
        (pa.array([True, None]), "bool", True),
        (pa.array([DAY, None], pa.date64()), "date32[day]", DAY),
        (pa.array([MOMENT, None], pa.timestamp("ms")), "timestamp[ms]", MOMENT),
    ],
)
def test_columns_of_single_values_keep_their_values(array, kind, value, tmp_path):
    table, findings = parsed(tmp_path, pa.table({"x": array}))
    column = table.columns(["x"])["x"]
    assert (str(column.type), column.to_pylist()) == (kind, [value, None])
    assert findings.errors == []


@pytest.mark.parametrize(
    "array",
    [pa.array([[1], [2]]), pa.array([{"a": 1}, {"a": 2}]), pa.array([b"x", b"y"]), pa.array([1, 2], pa.time32("s"))],
)
def test_other_columns_are_refused_when_they_are_read(array, tmp_path):
    table, findings = parsed(tmp_path, pa.table({"x": array, "y": [1, 2]}))
    assert table.columns(["y"])["y"].to_pylist() == [1, 2] and findings.errors == []
    assert table.columns(["x"])["x"].to_pylist() == [None, None]
    assert [error.code for error in findings.errors] == ["E252"]
    assert str(findings.errors[0]).startswith("E252 cohort.parquet column x: a column of type ")


def test_a_moment_is_the_day_of_its_own_clock(tmp_path):
    moments = pa.array([datetime.datetime(2024, 1, 1, 23, 30), None], pa.timestamp("us", tz="UTC"))
    local = moments.cast(pa.timestamp("us", tz="Europe/Amsterdam"))
    columns = {"patient": ["A", "A"], "week": [0, 4], "easi": [9, 3]}
    for array, day in ((moments, 27), (local, 26)):
        later = pa.array([None, datetime.datetime(2024, 1, 28)], pa.timestamp("us", tz=array.type.tz))
        dates = pa.concat_arrays([array.slice(0, 1), later.slice(1, 1)])
        pq.write_table(pa.table({**columns, "when": dates}), tmp_path / "c.parquet")
        cohort = read_cohort(tmp_path / "c.parquet", visits=VISITS, columns={"week": "week", "date": "when"})
        assert cohort.visits["day"].tolist() == [0, day]


def test_a_moment_at_midnight_is_a_day_and_nothing_is_left_out(tmp_path):
    days = pd.to_datetime(["2024-01-01", "2024-01-29"])
    frame = pd.DataFrame({"patient": ["A", "A"], "week": [0, 4], "easi": [9, 3], "when": days})
    frame.to_parquet(tmp_path / "c.parquet")
    cohort = read_cohort(tmp_path / "c.parquet", visits=VISITS, columns={"week": "week", "date": "when"})
    assert cohort.visits["day"].tolist() == [0, 28] and cohort.log == ()


def test_a_recoded_or_coded_date_is_read_as_written_by_the_standard(tmp_path):
    days = [DAY, datetime.date(1900, 1, 1), datetime.date(2024, 3, 1)]
    frame = pd.DataFrame({"patient": ["A", "B", "A"], "week": [0, 0, 4], "easi": [9, 5, 3], "when": days})
    frame.to_parquet(tmp_path / "c.parquet")
    arguments = {
        "visits": VISITS,
        "columns": {"week": "week", "date": "when"},
        "missing_codes": {"1900-01-01": "unknown"},
    }
    cohort = read_cohort(tmp_path / "c.parquet", **arguments)
    assert cohort.visits["day"].fillna(-1).tolist() == [0, 1, -1]
    assert cohort.missing_reasons.values.tolist() == [["date", "unknown", 1]]
    cohort = read_cohort(tmp_path / "c.parquet", **arguments, values={"date": {"2024-03-01": "2024-03-05"}})
    assert cohort.visits["day"].fillna(-1).tolist() == [0, 5, -1]


def test_numbers_are_compared_and_recoded_as_numbers(tmp_path):
    frame = pd.DataFrame({"patient": [1, 1, 2, 3], "week": [0, 4, 0, 0], "easi": [9.5, -99, 3, float("inf")]})
    frame.iloc[:3].to_parquet(tmp_path / "c.parquet")
    cohort = read_cohort(tmp_path / "c.parquet", visits=VISITS, missing_codes=["-99.0", "ND"], decimal=".")
    assert cohort.visits[["patient", "easi"]].values.tolist() == [["1", 9.5], ["2", 3.0]]
    assert cohort.missing_reasons.empty
    recode = {"easi": {"-99": "12.5", "3": None, "9.5": "9"}}
    cohort = read_cohort(tmp_path / "c.parquet", visits=VISITS, values=recode)
    assert cohort.visits["easi"].tolist() == [9.0, 12.5]
    frame.to_parquet(tmp_path / "c.parquet")
    with pytest.raises(DataError, match=r'E207 c\.parquet row 4, column easi: "inf" is infinite'):
        read_cohort(tmp_path / "c.parquet", visits=VISITS, missing_codes=[-99])


def test_what_is_no_number_or_no_date_is_refused_by_its_row(tmp_path):
    frame = pd.DataFrame({"patient": ["A", "B"], "week": [0, 0], "easi": [True, False], "when": [45351, 2]})
    frame.to_parquet(tmp_path / "c.parquet")
    columns = {"week": "week", "date": "when"}
    with pytest.raises(DataError) as caught:
        read_cohort(tmp_path / "c.parquet", visits={"0": 0}, columns=columns, date_format="dd-mm-yyyy")
    assert 'E207 c.parquet row 1, column easi: "true" is not a number' in str(caught.value)
    assert 'E218 c.parquet row 1, column when: "45351" is not a date' in str(caught.value)


def test_a_date_long_ago_or_to_come_is_refused(tmp_path):
    days = [datetime.date(1899, 12, 31), datetime.date(2999, 1, 1)]
    frame = pd.DataFrame({"patient": ["A", "B"], "week": [0, 0], "easi": [4, 5], "when": days})
    frame.to_parquet(tmp_path / "c.parquet")
    with pytest.raises(DataError) as caught:
        read_cohort(tmp_path / "c.parquet", visits={"0": 0}, columns={"week": "week", "date": "when"})
    assert [problem.code for problem in caught.value.problems] == ["E219", "E219"]


@pytest.mark.parametrize("columns", [{}, {"a": pa.array([], pa.int64())}])
def test_a_file_without_a_record_is_refused(columns, tmp_path):
    with pytest.raises(DataError, match=r"E202 cohort\.parquet: the file holds no record"):
        parsed(tmp_path, pa.table(columns))


def test_names_must_differ(tmp_path):
    with pytest.raises(DataError, match=r'E210 cohort\.parquet: columns 1 and 2 are both named "a"'):
        parsed(tmp_path, pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]))
