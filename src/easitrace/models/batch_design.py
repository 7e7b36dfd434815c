"""From a design and outcomes to the batches of `batch`: patterns, crossproducts, starts, and which runs end clearly."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import LARGEST_START_CORRELATION, Array, start, structure
from easitrace.models.batch import Batch, Mask, parameters
from easitrace.models.batch_newton import Runs, minimise
from easitrace.models.design import Recipe, Rows, prepare, to_frame
from easitrace.models.fit import Fit
from easitrace.models.optimise import FEW_PATIENTS, LEAST_START_EIGENVALUE
from easitrace.models.patterns import triangle
from easitrace.models.rank import independent_columns

CLEAR_EIGENVALUE = 1e-6  # of the scaled Hessian, below which `fit_mmrm` has to judge
CLEAR_CORRELATION = 1e-3  # smallest eigenvalue of the correlation matrix, likewise: crossproducts lose its square
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


def best_runs(batch: Batch, n_patients: int) -> tuple[Runs, Mask]:
    """The best run of every data set over the starts of `fit_mmrm`, and where every run found an optimum."""
    first, *others = starts(batch, 4 if n_patients < FEW_PATIENTS else 2)
    B = first.shape[1]
    best = minimise(batch, first)
    again = np.tile(np.arange(B), len(others))
    runs = minimise(batch.take(again), np.concatenate(others, axis=1), best.take(again))
    settled = best.stationary & (runs.stationary | runs.joined).reshape(-1, B).all(axis=0)
    for low in range(0, len(again), B):
        other = runs.take(np.arange(low, low + B))
        best = best.put(other.stationary & ~(best.value <= other.value), other)
    return best, settled


def starts(batch: Batch, count: int) -> list[Array]:
    """The starts (m, B) of `fit_mmrm`, as `optimise.starts`."""
    J, B = batch.seen.shape[1], batch.yy.shape[1]
    S = np.zeros((B, J, J))
    for x, (j, k) in enumerate(zip(batch.j, batch.k, strict=True)):
        S[:, j, k] += batch.yy[x] / (1 if j == k else 2)
        S[:, k, j] = S[:, j, k]
    counts = np.einsum("Pb,Pj,Pk->bjk", batch.counts, batch.seen, batch.seen)
    seen = np.einsum("bjj->bj", counts)
    overall = np.einsum("bjj->b", S) / np.maximum(seen.sum(axis=1), 1)
    S /= np.maximum(counts, 1)
    variance = np.where(seen > 1, np.einsum("bjj->bj", S), overall[:, None])
    sd = np.sqrt(np.maximum(variance, 1e-4 * np.maximum(overall, 1e-8)[:, None]))
    scale, one = sd[:, :, None] * sd[:, None], np.broadcast_to(np.eye(J), (B, J, J))
    R = np.where(one > 0, 1.0, np.clip(S / scale, -1, 1))
    values, vectors = np.linalg.eigh(R)
    lifted = (vectors * np.maximum(values, LEAST_START_EIGENVALUE)[:, None]) @ vectors.swapaxes(1, 2)
    unit = np.sqrt(np.einsum("bjj->bj", lifted))
    R = lifted / (unit[:, :, None] * unit[:, None])
    return [_near(scale * correlation) for correlation in [R, (R + one) / 2, (one + 1) / 2, one][:count]]


def _near(sigma: Array) -> Array:
    """Parameters (m, B) of sigma (B, J, J), or of a matrix near it when it is close to singular, as `start`."""
    J = sigma.shape[1]
    theta = parameters(np.moveaxis(np.asarray(np.linalg.cholesky(sigma), dtype=float), 0, 2))
    sd = np.sqrt(np.einsum("bjj->bj", sigma))
    R = np.abs(sigma / (sd[:, :, None] * sd[:, None])) - np.eye(J)
    for b in np.flatnonzero(R.max(axis=(1, 2)) > LARGEST_START_CORRELATION):
        theta[:, b] = start(structure("us"), sigma[b], np.arange(J, dtype=float))
    return theta


def is_clear(runs: Runs) -> Mask:
    """Which runs ended at an optimum beyond doubt, far from singular and identified."""
    sigma = np.einsum("jlb,klb->bjk", runs.factor, runs.factor)
    sd = np.sqrt(np.einsum("bjj->bj", sigma))
    clear: Mask = runs.stationary & (runs.least > CLEAR_EIGENVALUE) & (sd.min(axis=1) > CLEAR_SD * sd.max(axis=1))
    R = sigma[clear] / (sd[clear, :, None] * sd[clear, None])
    clear[clear] = np.linalg.eigvalsh(R)[:, 0] > CLEAR_CORRELATION
    return clear
