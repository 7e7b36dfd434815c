"""The swimmer plot's data: sorted, without patients' names, states as the criterion has them."""

from small_cohorts import cohort_of, seen, stopped, waiting

from easitrace.response.survival import time_on_treatment
from easitrace.response.swimmer import swimmer

COHORT = cohort_of(
    {
        "A": waiting(20, 10, None, None),
        "B": seen(20, 15, 8, 6),
        "C": stopped(6, "side effects", 20, 18, 5, None),
        "D": stopped(None, "other", 20, 8, None, None),
        "E": seen(0, 0, 0, None),
    }
)


def drawn(estimand: str):  # type: ignore[no-untyped-def]
    return swimmer(COHORT, time_on_treatment(COHORT), "easi50", estimand)


def test_longest_on_treatment_first_and_nobody_named() -> None:
    bars = drawn("treatment-policy").bars
    assert bars.values.tolist() == [
        [0, 168, "completed"],
        [1, 84, "completed"],
        [2, 42, "stopped: side effects"],
        [3, 28, "in follow-up"],
    ]


def test_states_at_the_visits_that_count() -> None:
    visits = drawn("treatment-policy").visits.sort_values(["rank", "day"]).values.tolist()
    assert visits == [
        [0, 28, "not met"],
        [0, 84, "met"],
        [0, 168, "met"],
        [1, 28, "not known"],
        [1, 84, "not known"],
        [2, 28, "not met"],
        [2, 84, "met"],
        [3, 28, "met"],
    ]
    assert len(drawn("while-on-treatment").visits) == len(visits) - 1
