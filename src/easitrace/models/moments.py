"""Sufficient statistics of the repeated-measures model, additive over patients.

Patients seen at the same visits (and of the same covariance group) form a pattern P. The model's rows are x_ij = S_j' w_i,
where w_i holds the distinct patient-level columns (wide storage), or all rows x_i1 ... x_iJ side by side (long storage,
for covariates that change over time). Of a pattern only the triangular factor F_P of its rows [w_i, y_i] is kept,

    F_P' F_P = sum_{i in P} [w_i, y_i]' [w_i, y_i],

never the crossproducts themselves: a covariate or an outcome with a large offset would cost them all accuracy.
Two collections add by factorising their factors again, stacked (TSQR; Demmel et al. 2012, SIAM J Sci Comput 34:A206).
"""

from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.errors import DataError, Problem
from easitrace.models.design import Recipe, Rows, prepare
from easitrace.models.wide import Layout, layout, patient_rows

CHUNK_ROWS = 8192  # of one orthogonal factorisation


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics by visit pattern; no patient row inside. Add with `+`.

    seen : (P, J) visits of each pattern; group : (P,) index into the levels of `by`; counts : (P,) patients;
    factor : (R, w + J) the patterns' triangular factors, one below the other; pattern : (R,) whose row it is;
    layout : how model rows arise from the w columns; covariate_sums : sum over rows of each numeric covariate;
    cells : observed rows by combination of factor levels; dropped : rows left out, by column that was missing;
    left_out : patients left out because their pattern was too small to share.
    """

    recipe: Recipe
    layout: Layout
    seen: NDArray[np.bool_]
    group: NDArray[np.int64]
    counts: NDArray[np.int64]
    factor: Array
    pattern: NDArray[np.int64]
    covariate_sums: Array
    cells: dict[tuple[int, ...], int]
    dropped: dict[str, int]
    left_out: int = 0

    @property
    def n_patients(self) -> int:
        """Patients with at least one observed outcome."""
        return int(self.counts.sum())

    @property
    def n_observations(self) -> int:
        """Observed outcomes."""
        return int(self.counts @ self.seen.sum(axis=1))

    @property
    def covariate_means(self) -> dict[str, float]:
        """Mean of every numeric covariate over the rows used."""
        return dict(zip(self.recipe.numeric, (self.covariate_sums / self.n_observations).tolist(), strict=True))

    def __add__(self, other: "Moments") -> "Moments":
        """Both collections together; DataError when formula, columns, levels or storage differ."""
        _refuse_differences(self, other)
        return _grouped(
            self,
            np.concatenate([self.seen, other.seen]),
            np.concatenate([self.group, other.group]),
            np.concatenate([self.counts, other.counts]),
            np.concatenate([self.factor, other.factor]),
            np.concatenate([self.pattern, other.pattern + len(self.counts)]),
            covariate_sums=self.covariate_sums + other.covariate_sums,
            cells=_added(self.cells, other.cells),
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
    levels: dict[str, Any] | None = None,
    storage: str = "auto",
) -> Moments:
    """Sufficient statistics of `formula` in `data`, for `fit_mmrm(moments=...)`, to be added to those of other data.

    Parameters
    ----------
    formula : formulaic formula with the outcome on the left; the visit is a factor.
    data : any data frame that narwhals accepts, one row per patient and visit.
    patient, visit : names of the columns of patient and visit.
    by : column of covariance groups (for example the arm), constant within a patient.
    levels : levels of factors and visits in order, for data that may not show all of them (one hospital of several).
    storage : "wide" (covariates constant within a patient), "long", or "auto" to see from the data.

    Raises
    ------
    DataError : columns absent, levels unknown, more than one row for a patient and visit.
    """
    recipe, rows = prepare(formula, data, patient, visit, by, levels)
    return from_rows(recipe, rows, storage)


def from_rows(recipe: Recipe, rows: Rows, storage: str = "auto") -> Moments:
    """Sufficient statistics of prepared rows."""
    J, n = len(recipe.visits), rows.n_patients
    start = np.flatnonzero(np.diff(rows.patient, prepend=-1))
    plan = layout(recipe, rows, start, storage)
    y, seen = np.zeros((n, J)), np.zeros((n, J), dtype=bool)
    y[rows.patient, rows.visit] = rows.y
    seen[rows.patient, rows.visit] = True
    group = _group_codes(recipe, rows, start)
    key = group * (1 << J) + seen @ (1 << np.arange(J))
    order = np.argsort(key, kind="stable")
    keys, first, counts = np.unique(key[order], return_index=True, return_counts=True)
    wide = np.concatenate([patient_rows(plan, recipe, rows, start, seen), y], axis=1)[order]
    factors = [_triangle(wide[low : low + size]) for low, size in zip(first, counts, strict=True)]
    return Moments(
        recipe,
        plan,
        seen[order[first]],
        group[order[first]].astype(np.int64),
        counts.astype(np.int64),
        np.concatenate(factors),
        np.repeat(np.arange(len(keys)), [len(f) for f in factors]),
        rows.frame[list(recipe.numeric)].to_numpy(float).sum(axis=0),
        _cells(recipe, rows),
        rows.dropped,
    )


def _triangle(rows: Array) -> Array:
    """The triangular factor of the rows, chunk after chunk."""
    chunks = (rows[low : low + CHUNK_ROWS] for low in range(0, len(rows), CHUNK_ROWS))
    return reduce(lambda R, chunk: np.linalg.qr(np.concatenate([R, chunk]), mode="r"), chunks, rows[:0])


def _grouped(base: Moments, seen: Any, group: Any, counts: Any, factor: Array, pattern: Any, **changes: Any) -> Moments:
    """`base` with equal patterns put together."""
    J = seen.shape[1]
    key = group * (1 << J) + seen @ (1 << np.arange(J))
    keys, first, which = np.unique(key, return_index=True, return_inverse=True)
    owner = which[pattern]
    factors = [_triangle(factor[owner == k]) for k in range(len(keys))]
    return replace(
        base,
        seen=seen[first],
        group=group[first],
        counts=np.bincount(which, weights=counts).astype(np.int64),
        factor=np.concatenate(factors),
        pattern=np.repeat(np.arange(len(keys)), [len(f) for f in factors]),
        **changes,
    )


def _group_codes(recipe: Recipe, rows: Rows, start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Covariance group of every patient; DataError when a patient has two."""
    if recipe.by is None:
        return np.zeros(rows.n_patients, dtype=np.int64)
    codes = rows.frame[recipe.by].cat.codes.to_numpy().astype(np.int64)
    of_patient: NDArray[np.int64] = codes[start]
    if (codes != of_patient[rows.patient]).any():
        raise DataError(
            Problem("E309", f"column {recipe.by}", "changes within a patient, so cannot define covariance groups")
        )
    return of_patient


