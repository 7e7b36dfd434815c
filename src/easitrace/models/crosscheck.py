"""A second opinion: the random-intercept model by statsmodels' MixedLM beside the engine's compound symmetry.

The two are the same model where the correlation between visits is not negative.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from easitrace.models.design import prepare
from easitrace.models.mmrm import fit_mmrm


@dataclass(frozen=True)
class CrossCheck:
    """How far apart two programs are on the same model.

    Attributes
    ----------
    estimate : float
        Largest difference of a coefficient, in its standard errors.
    sd : float
        Relative difference of the standard deviation of one score.
    correlation : float
        Correlation between visits by the engine; below 0 no random intercept can have it, and the programs differ.
    messages : tuple of str
        What the other program warned of.
    """

    estimate: float
    sd: float
    correlation: float
    messages: tuple[str, ...]


def random_intercept(formula: str, data: Any, *, patient: str, visit: str) -> CrossCheck:
    """Fit y_ij = x_ij'beta + b_i + e_ij twice, by restricted maximum likelihood, and compare the fixed effects."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    ours = fit_mmrm(formula, data, patient=patient, visit=visit, covariance="cs")
    recipe, rows = prepare(formula, data, patient, visit, None)
    kept = ours.coefficients["estimate"].notna().to_numpy()
    X = recipe.rows(rows.frame)[:, kept]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        theirs = MixedLM(rows.y, X, groups=rows.patient).fit(reml=True, method="powell")
    se = ours.coefficients["se"].to_numpy()[kept]
    apart = np.abs(ours.coefficients["estimate"].to_numpy()[kept] - theirs.fe_params) / se
    sigma = np.asarray(ours.covariance)
    messages = tuple(dict.fromkeys(str(one.message) for one in caught))
    total = float(theirs.cov_re[0, 0] + theirs.scale)
    sd = abs(float(np.sqrt(total / sigma[0, 0])) - 1)
    return CrossCheck(float(apart.max()), sd, float(sigma[0, 1] / sigma[0, 0]), messages)
