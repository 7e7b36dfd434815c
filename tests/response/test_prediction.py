"""Early prediction: the conditional normal by hand, refits without each patient, simulated cohorts, sentences."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t
from simulated_cohorts import sigma, simulated_cohort
from small_cohorts import cohort_of

from easitrace import fit_mmrm
from easitrace.cohort.builtin import load_builtin
from easitrace.errors import NotEstimableError
from easitrace.models.predictive import drawn
from easitrace.report import prose
from easitrace.response import prediction as early
from easitrace.response.class_probability import fitted
from easitrace.response.criteria import met
from easitrace.response.estimands import under_estimand
from easitrace.response.limits import response_limit
from easitrace.response.trajectory import model_rows

QUESTION = early.Question("easi50", 12, "log1p")


@pytest.fixture(scope="module")
def study() -> tuple[Any, Any]:
    """The built-in cohort and its model."""
    cohort = under_estimand(load_builtin("baricitinib"), "while-on-treatment")
    return cohort, fitted(cohort, "log1p", [], covariance="us", df="kenward-roger")[0]


@pytest.fixture(scope="module")
def validated(study: tuple[Any, Any]) -> pd.DataFrame:
    return early.cross_validated(*study, QUESTION, seed=1)


def by_hand(cohort: Any, fit: Any, baseline: float, score: float, seed: int) -> float:
    """P(EASI-50 at week 12) for one patient, over the same draws of the parameters, by the textbook's formulas."""
    parameters = drawn(fit, early.PARAMETER_DRAWS, np.random.default_rng([seed, 1]))
    (limit,) = response_limit(cohort, "easi50", [baseline])
    y = np.log1p([baseline, score])
    found = []
    for beta, S in zip(parameters.beta, parameters.sigma, strict=True):
        mu = beta[0] + np.array([0, beta[1], beta[2]])
        b = np.linalg.solve(S[:2, :2], S[:2, 2])
        m, v = mu[2] + b @ (y - mu[:2]), S[2, 2] - S[2, :2] @ b
        found.append(norm.cdf((np.log1p(limit + 0.05) - m) / np.sqrt(v)))
    return float(np.mean(found))


def test_each_patient_has_the_conditional_normal_probability(study: tuple[Any, Any]) -> None:
    cohort, fit = study
    table = early.predicted(cohort, fit, QUESTION, seed=3)
    wide = cohort.wide()
    assert len(table) == wide[[0.0, 4.0]].notna().all(axis=1).sum()
    for row in table.to_dict("records")[::5]:
        assert (row["baseline"], row["early"]) == tuple(wide.loc[row["patient"], [0.0, 4.0]])
        assert row["probability"] == pytest.approx(by_hand(cohort, fit, row["baseline"], row["early"], 3), abs=1e-12)
    answers = met(cohort, "easi50")[12.0].loc[table["patient"]]
    assert table["response"].astype(object).fillna(-1).tolist() == answers.astype(object).fillna(-1).tolist()


def test_leaving_one_out_is_refitting_without_the_patient(study: tuple[Any, Any], validated: pd.DataFrame) -> None:
    from statsmodels.discrete.discrete_model import Logit

    cohort, _ = study
    rows, wide = model_rows(cohort, "log1p"), np.log1p(cohort.wide())
    assert len(validated) == 18 and validated["fold"].is_unique
    for row in validated.to_dict("records")[::6]:
        others = rows[rows["patient"] != row["patient"]]
        fit = fit_mmrm("y ~ visit", others, patient="patient", visit="visit", df="residual")
        own = cohort.wide().loc[row["patient"]]
        assert row[early.MODEL] == pytest.approx(by_hand(cohort, fit, own[0.0], own[4.0], 1), abs=1e-10)
        known = validated[validated["patient"] != row["patient"]]
        assert row[early.BASE_RATE] == pytest.approx(known["response"].mean())
        for name, weeks in ((early.EARLY_ONLY, [4.0]), (early.BOTH, [0.0, 4.0])):
            X = np.column_stack([np.ones(17), wide.loc[known["patient"], weeks]])
            plain = Logit(known["response"].to_numpy(float), X).fit(disp=0)
            x = np.concatenate([[1.0], wide.loc[row["patient"], weeks]])
            assert row[name] == pytest.approx(plain.predict(x)[0], abs=1e-5)


def test_the_brier_table_by_hand(validated: pd.DataFrame) -> None:
    table = early.brier_table(validated, 0.9).set_index("method")
    y = validated["response"].to_numpy(float)
    gap = (validated[early.MODEL] - y) ** 2 - (validated[early.BASE_RATE] - y) ** 2
    half = t.ppf(0.95, 17) * gap.std() / np.sqrt(18)
    row = table.loc[early.MODEL]
    assert row["brier"] == pytest.approx(np.mean((validated[early.MODEL] - y) ** 2))
    assert (row["lower"], row["upper"]) == pytest.approx((gap.mean() - half, gap.mean() + half))
    assert table.loc[early.BASE_RATE, "difference"] == 0
    assert row["expected"] == pytest.approx(validated[early.MODEL].sum()) and row["responders"] == y.sum()


def test_the_built_in_cohort_is_too_small_and_the_sentence_says_so(validated: pd.DataFrame) -> None:
    brier = early.brier_table(validated)
    row = brier.set_index("method").loc[early.MODEL]
    assert row["lower"] < 0 < row["upper"]
    assert "do not show that the first follow-up visit predicts" in prose.verdict_template(brier)


