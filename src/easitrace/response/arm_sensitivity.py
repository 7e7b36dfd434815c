"""The difference between the arms at the decision week under every estimand and missing-data rule.

    observed   the trajectory model of arms, from the recorded scores; proportions of those known
    nri        proportions only: the rule says nothing about scores
    locf       difference between the mean changes from baseline of carried scores; proportions of carried responses
    mi         the same of each completed data set, every arm imputed from its own patients, pooled by Rubin's rules

Differences are on the model's scale, taken to `SCALES[scale].difference` in the end.
"""

from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import pandas as pd
from scipy.special import stdtr

from easitrace.cohort.arms import ARM, each_arm
from easitrace.cohort.cohort import Cohort
from easitrace.errors import DataError, NotEstimableError, Problem
from easitrace.models.mmrm import fit_mmrm
from easitrace.response import arms
from easitrace.response.arm_endpoints import endpoints_by_arm, risk_differences
from easitrace.response.estimands import Estimand
from easitrace.response.missing import MissingRule
from easitrace.response.pooling import Numbers, pool
from easitrace.response.sensitivity import NO_SCORES, Case, Plan, because
from easitrace.response.trajectory import SCALES, model_formula, model_rows

DIFFERENCE = ("estimate", "lower", "upper", "df", "p")
RISK = ("difference", "difference_lower", "difference_upper")


@dataclass(frozen=True)
class ArmModel:
    """How the trajectory model of arms is fitted: the report's parameters `baseline` and `covariance_by_arm`."""

    baseline: arms.BaselineRule = "common"
    covariance_by_arm: bool = False


def compare_arms(cohort: Cohort, plan: Plan, model: ArmModel) -> pd.DataFrame:
    """One row per estimand, missing-data rule and arm other than the reference.

    Returns
    -------
    DataFrame
        `estimand`, `missing`, `arm`, `reference`, `estimate`, `lower`, `upper` (in `SCALES[scale].difference`), `df`,
        `p`; `difference`, `difference_lower`, `difference_upper` of the proportions of responders; `message`: why there
        is no estimate.
    """
    plain = replace(plan, covariates=[name for name in plan.covariates if name != ARM])
    tables = []
    for estimand in get_args(Estimand):
        case = Case(cohort, estimand, plain)
        parts = {arm: replace(case, cohort=part) for arm, part in each_arm(cohort).items()}
        for rule in get_args(MissingRule):
            effects = pd.DataFrame(_effects(case, parts, rule, model))
            shares = risk_differences(endpoints_by_arm(case, [plan.criterion], rule), plan.level)
            risks = shares.loc[shares["week"] == plan.decision_week, [ARM, *RISK]]
            tables.append(effects.merge(risks, on=ARM).assign(estimand=estimand, missing=rule))
    table = pd.concat(tables, ignore_index=True).assign(reference=cohort.arms[0])
    for name in ("estimate", "lower", "upper"):
        table[name] = SCALES[plan.scale].of_difference(table[name].to_numpy(float))
    return table[["estimand", "missing", ARM, "reference", *DIFFERENCE, *RISK, "message"]]


def _effects(case: Case, parts: dict[str, Case], rule: str, model: ArmModel) -> list[dict[str, Any]]:
    reference, *others = parts
    bare = {**dict.fromkeys(DIFFERENCE, np.nan), "message": ""}
    if rule == "nri":
        return [{ARM: arm, **bare, "message": NO_SCORES} for arm in others]
    try:
        if rule == "observed":
            return [{**bare, **row} for row in _of_model(case, model)]
        changes = {arm: _changes(part, rule) for arm, part in parts.items()}
        return [{ARM: arm, **bare, **_apart(changes[arm], changes[reference], case.plan.level)} for arm in others]
    except (NotEstimableError, DataError) as error:
        return [{ARM: arm, **bare, "message": because(error)} for arm in others]


def _of_model(case: Case, model: ArmModel) -> list[dict[str, Any]]:
    plan, by = case.plan, ARM if model.covariance_by_arm else None
    rows = model_rows(case.counted, plan.scale, plan.covariates, model.baseline)
    formula = model_formula(plan.covariates, model.baseline)
    fit = fit_mmrm(formula, rows, patient="patient", visit="visit", covariance=plan.covariance, by=by, df=plan.df)
    if fit.status != "converged":
        raise NotEstimableError(Problem("E331", "trajectory model", fit.message))
    table = arms.effects(arms.arm_differences(fit, rows, plan.level))
    here = table.loc[table["week"] == plan.decision_week, [ARM, *DIFFERENCE]]
    return [dict(zip(here.columns, row, strict=True)) for row in here.itertuples(index=False, name=None)]


def _changes(case: Case, rule: str) -> Numbers:
    """Changes from baseline (m, n) on the model's scale of one arm: carried (m = 1) or imputed."""
    to = SCALES[case.plan.scale].to
    if rule == "mi":
        imputed = case.imputed
        completed: Numbers = to(imputed.at(case.visit.label)) - to(imputed.at(case.cohort.baseline.label))
        return completed
    start, now = to(case.carried).T
    carried: Numbers = (now - start)[None]
    return carried


def _apart(own: Numbers, base: Numbers, level: float) -> dict[str, float]:
    """The difference between two means of changes, with a pooled variance, over the imputations."""
    n, m = own.shape[1], base.shape[1]
    if min(n, m) < 2:
        raise NotEstimableError(Problem("E331", "arms", f"{n} and {m} patients have a score"))
    common = ((n - 1) * own.var(axis=1, ddof=1) + (m - 1) * base.var(axis=1, ddof=1)) / (n + m - 2)
    pooled = pool(own.mean(axis=1) - base.mean(axis=1), common * (1 / n + 1 / m), n + m - 2, level)
    p = float(2 * stdtr(pooled.df, -abs(pooled.estimate / pooled.se))) if pooled.se > 0 else np.nan
    return {"estimate": pooled.estimate, "lower": pooled.lower, "upper": pooled.upper, "df": pooled.df, "p": p}
