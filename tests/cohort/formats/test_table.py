"""A table made from arrays, and others made from it: entries stay with their row, labels and reasons."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.table import Table, as_text, check_header, is_date, is_number, is_text

TEXT = pa.large_string()
PROBLEM = Findings("f")
PROBLEM.error("E251", "what")


@pytest.fixture
def table() -> Table:
    return Table.of(
        {"a": pa.array([1.0, None, 3.0]), "b": pa.array(["x", "y", "z"], TEXT), "c": pa.array([7, 8, 9])},
        np.array([4, 6, 9]),
        labels={"a": {"1": "one"}},
        reasons={"a": pa.array([None, "lost", None], TEXT)},
        letters={"a": "A", "b": "B"},
        faults={"b": PROBLEM.errors},
    )


def held(table: Table) -> dict[str, list[object]]:
    return {name: column.to_pylist() for name, column in table.columns(table.header).items()}


def test_columns_come_as_asked_for_each_once(table):
    assert list(table.columns(["c", "a", "c"])) == ["c", "a"]
    assert Table.of({"a": pa.array([1, 2])}).rows.tolist() == [1, 2]


def test_selected_columns_keep_their_order(table):
    assert held(table.select(["c", "a"])) == {"c": [7, 8, 9], "a": [1.0, None, 3.0]}


def test_what_is_told_of_a_column_follows_its_name(table):
    renamed = table.rename({"a": "b", "b": "a"})
    assert held(renamed) == {"b": [1.0, None, 3.0], "a": ["x", "y", "z"], "c": [7, 8, 9]}
    assert renamed.labels == {"b": {"1": "one"}} and list(renamed.reasons) == ["b"]
    assert renamed.letters == {"b": "A", "a": "B"} and renamed.faults == {"a": PROBLEM.errors}


def test_records_are_taken_with_their_rows_and_reasons(table):
    taken = table.take([2, 1, 1])
    assert held(taken) == {"a": [3.0, None, None], "b": ["z", "y", "y"], "c": [9, 8, 8]}
    assert taken.rows.tolist() == [9, 6, 6]
    assert taken.reasons["a"].to_pylist() == [None, "lost", "lost"]
    assert table.filter(np.array([False, True, False])).rows.tolist() == [6]


def test_new_columns_replace_old_ones_and_what_was_told_of_them(table):
    other = table.with_columns(
        {"a": pa.array([5, 6, 7]), "d": pa.array([True, False, None])}, labels={"d": {"true": "yes"}}
    )
    assert held(other) == {"a": [5, 6, 7], "b": ["x", "y", "z"], "c": [7, 8, 9], "d": [True, False, None]}
    assert other.labels == {"d": {"true": "yes"}} and other.reasons == {} and other.letters == table.letters
    assert held(other.take([1]))["a"] == [6]


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (pa.array([7.0, 12.5, -0.0, None, float("nan")]), ["7", "12.5", "0", "", ""]),
        (pa.array([1e5, 1234567890123.0, 2.0**53 - 1]), ["100000", "1234567890123", "9007199254740991"]),
        (pa.array([2.0**53, 1e22, float("inf")]), ["9.007199254740992e+15", "1e+22", "inf"]),
        (pa.array([7, None]), ["7", ""]),
        (pa.array([True, None]), ["true", ""]),
        (pa.array(["x", None]), ["x", ""]),
        (pa.array([datetime.date(2024, 2, 29), None]), ["2024-02-29", ""]),
        (pa.array([datetime.datetime(2024, 2, 29), datetime.datetime(2024, 2, 29, 3, 4, 5)]),
         ["2024-02-29", "2024-02-29 03:04:05"]),
    ],
)  # fmt: skip
def test_values_are_written_as_short_as_can_be(array, text):
    assert as_text(array).to_pylist() == text


def test_kinds_of_arrays_are_told_apart():
    arrays = [pa.array(["x"]), pa.array(["x"], TEXT), pa.array([1]), pa.array([1.5]), pa.array([True])]
    arrays += [pa.array([datetime.date(2024, 1, 1)]), pa.array([datetime.datetime(2024, 1, 1)])]
    assert [(is_text(a), is_number(a), is_date(a)) for a in arrays] == [
        (True, False, False), (True, False, False), (False, True, False), (False, True, False), (False, False, False),
        (False, False, True), (False, False, True)]  # fmt: skip


def test_a_header_of_many_columns_is_checked_at_once():
    findings = Findings("f.csv")
    check_header([f"c{i % 16_000}" for i in range(16_001)] + [""], findings, 3)
    assert [str(error) for error in findings.errors] == [
        'E210 f.csv row 3: columns 1 and 16001 are both named "c0"; rename one of them',
        "E210 f.csv row 3: column 16002 has no name; name or delete it",
    ]
