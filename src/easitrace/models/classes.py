"""Latent class trajectories: K classes of patients, each with a mean course of its own (growth mixture model).

The model. Patient i belongs to one of K classes, c_i, unseen, and is measured n_i times:

    P(c_i = k) = pi_k,      y_i | c_i = k  ~  N(X_i beta_k, V_i),      V_i = Z_i D Z_i' + s^2 I

X_i beta_k is the mean course of class k: every term of the formula has a coefficient per class. The random effects
(Z_i: an intercept, or intercept and slope) have the covariance D, and measurements the residual variance s^2, in all
classes alike. So patients of one class differ in level, and classes differ in course. Maximum likelihood:

    l = sum_i log sum_k pi_k N(y_i; X_i beta_k, V_i),      w_ik = P(c_i = k | y_i)   (posterior)

by EM from many starts (`mixture_em`), then Newton on the exact Hessian (`mixture`, `mixture_search`), whose inverse at
the optimum gives the standard errors. With K = 1 this is the linear mixed model with random effects.
Sources: Muthén & Shedden 1999, Biometrics 55:463; Proust-Lima, Philipps & Liquet 2017, J Stat Softw 78(2) (lcmm, hlme);
van de Schoot et al. 2017, Struct Equ Modeling 24:451 (GRoLTS: what a report must say).
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from easitrace.covariance import Array
from easitrace.errors import ParameterError, Problem
from easitrace.models.class_data import ClassData, collect_patients
from easitrace.models.class_fit import (
    ClassEstimates,
    ClassFit,
    ClassStatus,
    coefficient_table,
    entropy,
    free_parameters,
    information_criteria,
    no_estimates,
    own_units,
    posterior_table,
    size_table,
)
from easitrace.models.mixture import Mixture, densities, expand, weigh
from easitrace.models.mixture_search import Search, search
from easitrace.models.newton import Local, smallest_eigenvalue
from easitrace.models.threads import one_thread

UNIDENTIFIED = 1e-7  # smallest eigenvalue of the Hessian scaled to a unit diagonal
NO_RANDOM_VARIANCE = 1e-8  # smallest eigenvalue of D over the residual variance, in the basis
FEW_AT_BEST = 0.2  # of the starts, and at least two of them
SMALL_CLASS = 0.05  # of the patients
FEW_IN_CLASS = 5  # patients


def fit_classes(
    formula: str,
    data: Any,
    *,
    patient: str,
    classes: int,
    random: str = "1",
    starts: int = 50,
    seed: int = 0,
    level: float = 0.95,
) -> ClassFit:
    """Fit a growth mixture model by maximum likelihood.

    Parameters
    ----------
    formula : "outcome ~ terms"; every term has a coefficient in every class. The first variable that changes within
        patients is taken as time (numbers by size, categoricals by their order, text by the alphabet): classes are
        numbered in ascending order of the mean at the last time.
    data : data frame, one row per patient and time; rows with a missing value are left out and counted.
    patient : column that names the patient.
    classes : number of classes K; one class needs, and gets, one start only.
    random : right-hand side of the random effects: "1" intercept, "1 + time" intercept and slope, "0" none.
    starts : number of starts; each is taken to its own optimum.
    seed : of the starts; the first starts of a longer search are those of a shorter one.
    level : confidence level of the table of coefficients.

    Returns
    -------
    ClassFit, whatever its `status`; statistic, P and interval only when that is "converged". "not replicated": the best
    optimum was reached by fewer than 2 starts, or fewer than 20 % of them. "not identifiable": before fitting, fewer
    patients with enough visits (K + 1, and one more than random effects) than parameters; after it, singular
    information or a likelihood without bound. "empty class": nobody is assigned to a class. "singular": D has no
    inverse. The other statuses are those of `fit_mmrm`. `message` says why.

    Raises
    ------
    DataError : the data cannot be used as they are. ParameterError : an option that does not exist or apply.
    """
    check_search(classes, starts, seed, level)
    with one_thread():
        return fit_collected(
            collect_patients(formula, data, patient=patient, random=random), classes, starts, seed, level
        )


def check_search(classes: int, starts: int, seed: int, level: float) -> None:
    """ParameterError when an option has a value that it cannot have."""
    for name, value, least in (("classes", classes, 1), ("starts", starts, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ParameterError(Problem("E301", name, f"{value!r} is not a whole number from {least} on"))
    if not 0 < level < 1:
        raise ParameterError(Problem("E301", "level", f"{level} is not between 0 and 1"))


def fit_collected(data: ClassData, classes: int, starts: int, seed: int, level: float) -> ClassFit:
    """`fit_classes` for patients already collected."""
    if data.basis.perfect:
        what = f"the mean fits {data.fixed.outcome} perfectly (is it constant?)"
        return _unfitted(data, classes, level, "not started", what)
    if reason := too_little(data, classes):
        return _unfitted(data, classes, level, "not identifiable", reason)
    found = search(data.patients, data.basis.anchor_in_basis, classes, starts, seed)
    if found.best is None or found.best.mixture is None:
        return _unfitted(data, classes, level, "not identifiable", "no start gave every class patients enough", found)
    mixture = found.best.mixture
    local = expand(data.patients, mixture)
    estimates = _estimates(data, mixture, local)
    verdict = judge(data, found, mixture, local, estimates)
    return _result(data, classes, level, verdict, estimates, found)


def too_little(data: ClassData, classes: int) -> str:
    """Why so few visits or patients cannot carry so many classes, "" when they may."""
    visits = data.patients.visits[data.patients.pattern]
    q, parameters = len(data.basis.random_root), free_parameters(data, classes)
    need = max(q + 1, classes + 1 if classes > 1 else 1)
    most, enough = int(visits.max()), int((visits >= need).sum())
    if most < need:
        carried = (
            f"{classes} classes"
            if classes + 1 == need
            else f"random effects {data.random.formula.split('~')[1].strip()}"
        )
        return f"too few visits: {most} per patient at most cannot carry {carried}, which need {need}"
    if classes > 1 and enough <= parameters:
        return f"too few patients: {enough} with at least {need} visits for {parameters} parameters"
    return ""


class Verdict(NamedTuple):
    """Status and the reason in words."""

    status: ClassStatus
    message: str


def judge(data: ClassData, found: Search, mixture: Mixture, local: Local, estimates: ClassEstimates) -> Verdict:
    """Whether the best optimum can be trusted: the first of the ladder's steps that fails."""
    patients = np.bincount(estimates.posterior.argmax(axis=1), minlength=mixture.classes)
    at_best, starts = sum(found.at_best), len(found.attempts)
    end = found.best.end if found.best else "no estimate"
    ladder: list[tuple[bool, ClassStatus, str]] = [
        (
            end == "perfect fit",
            "not identifiable",
            "likelihood without bound: the residual variance falls to zero",
        ),
        (
            end == "empty class" or patients.min() == 0,
            "empty class",
            f"no patient is assigned to class {int(patients.argmin()) + 1}",
        ),
        (end == "maxit", "maxit", "no optimum was reached from the best start"),
        (end == "precision-limited", "precision-limited", "the likelihood cannot be raised further"),
        (random_is_singular(mixture), "singular", _no_variance(data, mixture)),
        (
            smallest_eigenvalue(local.hessian) < UNIDENTIFIED,
            "not identifiable",
            "singular information: the data do not determine every parameter",
        ),
        (
            mixture.classes > 1 and at_best < max(2, FEW_AT_BEST * starts),
            "not replicated",
            f"best log-likelihood reached from {at_best} of {starts} starts only: a higher one may have been missed",
        ),
    ]
    failed = [Verdict(status, message) for fails, status, message in ladder if fails]
    return failed[0] if failed else Verdict("converged", "")


