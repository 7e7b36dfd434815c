"""The arms of a trial: who is in which, and the same computation in each of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.errors import DataError, ParameterError, Problem

ARM = "arm"
EVERYBODY = "All"
MOST_ARMS = 6


def with_arms(cohort: Cohort, arm: str | None, reference: str | None, strata: Sequence[str] = ()) -> Cohort:
    """The cohort with the column `arm` of its patients as their treatment group, the reference first.

    The column is called `arm` from then on; strata become words, since a stratum is a level and not a number.

    Parameters
    ----------
    arm : str or None
        Patient-level column; None leaves the cohort as it is.
    reference : str or None
        Level that the others are compared with.

    Raises
    ------
    ParameterError
        E104, E106: no such column, or a reference that is missing or no level of it.
    DataError
        E228 for every patient without an arm, E229 when the column does not divide patients into 2 to `MOST_ARMS` arms.
    """
    if arm is None:
        return cohort
    if arm not in cohort.patients:
        there = ", ".join(map(str, cohort.patients))
        raise ParameterError(Problem("E106", "arm", f"{arm} is no patient-level column", f"choose one of {there}"))
    words = _words(cohort.patients[arm])
    _refuse_unknown(cohort.patients["patient"][words.isna()], arm)
    levels = sorted(words.unique())
    _refuse_number(levels, arm)
    if reference not in levels:
        unknown = ("E106", f"{reference} is no level of {arm}") if reference else ("E104", "required with arm")
        raise ParameterError(Problem(unknown[0], "reference_arm", unknown[1], f"choose one of {', '.join(levels)}"))
    arms = (str(reference), *(level for level in levels if level != reference))
    patients = cohort.patients.drop(columns=[arm]).assign(**{name: _words(cohort.patients[name]) for name in strata})
    patients[ARM] = pd.Categorical(words, categories=arms)
    return replace(cohort, patients=patients, arms=arms)


def model_covariates(cohort: Cohort, covariates: Sequence[str], strata: Sequence[str] = ()) -> list[str]:
    """What a model of the whole cohort takes from its patients: covariates, strata, and the arm where there is one."""
    return [*covariates, *strata, *([ARM] if cohort.arms else [])]


def each_arm(cohort: Cohort) -> dict[str, Cohort]:
    """The patients of each arm as a cohort of their own, without arms; the reference first."""
    return {arm: _part(cohort, arm) for arm in cohort.arms}


def by_arm(compute: Callable[..., pd.DataFrame], cohort: Cohort, *arguments: Any, **options: Any) -> pd.DataFrame:
    """`compute(cohort, ...)`; with arms that of each arm, one below the other with `arm` as the first column."""
    if not cohort.arms:
        return compute(cohort, *arguments, **options)
    tables = []
    for arm, part in each_arm(cohort).items():
        table = compute(part, *arguments, **options)
        table.insert(0, ARM, arm)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def all_together(cohort: Cohort) -> Cohort:
    """The cohort without arms."""
    if not cohort.arms:
        return cohort
    return replace(cohort, patients=cohort.patients.drop(columns=[ARM]), arms=())


def arms_and_all(compute: Callable[..., pd.DataFrame], cohort: Cohort, *arguments: Any, **options: Any) -> pd.DataFrame:
    """`by_arm`, and with arms the same of all patients below, where `arm` is `EVERYBODY`."""
    together = compute(all_together(cohort), *arguments, **options)
    if not cohort.arms:
        return together
    parts = by_arm(compute, cohort, *arguments, **options)
    return pd.concat([parts, together.assign(arm=EVERYBODY)], ignore_index=True)


def visits_by_arm(cohort: Cohort) -> pd.DataFrame:
    """The cohort's visits, with arms also the `arm` of their patient."""
    if not cohort.arms:
        return cohort.visits
    return cohort.visits.merge(cohort.patients[["patient", ARM]], on="patient", how="left")


def _part(cohort: Cohort, arm: str) -> Cohort:
    patients = cohort.patients[cohort.patients[ARM] == arm].reset_index(drop=True)
    visits, events = _of(cohort.visits, patients), _of(cohort.events, patients)
    return replace(cohort, patients=patients.drop(columns=[ARM]), visits=visits, events=events, arms=())


def _of(table: pd.DataFrame, patients: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        return table
    return table[table["patient"].isin(patients["patient"])].reset_index(drop=True)


def _words(column: pd.Series) -> "pd.Series[str]":
    """Levels as the file has them: numbers without a trailing `.0`."""
    numeric = pd.api.types.is_numeric_dtype(column)
    words = column.map(lambda value: f"{value:g}", na_action="ignore") if numeric else column
    return words.astype("str").where(column.notna())


def _refuse_unknown(patients: "pd.Series[str]", arm: str) -> None:
    if len(patients):
        remedy = "fill it in, or leave the patient out of the file"
        raise DataError(
            Problem("E228", f"column {arm}", f"patient {patient} has no arm", remedy) for patient in patients
        )


def _refuse_number(levels: Sequence[str], arm: str) -> None:
    where, remedy = f"column {arm}", f"give 2 to {MOST_ARMS} arms that differ in a letter or digit, or leave arm out"
    names = {"".join(sign for sign in level.casefold() if sign.isalnum()) for level in levels}
    if not 2 <= len(levels) <= MOST_ARMS:
        raise DataError(Problem("E229", where, f"has {len(levels)} different values", remedy))
    if len(names) < len(levels) or "" in names:
        raise DataError(Problem("E229", where, f"has values that are hard to tell apart: {', '.join(levels)}", remedy))
    if EVERYBODY.casefold() in names:
        what = f"has an arm called {EVERYBODY}, as all arms together are called"
        raise DataError(Problem("E229", where, what, "call it otherwise under values"))
