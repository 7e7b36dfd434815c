"""The marginal likelihood of the mixed model for repeated measures, with exact gradient and Hessian.

The model. Patient i is seen at some of J planned visits, O_i:

    y_i = X_i beta + e_i,    e_i ~ N(0, Sigma_i),    Sigma_i = Sigma(theta) restricted to O_i.

Write Omega_i = Sigma_i^-1 and z_ij = (x_ij, y_ij), a row of p + 1 numbers, zero where j is not in O_i. All of the
likelihood passes through one (p + 1) x (p + 1) matrix and the counts n_P of patients with the visit pattern P:

    A(theta) = sum_i Z_i' Omega_i Z_i = [[H, g], [g', s]],   H = X'Omega X,   b = H^-1 g,   rss = s - g'b
    -2 l_ML   = N log 2 pi       + sum_P n_P log|Sigma_P| + rss
    -2 l_REML = (N - p) log 2 pi + sum_P n_P log|Sigma_P| + rss + log|H|             (beta profiled out)

Derivatives, subscript a for d/dtheta_a, with r = (-b, 1), V_a = first p rows of A_a r, Phi = H^-1:

    A_a      = -sum_i Z_i' Omega_i Sigma_a Omega_i Z_i
    C        = r r' (+ Phi under REML),     K_P = sum_{i in P} Omega_i Z_i C Z_i' Omega_i
    -2 l_a   = <Sigma_a, sum_P n_P Omega_P - K_P>
    -2 l_ab  = <Sigma_ab, sum_P n_P Omega_P - K_P> + sum_P tr(Sigma_a Omega_P Sigma_b (2 K_P - n_P Omega_P))
               - 2 V_a' Phi V_b  (- tr(Phi H_a Phi H_b) under REML)

Patients enter only through sums over a pattern, so the rows Z_i of a pattern may be replaced by any rows with the same
crossproducts; `moments` keeps at most as many as there are columns. Unseen visits are padded with the identity.
Patients of different groups have a Sigma, and parameters, of their own; A adds over groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array, Surface

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Block:
    """The rows of one covariance group.

    z : (R, J, p + 1) rows, zero at unseen visits; pattern : (R,) the pattern of each row, non-decreasing;
    seen : (P, J) which visits a pattern has; counts : (P,) patients with the pattern.
    """

    z: Array
    pattern: NDArray[np.int64]
    seen: NDArray[np.bool_]
    counts: Array

    @property
    def n_observations(self) -> int:
        """Observed outcomes."""
        return int(self.counts @ self.seen.sum(axis=1))


@dataclass(frozen=True)
class Weighted:
    """A block weighted by Sigma: Omega_P (P, J, J), Omega_i Z_i (R, J, p+1), sum_P n_P log|Sigma_P|, A (p+1, p+1)."""

    omega: Array
    rows: Array
    log_determinant: float
    A: Array


@dataclass(frozen=True)
class Profile:
    """beta profiled out of A: b (p,), Phi = H^-1 (p, p), rss, log|H|."""

    b: Array
    phi: Array
    rss: float
    log_determinant: float


@dataclass(frozen=True)
class Expansion:
    """-log-likelihood with gradient (q,) and Hessian (q, q), and the slopes A_a (q, p + 1, p + 1) behind them."""

    value: float
    gradient: Array
    hessian: Array
    slopes: Array


def weigh(block: Block, sigma: Array) -> Weighted:
    """Weight a block by Sigma (J, J); numpy.linalg.LinAlgError when Sigma is not positive definite on a pattern."""
    both = block.seen[:, :, None] & block.seen[:, None, :]
    padded = np.where(both, sigma, np.eye(len(sigma)))
    factor = np.linalg.cholesky(padded)
    log_determinant = 2 * float(block.counts @ np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1))
    omega = np.where(both, np.linalg.inv(padded), 0.0)
    rows = omega[block.pattern] @ block.z
    width = block.z.shape[2]
    return Weighted(omega, rows, log_determinant, block.z.reshape(-1, width).T @ rows.reshape(-1, width))


def profile(A: Array) -> Profile:
    """Solve the normal equations held in A; LinAlgError when H is not positive definite."""
    factor = np.linalg.cholesky(A[:-1, :-1])
    inverse = np.linalg.inv(factor)
    half = inverse @ A[:-1, -1]
    rss = float(A[-1, -1] - half @ half)
    return Profile(inverse.T @ half, inverse.T @ inverse, rss, 2 * float(np.log(np.diag(factor)).sum()))


def negative_log_likelihood(blocks: Sequence[Block], weighted: Sequence[Weighted], reml: bool) -> float:
    """-log-likelihood; LinAlgError as `profile`."""
    return _value(blocks, weighted, profile(sum_of([w.A for w in weighted])), reml)


def expand(blocks: Sequence[Block], weighted: Sequence[Weighted], surfaces: Sequence[Surface], reml: bool) -> Expansion:
    """-log-likelihood with gradient and Hessian in all parameters, group after group; LinAlgError as `profile`."""
    fitted = profile(sum_of([w.A for w in weighted]))
    slopes = np.concatenate([slope_matrices(w, s) for w, s in zip(weighted, surfaces, strict=True)])
    C = _dual(fitted, reml)
    ends = np.cumsum([0, *(len(s.first) for s in surfaces)])
    gradient, hessian = np.empty(ends[-1]), _profile_curvature(fitted, slopes, reml)
    for block, w, surface, low, high in zip(blocks, weighted, surfaces, ends[:-1], ends[1:], strict=True):
        K = pattern_sums(block, w, C)
        n_omega = block.counts[:, None, None] * w.omega
        pull = n_omega.sum(axis=0) - K.sum(axis=0)
        gradient[low:high] = np.tensordot(surface.first, pull, 2)
        curvature = np.tensordot(surface.second, pull, 2) + trace_products(surface.first, w.omega, 2 * K - n_omega)
        hessian[low:high, low:high] += curvature
    return Expansion(_value(blocks, weighted, fitted, reml), gradient / 2, (hessian + hessian.T) / 4, slopes)


def slope_matrices(w: Weighted, surface: Surface) -> Array:
    """A_a = -sum_i Z_i' Omega_i Sigma_a Omega_i Z_i (q, p + 1, p + 1), from one Gram matrix of the weighted rows."""
    rows, size, width = w.rows.shape
    wide = w.rows.reshape(rows, size * width)
    gram = (wide.T @ wide).reshape(size, width, size, width).transpose(0, 2, 1, 3).reshape(size * size, width * width)
    slopes: Array = -(surface.first.reshape(-1, size * size) @ gram)
    return slopes.reshape(-1, width, width)


