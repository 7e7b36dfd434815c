"""The one table of covariance structures: parameters theta -> Sigma with exact first and second derivatives.

A structure is known in up to three sets of parameters ("scales"):

* `working`  what the optimiser moves, unconstrained: log standard deviations; Fisher's z of correlations;
             a logistic onto (-1/(J-1), 1) for compound symmetry; the modified Cholesky factorisation
             T Sigma T' = D for the unstructured matrix (Pourahmadi 1999, Biometrika 86:677);
             a plain Cholesky factor for random effects.
* `natural`  variances and covariances where Sigma is linear in them (us, cs, toep, random effects), variances and
             correlations otherwise. Kenward-Roger takes second derivatives here, as SAS ddfm=kr does.
* `mmrm`     the parameters of R package mmrm: log standard deviations, rho = t / sqrt(1 + t^2),
             the logistic for compound symmetry, a row-scaled unit Cholesky factor for us.

Every map returns `Surface(value, first, second)`: Sigma (J, J), dSigma/dtheta_a (q, J, J),
d2Sigma/dtheta_a dtheta_b (q, q, J, J). A new structure is one entry of `STRUCTURES`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from easitrace.errors import ParameterError, Problem

Array = NDArray[np.float64]
ScaleName = Literal["working", "natural", "mmrm"]
LARGEST_START_CORRELATION = 0.95


class Surface(NamedTuple):
    """A matrix-valued function of q parameters with its exact derivatives."""

    value: Array
    first: Array
    second: Array


class Link(NamedTuple):
    """A scalar map parameter -> quantity with derivatives, and its inverse."""

    forward: Callable[[Array], tuple[Array, Array, Array]]
    inverse: Callable[[Array], Array]


@dataclass(frozen=True)
class Scale:
    """One set of parameters: theta -> Sigma, and Sigma -> theta (a projection when Sigma is outside the structure)."""

    surface: Callable[[Array, Array], Surface]
    parameters: Callable[[Array, Array], Array]
    sigma: Callable[[Array, Array], Array] | None = None

    def value(self, theta: Array, times: Array) -> Array:
        """Sigma (J, J) alone, by the short way `sigma` where there is one."""
        return self.sigma(theta, times) if self.sigma else self.surface(theta, times).value


@dataclass(frozen=True)
class Structure:
    """An entry of the table: its words, its parameter count, its scales. `times` (J,) are the visit times."""

    name: str
    label: str
    count: Callable[[int], int]
    scales: dict[ScaleName, Scale]
    needs_times: bool = False

    def scale(self, name: ScaleName) -> Scale:
        """The parameter set called `name`; ParameterError when the structure has none of that name."""
        if name not in self.scales:
            what = f"covariance {self.name!r} has no {name!r} parameters"
            raise ParameterError(Problem("E301", "covariance", what, f"choose one of {sorted(self.scales)}"))
        return self.scales[name]


# ---- links -------------------------------------------------------------------------------------------------------


def _log_sd(t: Array) -> tuple[Array, Array, Array]:
    sd = np.exp(t)
    return sd, sd, sd


def _variance(v: Array) -> tuple[Array, Array, Array]:
    sd = np.sqrt(v)
    return sd, 0.5 / sd, -0.25 / (sd * v)


def _tanh(t: Array) -> tuple[Array, Array, Array]:
    rho = np.tanh(t)
    slope = 1 - rho**2
    return rho, slope, -2 * rho * slope


def _ratio(t: Array) -> tuple[Array, Array, Array]:
    root = np.sqrt(1 + t**2)
    return t / root, root**-3, -3 * t * root**-5


def _same(t: Array) -> tuple[Array, Array, Array]:
    return t, np.ones_like(t), np.zeros_like(t)


def _equicorrelation_link(size: int) -> Link:
    """The logistic onto (-1/(J-1), 1), where compound symmetry is positive definite."""
    low = 1 / (size - 1)

    def forward(t: Array) -> tuple[Array, Array, Array]:
        share = 1 / (1 + np.exp(-t))
        slope = share * (1 - share) * (1 + low)
        return share * (1 + low) - low, slope, slope * (1 - 2 * share)

    return Link(forward, lambda rho: np.log((rho + low) / (1 - rho)))


LOG_SD = Link(_log_sd, np.log)
VARIANCE = Link(_variance, np.square)
FISHER_Z = Link(_tanh, np.arctanh)
RATIO = Link(_ratio, lambda rho: rho / np.sqrt(1 - rho**2))
IDENTITY = Link(_same, lambda rho: rho)

# ---- correlation families: rho -> R(rho) -------------------------------------------------------------------------


@dataclass(frozen=True)
class Family:
    """A family of correlation matrices: rho -> R, and the projection of any correlation matrix onto rho."""

    count: Callable[[int], int]
    surface: Callable[[Array, int], Surface]
    project: Callable[[Array], Array]


def _lags(size: int) -> NDArray[np.int64]:
    return np.abs(np.subtract.outer(np.arange(size), np.arange(size)))


def _autoregressive(rho: Array, size: int) -> Surface:
    """R_jk = rho^|j-k|."""
    lag = _lags(size)
    first = lag * rho[0] ** np.maximum(lag - 1, 0)
    second = lag * (lag - 1) * rho[0] ** np.maximum(lag - 2, 0)
    return Surface(rho[0] ** lag, first[None], second[None, None])


def _toeplitz(rho: Array, size: int) -> Surface:
    """R_jk = rho_|j-k|."""
    first = (_lags(size) == np.arange(1, size)[:, None, None]).astype(float)
    return Surface(np.eye(size) + np.tensordot(rho, first, 1), first, _zeros(size - 1, size))


def _equicorrelation(rho: Array, size: int) -> Surface:
    """R_jk = rho for j != k."""
    first = np.ones((1, size, size)) - np.eye(size)
    return Surface(np.eye(size) + rho[0] * first[0], first, _zeros(1, size))


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

# ---- ways to put parameters together -----------------------------------------------------------------------------


def _zeros(q: int, size: int) -> Array:
    return np.zeros((q, q, size, size))


def _chain(outer: Surface, first: Array, second: Array) -> Surface:
    """Derivatives with respect to t where each quantity is a scalar function of its own t_a."""
    twice = outer.second * np.multiply.outer(first, first)[..., None, None]
    index = np.arange(len(first))
    twice[index, index] += second[:, None, None] * outer.first
    return Surface(outer.value, outer.first * first[:, None, None], twice)


def _elementwise_product(V: Surface, R: Surface) -> Surface:
    """V o R for two functions of separate parameters (product rule)."""
    cross = V.first[:, None] * R.first[None, :]
    first = np.concatenate([V.first * R.value, V.value * R.first])
    second = np.concatenate(
        [
            np.concatenate([V.second * R.value, cross], axis=1),
            np.concatenate([cross.swapaxes(0, 1), V.value * R.second], axis=1),
        ]
    )
    return Surface(V.value * R.value, first, second)


def _spread(theta: Array, size: int, link: Link, heterogeneous: bool) -> Surface:
    """V = s s' with one standard deviation per visit, or one for all."""
    sd, slope, bend = link.forward(theta)
    unit = np.eye(size) if heterogeneous else np.ones((1, size))
    s = unit.T @ sd
    first = np.einsum("aj,k->ajk", unit, s)
    both = np.einsum("aj,bk->abjk", unit, unit)
    V = Surface(np.outer(s, s), first + first.swapaxes(1, 2), both + both.swapaxes(2, 3))
    return _chain(V, slope, bend)


