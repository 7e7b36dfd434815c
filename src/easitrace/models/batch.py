"""The likelihood of many data sets at once: the unstructured repeated-measures model, data sets along the last axis.

Data set b has the crossproducts of each visit pattern P and visits j >= k of it (a "cell"), x in an orthonormal basis,
e the outcome's least-squares residual, symmetric in j, k and counted for both:

    xx = sum x_ij x_ik' + x_ik x_ij',   xy = sum x_ij e_ik + x_ik e_ij,   yy = 2 sum e_ij e_ik      (half of it, j = k)

Likelihood and parameters theta are those of `likelihood` and of the optimiser: Sigma = C C', C = L diag(d),
log D_j = 2 log d_j, and L^-1 = I - (phi_jk). Derivatives are first taken in S (symmetric), Sigma = C (I + S) C', with
entries a <-> (u, v), where Sigma_a = C E_a C' and Sigma_ab = 0. With F = Omega C, D_a = F E_a F', M = the crossproducts
of the cells in the metric C of `likelihood` and, of each pattern, W = C'F, K = F'M F, half the formulas there are

    -l_a  = sum_P <E_a, n W - K> / 2,    A_a = -sum_cells D_a z z'
    -l_ab = sum_P tr(E_a W E_b (K - n W / 2)) - V_a'Phi V_b (- tr(Phi H_a Phi H_b) / 2 under REML).

Then they are carried over to theta, with c_k = row k of C, Q = sum_P (n W - K) / 2, G = diag(1/d) 2 Q C':

    dSigma / dlog D_j = C e_j e_j' C',    dSigma / dphi_jk = C (e_j c_k' + c_k e_j') C' / d_j

and the second derivatives of Sigma add, to the Hessian of -l,

    log D_j twice: Q_jj;    phi_jk and log D_l, l <= k: 2 Q_jl C_kl / d_j;
    phi_jk and phi_lm: L_mj G_lk + L_kl G_jm + 2 Sigma_mk Q_jl / (d_j d_l).
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.models.likelihood import LOG_2PI
from easitrace.models.woodbury import inverse_factor

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


def some(part: Array, which: Index | Mask) -> Array:
    """Some of the data sets, contiguous along the last axis as brackets would not leave them."""
    return np.take(part, np.flatnonzero(which) if which.dtype == bool else which, axis=-1)


@dataclass(frozen=True)
class Batch:
    """B data sets with the same P patterns and c cells.

    seen (P, J); counts (P, B); owner, j, k (c,) pattern and visits of each cell, pattern after pattern;
    xx (c, p, p) shared, or (c, p, p, B); xy (c, p, B); yy (c, B).
    """

    seen: Mask
    counts: Array
    owner: Index
    j: Index
    k: Index
    xx: Array
    xy: Array
    yy: Array
    reml: bool

    def take(self, which: Index | Mask) -> "Batch":
        """Some of the data sets."""
        if which.dtype == bool and which.all():
            return self
        xx = self.xx if self.xx.ndim == 3 else some(self.xx, which)
        counts, xy, yy = (some(part, which) for part in (self.counts, self.xy, self.yy))
        return replace(self, counts=counts, xx=xx, xy=xy, yy=yy)

    def weighted(self, weights: Array) -> Array:
        """Sum over cells of weights (a, c, B) times xx: (a, p, p, B)."""
        (a, c, B), p = weights.shape, self.xx.shape[1]
        if self.xx.ndim == 4:
            return np.asarray(np.einsum("xcdb,axb->acdb", self.xx, weights))
        return np.asarray(self.xx.reshape(c, p * p).T @ weights).reshape(a, p, p, B)

    def projected(self, C: Array) -> Array:
        """<C, xx> of C (p, p, B): (c, B)."""
        if self.xx.ndim == 4:
            return np.asarray(np.einsum("xcdb,cdb->xb", self.xx, C))
        return np.asarray(self.xx.reshape(len(self.xx), -1) @ C.reshape(len(C) ** 2, -1))

    def times(self, b: Array) -> Array:
        """Crossproducts xx b of b (p, B): (c, p, B)."""
        if self.xx.ndim == 4:
            return np.asarray(np.einsum("xcdb,db->xcb", self.xx, b))
        return np.asarray(self.xx.reshape(-1, len(b)) @ b).reshape(self.xy.shape)


@dataclass(frozen=True)
class Weighed:
    """A batch weighed by Sigma.

    factor C (J, J, B); omega (J, J, P, B) of each pattern, zero at visits that it lacks; root (p, p, B) with
    root'root = Phi; b (p, B); value -l (B,), infinite where Sigma is not positive definite.
    """

    factor: Array
    omega: Array
    root: Array
    b: Array
    value: Array

    def take(self, which: Mask) -> "Weighed":
        """Some of the data sets."""
        return self if which.all() else Weighed(*(some(part, which) for part in vars(self).values()))

    @property
    def phi(self) -> Array:
        """Phi (p, p, B)."""
        return np.asarray(np.einsum("ecb,edb->cdb", self.root, self.root))


@dataclass(frozen=True)
class Tables:
    """Which entry is where, for J visits; m = J (J + 1) / 2 entries of a symmetric matrix by rows, q = m - J below.

    row, column (m,) of the entries; entry (J, J) their numbers; below (2, q) visits j > k of each phi;
    packed (m, m) : where a pair of entries stands in a lower triangle by rows; terms (4, m (m + 1) / 2) : the pairs of
    entries of W and N in tr(E_a W E_b N), one of each pair a >= b, and weight, of each sum of four.
    """

    row: Index
    column: Index
    entry: Index
    below: Index
    packed: Index
    terms: Index
    weight: Array


def _numbered(size: int) -> tuple[Index, Index, Index]:
    """Rows and columns of a lower triangle, and the number of each entry of the symmetric matrix (size, size)."""
    row, column = (part.astype(np.int64) for part in np.tril_indices(size))
    number = np.zeros((size, size), dtype=np.int64)
    number[row, column] = number[column, row] = np.arange(len(row))
    return row, column, number


@lru_cache(maxsize=16)
def tables(J: int) -> Tables:
    """The tables of J visits."""
    row, column, entry = _numbered(J)
    m = len(row)
    a, b, packed = _numbered(m)
    u, v, s, t = row[a], column[a], row[b], column[b]
    pairs = [(entry[v, s], entry[t, u]), (entry[v, t], entry[s, u]), (entry[u, s], entry[t, v])]
    pairs.append((entry[u, t], entry[s, v]))
    terms = np.array([packed[w, n] for w, n in pairs])
    weight = np.where(u == v, 0.5, 1.0) * np.where(s == t, 0.5, 1.0)
    return Tables(row, column, entry, np.array(np.tril_indices(J, -1)), packed, terms, weight[:, None])


def factor(theta: Array, J: int) -> Array:
    """C (J, J, B), lower triangular, of Sigma = C C'."""
    C = np.zeros((J, J, theta.shape[1]))
    scale, low = np.exp(theta[:J] / 2), J
    for j in range(J):
        C[j, j] = scale[j]
        if j:
            C[j, :j] = np.einsum("kb,klb->lb", theta[low : low + j], C[:j, :j])
        low += j
    return C


