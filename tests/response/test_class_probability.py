"""Class probabilities: sums, known classes, the class rule on every draw, simulated truth."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from simulated_cohorts import sigma, simulated_cohort
from small_cohorts import cohort_of

from easitrace.errors import NotEstimableError
from easitrace.instruments import Instrument
from easitrace.response import class_probability as cp
from easitrace.response.classify import CLASSES, CLASSIFIED, classify
from easitrace.response.criteria import met
from easitrace.response.endpoints import endpoints
from easitrace.response.limits import response_limit
from easitrace.response.marginal_endpoints import marginal_endpoints
from easitrace.response.rules import Rule
from easitrace.response.states import response_states, state_counts

RULE = Rule("easi50", "strict", 12, "while-on-treatment")
NAMES = list(CLASSES)


@pytest.fixture(scope="module")
def study() -> tuple[Any, Any]:
    """80 patients of whom a third are in follow-up, and their model."""
    cohort, _ = simulated_cohort(80, sigma(0.7), seed=4, waiting=0.3)
    return cohort, cp.fitted(cohort, "log1p", [], covariance="us", df="residual")[0]


@pytest.fixture(scope="module")
def table(study: tuple[Any, Any]) -> pd.DataFrame:
    cohort, fit = study
    return cp.class_probabilities(cohort, fit, RULE, "log1p", seed=1)


def test_the_probabilities_of_a_patient_add_up_to_one(study: tuple[Any, Any]) -> None:
    cohort, fit = study
    every = cp.by_reliability(cohort, fit, RULE, "log1p", seed=1)
    assert set(every["reliability"]) == set(cp.reliabilities(fit))
    assert np.allclose(every[NAMES].sum(axis=1), 1)
    assert (every[NAMES] >= 0).all(axis=None)


def test_a_class_that_is_known_is_certain(study: tuple[Any, Any], table: pd.DataFrame) -> None:
    classes = classify(study[0], **asdict(RULE))["class"].astype(str)
    known = ~table["pending"]
    assert (table["observed"] == classes).all()
    assert (table.loc[known, NAMES].idxmax(axis=1) == classes[known]).all()
    assert (table.loc[known, NAMES].max(axis=1) == 1).all()
    assert (table.loc[~known, "observed"] == "not classifiable yet").all() and (~known).sum() > 15


def test_patients_in_follow_up_end_in_the_classes_that_are_left_to_them(
    study: tuple[Any, Any], table: pd.DataFrame
) -> None:
    """Who met EASI-50 at week 4 becomes responder or temporary responder, others responder or non-responder."""
    at_week_4 = met(study[0], "easi50")[4.0].to_numpy(bool)
    waiting = table["pending"].to_numpy()
    assert (table.loc[waiting & at_week_4, "non-responder"] == 0).all()
    assert (table.loc[waiting & ~at_week_4, "temporary responder"] == 0).all()
    assert (table.loc[waiting, list(CLASSIFIED)].sum(axis=1) == 1).all()


def test_the_probability_of_response_is_the_conditional_normal_one(study: tuple[Any, Any], table: pd.DataFrame) -> None:
    from easitrace.response.prediction import Question, predicted

    cohort, fit = study
    exact = predicted(cohort, fit, Question("easi50", 12, "log1p"), seed=2).set_index("patient")["probability"]
    own = table[table["pending"]].set_index("patient")
    draws = own["draws"].iloc[0]
    p = exact.loc[own.index]
    assert (np.abs(own["responder"] - p) < 4 * np.sqrt(p * (1 - p) / draws) + 0.02).all()
    assert abs((own["responder"] - p).mean()) < 0.01


@pytest.mark.parametrize("loss_rule", ["strict", "half_of_best"])
@pytest.mark.parametrize("criterion", ["easi50", "drop>=6.6", "easi75 or easi<=7"])
def test_one_course_of_each_kind_stands_for_all_of_them(study: tuple[Any, Any], loss_rule: str, criterion: str) -> None:
    cohort = study[0]
    rng = np.random.default_rng(3)
    points = cp.on_grid(cohort, np.expm1(np.log1p([12, 6, 6]) + 0.7 * rng.standard_normal((4, 150, 3))))
    points[3, :, 1] = np.nan
    points[0, :20, 0] = 0
    rule = replace(RULE, criterion=criterion, loss_rule=loss_rule)
    patients = cohort.patients["patient"].to_numpy()[:4]
    everyone = cp._cohort_of(cohort, np.repeat(patients, 150), [0.0, 4.0, 12.0], points.reshape(-1, 3))
    codes = classify(everyone, **asdict(rule))["class"].cat.codes.to_numpy().reshape(4, 150)
    by_hand = np.stack([(codes == k).mean(axis=1) for k in range(len(CLASSES))], axis=1)
    scores = cp.Scores(patients, None, None, [0.0, 4.0, 12.0])
    assert np.array_equal(cp._shares(cohort, scores, points, rule), by_hand)
    assert len(np.unique(codes)) >= 3


def test_a_baseline_that_leaves_the_criterion_out_of_reach_is_a_kind_of_its_own() -> None:
    """Stopped for inefficacy after the baseline visit: a non-responder only where a drop of 6.6 was possible."""
    stopped = {"easi": [9, None, None], "status": "stopped", "stop_week": 2.0, "stop_reason": "inefficacy"}
    cohort = cohort_of({"A": stopped}, weeks=(0, 4, 12))
    points = np.full((1, 100, 3), np.nan)
    points[0, :, 0] = np.repeat([5.0, 9.0], 50)
    scores = cp.Scores(np.array(["A"]), None, None, [0.0, 4.0, 12.0])
    shares = dict(zip(NAMES, cp._shares(cohort, scores, points, replace(RULE, criterion="drop>=6.6"))[0], strict=True))
    assert shares["non-responder"] == 0.5 and shares["not classifiable, visit missing"] == 0.5


def test_the_true_courses_are_recovered_from_scores_with_error() -> None:
    """Of 500 simulated patients, as many are expected in each class as there are without error, within 2.5 SE."""
    error = 0.05
    covariance = sigma(0.7)
    cohort, exact = simulated_cohort(500, covariance, seed=9, error=error)
    fit, _ = cp.fitted(cohort, "log1p", [], covariance="us", df="residual")
    reliability = float(1 - error / np.diag(np.asarray(fit.covariance)).mean())
    found = cp.class_probabilities(cohort, fit, RULE, "log1p", reliability=reliability, seed=1)
    truth = classify(exact, **asdict(RULE))["class"].astype(str).to_numpy()
    seen = found["observed"].to_numpy()
    for name in CLASSIFIED:
        p = found[name].to_numpy()
        assert abs(p.sum() - (truth == name).sum()) < 2.5 * np.sqrt((p * (1 - p)).sum())
        mine = seen == name
        assert abs(p[mine].sum() - (truth[mine] == name).sum()) < 2.5 * np.sqrt((p * (1 - p))[mine].sum())
    temporary = seen == "temporary responder"
    assert (truth[temporary] == "temporary responder").mean() < 0.8  # error alone makes some of them


def test_patients_in_follow_up_are_calibrated() -> None:
    """Over simulated cohorts, expected less later share of each class is zero on average, within 2.5 SE."""
    gaps = []
    for seed in range(100, 124):
        cohort, later = simulated_cohort(150, sigma(0.7), seed=seed, waiting=0.5)
        fit, _ = cp.fitted(cohort, "log1p", [], covariance="us", df="residual")
        found = cp.class_probabilities(cohort, fit, RULE, "log1p", seed=1)
        truth = pd.get_dummies(classify(later, **asdict(RULE))["class"].astype(str)).astype(float)
        waiting = found["pending"].to_numpy()
        gaps.append((found.loc[waiting, list(CLASSIFIED)] - truth.loc[waiting, list(CLASSIFIED)]).mean())
    table = pd.DataFrame(gaps)
    assert (table.mean().abs() < 2.5 * table.std() / np.sqrt(len(table))).all()
    assert (table.std() / np.sqrt(len(table)) < 0.02).all()


def test_more_error_than_the_covariance_has_room_for_is_refused(study: tuple[Any, Any]) -> None:
    cohort, fit = study
    least = cp.least_reliability(fit)
    assert least == pytest.approx(1 - np.linalg.eigvalsh(fit.covariance)[0] / np.diag(fit.covariance).mean())
    with pytest.raises(NotEstimableError, match="no room for a reliability"):
        cp.class_probabilities(cohort, fit, RULE, "log1p", reliability=least - 0.3, seed=1)
    assert all(value > least for value in cp.reliabilities(fit))
    assert cp.shown_reliability(fit) >= cp.SHOWN


def test_the_same_seed_gives_the_same_numbers(study: tuple[Any, Any], table: pd.DataFrame) -> None:
    cohort, fit = study
    assert cp.class_probabilities(cohort, fit, RULE, "log1p", seed=1).equals(table)
    assert not cp.class_probabilities(cohort, fit, RULE, "log1p", seed=2).equals(table)


def test_a_criterion_of_another_instrument_is_refused() -> None:
    cohort = cohort_of({"A": {"easi": [10, 5, 5], "poem": [20, 9, 9]}}, weeks=(0, 4, 12))
    with pytest.raises(NotEstimableError, match=r"E330.*poem"):
        cp.check_of_outcome(cohort, "easi50 and poem<=7")
    cp.check_of_outcome(cohort, "easi50 or drop>=6.6")


def test_expected_counts_add_up_to_the_patients(study: tuple[Any, Any]) -> None:
    cohort, fit = study
    counts = cp.expected_counts(cp.by_reliability(cohort, fit, RULE, "log1p", seed=1))
    assert np.allclose(counts.groupby("reliability")["expected"].sum(), 80)
    assert (counts.groupby("reliability")["observed"].sum() == 80).all()
    first = counts[counts["reliability"] == 1].set_index("class")
    for name in CLASSIFIED:
        assert first.loc[name, "confirmed"] == first.loc[name, "observed"]


def test_patients_without_a_covariate_keep_the_class_they_have() -> None:
    cohort, _ = simulated_cohort(40, sigma(0.7), seed=5, waiting=0.3)
    people = cohort.patients.assign(age=np.arange(40.0))
    people.loc[people["status"] == "in follow-up", "age"] = np.nan
    cohort = replace(cohort, patients=people)
    fit, _ = cp.fitted(cohort, "log1p", ["age"], covariance="us", df="residual")
    found = cp.class_probabilities(cohort, fit, RULE, "log1p", ["age"], seed=1)
    waiting = people["status"].to_numpy() == "in follow-up"
    assert not found["pending"].any()
    assert (found.loc[waiting, "not classifiable yet"] == 1).all() and waiting.sum() > 5


def test_states_by_visit() -> None:
    """Written out by hand: kept, lost, regained, stopped, missed, in follow-up, never."""
    cohort = cohort_of(
        {
            "A": {"easi": [20, 5, 4]},
            "B": {"easi": [20, 5, 19]},
            "C": {"easi": [20, 19, 5]},
            "D": {"easi": [20, 5, None], "status": "stopped", "stop_week": 6.0, "stop_reason": "inefficacy"},
            "E": {"easi": [20, None, 4]},
            "F": {"easi": [20, 18, None], "status": "in follow-up"},
            "G": {"easi": [20, 6, 11]},
        },
        weeks=(0, 4, 12),
    )
    rule = Rule("easi50", "half_of_best", 12, "while-on-treatment")
    states = response_states(cohort, rule).pivot(index="patient", columns="week", values="state")
    assert states[4.0].tolist() == [
        "response",
        "response",
        "no response",
        "response",
        "missed",
        "no response",
        "response",
    ]
    kept_by_rule = "response"
    assert states[12.0].tolist() == [
        "response", "response lost", "response", "stopped", "response", "in follow-up", kept_by_rule,
    ]  # fmt: skip
    strict = response_states(cohort, replace(rule, loss_rule="strict"))
    assert strict.set_index(["patient", "week"])["state"]["G", 12.0] == "response lost"
    assert (state_counts(strict).groupby("visit", observed=True)["patients"].sum() == 7).all()


@pytest.mark.parametrize("estimand", ["while-on-treatment", "composite"])
def test_the_marginal_model_counts_whom_the_endpoint_counts(estimand: str) -> None:
    from easitrace.cohort.builtin import load_builtin

    cohort = load_builtin("baricitinib")
    criteria = ["easi50", "drop>=6.6", "easi90"]
    observed = endpoints(cohort, criteria, estimand=estimand)
    marginal = marginal_endpoints(cohort, criteria, replace(RULE, estimand=estimand))
    keys = ["criterion", "visit", "week", "responders", "n"]
    assert marginal[keys].astype(str).equals(observed[keys].astype(str))


HIGHER = Instrument("wellbeing", "Wellbeing", minimum=0, maximum=10, grid=0.5, better="higher")
LOWER_CRITERIA = ["easi50", "easi75", "easi90", "easi<=7", "drop>=6.6", "easi50 and easi<=7", "easi75 or drop>=6.6"]
HIGHER_CRITERIA = [
    "wellbeing50",
    "wellbeing>=7",
    "rise>=2.5",
    "wellbeing50 and wellbeing>=7",
    "rise>=2.5 or wellbeing>=9",
]


@pytest.mark.parametrize(
    ("outcome", "criterion"),
    [*(("easi", text) for text in LOWER_CRITERIA), *(("wellbeing", text) for text in HIGHER_CRITERIA)],
)
def test_the_limit_of_response_is_the_border_of_the_criterion(outcome: str, criterion: str) -> None:
    """On the whole grid of follow-up scores, from several baselines."""
    one = HIGHER if outcome == "wellbeing" else None
    step, top = (0.5, 10.0) if one else (0.1, 72.0)
    later = np.round(np.arange(0, top + step / 2, step), 6)
    for baseline in (0.5, 2.0, 6.5, 7.0, 9.5) if one else (0.3, 5.0, 6.6, 12.3, 33.3, 71.9):
        people = {f"P{i:04}": {outcome: [baseline, score]} for i, score in enumerate(later)}
        cohort = cohort_of(people, weeks=(0, 4), outcome=outcome, declared=one)
        answers = met(cohort, criterion)[4.0]
        (limit,) = response_limit(cohort, criterion, [baseline])
        if np.isnan(limit):
            assert not answers.fillna(False).any()
        else:
            reached = later <= limit if one is None else later >= limit
            assert (answers.to_numpy(bool) == reached).all()


def test_no_limit_for_a_percentage_of_nothing_or_a_missing_baseline() -> None:
    cohort = cohort_of({"A": {"easi": [10, 5]}}, weeks=(0, 4))
    assert np.isnan(response_limit(cohort, "easi50", [0.0, np.nan])).all()
    assert response_limit(cohort, "easi<=7", [0.0]).tolist() == [7.0]
