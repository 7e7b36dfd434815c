"""The mixed model for repeated measures: from formula and data to a `Fit`.

y_i = X_i beta + e_i, e_i ~ N(0, Sigma(theta)) at the visits seen, Sigma by structure and, on demand, by group.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from easitrace.covariance import Array, Structure, structure
from easitrace.errors import NotEstimableError, ParameterError, Problem
from easitrace.models.basis import Basis, to_basis
from easitrace.models.effects import Options, checked_options, fixed_effects
from easitrace.models.fit import Fit, Status
from easitrace.models.gate import explain_perfect, judge
from easitrace.models.moments import Moments, collect
from easitrace.models.optimise import Model, optimise
from easitrace.models.threads import one_thread

FALLBACK = ("us", "toeph", "ar1h", "csh", "cs")
SMALL_DF = 1.0


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
    options = checked_options(df, information, level, reml)
    with one_thread():
        given = {"formula": formula, "data": data, "patient": patient, "visit": visit, "by": by}
        moments = _collected(**given) if moments is None else _agreeing(moments, given)
        basis, blocks = to_basis(moments)
        chain = FALLBACK[FALLBACK.index(covariance) :] if fallback and covariance in FALLBACK else (covariance,)
        tried: list[tuple[str, Status]] = []
        for name in chain:
            entry = structure(name)
            model = Model(blocks, entry, visit_times(moments, entry, times), reml)
            fit = _fit(moments, basis, model, options)
            if fit.status == "converged" or name == chain[-1]:
                break
            tried.append((name, fit.status))
    return replace(fit, tried=tuple(tried), message=_with_tried(fit.message, tried))


def _collected(formula: str | None, data: Any, patient: str | None, visit: str | None, by: str | None) -> Moments:
    if formula is None or data is None or patient is None or visit is None:
        raise ParameterError(Problem("E301", "fit_mmrm", "needs formula, data, patient and visit, or moments"))
    return collect(formula, data, patient=patient, visit=visit, by=by)


def _agreeing(moments: Moments, given: dict[str, Any]) -> Moments:
    """The moments, when nothing else was given that they would override."""
    same = {"by": moments.recipe.by}
    for name, value in given.items():
        if value is not None and not (name in same and value == same[name]):
            what = "was given beside moments, which fix it"
            raise ParameterError(Problem("E301", name, what, "leave it out"))
    return moments


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


def _fit(moments: Moments, basis: Basis, model: Model, options: Options) -> Fit:
    """One structure, from starts to result."""
    fit = (_unstarted if basis.perfect else _optimised)(moments, basis, model, options)
    coefficients = fit.table()
    return replace(fit, coefficients=coefficients, message=_with_warnings(fit, coefficients))


def _optimised(moments: Moments, basis: Basis, model: Model, options: Options) -> Fit:
    """The fit at the best optimum, with the verdict of the gate."""
    runs, best = optimise(model, moments.n_patients)
    sigmas = model.sigmas(runs[best].theta)
    boundary = model.entry.explain_boundary(sigmas, model.times)
    optimum, status, message = judge(moments, runs, best, basis.scale, sigmas=sigmas, boundary=boundary)
    bare = replace(_unstarted(moments, basis, model, options), optimum=optimum, status=status, message=message)
    if status == "singular":
        return bare
    if status != "converged":
        options = replace(options, method="residual")
    effects = fixed_effects(moments, basis, model, optimum.theta, options)
    inverse = np.linalg.inv(basis.root)
    value = basis.log_likelihood(-runs[best].local.value, moments.n_observations, model.reml)
    parameters = len(optimum.theta) + (0 if model.reml else len(basis.kept))
    return replace(
        bare,
        log_likelihood=value,
        aic=-2 * value + 2 * parameters,
        bic=-2 * value + float(np.log(moments.n_patients)) * parameters,
        covariance=_by_group(moments, [basis.scale**2 * sigma for sigma in sigmas]),
        beta_covariance=inverse @ effects.adjusted @ inverse.T,
        effects=effects,
    )


def _unstarted(moments: Moments, basis: Basis, model: Model, options: Options) -> Fit:
    """What is known without an optimum; every number missing."""
    recipe, J, p = moments.recipe, len(moments.recipe.visits), len(basis.kept)
    return Fit(
        formula=recipe.formula,
        structure=model.entry.name,
        by=recipe.by,
        reml=model.reml,
        df=options.method,
        information=options.information,
        level=options.level,
        coefficients=pd.DataFrame(),
        log_likelihood=np.nan,
        aic=np.nan,
        bic=np.nan,
        covariance=_by_group(moments, [np.full((J, J), np.nan)] * len(model.blocks)),
        beta_covariance=np.full((p, p), np.nan),
        visits=recipe.visits,
        n_patients=moments.n_patients,
        n_observations=moments.n_observations,
        status="not started",
        message=explain_perfect(moments, basis) if basis.perfect else "",
        optimum=None,
        dropped_rows=moments.dropped,
        dropped_terms=tuple(recipe.columns[c] for c in basis.dropped),
        left_out=moments.left_out,
        recipe=recipe,
        basis=basis,
        effects=None,
        covariate_means=moments.covariate_means,
        cells=moments.cells,
    )


def _by_group(moments: Moments, sigmas: list[Array]) -> Array | dict[Any, Array]:
    by = moments.recipe.by
    return dict(zip(moments.recipe.levels[by], sigmas, strict=True)) if by else sigmas[0]


def no_standard_error(coefficients: pd.DataFrame) -> list[str]:
    """Terms that are estimated but have no standard error, because their adjusted variance is not positive."""
    return coefficients["term"][coefficients["estimate"].notna() & coefficients["se"].isna()].tolist()


def _with_warnings(fit: Fit, coefficients: pd.DataFrame) -> str:
    """The message with what a reader must know: terms and rows left out, df below 1."""
    parts = [fit.message] if fit.message else []
    if fit.dropped_terms:
        parts.append(f"collinear with earlier columns, left out: {', '.join(fit.dropped_terms)}")
    if fit.dropped_rows:
        parts.append("rows left out for a missing value: " + ", ".join(f"{k} {v}" for k, v in fit.dropped_rows.items()))
    if fit.left_out:
        parts.append(f"{fit.left_out} patients left out, whose visit pattern was too rare to share")
    if fit.status == "converged" and (unsure := no_standard_error(coefficients)):
        parts.append(f"the adjusted variance is not positive: {', '.join(unsure)}")
    few = coefficients["term"][coefficients["df"] < SMALL_DF]
    if len(few):
        parts.append(f"degrees of freedom below 1: {', '.join(few)}")
    return "; ".join(parts)
