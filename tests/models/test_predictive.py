"""What a fit says of scores not seen: brute-force conditioning, closed forms, and what it refuses."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from easitrace import fit_mmrm
from easitrace.errors import NotEstimableError, ParameterError
from easitrace.models.predictive import Parameters, drawn, expected, gain, point, simulated, spread

SIGMA = np.array([[1.0, 0.5, 0.6], [0.5, 1.5, 0.9], [0.6, 0.9, 2.0]])
MU = np.array([2.0, 1.0, 1.2])
SEEN = np.array([True, True, False])
ONE = Parameters(MU[None], SIGMA[None])
X = np.eye(3)[None]
Y = np.array([[2.7, 0.1, np.nan]])


def rows(n: int = 60, seed: int = 3, missing: float = 0.25) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = MU + rng.standard_normal((n, 3)) @ np.linalg.cholesky(SIGMA).T
    frame = pd.DataFrame([(f"P{i:03}", v, y[i, v]) for i in range(n) for v in range(3)], columns=["p", "v", "y"])
    return frame[(frame["v"] == 0) | (rng.random(len(frame)) > missing)]


def fitted(**options: Any) -> Any:
    return fit_mmrm("y ~ v", rows(), patient="p", visit="v", **options)


def test_the_conditional_normal_is_that_of_a_brute_force_sample() -> None:
    draws = MU + np.random.default_rng(1).standard_normal((1_000_000, 3)) @ np.linalg.cholesky(SIGMA).T
    near = draws[np.abs(draws[:, :2] - Y[0, :2]).max(axis=1) < 0.08][:, 2]
    mean, sd = expected(ONE, X, Y, SEEN)[0, 0, 2], np.sqrt(spread(SIGMA[None], SEEN)[0, 2, 2])
    assert len(near) > 1000
    assert mean == pytest.approx(near.mean(), abs=3 * sd / np.sqrt(len(near)) + 0.01)
    assert sd == pytest.approx(near.std(), rel=0.06)


def test_scores_seen_are_certain_without_error_and_not_with_it() -> None:
    assert np.allclose(expected(ONE, X, Y, SEEN)[0, 0, :2], Y[0, :2])
    assert np.abs(spread(SIGMA[None], SEEN)[0, :2]).max() < 1e-12
    error = 0.3
    shrunk = expected(ONE, X, Y, SEEN, error)[0, 0]
    T, S = SIGMA - error * np.eye(3), SIGMA[:2, :2]
    assert np.allclose(shrunk, MU + T[:, :2] @ np.linalg.solve(S, Y[0, :2] - MU[:2]))
    assert np.allclose(spread(SIGMA[None], SEEN, error)[0], T - T[:, :2] @ np.linalg.solve(S, T[:2]))
    assert gain(SIGMA[None], SEEN, error).shape == (1, 3, 2)


@pytest.mark.parametrize("error", [0.0, 0.3])
def test_simulated_courses_have_the_conditional_mean_and_covariance(error: float) -> None:
    many = Parameters(np.repeat(ONE.beta, 40_000, axis=0), np.repeat(ONE.sigma, 40_000, axis=0))
    courses = simulated(many, X, Y, SEEN, error, np.random.default_rng(5))[0]
    V = spread(SIGMA[None], SEEN, error)[0]
    assert np.allclose(courses.mean(axis=0), expected(ONE, X, Y, SEEN, error)[0, 0], atol=0.03)
    assert np.allclose(np.cov(courses.T), V, atol=0.03)


@pytest.mark.parametrize("covariance", ["us", "csh", "ar1h"])
def test_drawn_parameters_vary_about_the_estimates_as_the_fit_says(covariance: str) -> None:
    fit = fitted(covariance=covariance)
    found = drawn(fit, 4000, np.random.default_rng(1))
    assert np.allclose(found.beta.mean(axis=0), fit.coefficients["estimate"], atol=0.02)
    assert np.allclose(np.cov(found.beta.T), fit.beta_covariance, atol=0.006)
    assert np.linalg.eigvalsh(found.sigma).min() > 0
    middle = np.median(found.sigma, axis=0)
    assert np.allclose(middle, fit.covariance, rtol=0.1, atol=0.06)
    assert point(fit).sigma[0] is fit.covariance or np.allclose(point(fit).sigma[0], fit.covariance)


def test_the_spread_of_drawn_variances_is_the_large_sample_one() -> None:
    """Complete data: Var(s^2) is about 2 sigma^4 / (n - 1)."""
    frame = rows(n=200, missing=0.0)
    fit = fit_mmrm("y ~ v", frame, patient="p", visit="v")
    found = drawn(fit, 8000, np.random.default_rng(1)).sigma[:, 0, 0]
    assert found.std() == pytest.approx(fit.covariance[0, 0] * np.sqrt(2 / 199), rel=0.08)


def test_only_draws_with_room_for_the_error_are_kept() -> None:
    found = drawn(fitted(), 500, np.random.default_rng(1))
    edge = float(np.median(np.linalg.eigvalsh(found.sigma)[:, 0]))
    left = found.with_room(edge)
    assert 200 < len(left.beta) < 300
    assert np.linalg.eigvalsh(left.sigma)[:, 0].min() > edge


def test_what_cannot_be_predicted_from_is_refused() -> None:
    frame = rows()
    flat = fit_mmrm("y ~ v", frame[frame["p"] < "P002"], patient="p", visit="v")
    with pytest.raises(NotEstimableError, match="E330"):
        drawn(flat, 10, np.random.default_rng(1))
    by_arm = frame.assign(arm=np.where(frame["p"] < "P030", "a", "b"))
    with pytest.raises(ParameterError, match="E301"):
        point(fit_mmrm("y ~ v * arm", by_arm, patient="p", visit="v", by="arm"))
