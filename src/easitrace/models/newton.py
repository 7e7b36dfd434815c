"""Newton's method with an exact Hessian: Jacobi scaling, an eigenvalue floor, Levenberg damping, one polish step."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from easitrace.covariance import Array

TOLERANCE = 1e-12  # Newton decrement, in units of log-likelihood
NO_INFORMATION = 1e-10  # curvature of a parameter, of the largest
EIGENVALUE_FLOOR = 1e-6  # of the scaled Hessian
LARGEST_STEP = 4.0  # in any working parameter (log standard deviation, Fisher's z)
LARGEST_DAMPING = 1e12
MAX_ITERATIONS = 150
MOST_IDLE = 8  # steps in a row that lower the function by rounding errors only
LIMIT_NOISE = 1e-9  # by which the function may seem to rise, of its size, in a last full step
JOINED = 1e-2  # distance to a known optimum, squared, in units of log-likelihood

End = Literal["stationary", "joined", "precision-limited", "singular", "maxit"]


class Local(NamedTuple):
    """A function at a point: value, gradient (q,), Hessian (q, q)."""

    value: float
    gradient: Array
    hessian: Array


@dataclass(frozen=True)
class Run:
    """One run of the optimiser: where it began and ended, and how ("joined": at the optimum of an earlier run)."""

    start: Array
    theta: Array
    local: Local
    iterations: int
    decrement: float
    end: End


@dataclass(frozen=True)
class Quadratic:
    """The function's second-order expansion in scaled eigenvectors: values, step directions, gradient along them."""

    values: Array
    directions: Array
    along: Array

    @property
    def decrement(self) -> float:
        """The Newton decrement: twice what an undamped step should gain."""
        return float(self.along**2 @ (1 / np.maximum(np.abs(self.values), EIGENVALUE_FLOOR)))

    def step(self, damping: float) -> Array:
        """The damped step, no longer than `LARGEST_STEP` in any parameter."""
        curvature = np.maximum(np.abs(self.values), EIGENVALUE_FLOOR) + damping
        step = -self.directions @ (self.along / curvature)
        shortened: Array = step * min(1.0, LARGEST_STEP / max(float(np.abs(step).max()), 1e-300))
        return shortened


def scaled_eigen(hessian: Array) -> tuple[Array, Array, Array]:
    """Eigenvalues and eigenvectors of D H D, and the scaling D = |diag H|^-1/2 (q,)."""
    diagonal = np.abs(np.diag(hessian))
    D = 1 / np.sqrt(np.maximum(diagonal, NO_INFORMATION * diagonal.max(initial=1e-300)))
    values, vectors = np.linalg.eigh(hessian * np.outer(D, D))
    return values, vectors, D


def smallest_eigenvalue(hessian: Array) -> float:
    """Of the Hessian scaled to a unit diagonal; 0 where a parameter has next to no curvature: the rest is rounding."""
    diagonal = np.diag(hessian)
    if diagonal.min() <= NO_INFORMATION * diagonal.max():
        return min(0.0, float(diagonal.min()))
    return float(scaled_eigen(hessian)[0][0])


def quadratic(local: Local) -> Quadratic:
    """Eigenvalues of D H D with D = |diag H|^-1/2, and the gradient along its eigenvectors."""
    values, vectors, D = scaled_eigen(local.hessian)
    directions = D[:, None] * vectors
    return Quadratic(values, directions, directions.T @ local.gradient)


def minimise(
    value: Callable[[Array], float],
    expand: Callable[[Array], Local],
    start: Array,
    degenerate: Callable[[Array], bool],
    known: Run | None = None,
) -> Run:
    """Minimise from `start` until the Newton decrement is below 1e-12, then polish by one full step.

    `value` is infinite outside the function's domain; `expand` is asked only where it is finite, right after it.
    `degenerate(theta)` stops the run as "singular": the function falls without bound towards a singular matrix there.
    A run that comes close to the optimum of the `known` run stops as "joined".
    """
    theta, local, damping, idle = start, expand(start), 0.0, 0
    for iteration in range(MAX_ITERATIONS):
        shape = quadratic(local)
        if known is not None and _joins(theta, local, known):
            return Run(start, theta, local, iteration, shape.decrement, "joined")
        if shape.decrement < TOLERANCE:
            if np.isfinite(value(theta + shape.step(0.0))):
                theta, local = _polished(expand, theta, local, shape)
            return Run(start, theta, local, iteration, quadratic(local).decrement, "stationary")
        noise = 1e-14 * max(abs(local.value), 1.0)
        highest, before = local.value + noise, local.value
        while not value(theta + shape.step(damping)) <= highest:
            damping = max(4 * damping, 1e-3)
            if damping > LARGEST_DAMPING:
                limit = Run(start, theta, local, iteration, shape.decrement, "precision-limited")
                return _limited(value, expand, limit)
        theta = theta + shape.step(damping)
        damping = damping / 16 if damping > 1e-4 else 0.0
        if degenerate(theta):
            return Run(start, theta, local._replace(value=value(theta)), iteration, shape.decrement, "singular")
        local = expand(theta)
        idle = idle + 1 if local.value > before - noise else 0
        if idle == MOST_IDLE:
            limit = Run(start, theta, local, iteration, quadratic(local).decrement, "precision-limited")
            return _limited(value, expand, limit)
    return Run(start, theta, local, MAX_ITERATIONS, quadratic(local).decrement, "maxit")


def _joins(theta: Array, local: Local, known: Run) -> bool:
    """Whether the point lies in the quadratic neighbourhood of the known optimum, at the height expected there."""
    apart = theta - known.theta
    height = 0.5 * float(apart @ known.local.hessian @ apart)
    return 0 <= height < JOINED and abs(local.value - known.local.value - height) < 0.1 * height + 1e-9


def _limited(value: Callable[[Array], float], expand: Callable[[Array], Local], run: Run) -> Run:
    """The run that rounding errors of the function keep from descending; stationary when a full step makes it so."""
    shape = quadratic(run.local)
    if value(run.theta + shape.step(0.0)) <= run.local.value + LIMIT_NOISE * max(abs(run.local.value), 1.0):
        theta, local = _polished(expand, run.theta, run.local, shape)
        decrement = quadratic(local).decrement
        if decrement < TOLERANCE:
            return replace(run, theta=theta, local=local, decrement=decrement, end="stationary")
    return run


def _polished(expand: Callable[[Array], Local], theta: Array, local: Local, shape: Quadratic) -> tuple[Array, Local]:
    """One undamped step, kept when the decrement does not grow."""
    step = shape.step(0.0)
    polished = expand(theta + step)
    better = quadratic(polished).decrement <= shape.decrement
    return (theta + step, polished) if better else (theta, local)
