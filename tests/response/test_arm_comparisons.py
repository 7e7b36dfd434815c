"""Arms compared without the trajectory model: ranks, proportions, odds, drug survival, by R, statsmodels and SciPy."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep
from test_arms import REFERENCE, STRATA, VISITS, trial_csv

from easitrace import read_cohort
from easitrace.cohort.arms import each_arm
from easitrace.cohort.cohort import Cohort
from easitrace.response import survival
from easitrace.response.arm_endpoints import classes_by_arm, endpoints_by_arm, odds_ratios, risk_differences
from easitrace.response.arm_ranks import arm_comparisons, compared
from easitrace.response.arm_sensitivity import ArmModel, compare_arms
from easitrace.response.classify import classify
from easitrace.response.endpoints import endpoints
from easitrace.response.events import event_rates, events_on_treatment
from easitrace.response.rules import Rule
from easitrace.response.sensitivity import Case, Plan
from easitrace.response.states import response_answers

R = json.loads((REFERENCE / "arms.json").read_text(encoding="utf-8"))
PLAN = Plan("easi50", 16, "raw", ["sex", "arm"], "us", "satterthwaite", 0.95, "wilson", imputations=5, seed=3)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """The trial in which whoever has no score at week 16 stopped after the last visit."""
    path = trial_csv(tmp_path_factory.mktemp("trial"))
    table = pd.read_csv(path)
    last = table.dropna(subset=["easi"]).groupby("patient")["week"].max()
    stop = (7 * last[last < 16]).rename("stop_day")
    table.merge(stop, on="patient", how="left").assign(
        stop_reason=lambda t: np.where(t["stop_day"].notna(), "inefficacy", "")
    ).to_csv(path, index=False)
    columns = {"week": "week", "stop_day": "stop_day", "stop_reason": "stop_reason"}
    options: dict[str, Any] = {"columns": columns, "arm": "arm", "reference_arm": "placebo", "strata": STRATA}
    return read_cohort(Path(path), visits=VISITS, **options)


def test_ranks_are_those_of_r(cohort: Cohort) -> None:
    found = arm_comparisons(cohort).set_index("week")
    for theirs in R["ranks"]:
        row = found.loc[float(theirs["week"])]
        assert row["statistic"] == theirs["w"]
        assert row["p"] == pytest.approx(theirs["p"], rel=1e-9)
        assert "tie and continuity" in row["method"]


def test_small_samples_are_exact_as_in_r() -> None:
    theirs = R["exact"]
    ours = compared(theirs["x"], theirs["y"])
    assert ours["method"] == "exact Mann-Whitney test"
    found = [ours[name] for name in ("statistic", "p", "shift", "lower", "upper")]
    np.testing.assert_allclose(found, [theirs[name] for name in ("w", "p", "estimate", "lower", "upper")], rtol=1e-12)


def test_the_shift_is_the_median_of_all_differences() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(3, 2, 61).round(1), rng.normal(4, 2, 57).round(1)
    ours = compared(x, y)
    differences = np.sort(np.subtract.outer(x, y).ravel())
    assert ours["shift"] == pytest.approx(np.median(differences), abs=1e-9)
    assert differences[0] < ours["lower"] < ours["shift"] < ours["upper"] < differences[-1]
    assert 0.94 < ours["achieved"] < 0.97


def test_the_interval_of_the_shift_covers() -> None:
    rng = np.random.default_rng(4)
    covered = [
        low["lower"] <= 1 <= low["upper"]
        for low in (compared(rng.exponential(2, 15) + 1, rng.exponential(2, 12)) for _ in range(400))
    ]
    assert 0.93 <= np.mean(covered) <= 0.985  # at least 95 %, within 2.5 standard errors


@pytest.mark.parametrize(("x", "y"), [([], [1.0]), ([2.0, 2.0], [2.0])])
def test_where_nothing_can_be_compared_it_says_so(x: Any, y: Any) -> None:
    ours = compared(x, y)
    assert np.isnan(ours["p"]) and ours["method"].startswith("no test")


def test_risk_differences_are_newcombes(cohort: Cohort) -> None:
    case = Case(cohort, "treatment-policy", PLAN)
    table = risk_differences(endpoints_by_arm(case, ["easi50", "easi<=7"], "nri"), 0.9)
    assert len(table) == 8 and (table["n"] > 70).all()
    for row in table.to_dict("records"):
        counts = (row["responders"], row["n"], row["reference_responders"], row["reference_n"])
        lower, upper = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=0.1)
        assert [row["difference_lower"], row["difference_upper"]] == pytest.approx([lower, upper], rel=1e-9)


def test_the_arms_add_up_to_the_cohort(cohort: Cohort) -> None:
    case = Case(cohort, "while-on-treatment", PLAN)
    arms = endpoints_by_arm(case, ["easi50"], "observed").groupby("week")[["responders", "n", "left_out"]].sum()
    whole = endpoints(cohort, ["easi50"], estimand="while-on-treatment").set_index("week")
    pd.testing.assert_frame_equal(arms, whole[["responders", "n", "left_out"]], check_dtype=False)
    classes = classify(cohort, criterion="easi50", decision_week=16, estimand="while-on-treatment")
    counts = classes_by_arm(cohort, classes).query("denominator == 'patients'").groupby("class", observed=True)["count"]
    assert counts.sum().to_dict() == classes["class"].value_counts().to_dict()


def test_odds_ratios_are_those_of_one_model_of_both_arms(cohort: Cohort) -> None:
    """Independent working correlation: the model by arm is the saturated model of visit and arm."""
    from statsmodels.genmod.cov_struct import Independence
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    rule = Rule("easi50", decision_week=16)
    ours = odds_ratios(cohort, ["easi50"], rule, working="independence").set_index("week")
    answers = response_answers(cohort, rule).dropna(subset=["met"])
    answers = answers.merge(cohort.patients[["patient", "arm"]], on="patient")
    weeks = sorted(answers["week"].unique())
    X = np.column_stack(
        [
            (answers["week"] == week) & (answers["arm"].isin(who))
            for who in (["placebo", "drug"], ["drug"])
            for week in weeks
        ]
    ).astype(float)
    model = GEE(
        answers["met"].astype(float), X, groups=answers["patient"], family=Binomial(), cov_struct=Independence()
    )
    theirs = model.fit()
    assert np.log(ours.loc[weeks, "odds_ratio"]).to_list() == pytest.approx(theirs.params[len(weeks) :], rel=1e-6)
    robust = np.log(ours["upper"] / ours["lower"]) / (2 * 1.959964)
    assert robust.loc[weeks].to_list() == pytest.approx(theirs.bse[len(weeks) :], rel=0.06)  # not corrected there


def test_log_rank_is_that_of_r(cohort: Cohort) -> None:
    times = survival.time_on_treatment(cohort)
    assert survival.log_rank(times, cohort)["chi_square"] == pytest.approx(R["log_rank"], rel=1e-8)
    by_sex = survival.log_rank(times, cohort, ["sex"])
    assert by_sex["chi_square"] == pytest.approx(R["log_rank_by_sex"], rel=1e-8)
    assert (by_sex["df"], by_sex["n"]) == (1, 160)


def test_drug_survival_of_an_arm_is_that_of_its_patients(cohort: Cohort) -> None:
    curve = survival.kaplan_meier(survival.time_on_treatment(cohort))
    weeks = survival.at_weeks(curve, survival.time_on_treatment(cohort), [0, 8, 16])
    for arm, part in each_arm(cohort).items():
        times = survival.time_on_treatment(part)
        own = survival.kaplan_meier(times)
        pd.testing.assert_frame_equal(curve[curve["arm"] == arm].drop(columns="arm").reset_index(drop=True), own)
        expected = survival.at_weeks(own, times, [0, 8, 16])
        pd.testing.assert_frame_equal(weeks[weeks["arm"] == arm].drop(columns="arm").reset_index(drop=True), expected)


def test_events_are_counted_by_arm(cohort: Cohort) -> None:
    from dataclasses import replace

    patients = ["P001", "P001", "P002", "P004"]  # placebo, placebo, drug, drug
    rows = {"patient": patients, "event": "acne", "day": 1.0, "serious": False}
    told = replace(cohort, events=pd.DataFrame(rows))
    times = survival.time_on_treatment(told)
    rates = event_rates(events_on_treatment(told, times), times).query("event == 'acne'").set_index("arm")
    assert rates[["patients", "events", "n"]].to_numpy().tolist() == [[1, 2, 80], [2, 2, 80]]


def test_the_difference_under_every_estimand_and_rule(cohort: Cohort) -> None:
    from scipy.stats import ttest_ind

    table = compare_arms(cohort, PLAN, ArmModel("own")).set_index(["estimand", "missing"])
    assert len(table) == 16 and (table["reference"] == "placebo").all()
    locf = table.loc[("treatment-policy", "locf")]
    wide = cohort.wide().ffill(axis=1)
    change, drug = wide[16.0] - wide[0.0], (cohort.patients.set_index("patient")["arm"] == "drug").reindex(wide.index)
    test = ttest_ind(change[drug], change[~drug])
    assert [locf["estimate"], locf["p"]] == pytest.approx([change[drug].mean() - change[~drug].mean(), test.pvalue])
    assert table.loc[("composite", "nri"), "message"] == "the rule says nothing about scores"
    imputed, recorded = table.loc[("hypothetical", "mi")], table.loc[("hypothetical", "observed")]
    assert imputed["estimate"] == pytest.approx(recorded["estimate"], abs=1.5) and imputed["lower"] < imputed["upper"]
