"""Responder proportions by visit, each with its denominator and with the patients who are not in it, and why."""

from collections.abc import Sequence

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import attendance
from easitrace.errors import ParameterError, Problem
from easitrace.response.criteria import UNDEFINED, met, reach
from easitrace.response.estimands import recorded_under
from easitrace.response.missing import carried_forward, check_rule, non_response
from easitrace.response.proportions import with_proportions

PERCENTAGES = (50, 75, 90)
PERCENT_COLUMNS = {"value": "proportion", "lower": "lower", "upper": "upper"}
LEFT_OUT = ("stopped", "in_follow_up", "missed", "undefined", "not_known")
EASI_TARGET = "easi<=7"


def standard_criteria(cohort: Cohort) -> list[str]:
    """The usual criteria for the cohort's outcome: three percentages, EASI <= 7, the changes that matter."""
    name, outcome = cohort.outcome, cohort.instrument()
    change = "drop" if outcome.better == "lower" else "rise"
    target = [EASI_TARGET] if name == "easi" else []
    points = dict.fromkeys(f"{change}>={threshold.points:g}" for threshold in outcome.thresholds)
    return [*(f"{name}{percent}" for percent in PERCENTAGES), *target, *points]


def endpoints(
    cohort: Cohort,
    criteria: Sequence[str],
    *,
    estimand: str,
    missing: str = "observed",
    level: float = 0.95,
    interval: str = "wilson",
) -> pd.DataFrame:
    """Responders at each visit after baseline, out of those whose response counts under the estimand.

    The denominator `n` is the patients whose response is known from recorded scores; under "composite" also those
    who stopped for inefficacy or side effects before the visit, as non-responders. Nobody is imputed for being in
    follow-up, or when the criterion is undefined from the baseline.

    Parameters
    ----------
    missing : "observed", "nri" or "locf"
        Missing-data rule, see `easitrace.response.missing`. Under "nri" whoever stopped before the visit is a
        non-responder; a missed visit stays left out. Under "locf" the last recorded score decides at missed visits
        and after stopping. Multiple imputation needs a model: `easitrace.response.sensitivity`.

    Returns
    -------
    DataFrame
        `criterion`, `visit`, `week`, `estimand`, `responders`, `n`, `counted_as_failure` (of `n`), then the
        patients left out: `left_out`, in all, being `stopped`, `in_follow_up`, `missed`, `undefined` (criterion out
        of reach) and `not_known` (seen, but a score of the criterion or its baseline is missing); `proportion`,
        `lower`, `upper`, `method`. `n` + `left_out` is the number of patients.

    Raises
    ------
    ParameterError
        For an unknown estimand, criterion, missing-data rule or interval.
    """
    check_rule(missing)
    if missing == "mi":
        raise ParameterError(
            Problem("E105", "missing", "multiple imputation needs a model", "see response.sensitivity")
        )
    counted = recorded_under(cohort, estimand)
    states = attendance(counted)
    states["failure"] = non_response(states, estimand, missing)
    scored = carried_forward(counted, states["failure"]) if missing == "locf" else counted
    rows = [row for criterion in criteria for row in _rows(scored, states, criterion)]
    table = pd.DataFrame(rows).assign(estimand=estimand)
    table["left_out"] = table[list(LEFT_OUT)].sum(axis=1)
    table = with_proportions(table, "responders", level=level, interval=interval)
    first = ["criterion", "visit", "week", "estimand", "responders", "n", "counted_as_failure", "left_out"]
    return table[[*first, *LEFT_OUT, "proportion", "lower", "upper", "method"]]


def endpoints_in_percent(table: pd.DataFrame) -> pd.DataFrame:
    """Endpoints as `value`, `lower`, `upper` in percent."""
    return table.assign(**{name: 100 * table[source] for name, source in PERCENT_COLUMNS.items()})


def _rows(counted: Cohort, states: pd.DataFrame, criterion: str) -> list[dict[str, object]]:
    answers = met(counted, criterion)
    undefined = reach(counted, criterion).isin(UNDEFINED)
    rows = []
    for visit in counted.schedule[1:]:
        here = states[states["week"] == visit.week].set_index("patient").loc[answers.index]
        counts = _counts(answers[visit.week], here, undefined)
        rows.append({"criterion": criterion, "visit": visit.label, "week": visit.week, **counts})
    return rows


def _counts(answers: "pd.Series[bool]", here: pd.DataFrame, undefined: "pd.Series[bool]") -> dict[str, int]:
    """One visit: every patient is counted once, in the denominator or as left out for the first reason that holds."""
    known = answers.notna()
    failure = here["failure"] & ~known & ~undefined
    out = ~known & ~failure
    state = here["state"].mask(undefined, "undefined").where(out, "")
    left_out = {
        "stopped": int((state == "stopped").sum()),
        "in_follow_up": int((state == "in follow-up").sum()),
        "missed": int((state == "missed").sum()),
        "undefined": int((state == "undefined").sum()),
        "not_known": int((state == "seen").sum()),
    }
    return {
        "responders": int(answers.sum()),
        "n": int(known.sum() + failure.sum()),
        "counted_as_failure": int(failure.sum()),
        **left_out,
    }
