"""Newton's method with an exact Hessian: Jacobi scaling, an eigenvalue floor, Levenberg damping, one polish step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from easitrace.covariance import Array

TOLERANCE = 1e-12  # Newton decrement, in units of log-likelihood
EIGENVALUE_FLOOR = 1e-6  # of the scaled Hessian
LARGEST_STEP = 4.0  # in any working parameter (log standard deviation, Fisher's z)
LARGEST_DAMPING = 1e12
MAX_ITERATIONS = 150

End = Literal["stationary", "precision-limited", "singular", "maxit"]


class Local(NamedTuple):
    """A function at a point: value, gradient (q,), Hessian (q, q)."""

    value: float
    gradient: Array
    hessian: Array


@dataclass(frozen=True)
class Run:
    """One run of the optimiser: where it began and ended, and how."""

    start: Array
    theta: Array
    local: Local
    iterations: int
    decrement: float
    end: End


def scaled_eigen(hessian: Array) -> tuple[Array, Array, Array]:
    """Eigenvalues, eigenvectors of D H D and the scaling D = |diag H|^-1/2 (q,)."""
    diagonal = np.abs(np.diag(hessian))
    D = 1 / np.sqrt(np.maximum(diagonal, 1e-10 * diagonal.max(initial=1e-300)))
    values, vectors = np.linalg.eigh(hessian * np.outer(D, D))
    return values, vectors, D


def newton_step(local: Local, damping: float) -> tuple[Array, float]:
    """The damped step and the Newton decrement (without damping)."""
    values, vectors, D = scaled_eigen(local.hessian)
    along = vectors.T @ (D * local.gradient)
    curvature = np.maximum(np.abs(values), EIGENVALUE_FLOOR)
    step = -D * (vectors @ (along / (curvature + damping)))
    longest = np.abs(step).max()
    return step * min(1.0, LARGEST_STEP / max(longest, 1e-300)), float(along**2 @ (1 / curvature))


def minimise(
    value: Callable[[Array], float],
    expand: Callable[[Array], Local],
    start: Array,
    degenerate: Callable[[Array], bool],
    max_iterations: int = MAX_ITERATIONS,
) -> Run:
    """Minimise from `start` until the Newton decrement is below 1e-12, then polish by one full step.

    `degenerate(theta)` stops the run as "singular": the function falls without bound towards a singular matrix there.
    """
    theta, local, damping, decrement = start, expand(start), 0.0, np.inf
    for iteration in range(max_iterations):
        _, decrement = newton_step(local, 0.0)
        if decrement < TOLERANCE:
            theta, local = _polish(expand, theta, local)
            return Run(start, theta, local, iteration, newton_step(local, 0.0)[1], "stationary")
        noise = 1e-14 * max(abs(local.value), 1.0)
        while True:
            step, _ = newton_step(local, damping)
            if value(theta + step) <= local.value + noise:
                break
            damping = max(4 * damping, 1e-3)
            if damping > LARGEST_DAMPING:
                return Run(start, theta, local, iteration, decrement, "precision-limited")
        theta, damping = theta + step, damping / 16 if damping > 1e-4 else 0.0
        if degenerate(theta):
            return Run(start, theta, local, iteration, decrement, "singular")
        local = expand(theta)
    return Run(start, theta, local, max_iterations, decrement, "maxit")


def _polish(expand: Callable[[Array], Local], theta: Array, local: Local) -> tuple[Array, Local]:
    """One undamped step, kept when the gradient does not grow."""
    step, decrement = newton_step(local, 0.0)
    polished = expand(theta + step)
    return (theta + step, polished) if newton_step(polished, 0.0)[1] <= decrement else (theta, local)
