"""The result of a latent class model: frozen, in the outcome's units, with the record of all starts."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from easitrace.covariance import Array
from easitrace.models.class_data import ClassData
from easitrace.models.design import to_frame
from easitrace.models.mixture import Densities, Mixture, n_parameters

ClassStatus = Literal[
    "converged",
    "not replicated",
    "not identifiable",
    "empty class",
    "singular",
    "precision-limited",
    "maxit",
    "not started",
]


@dataclass(frozen=True)
class ClassFit:
    """A fitted latent class model; classes are numbered in ascending order of their mean at the last time.

    coefficients : class, term, estimate, se, statistic, p, lower, upper (Wald; from statistic on missing unless
    `status` is "converged"); log_likelihood, aic, bic, adjusted_bic : maximum likelihood, bic counts patients;
    parameters : free parameters; entropy : 1 + sum w log w / (n log K), 1 when every patient's class is certain;
    sizes : class, patients (by their likeliest class), percent, probability (pi_k) and its se, mean_posterior (of the
    class in the patients assigned to it), odds_of_correct_classification; posterior : patient, class, probability_1 ...
    probability_K; random_covariance : D by term of `random`; residual_variance; beta_covariance (K p, K p) of the
    terms kept, class after class; starts : start, short_log_likelihood, log_likelihood, end, at_best; starts_at_best :
    how many reached the best; gradient : of the log-likelihood at the estimates, in the basis of the computation;
    dropped_rows : rows left out by the column that was missing; dropped_terms : collinear terms, later ones.
    """

    formula: str
    random: str
    classes: int
    level: float
    status: ClassStatus
    message: str
    coefficients: pd.DataFrame
    log_likelihood: float
    parameters: int
    aic: float
    bic: float
    adjusted_bic: float
    entropy: float
    sizes: pd.DataFrame
    posterior: pd.DataFrame
    random_covariance: pd.DataFrame
    residual_variance: float
    beta_covariance: Array
    starts: pd.DataFrame
    starts_at_best: int
    n_patients: int
    n_observations: int
    gradient: Array
    dropped_rows: dict[str, int]
    dropped_terms: tuple[str, ...]
    data: ClassData = field(repr=False)

    def __repr__(self) -> str:
        return (
            f"ClassFit({self.formula!r}, {self.classes} classes: {self.status}, {self.n_patients} patients, "
            f"{self.n_observations} observations, log-likelihood {self.log_likelihood:.4f}, "
            f"{self.starts_at_best} of {len(self.starts)} starts)"
        )


@dataclass(frozen=True)
class ClassEstimates:
    """What is estimated, in the outcome's units.

    log_likelihood; beta (K, p) of the terms kept, with covariance (K p, K p); share (K,) with share_se (K,); D (q, q);
    residual_variance; posterior (n, K) in the order of `ClassData.ids`; gradient (m,) in the basis.
    """

    log_likelihood: float
    beta: Array
    covariance: Array
    share: Array
    share_se: Array
    D: Array
    residual_variance: float
    posterior: Array
    gradient: Array


def no_estimates(data: ClassData, classes: int) -> ClassEstimates:
    """The same shapes, all missing."""
    p, q = len(data.basis.kept), len(data.basis.random_root)
    shapes = ((classes, p), (classes * p,) * 2, (classes,), (classes,), (q, q))
    beta, covariance, share, share_se, D = (np.full(shape, np.nan) for shape in shapes)
    posterior = np.full((len(data.ids), classes), np.nan)
    return ClassEstimates(np.nan, beta, covariance, share, share_se, D, np.nan, posterior, np.zeros(0))


def own_units(data: ClassData, mixture: Mixture, found: Densities, inverse: Array, gradient: Array) -> ClassEstimates:
    """Estimates in the outcome's units; `inverse` is the covariance of theta in the basis, or missing."""
    basis, (K, p) = data.basis, mixture.beta.shape
    back = basis.scale * np.linalg.inv(basis.root)
    wide = np.kron(np.eye(K), back)
    by_logit = (np.diag(mixture.share) - np.outer(mixture.share, mixture.share))[:, :-1]
    logits = slice(K * p, K * p + K - 1)
    half = np.exp(mixture.log_sd) * basis.scale * np.linalg.solve(basis.random_root, mixture.root)
    return ClassEstimates(
        found.log_likelihood - data.patients.n_observations * float(np.log(basis.scale)),
        basis.origin + mixture.beta @ back.T,
        wide @ inverse[: K * p, : K * p] @ wide.T,
        mixture.share,
        np.sqrt(np.einsum("kj,jl,kl->k", by_logit, inverse[logits, logits], by_logit)),
        half @ half.T,
        float(np.exp(2 * mixture.log_sd)) * basis.scale**2,
        found.posterior.T[data.place],
        gradient,
    )


