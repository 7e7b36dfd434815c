"""The likelihood of the mixed model with random effects at each patient's own days, with exact derivatives.

The model. Patient i has n_i rows, whenever they were:

    y_i = X_i beta + Z_i u_i + e_i,   u_i ~ N(0, G) (q x q),   e_i ~ N(0, s I),   Sigma_i = s I + Z_i G Z_i'.

Z_i = Q_i R_i with Q_i'Q_i = I turns the rows of a patient, z_ij = (x_ij, y_ij), into q rows Q_i'z_i with covariance
s I + R_i G R_i', and the rest, orthogonal to Z_i, with covariance s I. So every Sigma_i is q x q (the identity of
Woodbury 1950 without its cancellation, and G may be singular), and the rest of all patients is one crossproduct.
From here on z_i means the q rows, Sigma_i the q x q matrix, Omega_i its inverse; `rest` and `spare` = N - n q the
crossproduct and count of what is left (a patient with fewer rows than q is padded with zeros, counted off in `spare`).

    A = sum_i z_i' Omega_i z_i + rest / s,   log|Sigma| = sum_i log|Sigma_i| + spare log s,

and beta is profiled out as in `likelihood`, whose formulas hold with Sigma_a = R_i G_a R_i' for the parameters of G and
Sigma_a = s_a I for that of the residual variance. They are sums over patients of
    P = R'Omega R, T = R'Omega z, and with one more Omega: R'Omega^2 R, R'Omega^2 z, z'Omega^2 z, z'Omega^3 z.
The patient is the last axis of every array: all arithmetic runs along it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import STRUCTURES, Array, Surface
from easitrace.models.likelihood import LOG_2PI, Expansion, Profile, phi_products, profile

DEPENDENT = 1e-10  # of the length of a patient's column of Z


@dataclass(frozen=True)
class Patients:
    """The rows of all patients, reduced: R (q, q, n), z (q, p + 1, n), rest (p + 1, p + 1), spare, rank (n,) of Z_i."""

    R: Array
    z: Array
    rest: Array
    spare: int
    rank: NDArray[np.int64]

    @property
    def n_observations(self) -> int:
        """Rows of data."""
        return int(self.spare + len(self.R) * self.R.shape[2])


@dataclass(frozen=True)
class Point:
    """The residual variance s with its first two derivatives in its parameter, and G with those in its own."""

    s: float
    s_first: float
    s_second: float
    G: Surface


@dataclass(frozen=True)
class Weighed:
    """Omega (q, q, n), u = Omega z, V = Omega R, P = R'Omega R, T = R'Omega z, A (p + 1, p + 1), log|Sigma|."""

    omega: Array
    u: Array
    V: Array
    P: Array
    T: Array
    A: Array
    log_determinant: float


def reduce_rows(Z: Array, z: Array, start: NDArray[np.int64]) -> Patients:
    """Gram-Schmidt of each patient's Z, applied to z; rows of a patient are neighbours and begin at `start`.

    Z (N, q), z (N, p + 1). A column of Z that depends on earlier ones within a patient gives a row of zeros.
    """
    (rows, q), n = Z.shape, len(start)
    of_row = np.repeat(np.arange(n), np.diff(np.append(start, rows)))
    length = np.sqrt(np.add.reduceat(Z**2, start, axis=0))
    left = np.concatenate([Z, z], axis=1)
    R, reduced = np.zeros((q, q, n)), np.zeros((q, z.shape[1], n))
    rank = np.zeros(n, dtype=np.int64)
    for k in range(q):
        norm = np.sqrt(np.add.reduceat(left[:, k] ** 2, start))
        new = norm > DEPENDENT * length[:, k]
        inverse = np.where(new, 1 / np.where(new, norm, 1.0), 0.0)
        unit = left[:, k] * inverse[of_row]
        along = np.add.reduceat(unit[:, None] * left[:, k:], start, axis=0)
        left[:, k:] -= unit[:, None] * along[of_row]
        R[k, k:] = along[:, : q - k].T
        reduced[k] = along[:, q - k :].T
        rank += new
    rest = left[:, q:]
    return Patients(R, reduced, rest.T @ rest, rows - n * q, rank)


def working_point(theta: Array, q: int) -> Point:
    """The point with s = exp(2 theta_0), G = Lambda Lambda', Lambda lower triangular with entries theta_1.. by rows."""
    s = float(np.exp(2 * theta[0]))
    row, column = np.tril_indices(q)
    E = np.zeros((len(row), q, q))
    E[np.arange(len(row)), row, column] = 1
    factor = np.tensordot(theta[1:], E, 1)
    half = E @ factor.T
    both = np.einsum("ajl,bkl->abjk", E, E)
    return Point(s, 2 * s, 4 * s, Surface(factor @ factor.T, half + half.swapaxes(1, 2), both + both.swapaxes(2, 3)))


