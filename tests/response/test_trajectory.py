"""The way from a cohort to the model and back: exact where the data are complete."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from easitrace import fit_mmrm
from easitrace.cohort.cohort import Cohort, Visit
from easitrace.response import trajectory

EXACT = 1e-9  # balanced complete data: the model is the paired t-test
RNG = np.random.default_rng(11)
BASELINE, LATER = RNG.uniform(5, 40, 14).round(1), RNG.uniform(0, 30, 14).round(1)


def cohort() -> Cohort:
    ids = [f"P{i:02d}" for i in range(14)]
    parts = [
        pd.DataFrame(
            {"patient": ids, "visit": label, "week": week, "day": 7 * week, "after_stop": False, "easi": scores}
        )
        for label, week, scores in (("baseline", 0.0, BASELINE), ("week 4", 4.0, LATER))
    ]
    visits = pd.concat(parts).sort_values(["patient", "week"], ignore_index=True)
    visits["visit"] = pd.Categorical(visits["visit"], ["baseline", "week 4"], ordered=True)
    patients = pd.DataFrame(
        {"patient": ids, "status": "completed", "stop_week": np.nan, "stop_reason": None, "age": 30.0}
    )
    return Cohort(visits, patients, (Visit("baseline", 0), Visit("week 4", 4)), "easi", pd.DataFrame(), pd.DataFrame())


def fitted(scale: trajectory.ScaleName) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = trajectory.model_rows(cohort(), scale)
    fit = fit_mmrm(trajectory.model_formula(), rows, patient="patient", visit="visit", df="kenward-roger")
    return trajectory.visit_means(fit, rows, scale), trajectory.visit_contrasts(fit, scale)


def test_the_raw_scale_is_the_paired_t_test() -> None:
    means, changes = fitted("raw")
    test = ttest_rel(LATER, BASELINE)
    interval = test.confidence_interval(0.95)
    (row,) = changes.to_dict("records")
    assert row["name"] == "week 4 v baseline"
    assert [row["estimate"], row["lower"], row["upper"]] == pytest.approx(
        [np.mean(LATER - BASELINE), interval.low, interval.high], rel=EXACT
    )
    assert [row["statistic"], row["df"], row["p"]] == pytest.approx([test.statistic, 13, test.pvalue], rel=EXACT)
    assert means["mean"].tolist() == pytest.approx([BASELINE.mean(), LATER.mean()], rel=EXACT)
    assert means["n"].tolist() == [14, 14]


def test_log_differences_are_percent_of_one_plus_score() -> None:
    means, changes = fitted("log1p")
    ratio = np.exp(np.mean(np.log1p(LATER) - np.log1p(BASELINE)))
    assert changes["estimate"].item() == pytest.approx(100 * (ratio - 1), rel=EXACT)
    assert means["mean"].iloc[1] == pytest.approx(np.expm1(np.log1p(LATER).mean()), rel=EXACT)


def test_roots_are_squared_back() -> None:
    means, changes = fitted("sqrt")
    assert means["mean"].iloc[1] == pytest.approx(np.sqrt(LATER).mean() ** 2, rel=EXACT)
    assert changes["estimate"].item() == pytest.approx(np.mean(np.sqrt(LATER) - np.sqrt(BASELINE)), rel=EXACT)


def test_sensitivity_says_where_nothing_can_be_estimated() -> None:
    table = trajectory.sensitivity(cohort(), (), 4.0, "kenward-roger")
    assert len(table) == len(trajectory.STRUCTURES) * len(trajectory.SCALES)
    alone = cohort()
    once = alone.visits[(alone.visits["week"] == 0) | (alone.visits["patient"] == "P03")]
    lost = trajectory.sensitivity(
        Cohort(once, alone.patients, alone.schedule, "easi", alone.events, alone.flow), (), 4.0, "kenward-roger"
    )
    us = lost[lost["covariance"] == "us"]
    assert (
        us["mean"].isna().all() and (us["status"] != "converged").all() and us["message"].str.contains("week 4").all()
    )


def test_formula_and_rows_carry_the_covariates() -> None:
    assert trajectory.model_formula(["age", "sex"]) == "y ~ visit + age + sex"
    assert trajectory.model_rows(cohort(), "raw", ["age"])["age"].eq(30).all()
