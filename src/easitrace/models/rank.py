"""Which columns depend on earlier ones: the rank as R's lm judges it."""

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array

RANK_TOLERANCE = 1e-7  # of a column's length


def independent_columns(triangle: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns to keep, and later ones that depend on earlier ones, from the columns or any R factor of them (m, p)."""
    lengths = np.linalg.norm(triangle, axis=0)
    kept = list(np.flatnonzero(lengths > 0))
    while kept:
        unit = triangle[:, kept] / lengths[kept]
        diagonal = np.zeros(len(kept))
        R = np.diag(np.linalg.qr(unit, mode="r"))
        diagonal[: len(R)] = np.abs(R)
        dependent = np.flatnonzero(diagonal < RANK_TOLERANCE)
        if not len(dependent):
            break
        del kept[dependent[0]]
    dropped = np.setdiff1d(np.arange(triangle.shape[1]), kept)
    return np.array(kept, dtype=np.int64), dropped.astype(np.int64)
