"""Matrix-valued functions of parameters with exact derivatives, and how they are put together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Surface(NamedTuple):
    """A matrix-valued function of q parameters with its exact derivatives."""

    value: Array
    first: Array
    second: Array


class Link(NamedTuple):
    """A scalar map parameter -> quantity with derivatives, and its inverse."""

    forward: Callable[[Array], tuple[Array, Array, Array]]
    inverse: Callable[[Array], Array]


@dataclass(frozen=True)
class Scale:
    """One set of parameters: theta -> Sigma, and Sigma -> theta (a projection when Sigma is outside the structure)."""

    surface: Callable[[Array, Array], Surface]
    parameters: Callable[[Array, Array], Array]
    sigma: Callable[[Array, Array], Array] | None = None

    def value(self, theta: Array, times: Array) -> Array:
        """Sigma (J, J) alone, by the short way `sigma` where there is one."""
        return self.sigma(theta, times) if self.sigma else self.surface(theta, times).value


def no_curvature(q: int, size: int) -> Array:
    return np.zeros((q, q, size, size))


def chain(outer: Surface, first: Array, second: Array) -> Surface:
    """Derivatives with respect to t where each quantity is a scalar function of its own t_a."""
    twice = outer.second * np.multiply.outer(first, first)[..., None, None]
    index = np.arange(len(first))
    twice[index, index] += second[:, None, None] * outer.first
    return Surface(outer.value, outer.first * first[:, None, None], twice)


def elementwise_product(V: Surface, R: Surface) -> Surface:
    """V o R for two functions of separate parameters (product rule)."""
    cross = V.first[:, None] * R.first[None, :]
    first = np.concatenate([V.first * R.value, V.value * R.first])
    second = np.concatenate(
        [
            np.concatenate([V.second * R.value, cross], axis=1),
            np.concatenate([cross.swapaxes(0, 1), V.value * R.second], axis=1),
        ]
    )
    return Surface(V.value * R.value, first, second)


def lags(size: int) -> NDArray[np.int64]:
    return np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
