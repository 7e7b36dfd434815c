"""Simulated truth: how often the 95 % interval of a change covers it, beside the naive normal interval."""

import numpy as np
import pandas as pd
import pytest

from easitrace.models.mmrm import fit_mmrm

SD = np.array([0.75, 0.9, 1.0, 1.1])
R = np.array([[1, 0.55, 0.4, 0.35], [0.55, 1, 0.65, 0.55], [0.4, 0.65, 1, 0.7], [0.35, 0.55, 0.7, 1]])
MEAN = np.array([2.9, 2.0, 1.7, 1.6])  # log(1 + EASI)
TRUTH = MEAN[3] - MEAN[0]


def simulated(n, rng):
    """Four visits; who did worse at a visit is likelier to be gone at the next (missing at random), about 30 %."""
    y = MEAN + rng.multivariate_normal(np.zeros(4), R * np.outer(SD, SD), n)
    gone = rng.random((n, 3)) < 0.11 * np.exp(0.6 * (y[:, :3] - MEAN[:3]) / SD[:3])
    seen = np.column_stack([np.ones(n, dtype=bool), ~np.logical_or.accumulate(gone, axis=1)])
    i, j = np.nonzero(seen)
    return pd.DataFrame({"patient": i, "visit": 4 * j, "y": y[i, j]})


def coverage(n, cohorts, seed):
    """Share of intervals that cover the change from first to last visit: Kenward-Roger's, and estimate +- 1.96 SE."""
    rng = np.random.default_rng(seed)
    covered = np.zeros(2)
    for _ in range(cohorts):
        fit = fit_mmrm("y ~ visit", simulated(n, rng), patient="patient", visit="visit", df="kenward-roger")
        assert fit.status == "converged"
        row = fit.coefficients.iloc[3]
        assert row["term"] == "visit[T.12]"
        L = fit.basis.coordinates(np.eye(4)[[3]])[0]
        naive = 1.959964 * np.sqrt(L @ fit.effects.phi @ L)
        covered += [row["lower"] <= TRUTH <= row["upper"], abs(row["estimate"] - TRUTH) <= naive]
    return covered / cohorts


def test_coverage_of_small_cohorts_quickly():
    kenward_roger, naive = coverage(25, 200, 7)
    assert 0.91 < kenward_roger < 0.99  # 2.6 standard errors of 200 cohorts
    assert naive < kenward_roger


@pytest.mark.slow
@pytest.mark.parametrize(("n", "highest_naive"), [(25, 0.93), (100, 0.95)])
def test_coverage(n, highest_naive):
    kenward_roger, naive = coverage(n, 2000, 65595186)
    print(f"n = {n}: Kenward-Roger {kenward_roger:.4f}, naive normal {naive:.4f}")
    assert 0.94 <= kenward_roger <= 0.96
    assert naive < highest_naive