def pattern_sums(block: Block, w: Weighted, C: Array) -> Array:
    """K_P = sum_{i in P} Omega_i Z_i C Z_i' Omega_i, (P, J, J)."""
    each = (w.rows @ C) @ w.rows.swapaxes(1, 2)
    K = np.zeros_like(w.omega)
    np.add.at(K, block.pattern, each)
    return K


def trace_products(first: Array, omega: Array, N: Array) -> Array:
    """sum_P tr(Sigma_a Omega_P Sigma_b N_P), (q, q): one matrix product over the patterns."""
    P, J, _ = omega.shape
    both = (omega.reshape(P, J * J).T @ N.reshape(P, J * J)).reshape(J, J, J, J)
    flat = first.reshape(-1, J * J)
    products: Array = flat @ both.transpose(3, 0, 1, 2).reshape(J * J, J * J) @ flat.T
    return products


def sum_of(matrices: Sequence[Array]) -> Array:
    """The sum of the groups' matrices."""
    total: Array = np.sum(matrices, axis=0)
    return total


def _dual(fitted: Profile, reml: bool) -> Array:
    """C = r r' (+ Phi under REML)."""
    r = np.append(-fitted.b, 1.0)
    C = np.outer(r, r)
    if reml:
        C[:-1, :-1] += fitted.phi
    return C


def _profile_curvature(fitted: Profile, slopes: Array, reml: bool) -> Array:
    """-2 V_a' Phi V_b (- tr(Phi H_a Phi H_b) under REML), (q, q)."""
    V = (slopes @ np.append(-fitted.b, 1.0))[:, :-1]
    curvature: Array = -2 * V @ fitted.phi @ V.T
    if reml:
        curvature -= phi_products(fitted.phi, slopes[:, :-1, :-1])
    return curvature


def phi_products(phi: Array, slopes: Array) -> Array:
    """tr(Phi H_a Phi H_b), (q, q)."""
    half = np.linalg.cholesky(phi)
    flat = (half.T @ slopes @ half).reshape(len(slopes), -1)
    products: Array = flat @ flat.T
    return products


def _value(blocks: Sequence[Block], weighted: Sequence[Weighted], fitted: Profile, reml: bool) -> float:
    n = sum(block.n_observations for block in blocks)
    logs = sum(w.log_determinant for w in weighted)
    if reml:
        n, logs = n - len(fitted.b), logs + fitted.log_determinant
    return 0.5 * (n * LOG_2PI + logs + fitted.rss)
