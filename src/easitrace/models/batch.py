"""One Newton run for many data sets at once: the unstructured repeated-measures model, data sets along the last axis.

Data set b has the crossproducts of each visit pattern P and visits j <= k of it (a "cell"), x in an orthonormal basis,
e the outcome's least-squares residual, symmetric in j, k and counted for both:

    xx = sum x_ij x_ik' + x_ik x_ij',   xy = sum x_ij e_ik + x_ik e_ij,   yy = 2 sum e_ij e_ik      (half of it, j = k)

The likelihood is that of `likelihood`, its derivatives are taken in local coordinates S (symmetric) at Sigma = L L':

    Sigma(S) = L (I + S/4 + S^2/32)^4 L',   Sigma_a = L E_a L',   Sigma_ab = L (E_a E_b + E_b E_a) L' / 2,

positive definite whatever S, and free of units; L need not be triangular. With F = Omega L, D_a = F E_a F',
M = sum_i z_i C z_i', and, of each pattern, W = L'F, K = F'M F, N = 2 K - n W:

    -2 l_a  = sum_P <E_a, n W - K>,    A_a = -sum_cells D_a z z'
    -2 l_ab = <(E_a E_b + E_b E_a) / 2, sum_P n W - K> + sum_P tr(E_a W E_b N) - 2 V_a'Phi V_b (- tr(Phi H_a Phi H_b)).
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.models.likelihood import LOG_2PI
from easitrace.models.woodbury import inverse_factor

LARGEST_CHANGE = 3.0  # of any entry of S in one step
LEAST_PIVOT = 1e-6  # of the Hessian scaled to a unit diagonal; below it Fisher scoring takes over
TOLERANCE = 1e-12  # Newton decrement, in units of log-likelihood
MAX_ITERATIONS = 60
BLOCK = 256  # data sets evaluated at a time
LARGEST_DAMPING = 1e8


@dataclass(frozen=True)
class Batch:
    """B data sets with the same P patterns and c cells.

    seen (P, J); counts (P, B); owner, j, k (c,) pattern and visits of each cell, pattern after pattern;
    xx (c, p, p) shared, or (c, p, p, B); xy (c, p, B); yy (c, B).
    """

    seen: NDArray[np.bool_]
    counts: Array
    owner: NDArray[np.int64]
    j: NDArray[np.int64]
    k: NDArray[np.int64]
    xx: Array
    xy: Array
    yy: Array
    reml: bool

    def take(self, which: NDArray[np.int64]) -> "Batch":
        """Some of the data sets."""
        xx = self.xx if self.xx.ndim == 3 else self.xx[..., which]
        counts = self.counts[:, which]
        return replace(self, counts=counts, xx=xx, xy=self.xy[..., which], yy=self.yy[..., which])

    def weighted(self, weights: Array) -> Array:
        """Sum over cells of weights (c, a, B) times xx: (p, p, a, B)."""
        c, a, B = weights.shape
        p = self.xx.shape[1]
        if self.xx.ndim == 4:
            return np.asarray(np.einsum("xcdb,xab->cdab", self.xx, weights))
        return np.asarray(self.xx.reshape(c, p * p).T @ weights.reshape(c, a * B)).reshape(p, p, a, B)

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
class State:
    """Where data sets stand: L (J, J, B), -l (B,), b (p, B), Phi (p, p, B), gradient (m, B), Hessian (m, m, B)."""

    L: Array
    value: Array
    b: Array
    phi: Array
    gradient: Array
    hessian: Array

    def take(self, which: NDArray[np.int64]) -> "State":
        """Some of the data sets."""
        return State(*(part[..., which] for part in vars(self).values()))

    def put(self, which: NDArray[np.int64], other: "State") -> None:
        """Overwrite some of the data sets."""
        for mine, new in zip(vars(self).values(), vars(other).values(), strict=True):
            mine[..., which] = new


@dataclass(frozen=True)
class Bases:
    """Symmetric basis matrices of J visits, m = J (J + 1) / 2, and the constants of the Hessian.

    row, column (m,) of their entries; bend (m m, m) of
    <(E_a E_b + E_b E_a) / 2, E_s>, trace (m m, m m) of tr(E_a E_s E_b E_t).
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    bend: Array
    trace: Array


