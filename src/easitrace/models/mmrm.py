"""The mixed model for repeated measures: from formula and data to a `Fit`.

y_i = X_i beta + e_i, e_i ~ N(0, Sigma(theta)) at the visits seen, Sigma by structure and, on demand, by group.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from easitrace.covariance import Array, ScaleName, Structure, Surface, structure
from easitrace.errors import NotEstimableError, ParameterError, Problem
from easitrace.models.basis import Basis, to_basis
from easitrace.models.fit import Fit, Optimum, Status
from easitrace.models.gate import explain_perfect, judge
from easitrace.models.inference import DfMethod, FixedEffects, checked_method, kenward_roger_covariance
from easitrace.models.likelihood import (
    Weighted,
    pattern_sums,
    phi_products,
    profile,
    sum_of,
    trace_products,
    weigh,
)
from easitrace.models.moments import Moments, collect
from easitrace.models.optimise import Model, optimise

FALLBACK = ("us", "toeph", "ar1h", "csh", "cs")
SMALL_DF = 1.0
_SCALES: dict[DfMethod, ScaleName] = {
    "kenward-roger": "natural",
    "kenward-roger-linear": "natural",
    "kenward-roger-mmrm": "mmrm",
}


def fit_mmrm(
    formula: str | None = None,
    data: Any = None,
    *,
    patient: str | None = None,
    visit: str | None = None,
    covariance: str = "us",
    by: str | None = None,
    reml: bool = True,
    df: str = "satterthwaite",
    information: str = "observed",
    moments: Moments | None = None,
    times: Sequence[float] | None = None,
    fallback: bool = False,
    level: float = 0.95,
) -> Fit:
    """Fit a mixed model for repeated measures.

    Parameters
    ----------
    formula, data, patient, visit, by : as `collect`; not given when `moments` is.
    covariance : name of the structure, see `easitrace.covariance.STRUCTURES`; one matrix per level of `by`.
    reml : restricted maximum likelihood, else maximum likelihood.
    df : "satterthwaite"; "kenward-roger" (second derivatives in natural parameters: SAS ddfm=kr);
        "kenward-roger-linear" (without them: SAS ddfm=kr(linear)); "kenward-roger-mmrm" (in the parameters of R package
        mmrm, for comparison only); "between-within"; "residual".
    information : "observed" or "expected", whose inverse is the covariance of theta.
    moments : sufficient statistics from `collect`, instead of formula and data.
    times : visit times (J,), for the random slope; by default the visits themselves, as numbers.
    fallback : when the structure cannot be fitted, try the next of us, toeph, ar1h, csh, cs; recorded in `tried`.
    level : confidence level of the table of coefficients.

    Returns
    -------
    Fit, whatever its `status`; degrees of freedom and P only when that is "converged".

    Raises
    ------
    DataError : the data cannot be used as they are. ParameterError : an option that does not exist.
    NotEstimableError : fewer than two visits.
    """
    method = _checked(df, information, reml, level)
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        moments = moments or _collected(formula, data, patient, visit, by)
        basis, blocks = to_basis(moments)
        chain = FALLBACK[FALLBACK.index(covariance) :] if fallback and covariance in FALLBACK else (covariance,)
        tried: list[tuple[str, Status]] = []
        for name in chain:
            entry = structure(name)
            model = Model(blocks, entry, visit_times(moments, entry, times), reml)
            fit = _fit(moments, basis, model, method, information, level)
            if fit.status == "converged" or name == chain[-1]:
                break
            tried.append((name, fit.status))
    return replace(fit, tried=tuple(tried), message=_with_tried(fit.message, tried))


def _checked(df: str, information: str, reml: bool, level: float) -> DfMethod:
    """The df method, once every option is known to be one."""
    method = checked_method(df)
    if information not in ("observed", "expected"):
        raise ParameterError(
            Problem("E301", "information", f"{information!r} is unknown", "choose observed or expected")
        )
    if method in _SCALES and not reml:
        raise ParameterError(Problem("E301", "df", f"{df} is defined for reml=True"))
    if not 0 < level < 1:
        raise ParameterError(Problem("E301", "level", f"{level} is not between 0 and 1"))
    return method


def _collected(formula: str | None, data: Any, patient: str | None, visit: str | None, by: str | None) -> Moments:
    if formula is None or data is None or patient is None or visit is None:
        raise ParameterError(Problem("E301", "fit_mmrm", "needs formula, data, patient and visit, or moments"))
    return collect(formula, data, patient=patient, visit=visit, by=by)


def _with_tried(message: str, tried: Sequence[tuple[str, Status]]) -> str:
    earlier = "; ".join(f"{name} {status}" for name, status in tried)
    return "; ".join(part for part in (message, f"tried before: {earlier}" if tried else "") if part)


def visit_times(moments: Moments, entry: Structure, times: Sequence[float] | None) -> Array:
    """Times (J,) of the visits, as numbers; their order when the structure does not use them."""
    visits = moments.recipe.visits
    if len(visits) < 2:
        what = "has one visit; repeated measures need two"
        raise NotEstimableError(Problem("E320", f"column {moments.recipe.visit}", what))
    if times is not None:
        if len(times) != len(visits):
            raise ParameterError(Problem("E301", "times", f"{len(times)} times for {len(visits)} visits"))
        return np.asarray(times, dtype=float)
    if not entry.needs_times:
        return np.arange(len(visits), dtype=float)
    try:
        return np.asarray([float(v) for v in visits])
    except ValueError as error:
        raise ParameterError(Problem("E301", "times", "visits are not numbers", "give times=")) from error


def _fit(moments: Moments, basis: Basis, model: Model, method: DfMethod, information: str, level: float) -> Fit:
    """One structure, from starts to result."""
    if basis.perfect:
        return _result(
            moments, basis, model, method, information, level, None, "not started", explain_perfect(moments, basis)
        )
    runs, best = optimise(model, moments.n_patients)
    sigmas = model.sigmas(runs[best].theta)
    optimum, status, message = judge(moments, runs, best, basis.scale, sigmas)
    return _result(moments, basis, model, method, information, level, optimum, status, message)


def _result(
    moments: Moments,
    basis: Basis,
    model: Model,
    method: DfMethod,
    information: str,
    level: float,
    optimum: Optimum | None,
    status: Status,
    message: str,
) -> Fit:
    """The frozen result."""
    recipe, n, p = moments.recipe, moments.n_observations, len(basis.kept)
    log_likelihood, sigmas, effects = np.nan, [], None
    if optimum is not None:
        log_likelihood = basis.log_likelihood(-optimum.runs[optimum.best].local.value, n, model.reml)
        sigmas = model.sigmas(optimum.theta)
        effects = fixed_effects(moments, basis, model, optimum.theta, sigmas, method, information, status)
    parameters = len(model.blocks) * model.entry.count(len(recipe.visits)) + (0 if model.reml else p)
    own = [basis.scale**2 * sigma for sigma in sigmas] or [np.full((len(recipe.visits),) * 2, np.nan)] * len(
        model.blocks
    )
    inverse = np.linalg.inv(basis.root)
    fit = Fit(
        formula=recipe.formula,
        structure=model.entry.name,
        by=recipe.by,
        reml=model.reml,
        df=method,
        information=information,
        level=level,
        coefficients=pd.DataFrame(),
        log_likelihood=log_likelihood,
        aic=-2 * log_likelihood + 2 * parameters,
        bic=-2 * log_likelihood + float(np.log(moments.n_patients)) * parameters,
        covariance=dict(zip(recipe.levels[recipe.by], own, strict=True)) if recipe.by else own[0],
        beta_covariance=inverse @ effects.adjusted @ inverse.T if effects else np.full((p, p), np.nan),
        visits=recipe.visits,
        n_patients=moments.n_patients,
        n_observations=n,
        status=status,
        message=message,
        optimum=optimum,
        dropped_rows=moments.dropped,
        dropped_terms=tuple(recipe.columns[c] for c in basis.dropped),
        recipe=recipe,
        basis=basis,
        effects=effects,
        covariate_means=moments.covariate_means,
        cells=moments.cells,
    )
    table = fit.estimate(np.eye(len(recipe.columns)), level)
    coefficients = pd.DataFrame({"term": recipe.columns, **table._asdict()})
    return replace(fit, coefficients=coefficients, message=_with_warnings(fit, coefficients))


def _with_warnings(fit: Fit, coefficients: pd.DataFrame) -> str:
    """The message with what a reader must know: terms and rows left out, df below 1."""
    parts = [fit.message] if fit.message else []
    if fit.dropped_terms:
        parts.append(f"collinear with earlier columns, left out: {', '.join(fit.dropped_terms)}")
    if fit.dropped_rows:
        parts.append("rows left out for a missing value: " + ", ".join(f"{k} {v}" for k, v in fit.dropped_rows.items()))
    few = coefficients["term"][coefficients["df"] < SMALL_DF]
    if len(few):
        parts.append(f"degrees of freedom below 1: {', '.join(few)}")
    return "; ".join(parts)


def fixed_effects(
    moments: Moments,
    basis: Basis,
    model: Model,
    theta: Array,
    sigmas: list[Array],
    method: DfMethod,
    information: str,
    status: Status,
) -> FixedEffects:
    """What inference needs, in basis coordinates and the outcome's units."""
    weighted = [weigh(block, sigma) for block, sigma in zip(model.blocks, sigmas, strict=True)]
    fitted = profile(sum_of([w.A for w in weighted]))
    beta = basis.target + basis.scale * fitted.b
    fixed = _fixed_df(moments, basis, method)
    phi = basis.scale**2 * fitted.phi
    none = FixedEffects(method, beta, phi, phi, np.zeros((0, *phi.shape)), np.zeros((0, 0)), fixed)
    if status != "converged" or fixed.size:
        return none
    surfaces = _surfaces(model, theta, sigmas, method)
    expansion = model.expansion(surfaces)
    slopes = expansion.slopes[:, :-1, :-1]
    hessian = (
        expansion.hessian if information == "observed" else expected_information(model, weighted, surfaces, slopes)
    )
    W = np.linalg.inv(hessian)
    adjusted = fitted.phi
    if method in _SCALES:
        bend = curvature(model, weighted, surfaces, W, second=method != "kenward-roger-linear")
        adjusted = kenward_roger_covariance(fitted.phi, slopes, W, bend)
    return replace(none, adjusted=basis.scale**2 * adjusted, slopes=slopes / basis.scale**2, W=W)


