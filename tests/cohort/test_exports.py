"""The same 60 patients from every format and layout: equal cell for cell, and to the scores they were written from."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.read import read_cohort
from generators.exports import EXPORTS, PATIENTS, SCORES, VISITS


def read_export(name: str, folder: Path) -> Cohort:
    arguments: dict[str, Any] = EXPORTS[name](folder)
    return read_cohort(arguments.pop("data"), **arguments)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return read_export("csv", tmp_path_factory.mktemp("csv"))


def test_the_reference_holds_what_was_written(reference: Cohort) -> None:
    baseline = SCORES[(SCORES["visit"] == "baseline") & SCORES["easi"].notna()]["patient"]
    expected = SCORES[SCORES["patient"].isin(baseline)].dropna(subset=["easi", "poem"], how="all")
    found = reference.visits
    assert found["patient"].tolist() == expected["patient"].tolist()
    assert found["visit"].astype(str).tolist() == expected["visit"].tolist()
    for name in ("easi", "poem"):
        np.testing.assert_array_equal(found[name].to_numpy(), expected[name].to_numpy())
    starts = expected["patient"].map(PATIENTS.set_index("patient")["start_date"])
    days = (pd.to_datetime(expected["date"]) - pd.to_datetime(starts)).dt.days
    assert found["day"].tolist() == days.tolist()
    people = PATIENTS[PATIENTS["patient"].isin(baseline)]
    for name in ("age", "sex", "status", "stop_reason"):
        assert reference.patients[name].fillna("").tolist() == people[name].fillna("").tolist()
    assert {visit.label: visit.week for visit in reference.schedule} == VISITS
    assert len(found) > 150


@pytest.mark.parametrize("name", [name for name in EXPORTS if name != "csv"])
def test_every_export_reads_back_equal(name: str, reference: Cohort, tmp_path: Path) -> None:
    cohort = read_export(name, tmp_path)
    pd.testing.assert_frame_equal(cohort.visits[reference.visits.columns], reference.visits)
    pd.testing.assert_frame_equal(cohort.patients[reference.patients.columns], reference.patients)
    assert {*cohort.patients} == {*reference.patients}
    assert cohort.schedule == reference.schedule
    flow, expected = (c.flow.set_index(["step", "detail"])["n"] for c in (cohort, reference))
    for step in ("visits used", "patients analysed", "seen", "stopped", "in follow-up", "missed"):
        pd.testing.assert_series_equal(flow.loc[[step]], expected.loc[[step]])


def test_a_visit_that_no_file_scores_is_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "dates.csv").write_text("patient,visit,date,easi\nA,baseline,2021-03-01,9\nA,week 4,2021-03-29,\n")
    (tmp_path / "poem.csv").write_text("patient,visit,poem\nA,baseline,20\n")
    names = {name: name for name in ("visit", "date", "easi", "poem")}
    cohort = read_cohort(
        tmp_path / "dates.csv",
        visit_data=[tmp_path / "poem.csv"],
        columns=names,
        visits=VISITS,
        date_format="yyyy-mm-dd",
    )
    assert cohort.visits["visit"].tolist() == ["baseline"]
    assert "F208 dates.csv: 1 row without any score left out (row 3)" in [str(problem) for problem in cohort.log]
    assert cohort.flow.set_index("step")["n"]["visits without a score"] == 1