@lru_cache(maxsize=16)
def bases(J: int) -> Bases:
    """The bases of J visits."""
    row, column = np.tril_indices(J)
    m = len(row)
    E = np.zeros((m, J, J))
    E[np.arange(m), row, column] = E[np.arange(m), column, row] = 1
    products = E[:, None] @ E[None]
    bend = np.einsum("abjk,sjk->abs", (products + products.swapaxes(0, 1)) / 2, E).reshape(m * m, m)
    trace = np.einsum("asik,btki->abst", products, products).reshape(m * m, m * m)
    return Bases(row.astype(np.int64), column.astype(np.int64), bend, trace)


def evaluate(batch: Batch, L: Array) -> State:
    """-log-likelihood with derivatives at Sigma = L L'; not a number where Sigma is not positive definite."""
    omega, logs = inverses(batch, L)
    of_cell = omega[batch.j, batch.k, batch.owner]
    H = batch.weighted(of_cell[:, None])[:, :, 0]
    root, log_H = inverse_factor(H)
    g = np.einsum("xcb,xb->cb", batch.xy, of_cell)
    within = np.einsum("cdb,db->cb", root, g)
    b, phi = np.einsum("dcb,db->cb", root, within), np.einsum("ecb,edb->cdb", root, root)
    rss = np.einsum("xb,xb->b", batch.yy, of_cell) - (within**2).sum(axis=0)
    n = batch.seen.sum(axis=1) @ batch.counts
    value = (batch.counts * logs).sum(axis=0) + rss
    value += (n - len(b)) * LOG_2PI + log_H if batch.reml else n * LOG_2PI
    F = np.einsum("jkPb,kub->juPb", omega, L)
    return State(L, value / 2, b, phi, *_derivatives(batch, L, F, b, phi))


def inverses(batch: Batch, L: Array) -> tuple[Array, Array]:
    """Omega (J, J, P, B) of each pattern, zero at visits that it lacks, and log|Sigma| (P, B)."""
    (P, J), B = batch.seen.shape, L.shape[2]
    together = (batch.seen.T[:, None] & batch.seen.T[None])[..., None]
    sigma = np.einsum("jlb,klb->jkb", L, L)[:, :, None]
    half, logs = inverse_factor(np.where(together, sigma, np.eye(J)[:, :, None, None]).reshape(J, J, P * B))
    omega = np.einsum("ijb,ikb->jkb", half, half).reshape(J, J, P, B)
    return omega * together, logs.reshape(P, B)


def information(batch: Batch, L: Array) -> Array:
    """tr(Sigma_a Omega Sigma_b Omega) / 2 in S at 0 (m, m, B): positive definite wherever one stands."""
    of, omega = bases(len(L)), inverses(batch, L)[0]
    W = _whitened(L, np.einsum("jkPb,kub->juPb", omega, L))
    m, B = len(of.row), L.shape[2]
    pairs = np.einsum("Psb,Ptb->stb", W, batch.counts[:, None] * W)
    return np.asarray(of.trace @ pairs.reshape(m * m, B)).reshape(m, m, B) / 2


def _whitened(L: Array, F: Array) -> Array:
    """W = L'F of each pattern, its distinct entries (P, m, B)."""
    of = bases(len(L))
    return np.asarray(np.einsum("jab,jaPb->Pab", L[:, of.row], F[:, of.column]), dtype=float)


def evaluate_in_blocks(batch: Batch, which: NDArray[np.int64], L: Array) -> State:
    """`evaluate` of some of the data sets, as many at a time as fit into a processor's cache."""
    parts = [slice(low, low + BLOCK) for low in range(0, len(which), BLOCK)]
    states = [evaluate(batch.take(which[part]), L[..., part]) for part in parts]
    return State(*(np.concatenate(same, axis=-1) for same in zip(*(vars(s).values() for s in states), strict=True)))


