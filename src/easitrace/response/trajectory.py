"""From a cohort to the rows of a trajectory model, and from its estimates back to the points of the outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from easitrace.cohort.arms import ARM
from easitrace.cohort.cohort import Cohort
from easitrace.models.emmeans import back_transform, contrasts, emmeans
from easitrace.models.fit import Fit
from easitrace.models.mmrm import fit_mmrm
from easitrace.response import arms
from easitrace.response.arms import BaselineRule

ScaleName = Literal["raw", "log1p", "sqrt"]
LIMITS = ("estimate", "lower", "upper")
STRUCTURES = ("us", "toeph", "ar1h", "csh", "cs")


@dataclass(frozen=True)
class Scale:
    """A scale for the model, and what a difference on it means in percent or points."""

    to: Callable[[Any], Any]
    difference: str
    of_difference: Callable[[Any], Any]


def _same(values: Any) -> Any:
    return values


def _percent(values: Any) -> Any:
    return 100 * np.expm1(values)


SCALES: dict[ScaleName, Scale] = {
    "raw": Scale(_same, "Change, points", _same),
    "log1p": Scale(np.log1p, "Change of 1 + score, %", _percent),
    "sqrt": Scale(np.sqrt, "Change of the square root", _same),
}


def model_rows(
    cohort: Cohort, scale: ScaleName, covariates: Sequence[str] = (), baseline: BaselineRule | None = None
) -> pd.DataFrame:
    """One row per recorded outcome: `patient`, `visit`, `week`, `y` on the model's scale, the covariates.

    With `baseline` the rows of a model of the cohort's arms: then also `arm` and what `arms.arm_rows` adds.
    """
    rows = cohort.visits.loc[cohort.visits[cohort.outcome].notna(), ["patient", "visit", "week", cohort.outcome]]
    seen = rows["visit"].cat.remove_unused_categories()
    rows = rows.assign(visit=seen, y=SCALES[scale].to(rows[cohort.outcome].to_numpy(float)))
    if baseline is None:
        return rows.merge(cohort.patients[["patient", *covariates]], on="patient")
    known = cohort.patients[["patient", ARM, *covariates]]
    return arms.arm_rows(rows.merge(known, on="patient"), cohort, baseline)


def model_formula(covariates: Sequence[str] = (), baseline: BaselineRule | None = None) -> str:
    """`y ~ visit` with the covariates added; with `baseline` that of `arms.arm_formula`.

    The arm as a covariate goes with the visit: every arm has a mean of its own at every visit.
    """
    if baseline is not None:
        return arms.arm_formula(list(covariates), baseline)
    course = f"y ~ visit * {ARM}" if ARM in covariates else "y ~ visit"
    return " + ".join([course, *(name for name in covariates if name != ARM)])


def visit_means(fit: Fit, rows: pd.DataFrame, scale: ScaleName, level: float = 0.95) -> pd.DataFrame:
    """Estimated mean at each visit in points: the mean on the model's scale and its limits, transformed back.

    Returns
    -------
    DataFrame
        `visit`, `week`, `n` (patients seen), `mean`, `lower`, `upper` (points), `df`; of a model of arms `arm` first.
    """
    if arms.of_arms(rows):
        return arms.arm_means(fit, rows, scale, level)
    with np.errstate(over="ignore"):  # with less than one degree of freedom a limit may have no finite value in points
        table = back_transform(emmeans(fit, "visit", level=level), scale).rename(columns={"estimate": "mean"})
    seen = rows.groupby("visit", observed=True).agg(week=("week", "first"), n=("patient", "size")).reset_index()
    merged = seen.astype({"visit": str}).merge(table.astype({"visit": str}), on="visit")
    return merged[["visit", "week", "n", "mean", "lower", "upper", "df"]]


def visit_changes(fit: Fit, rows: pd.DataFrame, scale: ScaleName, level: float = 0.95) -> pd.DataFrame:
    """`visit_contrasts`; of a model of arms the change from baseline of each arm at each later visit.

    Returns
    -------
    DataFrame
        `name`, `estimate`, `lower`, `upper` (in `SCALES[scale].difference`), `statistic`, `df`, `p`; of a model of
        arms `arm`, `visit` and `week` first.
    """
    if not arms.of_arms(rows):
        return visit_contrasts(fit, scale, level)
    table = arms.arm_changes(fit, rows, level)
    table.insert(3, "name", [f"{visit} v baseline" for visit in table["visit"]])
    return _in_units(table, scale)


def arm_differences(fit: Fit, rows: pd.DataFrame, scale: ScaleName, level: float = 0.95) -> pd.DataFrame:
    """Each other arm against the reference at each visit, log1p differences as percent difference of 1 + score.

    Returns
    -------
    DataFrame
        `name` ("drug v placebo"), then the columns of `arms.arm_differences`, in `SCALES[scale].difference`.
    """
    table = arms.arm_differences(fit, rows, level)
    table.insert(0, "name", table["arm"] + " v " + table["reference"])
    return _in_units(table, scale)


def visit_contrasts(fit: Fit, scale: ScaleName, level: float = 0.95) -> pd.DataFrame:
    """Every later visit against every earlier one; log1p differences as percent change of 1 + score.

    Returns
    -------
    DataFrame
        `name`, `estimate`, `lower`, `upper` (in `SCALES[scale].difference`), `statistic`, `df`, `p`.
    """
    table = contrasts(fit, "visit", against="pairwise", level=level)
    table["name"] = table["contrast"].str.replace(" - ", " v ", regex=False)
    return _in_units(table[["name", "estimate", "lower", "upper", "statistic", "df", "p"]], scale)


def _in_units(table: pd.DataFrame, scale: ScaleName) -> pd.DataFrame:
    """Differences on the model's scale as they are printed."""
    with np.errstate(over="ignore"):
        moved = {name: SCALES[scale].of_difference(table[name].to_numpy(float)) for name in LIMITS}
    return table.assign(**moved)


