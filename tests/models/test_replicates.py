"""Many outcomes on one design: every replicate is the single fit, and the batch's derivatives are right."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from easitrace.covariance import structure
from easitrace.errors import DataError, ParameterError
from easitrace.models.basis import to_basis
from easitrace.models.batch import derivatives, factor, parameters, weigh
from easitrace.models.batch_design import batch_of, design, starts
from easitrace.models.batch_newton import minimise
from easitrace.models.batch_shape import no_shapes
from easitrace.models.mmrm import fit_mmrm
from easitrace.models.moments import collect
from easitrace.models.newton import Local, quadratic
from easitrace.models.optimise import Model, objective
from easitrace.models.optimise import starts as single_starts
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


def compare_hard_replicates(n, replicates, seed):
    """Few patients, log-normal outcomes: several optima, singular fits, fits without an end."""
    data, gone = cohort(n, seed=seed, missing=0.15)
    Y = outcomes(data, gone, replicates, seed=seed, skewed=True)
    found = refit(single("y ~ visit", data, Y[:, 0]), data, Y)
    for r in range(replicates):
        assert_same(found, r, single("y ~ visit", data, Y[:, r], df="residual"))
    return set(found.status)


@pytest.mark.parametrize(("n", "seed"), [(8, 1), (8, 13), (10, 13), (14, 1)])
def test_every_replicate_is_the_single_fit_where_optima_are_hard_to_find(n, seed):
    statuses = compare_hard_replicates(n, 25, seed)
    assert statuses - {"converged"} or (n, seed) not in {(8, 13), (10, 13)}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 13, 65])
@pytest.mark.parametrize("n", [8, 9, 10, 12, 16, 25])
def test_a_thousand_hard_replicates_are_the_single_fits(n, seed):
    compare_hard_replicates(n, 250 if n <= 10 else 100, seed)


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


def hard_batch(reml, replicates=3):
    data, gone = cohort(20, seed=4)
    Y = outcomes(data, gone, replicates, skewed=True)
    fit = single("y ~ visit * arm", data, Y[:, 0])
    plan = design(fit, data, Y[:, 0])
    y = Y[plan.row]
    return batch_of(plan, y - plan.Q @ (plan.Q.T @ y), reml), data, Y


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("own", [False, True])
def test_gradient_and_hessian_are_finite_differences(reml, own):
    """Also where every data set has crossproducts of x of its own."""
    batch, _, _ = hard_batch(reml)
    if own:
        batch = replace(batch, xx=batch.xx[..., None] * np.array([1.0, 1.1, 0.9]))
    theta = starts(batch, 4)[1] + 0.3 * np.random.default_rng(0).normal(size=(10, 3))
    gradient, hessian = derivatives(batch, weigh(batch, theta))
    h = 1e-5
    for a, step in enumerate(h * np.eye(10)[:, :, None]):
        high, low = weigh(batch, theta + step), weigh(batch, theta - step)
        np.testing.assert_allclose((high.value - low.value) / (2 * h), gradient[a], rtol=1e-6, atol=1e-6)
        slope = (derivatives(batch, high)[0] - derivatives(batch, low)[0]) / (2 * h)
        np.testing.assert_allclose(slope, hessian[:, a], rtol=1e-6, atol=1e-6 * np.abs(hessian).max())


def test_the_batch_is_the_single_likelihood_from_the_same_starts():
    """Value, gradient and Hessian in the parameters of the optimiser, with its own code."""
    batch, data, Y = hard_batch(reml=True)
    found = starts(batch, 4)
    for b in range(3):
        moments = collect("y ~ visit * arm", data.assign(y=Y[:, b]), patient="patient", visit="visit")
        basis, blocks = to_basis(moments)
        model = Model(blocks, structure("us"), np.arange(4.0), True)
        shift = np.r_[np.full(4, 2 * np.log(basis.scale)), np.zeros(6)]
        for theta, alone in zip(found, single_starts(model, 20), strict=True):
            np.testing.assert_allclose(theta[:, b] - shift, alone, atol=1e-9)
            w = weigh(batch, theta)
            local = objective(model)[1](alone)
            gradient, hessian = derivatives(batch, w)
            difference = (moments.n_observations - len(basis.kept)) * np.log(basis.scale)
            assert abs(w.value[b] - difference - local.value) < 1e-9
            np.testing.assert_allclose(gradient[:, b], local.gradient, atol=1e-9 * np.abs(local.gradient).max())
            np.testing.assert_allclose(hessian[..., b], local.hessian, atol=1e-9 * np.abs(local.hessian).max())


def test_parameters_and_factor_are_inverse():
    theta = np.random.default_rng(0).normal(size=(10, 5))
    np.testing.assert_allclose(parameters(factor(theta, 4)), theta, atol=1e-12)


@pytest.mark.parametrize("damping", [0.0, 0.02])
def test_steps_are_those_of_the_single_expansion(damping):
    """Positive definite, indefinite and nearly singular Hessians; one with a parameter without curvature."""
    rng = np.random.default_rng(0)
    root, gradient = rng.normal(size=(4, 6, 6)), rng.normal(size=(6, 4))
    H = np.einsum("bij,bkj->bik", root, root)
    H[1] -= 3 * np.eye(6)
    H[2] = root[2][:, :5] @ root[2][:, :5].T + 1e-9 * np.eye(6)
    H[3, 0, 1:] = H[3, 1:, 0] = 0
    H[3, 0, 0] = 1e-14
    shapes = no_shapes(6, 4)
    shapes.update(np.arange(4), gradient, np.moveaxis(H, 0, 2))
    steps = shapes.step(np.arange(4), np.full(4, damping))
    for b in range(4):
        one = quadratic(Local(0.0, gradient[:, b], H[b]))
        curvature = np.maximum(np.abs(one.values), 1e-6) + damping
        np.testing.assert_allclose(steps[:, b], -one.directions @ (one.along / curvature), rtol=1e-6)
        assert abs(shapes.decrement[b] / one.decrement - 1) < 1e-6
        assert shapes.least[b] <= one.values[0] * (1 + 1e-9) or shapes.least[b] == pytest.approx(one.values[0])


def test_a_run_joins_the_optimum_that_is_known():
    batch, _, _ = hard_batch(reml=True, replicates=12)
    first, second, _, _ = starts(batch, 4)
    best = minimise(batch, first)
    assert best.stationary.all()
    again = minimise(batch, second, best)
    alone = minimise(batch, second)
    assert again.joined.any()
    np.testing.assert_allclose(alone.value[again.joined], best.value[again.joined], atol=1e-9)
    assert (np.abs(alone.value - best.value) < 1e-9)[alone.stationary & again.joined].all()


def test_wrong_outcomes_are_refused():
    data, gone = cohort()
    Y = outcomes(data, gone, 2)
    fit = single("y ~ visit", data, Y[:, 0])
    with pytest.raises(DataError, match="E307 outcomes: shape"):
        refit(fit, data, Y[:-1])
    other = Y.copy()
    other[0, 1] = np.nan
    with pytest.raises(DataError, match=r"E307 .*missing in different rows"):
        refit(fit, data, other)
    other = Y.copy()
    other[0, 1] = np.inf
    with pytest.raises(DataError, match=r"E307 .*1 values are not finite"):
        refit(fit, data, other)
    with pytest.raises(ParameterError, match="one covariance matrix"):
        refit(single("y ~ visit * arm", data, Y[:, 0], by="arm"), data, Y)
