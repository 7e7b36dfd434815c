"""Estimated marginal means, contrasts between them, joint tests of terms, and the way back from a transformed scale.

The reference grid crosses the levels of every factor of the model, with covariates at their mean over the rows used;
a mean is the average of its grid rows, with equal or proportional weights (Searle, Speed and Milliken 1980,
Am Stat 34:216).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from typing import Any, Literal

import numpy as np
import pandas as pd

from easitrace.covariance import Array
from easitrace.errors import ParameterError, Problem
from easitrace.models.design import predictors
from easitrace.models.fit import Fit

Names = str | Sequence[str]
Back = Callable[[Any], Any]
BACK: dict[str, tuple[Back, Back]] = {  # the inverse transformation and its slope
    "raw": (lambda m: m, lambda m: 0 * m + 1),
    "log1p": (np.expm1, np.exp),
    "sqrt": (np.square, lambda m: 2 * np.abs(m)),
}


def emmeans(
    fit: Fit,
    by: Names,
    *,
    at: Mapping[str, Any] | None = None,
    weights: Literal["equal", "proportional"] = "equal",
    level: float = 0.95,
) -> pd.DataFrame:
    """Estimated marginal means.

    Parameters
    ----------
    by : factors of the model whose level combinations get a mean; the first varies fastest.
    at : values of covariates (a number, or several: one set of rows each) or subsets of factor levels.
    weights : of the factors averaged over: "equal", or "proportional" to the rows of their level combinations.

    Returns
    -------
    DataFrame: the columns of `by` (and covariates given several values), estimate, se, df, lower, upper.

    Raises
    ------
    ParameterError : a name that is not in the model, a level that it does not have.
    """
    frame, L = marginal_means(fit, _names(by), at or {}, weights)
    found = fit.estimate(L, level)
    return frame.assign(estimate=found.estimate, se=found.se, df=found.df, lower=found.lower, upper=found.upper)


def contrasts(
    fit: Fit,
    of: Names,
    *,
    within: Names | None = None,
    against: Any = "pairwise",
    at: Mapping[str, Any] | None = None,
    weights: Literal["equal", "proportional"] = "equal",
    level: float = 0.95,
) -> pd.DataFrame:
    """Differences between estimated marginal means of `of`, at each level of `within`.

    Parameters
    ----------
    of : factor (or factors) whose means are compared. within : factor(s) at each level of which they are compared.
    against : "pairwise" (every later level minus every earlier one), or a level of `of`: all others minus it.

    Returns
    -------
    DataFrame: contrast ("drug - placebo"), within (column "within": its level, combined by ", "; missing without),
    the columns of `within`, estimate, se, df, statistic, p, lower, upper. P values are not adjusted for multiplicity.
    """
    targets, strata = _names(of), _names(within) if within is not None else []
    frame, L = marginal_means(fit, [*targets, *strata], at or {}, weights)
    labels = _labels(frame, targets)
    groups = _labels(frame, strata) if strata else pd.Series([""] * len(frame))
    rows, matrix = [], []
    for group in dict.fromkeys(groups):
        members = np.flatnonzero(groups == group)
        for low, high in _pairs(labels[members].tolist(), against):
            one, other = members[high], members[low]
            row = {"contrast": f"{labels[one]} - {labels[other]}", "within": group if strata else None}
            rows.append(row | {name: frame[name].iloc[one] for name in strata})
            matrix.append(L[one] - L[other])
    found = fit.estimate(np.array(matrix), level)
    return pd.DataFrame(rows).assign(**found._asdict())


def joint_test(fit: Fit, term: str) -> pd.DataFrame:
    """Type III F test of one term: its factors' contrasts averaged over all other factors with equal weights.

    `term` is written as in the formula, "arm", "arm:week", "baseline". For a covariate the slope is tested, averaged
    over the levels of factors outside the term; a transformed covariate is tested through its coefficients.

    Returns
    -------
    DataFrame with one row: term, df1 (rank of the contrasts), df2, f, p.
    """
    found = fit.test(_term_contrasts(fit, term))
    return pd.DataFrame([{"term": term, "df1": found.df1, "df2": found.df2, "f": found.f, "p": found.p}])


def back_transform(table: pd.DataFrame, scale: Literal["raw", "log1p", "sqrt"]) -> pd.DataFrame:
    """Means of a transformed outcome on the outcome's own scale: transformed interval, delta-method standard error.

    The estimate is the median of the outcome where the model holds (for log1p the geometric mean of 1 + y, less 1), not
    its mean. A lower limit below zero on the square-root scale becomes zero. Differences cannot be taken back this way.

    Raises
    ------
    ParameterError : unknown scale, or a table of contrasts.
    """
    if scale not in BACK:
        raise ParameterError(Problem("E301", "scale", f"{scale!r} is unknown", f"choose one of {', '.join(BACK)}"))
    if "contrast" in table.columns:
        raise ParameterError(Problem("E301", "table", "a difference has no value on the outcome's own scale"))
    back, slope = BACK[scale]
    clipped = table.assign(lower=table["lower"].clip(lower=0)) if scale == "sqrt" else table
    moved = {name: back(clipped[name]) for name in ("estimate", "lower", "upper")}
    return table.assign(**moved, se=slope(table["estimate"]) * table["se"])


def marginal_means(fit: Fit, by: list[str], at: Mapping[str, Any], weights: str) -> tuple[pd.DataFrame, Array]:
    """One row of level combinations, and one row of contrasts L (m, all terms), per marginal mean."""
    if weights not in ("equal", "proportional"):
        raise ParameterError(Problem("E301", "weights", f"{weights!r} is unknown", "choose equal or proportional"))
    values = grid_values(fit, by, at)
    shown = [*by, *(n for n in values if n not in by and n not in fit.recipe.levels and len(values[n]) > 1)]
    averaged = [name for name in values if name not in shown]
    grid = pd.DataFrame(
        [combo[::-1] for combo in product(*(values[n] for n in reversed([*averaged, *shown])))],
        columns=[*averaged, *shown],
    )
    X = fit.recipe.rows(grid)
    weight = _weights(fit, averaged, grid, weights)
    cells = int(np.prod([len(values[n]) for n in averaged]))
    L = (X * weight[:, None]).reshape(-1, cells, X.shape[1]).sum(axis=1)
    return grid[shown].iloc[::cells].reset_index(drop=True), L


def grid_values(fit: Fit, by: Sequence[str], at: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Values of every variable of the model in the reference grid."""
    recipe = fit.recipe
    used = predictors(recipe.formula)
    factors = [name for name in recipe.levels if name in used]
    for name in [*by, *at]:
        if name not in used or (name in by and name not in factors):
            kind = "factor" if name in by else "variable"
            raise ParameterError(
                Problem("E312", name, f"is not a {kind} of {recipe.formula!r}", f"they are {', '.join(factors)}")
            )
    values: dict[str, list[Any]] = {name: list(recipe.levels[name]) for name in factors}
    values |= {name: [mean] for name, mean in fit.covariate_means.items()}
    for name, chosen in at.items():
        values[name] = [chosen] if np.isscalar(chosen) else list(chosen)
    return values


