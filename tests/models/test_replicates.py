"""Many outcomes on one design: every replicate is the single fit, and the batch's derivatives are right."""

import numpy as np
import pandas as pd
import pytest

from easitrace.errors import DataError, ParameterError
from easitrace.models.batch import bases, evaluate, information
from easitrace.models.batch_design import batch_of, design, starts
from easitrace.models.mmrm import fit_mmrm
from easitrace.models.replicates import refit

VISITS = 4


def cohort(n=25, seed=0, missing=0.12):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "patient": np.repeat(np.arange(n), VISITS),
            "visit": np.tile(np.arange(VISITS), n),
            "arm": np.repeat(np.where(np.arange(n) % 2, "drug", "placebo"), VISITS),
        }
    )
    gone = rng.uniform(size=len(data)) < missing
    gone[::VISITS] = False
    return data, gone


def outcomes(data, gone, replicates, seed=1, skewed=False):
    rng = np.random.default_rng(seed)
    n = data["patient"].nunique()
    Y = rng.normal(size=(len(data), replicates)) + np.repeat(rng.normal(size=(n, replicates)), VISITS, axis=0)
    Y = np.exp(1.2 * Y) if skewed else Y
    Y[gone] = np.nan
    return Y


def single(formula, data, y, **options):
    return fit_mmrm(formula, data.assign(y=y), patient="patient", visit="visit", **options)


