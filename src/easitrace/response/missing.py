"""Missing-data rules: what is done with a visit at which no score was recorded.

    observed   nothing: a model uses the recorded scores, a proportion the patients whose response is known
    nri        stopped treatment is non-response; nothing else is, and no score is filled in
    locf       the last recorded score is carried to the visits after it
    mi         multiple imputation from the trajectory model, see `imputation`

No rule but multiple imputation touches a visit that is not due yet: being in follow-up is never a non-response.
"""

from dataclasses import replace
from typing import Literal, get_args

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import attendance
from easitrace.errors import ParameterError, Problem
from easitrace.response.estimands import failed

MissingRule = Literal["observed", "nri", "locf", "mi"]


def check_rule(rule: str) -> None:
    """Refuse an unknown missing-data rule.

    Raises
    ------
    ParameterError
        E105.
    """
    if rule not in get_args(MissingRule):
        names = ", ".join(get_args(MissingRule))
        raise ParameterError(Problem("E105", "missing", f"{rule!r} is no missing-data rule", f"use {names}"))


def non_response(states: pd.DataFrame, estimand: str, rule: str) -> "pd.Series[bool]":
    """Which rows of `attendance` count as non-response though no response is known there.

    Under "nri" every visit missed because treatment had been stopped, whatever the reason; under the composite
    estimand and any rule those after a stop for inefficacy or side effects.
    """
    stopped = states["state"] == "stopped"
    return (stopped & (rule == "nri")) | (failed(states) & (estimand == "composite"))


def carried_forward(cohort: Cohort, leave: "pd.Series[bool] | None" = None) -> Cohort:
    """The cohort with the last recorded score of each instrument, the baseline's included, at the visits after it.

    Visits that are not due yet stay missing.

    Parameters
    ----------
    leave : Series of bool or None
        Rows of `attendance(cohort)` that stay missing too.
    """
    states = attendance(cohort)
    keys = ["patient", "week"]
    rows = states.merge(cohort.visits.drop(columns="visit"), on=keys, how="left")
    fill = states["state"] != "in follow-up"
    if leave is not None:
        fill &= ~leave
    carried = rows.groupby("patient")[cohort.measured].ffill()
    rows[cohort.measured] = rows[cohort.measured].where(~fill, carried)
    rows["after_stop"] = rows["after_stop"].astype("boolean").fillna(states["state"] == "stopped").astype(bool)
    return replace(cohort, visits=rows[cohort.visits.columns])
