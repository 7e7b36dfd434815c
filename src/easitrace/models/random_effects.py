"""The linear mixed model with random effects at each patient's own days: from two formulas and data to a result.

y_ij = x_ij'beta + z_ij'u_i + e_ij,   u_i ~ N(0, G) unstructured,   e_ij ~ N(0, s) independent; algebra in `woodbury`.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from easitrace.covariance import Array
from easitrace.errors import ParameterError, Problem
from easitrace.models.basis import Basis
from easitrace.models.effects import KENWARD_ROGER_SCALES, Options, checked_options
from easitrace.models.fit import Optimum, Status
from easitrace.models.gate import UNIDENTIFIED
from easitrace.models.individual_rows import Individuals, individuals, to_basis
from easitrace.models.inference import FixedEffects, kenward_roger_covariance
from easitrace.models.likelihood import profile
from easitrace.models.newton import Local, Run, minimise, smallest_eigenvalue
from easitrace.models.optimise import FEW_PATIENTS
from easitrace.models.threads import one_thread
from easitrace.models.trajectories import RandomEffectsFit, patient_effects, time_column
from easitrace.models.woodbury import (
    Patients,
    Point,
    Weighed,
    curvature,
    expand,
    expected_information,
    natural_point,
    negative_log_likelihood,
    weigh,
    working_point,
)

BOUNDARY = 1e-8  # smallest eigenvalue of G, of the total variance, with random effects of unit mean square
NO_RESIDUAL = 1e-10  # residual variance, of that of the least-squares residuals
SMALL_DF = 1.0
SHARES = (0.5, 0.8, 0.2)  # of the variance that is between patients, in starts


def fit_random_effects(
    formula: str,
    data: Any,
    *,
    patient: str,
    random: str = "1",
    reml: bool = True,
    df: str = "satterthwaite",
    information: str = "observed",
    level: float = 0.95,
) -> RandomEffectsFit:
    """Fit a linear mixed model with random effects.

    Parameters
    ----------
    formula : the mean, formulaic's; data : any data frame that narwhals accepts, one row per patient and day; rows
        with a missing value are left out and counted. patient : column of the patient.
    random : right-hand side of the random effects: "1", "1 + time", "bs(time, df=3)"; their covariance is unstructured.
    reml : restricted maximum likelihood, else maximum likelihood.
    df : "satterthwaite"; "kenward-roger" and "kenward-roger-linear", the same here, as Sigma is linear in variances and
        covariances; "between-within"; "residual".
    information : "observed", or "expected", which R package pbkrtest uses for Kenward-Roger.
    level : confidence level of the table of coefficients.

    Returns
    -------
    RandomEffectsFit, whatever its `status`; degrees of freedom and P only when that is "converged". A variance
    estimated as 0, or a correlation of random effects as 1, is status "singular": estimates and standard errors are
    then those of the model without that random effect, and the message says so.

    Raises
    ------
    DataError : the data cannot be used as they are.
    ParameterError : an option that does not exist, a formula that cannot be read, random effects that depend on each
        other.
    """
    options = _checked(df, information, level, reml)
    with one_thread():
        of = individuals(formula, random, data, patient)
        basis, root, patients = to_basis(of)
        bare = _unstarted(of, basis, random, reml, options)
        if basis.perfect:
            reason = f"the mean fits {of.recipe.outcome} perfectly (is it constant?)"
            return _with_coefficients(replace(bare, message=reason), options.level)
        runs, best = optimise(patients, reml)
        optimum, status, message = judge(of, patients, root, runs, best, basis.scale)
        fit = replace(bare, optimum=optimum, status=status, message=message)
        point = working_point(optimum.theta, len(root))
        if point.s >= NO_RESIDUAL:
            fit = _filled(fit, of, basis, root, patients, options)
        return _with_coefficients(fit, options.level)


def _checked(df: str, information: str, level: float, reml: bool) -> Options:
    """The options of inference, once each is known to exist here."""
    if df == "kenward-roger-mmrm":
        what = "kenward-roger-mmrm belongs to fit_mmrm"
        raise ParameterError(Problem("E301", "df", what, "choose kenward-roger"))
    return checked_options(df, information, level, reml)


def optimise(patients: Patients, reml: bool) -> tuple[tuple[Run, ...], int]:
    """Every start's run, and the index of the one with the highest likelihood."""
    q = len(patients.R)

    @lru_cache(maxsize=1)
    def weighed(theta: bytes) -> tuple[Point, Weighed]:
        point = working_point(np.frombuffer(theta), q)
        return point, weigh(patients, point.s, point.G.value)

    def value(theta: Array) -> float:
        try:
            with np.errstate(over="raise", divide="raise", invalid="raise"):
                return negative_log_likelihood(patients, weighed(theta.tobytes())[1], reml)
        except (np.linalg.LinAlgError, FloatingPointError):
            return np.inf

    def local(theta: Array) -> Local:
        point, w = weighed(theta.tobytes())
        found = expand(patients, w, point, reml)
        return Local(found.value, found.gradient, found.hessian)

    def no_residual(theta: Array) -> bool:
        return bool(working_point(theta, q).s < NO_RESIDUAL)

    runs: list[Run] = []
    for theta in starts(patients):
        best = min((run for run in runs if run.end == "stationary"), key=lambda run: run.local.value, default=None)
        runs.append(minimise(value, local, theta, no_residual, best))
    ends = [np.inf if run.end == "joined" else run.local.value for run in runs]
    return tuple(runs), int(np.argmin(ends))


