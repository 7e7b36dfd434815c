"""A trial with two arms goes through the chapters: each says what the arms differ in, and nothing pools them unsaid."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from chapters import run_chapter
from easitrace import fit_mmrm, read_cohort
from easitrace.errors import ParameterError
from easitrace.parameters import check_parameters
from easitrace.response import trajectory
from easitrace.response.estimands import under_estimand

VISITS = {"start": 0, "week 6": 6, "week 12": 12}
POOLING = {"05_classes": "Latent courses are of all arms together", "06_patient_reported": "of all arms together"}


def trial(path: Path, outcome: str = "easi", n: int = 44) -> dict[str, Any]:
    """Parameters of a trial of `usual` and `new` with stops and a second measure; scores fall, faster under `new`."""
    rng = np.random.default_rng(12)
    rows = []
    for patient in range(n):
        arm, site = ("new", "usual")[patient % 2], ("A", "B")[patient % 4 // 2]
        level, stop = rng.normal(26, 5), 40 if patient % 11 == 0 else ""
        for week in (0, 6, 12):
            if week == 12 and (stop or patient % 9 == 4):
                continue
            score = np.clip(level - week * (0.5 + 0.6 * (arm == "new")) + rng.normal(0, 3), 0, 52).round(0)
            reason = "inefficacy" if stop else ""
            rows.append((f"P{patient:02}", arm, site, week, score, int(score // 2), stop, reason))
    names = ["patient", "group", "site", "week", outcome, "poem", "stop_day", "stop_reason"]
    pd.DataFrame(rows, columns=names).to_csv(path / "trial.csv", index=False)
    columns = {name: name for name in ("week", "poem", "stop_day", "stop_reason")}
    design = {"arm": "group", "reference_arm": "usual", "strata": ["site"], "context": False, "style": {}}
    return {"data": str(path / "trial.csv"), "columns": columns, "visits": VISITS, "decision_week": 12, **design}


def numbers(shown: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shown.splitlines()[-1])
    return found


@pytest.fixture
def study(tmp_path: Path) -> dict[str, Any]:
    return trial(tmp_path)


def test_the_cohort_by_arm(study: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run_chapter("01_cohort", monkeypatch, **study)
    found = numbers(shown)
    assert (found["n_patients_usual"], found["n_patients_new"], found["n_patients"]) == (22, 22, 44)
    assert "Arms: usual (reference, n = 22) and new (n = 22)." in shown
    assert ">usual, n = 22</th>" in shown and ">new, n = 22</th>" in shown and ">All, n = 44</th>" in shown
    assert "randomised arms differ by chance" in shown


def test_the_observed_course_by_arm(study: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    found = numbers(run_chapter("02_course", monkeypatch, **study))
    table = pd.read_csv(study["data"]).query("week == 12")
    medians = table.groupby("group")["easi"].median()
    assert [found["median_week_12_new"], found["median_week_12_usual"]] == [medians["new"], medians["usual"]]
    assert found["arm_shift_new_v_usual_week_12"] < 0 and found["arm_shift_p_new_v_usual_week_12"] < 0.05
    assert "pairs_week_12_v_start_new" in found and "pairs_week_12_v_week_6_new" not in found


@pytest.mark.parametrize("rule", ["common", "own"])
def test_the_estimated_course_by_arm(study: dict[str, Any], rule: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run_chapter("03_trajectory", monkeypatch, **study, scale="raw", baseline=rule)
    reading = {name: study[name] for name in ("data", "columns", "visits", "arm", "reference_arm", "strata")}
    cohort = under_estimand(read_cohort(**reading), "while-on-treatment")
    rows = trajectory.model_rows(cohort, "raw", ["site"], rule)
    fit = fit_mmrm(trajectory.model_formula(["site"], rule), rows, patient="patient", visit="visit", df="kenward-roger")
    expected = trajectory.arm_differences(fit, rows, "raw").iloc[-1]
    prefix = {"common": "arm_difference", "own": "arm_difference_of_changes"}[rule]
    found = numbers(shown)
    assert found[f"{prefix}_new_v_usual_week_12"] == pytest.approx(expected["estimate"])
    assert found[f"{prefix}_p_new_v_usual_week_12"] == pytest.approx(expected["p"])
    assert "no difference between the arms at any visit" in shown
    assert ("constrained longitudinal data analysis" in shown) == (rule == "common")
    assert "There is no comparison group" not in shown


def test_the_treatment_course_by_arm(study: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    found = numbers(run_chapter("07_treatment", monkeypatch, **study))
    assert found["at_risk_week_0_new"] == found["at_risk_week_0_usual"] == 22
    assert found["log_rank_df"] == 1 and 0 < found["log_rank_p"] <= 1


@pytest.mark.parametrize("chapter", POOLING)
def test_a_chapter_that_pools_the_arms_says_so(
    chapter: str, study: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert POOLING[chapter] in run_chapter(chapter, monkeypatch, **study, starts=5, max_classes=2)


@pytest.mark.slow
def test_response_and_sensitivity_by_arm(study: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    response = numbers(run_chapter("04_response", monkeypatch, **study))
    there = pd.read_csv(study["data"]).pivot(index=["patient", "group"], columns="week", values="easi").dropna()
    met = (there[12] <= 0.5 * there[0]).groupby("group")
    risk = met.mean()["new"] - met.mean()["usual"]
    assert response["risk_difference_new_v_usual_easi50_week_12"] == pytest.approx(risk)
    assert response["responders_easi50_week_12_new"] == met.sum()["new"]
    sensitivity = numbers(run_chapter("08_sensitivity", monkeypatch, **study, imputations=5, scale="raw"))
    model = numbers(run_chapter("03_trajectory", monkeypatch, **study, scale="raw"))
    ours = sensitivity["arm_difference_new_v_usual_while_on_treatment_observed"]
    assert ours == pytest.approx(model["arm_difference_new_v_usual_week_12"])
    assert sensitivity["arm_difference_upper_new_v_usual_hypothetical_mi"] < 0


def test_another_outcome_goes_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = trial(tmp_path, "ham_d")
    declared = {"name": "ham_d", "label": "HAM-D", "minimum": 0, "maximum": 52, "grid": 1, "better": "higher"}
    study |= {"outcome": "ham_d", "instrument": declared}
    shown = run_chapter("03_trajectory", monkeypatch, **study, baseline="covariate-by-visit")
    assert "Differences of HAM-D between the arms" in shown and "above zero is better" in shown
    assert numbers(shown)["arm_difference_new_v_usual_week_12"] < 0
    assert "HAM-D" in run_chapter("02_course", monkeypatch, **study)


GOOD = {"study": "x", "title": "X", "data": "x.csv", "visits": {"0": 0, "4": 4}, "decision_week": 4, "seed": 1}
GOOD |= {"estimand": "hypothetical", "arm": "group", "reference_arm": "usual"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"arm": None}, "reference_arm: is about arms"),
        ({"arm": None, "reference_arm": None, "strata": ["site"]}, "strata: is about arms"),
        ({"arm": None, "reference_arm": None, "covariance_by_arm": True}, "covariance_by_arm: is about arms"),
        ({"reference_arm": None}, "reference_arm: required with arm"),
        ({"covariates": ["group"]}, "covariates: group already is under arm"),
        ({"baseline": "covariate"}, "models the visits after baseline, and there is one"),
    ],
)
def test_parameters_of_arms_that_contradict(change: dict[str, Any], says: str) -> None:
    check_parameters(GOOD)
    with pytest.raises(ParameterError, match=says):
        check_parameters({**GOOD, **change})
