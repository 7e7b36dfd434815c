"""Responder proportions by visit under every rule: identities with the tables they are made of, and hand counts."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_cohorts import cohort_of, seen, stopped, waiting

from easitrace.cohort.builtin import load_builtin
from easitrace.cohort.cohort import Cohort
from easitrace.errors import NotEstimableError
from easitrace.response.by_rule import endpoints_by_rule
from easitrace.response.endpoints import endpoints
from easitrace.response.proportions import limits
from easitrace.response.sensitivity import Case, Plan, compare

PLAN = Plan("easi50", 12, "log1p", [], "us", "kenward-roger", 0.9, "clopper-pearson", imputations=20, seed=5)
EXACT: dict[str, Any] = {"level": 0.9, "interval": "clopper-pearson"}
SHARES = ["proportion", "lower", "upper"]
# EASI-50 at week 12, baselines 20: two seen (yes, no), one stopped at week 6 with EASI-50 at week 4, one who stopped
# before he was seen again, one who missed week 12 without EASI-50 at week 4, one in follow-up with EASI-50 at week 4.
SIX = cohort_of(
    {
        "A": seen(20, 8, 6),
        "B": seen(20, 18, 15),
        "C": stopped(6, "inefficacy", 20, 9, None),
        "D": stopped(2, "side effects", 20, None, None),
        "E": seen(20, 14, None),
        "F": waiting(20, 7, None),
    },
    weeks=(0, 4, 12),
)


@pytest.fixture(scope="module")
def baricitinib() -> Cohort:
    return load_builtin("baricitinib")


def at_week_12(missing: str, estimand: str = "while-on-treatment", criterion: str = "easi50") -> dict[str, Any]:
    table = endpoints_by_rule(Case(SIX, estimand, PLAN), [criterion], missing)
    return table.set_index("week").loc[12.0].to_dict()


@pytest.mark.parametrize(
    ("missing", "estimand", "responders", "n", "known", "left_out"),
    [
        ("observed", "while-on-treatment", 1, 2, 2, 4),
        ("nri", "while-on-treatment", 1, 4, 2, 2),
        ("locf", "while-on-treatment", 2, 5, 2, 1),
        ("observed", "composite", 1, 4, 2, 2),
        ("locf", "composite", 1, 5, 2, 1),
    ],
)
def test_counts_by_hand(missing: str, estimand: str, responders: int, n: int, known: int, left_out: int) -> None:
    row = at_week_12(missing, estimand)
    assert [row[name] for name in ("responders", "n", "known", "by_rule", "left_out")] == [
        responders, n, known, n - known, left_out
    ]  # fmt: skip
    assert [row[name] for name in SHARES] == [responders / n, *limits([responders], [n], **EXACT)]
    assert row["recorded_n"] == (4 if estimand == "composite" else 2)


@pytest.mark.parametrize("missing", ["observed", "nri", "locf"])
def test_rules_without_a_model_are_the_endpoints(baricitinib: Cohort, missing: str) -> None:
    criteria = ["easi75", "drop>=6.6"]
    table = endpoints_by_rule(Case(baricitinib, "hypothetical", PLAN), criteria, missing)
    options: dict[str, Any] = {"estimand": "hypothetical", **EXACT}
    wanted = endpoints(baricitinib, criteria, missing=missing, **options)
    same = ["criterion", "visit", "responders", "n", "left_out", *SHARES]
    pd.testing.assert_frame_equal(table[same], wanted[same])
    beside = endpoints(baricitinib, criteria, **options)
    np.testing.assert_array_equal(table["recorded_proportion"], beside["proportion"])


@pytest.mark.parametrize("estimand", ["while-on-treatment", "composite"])
def test_imputed_proportions_are_those_of_the_sensitivity_chapter(baricitinib: Cohort, estimand: str) -> None:
    table = endpoints_by_rule(Case(baricitinib, estimand, PLAN), ["easi50"], "mi").set_index("week").loc[12.0]
    compared = compare(baricitinib, PLAN)
    wanted = compared[(compared["estimand"] == estimand) & (compared["missing"] == "mi")].iloc[0]
    assert table[SHARES].tolist() == wanted[["share", "share_lower", "share_upper"]].tolist()
    assert (table["n"], table["known"]) == (wanted["n"], wanted["known"])
    assert table["by_rule"] == wanted["decided"] + wanted["failures"]


def test_imputing_nothing_is_wilsons_interval(baricitinib: Cohort) -> None:
    """Everyone was seen at week 4 but one, who is taken out."""
    away = baricitinib.wide()[4.0].isna()
    kept = baricitinib.patients["patient"].isin(away.index[~away])
    visits = baricitinib.visits[~baricitinib.visits["patient"].isin(away.index[away])]
    cohort = replace(baricitinib, patients=baricitinib.patients[kept].reset_index(drop=True), visits=visits)
    row = endpoints_by_rule(Case(cohort, "treatment-policy", PLAN), ["easi50"], "mi").iloc[0]
    assert (row["n"], row["by_rule"], row["left_out"]) == (24, 0, 0)
    assert np.isnan(row["responders"]) and row["proportion"] == pytest.approx(11 / 24)
    wanted = limits([11], [24], level=0.9, interval="wilson")
    assert [row["lower"], row["upper"]] == pytest.approx([*wanted[0], *wanted[1]], rel=1e-12)


def test_patients_without_a_covariate_are_not_imputed_and_not_counted_as_known(baricitinib: Cohort) -> None:
    first = baricitinib.wide()[12.0].notna().to_numpy().nonzero()[0][:3]
    patients = baricitinib.patients.assign(age=baricitinib.patients["age"].where(~np.isin(np.arange(25), first)))
    cohort = replace(baricitinib, patients=patients)
    case = Case(cohort, "while-on-treatment", replace(PLAN, covariates=["age"]))
    row = endpoints_by_rule(case, ["easi50"], "mi").set_index("week").loc[12.0]
    assert (row["n"], row["known"], row["by_rule"], row["left_out"]) == (22, 15, 7, 3)
    assert row["recorded_n"] == 18
    table = compare(cohort, case.plan)
    wanted = table[(table["estimand"] == case.estimand) & (table["missing"] == "mi")].iloc[0]
    assert (wanted["known"], wanted["decided"]) == (15, 7)


def test_a_visit_nobody_was_seen_at_has_no_imputed_proportion(baricitinib: Cohort) -> None:
    scores = baricitinib.visits["easi"].where(baricitinib.visits["week"] != 4)
    cohort = replace(baricitinib, visits=baricitinib.visits.assign(easi=scores))
    row = endpoints_by_rule(Case(cohort, "treatment-policy", PLAN), ["easi50"], "mi").iloc[0]
    assert row["n"] == 0 and np.isnan(row["proportion"]) and row["left_out"] == 25


def test_without_a_model_there_is_no_imputation() -> None:
    with pytest.raises(NotEstimableError):
        at_week_12("mi")
