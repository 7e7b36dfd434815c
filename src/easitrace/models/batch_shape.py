"""Second-order expansions of many functions at once, as `newton.Quadratic`: steps, decrements, least eigenvalues.

With D = |diag H|^-1/2 the step is -D (|D H D| + damping)^-1 D g, |.| by absolute eigenvalues above a floor. Where D H D
is positive definite beyond doubt this is one triangular solution; eigenvalues are computed elsewhere only.
"""

from dataclasses import dataclass

import numpy as np

from easitrace.covariance import Array
from easitrace.models.batch import Index, some
from easitrace.models.newton import EIGENVALUE_FLOOR, NO_INFORMATION


@dataclass(frozen=True)
class Shapes:
    """Of each data set D (m, B), D H D (m, m, B), D g (m, B), the undamped step in units of D (m, B), the decrement.

    least (B,) : smallest eigenvalue of D H D, or a lower bound of it that is above the floor;
    curvature (m, B), vectors (m, m, B) : absolute eigenvalues above the floor, where `least` is not above it.
    """

    D: Array
    scaled: Array
    gradient: Array
    newton: Array
    decrement: Array
    least: Array
    curvature: Array
    vectors: Array

    def update(self, which: Index, gradient: Array, hessian: Array) -> None:
        """Expand anew with gradient (m, .) and Hessian (m, m, .)."""
        m = len(gradient)
        size = np.abs(hessian[np.arange(m), np.arange(m)])
        D = 1 / np.sqrt(np.maximum(size, NO_INFORMATION * size.max(axis=0, initial=1e-300)))
        scaled, along = hessian * D[:, None] * D, D * gradient
        newton, decrement, pivots = solved(scaled.copy(), along)
        with np.errstate(all="ignore"):
            bound = least_eigenvalue(pivots.prod(axis=0), m)
        least = np.where(pivots.min(axis=0) > 0, bound, -np.inf)
        self.D[:, which], self.scaled[..., which], self.gradient[:, which] = D, scaled, along
        self.newton[:, which], self.decrement[which], self.least[which] = newton, decrement, least
        bent = ~(least > EIGENVALUE_FLOOR)
        if bent.any():
            self._decompose(which[bent])

    def _decompose(self, bent: Index) -> None:
        values, vectors = np.linalg.eigh(np.moveaxis(some(self.scaled, bent), 2, 0))
        curvature = np.maximum(np.abs(values), EIGENVALUE_FLOOR).T
        self.least[bent], self.curvature[:, bent] = values[:, 0], curvature
        self.vectors[..., bent] = np.moveaxis(vectors, 0, 2)
        self.decrement[bent] = (self._along(bent) ** 2 / curvature).sum(axis=0)

    def _along(self, bent: Index) -> Array:
        return np.asarray(np.einsum("kib,kb->ib", some(self.vectors, bent), some(self.gradient, bent)))

    def step(self, which: Index, damping: Array) -> Array:
        """The steps (m, .) of some of the data sets, damped (.,)."""
        x, m = some(self.newton, which), len(self.D)
        bent, damped = ~(self.least[which] > EIGENVALUE_FLOOR), damping > 0
        if bent.any():
            mine = which[bent]
            part = self._along(mine) / (some(self.curvature, mine) + damping[bent])
            x[:, bent] = np.einsum("kib,ib->kb", some(self.vectors, mine), part)
        damped &= ~bent
        if damped.any():
            H = some(self.scaled, which[damped])
            H[np.arange(m), np.arange(m)] += damping[damped]
            x[:, damped] = solved(H, some(self.gradient, which[damped]))[0]
        return np.asarray(-some(self.D, which) * x)


def least_eigenvalue(determinant: Array, m: int) -> Array:
    """A lower bound of the least of m eigenvalues, all above 0 with sum at most m.

    The product of the others is at most (m / (m - 1))^(m - 1), as their geometric mean is at most the arithmetic one.
    """
    return determinant * ((m - 1) / m) ** (m - 1)


def no_shapes(m: int, B: int) -> Shapes:
    """Room for B data sets of m parameters."""
    shapes = [(m,), (m, m), (m,), (m,), (), (), (m,), (m, m)]
    return Shapes(*(np.full((*shape, B), np.nan) for shape in shapes))


def solved(H: Array, x: Array) -> tuple[Array, Array, Array]:
    """H^-1 x (m, B), x'H^-1 x (B,) and the pivots (m, B) of positive definite H (m, m, B), which is overwritten."""
    m, x, pivots = len(x), x.copy(), np.empty_like(x)
    with np.errstate(all="ignore"):
        for k in range(m):
            pivots[k] = H[k, k]
            column = H[k + 1 :, k] / pivots[k]
            H[k + 1 :, k + 1 :] -= column[:, None] * H[k + 1 :, k]
            x[k + 1 :] -= column * x[k]
            H[k + 1 :, k] = column
        decrement = (x**2 / pivots).sum(axis=0)
        x /= pivots
        for k in range(m - 2, -1, -1):
            x[k] -= (H[k + 1 :, k] * x[k + 1 :]).sum(axis=0)
    return x, decrement, pivots
