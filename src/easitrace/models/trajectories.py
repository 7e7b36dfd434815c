"""Predicted random effects (BLUP) and predicted courses of single patients, with their uncertainty.

With the notation of `woodbury`, u_i = G T_i r the best linear unbiased prediction of the random effects of patient i,
and (Henderson 1975, Biometrics 31:423; Laird and Ware 1982, Biometrics 38:963)

    Var(u_i^ - u_i) = G - G P_i G + G T_i Phi T_i' G,    Cov(beta^, u_i^ - u_i) = -Phi T_i' G      (T_i: columns of X)
    Var(x'beta^ + z'u_i^ - x'beta - z'u_i) = x'Phi x + z'Var z + 2 x'Cov z.

Variances are taken as known, so intervals are a little too short when patients are few.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from easitrace.covariance import Array
from easitrace.errors import DataError, ParameterError, Problem
from easitrace.models.basis import Basis
from easitrace.models.design import Recipe, categorised, to_frame
from easitrace.models.fit import Fit
from easitrace.models.individual_rows import Individuals, changing
from easitrace.models.likelihood import profile
from easitrace.models.woodbury import Patients, weigh


@dataclass(frozen=True)
class PatientEffects:
    """Predicted random effects of n patients, in the outcome's units.

    patients (n,) identifiers; observations (n,) rows of each; effects (n, q); error (n, q, q) covariance of prediction
    error; cross (n, p, q) its covariance with the coefficients kept; beta_covariance (p, p) of these, unadjusted.
    """

    patients: pd.Index
    observations: NDArray[np.int64]
    effects: Array
    error: Array
    cross: Array
    beta_covariance: Array


@dataclass(frozen=True, kw_only=True, repr=False)
class RandomEffectsFit(Fit):
    """A fitted model with random effects; what `Fit` documents holds, except as said here.

    covariance : (q, q) of the random effects; residual_variance : of a score round the patient's own course;
    random : the right-hand side of the random effects, random_terms its q columns; visits : empty;
    patient_effects : predicted effects of each patient, None when there is no optimum;
    profiles : the first row of each patient, for values that do not change; time : the one numeric column that does.
    """

    random: str
    random_terms: tuple[str, ...]
    residual_variance: float
    random_recipe: Recipe = field(repr=False)
    patient_effects: PatientEffects | None = field(repr=False)
    profiles: pd.DataFrame = field(repr=False)
    time: str | None = None


def patient_effects(
    of: Individuals, basis: Basis, root: Array, patients: Patients, s: float, G: Array
) -> PatientEffects:
    """Predictions at residual variance s and G (q, q) of the basis, taken back to the outcome's units."""
    w = weigh(patients, s, G)
    fitted = profile(w.A)
    pull = np.einsum("ab,bwn->naw", G, w.T, optimize=True)
    own, across = pull @ np.append(-fitted.b, 1.0), pull[:, :, :-1]
    error = G - np.einsum("ab,bcn,cd->nad", G, w.P, G, optimize=True) + across @ fitted.phi @ across.swapaxes(1, 2)
    back, unit = np.linalg.inv(root), np.linalg.inv(basis.root)
    size = basis.scale**2
    return PatientEffects(
        pd.Index(of.frame[of.recipe.patient].iloc[of.start]),
        np.diff(np.append(of.start, len(of.y))),
        basis.scale * own @ back.T,
        size * back @ error @ back.T,
        -size * unit @ fitted.phi @ across.swapaxes(1, 2) @ back.T,
        size * unit @ fitted.phi @ unit.T,
    )


def time_column(of: Individuals) -> str | None:
    """The one numeric column of the model that changes within patients; None when there is none, or several."""
    names = [*dict.fromkeys([*of.recipe.numeric, *of.random.numeric])]
    varies = changing(of.frame[names].to_numpy(float), of.start) if names else np.zeros(0, dtype=bool)
    found = [name for name, does in zip(names, varies, strict=True) if does]
    return found[0] if len(found) == 1 else None


def random_effects(fit: RandomEffectsFit) -> pd.DataFrame:
    """Predicted random effects: `patient`, `observations`, then one column per random term."""
    own = _predicted(fit)
    table = pd.DataFrame({"patient": own.patients, "observations": own.observations})
    return pd.concat([table, pd.DataFrame(own.effects, columns=list(fit.random_terms))], axis=1)


