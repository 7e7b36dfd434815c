"""Random draws that are the same bytes on every machine: whole numbers, sums, products and square roots only."""

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
UNIFORMS = 12
STEPS = 2**32


def normal(rng: np.random.Generator, *shape: int) -> Floats:
    """Standard normal to within its far tails: twelve uniforms minus six (Irwin-Hall), shape `shape`."""
    total = rng.integers(0, STEPS, size=(*shape, UNIFORMS)).sum(axis=-1)
    return np.asarray(total / STEPS - UNIFORMS / 2)


def plotting_positions(n: int) -> Floats:
    """Normal scores of the ranks 1 ... n at (rank - 1/2) / n, shape (n,)."""
    standard = NormalDist()
    return np.array([standard.inv_cdf((rank + 0.5) / n) for rank in range(n)])


def shuffled(rng: np.random.Generator, n: int) -> Integers:
    """0 ... n - 1 in random order."""
    return np.argsort(rng.integers(0, STEPS, size=n), kind="stable")