def starts(patients: Patients) -> list[Array]:
    """Moment estimates, and half of the variance between patients; for few patients also four and one fifth."""
    q, n = len(patients.R), patients.R.shape[2]
    row, column = np.tril_indices(q)
    found = [_moments(patients)]
    for share in SHARES if n < FEW_PATIENTS else SHARES[:1]:
        found.append((1 - share, np.eye(q) * share / q))
    return [np.append(0.5 * np.log(s), np.linalg.cholesky(G)[row, column]) for s, G in found]


def _moments(patients: Patients) -> tuple[float, Array]:
    """Residual variance s from what is orthogonal to Z; G from mean R'ee'R = CGC + sC, with the mean C of R'R."""
    q, n = len(patients.R), patients.R.shape[2]
    left = patients.n_observations - int(patients.rank.sum())
    s = float(np.clip(patients.rest[-1, -1] / left, 0.05, 0.95)) if left else 0.5
    pulled = np.einsum("ban,bn->an", patients.R, patients.z[:, -1])
    C = np.linalg.inv(np.einsum("ban,bcn->ac", patients.R, patients.R) / n)
    values, vectors = np.linalg.eigh(C @ (pulled @ pulled.T / n) @ C - s * C)
    return s, (vectors * np.clip(values, 0.05 / q, 4.0)) @ vectors.T


def judge(
    of: Individuals, patients: Patients, root: Array, runs: tuple[Run, ...], best: int, scale: float
) -> tuple[Optimum, Status, str]:
    """The record of the optimum, its status on the ladder of `gate`, and the reason in words."""
    run = runs[best]
    smallest = smallest_eigenvalue(run.local.hessian)
    optimum = Optimum(runs, best, run.theta, run.local.gradient, run.local.hessian, smallest, scale)
    point = working_point(run.theta, len(root))
    saturated = bool((patients.rank == np.diff(np.append(of.start, len(of.y)))).all())
    boundary = explain_boundary(point, root, of.random.columns)
    if point.s < NO_RESIDUAL:
        return optimum, "singular", "the residual variance is estimated as 0: every patient's course fits perfectly"
    if smallest < UNIDENTIFIED and (saturated or not boundary):
        reason = "no patient has more rows than random effects" if saturated else "the data do not determine it"
        return optimum, "unidentified", f"covariance not identified: {reason}"
    if run.end == "maxit" or boundary:
        status: Status = "singular" if boundary else "maxit"
        return optimum, status, boundary or f"no optimum after {run.iterations} iterations"
    if run.end == "precision-limited":
        what = f"likelihood cannot be raised further at Newton decrement {run.decrement:.1e}"
        return optimum, "precision-limited", what
    return optimum, "converged", ""


def explain_boundary(point: Point, root: Array, names: tuple[str, ...]) -> str:
    """Which random effects have no variance of their own; "" when G is not singular."""
    G, total = point.G.value, point.s + float(np.trace(point.G.value))
    if np.linalg.eigvalsh(G)[0] > BOUNDARY * total:
        return ""
    back = np.linalg.inv(root)
    variance = np.diag(back @ G @ back.T)
    share = variance * np.diag(root.T @ root) / total
    gone = [name for name, part in zip(names, share, strict=True) if part <= BOUNDARY]
    if gone:
        return f"the variance of the random effect {', '.join(gone)} is estimated as 0; leave it out"
    return f"the random effects {', '.join(names)} are estimated as perfectly correlated; leave one out"


def _filled(
    fit: RandomEffectsFit, of: Individuals, basis: Basis, root: Array, patients: Patients, options: Options
) -> RandomEffectsFit:
    """The fit with its numbers."""
    assert fit.optimum is not None
    point = working_point(fit.optimum.theta, len(root))
    if fit.status != "converged":
        options = replace(options, method="residual")
    effects = fixed_effects(of, basis, patients, point, fit.reml, options)
    value = -fit.optimum.runs[fit.optimum.best].local.value
    log_likelihood = basis.log_likelihood(value, len(of.y), fit.reml)
    parameters = len(fit.optimum.theta) + (0 if fit.reml else len(basis.kept))
    back, unit = np.linalg.inv(root), np.linalg.inv(basis.root)
    return replace(
        fit,
        log_likelihood=log_likelihood,
        aic=-2 * log_likelihood + 2 * parameters,
        bic=-2 * log_likelihood + float(np.log(of.n_patients)) * parameters,
        covariance=basis.scale**2 * back @ point.G.value @ back.T,
        residual_variance=basis.scale**2 * point.s,
        beta_covariance=unit @ effects.adjusted @ unit.T,
        effects=effects,
        patient_effects=patient_effects(of, basis, root, patients, point.s, point.G.value),
    )


