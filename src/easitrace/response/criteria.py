"""Whether a response criterion is met, exactly and in three values: yes, no, or not known.

A missing score gives "not known", never "no". A criterion that a patient cannot reach from the baseline
(a drop of 6.6 points from EASI 5, a percentage of EASI 0) is undefined for that patient, never "not met".
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.errors import ParameterError, Problem
from easitrace.instruments import Instrument, at_least_as_good, improved_by, improved_points
from easitrace.response.expression import Atom, Combined, Expression, Percent, Reached, atoms, parse_criterion

Scores = Mapping[str, "pd.Series[Any]"]

NO_BASELINE = "baseline missing"
ZERO_BASELINE = "no percentage of a baseline of 0"
OUT_OF_REACH = "criterion out of reach from the baseline"
ALREADY_MET = "criterion already met at baseline"
UNDEFINED = (ZERO_BASELINE, OUT_OF_REACH)
SIGNS = {"<=": "\u2264", ">=": "\u2265"}


def criterion_of(cohort: Cohort, text: str) -> Expression:
    """Read a criterion and check that the cohort recorded what it is about.

    Raises
    ------
    ParameterError
        When the text is no criterion, names an instrument that was not recorded, or asks for a change for the worse.
    """
    expression = parse_criterion(text, cohort.outcome)
    problems = [problem for atom in atoms(expression) for problem in _misfit(cohort, atom)]
    if problems:
        raise ParameterError(problems)
    return expression


def wrong_way(atom: Atom, instrument: Instrument) -> list[Problem]:
    """The problem that a condition asks for a change for the worse, or none."""
    if isinstance(atom, Percent):
        return []
    sign = atom.relation if isinstance(atom, Reached) else atom.direction
    fitting = ("<=", "drop") if instrument.better == "lower" else (">=", "rise")
    if sign in fitting:
        return []
    what = f"{atom} is a change for the worse: {instrument.better} {instrument.name} is better"
    return [Problem("E105", "criterion", what, f"use {' or '.join(fitting)}")]


def criterion_label(criterion: str, cohort: Cohort) -> str:
    """A criterion as a journal writes it: `easi50` is EASI-50, `easi<=7` is EASI \u2264 7."""
    return _in_words(criterion_of(cohort, criterion), cohort)


def met(cohort: Cohort, criterion: str) -> pd.DataFrame:
    """Whether the criterion is met at each visit after the baseline.

    Returns
    -------
    DataFrame of dtype boolean, shape (n_patients, n_visits - 1)
        Patients by planned week; missing where it is not known or undefined for the patient.
    """
    expression = criterion_of(cohort, criterion)
    tables = {name: cohort.wide(name) for name in instruments_of(expression)}
    start = {name: table[cohort.baseline.week] for name, table in tables.items()}
    columns = {}
    for visit in cohort.schedule[1:]:
        now = {name: table[visit.week] for name, table in tables.items()}
        columns[visit.week] = met_by(cohort, expression, start, now)
    return pd.DataFrame(columns, index=cohort.patients["patient"].array)


def met_by(cohort: Cohort, expression: Expression, start: Scores, now: Scores) -> "pd.Series[Any]":
    """Whether scores meet a criterion, given the baseline scores beside them; by instrument, all of shape (n,).

    Missing where it is not known, or where the criterion cannot be met from the baseline.
    """
    answer = _evaluate(cohort, expression, start, now)
    in_reach = _best(cohort, expression, start).fillna(False)
    return answer.mask(~answer.fillna(False) & ~in_reach)


def reach(cohort: Cohort, criterion: str) -> "pd.Series[str]":
    """What a reader must know about each patient's baseline and this criterion; "" when there is nothing.

    Returns
    -------
    Series of str, shape (n_patients,)
        `NO_BASELINE`, `ZERO_BASELINE`, `OUT_OF_REACH`, `ALREADY_MET` or "", by patient.
    """
    expression = criterion_of(cohort, criterion)
    start = {name: cohort.wide(name)[cohort.baseline.week] for name in instruments_of(expression)}
    best = _best(cohort, expression, start)
    missing = pd.concat(start, axis=1).isna().any(axis=1)
    notes = np.select(
        [missing, best.isna(), ~best.fillna(False), _evaluate(cohort, expression, start, start).fillna(False)],
        [NO_BASELINE, ZERO_BASELINE, OUT_OF_REACH, ALREADY_MET],
        "",
    )
    return pd.Series(notes, index=cohort.patients["patient"].array, dtype=str)


def instruments_of(expression: Expression) -> list[str]:
    """Names of the instruments a criterion is about."""
    return list(dict.fromkeys(atom.instrument for atom in atoms(expression)))


def _misfit(cohort: Cohort, atom: Atom) -> list[Problem]:
    if atom.instrument in cohort.measured:
        return wrong_way(atom, cohort.instrument(atom.instrument))
    recorded = ", ".join(cohort.measured)
    return [Problem("E106", "criterion", f"{atom.instrument} was not recorded", f"recorded are {recorded}")]


def _best(cohort: Cohort, expression: Expression, start: Scores) -> "pd.Series[Any]":
    """Whether the criterion would be met by the best scores there are."""
    best = {name: pd.Series(_best_score(cohort.instrument(name)), index=one.index) for name, one in start.items()}
    return _evaluate(cohort, expression, start, best)


def _best_score(instrument: Instrument) -> float:
    return float(instrument.minimum if instrument.better == "lower" else instrument.maximum)


def _evaluate(cohort: Cohort, expression: Expression, start: Scores, now: Scores) -> "pd.Series[Any]":
    """Kleene's three-valued logic: "no and unknown" is no, "yes or unknown" is yes."""
    if not isinstance(expression, Combined):
        return _atom(cohort.instrument(expression.instrument), expression, start, now)
    answers = [_evaluate(cohort, part, start, now) for part in expression.parts]
    combined = answers[0]
    for answer in answers[1:]:
        combined = combined & answer if expression.word == "and" else combined | answer
    return combined


def _atom(instrument: Instrument, atom: Atom, start: Scores, now: Scores) -> "pd.Series[Any]":
    before, after, better = start[atom.instrument], now[atom.instrument], instrument.better
    if isinstance(atom, Percent):
        return improved_by(before, after, atom.percent, better)
    if isinstance(atom, Reached):
        return at_least_as_good(after, float(atom.score), better)
    return improved_points(before, after, float(atom.points), better)


def _in_words(expression: Expression, cohort: Cohort) -> str:
    if isinstance(expression, Combined):
        return f" {expression.word} ".join(
            f"({_in_words(part, cohort)})" if isinstance(part, Combined) else _in_words(part, cohort)
            for part in expression.parts
        )
    label = cohort.instrument(expression.instrument).label
    if isinstance(expression, Percent):
        return f"{label}-{expression.percent}"
    if isinstance(expression, Reached):
        return f"{label} {SIGNS[expression.relation]} {expression.score}"
    unit = "point" if expression.points == 1 else "points"
    return f"{label} {expression.direction} {SIGNS['>=']} {expression.points} {unit}"
