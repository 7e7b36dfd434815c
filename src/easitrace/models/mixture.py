"""The likelihood of a growth mixture, with exact gradient and Hessian.

With W_i = I + Z_i L L' Z_i', so that V_i = s^2 W_i and D = s^2 L L', every density passes through

    A_i = X_i'W_i^-1 X_i,  U_i = X_i'W_i^-1 Z_i,  B_i = Z_i'W_i^-1 Z_i         (one per pattern)
    g_i = X_i'W_i^-1 y_i,  h_i = Z_i'W_i^-1 y_i,  f_i = y_i'W_i^-1 y_i         (one per patient)
    rss_ik = f_i - 2 g_i'b_k + b_k'A_i b_k,       c_ik = h_i - U_i'b_k
    log f_ik = -1/2 [n_i log 2 pi s^2 + log|W_i| + rss_ik / s^2],     l = sum_i log sum_k pi_k f_ik

and, with N_i = (I + L'Z_i'Z_i L)^-1 (q x q), W_i^-1 = I - Z_i L N_i L' Z_i' (Woodbury), so D may be singular.
Parameters theta = (b_1 ... b_K, log pi_k / pi_K, L by rows of its lower triangle, log s). With the posterior
w_ik, the class's own score s_ik and Hessian h_ik, and s_i = sum_k w_ik s_ik (Louis 1982, JRSS B 44:226):

    grad l = sum_i s_i,       Hess l = sum_ik w_ik (h_ik + s_ik s_ik') - sum_i s_i s_i'.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.models.class_data import Patients
from easitrace.models.newton import Local

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Mixture:
    """Parameters in the basis: beta (K, p), share (K,) class probabilities, root L (q, q) lower, log_sd."""

    beta: Array
    share: Array
    root: Array
    log_sd: float

    @property
    def classes(self) -> int:
        """Number of classes K."""
        return len(self.share)

    def ordered(self, order: NDArray[np.int64]) -> "Mixture":
        """The same mixture with its classes in another order."""
        return Mixture(self.beta[order], self.share[order], self.root, self.log_sd)


@dataclass(frozen=True)
class Weighted:
    """A (P, p, p), U (P, p, q), B (P, q, q), M = L N L' (P, q, q), log_determinant (P,); g (p, n), h (q, n), f (n,)."""

    A: Array
    U: Array
    B: Array
    M: Array
    log_determinant: Array
    g: Array
    h: Array
    f: Array


@dataclass(frozen=True)
class Densities:
    """log_likelihood; posterior w (K, n); rss (K, n); Ab (P, K, p) = A b_k."""

    log_likelihood: float
    posterior: Array
    rss: Array
    Ab: Array


def n_parameters(classes: int, p: int, q: int) -> int:
    """Free parameters: class courses, class probabilities, random covariance, residual variance."""
    return classes * p + classes - 1 + q * (q + 1) // 2 + 1


def pack(mixture: Mixture) -> Array:
    """The parameters theta (m,) of a mixture."""
    lower = np.tril_indices(len(mixture.root))
    log_share = np.log(mixture.share)
    return np.concatenate([mixture.beta.ravel(), log_share[:-1] - log_share[-1], mixture.root[lower], [mixture.log_sd]])


