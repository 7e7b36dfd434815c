"""The orthonormal basis the likelihood is computed in.

X = Q R with Q'Q = I; y is replaced by its least-squares residual in units of its root mean square s. So neither a
covariate with a large offset nor a large y costs accuracy, and the rank is judged on R, never on a Gram matrix.

    beta = gamma + s R^-1 b,   Sigma = s^2 Sigma_b,   Phi = s^2 R^-1 Phi_b R^-T
    l = l_b - N log s                                        (ML)
    l = l_b - (N - p) log s - log|det R|                     (REML)
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.models.likelihood import Block
from easitrace.models.moments import INTERCEPT, Moments
from easitrace.models.patterns import upper
from easitrace.models.rank import independent_columns

PERFECT_FIT = 1e-11  # residual over outcome, root mean squares


@dataclass(frozen=True)
class Basis:
    """root R (p, p) of the kept columns; target = R gamma (p,); scale s; kept, dropped: indices into all columns.

    dependence (p, d): a dropped column = kept columns @ dependence[:, d].
    """

    root: Array
    target: Array
    scale: float
    kept: NDArray[np.int64]
    dropped: NDArray[np.int64]
    dependence: Array
    perfect: bool

    def without_dropped(self) -> "Basis":
        """The same with the coefficients of dropped columns held at zero, so that nothing depends on them."""
        return replace(self, dropped=self.dropped[:0], dependence=self.dependence[:, :0])

    def coordinates(self, L: Array) -> Array:
        """Contrasts of the kept coefficients (m, p) as contrasts of b."""
        return np.asarray(np.linalg.solve(self.root.T, L.T).T, dtype=float)

    def log_likelihood(self, value: float, n: int, reml: bool) -> float:
        """The log-likelihood of the data from that in the basis."""
        p = len(self.kept)
        if reml:
            return value - (n - p) * float(np.log(self.scale)) - float(np.log(np.abs(np.diag(self.root))).sum())
        return value - n * float(np.log(self.scale))


def to_basis(moments: Moments) -> tuple[Basis, list[Block]]:
    """The basis, and one block of rows z = (Q, residual) per covariance group."""
    J, w, p = moments.layout.S.shape
    patterns = moments.patterns
    seen = patterns.seen[patterns.owner]
    X = np.einsum("rw,jwp->rjp", patterns.factor[:, :w], moments.layout.S, optimize=True) * seen[:, :, None]
    y = patterns.factor[:, w:]
    triangle = upper(np.concatenate([X, y[:, :, None]], axis=2).reshape(-1, p + 1))
    kept, dropped = independent_columns(triangle[:, :p])
    small = upper(triangle[:, [*kept, p]])
    k = len(kept)
    root, target = small[:k, :k], small[:k, k]
    gamma = np.linalg.solve(root, target)
    residual = float(np.abs(small[k:, k]).sum()) if len(small) > k else 0.0
    n = moments.n_observations
    total = float(np.hypot(np.linalg.norm(small[:, k]), moments.center * np.sqrt(n)))
    perfect = residual <= PERFECT_FIT * total or n <= k
    scale = 1.0 if perfect else residual / np.sqrt(n)
    dependence = np.asarray(np.linalg.lstsq(triangle[:, kept], triangle[:, dropped])[0], dtype=float)
    Q = np.linalg.solve(root.T, X[:, :, kept].reshape(-1, k).T).T.reshape(len(y), J, k)
    z = np.concatenate([Q, ((y - X[:, :, kept] @ gamma) / scale)[:, :, None]], axis=2)
    if moments.center:
        target = target + moments.center * root[:, list(kept).index(moments.recipe.columns.index(INTERCEPT))]
    return Basis(root, target, scale, kept, dropped, dependence, perfect), _blocks(moments, z)


def _blocks(moments: Moments, z: Array) -> list[Block]:
    """The rows by covariance group; groups without patients have no block."""
    patterns, by, blocks = moments.patterns, moments.recipe.by, []
    for group in range(len(moments.recipe.levels[by]) if by else 1):
        mine = np.flatnonzero(patterns.group == group)
        rows = np.isin(patterns.owner, mine)
        owner = np.searchsorted(mine, patterns.owner[rows])
        blocks.append(Block(z[rows], owner, patterns.seen[mine], patterns.counts[mine].astype(float)))
    return blocks
