"""What one patient does to a contrast: the model refitted without each patient in turn.

The crossproducts of a pattern without a patient are those with, less the patient's own: exact downdating. With
unstructured covariance all n models go through one Newton run (`batch_newton`) from the optimum of all, so a patient
costs a few steps whatever n; what does not end as a clear optimum, and every other structure, goes to `fit_mmrm`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.errors import ParameterError, Problem
from easitrace.models.batch import Batch, parameters
from easitrace.models.batch_design import Design, batch_of, is_clear, laid_out
from easitrace.models.batch_newton import minimise
from easitrace.models.design import Rows, prepare
from easitrace.models.fit import Fit
from easitrace.models.mmrm import fit_mmrm
from easitrace.models.moments import from_rows
from easitrace.models.threads import one_thread

CHUNK_BYTES = 4_000_000  # of the crossproducts of the models worked on together


def influence(fit: Fit, data: Any, contrast: Mapping[str, float] | Array) -> pd.DataFrame:
    """A contrast of the coefficients without each patient in turn.

    Parameters
    ----------
    data : the data frame the fit was made from.
    contrast : weights of the coefficients, by term or as an array (terms of the fit,).

    Returns
    -------
    DataFrame
        One row per patient, in the order of the data: `patient`, `visits` (outcomes of the patient), `estimate` and
        `se` without the patient (se unadjusted, as with df "satterthwaite"), `shift` (estimate without the patient less
        that of all, in unadjusted standard errors of all), `status` of the refit; numbers are missing where the refit
        has none, or where the contrast cannot be estimated without the patient.

    Raises
    ------
    ParameterError : a term that the model does not have, a fit that did not converge or whose structure needs times.
    """
    weights = _weights(fit, contrast)
    with one_thread():
        recipe = fit.recipe
        patient, visit = recipe.patient, recipe.visit
        own, rows = prepare(recipe.formula, data, patient=patient, visit=visit, by=recipe.by, levels=recipe.levels)
        plan = laid_out(fit, own, rows, np.arange(len(rows.y)))
        found = _downdated(fit, plan, weights)
        for i in np.flatnonzero(found["status"] == ""):
            found.loc[i, ["estimate", "se", "status"]] = _without(fit, plan, int(i), weights)
    first = np.flatnonzero(np.diff(rows.patient, prepend=-1))
    se = _unadjusted_se(fit, weights)
    shift = (found["estimate"] - float(weights @ fit.coefficients["estimate"].fillna(0.0))) / se
    table = pd.DataFrame({"patient": rows.frame[recipe.patient].iloc[first].to_numpy()})
    return table.assign(
        visits=np.bincount(rows.patient),
        estimate=found["estimate"],
        se=found["se"],
        shift=shift,
        status=found["status"],
    )


def _weights(fit: Fit, contrast: Mapping[str, float] | Array) -> Array:
    """The contrast as weights of all coefficients."""
    terms = list(fit.coefficients["term"])
    if fit.status != "converged" or fit.structure == "random-slope":
        raise ParameterError(Problem("E301", "fit", f"{fit.structure}, {fit.status}: influence needs a converged fit"))
    if not isinstance(contrast, Mapping):
        return np.asarray(contrast, dtype=float)
    unknown = [term for term in contrast if term not in terms]
    if unknown:
        raise ParameterError(Problem("E312", unknown[0], "is not a coefficient", f"they are {', '.join(terms)}"))
    return np.array([contrast.get(term, 0.0) for term in terms])


def _unadjusted_se(fit: Fit, weights: Array) -> float:
    assert fit.effects is not None
    pulled = fit.basis.coordinates(weights[None, fit.basis.kept])[0]
    return float(np.sqrt(pulled @ fit.effects.phi @ pulled))


def _downdated(fit: Fit, plan: Design, weights: Array) -> pd.DataFrame:
    """Estimate and se of the refits that end clearly; status "" where they do not."""
    n = plan.rows.n_patients
    found = pd.DataFrame({"estimate": np.full(n, np.nan), "se": np.full(n, np.nan), "status": [""] * n})
    if fit.structure != "us" or fit.by is not None or fit.dropped_terms:
        return found
    gamma = plan.Q.T @ plan.rows.y
    residual = plan.rows.y - plan.Q @ gamma
    scale = float(np.sqrt(np.mean(residual**2)))
    whole = batch_of(plan, residual[:, None] / scale, fit.reml)
    theta = parameters(np.linalg.cholesky(np.asarray(fit.covariance))[:, :, None] / scale)
    pulled = np.linalg.solve(plan.root.T, weights[plan.kept])
    size = max(1, CHUNK_BYTES // (8 * whole.xx.size))
    for low in range(0, n, size):
        which = np.arange(low, min(low + size, n))
        each = _without_each(whole, plan, residual / scale, which)
        runs = minimise(each, np.repeat(theta, len(which), axis=1))
        clear = np.flatnonzero(is_clear(runs) & runs.smooth)
        runs = runs.take(clear)
        estimate = pulled @ (gamma[:, None] + scale * runs.b)
        se = scale * np.sqrt(np.einsum("p,pqb,q->b", pulled, runs.phi, pulled))
        found.loc[which[clear], "estimate"], found.loc[which[clear], "se"] = estimate, se
        found.loc[which[clear], "status"] = "converged"
    return found


def _without_each(whole: Batch, plan: Design, outcome: Array, which: NDArray[np.int64]) -> Batch:
    """One data set per patient of `which`: all crossproducts less the patient's own."""
    rows, J, B = plan.rows, plan.seen.shape[1], len(which)
    mine = np.flatnonzero(np.isin(rows.patient, which))
    slot = rows.patient[mine] - which[0]
    X, Y = np.zeros((J, plan.Q.shape[1], B)), np.zeros((J, B))
    X[rows.visit[mine], :, slot], Y[rows.visit[mine], slot] = plan.Q[mine], outcome[mine]
    share = np.where(whole.j == whole.k, 0.5, 1.0)[:, None] * (whole.owner[:, None] == plan.pattern[which])
    x, z, e, f = X[whole.j], X[whole.k], Y[whole.j], Y[whole.k]
    half = np.einsum("xcb,xdb->xcdb", x, z * share[:, None])
    return replace(
        whole,
        counts=whole.counts - (np.arange(len(plan.seen))[:, None] == plan.pattern[which]),
        xx=whole.xx[..., None] - half - half.swapaxes(1, 2),
        xy=whole.xy - share[:, None] * (x * f[:, None] + z * e[:, None]),
        yy=whole.yy - 2 * share * e * f,
    )


def _without(fit: Fit, plan: Design, patient: int, weights: Array) -> tuple[float, float, str]:
    """The same by `fit_mmrm`."""
    rows = plan.rows
    keep = rows.patient != patient
    frame = rows.frame[keep].reset_index(drop=True)
    codes = rows.patient[keep] - (rows.patient[keep] > patient)
    left = Rows(frame, rows.y[keep], codes, rows.visit[keep], rows.n_patients - 1, rows.dropped)
    single = fit_mmrm(moments=from_rows(plan.recipe, left), covariance=fit.structure, reml=fit.reml, df="residual")
    found = single.estimate(weights[None], fit.level)
    return float(found.estimate[0]), float(found.se[0]), single.status