def _cells(recipe: Recipe, rows: Rows) -> dict[tuple[int, ...], int]:
    """Observed rows by combination of factor levels (codes, in the order of recipe.levels)."""
    sizes = [len(recipe.levels[name]) for name in recipe.levels]
    codes = [rows.frame[name].cat.codes.to_numpy().astype(np.int64) for name in recipe.levels]
    flat = np.ravel_multi_index(codes, sizes)
    found, counts = np.unique(flat, return_counts=True)
    combos = np.stack(np.unravel_index(found, sizes), axis=1)
    return {tuple(combo.tolist()): int(count) for combo, count in zip(combos, counts, strict=True)}


def _added(a: dict[Any, int], b: dict[Any, int]) -> dict[Any, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in sorted({*a, *b})}


def _refuse_differences(a: Moments, b: Moments) -> None:
    """DataError naming what differs between two collections that are to be added."""
    pairs = {
        "formula": (a.recipe.formula, b.recipe.formula),
        "visit": (a.recipe.visit, b.recipe.visit),
        "covariance groups": (a.recipe.by, b.recipe.by),
        "columns": (a.recipe.columns, b.recipe.columns),
        "storage": (a.layout.storage, b.layout.storage),
        **{
            f"levels of {n}": (a.recipe.levels.get(n), b.recipe.levels.get(n))
            for n in {*a.recipe.levels, *b.recipe.levels}
        },
    }
    differing = [
        Problem("E310", name, f"differs: {one} and {two}", "collect with the same formula, levels and storage")
        for name, (one, two) in pairs.items()
        if one != two
    ]
    if a.recipe.stateful or b.recipe.stateful:
        what = "a term learns from its own data (centre, scale, splines), so the columns do not mean the same"
        differing.append(Problem("E310", f"formula {a.recipe.formula}", what, "use fixed numbers in the formula"))
    if differing:
        raise DataError(differing)
