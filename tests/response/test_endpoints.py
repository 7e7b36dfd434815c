"""Responder proportions: denominators counted by hand, intervals against published ones."""

import numpy as np
import pandas as pd
import pytest
from small_cohorts import cohort_of, seen, stopped, waiting

from easitrace.errors import ParameterError
from easitrace.response.endpoints import endpoints, standard_criteria
from easitrace.response.proportions import limits

# Newcombe (1998) Statistics in Medicine 17:857, Table I: score method without continuity correction (3) and exact (5).
PUBLISHED = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("count", "total", "wilson", "exact"), PUBLISHED)
def test_intervals_are_the_published_ones(
    count: int, total: int, wilson: tuple[float, float], exact: tuple[float, float]
) -> None:
    for name, published in (("wilson", wilson), ("clopper-pearson", exact)):
        lower, upper = limits([count], [total], level=0.95, interval=name)
        assert (round(lower[0], 4), round(upper[0], 4)) == published


@pytest.mark.parametrize("interval", ["wilson", "clopper-pearson"])
def test_intervals_end_exactly_at_0_and_1_and_mirror(interval: str) -> None:
    lower, upper = limits([0, 25, 3, 2, 0], [25, 25, 5, 5, 0], level=0.95, interval=interval)
    assert (lower[0], upper[1]) == (0, 1)
    assert lower[2] == pytest.approx(1 - upper[3], abs=1e-12)
    assert np.isnan(lower[4]) and np.isnan(upper[4])


def test_the_level_is_used() -> None:
    narrow = limits([81], [263], level=0.8, interval="wilson")
    wide = limits([81], [263], level=0.99, interval="wilson")
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize(("level", "interval", "word"), [(95, "wilson", "level"), (0.95, "wald", "interval")])
def test_arguments_of_intervals_are_checked(level: float, interval: str, word: str) -> None:
    with pytest.raises(ParameterError, match=word):
        limits([1], [2], level=level, interval=interval)


PATIENTS = {
    "01": seen(20, 8, 8, None),
    "02": seen(20, 15, 10, None),
    "03": seen(20, 15, None, None),
    "04": seen(20, None, 15, None),
    "05": seen(0, 0, 0, None),
    "06": seen(None, 8, 8, None),
    "07": stopped(6, "inefficacy", 20, 15, None, None),
    "08": stopped(6, "side effects", 20, 15, 8, None),
    "09": stopped(6, "other", 20, 8, None, None),
    "10": waiting(20, 8, None, None),
    "11": waiting(20, None, None, None),
}
COUNTS = ["responders", "n", "counted_as_failure", "left_out"]
REASONS = ["stopped", "in_follow_up", "missed", "undefined", "not_known"]


@pytest.mark.parametrize(
    ("estimand", "week_4", "week_12"),
    [
        ("treatment-policy", (3, 7, 0, 4), (3, 4, 0, 7)),
        ("while-on-treatment", (3, 7, 0, 4), (2, 3, 0, 8)),
        ("hypothetical", (3, 7, 0, 4), (2, 3, 0, 8)),
        ("composite", (3, 7, 0, 4), (2, 5, 2, 6)),
    ],
)
def test_denominators_counted_by_hand(estimand: str, week_4: tuple[int, ...], week_12: tuple[int, ...]) -> None:
    table = endpoints(cohort_of(PATIENTS), ["easi50"], estimand=estimand).set_index("week")
    assert tuple(table.loc[4, COUNTS]) == week_4
    assert tuple(table.loc[12, COUNTS]) == week_12


def test_who_is_left_out_and_why() -> None:
    table = endpoints(cohort_of(PATIENTS), ["easi50"], estimand="while-on-treatment").set_index("week")
    assert tuple(table.loc[4, REASONS]) == (0, 1, 1, 1, 1)
    assert tuple(table.loc[12, REASONS]) == (3, 2, 1, 1, 1)


@pytest.mark.parametrize("estimand", ["treatment-policy", "while-on-treatment", "composite", "hypothetical"])
def test_every_patient_is_counted_once(estimand: str) -> None:
    table = endpoints(cohort_of(PATIENTS), ["easi50", "easi<=7", "drop>=6.6"], estimand=estimand)
    assert (table["n"] + table["left_out"] == len(PATIENTS)).all()
    assert (table["left_out"] == table[REASONS].sum(axis=1)).all()
    assert table["criterion"].tolist() == [name for name in ("easi50", "easi<=7", "drop>=6.6") for _ in range(3)]


def test_follow_up_never_enters_a_denominator() -> None:
    cohort = cohort_of({"1": waiting(20, 8, None, None), "2": seen(20, 8, 8, 8)})
    table = endpoints(cohort, ["easi50"], estimand="composite")
    assert table["n"].tolist() == [2, 1, 1]
    assert table["in_follow_up"].tolist() == [0, 1, 1]


def test_a_criterion_out_of_reach_is_no_failure_when_treatment_stops() -> None:
    cohort = cohort_of(
        {"1": stopped(6, "inefficacy", 5, 6, None, None), "2": stopped(6, "inefficacy", 20, 9, None, None)}
    )
    table = endpoints(cohort, ["drop>=6.6"], estimand="composite")
    assert table["n"].tolist() == [1, 1, 1]
    assert table["undefined"].tolist() == [1, 1, 1]


def test_nobody_seen_gives_no_proportion() -> None:
    table = endpoints(cohort_of({"1": waiting(20, None, None, None)}), ["easi50"], estimand="treatment-policy")
    assert table[["proportion", "lower", "upper"]].isna().all(axis=None)


def test_the_proportion_is_responders_out_of_n() -> None:
    table = endpoints(cohort_of(PATIENTS), ["easi50"], estimand="composite", interval="clopper-pearson", level=0.9)
    row = table[table["week"] == 12].iloc[0]
    lower, upper = limits([2], [5], level=0.9, interval="clopper-pearson")
    assert (row["proportion"], row["lower"], row["upper"]) == (2 / 5, lower[0], upper[0])


def test_standard_criteria_of_an_outcome() -> None:
    assert standard_criteria(cohort_of({"1": seen(20, 8, 8, 8)})) == [
        "easi50", "easi75", "easi90", "easi<=7", "drop>=6.6",
    ]  # fmt: skip
    other = cohort_of({"1": {"dlqi": (20, 8, 8, 8)}}, outcome="dlqi")
    assert standard_criteria(other) == ["dlqi50", "dlqi75", "dlqi90", "drop>=4"]
    assert not endpoints(other, standard_criteria(other), estimand="composite").empty


def test_the_table_is_tidy() -> None:
    table = endpoints(cohort_of(PATIENTS), ["easi50"], estimand="composite")
    assert isinstance(table, pd.DataFrame)
    assert table[["criterion", "visit", "week", "estimand"]].iloc[1].tolist() == ["easi50", "week 12", 12, "composite"]