def predict_patients(
    fit: RandomEffectsFit,
    at: Any,
    *,
    level: float = 0.95,
    interval: Literal["course", "score"] = "course",
) -> pd.DataFrame:
    """Predicted courses of single patients.

    Parameters
    ----------
    at : a data frame with the patient and the variables of the model (the outcome is not needed), or a sequence of
        values of the model's time variable, at which every patient of the fit is predicted.
    interval : of the patient's "course", or of a single "score", which adds the residual variance.

    Returns
    -------
    DataFrame: the columns of `at` that the model uses, observations (rows the prediction draws on; 0 for a patient who
    was not in the fit and gets the mean course, with the spread between patients in the interval), fixed (x'beta),
    predicted (x'beta + z'u), se, lower, upper (normal quantiles), on the scale of the outcome that was fitted.

    Raises
    ------
    ParameterError : values without a single time variable, unknown interval, a model without an optimum.
    DataError : columns or levels that the model does not know; missing values.
    """
    if interval not in ("course", "score"):
        raise ParameterError(Problem("E301", "interval", f"{interval!r} is unknown", "choose course or score"))
    own = _predicted(fit)
    frame = _rows_at(fit, at)
    X = fit.recipe.rows(frame)
    Z = fit.random_recipe.rows(categorised(frame, fit.random_recipe.levels))
    estimable = fit.estimable(X)
    X = X[:, fit.basis.kept]
    row = own.patients.get_indexer(pd.Index(frame[fit.recipe.patient]))
    known = row >= 0
    effects = np.where(known[:, None], own.effects[row], 0.0)
    error = np.where(known[:, None, None], own.error[row], np.asarray(fit.covariance))
    cross = np.where(known[:, None, None], own.cross[row], 0.0)
    variance = np.einsum("rp,pv,rv->r", X, own.beta_covariance, X) + np.einsum("ra,rab,rb->r", Z, error, Z)
    variance += 2 * np.einsum("rp,rpa,ra->r", X, cross, Z) + (fit.residual_variance if interval == "score" else 0.0)
    kept = fit.coefficients["estimate"].to_numpy()[fit.basis.kept]
    fixed = np.where(estimable, X @ kept, np.nan)
    predicted, se = fixed + (Z * effects).sum(axis=1), np.sqrt(np.maximum(variance, 0.0))
    half = float(ndtri((1 + level) / 2)) * se
    return frame.assign(
        observations=np.where(known, own.observations[row], 0),
        fixed=fixed,
        predicted=predicted,
        se=se,
        lower=predicted - half,
        upper=predicted + half,
    )


def _predicted(fit: RandomEffectsFit) -> PatientEffects:
    if fit.patient_effects is None:
        raise ParameterError(Problem("E301", "fit", f"has no predictions: {fit.status}, {fit.message}"))
    return fit.patient_effects


def _rows_at(fit: RandomEffectsFit, at: Any) -> pd.DataFrame:
    """The rows to predict, with the columns the model uses."""
    columns = [fit.recipe.patient, *_variables(fit)]
    if isinstance(at, Sequence | np.ndarray):
        frame = _every_patient(fit, np.asarray(at, dtype=float))[columns]
    else:
        frame = to_frame(at, columns)
    missing = [name for name in columns if frame[name].isna().any()]
    if missing:
        raise DataError([Problem("E306", f"column {name}", "has missing values") for name in missing])
    return categorised(frame, {**fit.recipe.levels, **fit.random_recipe.levels})


def _variables(fit: RandomEffectsFit) -> list[str]:
    names = [*fit.recipe.levels, *fit.recipe.numeric, *fit.random_recipe.levels, *fit.random_recipe.numeric]
    return [name for name in dict.fromkeys(names) if name != fit.recipe.patient]


def _every_patient(fit: RandomEffectsFit, values: Array) -> pd.DataFrame:
    """The profile of every patient at every value of the time variable."""
    if fit.time is None:
        what = "not one numeric variable, and one only, changes within patients"
        raise ParameterError(Problem("E301", "at", what, "give a data frame of rows to predict"))
    frame = fit.profiles.loc[fit.profiles.index.repeat(len(values))].reset_index(drop=True)
    frame[fit.time] = np.tile(values, len(fit.profiles))
    return frame
