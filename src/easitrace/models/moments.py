"""Sufficient statistics of the repeated-measures model, additive over patients.

Patients seen at the same visits (and of the same covariance group) form a pattern P. The model's rows are
x_ij = S_j' w_i, where w_i holds the distinct patient-level columns (wide storage), or all rows x_i1 ... x_iJ side by
side (long storage, for covariates that change over time). Of a pattern only the triangular factor F_P of its rows
[w_i, y_i] is kept,

    F_P' F_P = sum_{i in P} [w_i, y_i]' [w_i, y_i],

never the crossproducts themselves: a covariate or an outcome with a large offset would cost them all accuracy.
In a model with an intercept y is kept less a round number, its `center`, which the intercept gets back at the end.
Two collections add by factorising their factors again, stacked (TSQR; Demmel et al. 2012, SIAM J Sci Comput 34:A206).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from easitrace.errors import DataError, Problem
from easitrace.models.design import Recipe, Rows, prepare
from easitrace.models.patterns import Index, Observed, Patterns, by_pattern
from easitrace.models.wide import Layout, layout, patient_rows

INTERCEPT = "Intercept"  # formulaic's name of the constant column


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics by visit pattern; no patient row inside, unless a pattern has one patient. Add with `+`.

    layout : how model rows arise from the w columns; dropped : rows left out, by column that was missing;
    left_out : patients left out because too few shared their pattern (`shareable`); center : taken off the outcome.
    """

    recipe: Recipe
    layout: Layout
    patterns: Patterns
    dropped: dict[str, int]
    left_out: int = 0
    center: float = 0.0

    @property
    def n_patients(self) -> int:
        """Patients with at least one observed outcome."""
        return self.patterns.n_patients

    @property
    def n_observations(self) -> int:
        """Observed outcomes."""
        return self.patterns.n_observations

    @property
    def covariate_means(self) -> dict[str, float]:
        """Mean of every numeric covariate over the rows used."""
        means = self.patterns.sums.sum(axis=0) / self.n_observations
        return dict(zip(self.recipe.numeric, means.tolist(), strict=True))

    @property
    def cells(self) -> dict[tuple[int, ...], int]:
        """Rows by combination of factor levels (their codes, in the order of recipe.levels)."""
        sizes = [len(levels) for levels in self.recipe.levels.values()]
        combos = np.stack(np.unravel_index(self.patterns.cells[:, 1], sizes), axis=1).tolist()
        total: dict[tuple[int, ...], int] = {}
        for combo, rows in zip(map(tuple, combos), self.patterns.cells[:, 2].tolist(), strict=True):
            total[combo] = total.get(combo, 0) + rows
        return total

    def __add__(self, other: "Moments") -> "Moments":
        """Both collections together; DataError when formula, columns, levels or storage differ."""
        _refuse_differences(self, other)
        return replace(
            self,
            patterns=self.patterns + _recentered(other, self.center),
            dropped=_added(self.dropped, other.dropped),
            left_out=self.left_out + other.left_out,
        )


def collect(
    formula: str,
    data: Any,
    *,
    patient: str,
    visit: str,
    by: str | None = None,
    levels: Mapping[str, Any] | None = None,
    storage: str = "auto",
) -> Moments:
    """Sufficient statistics of `formula` in `data`, for `fit_mmrm(moments=...)`, to be added to those of other data.

    Parameters
    ----------
    formula : formulaic formula with the outcome on the left; the visit is a factor.
    data : any data frame that narwhals accepts, or the path of a Parquet file or folder (read in chunks);
        one row per patient and visit. In Parquet the rows of a patient must be neighbours.
    patient, visit : names of the columns of patient and visit.
    by : column of covariance groups (for example the arm), constant within a patient.
    levels : levels of factors and visits in order, for data that may not show all of them (one hospital of several).
    storage : "wide" (covariates constant within a patient), "long", or "auto" to see from the data.

    Raises
    ------
    DataError : columns absent, levels unknown, more than one row for a patient and visit.
    """
    if is_path(data):
        from easitrace.models.stream import collect_parquet

        return collect_parquet(formula, data, patient=patient, visit=visit, by=by, levels=levels, storage=storage)
    return from_rows(*prepare(formula, data, patient=patient, visit=visit, by=by, levels=levels), storage)


def is_path(data: Any) -> bool:
    """Whether the data are named rather than given."""
    return isinstance(data, str) or hasattr(data, "__fspath__")


