"""Multiple imputation of the outcome from the fitted trajectory model.

Imputation l draws parameters from what the data say of them and then the missing scores given the recorded ones
(Rubin 1987, Multiple Imputation for Nonresponse in Surveys, 5.3), on the model's scale:

    theta_l ~ N(theta, H^-1)                        the restricted likelihood's optimum and Hessian, working parameters
    beta_l ~ N(beta(theta_l), Phi(theta_l))         generalised least squares at Sigma_l = Sigma(theta_l)
    y_i,missing ~ N(x_i beta_l, Sigma_l) given y_i,recorded

Draws whose Sigma is not positive definite are drawn anew and counted. Imputed scores are taken back to points and
moved to the ends of the instrument's range where they lie beyond it, counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import attendance
from easitrace.covariance import structure
from easitrace.errors import NotEstimableError, ParameterError, Problem
from easitrace.instruments import Instrument
from easitrace.models.basis import to_basis
from easitrace.models.emmeans import BACK
from easitrace.models.fit import Fit
from easitrace.models.likelihood import profile, weigh
from easitrace.models.moments import collect
from easitrace.response.criteria import criterion_of, instruments_of, met_by
from easitrace.response.pooling import Numbers
from easitrace.response.trajectory import SCALES, ScaleName

Flags = npt.NDArray[np.bool_]
MOST_REDRAWN = 20  # draws not positive definite per imputation, beyond which the model is said not to carry them


@dataclass(frozen=True)
class Imputed:
    """Completed scores of n patients at J visits, in points.

    patients (n,), visits (J,); scores (m, n, J); missing (n, J) what was imputed; stopped (n, J) what was imputed
    because treatment had been stopped; beyond : imputed scores, of all imputations, that were moved to an end of the
    range; redrawn : draws of parameters taken anew; left_out : patients without the model's covariates, who cannot be
    imputed.
    """

    patients: pd.Index
    visits: tuple[str, ...]
    scores: Numbers
    missing: Flags
    stopped: Flags
    instrument: Instrument
    beyond: int
    redrawn: int
    left_out: int

    @property
    def drawn(self) -> int:
        """Imputed scores, of all imputations."""
        return int(self.missing.sum()) * len(self.scores)

    def at(self, visit: str) -> Numbers:
        """Scores (m, n) at a visit.

        Raises
        ------
        NotEstimableError
            E331 when nobody was seen there, so that the model has no such visit.
        """
        if visit not in self.visits:
            raise NotEstimableError(Problem("E331", f"visit {visit}", "nobody was seen there, nothing can be imputed"))
        scores: Numbers = self.scores[:, :, self.visits.index(visit)]
        return scores

    def among(self, cohort: Cohort) -> Cohort:
        """The cohort without the patients who could not be imputed."""
        people, visits = (
            table[table["patient"].isin(self.patients)].reset_index(drop=True)
            for table in (cohort.patients, cohort.visits)
        )
        return replace(cohort, patients=people, visits=visits)

    def worsened(self, points: float) -> "Imputed":
        """The same with every score imputed after stopping worse by so many points, within the range."""
        for_the_worse = points if self.instrument.better == "lower" else -points
        moved = _within(self.scores + for_the_worse, self.instrument)
        return replace(self, scores=np.where(self.stopped, moved, self.scores))


def impute(
    cohort: Cohort, rows: pd.DataFrame, fit: Fit, *, scale: ScaleName, covariates: Sequence[str], draws: int, seed: int
) -> Imputed:
    """Impute every missing score of the cohort's outcome, those of visits that are not due yet included.

    Parameters
    ----------
    cohort : Cohort
        With the scores that count, see `estimands.under_estimand`.
    rows, fit
        Its `trajectory.model_rows` and the model fitted to them.
    scale : str
        Scale of the model.
    draws : int
        Number of imputations, at least 2.
    seed : int
        Start of the random numbers; the same seed gives the same scores.

    Raises
    ------
    NotEstimableError
        E331 when the model has not converged, or its draws are hardly ever positive definite.
    """
    if draws < 2:
        raise ParameterError(Problem("E105", "imputations", f"{draws} leave nothing to compare", "use 2 or more"))
    if fit.status != "converged":
        raise NotEstimableError(Problem("E331", "imputation model", fit.message))
    random = np.random.default_rng(seed)
    people = cohort.patients[["patient", *covariates]].dropna()
    visits = tuple(fit.visits)
    points = (
        cohort.wide().loc[people["patient"], [v.week for v in cohort.schedule if v.label in visits]].to_numpy(float)
    )
    beta, sigma, redrawn = _parameters(fit, rows, draws, random)
    mean = np.einsum("njp,lp->lnj", _model_rows(fit, people, visits), beta)
    missing = np.isnan(points)
    drawn = _conditional_draws(SCALES[scale].to(points), mean, sigma, missing, random)
    back = np.where(missing, _backward(drawn, scale), points)
    scores = _within(back, cohort.instrument())
    return Imputed(
        patients=pd.Index(people["patient"]),
        visits=visits,
        scores=scores,
        missing=missing,
        stopped=missing & _stopped(cohort, people, visits),
        instrument=cohort.instrument(),
        beyond=int((scores != back).sum()),
        redrawn=redrawn,
        left_out=len(cohort.patients) - len(people),
    )


def responders(imputed: Imputed, cohort: Cohort, criterion: str, visit: str, never: "pd.Series[bool]") -> Numbers:
    """Whether each patient meets a criterion at a visit in each imputation, scores rounded to the instrument's grid.

    Parameters
    ----------
    never : Series of bool by patient
        Patients who count as non-responders whatever was imputed.

    Returns
    -------
    array of shape (m, n)
        1, 0, or missing where the criterion is out of reach or another instrument it needs was not recorded.
    """
    expression = criterion_of(cohort, criterion)
    m, n = imputed.scores.shape[:2]
    week = next(one.week for one in cohort.schedule if one.label == visit)
    start: dict[str, pd.Series[Any]] = {}
    now: dict[str, pd.Series[Any]] = {}
    for name in instruments_of(expression):
        table = cohort.wide(name).loc[imputed.patients]
        here = np.tile(table[week].to_numpy(float), m)
        if name == cohort.outcome:
            here = _as_recorded(imputed, visit).ravel()
        start[name], now[name] = pd.Series(np.tile(table[cohort.baseline.week].to_numpy(float), m)), pd.Series(here)
    answers = met_by(cohort, expression, start, now).to_numpy(dtype=float, na_value=np.nan).reshape(m, n)
    refused = never.reindex(imputed.patients).to_numpy(bool) & ~np.isnan(answers)
    return np.where(refused, 0.0, answers)


def _parameters(fit: Fit, rows: pd.DataFrame, draws: int, random: np.random.Generator) -> tuple[Numbers, Numbers, int]:
    """Draws of beta (m, p) of all terms and Sigma (m, J, J); how many were not positive definite."""
    recipe, optimum, entry = fit.recipe, fit.optimum, structure(fit.structure).scale("working")
    assert optimum is not None
    moments = collect(recipe.formula, rows, patient=recipe.patient, visit=recipe.visit)
    basis, (block,) = to_basis(moments)
    times, root = np.arange(len(fit.visits), dtype=float), np.linalg.cholesky(np.linalg.inv(optimum.hessian))
    betas, redrawn = np.zeros((draws, len(recipe.columns))), 0
    sigmas: list[Numbers] = []
    while len(sigmas) < draws:
        theta = optimum.theta + root @ random.standard_normal(len(root))
        sigma = entry.value(theta, times)
        try:
            fitted = profile(weigh(block, sigma).A)
            np.linalg.cholesky(sigma)
        except np.linalg.LinAlgError:
            redrawn += 1
            if redrawn > MOST_REDRAWN * draws:
                what = "covariance matrices drawn from it are hardly ever positive definite"
                raise NotEstimableError(Problem("E331", "imputation model", what)) from None
            continue
        b = fitted.b + np.linalg.cholesky(fitted.phi) @ random.standard_normal(len(fitted.b))
        betas[len(sigmas), basis.kept] = np.linalg.solve(basis.root, basis.target + basis.scale * b)
        sigmas.append(basis.scale**2 * sigma)
    return betas, np.array(sigmas), redrawn


def _model_rows(fit: Fit, people: pd.DataFrame, visits: tuple[str, ...]) -> Numbers:
    """Model rows (n, J, p) of all patients at all visits of the model."""
    grid = people.merge(pd.DataFrame({fit.recipe.visit: visits}), how="cross")
    return fit.recipe.rows(grid).reshape(len(people), len(visits), -1)


def _conditional_draws(
    y: Numbers, mean: Numbers, sigma: Numbers, missing: Flags, random: np.random.Generator
) -> Numbers:
    """Completed y (m, n, J), for all patients with the same missing visits at once.

    With Sigma = L L', recorded visits first, the missing part is mean + L_21 L_11^-1 (y - mean) + L_22 z.
    """
    full = np.repeat(y[None], len(sigma), axis=0)
    for pattern in np.unique(missing[missing.any(axis=1)], axis=0):
        own = np.flatnonzero((missing == pattern).all(axis=1))
        known, gaps = np.flatnonzero(~pattern), np.flatnonzero(pattern)
        order = np.concatenate([known, gaps])
        L, k = np.linalg.cholesky(sigma[:, order][:, :, order]), len(known)
        residual = (y[own][:, known] - mean[:, own][:, :, known]).swapaxes(1, 2)
        z = random.standard_normal((len(sigma), len(gaps), len(own)))
        moved = L[:, k:, :k] @ np.linalg.solve(L[:, :k, :k], residual) + L[:, k:, k:] @ z
        full[:, own[:, None], gaps] = mean[:, own[:, None], gaps] + moved.swapaxes(1, 2)
    return full


def _stopped(cohort: Cohort, people: pd.DataFrame, visits: tuple[str, ...]) -> Flags:
    states = attendance(cohort)
    stopped = states.assign(stopped=states["state"] == "stopped")
    table = stopped.pivot(index="patient", columns="visit", values="stopped")
    return table.loc[list(people["patient"]), list(visits)].to_numpy(bool)


def _backward(values: Numbers, scale: ScaleName) -> Numbers:
    """Points; on the square-root scale a value below zero has none, and lies beyond the range."""
    points = np.asarray(BACK[scale][0](values), dtype=np.float64)
    return np.where(values < 0, -points, points) if scale == "sqrt" else points


def _within(points: Numbers, instrument: Instrument) -> Numbers:
    return np.clip(points, instrument.minimum, instrument.maximum)


def _as_recorded(imputed: Imputed, visit: str) -> Numbers:
    """Scores (m, n) with imputed ones as the instrument could have given them."""
    one, points = imputed.instrument, imputed.at(visit)
    rounded = one.minimum + np.rint((points - one.minimum) / one.grid) * one.grid
    filled = imputed.missing[:, imputed.visits.index(visit)]
    return np.where(filled, _within(rounded, one), points)
