"""Marginal probabilities of a binary endpoint by visit: a logistic model with generalised estimating equations.

logit P(R_ij = 1) = beta_j, one parameter per visit, the answers of a patient correlated by a working matrix. The
covariance is the bias-reduced sandwich of Mancl & DeRouen (2001, Biometrics 57:126), the interval is beta_j +/- z SE on
the logit scale, transformed back. A visit at which all or none respond has no finite logit and no estimate.
"""

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from easitrace.errors import ParameterError, Problem

Working = Literal["exchangeable", "independence"]
COLUMNS = ("visit", "responders", "n", "estimate", "se", "probability", "lower", "upper", "working", "message")


def marginal_probabilities(
    data: pd.DataFrame,
    *,
    response: str,
    patient: str,
    visit: str,
    working: str = "exchangeable",
    level: float = 0.95,
) -> pd.DataFrame:
    """Probability of response at each visit, with an interval that is symmetric on the logit scale.

    Parameters
    ----------
    data : DataFrame
        One row per patient and visit; rows whose response (true, false or 0, 1) is missing are not used.
    working : "exchangeable" or "independence"
        Correlation assumed between the visits of a patient. Where the exchangeable model cannot be fitted, the
        independence model takes its place, and `message` says so.

    Returns
    -------
    DataFrame
        `visit` (in order), `responders`, `n`, `estimate` and `se` (logit), `probability`, `lower`, `upper`, `working`,
        `message`. Numbers are missing, and `message` says why, at a visit where all or none respond.

    Raises
    ------
    ParameterError
        E301, for an unknown working correlation, or a level that is not between 0.5 and 1.
    """
    _check(working, level)
    known = data.loc[data[response].notna(), [patient, visit, response]]
    counts = known.groupby(visit, observed=True)[response].agg(responders="sum", n="size").reset_index()
    counts = counts.rename(columns={visit: "visit"}).astype({"responders": int, "n": int})
    mixed = (counts["responders"] > 0) & (counts["responders"] < counts["n"])
    used = known[known[visit].isin(counts.loc[mixed, "visit"])]
    table = counts.assign(estimate=np.nan, se=np.nan, working="", message=[_separation(*c) for c in _pairs(counts)])
    if mixed.any():
        codes = pd.Categorical(used[visit], categories=list(counts.loc[mixed, "visit"])).codes
        answers = used[response].to_numpy(float)
        estimate, se, done, message = _fitted(answers, codes, used[patient].to_numpy(), working)
        for name, value in (("estimate", estimate), ("se", se), ("working", done), ("message", message)):
            table.loc[mixed, name] = value
    probability, lower, upper = logit_interval(table["estimate"], table["se"], level)
    return table.assign(probability=probability, lower=lower, upper=upper)[list(COLUMNS)]


def is_separated(X: ArrayLike, y: ArrayLike) -> bool:
    """Whether a logistic regression of y (n,) on X (n, p) has no finite maximum likelihood estimate.

    So it is when some combination of the columns is at least 0 in all that respond and at most 0 in all others, without
    being 0 everywhere (Albert & Anderson 1984, Biometrika 71:1); found by a linear programme (Konis 2007).
    """
    from scipy.optimize import linprog

    signed = np.where(np.asarray(y, dtype=float) > 0, 1.0, -1.0)[:, None] * np.asarray(X, dtype=float)
    size = np.abs(signed).max(axis=0)
    unit = signed / np.where(size > 0, size, 1.0)
    found = linprog(-unit.sum(axis=0), A_ub=-unit, b_ub=np.zeros(len(unit)), bounds=(-1, 1), method="highs")
    return bool(-found.fun > 1e-7)


def _check(working: str, level: float) -> None:
    if working not in get_args(Working):
        raise ParameterError(
            Problem("E301", "working", f"{working!r} is unknown", f"choose {' or '.join(get_args(Working))}")
        )
    if not 0.5 < level < 1:
        raise ParameterError(Problem("E301", "level", f"{level} is not between 0.5 and 1"))


def _pairs(counts: pd.DataFrame) -> list[list[int]]:
    pairs: list[list[int]] = counts[["responders", "n"]].to_numpy().tolist()
    return pairs


def _separation(responders: int, n: int) -> str:
    if 0 < responders < n:
        return ""
    return f"{'none' if responders == 0 else 'all'} of {n} responded, which has no finite logit"


def _fitted(answers: Any, codes: Any, patients: Any, working: str) -> tuple[Any, Any, str, str]:
    """Logits and their SE by visit, the working correlation that was used, and why when it is not the one asked for."""
    found = _gee(answers, codes, patients, working)
    if found is not None:
        return *found, working, ""
    found = _gee(answers, codes, patients, "independence") if working != "independence" else None
    if found is not None:
        return *found, "independence", f"{working} correlation not estimable, independence used"
    return np.nan, np.nan, "", "estimating equations without a solution"


def _gee(answers: Any, codes: Any, patients: Any, working: str) -> tuple[Any, Any] | None:
    """Logits and their SE; None when the estimating equations have no solution that can be trusted."""
    import warnings

    from statsmodels.genmod.cov_struct import Exchangeable, Independence
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE
    from statsmodels.tools.sm_exceptions import ConvergenceWarning

    X = (codes[:, None] == np.arange(codes.max() + 1)).astype(float)
    structure = Exchangeable() if working == "exchangeable" else Independence()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.simplefilter("error", RuntimeWarning)
        model = GEE(answers, X, groups=patients, family=Binomial(), cov_struct=structure)
        try:
            fit = model.fit(cov_type="bias_reduced", maxiter=200)
        except (ConvergenceWarning, RuntimeWarning, ValueError, ZeroDivisionError, np.linalg.LinAlgError):
            return None
        trusted = np.isfinite(fit.params).all() and np.isfinite(fit.bse).all() and (fit.bse > 0).all()
    return (fit.params, fit.bse) if trusted else None


def logit_interval(estimate: Any, se: Any, level: float) -> tuple[Any, Any, Any]:
    """Probability and limits from a logit and its standard error: estimate +/- z SE, transformed back."""
    from scipy.special import expit
    from scipy.stats import norm

    half = norm.ppf((1 + level) / 2) * se
    return expit(estimate), expit(estimate - half), expit(estimate + half)