def _weights(fit: Fit, averaged: Sequence[str], grid: pd.DataFrame, weights: str) -> Array:
    """Weight of each grid row; they add up to 1 within a marginal mean."""
    names = list(fit.recipe.levels)
    factors = [name for name in averaged if name in names]
    cells = int(np.prod([grid[name].nunique() for name in averaged])) if averaged else 1
    if weights == "equal" or not factors:
        return np.full(len(grid), 1 / cells)
    totals: dict[tuple[Any, ...], int] = {}
    for combo, count in fit.cells.items():
        key = tuple(fit.recipe.levels[name][combo[names.index(name)]] for name in factors)
        totals[key] = totals.get(key, 0) + count
    weight = np.array([totals.get(key, 0) for key in grid[factors].itertuples(index=False, name=None)], dtype=float)
    shares: Array = weight / weight.reshape(-1, cells).sum(axis=1).repeat(cells)
    return shares


def _term_contrasts(fit: Fit, term: str) -> Array:
    """L (m, all terms) of a type III test."""
    by_name = {frozenset(map(str, entry.term.factors)): entry for entry in fit.recipe.spec.structure}
    wanted = frozenset(part.strip() for part in term.split(":"))
    if wanted not in by_name:
        known = ", ".join(str(entry.term) for entry in fit.recipe.spec.structure)
        raise ParameterError(Problem("E312", term, f"is not a term of {fit.recipe.formula!r}", f"they are {known}"))
    factors = [name for name in fit.recipe.levels if name in wanted]
    covariates = [name for name in fit.recipe.numeric if name in wanted]
    if len(factors) + len(covariates) < len(wanted):
        columns = [fit.recipe.columns.index(c) for c in by_name[wanted].columns]
        return np.eye(len(fit.recipe.columns))[columns]
    frame, L = _slopes(fit, factors, covariates)
    for name in factors:
        frame, L = _differences(frame, L, name)
    return L


def _slopes(fit: Fit, factors: list[str], covariates: list[str]) -> tuple[pd.DataFrame, Array]:
    """Marginal means, or their (mixed) differences per unit of the covariates, by level of the factors."""
    total: Array | None = None
    for chosen in product((0, 1), repeat=len(covariates)):
        at = {name: fit.covariate_means[name] + step for name, step in zip(covariates, chosen, strict=True)}
        frame, L = marginal_means(fit, factors, at, "equal")
        signed = L * (-1) ** (len(covariates) - sum(chosen))
        total = signed if total is None else total + signed
    assert total is not None
    return frame, total


def _differences(frame: pd.DataFrame, L: Array, name: str) -> tuple[pd.DataFrame, Array]:
    """Each level of a factor minus its first."""
    others = [c for c in frame.columns if c != name]
    first = frame[name] == frame[name].iloc[0]
    keys = list(frame[others].itertuples(index=False, name=None))
    reference = {keys[i]: L[i] for i in np.flatnonzero(first)}
    rest = np.flatnonzero(~first)
    return frame.iloc[rest].reset_index(drop=True), np.array([L[i] - reference[keys[i]] for i in rest])


def _names(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _labels(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    return frame[list(names)].astype(str).agg(", ".join, axis=1)


def _pairs(labels: list[str], against: Any) -> list[tuple[int, int]]:
    """Index pairs (reference, compared)."""
    if isinstance(against, str) and against == "pairwise":
        return list(combinations(range(len(labels)), 2))
    if str(against) not in labels:
        raise ParameterError(Problem("E312", "against", f"{against!r} is not a level", f"they are {', '.join(labels)}"))
    reference = labels.index(str(against))
    return [(reference, k) for k in range(len(labels)) if k != reference]
