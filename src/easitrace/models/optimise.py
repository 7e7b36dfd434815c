"""From several starts to the best optimum of the likelihood of one covariance structure."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from easitrace.covariance import Array, ScaleName, Structure, Surface, start
from easitrace.models.likelihood import Block, Expansion, Weighted, expand, negative_log_likelihood, weigh
from easitrace.models.newton import Local, Run, minimise

FEW_PATIENTS = 50  # below this four starts, else two
SINGULAR_CORRELATION = 1e-8  # smallest eigenvalue of the correlation matrix
SINGULAR_SD = 1e-5  # smallest over largest standard deviation
LEAST_START_EIGENVALUE = 0.05  # of the correlation matrix


@dataclass(frozen=True)
class Model:
    """The likelihood of one structure in one basis, as functions of the stacked parameters of all groups."""

    blocks: list[Block]
    entry: Structure
    times: Array
    reml: bool

    def surfaces(self, theta: Array, scale: ScaleName = "working") -> list[Surface]:
        """Sigma of each group with derivatives."""
        parts = np.split(theta, len(self.blocks))
        return [self.entry.scale(scale).surface(part, self.times) for part in parts]

    def sigmas(self, theta: Array) -> list[Array]:
        """Sigma of each group."""
        scale = self.entry.scale("working")
        return [scale.value(part, self.times) for part in np.split(theta, len(self.blocks))]

    def weigh(self, sigmas: list[Array]) -> list[Weighted]:
        """The blocks weighted by the groups' Sigma."""
        return [weigh(block, sigma) for block, sigma in zip(self.blocks, sigmas, strict=True)]

    def value(self, theta: Array) -> float:
        """-log-likelihood; infinite where Sigma is not positive definite."""
        return objective(self)[0](theta)

    def local(self, theta: Array) -> Local:
        """-log-likelihood with gradient and Hessian in the working parameters."""
        return objective(self)[1](theta)

    def expansion(self, surfaces: list[Surface]) -> Expansion:
        """The same, with the slopes of X'Omega X, in the parameters of `surfaces`."""
        return expand(self.blocks, self.weigh([surface.value for surface in surfaces]), surfaces, self.reml)

    def degenerate(self, theta: Array) -> bool:
        """Whether a group's Sigma is singular to working accuracy."""
        return any(singularity(sigma) for sigma in self.sigmas(theta))


def singularity(sigma: Array) -> str:
    """Why Sigma counts as singular: "sd", "correlation", or "" when it does not."""
    sd = np.sqrt(np.diag(sigma))
    if not np.isfinite(sd).all() or sd.min() < SINGULAR_SD * sd.max():
        return "sd"
    return "correlation" if np.linalg.eigvalsh(sigma / np.outer(sd, sd))[0] < SINGULAR_CORRELATION else ""


def objective(model: Model) -> tuple[Callable[[Array], float], Callable[[Array], Local]]:
    """-log-likelihood, and the same with derivatives, as functions that share the work at the last point."""

    @lru_cache(maxsize=1)
    def weighed(theta: bytes) -> list[Weighted]:
        return model.weigh(model.sigmas(np.frombuffer(theta)))

    def value(theta: Array) -> float:
        try:
            with np.errstate(over="raise", divide="raise", invalid="raise"):
                return negative_log_likelihood(model.blocks, weighed(theta.tobytes()), model.reml)
        except (np.linalg.LinAlgError, FloatingPointError):
            return np.inf

    def local(theta: Array) -> Local:
        found = expand(model.blocks, weighed(theta.tobytes()), model.surfaces(theta), model.reml)
        return Local(found.value, found.gradient, found.hessian)

    return value, local


def optimise(model: Model, n_patients: int) -> tuple[tuple[Run, ...], int]:
    """Every start's run, and the index of the one with the highest likelihood."""
    runs: list[Run] = []
    value, local = objective(model)
    for theta in starts(model, n_patients):
        if np.isfinite(value(theta)):
            found = [run for run in runs if run.end == "stationary"]
            known = min(found, key=lambda run: run.local.value) if found else None
            runs.append(minimise(value, local, theta, model.degenerate, known))
    heights = [np.inf if run.end == "joined" else run.local.value for run in runs]
    return tuple(runs), int(np.argmin(heights))


def starts(model: Model, n_patients: int) -> list[Array]:
    """Pooled residual covariance; its SD with half the correlations; for few patients equicorrelation 0.5, identity."""
    per_group = [_start_matrices(residual_covariance(block)) for block in model.blocks]
    count = 4 if n_patients < FEW_PATIENTS else 2
    return [np.concatenate([start(model.entry, S[k], model.times) for S in per_group]) for k in range(count)]


def residual_covariance(block: Block) -> Array:
    """Available-case covariance of the least-squares residuals; visits without data borrow the mean, pairs zero."""
    e, J = block.z[:, :, -1], block.seen.shape[1]
    counts = np.einsum("p,pj,pk->jk", block.counts, block.seen, block.seen)
    S: Array = (e.T @ e) / np.maximum(counts, 1)
    overall = float(np.trace(e.T @ e)) / max(float(np.trace(counts)), 1.0)
    variances = np.where(np.diag(counts) > 1, np.diag(S), overall)
    S[np.arange(J), np.arange(J)] = np.maximum(variances, 1e-4 * max(overall, 1e-8))
    return S


def _start_matrices(S: Array) -> list[Array]:
    sd = np.sqrt(np.diag(S))
    scale, one = np.outer(sd, sd), np.eye(len(S))
    R = np.clip(S / scale, -1, 1)
    values, vectors = np.linalg.eigh(R)
    lifted = (vectors * np.maximum(values, LEAST_START_EIGENVALUE)) @ vectors.T
    unit = np.sqrt(np.diag(lifted))
    R = lifted / np.outer(unit, unit)
    return [scale * R, scale * (R + one) / 2, scale * (one + 1) / 2, scale * one]
