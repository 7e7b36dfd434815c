"""The same question under every estimand and missing-data rule: how much hangs on what was not seen.

An analysis gives, at one visit, the estimated mean, its change from baseline and the proportion of responders:

    observed   mean and change from the likelihood of the recorded scores (trajectory model); proportion of those known
    nri        proportion only: the rule says nothing about scores
    locf       paired analysis of carried scores; proportion of carried responses
    mi         paired analysis of each completed data set, pooled by Rubin's rules; proportion pooled likewise

Means are means on the model's scale taken back to points, as in `trajectory`. With nothing missing, a paired analysis
and the unstructured trajectory model without covariates are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, get_args

import numpy as np
import pandas as pd

from easitrace.cohort.cohort import Cohort, Visit
from easitrace.cohort.describe import attendance
from easitrace.errors import DataError, EasitraceError, NotEstimableError, Problem
from easitrace.models.emmeans import BACK
from easitrace.models.fit import Fit
from easitrace.models.mmrm import fit_mmrm
from easitrace.response.endpoints import endpoints
from easitrace.response.estimands import Estimand, recorded_under, under_estimand
from easitrace.response.imputation import Imputed, impute, responders
from easitrace.response.missing import MissingRule, carried_forward, non_response
from easitrace.response.pooling import Numbers, Pooled, pool, pool_proportion
from easitrace.response.trajectory import SCALES, ScaleName, model_formula, model_rows, visit_contrasts, visit_means

MEAN = ("mean", "mean_lower", "mean_upper", "change", "change_lower", "change_upper", "df")
NO_SCORES = "the rule says nothing about scores"
SHARE = ("share", "share_lower", "share_upper")


@dataclass(frozen=True)
class Plan:
    """What every analysis has in common; the names are those of the report's parameters."""

    criterion: str
    decision_week: float
    scale: ScaleName
    covariates: Sequence[str]
    covariance: str
    df: str
    level: float
    interval: str
    imputations: int
    seed: int


