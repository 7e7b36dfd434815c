"""What a fitted repeated-measures model says about scores that were not seen, and about courses without their error.

At the visits seen, y_S = t_S + e_S with t ~ N(X beta, T), e ~ N(0, s^2 I), Sigma = T + s^2 I. Given y_S the course t is
normal with mean mu + K (y_S - mu_S) and covariance T - K T_S', K = T_S' Sigma_SS^-1, T_S the rows of T at S
(Anderson 2003, Multivariate Statistical Analysis, 2.5.1). With s^2 = 0 the course is the scores themselves.

Sigma and s^2 cannot be told apart from one score per visit: s^2 is given, and must leave T positive definite.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array, structure
from easitrace.errors import NotEstimableError, ParameterError, Problem
from easitrace.models.fit import Fit

Seen = NDArray[np.bool_]


@dataclass(frozen=True)
class Parameters:
    """Values that the parameters of a model may have: beta (D, p) of all terms, sigma (D, J, J)."""

    beta: Array
    sigma: Array

    def with_room(self, error: float) -> "Parameters":
        """Those whose Sigma leaves a positive definite T beside the error variance; perhaps none."""
        room = np.linalg.eigvalsh(self.sigma)[:, 0] > error
        return Parameters(self.beta[room], self.sigma[room])


def point(fit: Fit) -> Parameters:
    """The estimates themselves, as the one value (D = 1).

    Raises
    ------
    NotEstimableError : the fit has not converged. ParameterError : a fit with a covariance matrix per group.
    """
    return Parameters(_beta(fit)[None], _sigma(fit)[None])


def drawn(fit: Fit, draws: int, rng: np.random.Generator) -> Parameters:
    """Draws from the normal approximation to what is known of the parameters.

    theta ~ N(estimate, inverse Hessian) in the working parameters, beta ~ N(estimate, its covariance).

    Raises
    ------
    NotEstimableError : the fit has not converged. ParameterError : a fit with a covariance matrix per group, or of a
        structure that needs visit times.
    """
    beta, sigma = _beta(fit), _sigma(fit)
    entry, optimum = structure(fit.structure), fit.optimum
    assert optimum is not None
    if entry.needs_times:
        what = "cannot be drawn from, as the fit does not keep its visit times"
        raise ParameterError(Problem("E301", f"covariance {fit.structure!r}", what))
    information = np.asarray(optimum.hessian, dtype=float)
    steps = rng.standard_normal((draws, len(information)))
    theta = optimum.theta + np.linalg.solve(_root(information).T, steps.T).T
    scale, times = entry.scale("working"), np.arange(len(sigma), dtype=float)
    sigmas = optimum.scale**2 * np.array([scale.value(values, times) for values in theta])
    betas = np.repeat(beta[None], draws, axis=0)
    kept = fit.basis.kept
    betas[:, kept] += rng.standard_normal((draws, len(kept))) @ _root(fit.beta_covariance).T
    return Parameters(betas, sigmas)


def gain(sigma: Array, seen: Seen, error: float = 0.0) -> Array:
    """K (D, J, S): how far the course moves, at every visit, per unit of deviation from the mean at a visit seen."""
    course = sigma - error * np.eye(sigma.shape[1])
    across = course[:, seen, :]
    return np.asarray(np.linalg.solve(sigma[:, seen][:, :, seen], across).transpose(0, 2, 1), dtype=float)


def spread(sigma: Array, seen: Seen, error: float = 0.0) -> Array:
    """Covariance (D, J, J) of the course given the scores at the visits seen."""
    course = sigma - error * np.eye(sigma.shape[1])
    V: Array = course - gain(sigma, seen, error) @ course[:, seen, :]
    return V


def expected(parameters: Parameters, X: Array, y: Array, seen: Seen, error: float = 0.0) -> Array:
    """Mean (n, D, J) of the course of n patients with model rows X (n, J, p) and scores y (n, J), seen at S."""
    mu = np.einsum("njp,dp->ndj", X, parameters.beta)
    away = y[:, None, seen] - mu[:, :, seen]
    moved: Array = mu + np.einsum("djs,nds->ndj", gain(parameters.sigma, seen, error), away)
    return moved


def simulated(parameters: Parameters, X: Array, y: Array, seen: Seen, error: float, rng: np.random.Generator) -> Array:
    """One course (n, D, J) per patient and parameter value given the scores seen.

    Conditioned by moving a draw of the joint distribution (Hoffman & Ribak 1991, Astrophys J 380:L5), so that no
    singular covariance has to be factored.
    """
    n, D, J = len(y), len(parameters.beta), y.shape[1]
    course = np.linalg.cholesky(parameters.sigma - error * np.eye(J))
    t = np.einsum("djk,ndk->ndj", course, rng.standard_normal((n, D, J)))
    e = np.sqrt(error) * rng.standard_normal((n, D, J))
    mu = np.einsum("njp,dp->ndj", X, parameters.beta)
    away = y[:, None, seen] - (mu + t + e)[:, :, seen]
    drawn_courses: Array = mu + t + np.einsum("djs,nds->ndj", gain(parameters.sigma, seen, error), away)
    return drawn_courses


def _beta(fit: Fit) -> Array:
    if fit.status != "converged":
        raise NotEstimableError(Problem("E330", "trajectory model", f"is not estimable: {fit.message}"))
    return fit.coefficients["estimate"].fillna(0.0).to_numpy(float)


def _sigma(fit: Fit) -> Array:
    if isinstance(fit.covariance, dict):
        raise ParameterError(Problem("E301", "by", "prediction is for models with one covariance matrix"))
    return fit.covariance


def _root(covariance: Array) -> Array:
    return np.asarray(np.linalg.cholesky(covariance), dtype=float)