def random_is_singular(mixture: Mixture) -> bool:
    """Whether D has no inverse to working accuracy, beside the residual variance."""
    sizes = np.linalg.svd(mixture.root, compute_uv=False)
    return bool((sizes**2 < NO_RANDOM_VARIANCE).any())


def _no_variance(data: ClassData, mixture: Mixture) -> str:
    terms = " and ".join(data.random.columns)
    between = "beside the classes" if mixture.classes > 1 else "beside the residual"
    if len(mixture.root) == 1:
        return f'random effects ({terms}) have no variance {between}; the fit equals that with random="0"'
    return f"the covariance matrix of the random effects ({terms}) is singular {between}; leave a term out"


def _estimates(data: ClassData, mixture: Mixture, local: Local) -> ClassEstimates:
    """Estimates in the outcome's units; standard errors where the information has an inverse."""
    if smallest_eigenvalue(local.hessian) >= UNIDENTIFIED:
        inverse = np.asarray(np.linalg.inv(local.hessian), dtype=float)
    else:
        inverse = np.full_like(local.hessian, np.nan)
    found = densities(data.patients, weigh(data.patients, mixture.root), mixture)
    return own_units(data, mixture, found, inverse, -local.gradient)


def _unfitted(
    data: ClassData, classes: int, level: float, status: ClassStatus, reason: str, found: Search | None = None
) -> ClassFit:
    return _result(
        data, classes, level, Verdict(status, reason), no_estimates(data, classes), found or Search((), None)
    )