def _derivatives(batch: Batch, L: Array, F: Array, b: Array, phi: Array) -> tuple[Array, Array]:
    """Gradient (m, B) and Hessian (m, m, B) of -l in S at 0."""
    of, B = bases(len(L)), L.shape[2]
    m, diagonal = len(of.row), (of.row == of.column)[:, None]
    q = batch.xy - batch.times(b)
    M = batch.yy - np.einsum("xcb,cb->xb", batch.xy + q, b)
    if batch.reml:
        M += batch.projected(phi)
    one, other = F[batch.j, :, batch.owner], F[batch.k, :, batch.owner]
    D = one[:, of.row] * other[:, of.column]
    D += np.where(diagonal, 0.0, one[:, of.column] * other[:, of.row])
    K = np.add.reduceat(D * M[:, None], np.flatnonzero(np.diff(batch.owner, prepend=-1)), axis=0)
    K *= np.where(diagonal, 1.0, 0.5)
    W = _whitened(L, F)
    n_W = batch.counts[:, None] * W
    pull = (n_W - K).sum(axis=0)
    gradient = np.where(diagonal, 1.0, 2.0) * pull
    hessian = (of.bend @ pull).reshape(m, m, B)
    hessian += (of.trace @ np.einsum("Psb,Ptb->stb", W, 2 * K - n_W).reshape(m * m, B)).reshape(m, m, B)
    V = np.einsum("xab,xcb->cab", D, q)
    hessian -= 2 * np.einsum("cab,csb->asb", np.einsum("cdb,dab->cab", phi, V), V)
    if batch.reml:
        slopes = np.einsum("ceb,edab->cdab", phi, batch.weighted(D))
        hessian -= np.einsum("cdab,dcsb->asb", slopes, slopes)
    return gradient / 2, (hessian + hessian.swapaxes(0, 1)) / 4


def direction(batch: Batch, which: NDArray[np.int64], state: State, damping: Array) -> tuple[Array, Array, Array]:
    """The Newton step (m, B), its decrement (B,) and the least pivot of the Hessian scaled to a unit diagonal.

    `state` and `damping` are those of the data sets `which`. Where the Hessian is not positive definite, the step of
    Fisher scoring, and an infinite decrement.
    """
    step, decrement, least = solve(state.hessian, state.gradient, damping)
    bent = np.flatnonzero(~(least > LEAST_PIVOT))
    if len(bent):
        expected = information(batch.take(which[bent]), state.L[..., bent])
        step[:, bent] = solve(expected, state.gradient[:, bent], damping[bent])[0]
        decrement[bent] = np.inf
    return step, decrement, least


def solve(hessian: Array, gradient: Array, damping: Array) -> tuple[Array, Array, Array]:
    """-(H + damping diag H)^-1 g (m, B), g'H^-1 g (B,) and the least pivot of H scaled to a unit diagonal."""
    m = len(gradient)
    D = 1 / np.sqrt(np.maximum(np.abs(hessian[np.arange(m), np.arange(m)]), 1e-300))
    H = hessian * D[:, None] * D[None]
    H[np.arange(m), np.arange(m)] += damping
    x, pivots = D * gradient, np.empty_like(gradient)
    for k in range(m):
        pivots[k] = H[k, k]
        column = H[k + 1 :, k] / np.where(np.abs(pivots[k]) > LEAST_PIVOT, pivots[k], LEAST_PIVOT)
        H[k + 1 :, k + 1 :] -= column[:, None] * H[k, None, k + 1 :]
        H[k + 1 :, k] = column
        x[k + 1 :] -= column * x[k]
    divisor = np.where(np.abs(pivots) > LEAST_PIVOT, pivots, LEAST_PIVOT)
    decrement = (x**2 / divisor).sum(axis=0)
    x /= divisor
    for k in range(m - 2, -1, -1):
        x[k] -= (H[k + 1 :, k] * x[k + 1 :]).sum(axis=0)
    return -D * x, decrement, pivots.min(axis=0)


