"""Simulated cohorts for the tests of the models."""

import numpy as np
import pandas as pd


def cohort(n, visits, seed, *, missing=0.15, dropout=0.2, scale=1.0, changing=False):
    """Two arms, age, sex; y normal around arm by visit means with random intercept and slope; some visits missing."""
    rng = np.random.default_rng(seed)
    J = len(visits)
    arm, sex = rng.integers(2, size=n), rng.integers(2, size=n)
    age = np.round(rng.normal(45, 12, n), 1)
    b = rng.multivariate_normal([0, 0], [[1.0, 0.2], [0.2, 1.5]], n)
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


def skewed(seed):
    """8-40 patients, 3-6 visits, gamma levels with t errors, dropout up to 60 %, as EASI or as log(1 + EASI)."""
    rng = np.random.default_rng(seed)
    n, J, dropout = int(rng.integers(8, 41)), int(rng.integers(3, 7)), rng.uniform(0, 0.6)
    level, slope, time = rng.gamma(1.5, 8, n) + 1, rng.normal(-1.2, 0.8, n), np.arange(J) / (J - 1)
    noise = rng.standard_t(4, (n, J)) * 0.35
    y = np.clip(level[:, None] * np.exp(slope[:, None] * time + noise), 0, 72).round(1)
    stop = np.where(rng.random(n) < dropout, rng.integers(1, J + 1, n), J)
    seen = (np.arange(J) < stop[:, None]) & (rng.random((n, J)) > rng.uniform(0, 0.15))
    i, j = np.nonzero(seen)
    y = np.log1p(y[i, j]) if rng.random() < 0.5 else y[i, j]
    return pd.DataFrame({"patient": i, "visit": 4 * j, "y": y})