def parameters(C: Array) -> Array:
    """Parameters theta (m, B) of the factor C (J, J, B), as `modified_cholesky_parameters`."""
    d = C[np.arange(len(C)), np.arange(len(C))]
    unit = np.moveaxis(C / d, 2, 0)
    T = np.moveaxis(np.linalg.inv(unit), 0, 2)
    return np.concatenate([2 * np.log(d), -T[tuple(tables(len(C)).below)]])


def weigh(batch: Batch, theta: Array) -> Weighed:
    """The batch weighed by the Sigma of theta (m, B)."""
    with np.errstate(all="ignore"):
        C = factor(theta, batch.seen.shape[1])
        omega, logs = _inverses(batch.seen, np.einsum("jlb,klb->jkb", C, C))
        of_cell = omega[batch.j, batch.k, batch.owner]
        root, log_H = inverse_factor(batch.weighted(of_cell[None])[0])
        within = np.einsum("cdb,db->cb", root, np.einsum("xcb,xb->cb", batch.xy, of_cell))
        b = np.einsum("dcb,db->cb", root, within)
        rss = np.einsum("xb,xb->b", batch.yy, of_cell) - (within**2).sum(axis=0)
        n = batch.seen.sum(axis=1) @ batch.counts
        value = (batch.counts * logs).sum(axis=0) + rss
        value += (n - len(b)) * LOG_2PI + log_H if batch.reml else n * LOG_2PI
    return Weighed(C, omega, root, b, np.where(np.isfinite(value), value / 2, np.inf))


def _inverses(seen: Mask, sigma: Array) -> tuple[Array, Array]:
    """Omega (J, J, P, B) of each pattern, zero at visits that it lacks, and log|Sigma| (P, B)."""
    (P, J), B = seen.shape, sigma.shape[2]
    together = (seen.T[:, None] & seen.T[None])[..., None]
    padded = np.where(together, sigma[:, :, None], np.eye(J)[:, :, None, None])
    half, logs = inverse_factor(padded.reshape(J, J, P * B))
    omega = np.einsum("ijb,ikb->jkb", half, half).reshape(J, J, P, B)
    return omega * together, logs.reshape(P, B)


