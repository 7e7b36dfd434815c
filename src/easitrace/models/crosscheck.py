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
    failure : str
        Why the other program has no result; the differences are missing then.
    """

    estimate: float
    sd: float
    correlation: float
    messages: tuple[str, ...]
    failure: str = ""


def random_intercept(formula: str, data: Any, *, patient: str, visit: str) -> CrossCheck:
    """Fit y_ij = x_ij'beta + b_i + e_ij twice, by restricted maximum likelihood, and compare the fixed effects."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    ours = fit_mmrm(formula, data, patient=patient, visit=visit, covariance="cs")
    recipe, rows = prepare(formula, data, patient=patient, visit=visit)
    kept = ours.coefficients["estimate"].notna().to_numpy()
    sigma = np.asarray(ours.covariance)
    correlation = float(sigma[0, 1] / sigma[0, 0])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = MixedLM(rows.y, recipe.rows(rows.frame)[:, kept], groups=rows.patient)
            theirs = model.fit(reml=True, method="powell")
        except np.linalg.LinAlgError as error:
            return CrossCheck(np.nan, np.nan, correlation, (), str(error))
    table = ours.coefficients[kept]
    apart = np.abs(table["estimate"] - theirs.fe_params) / table["se"]
    sd = float(np.sqrt((theirs.cov_re[0, 0] + theirs.scale) / sigma[0, 0]))
    messages = tuple(dict.fromkeys(str(one.message) for one in caught))
    return CrossCheck(float(apart.max()), abs(sd - 1), correlation, messages)