def from_rows(recipe: Recipe, rows: Rows, storage: str = "auto") -> Moments:
    """Sufficient statistics of prepared rows."""
    J, n = len(recipe.visits), rows.n_patients
    first = np.flatnonzero(np.diff(rows.patient, prepend=-1))
    plan = layout(recipe, rows, first, storage)
    y, seen = np.zeros((n, J)), np.zeros((n, J), dtype=bool)
    center = float(np.round(rows.y.mean())) if INTERCEPT in recipe.columns else 0.0
    y[rows.patient, rows.visit] = rows.y - center
    seen[rows.patient, rows.visit] = True
    both = np.concatenate([patient_rows(plan, recipe, rows, first, seen), y], axis=1)
    covariates = rows.frame[list(recipe.numeric)].to_numpy(float)
    observed = Observed(rows.patient, covariates, _combinations(recipe, rows))
    patterns = by_pattern(both, seen, _group_codes(recipe, rows, first), observed)
    return Moments(recipe, plan, patterns, rows.dropped, center=center)


def _recentered(moments: Moments, center: float) -> Patterns:
    """The patterns with another number taken off the outcome: y_j moves along the column that is 1 at every visit."""
    patterns, S = moments.patterns, moments.layout.S
    if moments.center == center:
        return patterns
    one = S[:, :, moments.recipe.columns.index(INTERCEPT)]
    w = S.shape[1]
    moved = patterns.factor.copy()
    constant = (patterns.factor[:, :w] @ one.T) * patterns.seen[patterns.owner]
    moved[:, w:] += (moments.center - center) * constant
    return replace(patterns, factor=moved)


def shareable(moments: Moments, minimum: int) -> Moments:
    """Without the patterns of fewer than `minimum` patients, whose rows could be read back; `left_out` counts them.

    Nothing of the patients left out remains, in covariate means neither. Combinations of factor levels with fewer than
    `minimum` rows are forgotten too, so that means with proportional weights may differ a little.
    """
    keep = moments.patterns.counts >= minimum
    patterns = moments.patterns.select(keep)
    patterns = replace(patterns, cells=patterns.cells[patterns.cells[:, 2] >= minimum])
    left_out = moments.n_patients - patterns.n_patients
    return replace(moments, patterns=patterns, left_out=moments.left_out + left_out)


def _group_codes(recipe: Recipe, rows: Rows, first: Index) -> Index:
    """Covariance group of every patient; DataError when a patient has two."""
    if recipe.by is None:
        return np.zeros(rows.n_patients, dtype=np.int64)
    codes = rows.frame[recipe.by].cat.codes.to_numpy().astype(np.int64)
    of_patient: Index = codes[first]
    if (codes != of_patient[rows.patient]).any():
        what = "changes within a patient, so it cannot define covariance groups"
        raise DataError(Problem("E309", f"column {recipe.by}", what))
    return of_patient


def _combinations(recipe: Recipe, rows: Rows) -> Index:
    """Code (N,) of each row's combination of factor levels, in the order of recipe.levels."""
    code = np.zeros(len(rows.y), dtype=np.int64)
    for name, levels in recipe.levels.items():
        code = code * len(levels) + rows.frame[name].cat.codes.to_numpy()
    return code


def _added(a: Mapping[Any, int], b: Mapping[Any, int]) -> dict[Any, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in sorted({*a, *b})}


def _refuse_differences(a: Moments, b: Moments) -> None:
    """DataError naming what differs between two collections that are to be added."""
    names = sorted({*a.recipe.levels, *b.recipe.levels})
    pairs = {
        "formula": (a.recipe.formula, b.recipe.formula),
        "patient and visit": ((a.recipe.patient, a.recipe.visit), (b.recipe.patient, b.recipe.visit)),
        "covariance groups": (a.recipe.by, b.recipe.by),
        "columns": (a.recipe.columns, b.recipe.columns),
        "storage": (a.layout.storage, b.layout.storage),
        **{f"levels of {name}": (a.recipe.levels.get(name), b.recipe.levels.get(name)) for name in names},
    }
    differing = [
        Problem("E310", name, f"differs: {one} and {two}", "collect with the same formula, levels= and storage=")
        for name, (one, two) in pairs.items()
        if one != two
    ]
    if a.recipe.stateful or b.recipe.stateful:
        what = "a term learns from its own data (centre, scale, splines), so its columns do not mean the same"
        differing.append(Problem("E310", f"formula {a.recipe.formula}", what, "write the numbers into the formula"))
    if differing:
        raise DataError(differing)
