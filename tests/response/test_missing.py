"""Missing-data rules: who gets which rule, and who gets none."""

import numpy as np
import pandas as pd
import pytest
from small_cohorts import cohort_of, seen, stopped, waiting

from easitrace.errors import ParameterError
from easitrace.response.endpoints import endpoints
from easitrace.response.missing import carried_forward

COHORT = cohort_of(
    {
        "A": seen(20, 8, 9, 8),
        "B": stopped(6, "inefficacy", 20, 9, None, None),
        "C": stopped(6, "other", 20, 18, None, None),
        "D": waiting(20, 4, None, None),
        "E": seen(20, 6, None, 7),
    }
)


def at_week_12(**options: str) -> pd.Series:
    table = endpoints(COHORT, ["easi50"], **{"estimand": "while-on-treatment", **options})
    return table[table["week"] == 12].iloc[0]


def test_observed_leaves_everybody_out_who_was_not_seen() -> None:
    row = at_week_12()
    assert (row["responders"], row["n"]) == (1, 1)
    assert (row["stopped"], row["in_follow_up"], row["missed"]) == (2, 1, 1)


def test_nri_is_for_those_who_stopped_and_nobody_else() -> None:
    row = at_week_12(missing="nri")
    assert (row["responders"], row["n"], row["counted_as_failure"]) == (1, 3, 2)
    assert (row["in_follow_up"], row["missed"], row["left_out"]) == (1, 1, 2)


def test_composite_counts_failures_only() -> None:
    assert at_week_12(estimand="composite")["counted_as_failure"] == 1
    assert at_week_12(estimand="composite", missing="nri")["counted_as_failure"] == 2


def test_locf_takes_the_last_score_but_not_into_the_future() -> None:
    row = at_week_12(missing="locf")
    assert (row["responders"], row["n"], row["in_follow_up"]) == (3, 4, 1)


def test_locf_does_not_undo_a_composite_failure() -> None:
    row = at_week_12(estimand="composite", missing="locf")
    assert (row["responders"], row["n"], row["counted_as_failure"]) == (2, 4, 1)


def test_scores_carried_by_hand() -> None:
    carried = carried_forward(COHORT).wide()
    expected = [[20, 8, 9, 8], [20, 9, 9, 9], [20, 18, 18, 18], [20, 4, np.nan, np.nan], [20, 6, 6, 7]]
    np.testing.assert_array_equal(carried.to_numpy(), expected)


def test_a_score_recorded_after_stopping_counts_under_treatment_policy() -> None:
    cohort = cohort_of({"A": stopped(6, "inefficacy", 20, 18, 9, None), "B": seen(20, 8, 9, 8)})
    options = {"estimand": "treatment-policy", "missing": "nri"}
    row = endpoints(cohort, ["easi50"], **options).set_index("week").loc[12]
    assert (row["responders"], row["n"], row["counted_as_failure"]) == (2, 2, 0)


@pytest.mark.parametrize("rule", ["mi", "bocf"])
def test_a_rule_that_cannot_be_used_here_is_refused(rule: str) -> None:
    with pytest.raises(ParameterError, match="missing"):
        endpoints(COHORT, ["easi50"], estimand="composite", missing=rule)