def coefficient_table(data: ClassData, found: ClassEstimates, level: float, tested: bool) -> pd.DataFrame:
    """class, term, estimate, se, statistic, p, lower, upper; terms dropped as collinear are missing."""
    K, terms = len(found.share), data.fixed.columns
    estimate, se = (np.full((K, len(terms)), np.nan) for _ in range(2))
    estimate[:, data.basis.kept] = found.beta
    se[:, data.basis.kept] = np.sqrt(np.diag(found.covariance)).reshape(K, -1)
    labels = {"class": np.repeat(np.arange(1, K + 1), len(terms)), "term": list(terms) * K}
    return pd.DataFrame({**labels, **wald(estimate.ravel(), se.ravel(), level, tested)})


def wald(estimate: Array, se: Array, level: float, tested: bool) -> dict[str, Array]:
    """estimate, se, statistic, p, lower, upper by the normal distribution; the last four only when `tested`."""
    known = np.where(se > 0, se, np.nan) if tested else np.full_like(se, np.nan)
    statistic, half = estimate / known, ndtri((1 + level) / 2) * known
    tests = {"statistic": statistic, "p": 2 * ndtr(-np.abs(statistic)), "lower": estimate - half}
    return {"estimate": estimate, "se": se, **tests, "upper": estimate + half}


def posterior_table(data: ClassData, found: ClassEstimates) -> pd.DataFrame:
    """patient, class, probability_1 ... probability_K; the class is missing where the probabilities are."""
    K = len(found.share)
    assigned = pd.Series(found.posterior.argmax(axis=1) + 1, dtype="Int64").mask(np.isnan(found.posterior[:, 0]))
    columns = {f"probability_{k + 1}": found.posterior[:, k] for k in range(K)}
    return pd.DataFrame({"patient": data.ids, "class": assigned, **columns})


def size_table(found: ClassEstimates) -> pd.DataFrame:
    """Sizes and how well patients are classified (Nagin 2005; van de Schoot 2017, items 13 to 15)."""
    n, K = found.posterior.shape
    missing = np.isnan(found.posterior).any()
    assigned = found.posterior.argmax(axis=1)
    patients = np.bincount(assigned, minlength=K)
    sums = np.bincount(assigned, weights=found.posterior.max(axis=1), minlength=K)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums / patients
        odds = mean / (1 - mean) / (found.share / (1 - found.share))
    counted = {
        "patients": np.where(missing, np.nan, patients),
        "percent": np.where(missing, np.nan, 100 * patients / n),
    }
    fitted = {"probability": found.share, "se": found.share_se, "mean_posterior": mean}
    return pd.DataFrame({"class": np.arange(1, K + 1), **counted, **fitted, "odds_of_correct_classification": odds})


def entropy(posterior: Array) -> float:
    """1 + sum w log w / (n log K) of posterior probabilities (n, K); 1 for one class."""
    n, K = len(posterior), posterior.shape[1]
    if K == 1:
        return 1.0
    logs = np.log(np.where(posterior > 0, posterior, 1.0))
    return 1.0 + float((posterior * logs).sum()) / (n * float(np.log(K)))


def information_criteria(log_likelihood: float, parameters: int, n: int) -> dict[str, float]:
    """aic, bic and sample-size adjusted bic (Sclove 1987, Psychometrika 52:333), n = patients."""
    deviance = -2 * log_likelihood
    return {
        "aic": deviance + 2 * parameters,
        "bic": deviance + parameters * float(np.log(n)),
        "adjusted_bic": deviance + parameters * float(np.log((n + 2) / 24)),
    }


def free_parameters(data: ClassData, classes: int) -> int:
    """Free parameters with K classes."""
    return n_parameters(classes, len(data.basis.kept), len(data.basis.random_root))


def class_means(fit: ClassFit, at: Any, level: float | None = None) -> pd.DataFrame:
    """Mean course of every class at the rows of `at`, on the scale the model was fitted on.

    Parameters
    ----------
    fit : a latent class fit.
    at : data frame with the variables of the formula's right-hand side, say one row per week.
    level : confidence level, by default that of the fit.

    Returns
    -------
    class, the columns of `at`, estimate, se, lower, upper: missing where `at` asks for what a term dropped as collinear
    would add; the interval is missing unless the fit converged.
    """
    frame = to_frame(at, list(at.columns))
    basis, K = fit.data.basis, fit.classes
    rows = fit.data.fixed.rows(frame)
    kept, dropped = rows[:, basis.kept], rows[:, basis.dropped]
    size = np.abs(rows).max(axis=1, keepdims=True)
    estimable = (np.abs(dropped - kept @ basis.dependence) <= 1e-7 * size).all(axis=1)
    beta = fit.coefficients["estimate"].to_numpy().reshape(K, -1)[:, basis.kept]
    blocks = fit.beta_covariance.reshape(K, len(basis.kept), K, len(basis.kept))
    estimate = np.where(estimable, beta @ kept.T, np.nan)
    variance = np.array([np.einsum("rp,po,ro->r", kept, blocks[k, :, k], kept) for k in range(K)])
    found = wald(estimate.ravel(), np.sqrt(variance).ravel(), level or fit.level, fit.status == "converged")
    labels = pd.concat([frame] * K, ignore_index=True)
    labels.insert(0, "class", np.repeat(np.arange(1, K + 1), len(frame)))
    return labels.assign(**{name: found[name] for name in ("estimate", "se", "lower", "upper")})
