"""The likelihood against a dense multivariate normal, its derivatives against finite differences."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from simulated import cohort

from easitrace.covariance import STRUCTURES, start
from easitrace.models.basis import to_basis
from easitrace.models.design import prepare
from easitrace.models.mmrm import fit_mmrm, visit_times
from easitrace.models.moments import collect, from_rows
from easitrace.models.optimise import Model, residual_covariance

FORMULA = "y ~ age + sex + arm * visit"
GRADIENT = 1e-6  # relative to 1 + the largest component; central differences
HESSIAN = 1e-5
DENSE = 1e-10  # relative


@cache
def data():
    return cohort(120, [0, 4, 8, 16], 11)


def model(name, reml, by):
    moments = collect(FORMULA, data(), patient="patient", visit="visit", by=by)
    _, blocks = to_basis(moments)
    entry = STRUCTURES[name]
    return Model(blocks, entry, visit_times(moments, entry, None), reml)


@pytest.mark.parametrize("by", [None, "arm"])
@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("name", STRUCTURES)
def test_gradient_and_hessian_are_finite_differences(name, reml, by):
    of = model(name, reml, by)
    theta = np.concatenate([start(of.entry, residual_covariance(b), of.times) for b in of.blocks])
    theta = theta + np.random.default_rng(5).normal(0, 0.05, len(theta))
    here, step = of.local(theta), 1e-5
    shifts = step * np.eye(len(theta))
    gradient = np.array([(of.value(theta + e) - of.value(theta - e)) / (2 * step) for e in shifts])
    hessian = np.array([(of.local(theta + e).gradient - of.local(theta - e).gradient) / (2 * step) for e in shifts])
    assert here.value == pytest.approx(of.value(theta), rel=1e-14)
    assert np.abs(gradient - here.gradient).max() < GRADIENT * (1 + np.abs(gradient).max())
    assert np.abs(hessian - here.hessian).max() < HESSIAN * (1 + np.abs(hessian).max())


def dense_log_likelihood(fit, rows, reml):
    """Patient by patient from a dense normal density; REML adds log|X'Omega X| and the lost coefficients."""
    X, beta = fit.recipe.rows(rows.frame)[:, fit.basis.kept], fit.coefficients["estimate"].dropna().to_numpy()
    total, H = 0.0, np.zeros((len(beta), len(beta)))
    for patient in range(rows.n_patients):
        mine = rows.patient == patient
        group = rows.frame["arm"][mine].iloc[0]
        sigma = fit.covariance[group] if isinstance(fit.covariance, dict) else fit.covariance
        own = sigma[np.ix_(rows.visit[mine], rows.visit[mine])]
        total += multivariate_normal.logpdf(rows.y[mine], X[mine] @ beta, own)
        H += X[mine].T @ np.linalg.solve(own, X[mine])
    return total + (len(beta) * np.log(2 * np.pi) - np.linalg.slogdet(H)[1]) / 2 if reml else total


@pytest.mark.parametrize("by", [None, "arm"])
@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("name", STRUCTURES)
def test_log_likelihood_is_dense_normal(name, reml, by):
    fit = fit_mmrm(FORMULA, data(), patient="patient", visit="visit", covariance=name, by=by, reml=reml)
    assert fit.status == "converged"
    _, rows = prepare(FORMULA, data(), patient="patient", visit="visit", by=by)
    dense = dense_log_likelihood(fit, rows, reml)
    assert fit.log_likelihood == pytest.approx(dense, rel=DENSE)


@pytest.mark.parametrize("changing", [False, True])
def test_dense_normal_with_covariates_that_change(changing):
    frame = cohort(60, [0, 4, 8], 4, changing=True)
    formula = "y ~ dose + arm * visit" if changing else "y ~ age + arm * visit"
    recipe, rows = prepare(formula, frame, patient="patient", visit="visit")
    moments = from_rows(recipe, rows)
    assert moments.layout.storage == ("long" if changing else "wide")
    fit = fit_mmrm(moments=moments)
    assert fit.log_likelihood == pytest.approx(dense_log_likelihood(fit, rows, True), rel=DENSE)


@pytest.mark.parametrize("name", STRUCTURES)
def test_numerical_gradient_is_zero_and_hessian_positive_definite_at_the_optimum(name):
    fit = fit_mmrm(FORMULA, data(), patient="patient", visit="visit", covariance=name)
    of, theta = model(name, True, None), fit.optimum.theta
    unit = 1 / np.sqrt(np.diag(fit.optimum.hessian))
    steps = np.diag(1e-4 * unit)
    numerical = np.array([(of.value(theta + e) - of.value(theta - e)) / 2e-4 for e in steps])
    assert np.abs(numerical).max() < 1e-6
    assert np.linalg.eigvalsh(fit.optimum.hessian).min() > 0
    assert fit.optimum.smallest_eigenvalue > 1e-7