@dataclass(frozen=True)
class Case:
    """A cohort under one estimand; what its analyses share is computed when first asked for.

    Its properties raise NotEstimableError or DataError when the model cannot be fitted or drawn from.
    """

    cohort: Cohort
    estimand: str
    plan: Plan

    @cached_property
    def counted(self) -> Cohort:
        """The cohort with the scores that count."""
        return under_estimand(self.cohort, self.estimand)

    @cached_property
    def visit(self) -> Visit:
        """The planned visit of the decision week."""
        return next(visit for visit in self.cohort.schedule if visit.week == self.plan.decision_week)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows of the trajectory model."""
        return model_rows(self.counted, self.plan.scale, self.plan.covariates)

    @cached_property
    def fit(self) -> Fit:
        """The trajectory model, converged."""
        plan, formula = self.plan, model_formula(self.plan.covariates)
        fit = fit_mmrm(
            formula,
            self.rows,
            patient="patient",
            visit="visit",
            covariance=plan.covariance,
            df=plan.df,
            level=plan.level,
        )
        if fit.status != "converged":
            raise NotEstimableError(Problem("E331", "trajectory model", fit.message))
        if self.visit.label not in fit.visits:
            raise NotEstimableError(Problem("E331", self.visit.label, f"nobody was seen at {self.visit.label}"))
        return fit

    @cached_property
    def imputed(self) -> Imputed:
        """The completed data sets."""
        plan = self.plan
        return impute(
            self.counted,
            self.rows,
            self.fit,
            scale=plan.scale,
            covariates=plan.covariates,
            draws=plan.imputations,
            seed=plan.seed,
        )

    @cached_property
    def carried(self) -> Numbers:
        """Carried scores (n, 2) at baseline and at the visit."""
        weeks = [self.cohort.baseline.week, self.visit.week]
        scores: Numbers = carried_forward(self.counted).wide()[weeks].dropna().to_numpy(float)
        return scores

    def failure(self) -> str:
        """Why nothing can be imputed, as the end of a sentence; "" when it can."""
        try:
            _ = self.imputed
        except (NotEstimableError, DataError) as error:
            return because(error)
        return ""

    @cached_property
    def never(self) -> "pd.Series[bool]":
        """By patient, whether stopping counts as non-response at the visit whatever is imputed."""
        states = attendance(recorded_under(self.cohort, self.estimand))
        here = states[states["week"] == self.visit.week].set_index("patient")
        return non_response(here, self.estimand, "mi")

    @cached_property
    def recorded(self) -> "pd.Series[Any]":
        """The proportion of recorded responses."""
        return self.proportion("observed")

    def proportion(self, rule: str) -> "pd.Series[Any]":
        """The row of `endpoints` at the decision week under a rule that needs no model."""
        plan = self.plan
        options = {"missing": rule, "interval": plan.interval}
        table = endpoints(self.cohort, [plan.criterion], estimand=self.estimand, level=plan.level, **options)
        return table[table["week"] == plan.decision_week].iloc[0]


def compare(cohort: Cohort, plan: Plan) -> pd.DataFrame:
    """One row per estimand and missing-data rule, at the decision week.

    Returns
    -------
    DataFrame
        `estimand`, `missing`; `patients` whose scores enter the mean and its change, `recorded` (those with a score at
        the visit), `filled` (those with a score filled in there); `mean` with limits (points), `change` with limits
        (from baseline, in `SCALES[scale].difference`), `df` of the change; `n` patients in the proportion, `known`
        (response from recorded scores), `failures` (counted as non-response), `decided` (response from filled
        scores), `left_out`; `share` with limits; `message`: why there is no mean.
    """
    rows = []
    for estimand in get_args(Estimand):
        case = Case(cohort, estimand, plan)
        for rule in get_args(MissingRule):
            rows.append({"estimand": estimand, "missing": rule, **_change(case, rule), **_share(case, rule)})
    return pd.DataFrame(rows)


def distinct(table: pd.DataFrame) -> pd.DataFrame:
    """`compare` with estimands that have the same results in one block: their names are joined in `estimand`."""
    results = [name for name in table.columns if name != "estimand"]
    blocks: dict[str, list[str]] = {}
    for estimand, rows in table.groupby("estimand", sort=False):
        blocks.setdefault(rows[results].to_json(orient="values", double_precision=9), []).append(str(estimand))
    first = {names[0]: "; ".join(names) for names in blocks.values()}
    kept = table[table["estimand"].isin(first)]
    return kept.assign(estimand=kept["estimand"].map(first)).reset_index(drop=True)


def pooled_change(case: Case, imputed: Imputed) -> dict[str, float]:
    """Mean at the decision week and its change from baseline, pooled, and the degrees of freedom of the change."""
    to = SCALES[case.plan.scale].to
    now, start = to(imputed.at(case.visit.label)), to(imputed.at(case.cohort.baseline.label))
    return _numbers(now, start, case.plan)


def pooled_share(case: Case, imputed: Imputed) -> tuple[dict[str, float], int]:
    """The proportion of responders at the decision week, pooled, and of how many patients.

    Patients whose response is not known in every imputation are left out.
    """
    answers = responders(imputed, case.cohort, case.plan.criterion, case.visit.label, case.never)
    known = answers[:, ~np.isnan(answers).any(axis=0)]
    n = known.shape[1]
    if not n:
        return dict.fromkeys(SHARE, np.nan), 0
    pooled = pool_proportion(known.mean(axis=1), n, case.plan.level)
    return dict(zip(SHARE, (pooled.estimate, pooled.lower, pooled.upper), strict=True)), n


def _change(case: Case, rule: str) -> dict[str, Any]:
    """The columns of a row about the mean and its change."""
    bare = {"patients": 0, "recorded": 0, "filled": 0, **dict.fromkeys(MEAN, np.nan), "message": ""}
    if rule == "nri":
        return bare | {"message": NO_SCORES}
    analyses = {"observed": _of_model, "locf": _of_carried, "mi": _of_imputed}
    try:
        return bare | analyses[rule](case)
    except (NotEstimableError, DataError) as error:
        return bare | {"message": because(error)}


def because(error: EasitraceError) -> str:
    """Why an analysis has no result, as the end of a sentence."""
    return f"not estimable because {error.problems[0].what}"


def _of_model(case: Case) -> dict[str, Any]:
    """From the likelihood of the recorded scores."""
    fit, plan, label = case.fit, case.plan, case.visit.label
    mean = visit_means(fit, case.rows, plan.scale, plan.level).set_index("visit").loc[label]
    changes = visit_contrasts(fit, plan.scale, plan.level).set_index("name")
    change = changes.loc[f"{label} v {case.cohort.baseline.label}"]
    numbers = [*mean[["mean", "lower", "upper"]], *change[["estimate", "lower", "upper", "df"]]]
    recorded = int((case.rows["visit"] == label).sum())
    return {"patients": fit.n_patients, "recorded": recorded, **dict(zip(MEAN, numbers, strict=True))}


def _of_carried(case: Case) -> dict[str, Any]:
    """Paired analysis of the last recorded scores."""
    recorded = int(case.counted.wide()[case.visit.week].notna().sum())
    n = len(case.carried)
    if n < 2:
        raise NotEstimableError(Problem("E331", case.visit.label, f"only {n} patients have a score"))
    start, now = SCALES[case.plan.scale].to(case.carried).T[:, None]
    return {"patients": n, "recorded": recorded, "filled": n - recorded, **_numbers(now, start, case.plan)}


def _of_imputed(case: Case) -> dict[str, Any]:
    """Paired analysis of every completed data set, pooled."""
    imputed = case.imputed
    gaps = imputed.missing[:, imputed.visits.index(case.visit.label)]
    counts = {"patients": len(gaps), "recorded": int((~gaps).sum()), "filled": int(gaps.sum())}
    return counts | pooled_change(case, imputed)


def _share(case: Case, rule: str) -> dict[str, Any]:
    """The columns of a row about the proportion of responders."""
    share, n, known, failures = _pooled_share(case) if rule == "mi" else _counted_share(case, rule)
    decided, left_out = n - known - failures, len(case.cohort.patients) - n
    return {"n": n, "known": known, "failures": failures, "decided": decided, "left_out": left_out, **share}


def _counted_share(case: Case, rule: str) -> tuple[dict[str, float], int, int, int]:
    """The proportion with its limits, of how many patients, how many of them known, and how many failures."""
    row, recorded = case.proportion(rule), case.recorded
    share = dict(zip(SHARE, row[["proportion", "lower", "upper"]], strict=True))
    failures = int(row["counted_as_failure"])
    return share, int(row["n"]), int(recorded["n"] - recorded["counted_as_failure"]), failures


def _pooled_share(case: Case) -> tuple[dict[str, float], int, int, int]:
    """The same from the completed data sets, of the patients who could be imputed."""
    try:
        share, n = pooled_share(case, case.imputed)
    except (NotEstimableError, DataError):
        return dict.fromkeys(SHARE, np.nan), 0, 0, 0
    recorded = replace(case, cohort=case.imputed.among(case.cohort)).recorded
    failures = int(recorded["counted_as_failure"])
    return share, n, int(recorded["n"]) - failures, failures


def _numbers(now: Numbers, start: Numbers, plan: Plan) -> dict[str, float]:
    """The columns `MEAN` from values (m, n) at the visit and at baseline, on the model's scale."""
    mean, change = _pooled(now, plan.level), _pooled(now - start, plan.level)
    back, of = BACK[plan.scale][0], SCALES[plan.scale].of_difference
    points = [float(back(value)) for value in (mean.estimate, mean.lower, mean.upper)]
    differences = [float(of(value)) for value in (change.estimate, change.lower, change.upper)]
    return dict(zip(MEAN, [*points, *differences, change.df], strict=True))


def _pooled(values: Numbers, level: float) -> Pooled:
    """The mean of each row of values (m, n), pooled over the rows; one row is one complete analysis."""
    n = values.shape[1]
    variances = values.var(axis=1, ddof=1) / n
    return pool(values.mean(axis=1), variances, n - 1, level)
