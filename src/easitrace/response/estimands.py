"""Estimands: which scores count when treatment was stopped or rescue medication taken (ICH E9(R1))."""

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
    after stopping missing; they differ in what a likelihood model of the rest is taken to estimate, and
    "hypothetical" sets those after the day of the first rescue medication missing as well, but for the baseline. To
    the others rescue medication makes no difference. "composite" sets scores after stopping missing and every
    instrument back to its baseline at the planned visits from a stop for inefficacy or side effects on.

    Raises
    ------
    ParameterError
        When there is no such estimand.
    """
    check_estimand(estimand)
    if estimand == "treatment-policy":
        return cohort
    return _set_back(_on_treatment(cohort)) if estimand == "composite" else recorded_under(cohort, estimand)


def recorded_under(cohort: Cohort, estimand: str) -> Cohort:
    """The cohort with the recorded scores that count; unlike `under_estimand` nothing is set back to baseline."""
    check_estimand(estimand)
    if estimand == "treatment-policy":
        return cohort
    treated = _on_treatment(cohort)
    return _before_rescue(treated) if estimand == "hypothetical" else treated


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


def _before_rescue(cohort: Cohort) -> Cohort:
    """Scores after the first rescue medication missing; a visit whose day is not known counts as on its planned one."""
    if "rescue_day" not in cohort.patients:
        return cohort
    visits = cohort.visits.copy()
    rescue = visits["patient"].map(cohort.patients.set_index("patient")["rescue_day"])
    late = visits["day"].fillna(7 * visits["week"]) > rescue
    visits.loc[late & (visits["week"] > cohort.baseline.week), cohort.measured] = float("nan")
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
