"""The result of a fit: frozen, documented shapes, with the record of how the optimum was reached."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.models.basis import Basis
from easitrace.models.design import Recipe
from easitrace.models.inference import Estimates, FixedEffects, FTest, estimates, f_test
from easitrace.models.newton import Run

Status = Literal["converged", "precision-limited", "unidentified", "singular", "not started", "maxit"]


@dataclass(frozen=True)
class Optimum:
    """How the optimum was reached.

    runs : every start with its end; best : index of the run that was kept; theta (q,) : working parameters of
    Sigma / scale^2, group after group; gradient (q,) and hessian (q, q) of -log-likelihood there; smallest_eigenvalue :
    of the Hessian scaled to a unit diagonal; scale : the unit of the outcome in which Sigma was estimated.
    """

    runs: tuple[Run, ...]
    best: int
    theta: Array
    gradient: Array
    hessian: Array
    smallest_eigenvalue: float
    scale: float


@dataclass(frozen=True)
class Fit:
    """A fitted repeated-measures model.

    coefficients : term, estimate, se, df, statistic, p, lower, upper (missing for terms dropped as collinear; df,
    statistic, p and interval missing unless `status` is "converged"); log_likelihood (restricted under REML);
    aic, bic : count the covariance parameters under REML as mmrm and SAS do, and under ML the fixed effects too as SAS
    and nlme do (R mmrm does not); bic counts patients;
    covariance : (J, J), or a dict by group; beta_covariance : (p, p) of the terms kept;
    dropped_rows : rows left out by the column that was missing; dropped_terms : collinear terms, later ones;
    left_out : patients missing from shared statistics because too few had their visit pattern;
    tried : structures tried before this one with their status (fallback).
    """

    formula: str
    structure: str
    by: str | None
    reml: bool
    df: str
    information: str
    level: float
    coefficients: pd.DataFrame
    log_likelihood: float
    aic: float
    bic: float
    covariance: Array | dict[Any, Array]
    beta_covariance: Array
    visits: tuple[Any, ...]
    n_patients: int
    n_observations: int
    status: Status
    message: str
    optimum: Optimum | None
    dropped_rows: dict[str, int]
    dropped_terms: tuple[str, ...]
    left_out: int
    recipe: Recipe = field(repr=False)
    basis: Basis = field(repr=False)
    effects: FixedEffects | None = field(repr=False)
    covariate_means: dict[str, float] = field(repr=False)
    cells: dict[tuple[int, ...], int] = field(repr=False)
    tried: tuple[tuple[str, Status], ...] = ()

    def __repr__(self) -> str:
        groups = f" by {self.by}" if self.by else ""
        kind = "REML" if self.reml else "ML"
        return (
            f"Fit({self.formula!r}, covariance {self.structure}{groups}, {kind}, df {self.df}: {self.status}, "
            f"{self.n_patients} patients, {self.n_observations} observations, log-likelihood {self.log_likelihood:.4f})"
        )

    def estimate(self, L: Array, level: float) -> Estimates:
        """Estimates of L (m, all terms); missing where not estimable, from df onwards when not converged."""
        estimable = self.estimable(L)
        found = np.full((7, len(L)), np.nan)
        if self.effects is not None and estimable.any():
            kept = L[np.ix_(estimable, self.basis.kept)]
            found[:, estimable] = estimates(self.effects, self.basis.coordinates(kept), kept, level)
            if self.status != "converged":
                found[2:] = np.nan
        return Estimates(*found)

    def table(self) -> pd.DataFrame:
        """The coefficients, dropped terms held at zero: term, estimate, se, df, statistic, p, lower, upper."""
        terms = np.eye(len(self.recipe.columns))
        columns = np.full((7, len(terms)), np.nan)
        columns[:, self.basis.kept] = replace(self, basis=self.basis.without_dropped()).estimate(
            terms[self.basis.kept], self.level
        )
        return pd.DataFrame({"term": self.recipe.columns, **Estimates(*columns)._asdict()})

    def test(self, L: Array) -> FTest:
        """Joint F test of L (m, all terms); missing when not converged or a row is not estimable."""
        if self.effects is None or self.status != "converged" or not self.estimable(L).all():
            return FTest(0, np.nan, np.nan, np.nan)
        kept = L[:, self.basis.kept]
        return f_test(self.effects, self.basis.coordinates(kept), kept)

    def estimable(self, L: Array) -> NDArray[np.bool_]:
        """Whether each row of L (m, all terms) has one value whatever dropped terms would have been."""
        kept, dropped = L[:, self.basis.kept], L[:, self.basis.dropped]
        size = np.abs(L).max(axis=1, keepdims=True)
        agree: NDArray[np.bool_] = (np.abs(dropped - kept @ self.basis.dependence) <= 1e-7 * size).all(axis=1)
        return agree
