"""The one table of covariance structures: parameters theta -> Sigma with exact first and second derivatives.

A structure is known in up to three sets of parameters ("scales"):

* `working`  what the optimiser moves, unconstrained: log standard deviations; Fisher's z of correlations;
             a logistic onto (-1/(J-1), 1) for compound symmetry; the modified Cholesky factorisation
             T Sigma T' = D for the unstructured matrix (Pourahmadi 1999, Biometrika 86:677);
             a plain Cholesky factor for random effects.
* `natural`  variances and covariances where Sigma is linear in them (us, cs, toep, random effects), variances and
             correlations otherwise. Kenward-Roger takes second derivatives here, as SAS ddfm=kr does.
* `mmrm`     the parameters of R package mmrm: log standard deviations, rho = t / sqrt(1 + t^2),
             the logistic for compound symmetry, a row-scaled unit Cholesky factor for us.

Every map returns `Surface(value, first, second)`: Sigma (J, J), dSigma/dtheta_a (q, J, J),
d2Sigma/dtheta_a dtheta_b (q, q, J, J). A new structure is one entry of `STRUCTURES`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from easitrace.covariance.correlation import (
    ANTEDEPENDENCE,
    AUTOREGRESSIVE,
    EQUICORRELATION,
    TOEPLITZ,
    Family,
    correlated,
)
from easitrace.covariance.factors import (
    effects_covariance,
    entry_bases,
    equal_bases,
    lag_bases,
    linear,
    modified_cholesky,
    modified_cholesky_parameters,
    modified_cholesky_value,
    random_design,
    random_effects,
    row_scaled_cholesky,
    row_scaled_parameters,
    slope_bases,
)
from easitrace.covariance.links import FISHER_Z, IDENTITY, LOG_SD, RATIO, VARIANCE, equicorrelation_link
from easitrace.covariance.surface import Array, Scale, Surface
from easitrace.errors import ParameterError, Problem

__all__ = ["STRUCTURES", "Array", "Scale", "ScaleName", "Structure", "Surface", "start", "structure"]

ScaleName = Literal["working", "natural", "mmrm"]
LARGEST_START_CORRELATION = 0.95
LEAST_EFFECT_SHARE = 1e-8  # of the total variance, below which a random effect has none


@dataclass(frozen=True)
class Structure:
    """An entry of the table: its words, its parameter count, its scales; `effects` counts random effects."""

    name: str
    label: str
    count: Callable[[int], int]
    scales: dict[ScaleName, Scale]
    needs_times: bool = False
    effects: int = 0

    def scale(self, name: ScaleName) -> Scale:
        """The parameter set called `name`; ParameterError when the structure has none of that name."""
        if name not in self.scales:
            what = f"covariance {self.name!r} has no {name!r} parameters"
            raise ParameterError(Problem("E301", "covariance", what, f"choose one of {sorted(self.scales)}"))
        return self.scales[name]

    def explain_boundary(self, sigmas: Sequence[Array], times: Array) -> str:
        """Which variance of the random effects has become zero in a group's Sigma, in words; "" when none has."""
        if not self.effects:
            return ""
        for sigma in sigmas:
            natural = self.scales["natural"].parameters(sigma, times)
            G = effects_covariance(natural[1:], self.effects)
            unit = np.sqrt(np.mean(random_design(times, self.effects) ** 2, axis=0))
            share = np.linalg.eigvalsh(G * np.outer(unit, unit))[0] / np.mean(np.diag(sigma))
            if share < LEAST_EFFECT_SHARE:
                return f"covariance of the {self.label} is at its boundary: a variance of it is estimated as 0"
        return ""


def _family_structure(
    name: str, label: str, family: Family, heterogeneous: bool, natural: Scale | None = None
) -> Structure:
    """A structure diag(s) R(rho) diag(s) with its three scales."""
    logistic = family is EQUICORRELATION
    scales: dict[ScaleName, Scale] = {
        "working": correlated(family, heterogeneous, LOG_SD, equicorrelation_link if logistic else lambda J: FISHER_Z),
        "natural": natural or correlated(family, heterogeneous, VARIANCE, lambda J: IDENTITY),
        "mmrm": correlated(family, heterogeneous, LOG_SD, equicorrelation_link if logistic else lambda J: RATIO),
    }
    return Structure(name, label, lambda J: (J if heterogeneous else 1) + family.count(J), scales)


STRUCTURES: dict[str, Structure] = {
    entry.name: entry
    for entry in (
        Structure(
            "us",
            "unstructured",
            lambda J: J * (J + 1) // 2,
            {
                "working": Scale(modified_cholesky, modified_cholesky_parameters, modified_cholesky_value),
                "natural": linear(entry_bases),
                "mmrm": Scale(row_scaled_cholesky, row_scaled_parameters),
            },
        ),
        _family_structure("toeph", "heterogeneous Toeplitz", TOEPLITZ, True),
        _family_structure("toep", "Toeplitz", TOEPLITZ, False, linear(lag_bases)),
        _family_structure("ar1h", "heterogeneous first-order autoregressive", AUTOREGRESSIVE, True),
        _family_structure("ar1", "first-order autoregressive", AUTOREGRESSIVE, False),
        _family_structure("csh", "heterogeneous compound symmetry", EQUICORRELATION, True),
        _family_structure("cs", "compound symmetry", EQUICORRELATION, False, linear(equal_bases)),
        _family_structure("adh", "heterogeneous ante-dependence", ANTEDEPENDENCE, True),
        _family_structure("ad", "ante-dependence", ANTEDEPENDENCE, False),
        Structure(
            "random-intercept",
            "random intercept",
            lambda J: 2,
            {"working": random_effects(1), "natural": linear(equal_bases)},
            effects=1,
        ),
        Structure(
            "random-slope",
            "random intercept and slope in visit time",
            lambda J: 4,
            {"working": random_effects(2), "natural": linear(slope_bases)},
            needs_times=True,
            effects=2,
        ),
    )
}


def structure(name: str) -> Structure:
    """The entry of the table called `name`; ParameterError names the entries there are."""
    if name not in STRUCTURES:
        remedy = f"choose one of {', '.join(STRUCTURES)}"
        raise ParameterError(Problem("E301", "covariance", f"unknown covariance structure {name!r}", remedy))
    return STRUCTURES[name]


def start(entry: Structure, sigma: Array, times: Array) -> Array:
    """Working parameters of a member near `sigma` (J, J); correlations shrink until it is positive definite."""
    sd = np.sqrt(np.diag(sigma))
    R = np.clip(sigma / np.outer(sd, sd), -LARGEST_START_CORRELATION, LARGEST_START_CORRELATION)
    np.fill_diagonal(R, 1.0)
    for shrink in (1.0, 0.9, 0.75, 0.5, 0.25, 0.0):
        shrunk = (shrink * R + (1 - shrink) * np.eye(len(R))) * np.outer(sd, sd)
        if np.linalg.eigvalsh(shrunk).min() <= 0:
            continue
        theta = entry.scales["working"].parameters(shrunk, times)
        value = entry.scales["working"].value(theta, times)
        if np.all(np.isfinite(theta)) and np.linalg.eigvalsh(value).min() > 1e-3 * np.diag(value).min():
            return theta
    raise AssertionError("the identity belongs to every structure")