def _result(
    data: ClassData, classes: int, level: float, verdict: Verdict, estimates: ClassEstimates, found: Search
) -> ClassFit:
    """The frozen result."""
    parameters, n = free_parameters(data, classes), data.patients.n
    sizes = size_table(estimates)
    names = list(data.random.columns)
    return ClassFit(
        formula=data.fixed.formula,
        random=data.random.formula.split("~", 1)[1].strip(),
        classes=classes,
        level=level,
        status=verdict.status,
        message=_with_warnings(data, verdict, sizes),
        coefficients=coefficient_table(data, estimates, level, verdict.status == "converged"),
        log_likelihood=estimates.log_likelihood,
        parameters=parameters,
        **information_criteria(estimates.log_likelihood, parameters, n),
        entropy=entropy(estimates.posterior),
        sizes=sizes,
        posterior=posterior_table(data, estimates),
        random_covariance=pd.DataFrame(estimates.D, index=names, columns=names),
        residual_variance=estimates.residual_variance,
        beta_covariance=estimates.covariance,
        starts=start_table(data, found),
        starts_at_best=sum(found.at_best),
        n_patients=n,
        n_observations=data.patients.n_observations,
        gradient=estimates.gradient,
        dropped_rows=data.dropped_rows,
        dropped_terms=tuple(data.fixed.columns[c] for c in data.basis.dropped),
        data=data,
    )


def start_table(data: ClassData, found: Search) -> pd.DataFrame:
    """start, short_log_likelihood, log_likelihood, end, at_best, one row per start."""
    shift = -data.patients.n_observations * float(np.log(data.basis.scale))

    def values(name: str) -> Array:
        return np.array([getattr(attempt, name) for attempt in found.attempts], dtype=float) + shift

    return pd.DataFrame(
        {
            "start": np.arange(1, len(found.attempts) + 1),
            "short_log_likelihood": values("short"),
            "log_likelihood": values("final"),
            "end": [attempt.end for attempt in found.attempts],
            "at_best": np.array(found.at_best, dtype=bool),
        }
    )


def _with_warnings(data: ClassData, verdict: Verdict, sizes: pd.DataFrame) -> str:
    """The message with what a reader must know: small classes, terms and rows left out."""
    parts = [verdict.message] if verdict.message else []
    small = sizes[(sizes["percent"] < 100 * SMALL_CLASS) | (sizes["patients"] < FEW_IN_CLASS)]
    parts += [f"class {row['class']:.0f} has few patients: {row['patients']:.0f}" for _, row in small.iterrows()]
    if len(data.basis.dropped):
        terms = ", ".join(data.fixed.columns[c] for c in data.basis.dropped)
        parts.append(f"collinear with earlier columns, left out: {terms}")
    if data.dropped_rows:
        counts = ", ".join(f"{name} {count}" for name, count in data.dropped_rows.items())
        parts.append(f"rows left out for a missing value: {counts}")
    return "; ".join(parts)
