"""The exported cohort: tidy, described, inert, and read back as it was."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from easitrace.cohort.builtin import load_builtin
from easitrace.cohort.export import tidy, write_cohort
from easitrace.cohort.read import read_cohort
from easitrace.errors import MachineError


@pytest.fixture(scope="module")
def cohort():
    return load_builtin("baricitinib")


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_the_tables_are_read_back_as_they_were(cohort, tmp_path: Path, format: str) -> None:
    paths = write_cohort(cohort, tmp_path / "new" / "folder", format)
    assert [path.name for path in paths] == [
        f"{name}.{format}" for name in ("visits", "patients", "events", "dictionary")
    ]
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet}[format]
    visits = read(tmp_path / "new" / "folder" / f"visits.{format}")
    assert visits["easi"].tolist() == cohort.visits["easi"].tolist()
    assert visits["visit"].tolist() == cohort.visits["visit"].astype(str).tolist()
    patients = read(tmp_path / "new" / "folder" / f"patients.{format}")
    assert "stop_week" not in patients
    assert patients["stop_day"].dropna().tolist() == cohort.patients["stop_day"].dropna().tolist()


def test_every_column_is_described(cohort) -> None:
    tables = tidy(cohort)
    described = tables["dictionary"].set_index(["file", "column"])
    columns = [(name, column) for name in ("visits", "patients", "events") for column in tables[name]]
    assert described.index.tolist() == columns
    easi = described.loc[("visits", "easi")]
    assert (easi["unit"], easi["minimum"], easi["maximum"], easi["meaning"]) == ("points", 0, 72, "EASI")
    assert described.loc[("visits", "dlqi"), "missing"] == cohort.visits["dlqi"].isna().sum() > 0


def test_no_events_no_file(cohort, tmp_path: Path) -> None:
    paths = write_cohort(replace(cohort, events=cohort.events.iloc[:0]), tmp_path)
    assert "events.csv" not in [path.name for path in paths]


def test_numbers_are_short_and_formulas_inert(cohort, tmp_path: Path) -> None:
    odd = cohort.patients.assign(note=["=HYPERLINK(1)", "@x", "-3.5", "\tx", "plain", *["+x"] * 20])
    write_cohort(replace(cohort, patients=odd), tmp_path)
    lines = (tmp_path / "patients.csv").read_text().splitlines()
    assert lines[1].startswith("P01,,,in follow-up,30,")
    assert [line.rpartition(",")[2] for line in lines[1:7]] == ["'=HYPERLINK(1)", "'@x", "-3.5", "'\tx", "plain", "'+x"]


def test_what_was_exported_is_read_again(cohort, tmp_path: Path) -> None:
    write_cohort(cohort, tmp_path)
    weeks = {visit.label: visit.week for visit in cohort.schedule}
    columns = {"visit": "visit", "day": "day", "easi": "easi", "dlqi": "dlqi"}
    again = read_cohort(tmp_path / "visits.csv", columns=columns, visits=weeks)
    pd.testing.assert_frame_equal(again.visits[list(columns)], cohort.visits[list(columns)])


def test_a_folder_that_cannot_be_written(cohort, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="E602"):
        write_cohort(cohort, tmp_path / "file")
