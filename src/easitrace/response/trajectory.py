"""From a cohort to the rows of a trajectory model, and from its estimates back to the points of the outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.models.emmeans import back_transform, contrasts, emmeans
from easitrace.models.fit import Fit
from easitrace.models.mmrm import fit_mmrm

ScaleName = Literal["raw", "log1p", "sqrt"]
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


def model_rows(cohort: Cohort, scale: ScaleName, covariates: Sequence[str] = ()) -> pd.DataFrame:
    """One row per recorded outcome: `patient`, `visit`, `week`, `y` on the model's scale, the covariates."""
    rows = cohort.visits.loc[cohort.visits[cohort.outcome].notna(), ["patient", "visit", "week", cohort.outcome]]
    seen = rows["visit"].cat.remove_unused_categories()
    rows = rows.assign(visit=seen, y=SCALES[scale].to(rows[cohort.outcome].to_numpy(float)))
    return rows.merge(cohort.patients[["patient", *covariates]], on="patient")


def model_formula(covariates: Sequence[str] = ()) -> str:
    """`y ~ visit` with the covariates added."""
    return " + ".join(["y ~ visit", *covariates])


def visit_means(fit: Fit, rows: pd.DataFrame, scale: ScaleName, level: float = 0.95) -> pd.DataFrame:
    """Estimated mean at each visit in points: the mean on the model's scale and its limits, transformed back.

    Returns
    -------
    DataFrame
        `visit`, `week`, `n` (patients seen), `mean`, `lower`, `upper` (points), `df`.
    """
    with np.errstate(over="ignore"):  # with less than one degree of freedom a limit may have no finite value in points
        table = back_transform(emmeans(fit, "visit", level=level), scale).rename(columns={"estimate": "mean"})
    seen = rows.groupby("visit", observed=True).agg(week=("week", "first"), n=("patient", "size")).reset_index()
    merged = seen.astype({"visit": str}).merge(table.astype({"visit": str}), on="visit")
    return merged[["visit", "week", "n", "mean", "lower", "upper", "df"]]


def visit_contrasts(fit: Fit, scale: ScaleName, level: float = 0.95) -> pd.DataFrame:
    """Every later visit against every earlier one; log1p differences as percent change of 1 + score.

    Returns
    -------
    DataFrame
        `name`, `estimate`, `lower`, `upper` (in `SCALES[scale].difference`), `statistic`, `df`, `p`.
    """
    table = contrasts(fit, "visit", against="pairwise", level=level)
    shown = pd.DataFrame({"name": table["contrast"].str.replace(" - ", " v ", regex=False)})
    with np.errstate(over="ignore"):
        for column in ("estimate", "lower", "upper"):
            shown[column] = SCALES[scale].of_difference(table[column].to_numpy(float))
    return shown.join(table[["statistic", "df", "p"]])


def sensitivity(cohort: Cohort, covariates: Sequence[str], week: float, df: str, level: float = 0.95) -> pd.DataFrame:
    """The estimated mean at one visit under every structure and scale, in points; missing where not estimable.

    Returns
    -------
    DataFrame
        `covariance`, `scale`, `mean`, `lower`, `upper`, `log_likelihood`, `aic`, `status`, `message`.
    """
    rows = []
    for scale in SCALES:
        data = model_rows(cohort, scale, covariates)
        for structure in STRUCTURES:
            fit = fit_mmrm(
                model_formula(covariates), data, patient="patient", visit="visit", covariance=structure, df=df
            )
            rows.append({"covariance": structure, "scale": scale, **_at(fit, data, scale, week, level)})
    return pd.DataFrame(rows)


def _at(fit: Fit, data: pd.DataFrame, scale: ScaleName, week: float, level: float) -> dict[Any, Any]:
    about = {"log_likelihood": fit.log_likelihood, "aic": fit.aic, "status": fit.status, "message": fit.message}
    if fit.status != "converged":
        return dict.fromkeys(["mean", "lower", "upper"], np.nan) | about
    means = visit_means(fit, data, scale, level)
    (there,) = means.loc[means["week"] == week, ["mean", "lower", "upper"]].to_dict("records")
    return there | about
