"""The same cohort from every format, equal cell for cell to the reading of the CSV file."""

from pathlib import Path

import pandas as pd
import pytest
from small_cohort import MAPPED, SEXES, coded, write, write_excel

from easitrace.cohort.read import read_cohort
from easitrace.errors import ParameterError

KINDS = [".xlsx", ".xlsm", ".sav", ".zsav", ".dta", ".v5.xpt", ".v8.xpt", ".parquet"]


@pytest.fixture(scope="module")
def from_csv(tmp_path_factory):
    return read_cohort(write(".csv", tmp_path_factory.mktemp("csv")), **MAPPED, date_format="yyyy-mm-dd")


def test_the_csv_reading_is_what_was_written(from_csv):
    assert from_csv.patients["patient"].tolist() == ["B07", "C1", "Zoë"]
    assert from_csv.patients["sex"].tolist() == ["male", "female", "female"]
    assert from_csv.visits["easi"].fillna(-1).tolist() == [33.0, 7.2, 24.6, 12.3, 0.1]
    assert from_csv.visits["day"].fillna(-1).tolist() == [0, -1, 0, 28, 84]


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_cohort_of_the_csv_file(kind, from_csv, tmp_path, apart):
    path = write(kind, tmp_path)
    cohort = read_cohort(path, **MAPPED)
    pd.testing.assert_frame_equal(cohort.visits, from_csv.visits)
    pd.testing.assert_frame_equal(cohort.patients, from_csv.patients)
    pd.testing.assert_frame_equal(cohort.flow, from_csv.flow)
    assert [entry.code for entry in cohort.log] == [entry.code for entry in from_csv.log]
    assert cohort.sources[0].path == path


def test_a_sas_dataset_gives_it_too_and_keeps_why_a_score_is_missing(from_csv):
    """`cohort.sas7bdat` was written by haven 2.5.1 (R), the missing score as .B."""
    cohort = read_cohort(Path(__file__).parents[2] / "data" / "cohort.sas7bdat", **MAPPED)
    pd.testing.assert_frame_equal(cohort.visits, from_csv.visits)
    pd.testing.assert_frame_equal(cohort.patients, from_csv.patients)
    assert cohort.missing_reasons.values.tolist() == [["easi", ".B", 1]]


def test_dates_typed_need_no_format_but_dates_in_text_do(tmp_path):
    with pytest.raises(ParameterError, match="E104 date_format: date is text whose format is not declared"):
        read_cohort(write(".csv", tmp_path), **MAPPED)
    frame = coded()
    frame["when"] = ["" if pd.isna(day) else f"{day:%d/%m/%Y}" for day in frame["when"]]
    write_excel(frame, tmp_path / "text.xlsx")
    with pytest.raises(ParameterError, match="E104 date_format"):
        read_cohort(tmp_path / "text.xlsx", **MAPPED)
    recode = {"sex": {str(code): label for code, label in SEXES.items()}}
    cohort = read_cohort(tmp_path / "text.xlsx", **MAPPED, values=recode, date_format="dd/mm/yyyy")
    assert cohort.patients["sex"].tolist() == ["male", "female", "female"]
    assert cohort.visits["day"].fillna(-1).tolist() == [0, -1, 0, 28, 84]