def _correlated(family: Family, heterogeneous: bool, spread: Link, link: Callable[[int], Link]) -> Scale:
    """Sigma = diag(s) R(rho) diag(s)."""

    def surface(theta: Array, times: Array) -> Surface:
        size = len(times)
        cut = size if heterogeneous else 1
        rho, slope, bend = link(size).forward(theta[cut:])
        R = _chain(family.surface(rho, size), slope, bend)
        return _elementwise_product(_spread(theta[:cut], size, spread, heterogeneous), R)

    def parameters(sigma: Array, times: Array) -> Array:
        sd = np.sqrt(np.diag(sigma))
        shared = sd if heterogeneous else np.sqrt(np.mean(sd**2, keepdims=True))
        rho = family.project(sigma / np.outer(sd, sd))
        return np.concatenate([spread.inverse(shared), link(len(times)).inverse(rho)])

    return Scale(surface, parameters)


def _linear(bases: Callable[[Array], Array]) -> Scale:
    """Sigma = sum_a theta_a B_a; a Sigma outside the span is projected by least squares."""

    def surface(theta: Array, times: Array) -> Surface:
        B = bases(times)
        return Surface(np.tensordot(theta, B, 1), B, _zeros(len(B), len(times)))

    def parameters(sigma: Array, times: Array) -> Array:
        B = bases(times)
        theta: Array = np.linalg.pinv(B.reshape(len(B), -1).T) @ sigma.ravel()
        return theta

    return Scale(surface, parameters)