def simulated(correlation: float, n: int = 300, seed: int = 8) -> tuple[Any, pd.DataFrame]:
    cohort, _ = simulated_cohort(n, sigma(correlation), seed=seed)
    fit, _ = fitted(cohort, "log1p", [], covariance="us", df="residual")
    return cohort, early.cross_validated(cohort, fit, QUESTION, seed=1)


def test_it_beats_the_base_rate_and_the_early_score_alone_where_there_is_something_to_predict() -> None:
    _, found = simulated(0.8)
    assert found["fold"].nunique() == early.FOLDS and len(found) == 300 and found["patient"].is_unique
    brier = early.brier_table(found).set_index("method")
    assert brier.loc[early.MODEL, "upper"] < 0
    assert brier.loc[early.MODEL, "brier"] < brier.loc[early.EARLY_ONLY, "brier"] < brier.loc[early.BASE_RATE, "brier"]
    assert "predicts better than the base rate" in prose.verdict_template(brier.reset_index())
    p = found[early.MODEL]
    assert abs(p.sum() - found["response"].sum()) < 2.5 * np.sqrt((p * (1 - p)).sum())


def test_the_predictions_are_calibrated_in_groups() -> None:
    _, found = simulated(0.8)
    groups = early.calibration(found)
    assert groups["n"].sum() == 300 and len(groups) == early.MOST_GROUPS and groups["n"].min() == 30
    assert groups["predicted"].is_monotonic_increasing
    inside = (groups["lower"] <= groups["predicted"]) & (groups["predicted"] <= groups["upper"])
    assert inside.sum() >= 8


def test_where_there_is_nothing_to_predict_no_gain_is_claimed() -> None:
    """All visits independent, and baselines all but equal."""
    covariance = np.diag([1e-3, 0.36, 0.36])
    cohort, _ = simulated_cohort(120, covariance, seed=3)
    fit, _ = fitted(cohort, "log1p", [], covariance="us", df="residual")
    brier = early.brier_table(early.cross_validated(cohort, fit, QUESTION, seed=1))
    assert "predicts better" not in prose.verdict_template(brier)


def test_the_chart_agrees_with_the_patients_on_it(study: tuple[Any, Any]) -> None:
    cohort, fit = study
    chart = early.chart(cohort, fit, QUESTION, seed=3)
    patients = early.predicted(cohort, fit, QUESTION, seed=3)
    assert len(chart) == early.CHART_POINTS**2 and chart["probability"].between(0, 1).all()
    scores = chart[["baseline", "early"]].to_numpy()
    for row in patients.to_dict("records"):
        nearest = np.abs(np.log1p(scores) - np.log1p([row["baseline"], row["early"]])).max(axis=1).argmin()
        assert chart["probability"].iloc[nearest] == pytest.approx(row["probability"], abs=0.06)
        assert chart["beyond"].iloc[nearest] < 0.15
    by_early = chart.pivot(index="baseline", columns="early", values="probability").to_numpy()
    assert (np.diff(by_early, axis=1) < 0).all()  # the worse at week 4, the less probable
    assert np.allclose(chart["limit"], chart["baseline"] / 2)


def test_points_without_patients_lie_beyond_the_hull() -> None:
    seen = pd.DataFrame({"baseline": [1.0, 9, 9, 1], "early": [1.0, 1, 5, 5]})
    grid = pd.DataFrame({"baseline": [5.0, 12, 0.5], "early": [3.0, 3, 3]})
    assert (early._beyond(grid, seen, "raw") > 0).tolist() == [False, True, True]
    assert early._beyond(grid, seen, "raw")[1] == pytest.approx(3.0)
    assert np.isinf(early._beyond(grid, seen.head(2), "raw")).all()


def test_a_separated_regression_gives_no_probability() -> None:
    people = {
        f"P{i}": {"easi": [20, e, s]} for i, (e, s) in enumerate([(3, 4), (4, 5), (5, 3), (15, 19), (16, 12), (17, 18)])
    }
    cohort = cohort_of(people, weeks=(0, 4, 12))
    known = early._candidates(cohort, QUESTION).assign(response=lambda f: f["response"].astype(bool))
    found = early._logistic(lambda f: np.column_stack([np.ones(len(f)), f["early"]]), known, known)
    assert np.isnan(found).all()


@pytest.mark.parametrize(
    ("question", "scores", "reason"),
    [
        (early.Question("easi50", 4, "log1p"), [20, 5, 4], "first visit after baseline"),
        (early.Question("easi50 and poem<=7", 12, "log1p"), [20, 5, 4], "about poem"),
        (early.Question("easi50", 12, "log1p"), [20, 5, 4], "all of the 8 patients"),
        (early.Question("easi90", 12, "log1p"), [20, 5, 4], "none of the 8 patients"),
    ],
)
def test_what_cannot_be_predicted_is_said(question: early.Question, scores: list[float], reason: str) -> None:
    shift = np.linspace(0, 1, 8)
    people = {
        f"P{i}": {"easi": [scores[0] + s, scores[1], scores[2] + s / 2], "poem": [20, 9, 9]}
        for i, s in enumerate(shift)
    }
    cohort = cohort_of(people, weeks=(0, 4, 12))
    noisy, _ = simulated_cohort(30, sigma(0.5), seed=1)
    fit, _ = fitted(noisy, "log1p", [], covariance="us", df="residual")
    assert reason in early.obstacle(cohort, fit, question)
    if "first" in reason or "about" in reason:
        with pytest.raises(NotEstimableError, match="E330"):
            early.predicted(cohort, fit, question, seed=1)