def _surfaces(model: Model, theta: Array, sigmas: list[Array], method: DfMethod) -> list[Surface]:
    """Sigma with derivatives in the parameters that the method of degrees of freedom is defined in."""
    if method not in _SCALES:
        return model.surfaces(theta)
    scale = model.entry.scale(_SCALES[method])
    return [scale.surface(scale.parameters(sigma, model.times), model.times) for sigma in sigmas]


def expected_information(model: Model, weighted: list[Weighted], surfaces: list[Surface], slopes: Array) -> Array:
    """1/2 tr(P Sigma_a P Sigma_b) under REML (P the projected weights), 1/2 tr(Omega Sigma_a Omega Sigma_b) under ML."""
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


def curvature(model: Model, weighted: list[Weighted], surfaces: list[Surface], W: Array, second: bool) -> Array:
    """sum_ab W_ab (Q_ab - R_ab / 4), R only when `second`; Q, R as in `inference` (p, p)."""
    total, low = 0.0, 0
    for block, w, surface in zip(model.blocks, weighted, surfaces, strict=True):
        high, J = low + len(surface.first), len(model.times)
        own = W[low:high, low:high]
        flat = surface.first.reshape(-1, J * J)
        pairs = (flat.T @ own @ flat).reshape(J, J, J, J)
        inner = np.einsum("jklm,pkl->pjm", pairs, w.omega, optimize=True)
        if second:
            inner = inner - np.tensordot(own, surface.second, 2) / 4
        rows = w.rows[:, :, :-1]
        total = total + np.einsum("rjx,rjy->xy", rows, inner[block.pattern] @ rows, optimize=True)
        low = high
    return np.asarray(total)


def _fixed_df(moments: Moments, basis: Basis, method: DfMethod) -> Array:
    """Degrees of freedom by coefficient that need no derivative; empty for the other methods."""
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
    seen = moments.seen[moments.pattern]
    w = moments.layout.S.shape[1]
    X = np.einsum("rw,jwp->rjp", moments.factor[:, :w], moments.layout.S, optimize=True)
    count = seen.sum(axis=1, keepdims=True)
    mean = (X * seen[:, :, None]).sum(axis=1) / count
    apart = np.abs((X - mean[:, None]) * seen[:, :, None]).max(axis=(0, 1))
    varies: NDArray[np.bool_] = apart > 1e-9 * np.abs(X).max(axis=(0, 1))
    return varies