def _entry_bases(times: Array) -> Array:
    """One basis matrix per variance and covariance."""
    size = len(times)
    rows, columns = np.tril_indices(size)
    B = np.zeros((len(rows), size, size))
    B[np.arange(len(rows)), rows, columns] = 1
    B[np.arange(len(rows)), columns, rows] = 1
    return B


def _lag_bases(times: Array) -> Array:
    size = len(times)
    return np.asarray(_lags(size) == np.arange(size)[:, None, None], dtype=float)


def _equal_bases(times: Array) -> Array:
    return np.stack([np.eye(len(times)), np.ones((len(times), len(times)))])


def _slope_bases(times: Array) -> Array:
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


def _modified_cholesky_value(theta: Array, times: Array) -> Array:
    L, D = _cholesky_parts(theta, len(times))
    sigma: Array = (L * D) @ L.T
    return sigma


def _modified_cholesky(theta: Array, times: Array) -> Surface:
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


def _modified_cholesky_parameters(sigma: Array, times: Array) -> Array:
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


def _row_scaled_cholesky(theta: Array, times: Array) -> Surface:
    """The us of R's mmrm: Sigma = diag(exp(s)) L L' diag(exp(s))."""
    J = len(times)
    return _elementwise_product(_spread(theta[:J], J, LOG_SD, True), _unit_cholesky(theta[J:], J))


def _row_scaled_parameters(sigma: Array, times: Array) -> Array:
    L = np.linalg.cholesky(sigma)
    scale = np.diag(L)
    return np.concatenate([np.log(scale), (L / scale[:, None])[np.tril_indices(len(sigma), -1)]])


def _random_effects(count: int) -> Scale:
    """Sigma = exp(2 t_0) I + Z Lambda Lambda' Z' with Z = (1, time) cut to `count` columns, Lambda lower triangular."""
    row, column = np.tril_indices(count)
    bases = _equal_bases if count == 1 else _slope_bases

    def effects(times: Array) -> Array:
        return np.stack([np.ones_like(times), times], axis=1)[:, :count]

    def surface(theta: Array, times: Array) -> Surface:
        Z, q, J = effects(times), len(row) + 1, len(times)
        E = np.zeros((len(row), J, count))
        E[np.arange(len(row)), :, column] = Z[:, row].T
        factor = np.tensordot(theta[1:], E, 1)
        half = E @ factor.T
        both = np.einsum("ajl,bkl->abjk", E, E)
        residual = np.exp(2 * theta[0]) * np.eye(J)
        first = np.concatenate([2 * residual[None], half + half.swapaxes(1, 2)])
        second = _zeros(q, J)
        second[0, 0] = 4 * residual
        second[1:, 1:] = both + both.swapaxes(2, 3)
        return Surface(residual + factor @ factor.T, first, second)

    def parameters(sigma: Array, times: Array) -> Array:
        natural = _linear(bases).parameters(sigma, times)
        floor = 0.01 * np.mean(np.diag(sigma))
        G = np.zeros((count, count))
        G[row, column] = natural[1:]
        values, vectors = np.linalg.eigh(G + np.tril(G, -1).T)
        least = floor / np.mean(effects(times) ** 2) / count
        G = (vectors * np.maximum(values, least)) @ vectors.T
        return np.concatenate([[0.5 * np.log(max(natural[0], floor))], np.linalg.cholesky(G)[row, column]])

    return Scale(surface, parameters)


