"""Residuals: against dense algebra, and what must hold of them at an optimum."""

import numpy as np
import pandas as pd
import pytest

from easitrace.models.diagnostics import residuals
from easitrace.models.mmrm import fit_mmrm

FORMULA = "np.log1p(easi) ~ visit * arm"


def cohort(n=60, seed=2, missing=0.15):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"patient": np.repeat(np.arange(n), 4), "visit": np.tile([0, 4, 8, 12], n)})
    data["arm"] = np.repeat(np.where(np.arange(n) % 2, "drug", "placebo"), 4)
    data["easi"] = np.exp(2 + 0.4 * rng.normal(size=4 * n) + 0.6 * np.repeat(rng.normal(size=n), 4))
    gone = rng.uniform(size=4 * n) < missing
    gone[::4] = False
    return data.assign(easi=data["easi"].mask(gone))


def fitted(data, **options):
    return fit_mmrm(FORMULA, data, patient="patient", visit="visit", **options)


def dense(fit, data, patient):
    """Model rows written out by hand, and the inverse Cholesky factor of the covariance at the patient's visits."""
    mine = data[(data["patient"] == patient) & data["easi"].notna()]
    place = {visit: k for k, visit in enumerate(fit.visits)}
    at = [place[v] for v in mine["visit"]]
    arm = mine["arm"].iloc[0]
    beta = dict(zip(fit.coefficients["term"], fit.coefficients["estimate"], strict=True))
    placebo = float(arm == "placebo")
    mean = [
        beta["Intercept"]
        + placebo * beta["arm[T.placebo]"]
        + (v > 0 and beta[f"visit[T.{v}]"] + placebo * beta[f"visit[T.{v}]:arm[T.placebo]"])
        for v in mine["visit"]
    ]
    sigma = fit.covariance[arm] if isinstance(fit.covariance, dict) else fit.covariance
    residual = np.log1p(mine["easi"].to_numpy()) - mean
    return mean, residual, np.linalg.inv(np.linalg.cholesky(sigma[np.ix_(at, at)])) @ residual


@pytest.mark.parametrize("options", [{}, {"covariance": "ar1h"}, {"by": "arm"}, {"df": "kenward-roger"}])
def test_residuals_are_those_of_dense_algebra(options):
    data = cohort()
    fit = fitted(data, **options)
    table = residuals(fit, data.sample(frac=1, random_state=1))
    assert len(table) == fit.n_observations
    for patient in range(60):
        mine = table[table["patient"] == patient].sort_values("visit")
        mean, residual, white = dense(fit, data, patient)
        np.testing.assert_allclose(mine["fitted"], mean, rtol=1e-10)
        np.testing.assert_allclose(mine["residual"], residual, atol=1e-10)
        np.testing.assert_allclose(mine["standardised"], white, atol=1e-9)


@pytest.mark.parametrize("covariance", ["us", "toeph", "ar1h", "cs"])
@pytest.mark.parametrize("reml", [True, False])
def test_sum_of_squares(covariance, reml):
    """At the optimum no common factor of Sigma raises the likelihood, so the squares add up to N (REML: N - p)."""
    data = cohort()
    fit = fitted(data, covariance=covariance, reml=reml)
    total = (residuals(fit, data)["standardised"] ** 2).sum()
    assert abs(total - (fit.n_observations - (8 if reml else 0))) < 1e-8


def test_standardised_residuals_are_standard_normal_when_the_model_holds():
    rng = np.random.default_rng(11)
    n, sigma = 800, np.array([[1.0, 0.6, 0.3], [0.6, 1.5, 0.8], [0.3, 0.8, 2.0]])
    data = pd.DataFrame({"patient": np.repeat(np.arange(n), 3), "visit": np.tile(np.arange(3), n)})
    data["y"] = rng.multivariate_normal([3, 2, 1], sigma, n).ravel()
    data = data[rng.uniform(size=3 * n) < 0.8]
    fit = fit_mmrm("y ~ visit", data, patient="patient", visit="visit")
    table = residuals(fit, data)
    wide = table.pivot(index="patient", columns="visit", values="standardised")
    assert abs(table["standardised"].std() - 1) < 0.05
    off_diagonal = wide.corr().to_numpy()[np.triu_indices(3, 1)]
    assert np.abs(off_diagonal).max() < 3 / np.sqrt(0.6 * n)


def test_new_rows_are_coded_as_the_old():
    """One arm, fewer visits: the levels are those of the fit."""
    data = cohort()
    fit = fitted(data)
    part = data[(data["arm"] == "placebo") & (data["visit"] < 8)]
    whole, some = (residuals(fit, d).set_index(["patient", "visit"]) for d in (data, part))
    np.testing.assert_allclose(some["residual"], whole.loc[some.index, "residual"], atol=1e-12)
