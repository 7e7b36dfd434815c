"""Responder proportions by visit under any missing-data rule, each beside what is known from recorded scores."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from easitrace.response.endpoints import endpoints
from easitrace.response.sensitivity import SHARE, Case, pooled_share

POOLED = "Wilson's interval for imputed data"
AS_SHARES = {"proportion": "share", "lower": "share_lower", "upper": "share_upper"}  # as `sensitivity.compare` has them
BESIDE = ("responders", "n", "proportion", "lower", "upper")
KEYS = ["criterion", "visit", "week"]


def endpoints_by_rule(case: Case, criteria: Sequence[str], missing: str) -> pd.DataFrame:
    """Responders at each visit after baseline under a missing-data rule.

    Parameters
    ----------
    case : Case
        Cohort, estimand, and the model of the imputations; its plan's criterion is not used.
    criteria : sequence of str
    missing : "observed", "nri", "locf" or "mi"

    Returns
    -------
    DataFrame
        `criterion`, `visit`, `week`, `estimand`, `missing`; `responders` (missing under "mi", where they are no whole
        number), `n`, of them `known` from recorded scores and `by_rule`, the others; `left_out`, which adds up with
        `n` to the patients; `proportion`, `lower`, `upper` (missing when n is 0), `method`; then, without the rule,
        `recorded_responders`, `recorded_n`, `recorded_proportion`, `recorded_lower`, `recorded_upper`.

    Raises
    ------
    NotEstimableError, DataError
        Under "mi", when the model cannot be fitted or drawn from.
    """
    options: dict[str, Any] = {"estimand": case.estimand, "level": case.plan.level, "interval": case.plan.interval}
    whole = case.imputed.among(case.cohort) if missing == "mi" else case.cohort
    recorded = endpoints(case.cohort, criteria, **options)
    here = recorded if whole is case.cohort else endpoints(whole, criteria, **options)
    table = _imputed(case, criteria) if missing == "mi" else endpoints(whole, criteria, missing=missing, **options)
    known = here.assign(known=here["n"] - here["counted_as_failure"])[[*KEYS, "known"]]
    beside = recorded[[*KEYS, *BESIDE]].rename(columns={name: f"recorded_{name}" for name in BESIDE})
    table = table.merge(known, on=KEYS, validate="one_to_one").merge(beside, on=KEYS, validate="one_to_one")
    table = table.assign(estimand=case.estimand, missing=missing, by_rule=table["n"] - table["known"])
    counts = ["estimand", "missing", "responders", "n", "known", "by_rule", "left_out"]
    return table[[*KEYS, *counts, "proportion", "lower", "upper", "method", *(f"recorded_{name}" for name in BESIDE)]]


def _imputed(case: Case, criteria: Sequence[str]) -> pd.DataFrame:
    """Pooled proportions: one set of imputations serves every criterion and visit."""
    rows = [
        {"criterion": criterion, "visit": visit.label, "week": visit.week, **_pooled(case, criterion, visit.week)}
        for criterion in criteria
        for visit in case.cohort.schedule[1:]
    ]
    table = pd.DataFrame(rows).rename(columns=dict(zip(SHARE, ("proportion", "lower", "upper"), strict=True)))
    left_out = len(case.cohort.patients) - table["n"]
    return table.assign(responders=float("nan"), left_out=left_out, method=POOLED)


def _pooled(case: Case, criterion: str, week: float) -> dict[str, float]:
    """One pooled proportion with its limits and `n`; nobody's at a visit that nobody was seen at."""
    imputed, here = case.imputed, replace(case, plan=replace(case.plan, criterion=criterion, decision_week=week))
    if here.visit.label not in imputed.visits:
        return {**dict.fromkeys(SHARE, float("nan")), "n": 0}
    share, n = pooled_share(here, imputed)
    return {**share, "n": n}
