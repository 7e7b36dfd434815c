"""From a design and outcomes to the batches of `batch`: patterns, crossproducts, starts, and which ends are clear."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.models.batch import Batch, Ends, State, minimise
from easitrace.models.design import Recipe, Rows, prepare, to_frame
from easitrace.models.fit import Fit
from easitrace.models.optimise import FEW_PATIENTS, LEAST_START_EIGENVALUE
from easitrace.models.patterns import triangle
from easitrace.models.rank import independent_columns

CLEAR_PIVOT = 1e-3  # of the scaled Hessian, below which `fit_mmrm` has to judge
CLEAR_CORRELATION = 1e-5  # smallest eigenvalue of the correlation matrix, likewise
CLEAR_SD = 1e-3  # smallest over largest standard deviation, likewise
ROW = "easitrace_row"  # the column that carries row numbers through the preparation


@dataclass(frozen=True)
class Design:
    """One design for all replicates, in an orthonormal basis.

    Q (N, k), root (k, k) of the kept columns; recipe, rows : of the model, with the
    row number as outcome; row (N,) : which row of the data each is; seen (P, J) visits of the patterns; pattern (n,) of
    each patient.
    """

    Q: Array
    root: Array
    kept: NDArray[np.int64]
    recipe: Recipe
    rows: Rows
    row: NDArray[np.int64]
    seen: NDArray[np.bool_]
    pattern: NDArray[np.int64]


def design(fit: Fit, data: Any, example: Array) -> Design:
    """The design of the rows that have an outcome; rows without a covariate are left out, as in the fit."""
    recipe = fit.recipe
    names = list(dict.fromkeys([recipe.patient, *recipe.levels, *recipe.numeric]))
    frame = to_frame(data, names)
    frame[ROW] = np.where(np.isnan(example), np.nan, np.arange(len(frame)))
    formula = f"{ROW} ~ {recipe.formula.split('~', 1)[1]}"
    own, rows = prepare(formula, frame, patient=recipe.patient, visit=recipe.visit, levels=recipe.levels)
    return laid_out(fit, own, rows, rows.y.astype(np.int64))


def laid_out(fit: Fit, own: Recipe, rows: Rows, row: NDArray[np.int64]) -> Design:
    """The design of prepared rows."""
    X = fit.recipe.rows(rows.frame)
    R = triangle(X)
    kept, _ = independent_columns(R)
    root = triangle(R[:, kept])
    seen = np.zeros((rows.n_patients, len(fit.visits)), dtype=bool)
    seen[rows.patient, rows.visit] = True
    patterns, pattern = np.unique(seen, axis=0, return_inverse=True)
    Q = X[:, kept] @ np.linalg.inv(root)
    return Design(Q, root, kept, own, rows, row, patterns, pattern.astype(np.int64))


def batch_of(plan: Design, outcome: Array, reml: bool) -> Batch:
    """The crossproducts by pattern of outcomes (N, B)."""
    rows, (P, J), k, B = plan.rows, plan.seen.shape, plan.Q.shape[1], outcome.shape[1]
    X, Y = np.zeros((rows.n_patients, J, k)), np.zeros((rows.n_patients, J, B))
    X[rows.patient, rows.visit], Y[rows.patient, rows.visit] = plan.Q, outcome
    cells = [
        (of, j, k) for of in range(P) for j, k in zip(*np.tril_indices(J), strict=True) if plan.seen[of, [j, k]].all()
    ]
    members = [plan.pattern == of for of in range(P)]
    xx, xy, yy = [], [], []
    for of, j, k in cells:
        x, z, e, f = X[members[of], j], X[members[of], k], Y[members[of], j], Y[members[of], k]
        twice = 0.5 if j == k else 1.0
        xx.append(twice * (x.T @ z + z.T @ x))
        xy.append(twice * (x.T @ f + z.T @ e))
        yy.append(twice * 2 * (e * f).sum(axis=0))
    counts = np.repeat(np.bincount(plan.pattern, minlength=P).astype(float)[:, None], B, axis=1)
    owner, one, other = np.array(cells, dtype=np.int64).T
    return Batch(plan.seen, counts, owner, one, other, np.array(xx), np.array(xy), np.array(yy), reml)


def best_ends(batch: Batch, n_patients: int) -> Ends:
    """The best optimum of every data set over the starts of `fit_mmrm`.

    Smooth where one optimum was found, without trouble from the first start and from at least one of the others: other
    data sets may have an optimum that another way of stepping finds.
    """
    first, *others = starts(batch, 4 if n_patients < FEW_PATIENTS else 2)
    best = minimise(batch, first)
    smooth, easy, elsewhere = best.smooth, np.zeros(len(best.smooth)), np.zeros(len(best.smooth), dtype=bool)
    for L in others:
        ends = minimise(batch, L, best)
        easy += ends.smooth
        elsewhere |= ends.stationary
        best = _better(best, ends)
    return replace(best, smooth=smooth & ~elsewhere & (easy > 0))


def _better(one: Ends, other: Ends) -> Ends:
    """Of each data set the stationary end with the higher likelihood."""
    wins = other.stationary & ~(one.stationary & (one.state.value <= other.state.value))
    parts = zip(vars(one.state).values(), vars(other.state).values(), strict=True)
    state = State(*(np.where(wins, b, a) for a, b in parts))
    pivot = np.where(wins, other.least_pivot, one.least_pivot)
    return Ends(state, one.stationary | other.stationary, pivot, one.smooth)


def starts(batch: Batch, count: int) -> list[Array]:
    """Factors (J, J, B): pooled residual covariance, with half its correlations, equicorrelation 0.5, identity."""
    J, B = batch.seen.shape[1], batch.yy.shape[1]
    S = np.zeros((B, J, J))
    for x, (j, k) in enumerate(zip(batch.j, batch.k, strict=True)):
        S[:, j, k] += batch.yy[x] / (1 if j == k else 2)
        S[:, k, j] = S[:, j, k]
    S /= np.maximum(np.einsum("Pb,Pj,Pk->bjk", batch.counts, batch.seen, batch.seen), 1)
    variance = np.einsum("bjj->bj", S)
    sd = np.sqrt(np.maximum(variance, 1e-4 * variance.mean(axis=1, keepdims=True)))
    R = np.clip(S / (sd[:, :, None] * sd[:, None]), -1, 1)
    values, vectors = np.linalg.eigh(R)
    lifted = (vectors * np.maximum(values, LEAST_START_EIGENVALUE)[:, None]) @ vectors.swapaxes(1, 2)
    unit = np.sqrt(np.einsum("bjj->bj", lifted))
    R, one = lifted / (unit[:, :, None] * unit[:, None]), np.broadcast_to(np.eye(J), (B, J, J))
    found = [R, (R + one) / 2, (one + 1) / 2, one][:count]
    return [np.moveaxis(sd[:, :, None] * np.linalg.cholesky(correlation), 0, 2) for correlation in found]


def is_clear(ends: Ends) -> NDArray[np.bool_]:
    """Which ends are optima beyond doubt, far from singular and identified."""
    sigma = np.einsum("jlb,klb->bjk", ends.state.L, ends.state.L)
    sd = np.sqrt(np.einsum("bjj->bj", sigma))
    smallest = np.linalg.eigvalsh(sigma / (sd[:, :, None] * sd[:, None]))[:, 0]
    away = (smallest > CLEAR_CORRELATION) & (sd.min(axis=1) > CLEAR_SD * sd.max(axis=1))
    clear: NDArray[np.bool_] = ends.stationary & ends.smooth & (ends.least_pivot > CLEAR_PIVOT) & away
    return clear