def assert_same(found, r, one):
    assert found.status[r] == one.status
    if np.isnan(one.log_likelihood):
        assert np.isnan(found.log_likelihood[r])
        return
    se = one.coefficients["se"].to_numpy()
    assert abs(found.log_likelihood[r] - one.log_likelihood) < 1e-8
    assert np.nanmax(np.abs(found.estimate[r] - one.coefficients["estimate"]) / se) < 1e-8
    np.testing.assert_allclose(found.se[r], se, rtol=1e-8)
    np.testing.assert_allclose(found.covariance[r], one.covariance, rtol=1e-6, atol=1e-8)
    kept = one.basis.kept
    np.testing.assert_allclose(found.beta_covariance[r][np.ix_(kept, kept)], one.beta_covariance, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("formula", ["y ~ visit", "y ~ visit * arm"])
def test_every_replicate_is_the_single_fit(formula, reml):
    data, gone = cohort()
    Y = outcomes(data, gone, 30)
    fit = single(formula, data, Y[:, 0], reml=reml)
    found = refit(fit, data, Y)
    assert found.terms == tuple(fit.coefficients["term"])
    for r in range(Y.shape[1]):
        assert_same(found, r, single(formula, data, Y[:, r], reml=reml))


@pytest.mark.parametrize("n", [8, 10, 14])
def test_every_replicate_is_the_single_fit_where_optima_are_hard_to_find(n):
    """Few patients, log-normal outcomes: several optima, singular fits, fits without an end."""
    data, gone = cohort(n, missing=0.15)
    Y = outcomes(data, gone, 25, seed=n, skewed=True)
    found = refit(single("y ~ visit", data, Y[:, 0]), data, Y)
    statuses = set()
    for r in range(Y.shape[1]):
        one = single("y ~ visit", data, Y[:, r])
        assert_same(found, r, one)
        statuses.add(one.status)
    assert statuses - {"converged"} or n > 8


def test_a_replicate_that_fails_says_so():
    data, gone = cohort()
    Y = outcomes(data, gone, 3)
    Y[~gone, 1] = 3.0
    last = np.repeat(Y[::VISITS, 2], VISITS)
    Y[~gone, 2] = last[~gone]
    found = refit(single("y ~ visit", data, Y[:, 0]), data, Y)
    assert found.status.tolist() == ["converged", "not started", "singular"]
    assert "perfectly" in found.message[1]
    assert "singular" in found.message[2]
    assert np.isnan(found.estimate[1:]).all()


def test_other_structures_are_fitted_too():
    data, gone = cohort()
    Y = outcomes(data, gone, 4)
    found = refit(single("y ~ visit", data, Y[:, 0], covariance="ar1h"), data, Y)
    for r in range(4):
        assert_same(found, r, single("y ~ visit", data, Y[:, r], covariance="ar1h"))


def test_rows_in_any_order_and_collinear_terms():
    data, gone = cohort()
    Y = outcomes(data, gone, 5)
    order = np.random.default_rng(3).permutation(len(data))
    doubled = data.assign(copy=(data["arm"] == "drug").astype(float))
    fit = single("y ~ visit + arm + copy", doubled, Y[:, 0])
    assert fit.dropped_terms
    found = refit(fit, doubled.iloc[order], Y[order])
    for r in range(5):
        assert_same(found, r, single("y ~ visit + arm + copy", doubled, Y[:, r]))
    assert np.isnan(found.estimate[:, list(fit.coefficients["term"]).index(fit.dropped_terms[0])]).all()


def test_imputed_outcomes_may_fill_gaps_of_the_fit():
    data, gone = cohort()
    Y = outcomes(data, gone, 2)
    fit = single("y ~ visit", data, Y[:, 0])
    filled = np.where(np.isnan(Y), 0.5, Y)
    found = refit(fit, data, filled)
    for r in range(2):
        assert_same(found, r, single("y ~ visit", data, filled[:, r]))


@pytest.mark.parametrize("reml", [True, False])
def test_gradient_and_hessian_are_finite_differences(reml):
    data, gone = cohort(20, seed=4)
    Y = outcomes(data, gone, 3)
    plan = design(single("y ~ visit * arm", data, Y[:, 0]), data, Y[:, 0])
    y = Y[plan.row]
    batch = batch_of(plan, y - plan.Q @ (plan.Q.T @ y), reml)
    rng = np.random.default_rng(0)
    L = starts(batch, 4)[1] + 0.1 * rng.normal(size=(VISITS, VISITS, 3))
    of, h = bases(VISITS), 1e-5

    def at(entries):
        S = np.zeros((VISITS, VISITS))
        S[of.row, of.column] = S[of.column, of.row] = entries
        values, vectors = np.linalg.eigh(S)
        half = (vectors * np.exp(values / 2)) @ vectors.T
        return evaluate(batch, np.einsum("jlb,lk->jkb", L, half))

    here, unit = at(np.zeros(10)), np.eye(10)
    gradient = np.array([at(h * e).value - at(-h * e).value for e in unit]) / (2 * h)
    assert np.abs(here.gradient - gradient).max() < 1e-6 * np.abs(gradient).max()
    h = 1e-3
    steps = {(a, b): h * (a * unit[:, None] + b * unit[None]) for a in (1, -1) for b in (1, -1)}
    cross = {key: np.array([[at(s).value for s in row] for row in step]) for key, step in steps.items()}
    hessian = (cross[1, 1] - cross[1, -1] - cross[-1, 1] + cross[-1, -1]) / (4 * h * h)
    assert np.abs(here.hessian - hessian).max() < 1e-4 * np.abs(hessian).max()
    assert (np.linalg.eigvalsh(np.moveaxis(information(batch, L), 2, 0)) > 0).all()


def test_wrong_outcomes_are_refused():
    data, gone = cohort()
    Y = outcomes(data, gone, 2)
    fit = single("y ~ visit", data, Y[:, 0])
    with pytest.raises(DataError, match="shape"):
        refit(fit, data, Y[:-1])
    other = Y.copy()
    other[0, 1] = np.nan
    with pytest.raises(DataError, match="missing in different rows"):
        refit(fit, data, other)
    other = Y.copy()
    other[0, 1] = np.inf
    with pytest.raises(DataError, match="1 values are not finite"):
        refit(fit, data, other)
    with pytest.raises(ParameterError, match="one covariance matrix"):
        refit(single("y ~ visit * arm", data, Y[:, 0], by="arm"), data, Y)