def _family_structure(
    name: str, label: str, family: Family, heterogeneous: bool, natural: Scale | None = None
) -> Structure:
    """A structure diag(s) R(rho) diag(s) with its three scales."""
    logistic = family is EQUICORRELATION
    scales: dict[ScaleName, Scale] = {
        "working": _correlated(
            family, heterogeneous, LOG_SD, _equicorrelation_link if logistic else lambda J: FISHER_Z
        ),
        "natural": natural or _correlated(family, heterogeneous, VARIANCE, lambda J: IDENTITY),
        "mmrm": _correlated(family, heterogeneous, LOG_SD, _equicorrelation_link if logistic else lambda J: RATIO),
    }
    return Structure(name, label, lambda J: (J if heterogeneous else 1) + family.count(J), scales)


STRUCTURES: dict[str, Structure] = {
    entry.name: entry
    for entry in (
        Structure(
            "us",
            "unstructured",
            lambda J: J * (J + 1) // 2,
            {
                "working": Scale(_modified_cholesky, _modified_cholesky_parameters, _modified_cholesky_value),
                "natural": _linear(_entry_bases),
                "mmrm": Scale(_row_scaled_cholesky, _row_scaled_parameters),
            },
        ),
        _family_structure("toeph", "heterogeneous Toeplitz", TOEPLITZ, True),
        _family_structure("toep", "Toeplitz", TOEPLITZ, False, _linear(_lag_bases)),
        _family_structure("ar1h", "heterogeneous first-order autoregressive", AUTOREGRESSIVE, True),
        _family_structure("ar1", "first-order autoregressive", AUTOREGRESSIVE, False),
        _family_structure("csh", "heterogeneous compound symmetry", EQUICORRELATION, True),
        _family_structure("cs", "compound symmetry", EQUICORRELATION, False, _linear(_equal_bases)),
        _family_structure("adh", "heterogeneous ante-dependence", ANTEDEPENDENCE, True),
        _family_structure("ad", "ante-dependence", ANTEDEPENDENCE, False),
        Structure(
            "random-intercept",
            "random intercept",
            lambda J: 2,
            {"working": _random_effects(1), "natural": _linear(_equal_bases)},
        ),
        Structure(
            "random-slope",
            "random intercept and slope in visit time",
            lambda J: 4,
            {"working": _random_effects(2), "natural": _linear(_slope_bases)},
            needs_times=True,
        ),
    )
}


def structure(name: str) -> Structure:
    """The entry of the table called `name`; ParameterError names the entries there are."""
    if name not in STRUCTURES:
        remedy = f"choose one of {', '.join(STRUCTURES)}"
        raise ParameterError(Problem("E301", "covariance", f"unknown covariance structure {name!r}", remedy))
    return STRUCTURES[name]


def start(entry: Structure, sigma: Array, times: Array) -> Array:
    """Working parameters of a member near `sigma` (J, J); correlations shrink until it is positive definite."""
    sd = np.sqrt(np.diag(sigma))
    R = np.clip(sigma / np.outer(sd, sd), -LARGEST_START_CORRELATION, LARGEST_START_CORRELATION)
    np.fill_diagonal(R, 1.0)
    for shrink in (1.0, 0.9, 0.75, 0.5, 0.25, 0.0):
        shrunk = (shrink * R + (1 - shrink) * np.eye(len(R))) * np.outer(sd, sd)
        if np.linalg.eigvalsh(shrunk).min() <= 0:
            continue
        theta = entry.scales["working"].parameters(shrunk, times)
        value = entry.scales["working"].value(theta, times)
        if np.all(np.isfinite(theta)) and np.linalg.eigvalsh(value).min() > 1e-3 * np.diag(value).min():
            return theta
    raise AssertionError("the identity belongs to every structure")
