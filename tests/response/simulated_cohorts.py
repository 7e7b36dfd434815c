"""Cohorts drawn from a known trajectory model on the scale log(1 + score)."""

from typing import Any

import numpy as np
from small_cohorts import cohort_of

from easitrace.cohort.cohort import Cohort
from easitrace.response.class_probability import on_grid

MU = np.log1p([20.0, 9.0, 8.0])
WEEKS = (0.0, 4.0, 12.0)


def sigma(correlation: float, sd: float = 0.6) -> Any:
    """First visit with little, later visits with much in common."""
    R = np.array([[1, 0.4, 0.4], [0.4, 1, correlation], [0.4, correlation, 1]])
    return sd**2 * R


def simulated_cohort(
    n: int, covariance: Any, *, seed: int, waiting: float = 0.0, error: float = 0.0
) -> tuple[Cohort, Cohort]:
    """A cohort, and the same patients measured without error and with nobody in follow-up.

    `covariance` is that of the scores, error variance included; `waiting` the share not seen at the last visit yet.
    """
    rng = np.random.default_rng(seed)
    true = MU + rng.standard_normal((n, 3)) @ np.linalg.cholesky(covariance - error * np.eye(3)).T
    scores = true + np.sqrt(error) * rng.standard_normal((n, 3))
    late = rng.random(n) < waiting
    blank = cohort_of({"A": {"easi": [1, 1, 1]}}, weeks=WEEKS)
    seen, exact = on_grid(blank, np.expm1(scores)), on_grid(blank, np.expm1(true))
    patients = {
        f"P{i:04}": {
            "easi": [*seen[i, :2], None if late[i] else seen[i, 2]],
            "status": "in follow-up" if late[i] else "completed",
        }
        for i in range(n)
    }
    return (
        cohort_of(patients, weeks=WEEKS),
        cohort_of({f"P{i:04}": {"easi": list(exact[i])} for i in range(n)}, weeks=WEEKS),
    )
