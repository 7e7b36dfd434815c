"""Sigma from linear combinations, Cholesky factors and random effects."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance.correlation import spread_matrix
from easitrace.covariance.links import LOG_SD
from easitrace.covariance.surface import Array, Scale, Surface, elementwise_product, lags, no_curvature


def random_design(times: Array, count: int) -> Array:
    """Z = (1, time) cut to `count` columns (J, count)."""
    return np.stack([np.ones_like(times), times], axis=1)[:, :count]


def effects_covariance(entries: Array, count: int) -> Array:
    """G (count, count) from its lower triangle by rows."""
    G = np.zeros((count, count))
    G[np.tril_indices(count)] = entries
    return G + np.tril(G, -1).T


def linear(bases: Callable[[Array], Array]) -> Scale:
    """Sigma = sum_a theta_a B_a; a Sigma outside the span is projected by least squares."""

    def surface(theta: Array, times: Array) -> Surface:
        B = bases(times)
        return Surface(np.tensordot(theta, B, 1), B, no_curvature(len(B), len(times)))

    def parameters(sigma: Array, times: Array) -> Array:
        B = bases(times)
        theta: Array = np.linalg.pinv(B.reshape(len(B), -1).T) @ sigma.ravel()
        return theta

    return Scale(surface, parameters)


def entry_bases(times: Array) -> Array:
    """One basis matrix per variance and covariance."""
    size = len(times)
    rows, columns = np.tril_indices(size)
    B = np.zeros((len(rows), size, size))
    B[np.arange(len(rows)), rows, columns] = 1
    B[np.arange(len(rows)), columns, rows] = 1
    return B


def lag_bases(times: Array) -> Array:
    size = len(times)
    return np.asarray(lags(size) == np.arange(size)[:, None, None], dtype=float)


def equal_bases(times: Array) -> Array:
    return np.stack([np.eye(len(times)), np.ones((len(times), len(times)))])


def slope_bases(times: Array) -> Array:
    """Residual variance; intercept variance, covariance, slope variance: I, 11', 1t' + t1', tt'."""
    one = np.ones_like(times)
    mixed = np.outer(one, times)
    return np.stack([np.eye(len(times)), np.outer(one, one), mixed + mixed.T, np.outer(times, times)])


@lru_cache(maxsize=32)
def _below_diagonal(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.tril_indices(size, -1)


def _cholesky_parts(theta: Array, J: int) -> tuple[Array, Array]:
    """L (J, J) = T^-1 and D (J,) of the modified Cholesky factorisation."""
    T = np.eye(J)
    T[_below_diagonal(J)] = -theta[J:]
    return np.asarray(np.linalg.inv(T)), np.exp(theta[:J])


def modified_cholesky_value(theta: Array, times: Array) -> Array:
    L, D = _cholesky_parts(theta, len(times))
    sigma: Array = (L * D) @ L.T
    return sigma


def modified_cholesky(theta: Array, times: Array) -> Surface:
    """T Sigma T' = D: Sigma = L D L', L = T^-1, T = I - (phi_jk), D = exp(theta_1..J).

    dL/dphi_jk = L e_j e_k' L, so dSigma/dphi_jk = u_j s_k' + s_k u_j' with u_j = L e_j and s_k = row k of Sigma.
    """
    J, q = len(times), len(theta)
    row, column = _below_diagonal(J)
    L, D = _cholesky_parts(theta, J)
    sigma = (L * D) @ L.T
    by_variance = (D * L).T[:, :, None] * L.T[:, None, :]
    u, s = L[:, row].T, sigma[column]
    half = u[:, :, None] * s[:, None, :]
    first = np.concatenate([by_variance, half + half.swapaxes(1, 2)])
    bend = u[:, None, :, None] * first[:, column].swapaxes(0, 1)[:, :, None, :]
    du = L[column[:, None], row].T[:, :, None] * u
    bend[:, J:] += du[:, :, :, None] * s[:, None, None, :]
    second = np.empty((q, q, J, J))
    second[J:] = bend + bend.swapaxes(2, 3)
    second[:J, J:] = second[J:, :J].swapaxes(0, 1)
    second[:J, :J] = 0
    second[np.arange(J), np.arange(J)] = by_variance
    return Surface(sigma, first, second)


def modified_cholesky_parameters(sigma: Array, times: Array) -> Array:
    L = np.linalg.cholesky(sigma)
    sd = np.diag(L)
    T = np.linalg.inv(L / sd)
    return np.concatenate([2 * np.log(sd), -T[np.tril_indices(len(sigma), -1)]])


def _unit_cholesky(theta: Array, size: int) -> Surface:
    """R = L L' with unit lower triangular L, entries by rows."""
    row, column = np.tril_indices(size, -1)
    L = np.eye(size)
    L[row, column] = theta
    E = np.zeros((len(row), size, size))
    E[np.arange(len(row)), row, column] = 1
    half = E @ L.T
    both = np.einsum("ajl,bkl->abjk", E, E)
    return Surface(L @ L.T, half + half.swapaxes(1, 2), both + both.swapaxes(2, 3))


def row_scaled_cholesky(theta: Array, times: Array) -> Surface:
    """The us of R's mmrm: Sigma = diag(exp(s)) L L' diag(exp(s))."""
    J = len(times)
    return elementwise_product(spread_matrix(theta[:J], J, LOG_SD, True), _unit_cholesky(theta[J:], J))


def row_scaled_parameters(sigma: Array, times: Array) -> Array:
    L = np.linalg.cholesky(sigma)
    scale = np.diag(L)
    return np.concatenate([np.log(scale), (L / scale[:, None])[np.tril_indices(len(sigma), -1)]])


def random_effects(count: int) -> Scale:
    """Sigma = exp(2 t_0) I + Z Lambda Lambda' Z' with Z = (1, time) cut to `count` columns, Lambda lower triangular."""
    row, column = np.tril_indices(count)
    bases = equal_bases if count == 1 else slope_bases

    def surface(theta: Array, times: Array) -> Surface:
        Z, q, J = random_design(times, count), len(row) + 1, len(times)
        E = np.zeros((len(row), J, count))
        E[np.arange(len(row)), :, column] = Z[:, row].T
        factor = np.tensordot(theta[1:], E, 1)
        half = E @ factor.T
        both = np.einsum("ajl,bkl->abjk", E, E)
        residual = np.exp(2 * theta[0]) * np.eye(J)
        first = np.concatenate([2 * residual[None], half + half.swapaxes(1, 2)])
        second = no_curvature(q, J)
        second[0, 0] = 4 * residual
        second[1:, 1:] = both + both.swapaxes(2, 3)
        return Surface(residual + factor @ factor.T, first, second)

    def parameters(sigma: Array, times: Array) -> Array:
        natural = linear(bases).parameters(sigma, times)
        floor = 0.01 * np.mean(np.diag(sigma))
        values, vectors = np.linalg.eigh(effects_covariance(natural[1:], count))
        least = floor / np.mean(random_design(times, count) ** 2) / count
        G = (vectors * np.maximum(values, least)) @ vectors.T
        return np.concatenate([[0.5 * np.log(max(natural[0], floor))], np.linalg.cholesky(G)[row, column]])

    return Scale(surface, parameters)
