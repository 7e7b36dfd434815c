"""Simulated cohorts for the tests of the models."""

import numpy as np
import pandas as pd


def cohort(n, visits, seed, *, missing=0.15, dropout=0.2, scale=1.0, changing=False):
    """Two arms, age, sex; y normal around arm by visit means with random intercept and slope; some visits missing."""
    rng = np.random.default_rng(seed)
    J = len(visits)
    arm, sex = rng.integers(2, size=n), rng.integers(2, size=n)
    age = np.round(rng.normal(45, 12, n), 1)
    b = rng.multivariate_normal([0, 0], [[1.0, 0.15], [0.15, 0.2]], n)
    time = np.arange(J) / max(J - 1, 1)
    mean = 3 - time + 0.5 * arm[:, None] * time + 0.01 * (age - 45)[:, None] + 0.2 * sex[:, None]
    y = scale * (mean + b[:, :1] + b[:, 1:] * time + rng.normal(0, 0.6, (n, J)) * (1 + 0.3 * time))
    stop = np.where(rng.random(n) < dropout, rng.integers(1, J + 1, n), J)
    seen = (np.arange(J) < stop[:, None]) & (rng.random((n, J)) >= missing)
    i, j = np.nonzero(seen)
    columns = {
        "patient": [f"P{k:05d}" for k in i],
        "visit": np.asarray(visits)[j],
        "arm": np.array(["active", "control"])[arm[i]],
        "sex": np.array(["female", "male"])[sex[i]],
        "age": age[i],
        "y": y[i, j],
    }
    if changing:
        columns["dose"] = np.round(rng.gamma(2, 1, len(i)), 1)
    return pd.DataFrame(columns)