def fixed_effects(
    of: Individuals, basis: Basis, patients: Patients, point: Point, reml: bool, options: Options
) -> FixedEffects:
    """Estimates with what their inference needs, in basis coordinates and the outcome's units."""
    w = weigh(patients, point.s, point.G.value)
    fitted, size = profile(w.A), basis.scale**2
    fixed, nothing = _fixed_degrees(of, basis, options.method), np.zeros((0, 0))
    beta = basis.target + basis.scale * fitted.b
    phi = size * fitted.phi
    bare = FixedEffects(options.method, beta, phi, phi, nothing[None][:0], nothing, fixed)
    if fixed.size:
        return bare
    natural = natural_point(point.s, point.G.value)
    expansion = expand(patients, w, natural, reml)
    slopes = expansion.slopes[:, :-1, :-1]
    observed = options.information == "observed"
    hessian = expansion.hessian if observed else expected_information(patients, w, natural, fitted, reml)
    W: Array = np.asarray(np.linalg.inv(hessian), dtype=float)
    adjusted = fitted.phi
    if options.method in KENWARD_ROGER_SCALES:
        adjusted = kenward_roger_covariance(fitted.phi, slopes, W, curvature(patients, w, natural, W))
    return replace(bare, adjusted=size * adjusted, slopes=slopes / size, W=W)


def _fixed_degrees(of: Individuals, basis: Basis, method: str) -> Array:
    """Degrees of freedom that need no derivative, as `effects.fixed_degrees`; empty for the other methods."""
    N, p = len(of.y), len(basis.kept)
    if method == "residual":
        return np.full(p, float(N - p))
    if method != "between-within":
        return np.zeros(0)
    within = of.varies_within()[basis.kept]
    intercept = np.array([of.recipe.columns[c] == "Intercept" for c in basis.kept])
    between_df, within_df = of.n_patients - int((~within).sum()), N - of.n_patients - int(within.sum())
    return np.where(within | intercept, float(within_df), float(between_df))


def _unstarted(of: Individuals, basis: Basis, random: str, reml: bool, options: Options) -> RandomEffectsFit:
    """What is known without an optimum; every number missing."""
    p, q = len(basis.kept), of.Z.shape[1]
    names = [*of.recipe.numeric]
    means = of.frame[names].to_numpy(float).mean(axis=0).tolist()
    return RandomEffectsFit(
        formula=of.recipe.formula,
        structure=f"random {random}",
        by=None,
        reml=reml,
        df=options.method,
        information=options.information,
        level=options.level,
        coefficients=pd.DataFrame(),
        log_likelihood=np.nan,
        aic=np.nan,
        bic=np.nan,
        covariance=np.full((q, q), np.nan),
        beta_covariance=np.full((p, p), np.nan),
        visits=(),
        n_patients=of.n_patients,
        n_observations=len(of.y),
        status="not started",
        message="",
        optimum=None,
        dropped_rows=of.dropped,
        dropped_terms=tuple(of.recipe.columns[c] for c in basis.dropped),
        left_out=0,
        recipe=of.recipe,
        basis=basis,
        effects=None,
        covariate_means=dict(zip(names, means, strict=True)),
        cells=_cells(of),
        random=random,
        random_terms=of.random.columns,
        residual_variance=np.nan,
        random_recipe=of.random,
        patient_effects=None,
        profiles=of.frame.iloc[of.start].reset_index(drop=True),
        time=time_column(of),
    )


def _cells(of: Individuals) -> dict[tuple[int, ...], int]:
    """Rows by combination of factor levels (codes, in the order of recipe.levels)."""
    codes = [of.frame[name].cat.codes.to_numpy().astype(np.int64) for name in of.recipe.levels]
    if not codes:
        return {(): len(of.y)}
    combos, counts = np.unique(np.stack(codes), axis=1, return_counts=True)
    return {tuple(combo.tolist()): int(count) for combo, count in zip(combos.T, counts, strict=True)}


def _with_coefficients(fit: RandomEffectsFit, level: float) -> RandomEffectsFit:
    """The table of coefficients, and the message with what a reader must know."""
    found = fit.estimate(np.eye(len(fit.recipe.columns)), level)
    table = pd.DataFrame({"term": fit.recipe.columns, **found._asdict()})
    parts = [fit.message] if fit.message else []
    if fit.dropped_terms:
        parts.append(f"collinear with earlier columns, left out: {', '.join(fit.dropped_terms)}")
    if fit.dropped_rows:
        parts.append("rows left out for a missing value: " + ", ".join(f"{k} {v}" for k, v in fit.dropped_rows.items()))
    few = table["term"][table["df"] < SMALL_DF]
    if len(few):
        parts.append(f"degrees of freedom below 1: {', '.join(few)}")
    return replace(fit, coefficients=table, message="; ".join(parts))
