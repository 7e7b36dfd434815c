"""Sigma = diag(s) R(rho) diag(s): families of correlation matrices, with one or with J standard deviations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from easitrace.covariance.surface import Array, Link, Scale, Surface, chain, elementwise_product, lags, no_curvature


@dataclass(frozen=True)
class Family:
    """A family of correlation matrices: rho -> R, and the projection of any correlation matrix onto rho."""

    count: Callable[[int], int]
    surface: Callable[[Array, int], Surface]
    project: Callable[[Array], Array]


def _autoregressive(rho: Array, size: int) -> Surface:
    """R_jk = rho^|j-k|."""
    lag = lags(size)
    first = lag * rho[0] ** np.maximum(lag - 1, 0)
    second = lag * (lag - 1) * rho[0] ** np.maximum(lag - 2, 0)
    return Surface(rho[0] ** lag, first[None], second[None, None])


def _toeplitz(rho: Array, size: int) -> Surface:
    """R_jk = rho_|j-k|."""
    first = (lags(size) == np.arange(1, size)[:, None, None]).astype(float)
    return Surface(np.eye(size) + np.tensordot(rho, first, 1), first, no_curvature(size - 1, size))


def _equicorrelation(rho: Array, size: int) -> Surface:
    """R_jk = rho for j != k."""
    first = np.ones((1, size, size)) - np.eye(size)
    return Surface(np.eye(size) + rho[0] * first[0], first, no_curvature(1, size))


def _antedependence(rho: Array, size: int) -> Surface:
    """R_jk = rho_j rho_{j+1} ... rho_{k-1} for j < k."""
    step = range(size - 1)
    visit = np.arange(size)
    low, high = np.minimum.outer(visit, visit), np.maximum.outer(visit, visit)
    inside = (np.array(step) >= low[..., None]) & (np.array(step) < high[..., None])
    factors = np.where(inside, rho, 1.0)

    def without(*steps: int) -> Array:
        product: Array = np.prod(np.delete(factors, steps, axis=-1), axis=-1)
        return product * inside[..., list(steps)].all(axis=-1)

    first = np.array([without(a) for a in step])
    second = np.array([[without(a, b) if a != b else 0 * first[a] for b in step] for a in step])
    return Surface(np.prod(factors, axis=-1), first, second)


def _lag_means(R: Array) -> Array:
    return np.array([np.diagonal(R, lag).mean() for lag in range(1, len(R))])


AUTOREGRESSIVE = Family(lambda J: 1, _autoregressive, lambda R: _lag_means(R)[:1])
TOEPLITZ = Family(lambda J: J - 1, _toeplitz, _lag_means)
EQUICORRELATION = Family(lambda J: 1, _equicorrelation, lambda R: R[np.triu_indices_from(R, 1)].mean(keepdims=True))
ANTEDEPENDENCE = Family(lambda J: J - 1, _antedependence, lambda R: np.diagonal(R, 1).copy())


def spread_matrix(theta: Array, size: int, link: Link, heterogeneous: bool) -> Surface:
    """V = s s' with one standard deviation per visit, or one for all."""
    sd, slope, bend = link.forward(theta)
    unit = np.eye(size) if heterogeneous else np.ones((1, size))
    s = unit.T @ sd
    first = np.einsum("aj,k->ajk", unit, s)
    both = np.einsum("aj,bk->abjk", unit, unit)
    V = Surface(np.outer(s, s), first + first.swapaxes(1, 2), both + both.swapaxes(2, 3))
    return chain(V, slope, bend)


def correlated(family: Family, heterogeneous: bool, spread: Link, link: Callable[[int], Link]) -> Scale:
    """Sigma = diag(s) R(rho) diag(s)."""

    def surface(theta: Array, times: Array) -> Surface:
        size = len(times)
        cut = size if heterogeneous else 1
        rho, slope, bend = link(size).forward(theta[cut:])
        R = chain(family.surface(rho, size), slope, bend)
        return elementwise_product(spread_matrix(theta[:cut], size, spread, heterogeneous), R)

    def parameters(sigma: Array, times: Array) -> Array:
        sd = np.sqrt(np.diag(sigma))
        shared = sd if heterogeneous else np.sqrt(np.mean(sd**2, keepdims=True))
        rho = family.project(sigma / np.outer(sd, sd))
        return np.concatenate([spread.inverse(shared), link(len(times)).inverse(rho)])

    return Scale(surface, parameters)