def natural_point(s: float, G: Array) -> Point:
    """The variances and covariances themselves as parameters: Sigma is linear in them."""
    scale = STRUCTURES["us"].scale("natural")
    index = np.arange(len(G), dtype=float)
    return Point(s, 1.0, 0.0, scale.surface(scale.parameters(G, index), index))


def weigh(patients: Patients, s: float, G: Array) -> Weighed:
    """Weigh by Sigma_i = s I + R_i G R_i'; numpy.linalg.LinAlgError when one is not positive definite."""
    R, z = patients.R, patients.z
    sigma = np.einsum("abn,cbn->acn", np.einsum("abn,bc->acn", R, G, optimize=True), R)
    sigma[np.arange(len(R)), np.arange(len(R))] += s
    inverse, logs = inverse_factor(sigma)
    log_determinant = float(logs.sum()) + patients.spare * float(np.log(s))
    if not np.isfinite(log_determinant):
        raise np.linalg.LinAlgError("not positive definite")
    omega = np.einsum("ban,bcn->acn", inverse, inverse)
    u = np.einsum("abn,bwn->awn", omega, z)
    V = np.einsum("abn,bcn->acn", omega, R)
    P, T = np.einsum("ban,bcn->acn", R, V), np.einsum("ban,bwn->awn", R, u)
    A = _gram(z, u) + patients.rest / s
    return Weighed(omega, u, V, P, T, (A + A.T) / 2, log_determinant)


def inverse_factor(sigma: Array) -> tuple[Array, Array]:
    """L^-1 (q, q, n) of Sigma = L L', and log|Sigma| (n,); not numbers where Sigma is not positive definite."""
    q, n = len(sigma), sigma.shape[2]
    L, inverse, logs = np.zeros_like(sigma), np.zeros_like(sigma), np.zeros(n)
    for k in range(q):
        pivot = sigma[k, k] - (L[k, :k] ** 2).sum(axis=0)
        pivot = np.where(pivot > 0, pivot, np.nan)
        L[k, k] = np.sqrt(pivot)
        logs += np.log(pivot)
        for j in range(k + 1, q):
            L[j, k] = (sigma[j, k] - (L[j, :k] * L[k, :k]).sum(axis=0)) / L[k, k]
        inverse[k, k] = 1 / L[k, k]
        for j in range(k):
            inverse[k, j] = -(L[k, j:k] * inverse[j:k, j]).sum(axis=0) / L[k, k]
    return inverse, logs


def _block_gram(a: Array, b: Array) -> Array:
    """sum_i a_ki,v b_li,w of (q, v, n) and (q, w, n): (q, v, q, w)."""
    n = a.shape[2]
    return np.asarray(a.reshape(-1, n) @ b.reshape(-1, n).T).reshape(*a.shape[:2], *b.shape[:2])


def _gram(a: Array, b: Array) -> Array:
    """sum_i a_i' b_i of (q, v, n) and (q, w, n): (v, w)."""
    total: Array = sum(x @ y.T for x, y in zip(a, b, strict=True))
    return total


def negative_log_likelihood(patients: Patients, w: Weighed, reml: bool) -> float:
    """-log-likelihood; LinAlgError when X'Omega X is not positive definite."""
    fitted, n, logs = profile(w.A), patients.n_observations, w.log_determinant
    if reml:
        n, logs = n - len(fitted.b), logs + fitted.log_determinant
    return 0.5 * (n * LOG_2PI + logs + fitted.rss)


def expand(patients: Patients, w: Weighed, point: Point, reml: bool) -> Expansion:
    """-log-likelihood with gradient, Hessian and slopes A_a; parameters: that of s, then those of G."""
    fitted = profile(w.A)
    r = np.append(-fitted.b, 1.0)
    C = np.outer(r, r)
    if reml:
        C[:-1, :-1] += fitted.phi
    slopes = slope_matrices(patients, w, point)
    pull_s, pull_G = _pulls(patients, w, point.s, C)
    gradient = np.append(point.s_first * pull_s, np.tensordot(point.G.first, pull_G, 2))
    hessian = traces(patients, w, point, C)
    hessian[0, 0] += point.s_second * pull_s
    hessian[1:, 1:] += np.tensordot(point.G.second, pull_G, 2)
    V = (slopes @ r)[:, :-1]
    hessian -= 2 * V @ fitted.phi @ V.T
    if reml:
        hessian -= phi_products(fitted.phi, slopes[:, :-1, :-1])
    return Expansion(negative_log_likelihood(patients, w, reml), gradient / 2, (hessian + hessian.T) / 4, slopes)


