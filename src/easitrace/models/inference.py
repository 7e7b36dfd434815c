"""Standard errors, degrees of freedom and tests of fixed effects, whatever the model they come from.

The model hands over beta, Phi = (X'Omega X)^-1, the slopes H_a = d(X'Omega X)/dtheta_a, W = covariance of theta and,
for Kenward-Roger, the curvature sum_ab W_ab (Q_ab - R_ab / 4) with
    Q_ab = X'Omega Sigma_a Omega Sigma_b Omega X,   R_ab = X'Omega Sigma_ab Omega X.

Satterthwaite (Fai and Cornelius 1996, J Stat Comput Simul 54:363): df = 2 v^2 / (d' W d), v = l'Phi l, d = dv/dtheta.
Kenward-Roger (1997, Biometrics 53:983): Phi_A = Phi + 2 Phi (curvature - sum_ab W_ab H_a Phi H_b) Phi; without R_ab
it is free of the parametrisation (2009, Comput Stat Data Anal 53:2583), and the same where Sigma is linear in theta.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from scipy.special import fdtrc, stdtr, stdtrit

from easitrace.covariance import Array
from easitrace.errors import ParameterError, Problem
from easitrace.models.rank import independent_columns

DfMethod = Literal[
    "satterthwaite", "kenward-roger", "kenward-roger-linear", "kenward-roger-mmrm", "between-within", "residual"
]
RANK_TOLERANCE = 1e-8


@dataclass(frozen=True)
class FixedEffects:
    """What inference about the fixed effects needs, in any coordinates of beta.

    beta (p,); phi (p, p) unadjusted; adjusted (p, p) what standard errors come from; slopes (q, p, p) H_a; W (q, q);
    fixed_df (p,) for "between-within" and "residual", in the coordinates of the coefficients, else empty.
    """

    method: DfMethod
    beta: Array
    phi: Array
    adjusted: Array
    slopes: Array
    W: Array
    fixed_df: Array


class Estimates(NamedTuple):
    """Contrasts estimated one at a time: each (m,)."""

    estimate: Array
    se: Array
    df: Array
    statistic: Array
    p: Array
    lower: Array
    upper: Array


class FTest(NamedTuple):
    """A joint test of the rows of L: df1 is the rank of L."""

    df1: int
    df2: float
    f: float
    p: float


def checked_method(name: str) -> DfMethod:
    """The method called `name`; ParameterError names those there are."""
    for method in get_args(DfMethod):
        if method == name:
            return method  # type: ignore[no-any-return]
    raise ParameterError(
        Problem("E301", "df", f"{name!r} is unknown", f"choose one of {', '.join(get_args(DfMethod))}")
    )


def kenward_roger_covariance(phi: Array, slopes: Array, W: Array, curvature: Array) -> Array:
    """Phi_A (p, p)."""
    weighted = np.tensordot(W, slopes, 1)
    outer = np.sum(slopes @ phi @ weighted, axis=0)
    adjusted: Array = phi + 2 * phi @ (curvature - outer) @ phi
    return (adjusted + adjusted.T) / 2


def estimates(effects: FixedEffects, L: Array, original: Array, level: float) -> Estimates:
    """Estimates of L @ beta (m, p); `original` is L in the coordinates of the coefficients.

    Where the data hardly carry a contrast Kenward and Roger's adjustment can leave no positive variance: its standard
    error, and all that follows from it, is missing then.
    """
    value = L @ effects.beta
    variance = np.einsum("mp,pq,mq->m", L, effects.adjusted, L)
    se = np.sqrt(np.where(variance > 0, variance, np.nan))
    df = degrees_of_freedom(effects, L, original)
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = value / se
        p = 2 * stdtr(df, -np.abs(statistic))
        half = stdtrit(df, (1 + level) / 2) * se
    return Estimates(value, se, df, statistic, p, value - half, value + half)


def degrees_of_freedom(effects: FixedEffects, L: Array, original: Array) -> Array:
    """Degrees of freedom of each row of L; for one contrast Kenward-Roger's are Satterthwaite's."""
    if effects.fixed_df.size:
        used = np.abs(original) > RANK_TOLERANCE * np.abs(original).max(axis=1, keepdims=True)
        smallest: Array = np.where(used, effects.fixed_df, np.inf).min(axis=1)
        return smallest
    pulled = L @ effects.phi
    variance = np.einsum("mp,mp->m", pulled, L)
    slopes = -np.einsum("mp,apq,mq->ma", pulled, effects.slopes, pulled, optimize=True)
    df: Array = 2 * variance**2 / np.einsum("ma,ab,mb->m", slopes, effects.W, slopes)
    return df


def f_test(effects: FixedEffects, L: Array, original: Array) -> FTest:
    """Joint F test that L @ beta = 0; rows of L that depend on earlier ones are left out first.

    With more than one row, Satterthwaite's df depends a little on the choice of rows that span the same hypothesis.
    """
    kept, _ = independent_columns(np.linalg.cholesky(effects.phi).T @ L.T)
    L, original, rank = L[kept], original[kept], len(kept)
    if rank == 0:
        return FTest(0, np.nan, np.nan, np.nan)
    value = L @ effects.beta
    spread = np.linalg.eigh(L @ effects.adjusted @ L.T)
    f = float(np.sum((spread.eigenvectors.T @ value) ** 2 / spread.eigenvalues)) / rank
    if effects.fixed_df.size:
        df2, factor = float(degrees_of_freedom(effects, original, original).min()), 1.0
    elif effects.method == "satterthwaite":
        df2, factor = _satterthwaite_df2(effects, L), 1.0
    else:
        df2, factor = _kenward_roger_df2(effects, L)
    return FTest(rank, df2, factor * f, float(fdtrc(rank, df2, factor * f)))


def _satterthwaite_df2(effects: FixedEffects, L: Array) -> float:
    """Denominator df of Fai and Cornelius: 2E / (E - m), E = sum nu / (nu - 2) over orthogonal contrasts' df nu."""
    vectors = np.linalg.eigh(L @ effects.phi @ L.T).eigenvectors
    nu = degrees_of_freedom(effects, vectors.T @ L, L)
    if len(nu) == 1:
        return float(nu[0])
    if np.ptp(nu) < 1e-8 * nu.mean():
        return float(nu.mean())
    if (nu <= 2).any():
        return 2.0
    E = float(np.sum(nu / (nu - 2)))
    return 2 * E / (E - len(nu))


def _kenward_roger_df2(effects: FixedEffects, L: Array) -> tuple[float, float]:
    """Denominator df m and scale factor lambda of Kenward and Roger (1997, section 3)."""
    m = len(L)
    if m == 1:
        return float(degrees_of_freedom(effects, L, L)[0]), 1.0
    phi, W = effects.phi, effects.W
    theta = L.T @ np.linalg.solve(L @ phi @ L.T, L)
    inner = theta @ phi @ effects.slopes @ phi
    traces = np.trace(inner, axis1=1, axis2=2)
    A1 = float(traces @ W @ traces)
    A2 = float(np.sum(W * np.einsum("aij,bji->ab", inner, inner, optimize=True)))
    B = (A1 + 6 * A2) / (2 * m)
    g = ((m + 1) * A1 - (m + 4) * A2) / ((m + 2) * A2)
    c = np.array([g, m - g, m + 2 - g]) / (3 * m + 2 * (1 - g))
    E = 1 / (1 - A2 / m)
    V = 2 / m * (1 + c[0] * B) / ((1 - c[1] * B) ** 2 * (1 - c[2] * B))
    df2 = 4 + (m + 2) / (m * V / (2 * E**2) - 1)
    return float(df2), float(df2 / (E * (df2 - 2)))