def sensitivity(
    cohort: Cohort,
    covariates: Sequence[str],
    week: float,
    df: str,
    level: float = 0.95,
    baseline: BaselineRule | None = None,
    by: str | None = None,
) -> pd.DataFrame:
    """The estimated mean at one visit under every structure and scale, in points; missing where not estimable.

    Parameters
    ----------
    baseline, by : as in `model_rows` and `fit_mmrm`, for a model of arms.

    Returns
    -------
    DataFrame
        `covariance`, `scale`, `mean`, `lower`, `upper`, `log_likelihood`, `aic`, `status`, `message`; of a model of
        arms a row per arm, with `arm`, and `difference`, `difference_lower`, `difference_upper`, `p` against the
        reference in `SCALES[scale].difference`.
    """
    rows: list[dict[Any, Any]] = []
    for scale in SCALES:
        data = model_rows(cohort, scale, covariates, baseline)
        for structure in STRUCTURES:
            formula = model_formula(covariates, baseline)
            fit = fit_mmrm(formula, data, patient="patient", visit="visit", by=by, covariance=structure, df=df)
            rows += [{"covariance": structure, "scale": scale, **row} for row in _at(fit, data, scale, week, level)]
    return pd.DataFrame(rows)


def _at(fit: Fit, data: pd.DataFrame, scale: ScaleName, week: float, level: float) -> list[dict[Any, Any]]:
    about = {"log_likelihood": fit.log_likelihood, "aic": fit.aic, "status": fit.status, "message": fit.message}
    compared = arms.of_arms(data)
    if fit.status != "converged":
        groups = [{ARM: arm} for arm in data[ARM].cat.categories] if compared else [{}]
        return [group | dict.fromkeys(["mean", "lower", "upper"], np.nan) | about for group in groups]
    means = visit_means(fit, data, scale, level)
    there = means.loc[means["week"] == week, [*([ARM] if compared else []), "mean", "lower", "upper"]]
    if compared:
        there = there.merge(_effects_at(fit, data, scale, week, level), on=ARM, how="left")
    return [row | about for row in there.to_dict("records")]


def _effects_at(fit: Fit, data: pd.DataFrame, scale: ScaleName, week: float, level: float) -> pd.DataFrame:
    """`arm`, `difference` with limits and `p`: what the model says of each arm against the reference at a visit."""
    table = arms.effects(arm_differences(fit, data, scale, level))
    named = {"estimate": "difference", "lower": "difference_lower", "upper": "difference_upper", "p": "p"}
    return table.loc[table["week"] == week, [ARM, *named]].rename(columns=named)
