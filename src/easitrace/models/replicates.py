"""Many outcomes on one design and one pattern of missing values: bootstrap and multiple imputation.

With unstructured covariance all replicates go together through the starts and steps of `fit_mmrm` (`batch_newton`).
What does not end there as a clear optimum, and every other structure, is fitted by `fit_mmrm` one replicate at a time,
so that each replicate's numbers and status are those of `fit_mmrm`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.errors import DataError, ParameterError, Problem
from easitrace.models.basis import PERFECT_FIT
from easitrace.models.batch_design import Design, batch_of, best_runs, design, is_clear
from easitrace.models.batch_newton import Runs
from easitrace.models.design import to_frame
from easitrace.models.fit import Fit
from easitrace.models.mmrm import fit_mmrm
from easitrace.models.moments import from_rows
from easitrace.models.threads import one_thread

CHUNK_BYTES = 4_000_000  # of the crossproducts of x with the outcomes


@dataclass(frozen=True)
class Replicates:
    """R refits of one model.

    terms : (p,) names; log_likelihood : (R,); estimate, se : (R, p), se unadjusted, as with df "satterthwaite";
    beta_covariance : (R, p, p), unadjusted; covariance : (R, J, J); status, message : (R,) text.
    Numbers are missing where `fit_mmrm` has none, and for terms dropped as collinear.
    """

    terms: tuple[str, ...]
    log_likelihood: Array
    estimate: Array
    se: Array
    beta_covariance: Array
    covariance: Array
    status: NDArray[np.str_]
    message: NDArray[np.object_]


def refit(fit: Fit, data: Any, outcomes: Array) -> Replicates:
    """Fit the model of `fit` to other outcomes.

    Parameters
    ----------
    data : the data frame of the model; its outcome column is not used.
    outcomes : (rows of data, R), on the scale that is modelled (after any transformation in the formula); NaN where a
        row has no outcome, in the same rows of every replicate.

    Raises
    ------
    DataError : outcomes of another length, with different missing rows, or infinite.
    ParameterError : a fit with more than one covariance matrix, or of a structure that needs visit times.
    """
    outcomes = _checked(fit, data, np.asarray(outcomes, dtype=float))
    with one_thread():
        plan = design(fit, data, outcomes[:, 0])
        J, p = len(fit.visits), len(plan.kept)
        size = max(1, CHUNK_BYTES // (8 * len(plan.seen) * J * J * p))
        found = _blank(fit, outcomes.shape[1])
        for low in range(0, outcomes.shape[1], size):
            part = slice(low, low + size)
            own = [values[part] for name, values in vars(found).items() if name != "terms"]
            _refit_chunk(fit, plan, outcomes[:, part], Replicates(found.terms, *own))
    return found


def _checked(fit: Fit, data: Any, outcomes: Array) -> Array:
    rows = len(to_frame(data, [fit.recipe.patient]))
    if fit.by is not None or fit.structure == "random-slope":
        raise ParameterError(Problem("E301", "fit", "refit takes one covariance matrix, without visit times"))
    if outcomes.ndim != 2 or len(outcomes) != rows or not outcomes.shape[1]:
        raise DataError(Problem("E307", "outcomes", f"shape {outcomes.shape} for {rows} rows of data"))
    missing = np.isnan(outcomes)
    if (missing != missing[:, :1]).any():
        raise DataError(Problem("E307", "outcomes", "replicates are missing in different rows"))
    if np.isinf(outcomes).any():
        raise DataError(Problem("E307", "outcomes", f"{int(np.isinf(outcomes).sum())} values are not finite"))
    return outcomes


def _refit_chunk(fit: Fit, plan: Design, outcomes: Array, into: Replicates) -> None:
    """Replicates few enough to be worked on together; `into` is their part of the result."""
    y = outcomes[plan.row]
    gamma = plan.Q.T @ y
    residual = y - plan.Q @ gamma
    scale = np.sqrt((residual**2).mean(axis=0))
    workable = (scale > PERFECT_FIT * np.sqrt((y**2).mean(axis=0))) & (plan.Q.shape[1] < len(y))
    which = np.flatnonzero(workable & (fit.structure == "us"))
    if len(which):
        runs, settled = best_runs(batch_of(plan, residual[:, which] / scale[which], fit.reml), plan.rows.n_patients)
        clear = np.flatnonzero(settled & is_clear(runs))
        which = which[clear]
        _fill(into, which, plan, runs.take(clear), gamma[:, which], scale[which], fit.reml)
    for r in np.setdiff1d(np.arange(outcomes.shape[1]), which):
        _fill_one(into, int(r), fit, plan, outcomes[:, r])


def _fill(
    into: Replicates, which: NDArray[np.int64], plan: Design, runs: Runs, gamma: Array, scale: Array, reml: bool
) -> None:
    """Numbers of the replicates that ended clearly, in the outcome's units."""
    back, n, k = np.linalg.inv(plan.root), len(plan.row), len(plan.kept)
    into.log_likelihood[which] = -runs.value - (n - k * reml) * np.log(scale)
    if reml:
        into.log_likelihood[which] -= np.log(np.abs(np.diag(plan.root))).sum()
    into.estimate[np.ix_(which, plan.kept)] = ((gamma + scale * runs.b).T) @ back.T
    phi = np.moveaxis(scale**2 * runs.phi, 2, 0)
    into.beta_covariance[np.ix_(which, plan.kept, plan.kept)] = back @ phi @ back.T
    into.se[which] = np.sqrt(np.einsum("rpp->rp", into.beta_covariance[which]))
    into.covariance[which] = np.einsum("jlb,klb->bjk", scale * runs.factor, scale * runs.factor)
    into.status[which] = "converged"


def _fill_one(into: Replicates, r: int, fit: Fit, plan: Design, outcome: Array) -> None:
    """The numbers of `fit_mmrm` for one replicate."""
    moments = from_rows(plan.recipe, replace(plan.rows, y=outcome[plan.row]))
    single = fit_mmrm(moments=moments, covariance=fit.structure, reml=fit.reml, df="residual")
    kept = single.basis.kept
    into.log_likelihood[r] = single.log_likelihood
    into.estimate[r], into.se[r] = single.coefficients["estimate"], single.coefficients["se"]
    into.beta_covariance[r][np.ix_(kept, kept)] = single.beta_covariance
    into.covariance[r] = np.asarray(single.covariance)
    into.status[r], into.message[r] = single.status, single.message


def _blank(fit: Fit, R: int) -> Replicates:
    """R replicates without numbers yet."""
    J, p = len(fit.visits), len(fit.recipe.columns)
    numbers = [np.full(shape, np.nan) for shape in ((R,), (R, p), (R, p), (R, p, p), (R, J, J))]
    value, estimate, se, spread, sigma = numbers
    status, message = np.full(R, "", dtype="U20"), np.full(R, "", dtype=object)
    return Replicates(fit.recipe.columns, value, estimate, se, spread, sigma, status, message)
