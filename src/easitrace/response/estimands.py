"""Estimands: which scores count when treatment was stopped (ICH E9(R1))."""

from dataclasses import replace
from typing import Literal, get_args

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import attendance
from easitrace.errors import ParameterError, Problem

Estimand = Literal["treatment-policy", "while-on-treatment", "composite", "hypothetical"]
FAILURES = ("inefficacy", "side effects", "inefficacy and side effects")


def under_estimand(cohort: Cohort, estimand: str) -> Cohort:
    """The cohort with the scores that count under an estimand.

    "treatment-policy" keeps every recorded score. "while-on-treatment" and "hypothetical" set scores recorded
    after stopping missing; they differ in what a likelihood model of the rest is taken to estimate. "composite"
    does so too and sets every instrument back to its baseline at the planned visits from a stop for inefficacy or
    side effects on.

    Raises
    ------
    ParameterError
        When there is no such estimand.
    """
    check_estimand(estimand)
    if estimand == "treatment-policy":
        return cohort
    treated = _on_treatment(cohort)
    return _set_back(treated) if estimand == "composite" else treated


def recorded_under(cohort: Cohort, estimand: str) -> Cohort:
    """The cohort with the recorded scores that count; unlike `under_estimand` nothing is set back to baseline."""
    check_estimand(estimand)
    return cohort if estimand == "treatment-policy" else _on_treatment(cohort)


def failed(states: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows of `attendance` are visits missed because treatment stopped for inefficacy or side effects."""
    return (states["state"] == "stopped") & states["reason"].isin(FAILURES)


def check_estimand(estimand: str) -> None:
    """Refuse an unknown estimand.

    Raises
    ------
    ParameterError
        E105.
    """
    if estimand not in get_args(Estimand):
        names = ", ".join(get_args(Estimand))
        raise ParameterError(Problem("E105", "estimand", f"{estimand!r} is no estimand", f"use {names}"))


def _on_treatment(cohort: Cohort) -> Cohort:
    visits = cohort.visits.copy()
    visits.loc[visits["after_stop"], cohort.measured] = float("nan")
    return replace(cohort, visits=visits)


def _set_back(cohort: Cohort) -> Cohort:
    """Baseline scores at the visits after a failure; visits that have no row get one."""
    states = attendance(cohort)
    after = states.loc[failed(states), ["patient", "visit", "week"]]
    first = cohort.visits.loc[cohort.visits["week"] == cohort.baseline.week, ["patient", *cohort.measured]]
    new = after.merge(first, on="patient").assign(after_stop=True)
    keys = ["patient", "week"]
    known = cohort.visits.merge(new[keys], on=keys, how="left", indicator=True)["_merge"].to_numpy() == "left_only"
    days = cohort.visits.loc[~known, [*keys, "day"]]
    new = new.merge(days, on=keys, how="left")[cohort.visits.columns]
    visits = pd.concat([cohort.visits[known], new]) if len(new) else cohort.visits
    return replace(cohort, visits=visits.sort_values(keys, ignore_index=True))
