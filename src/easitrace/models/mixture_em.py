"""EM for growth mixtures: cheap steps that never lower the likelihood, from starts spread over the patients.

One step (Muthén & Shedden 1999, Biometrics 55:463; conditional maximisation as Meng & Rubin 1993, Biometrika 80:267),
with the notation of `mixture`, everything on the right at the old parameters, rss and c at the new b_k:

    w_ik = posterior,   pi_k = mean_i w_ik,   b_k = (sum_i w_ik A_i)^-1 sum_i w_ik g_i
    D    = 1/n sum_i (s^2 M_i + sum_k w_ik u_ik u_ik'),   u_ik = L L' c_ik,   M_i = L N_i L'
    s^2  = 1/N sum_i (s^2 tr(Z_i'Z_i M_i) + sum_k w_ik (rss_ik - |L'c_ik|^2))

A start draws K patients as centres, half of the starts evenly and half far apart (k-means++, Arthur & Vassilvitskii
2007), puts every patient near the centre whose own smoothed course fits best, and estimates from there. So starts
differ as patients do; draws around the one-class estimate, as spread as its standard errors, would not.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.models.class_data import Patients
from easitrace.models.mixture import Densities, Mixture, Weighted, densities, residual_squares, weigh

SHORT_STEPS = 30
SMALL_GAIN = 1e-3  # of the log-likelihood in one step, at which a short run ends
LEAST_WEIGHT = 0.02  # of every patient in every class of a start, shared out evenly
FEWEST_PATIENTS = 1e-3  # expected in a class, below which it counts as empty
SMALLEST_SD = 1e-7  # residual, in units of the residual of one mean course
NO_VARIANCE = 1e-18  # below the square of that: rounding may leave less than nothing

ShortEnd = Literal["short run", "empty class", "perfect fit"]


@dataclass(frozen=True)
class ShortRun:
    """Where a start led: mixture, log-likelihood in the basis, steps, how it ended."""

    mixture: Mixture
    log_likelihood: float
    steps: int
    end: ShortEnd


def short_run(patients: Patients, mixture: Mixture) -> ShortRun:
    """Up to `SHORT_STEPS` steps of EM; ends early when the gain is small, a class empties or all is fit."""
    last = -np.inf
    for steps in range(SHORT_STEPS):
        w = weigh(patients, mixture.root)
        found = densities(patients, w, mixture)
        if found.log_likelihood - last < SMALL_GAIN:
            return ShortRun(mixture, found.log_likelihood, steps, "short run")
        last = found.log_likelihood
        if end := degeneracy(found.posterior.sum(axis=1), mixture.log_sd):
            return ShortRun(mixture, last, steps, end)
        try:
            mixture = maximise(patients, w, found.posterior, mixture)
        except np.linalg.LinAlgError:
            return ShortRun(mixture, last, steps, "empty class")
    found = densities(patients, weigh(patients, mixture.root), mixture)
    return ShortRun(mixture, found.log_likelihood, SHORT_STEPS, "short run")


def degeneracy(expected: Array, log_sd: float) -> Literal["empty class", "perfect fit"] | None:
    """Whether a class has lost its patients, or nothing is left to the residuals."""
    if expected.min() < FEWEST_PATIENTS:
        return "empty class"
    return "perfect fit" if log_sd < np.log(SMALLEST_SD) else None


def em_step(patients: Patients, mixture: Mixture) -> tuple[Mixture, Densities]:
    """The mixture after one step, and the densities before it."""
    w = weigh(patients, mixture.root)
    found = densities(patients, w, mixture)
    return maximise(patients, w, found.posterior, mixture), found


def maximise(patients: Patients, w: Weighted, posterior: Array, mixture: Mixture) -> Mixture:
    """The M step; numpy.linalg.LinAlgError when the patients of a class do not determine its course."""
    beta = class_courses(patients, w, posterior)
    rss = residual_squares(patients, w, beta, beta @ w.A)
    c = w.h[:, None] - (beta @ w.U).T[:, :, patients.pattern]
    pulled = np.tensordot(mixture.root.T, c, 1)
    u = np.tensordot(mixture.root, pulled, 1).reshape(len(mixture.root), posterior.size)
    variance = float(np.exp(2 * mixture.log_sd))
    patients_with = np.diff(np.append(patients.first, patients.n))
    D = (posterior.ravel() * u) @ u.T + variance * np.tensordot(patients_with, w.M, 1)
    slack = variance * float(patients_with @ (patients.ZZ * w.M).sum(axis=(1, 2)))
    left = float((posterior * (rss - (pulled**2).sum(axis=0))).sum()) + slack
    new = max(left / patients.n_observations, NO_VARIANCE)
    root = np.asarray(np.linalg.cholesky(D / patients.n / new), dtype=float) if len(D) else mixture.root
    return Mixture(beta, posterior.mean(axis=1), root, 0.5 * float(np.log(new)))


def class_courses(patients: Patients, w: Weighted, posterior: Array) -> Array:
    """b_k (K, p) by weighted least squares."""
    normal = np.tensordot(patients.sums(posterior), w.A, 1)
    np.linalg.cholesky(normal)
    solved = np.linalg.solve(normal, (posterior @ w.g.T)[:, :, None])[:, :, 0]
    return np.asarray(solved, dtype=float)


def start(patients: Patients, centres: Array) -> Mixture:
    """Parameters estimated from a soft partition of the patients around K courses (K, p); LinAlgError as `maximise`."""
    classes = len(centres)
    squares = course_squares(patients, centres)
    variance = max(float(squares.min(axis=0).sum()) / patients.n_observations, SMALLEST_SD**2)
    relative = np.exp(-0.5 * (squares - squares.min(axis=0)) / variance)
    posterior = (1 - LEAST_WEIGHT) * relative / relative.sum(axis=0) + LEAST_WEIGHT / classes
    flat = Mixture(centres, posterior.mean(axis=1), np.eye(len(patients.Zy)), 0.5 * float(np.log(variance)))
    return maximise(patients, weigh(patients, flat.root), posterior, flat)


def smoothed_courses(patients: Patients) -> Array:
    """Every patient's own course (n, p), drawn towards the mean by a prior as wide as the outcome's spread."""
    p = len(patients.Xy)
    shrink = np.linalg.inv(patients.XX + p * np.eye(p))
    courses: Array = np.einsum("nab,bn->na", shrink[patients.pattern], patients.Xy)
    return courses


def course_squares(patients: Patients, courses: Array) -> Array:
    """Sum of squares (K, n) of every patient around each of K courses, without random effects."""
    around = ((courses @ patients.XX) * courses).sum(axis=2).T
    squares: Array = patients.yy - 2 * courses @ patients.Xy + around[:, patients.pattern]
    return np.maximum(squares, 0.0)


def draw_centres(courses: Array, classes: int, rng: np.random.Generator, spread_out: bool) -> NDArray[np.int64]:
    """K patients, drawn evenly, or each with a chance that grows with the square of the distance to those before."""
    n = len(courses)
    if not spread_out:
        return rng.choice(n, size=classes, replace=False)
    chosen = [int(rng.integers(n))]
    nearest = np.full(n, np.inf)
    while len(chosen) < classes:
        nearest = np.minimum(nearest, ((courses - courses[chosen[-1]]) ** 2).sum(axis=1))
        if not nearest.any():
            return draw_centres(courses, classes, rng, spread_out=False)
        chosen.append(int(rng.choice(n, p=nearest / nearest.sum())))
    return np.array(chosen, dtype=np.int64)