def moved(L: Array, step: Array) -> Array:
    """A factor of Sigma(S) (J, J, B) for the entries `step` of S, shortened to the largest change."""
    of = bases(len(L))
    shorter = np.minimum(1.0, LARGEST_CHANGE / np.maximum(np.abs(step).max(axis=0), 1e-300))
    S = np.zeros_like(L)
    S[of.row, of.column] = S[of.column, of.row] = step * shorter / 4
    root = np.eye(len(L))[:, :, None] + S + np.einsum("jlb,lkb->jkb", S, S) / 2
    return np.asarray(np.einsum("jlb,lkb->jkb", np.einsum("jlb,lkb->jkb", L, root), root))


def coordinates(L: Array, other: Array) -> Array:
    """S (m, B) with (I + S) the matrix of other other' seen from L: to first order, where one stands in the other."""
    of = bases(len(L))
    inside = np.moveaxis(np.linalg.solve(np.moveaxis(L, 2, 0), np.moveaxis(other, 2, 0)), 0, 2)
    R = np.einsum("jlb,klb->jkb", inside, inside) - np.eye(len(L))[:, :, None]
    S = R - np.einsum("jlb,lkb->jkb", R, R) / 2
    entries: Array = S[of.row, of.column]
    return entries


@dataclass(frozen=True)
class Ends:
    """Where the runs ended: the states; which are stationary (B,); the least scaled pivot of their Hessians (B,).

    smooth (B,) : every step was a Newton step, and none had to be shortened or taken back.
    """

    state: State
    stationary: NDArray[np.bool_]
    least_pivot: Array
    smooth: NDArray[np.bool_]


def minimise(batch: Batch, L: Array, known: Ends | None = None) -> Ends:
    """Newton runs from Sigma = L L' until the decrement is below 1e-12, each polished by one full step.

    A run that comes into the neighbourhood of its `known` optimum stops there, not stationary, as `newton.minimise`.
    """
    B = L.shape[2]
    state = evaluate_in_blocks(batch, np.arange(B), L)
    active, damping = np.flatnonzero(np.isfinite(state.value)), np.zeros(B)
    stationary, least, smooth = np.zeros(B, dtype=bool), np.zeros(B), np.ones(B, dtype=bool)
    for _ in range(MAX_ITERATIONS):
        if known is not None:
            active = active[~(known.stationary[active] & joined(state.take(active), known.state.take(active)))]
        if not len(active):
            break
        here = state.take(active)
        step, decrement, pivot = direction(batch, active, here, damping[active])
        done = (decrement < TOLERANCE) & (damping[active] == 0)
        trial = evaluate_in_blocks(batch, active, moved(here.L, step))
        noise = np.where(done, 1e-9, 1e-14 * np.maximum(np.abs(here.value), 1.0))
        better = trial.value <= here.value + noise
        state.put(active[better], trial.take(np.flatnonzero(better)))
        damping[active] = np.where(better, _eased(damping[active]), np.maximum(4 * damping[active], 1e-3))
        stationary[active[done]], least[active[done]] = True, pivot[done]
        smooth[active] &= better & (pivot > LEAST_PIVOT) & (np.abs(step).max(axis=0) <= LARGEST_CHANGE)
        active = active[~done & (damping[active] < LARGEST_DAMPING)]
    return Ends(state, stationary, least, smooth)


def _eased(damping: Array) -> Array:
    return np.where(damping > 1e-3, damping / 16, 0.0)


def joined(state: State, known: State) -> NDArray[np.bool_]:
    """Whether a state lies in the quadratic neighbourhood of the known optimum, at the height expected there."""
    S = coordinates(known.L, state.L)
    height = (S * np.einsum("acb,cb->ab", known.hessian, S)).sum(axis=0) / 2
    above = state.value - known.value - height
    near: NDArray[np.bool_] = (height >= 0) & (height < 1e-2) & (np.abs(above) < 0.1 * height + 1e-9)
    return near