def slope_matrices(patients: Patients, w: Weighed, point: Point) -> Array:
    """A_a (1 + m, p + 1, p + 1)."""
    q, width, _ = w.T.shape
    gram = _block_gram(w.T, w.T).transpose(0, 2, 1, 3).reshape(q * q, width * width)
    of_G = -(point.G.first.reshape(-1, q * q) @ gram).reshape(-1, width, width)
    of_s = -point.s_first * (_gram(w.u, w.u) + patients.rest / point.s**2)
    return np.concatenate([of_s[None], of_G])


def _pulls(patients: Patients, w: Weighed, s: float, C: Array) -> tuple[float, Array]:
    """sum_i tr(Omega - K) with the rest, and sum_i R'(Omega - K) R (q, q), where K = Omega z C z'Omega."""
    of_s = float(np.einsum("aan->", w.omega) - np.sum(_gram(w.u, w.u) * C))
    of_s += patients.spare / s - float(np.sum(patients.rest * C)) / s**2
    return of_s, w.P.sum(axis=2) - np.einsum("awbv,wv->ab", _block_gram(w.T, w.T), C)


def traces(patients: Patients, w: Weighed, point: Point, C: Array) -> Array:
    """sum_i tr(Sigma_a Omega Sigma_b (2 K - Omega)), K = Omega z C z'Omega, (1 + m, 1 + m)."""
    q, s = len(w.P), point.s
    N = np.einsum("awn,bwn->abn", 2 * (C @ w.T), w.T) - w.P
    both = (w.P.reshape(q * q, -1) @ N.reshape(q * q, -1).T).reshape(q, q, q, q)
    flat = point.G.first.reshape(-1, q * q)
    T2 = np.einsum("ban,bwn->awn", w.V, w.u)
    mixed = np.einsum("awbv,wv->ab", _block_gram(T2, w.T), C)
    mixed = mixed + mixed.T - _gram(w.V, w.V)
    cubed = _gram(w.u, np.einsum("abn,bwn->awn", w.omega, w.u))
    total = np.zeros((1 + len(flat), 1 + len(flat)))
    total[0, 0] = 2 * np.sum(cubed * C) - np.sum(w.omega**2)
    total[0, 0] += 2 * np.sum(patients.rest * C) / s**3 - patients.spare / s**2
    total[0, 0] *= point.s_first**2
    total[0, 1:] = total[1:, 0] = point.s_first * (flat @ mixed.ravel())
    total[1:, 1:] = flat @ both.transpose(3, 0, 1, 2).reshape(q * q, q * q) @ flat.T
    return total


def expected_information(patients: Patients, w: Weighed, point: Point, fitted: Profile, reml: bool) -> Array:
    """1/2 tr(P Sigma_a P Sigma_b), P = Omega - Omega X Phi X'Omega; under ML Omega in place of P."""
    C = np.zeros_like(w.A)
    if reml:
        C[:-1, :-1] = fitted.phi
    information = -traces(patients, w, point, C)
    if reml:
        information += phi_products(fitted.phi, slope_matrices(patients, w, point)[:, :-1, :-1])
    return (information + information.T) / 4


def curvature(patients: Patients, w: Weighed, point: Point, W: Array) -> Array:
    """sum_ab W_ab X'Omega Sigma_a Omega Sigma_b Omega X (p, p), of a point in natural parameters."""
    q, s = len(w.P), point.s
    T, u = w.T[:, :-1], w.u[:, :-1]
    flat = point.G.first.reshape(-1, q * q)
    pairs = (flat.T @ W[1:, 1:] @ flat).reshape(q, q, q, q)
    inner = np.tensordot(pairs, w.P, ((1, 2), (0, 1)))
    total = _gram(T, np.einsum("abn,bwn->awn", inner, T))
    mixed = np.tensordot(W[0, 1:], point.G.first, 1)
    cross = _gram(T, np.einsum("ab,cbn,cwn->awn", mixed, w.V, u, optimize=True))
    cubed = _gram(u, np.einsum("abn,bwn->awn", w.omega, u)) + patients.rest[:-1, :-1] / s**3
    total += point.s_first * (cross + cross.T) + W[0, 0] * point.s_first**2 * cubed
    return (total + total.T) / 2
