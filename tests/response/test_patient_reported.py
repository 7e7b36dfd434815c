"""Further outcome measures: counts by hand, correlations against R, verdicts on important changes."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_cohorts import cohort_of

from easitrace.instruments import INSTRUMENTS, Instrument
from easitrace.response import patient_reported as other
from easitrace.response.criteria import criterion_of

WEEKS = (0.0, 4.0, 12.0)
COHORT = cohort_of(
    {
        "A": {"easi": (20, 10, 5), "poem": (20, 16, 18), "iga": (4, 1, 1)},
        "B": {"easi": (20, 18, 16), "poem": (10, 7, 2), "iga": (3, 3, 3)},
        "C": {"easi": (20, None, 10), "poem": (3, 0, 0), "iga": (1, None, 1)},
        "D": {"easi": (20, 15, 15), "poem": (None, 8, 8), "iga": (3, 2, 2)},
    },
    weeks=WEEKS,
)


def test_correlation_and_limits_are_those_of_r() -> None:
    """cor(x, y, method = "spearman"); tanh(atanh(r) -+ qnorm(.975) * sqrt((1 + r^2 / 2) / (n - 3)))."""
    x = [-4, 0, -7, -2.5, 1, -9, -3, -3, 2, -6]
    y = [-2, -1, -5, -2, 2, -7, -6, 0, 1, -3]
    found = other.spearman(x, y)
    expected = (0.829268292683, 0.315845954261, 0.967043680294)
    assert (found["rho"], found["lower"], found["upper"]) == pytest.approx(expected, abs=1e-11)
    assert found["n_pairs"] == 10


@pytest.mark.parametrize(("x", "y"), [([1, 2, 3], [1, 2, 3]), ([1, 1, 1, 1], [1, 2, 3, 4]), ([], [])])
def test_no_correlation_of_few_or_equal_changes(x: list[float], y: list[float]) -> None:
    assert math.isnan(other.spearman(x, y)["rho"])


def test_a_perfect_correlation_has_no_limits() -> None:
    found = other.spearman([1, 2, 3, 4], [2, 4, 6, 9])
    assert found["rho"] == 1 and math.isnan(found["lower"])


def test_correlations_need_all_four_scores() -> None:
    table = other.correlations(COHORT, ["poem", "iga"]).set_index(["instrument", "week"])
    assert table["n_pairs"].to_dict() == {("poem", 4): 2, ("poem", 12): 3, ("iga", 4): 3, ("iga", 12): 4}


def test_courses_count_recorded_and_missing() -> None:
    table = other.courses(COHORT, ["poem"])
    assert table[["n", "missing", "median"]].values.tolist() == [[3, 1, 10], [4, 0, 7.5], [4, 0, 5]]


def test_those_who_cannot_reach_the_change_are_apart() -> None:
    table = other.responders(COHORT, ["poem"], estimand="treatment-policy")
    rows = table[table["criterion"] == "poem drop>=3.4"].set_index("week")
    assert rows.loc[4, ["responders", "n", "undefined", "not_known", "left_out"]].tolist() == [1, 2, 1, 1, 2]
    assert rows.loc[12, ["responders", "n", "undefined"]].tolist() == [1, 2, 1]
    clear = table[table["criterion"] == "poem<=2"].set_index("week")
    assert clear.loc[12, ["responders", "n", "met_at_baseline"]].tolist() == [2, 4, 0]


def test_who_met_a_state_at_baseline_is_counted() -> None:
    table = other.responders(COHORT, ["iga"], estimand="treatment-policy")
    assert table["met_at_baseline"].tolist() == [1, 1]


@pytest.mark.parametrize("name", [name for name in INSTRUMENTS if name != "easi"])
def test_every_definition_can_be_read(name: str) -> None:
    cohort = cohort_of({"A": {"easi": (1, 1, 1), name: (1, 1, 1)}}, weeks=WEEKS)
    for item in other.definitions(INSTRUMENTS[name]):
        criterion_of(cohort, item.criterion)


def shifted(by: list[float], outcome: str = "poem", declared: Instrument | None = None) -> Any:
    patients = {str(i): {outcome: (14, None, 14 + change)} for i, change in enumerate(by)}
    cohort = cohort_of(patients, weeks=WEEKS, outcome=outcome, declared=declared)
    table = other.changes(cohort, [outcome])
    return table[table["to"] == "week 12"].iloc[0]


@pytest.mark.parametrize(
    ("by", "verdict"),
    [
        ([-5, -6, -7, -8, -5, -6, -7], other.EXCEEDS),
        ([-1, -2, -4, -6, -8, -9, -4], other.REACHES),
        ([-1, -2, -1, -3, -2, -2, -1], other.BELOW),
        ([5, 6, 7, 8, 5, 6, 7], other.BELOW),
    ],
)
def test_a_change_against_what_matters(by: list[float], verdict: str) -> None:
    assert shifted(by)["against"] == verdict


def test_where_higher_is_better_a_rise_is_the_improvement() -> None:
    from easitrace.instruments import Threshold

    score = Instrument("wellbeing", "Wellbeing", 0, 28, 1, "higher", thresholds=(Threshold(4, "important", "x"),))
    assert shifted([5, 6, 7, 8, 5, 6, 7], "wellbeing", score)["against"] == other.EXCEEDS
    assert other.definitions(score)[0].criterion == "wellbeing rise>=4"


def test_without_an_important_change_there_is_no_verdict() -> None:
    row = other.changes(COHORT, ["iga"]).iloc[0]
    assert row["against"] == "" and math.isnan(row["important"])


def test_an_instrument_without_a_score_is_not_reported() -> None:
    cohort = cohort_of({"A": {"easi": (1, 1, 1), "poem": (None, None, None)}}, weeks=WEEKS)
    assert other.other_instruments(cohort) == []


def test_an_instrument_without_definitions_gives_no_rows() -> None:
    cohort = cohort_of({"A": {"easi": (1, 1, 1), "poem": (1, 2, 3)}}, weeks=WEEKS)
    bare = Instrument("hand", "Hand", 0, 10, 1)
    assert other.definitions(bare) == []
    assert isinstance(other.responders(cohort, [], estimand="composite"), pd.DataFrame)


def test_ranks_are_midranks() -> None:
    assert other.spearman([1, 1, 2, 3], [1, 1, 2, 3])["rho"] == pytest.approx(1)
    assert np.isfinite(other.spearman([1, 1, 2, 3], [3, 1, 2, 3])["lower"])
