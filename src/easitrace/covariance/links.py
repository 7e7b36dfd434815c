"""Scalar maps from a parameter to a standard deviation or a correlation, with derivatives and inverse."""

import numpy as np

from easitrace.covariance.surface import Array, Link


def _log_sd(t: Array) -> tuple[Array, Array, Array]:
    sd = np.exp(t)
    return sd, sd, sd


def _variance(v: Array) -> tuple[Array, Array, Array]:
    sd = np.sqrt(v)
    return sd, 0.5 / sd, -0.25 / (sd * v)


def _tanh(t: Array) -> tuple[Array, Array, Array]:
    rho = np.tanh(t)
    slope = 1 - rho**2
    return rho, slope, -2 * rho * slope


def _ratio(t: Array) -> tuple[Array, Array, Array]:
    root = np.sqrt(1 + t**2)
    return t / root, root**-3, -3 * t * root**-5


def _same(t: Array) -> tuple[Array, Array, Array]:
    return t, np.ones_like(t), np.zeros_like(t)


def equicorrelation_link(size: int) -> Link:
    """The logistic onto (-1/(J-1), 1), where compound symmetry is positive definite."""
    low = 1 / (size - 1)

    def forward(t: Array) -> tuple[Array, Array, Array]:
        share = 1 / (1 + np.exp(-t))
        slope = share * (1 - share) * (1 + low)
        return share * (1 + low) - low, slope, slope * (1 - 2 * share)

    return Link(forward, lambda rho: np.log((rho + low) / (1 - rho)))


LOG_SD = Link(_log_sd, np.log)
VARIANCE = Link(_variance, np.square)
FISHER_Z = Link(_tanh, np.arctanh)
RATIO = Link(_ratio, lambda rho: rho / np.sqrt(1 - rho**2))
IDENTITY = Link(_same, lambda rho: rho)