def unpack(theta: Array, classes: int, p: int, q: int) -> Mixture:
    """The mixture of theta."""
    beta, logits, lower, log_sd = np.split(theta, np.cumsum([classes * p, classes - 1, q * (q + 1) // 2]))
    full = np.append(logits, 0.0)
    share = np.exp(full - full.max())
    root = np.zeros((q, q))
    root[np.tril_indices(q)] = lower
    return Mixture(beta.reshape(classes, p), share / share.sum(), root, float(log_sd[0]))


def weigh(patients: Patients, root: Array) -> Weighted:
    """Everything that depends on L alone."""
    q = len(root)
    inner = np.eye(q) + root.T @ patients.ZZ @ root
    M = root @ np.linalg.inv(inner) @ root.T
    XZM, ZZM = patients.XZ @ M, patients.ZZ @ M
    A = patients.XX - XZM @ patients.XZ.swapaxes(1, 2)
    U = patients.XZ - XZM @ patients.ZZ
    B = patients.ZZ - ZZM @ patients.ZZ
    Zy = patients.Zy
    g = patients.Xy - _each(patients, XZM, Zy)
    h = Zy - _each(patients, ZZM, Zy)
    f = patients.yy - (Zy * _each(patients, M, Zy)).sum(axis=0)
    return Weighted(A, U, B, M, np.linalg.slogdet(inner)[1], g, h, f)


def _each(patients: Patients, matrices: Array, vectors: Array) -> Array:
    """The pattern's matrix (P, a, b) times the patient's vector (b, n), as (a, n)."""
    spread = matrices.transpose(1, 2, 0)[:, :, patients.pattern]
    product: Array = (spread * vectors).sum(axis=1)
    return product


def densities(patients: Patients, w: Weighted, mixture: Mixture) -> Densities:
    """Log-likelihood in the basis, posterior probabilities and residual sums of squares."""
    Ab = mixture.beta @ w.A
    rss = residual_squares(patients, w, mixture.beta, Ab)
    constant = patients.visits * (LOG_2PI + 2 * mixture.log_sd) + w.log_determinant
    with np.errstate(divide="ignore"):
        log_share = np.log(mixture.share)[:, None]
    log_joint = log_share - 0.5 * (constant[patients.pattern] + np.exp(-2 * mixture.log_sd) * rss)
    highest = log_joint.max(axis=0)
    relative = np.exp(log_joint - highest)
    total = relative.sum(axis=0)
    return Densities(float((highest + np.log(total)).sum()), relative / total, rss, Ab)


def residual_squares(patients: Patients, w: Weighted, beta: Array, Ab: Array) -> Array:
    """rss_ik (K, n)."""
    bAb = (Ab * beta).sum(axis=2).T
    rss: Array = w.f - 2 * (beta @ w.g) + bAb[:, patients.pattern]
    return rss


def negative_log_likelihood(patients: Patients, mixture: Mixture) -> float:
    """-l; infinite where the parameters have run out of the floating-point range."""
    with np.errstate(over="ignore", invalid="ignore"):
        value = -densities(patients, weigh(patients, mixture.root), mixture).log_likelihood
    return value if np.isfinite(value) else np.inf


def expand(patients: Patients, mixture: Mixture) -> Local:
    """-l with gradient and Hessian in theta."""
    w = weigh(patients, mixture.root)
    found = densities(patients, w, mixture)
    K, p = mixture.beta.shape
    q = len(mixture.root)
    size = n_parameters(K, p, q)
    tail = np.arange(K * p, size)
    total, hessian = np.zeros((size, patients.n)), np.zeros((size, size))
    for k in range(K):
        own = np.concatenate([np.arange(k * p, (k + 1) * p), tail])
        scores, curvature = _class_terms(patients, w, mixture, found, k)
        weighted = found.posterior[k] * scores
        total[own] += weighted
        hessian[np.ix_(own, own)] += curvature + weighted @ scores.T
    hessian -= total @ total.T
    return Local(-found.log_likelihood, -total.sum(axis=1), -(hessian + hessian.T) / 2)


def _class_terms(patients: Patients, w: Weighted, mixture: Mixture, found: Densities, k: int) -> tuple[Array, Array]:
    """s_ik (m, n) and sum_i w_ik h_ik (m, m) in the parameters (b_k, shares, L, log s) of class k."""
    precision, share = np.exp(-2 * mixture.log_sd), mixture.share
    posterior, rss, pattern = found.posterior[k], found.rss[k], patients.pattern
    p, K = mixture.beta.shape[1], len(share)
    first, second = root_slopes(mixture.root)
    c = w.h - (mixture.beta[k] @ w.U).T[:, pattern]
    cc = c[:, None] * c
    pull = w.g - found.Ab[:, k].T[:, pattern]
    square = mixture.root.size
    flat = first.reshape(len(first), square)
    traces = flat @ w.B.reshape(len(w.B), square).T
    by_root = 0.5 * (precision * (flat @ cc.reshape(square, patients.n)) - traces[:, pattern])
    by_share = np.broadcast_to((np.eye(K)[k, :-1] - share[:-1])[:, None], (K - 1, patients.n))
    by_sd = precision * rss - patients.visits[pattern]
    scores = np.concatenate([precision * pull, by_share, by_root, by_sd[None]])

    size, C, CC = (patients.sums(each).T for each in (posterior, posterior * c, posterior * cc))
    b, a, r = slice(0, p), slice(p, p + K - 1), slice(p + K - 1, p + K - 1 + len(first))
    H = np.zeros((len(scores),) * 2)
    H[b, b] = -precision * np.tensordot(size, w.A, 1)
    H[b, r] = -precision * np.einsum("Pxa,mab,Pb->xm", w.U, first, C, optimize=True)
    H[b, -1] = -2 * precision * pull @ posterior
    H[a, a] = -posterior.sum() * (np.diag(share[:-1]) - np.outer(share[:-1], share[:-1]))
    H[r, r] = _root_curvature(w.B, size, CC, first, second, precision)
    H[r, -1] = -precision * np.tensordot(first, CC.sum(axis=0), 2)
    H[-1, -1] = -2 * precision * posterior @ rss
    upper = np.triu(H)
    return scores, upper + np.triu(upper, 1).T


def root_slopes(root: Array) -> tuple[Array, Array]:
    """First (m, q, q) and second (m, m, q, q) derivatives of L L' in the lower triangle of L."""
    rows, columns = np.tril_indices(len(root))
    m = len(rows)
    unit = np.zeros((m, *root.shape))
    unit[np.arange(m), rows, columns] = 1.0
    half = unit @ root.T
    products = np.einsum("mac,kbc->mkab", unit, unit)
    return half + half.swapaxes(1, 2), products + products.swapaxes(2, 3)


def _root_curvature(B: Array, size: Array, CC: Array, first: Array, second: Array, precision: float) -> Array:
    """-1/2 sum_P [w_P (tr B S_ab - tr B S_a B S_b) - (tr S_ab C_P - 2 tr S_a B S_b C_P) / s^2], (m, m)."""
    turned = np.einsum("mab,Pbc->Pmac", first, B)
    straight = np.tensordot(second, np.tensordot(size, B, 1) - precision * CC.sum(axis=0), 2)
    crossed = np.einsum("P,Pmab,Pkba->mk", size, turned, turned, optimize=True)
    bent = np.einsum("Pmab,kbc,Pca->mk", turned, first, CC, optimize=True)
    curvature: Array = -0.5 * (straight - crossed + 2 * precision * bent)
    return curvature
