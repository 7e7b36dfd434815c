"""What inference needs from a fitted model: covariance of theta, slopes and curvature of X'Omega X."""

from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array, ScaleName, Surface
from easitrace.errors import ParameterError, Problem
from easitrace.models.basis import Basis
from easitrace.models.inference import DfMethod, FixedEffects, checked_method, kenward_roger_covariance
from easitrace.models.likelihood import Weighted, pattern_sums, phi_products, profile, sum_of, trace_products, weigh
from easitrace.models.moments import Moments
from easitrace.models.optimise import Model

KENWARD_ROGER_SCALES: dict[DfMethod, ScaleName] = {
    "kenward-roger": "natural",
    "kenward-roger-linear": "natural",
    "kenward-roger-mmrm": "mmrm",
}


@dataclass(frozen=True)
class Options:
    """How standard errors and degrees of freedom are computed, and the level of intervals."""

    method: DfMethod
    information: Literal["observed", "expected"]
    level: float


def checked_options(df: str, information: str, level: float, reml: bool) -> Options:
    """The options of inference, once each is known to exist."""
    method = checked_method(df)
    if information not in ("observed", "expected"):
        remedy = "choose observed or expected"
        raise ParameterError(Problem("E301", "information", f"{information!r} is unknown", remedy))
    if method in KENWARD_ROGER_SCALES and not reml:
        raise ParameterError(Problem("E301", "df", f"{df} is defined for reml=True"))
    if not 0 < level < 1:
        raise ParameterError(Problem("E301", "level", f"{level} is not between 0 and 1"))
    return Options(method, cast(Literal["observed", "expected"], information), level)


def fixed_effects(moments: Moments, basis: Basis, model: Model, theta: Array, options: Options) -> FixedEffects:
    """Estimates with what their inference needs, in basis coordinates and the outcome's units."""
    sigmas = model.sigmas(theta)
    weighted = [weigh(block, sigma) for block, sigma in zip(model.blocks, sigmas, strict=True)]
    fitted = profile(sum_of([w.A for w in weighted]))
    unit = basis.scale**2
    fixed = fixed_degrees(moments, basis, options.method)
    phi, nothing = unit * fitted.phi, np.zeros((0, 0))
    bare = FixedEffects(
        options.method, basis.target + basis.scale * fitted.b, phi, phi, nothing[None][:0], nothing, fixed
    )
    if fixed.size:
        return bare
    surfaces = inference_surfaces(model, theta, sigmas, options.method)
    expansion = model.expansion(surfaces)
    slopes = expansion.slopes[:, :-1, :-1]
    observed = options.information == "observed"
    hessian = expansion.hessian if observed else expected_information(model, weighted, surfaces, slopes)
    W: Array = np.asarray(np.linalg.inv(hessian), dtype=float)
    adjusted = fitted.phi
    if options.method in KENWARD_ROGER_SCALES:
        bend = curvature(model, weighted, surfaces, W, second=options.method != "kenward-roger-linear")
        adjusted = kenward_roger_covariance(fitted.phi, slopes, W, bend)
    return replace(bare, adjusted=unit * adjusted, slopes=slopes / unit, W=W)


def inference_surfaces(model: Model, theta: Array, sigmas: list[Array], method: DfMethod) -> list[Surface]:
    """Sigma with derivatives in the parameters that the method of degrees of freedom is defined in."""
    if method not in KENWARD_ROGER_SCALES:
        return model.surfaces(theta)
    scale = model.entry.scale(KENWARD_ROGER_SCALES[method])
    return [scale.surface(scale.parameters(sigma, model.times), model.times) for sigma in sigmas]


def expected_information(model: Model, weighted: list[Weighted], surfaces: list[Surface], slopes: Array) -> Array:
    """1/2 tr(P Sigma_a P Sigma_b), P = Omega - Omega X Phi X'Omega; under ML Omega in place of P."""
    phi = profile(sum_of([w.A for w in weighted])).phi
    information = phi_products(phi, slopes) if model.reml else np.zeros((len(slopes), len(slopes)))
    C = np.zeros((len(phi) + 1, len(phi) + 1))
    C[:-1, :-1] = phi
    low = 0
    for block, w, surface in zip(model.blocks, weighted, surfaces, strict=True):
        N = block.counts[:, None, None] * w.omega - (2 * pattern_sums(block, w, C) if model.reml else 0.0)
        high = low + len(surface.first)
        information[low:high, low:high] += trace_products(surface.first, w.omega, N)
        low = high
    return (information + information.T) / 4


def curvature(model: Model, weighted: list[Weighted], surfaces: list[Surface], W: Array, *, second: bool) -> Array:
    """sum_ab W_ab (Q_ab - R_ab / 4), R only when `second`; Q, R as in `inference` (p, p)."""
    p, J, low = weighted[0].rows.shape[2] - 1, len(model.times), 0
    total = np.zeros((p, p))
    for block, w, surface in zip(model.blocks, weighted, surfaces, strict=True):
        high = low + len(surface.first)
        own = W[low:high, low:high]
        flat = surface.first.reshape(-1, J * J)
        pairs = (flat.T @ own @ flat).reshape(J, J, J, J)
        inner = np.einsum("jklm,pkl->pjm", pairs, w.omega, optimize=True)
        if second:
            inner = inner - np.tensordot(own, surface.second, 2) / 4
        rows = w.rows[:, :, :-1]
        total += rows.reshape(-1, p).T @ (inner[block.pattern] @ rows).reshape(-1, p)
        low = high
    return total


def fixed_degrees(moments: Moments, basis: Basis, method: DfMethod) -> Array:
    """Degrees of freedom by coefficient that need no derivative; empty for the other methods.

    Between-within (Schluchter and Elashoff 1990, J Stat Comput Simul 37:69), as in nlme and SAS ddfm=bw: a column that
    changes within patients has N - n - (such columns), another n - (other columns); the intercept counts as within.
    """
    n, p = moments.n_observations, len(basis.kept)
    if method == "residual":
        return np.full(p, float(n - p))
    if method != "between-within":
        return np.zeros(0)
    within = varies_within(moments)[basis.kept]
    intercept = np.array([moments.recipe.columns[c] == "Intercept" for c in basis.kept])
    between_df = moments.n_patients - int((~within).sum())
    within_df = n - moments.n_patients - int(within.sum())
    return np.where(within | intercept, float(within_df), float(between_df))


def varies_within(moments: Moments) -> NDArray[np.bool_]:
    """Which model columns (all of them) take different values at different visits of a patient."""
    patterns, S = moments.patterns, moments.layout.S
    X = np.einsum("rw,jwp->rjp", patterns.factor[:, : S.shape[1]], S, optimize=True)
    seen = patterns.seen[patterns.owner][:, :, None]
    mean = (X * seen).sum(axis=1, keepdims=True) / seen.sum(axis=1, keepdims=True)
    apart = np.abs((X - mean) * seen).max(axis=(0, 1))
    varies: NDArray[np.bool_] = apart > 1e-9 * np.abs(X).max(axis=(0, 1))
    return varies