def derivatives(batch: Batch, w: Weighed) -> tuple[Array, Array]:
    """Gradient (m, B) and Hessian (m, m, B) of -l in theta."""
    of = tables(len(w.factor))
    F = np.einsum("jkPb,kub->ujPb", w.omega, w.factor)
    D = _weights(batch, F)
    q = batch.xy - batch.times(w.b)
    M = batch.yy - np.einsum("xcb,cb->xb", batch.xy + q, w.b)
    if batch.reml:
        M += batch.projected(w.phi)
    halves = np.where(of.row == of.column, 1.0, 0.5)[:, None]
    W = np.einsum("jab,ajPb->Pab", w.factor[:, of.row], F[of.column])
    n_W = batch.counts[:, None] * W
    K = np.array([np.einsum("axb,xb->ab", D[:, mine], M[mine]) for mine in _runs(batch.owner)]) * halves
    packed = _traces(of, W, K - n_W / 2)
    R = _reduced(batch, w.root, D, q)
    low = 0
    for a in range(len(R)):
        packed[low : low + a + 1] -= np.einsum("rb,srb->sb", R[a], R[: a + 1])
        low += a + 1
    return _in_theta(of, w.factor, (n_W - K).sum(axis=0)[of.entry] / 2, packed[of.packed])


def _runs(owner: Index) -> list[slice]:
    """The cells of each pattern."""
    ends = [*np.flatnonzero(np.diff(owner)) + 1, len(owner)]
    return [slice(low, high) for low, high in zip([0, *ends[:-1]], ends, strict=True)]


def _weights(batch: Batch, F: Array) -> Array:
    """D_a of each cell (m, c, B), from F (J of C, J of Omega, P, B)."""
    J, _, P, B = F.shape
    of, flat = tables(J), F.reshape(J, J * P, B)
    one, other = flat[:, batch.j * P + batch.owner], flat[:, batch.k * P + batch.owner]
    D = np.empty((len(of.row), len(batch.owner), B))
    for a, (u, v) in enumerate(zip(of.row, of.column, strict=True)):
        np.multiply(one[u], other[v], out=D[a])
        if u != v:
            D[a] += one[v] * other[u]
    return D


def _traces(of: Tables, W: Array, N: Array) -> Array:
    """sum_P tr(E_a W E_b N), symmetrised, of the pairs a >= b; W and N (P, m, B)."""
    pairs = np.einsum("Psb,Ptb->stb", W, N)
    row, column = np.tril_indices(len(pairs))
    both = (pairs[row, column] + pairs[column, row]) / 2
    total: Array = both[of.terms[0]]
    for term in of.terms[1:]:
        total += both[term]
    total *= of.weight
    return total


def _reduced(batch: Batch, root: Array, D: Array, q: Array) -> Array:
    """R (m, r, B) whose inner products R_a'R_b are V_a'Phi V_b (+ tr(Phi H_a Phi H_b) / 2 under REML)."""
    V = np.einsum("axb,xcb->acb", D, q)
    p = len(root)
    rows = [np.einsum("cdb,adb->acb", root, V)]
    if batch.reml:
        H = batch.weighted(D)
        X = np.empty_like(H)
        for c in range(p):
            X[:, c] = np.einsum("db,adeb->aeb", root[c, : c + 1], H[:, : c + 1])
        for e in range(p):
            G = np.einsum("fb,acfb->acb", root[e, : e + 1], X[:, e:, : e + 1])
            G[:, 0] *= np.sqrt(0.5)
            rows.append(G)
    return np.concatenate(rows, axis=1)


def _in_theta(of: Tables, C: Array, Q: Array, hessian: Array) -> tuple[Array, Array]:
    """Gradient and Hessian in theta from Q (J, J, B) and the Hessian (m, m, B) in S."""
    J = len(C)
    index, (j, k) = np.arange(J), of.below
    d = C[index, index]
    scaled = C[:, None] / d[:, None]
    G = 2 * np.einsum("jrb,krb->jkb", Q, C) / d[:, None]
    rows = _chained(of, scaled, hessian)
    full = _chained(of, scaled, rows.swapaxes(0, 1))
    full[index, index] += Q[index, index]
    L = C / d
    sigma = np.einsum("jlb,klb->jkb", C, C)
    mixed = 2 * Q[j] * scaled[k, j]
    full[J:, :J] += mixed
    full[:J, J:] += mixed.swapaxes(0, 1)
    a, b = np.repeat(np.arange(len(j)), len(j)), np.tile(np.arange(len(j)), len(j))
    bend = L[k[b], j[a]] * G[j[b], k[a]] + L[k[a], j[b]] * G[j[a], k[b]]
    unit = 2 * Q / (d[:, None] * d)
    bend += sigma[k[b], k[a]] * unit[j[a], j[b]]
    full[J:, J:] += bend.reshape(len(j), len(j), -1)
    return np.concatenate([Q[index, index], G[j, k]]), full


def _chained(of: Tables, scaled: Array, hessian: Array) -> Array:
    """The first axis carried from S to theta."""
    J = len(scaled)
    index = np.arange(J)
    rows = [hessian[of.entry[index, index]]]
    for j in range(1, J):
        rows.append(np.einsum("klb,lsb->ksb", scaled[:j, j, :j], hessian[of.entry[j, :j]]))
    return np.concatenate(rows)
