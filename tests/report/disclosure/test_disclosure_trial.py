"""A trial of two arms, shared: its key result is told, the arms add up, and no masked count is recovered."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from recovery import Attack, Frames, recovered, sheets_and_truth

from chapters import run_chapter
from easitrace import read_cohort
from easitrace.cohort.cohort import Cohort
from easitrace.report.disclosure.derive import MASKED
from easitrace.report.disclosure.flow import flow_tables
from easitrace.report.disclosure.profiles import THRESHOLDS, profile_named
from easitrace.report.disclosure.sheets import Sheets
from test_arms_chapters import trial

QUICK = ("01_cohort", "02_course", "03_trajectory")
SLOW = ("04_response", "06_patient_reported", "07_treatment", "08_sensitivity")
Both = tuple[Sheets, Frames]
READING = ("data", "columns", "visits", "arm", "reference_arm", "strata")


def three_arms(folder: Path) -> dict[str, Any]:
    """Parameters of a trial of 90 patients in three arms, with stops for three reasons, gaps, and four measures."""
    rng, rows, visits = np.random.default_rng(3), [], (0, 4, 8, 12, 16)
    for patient in range(90):
        arm, level = patient % 3, rng.gamma(6, 4)
        stop = rng.choice([0, 20, 50, 80], p=[0.8, 0.06, 0.07, 0.07])
        reason = rng.choice(["inefficacy", "side effects", "other"])
        person = ["female", "male"][rng.integers(2)], int(np.clip(rng.normal(38, 14), 18, 80))
        for week in visits:
            if (stop and week * 7 > stop) or (week and rng.random() < 0.1):
                continue
            easi = float(np.clip(level * np.exp(rng.normal(-week * (0.02 + 0.05 * arm), 0.25)), 0, 72).round(1))
            poem, dlqi, itch = (
                int(np.clip(easi / k + rng.normal(3, 2), 0, top)) for k, top in ((2, 28), (2.5, 30), (4, 10))
            )
            rows.append(
                (
                    f"P{patient:03}",
                    "abc"[arm],
                    week,
                    easi,
                    poem,
                    dlqi,
                    itch,
                    stop or "",
                    reason if stop else "",
                    *person,
                )
            )
    names = ["week", "easi", "poem", "dlqi", "itch_nrs", "stop_day", "stop_reason", "sex", "age"]
    pd.DataFrame(rows, columns=["patient", "group", *names]).to_csv(folder / "trial.csv", index=False)
    reading = {"data": str(folder / "trial.csv"), "columns": {name: name for name in names if name != "easi"}}
    planned = {f"week {week}" if week else "start": week for week in visits}
    design = {"arm": "group", "reference_arm": "a", "strata": [], "context": False, "style": {}}
    return reading | design | {"visits": planned, "decision_week": 16}


def written(folder: Path, study: dict[str, Any], chapters: tuple[str, ...]) -> Cohort:
    """What the chapters write of a trial, into `stage`."""
    study = study | {"imputations": 5, "output": str(folder / "stage")}
    with pytest.MonkeyPatch.context() as patch:
        for chapter in chapters:
            run_chapter(chapter, patch, **study)
    return read_cohort(**{name: study[name] for name in READING})


def shared(folder: Path, cohort: Cohort, name: str) -> Both:
    return sheets_and_truth(folder / "stage" / "tables", profile_named(name), flow_tables(cohort.flow))


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Both]]:
    """The shared tables of the first chapters, by profile."""
    folder = tmp_path_factory.mktemp("trial")
    cohort = written(folder, trial(folder, n=160) | {"scale": "raw"}, QUICK)
    yield {name: shared(folder, cohort, name) for name in THRESHOLDS}


def attacked(*reports: tuple[str, Both]) -> None:
    """No masked count is recovered from reports of one trial together."""
    attack = Attack()
    for name, (sheets, truth) in reports:
        attack.read(sheets.tables, truth, profile_named(name).least)
    ranges = attack.run()
    assert len(ranges) > 5
    assert recovered(ranges) == []


@pytest.mark.parametrize("name", THRESHOLDS)
def test_the_difference_between_the_arms_is_told(name: str, quick: dict[str, Both]) -> None:
    sheets, _ = quick[name]
    differences = sheets.tables["03_trajectory_differences"]
    assert sheets.patients == 160
    assert differences[["arm", "reference"]].drop_duplicates().to_numpy().tolist() == [["new", "usual"]]
    told = differences[["estimate", "lower", "upper", "p"]]
    assert told.ne(MASKED).all(axis=None) and (told["lower"] < told["estimate"]).all()
    assert len(sheets.tables["02_course_arms"]) == 2


@pytest.mark.parametrize("name", THRESHOLDS)
def test_no_masked_count_of_an_arm_is_recovered(name: str, quick: dict[str, Both]) -> None:
    attacked((name, quick[name]))


def test_tables_are_read_by_arm_and_for_all(quick: dict[str, Both]) -> None:
    baseline = quick["share-5"][0].tables["01_cohort_baseline"]
    assert baseline.groupby("arm", sort=False)["n"].first().to_dict() == {"usual": 80, "new": 80, "All": 160}
    assert quick["share-5"][0].tables["01_cohort_read"]["analysed"].tolist() == [160]


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["observed", "mi", "locf", "nri"])
def test_all_chapters_of_a_trial_are_shared(missing: str, tmp_path: Path) -> None:
    study = trial(tmp_path, n=160) | {"scale": "raw", "missing": missing}
    cohort = written(tmp_path, study, (*QUICK, *SLOW))
    for name in THRESHOLDS:
        sheets, truth = shared(tmp_path, cohort, name)
        attacked((name, (sheets, truth)))
        responders = "04_response_endpoints" + ("" if missing == "observed" else "_by_rule")
        by_arm = {"04_response_classes_by_arm", "04_response_endpoints_by_arm", "06_patient_reported_arms"}
        assert by_arm | {"08_sensitivity_arms", "06_patient_reported_targets", responders} <= set(sheets.tables)
        assert not [table for table in sheets.left_out if "arm" in table]
        told = pd.to_numeric(sheets.tables["08_sensitivity_arms"]["estimate"], errors="coerce")
        assert told.lt(0).all()


@pytest.mark.slow
def test_three_small_arms_with_many_measures_are_shared(tmp_path: Path) -> None:
    """Most counts are told though some arms and classes are tiny, and three reports together betray none."""
    cohort = written(tmp_path, three_arms(tmp_path), (*QUICK, *SLOW))
    reports = [(name, shared(tmp_path, cohort, name)) for name in THRESHOLDS]
    for report in reports:
        attacked(report)
    attacked(*reports)
    for _, (sheets, _) in reports:
        assert 100 < sheets.masked < sheets.cells / 3
