"""A trial of two arms, shared: its key result is told, the arms add up, and no masked count is recovered."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from recovery import Attack, recovered

from chapters import run_chapter
from easitrace import read_cohort
from easitrace.cohort.cohort import Cohort
from easitrace.report.disclosure.derive import MASKED
from easitrace.report.disclosure.flow import flow_tables
from easitrace.report.disclosure.profiles import THRESHOLDS, Interval, profile_named
from easitrace.report.disclosure.sheets import Sheets, shared_sheets
from test_arms_chapters import trial

QUICK = ("01_cohort", "02_course", "03_trajectory")
SLOW = ("04_response", "06_patient_reported", "07_treatment", "08_sensitivity")
READING = ("data", "columns", "visits", "arm", "reference_arm", "strata")


def written(folder: Path, chapters: tuple[str, ...], **changes: object) -> Cohort:
    """What the chapters write of 160 patients, into `stage`."""
    study = trial(folder, n=160) | {"scale": "raw", "imputations": 5, "output": str(folder / "stage"), **changes}
    with pytest.MonkeyPatch.context() as patch:
        for chapter in chapters:
            run_chapter(chapter, patch, **study)
    return read_cohort(**{name: study[name] for name in READING})


def shared(folder: Path, cohort: Cohort, name: str) -> Sheets:
    return shared_sheets(folder / "stage" / "tables", profile_named(name), Interval(), flow_tables(cohort.flow))


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sheets]]:
    """The shared tables of the first chapters, by profile."""
    folder = tmp_path_factory.mktemp("trial")
    cohort = written(folder, QUICK)
    yield {name: shared(folder, cohort, name) for name in THRESHOLDS}


def attacked(sheets: Sheets, name: str) -> None:
    attack = Attack()
    attack.read(sheets.tables, THRESHOLDS[name])
    ranges = attack.run()
    assert len(ranges) > 5
    assert recovered(ranges) == []


@pytest.mark.parametrize("name", THRESHOLDS)
def test_the_difference_between_the_arms_is_told(name: str, quick: dict[str, Sheets]) -> None:
    sheets = quick[name]
    differences = sheets.tables["03_trajectory_differences"]
    assert sheets.patients == 160
    assert differences[["arm", "reference"]].drop_duplicates().to_numpy().tolist() == [["new", "usual"]]
    told = differences[["estimate", "lower", "upper", "p"]]
    assert told.ne(MASKED).all(axis=None) and (told["lower"] < told["estimate"]).all()
    assert len(sheets.tables["02_course_arms"]) == 2


@pytest.mark.parametrize("name", THRESHOLDS)
def test_no_masked_count_of_an_arm_is_recovered(name: str, quick: dict[str, Sheets]) -> None:
    attacked(quick[name], name)


def test_tables_are_read_by_arm_and_for_all(quick: dict[str, Sheets]) -> None:
    baseline = quick["share-5"].tables["01_cohort_baseline"]
    assert baseline.groupby("arm", sort=False)["n"].first().to_dict() == {"usual": 80, "new": 80, "All": 160}
    assert quick["share-5"].tables["01_cohort_read"]["analysed"].tolist() == [160]


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["observed", "mi", "locf", "nri"])
def test_all_chapters_of_a_trial_are_shared(missing: str, tmp_path: Path) -> None:
    cohort = written(tmp_path, (*QUICK, *SLOW), missing=missing)
    for name in THRESHOLDS:
        sheets = shared(tmp_path, cohort, name)
        attacked(sheets, name)
        responders = "04_response_endpoints" + ("" if missing == "observed" else "_by_rule")
        by_arm = {"04_response_classes_by_arm", "04_response_endpoints_by_arm", "06_patient_reported_arms"}
        assert by_arm | {"08_sensitivity_arms", "06_patient_reported_targets", responders} <= set(sheets.tables)
        assert not [table for table in sheets.left_out if "arm" in table]
        told = pd.to_numeric(sheets.tables["08_sensitivity_arms"]["estimate"], errors="coerce")
        assert told.lt(0).all()
