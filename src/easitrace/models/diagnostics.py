"""What a fitted model leaves unexplained.

With r_i = y_i - X_i beta and Sigma_i = L_i L_i' at the visits seen, the standardised residuals L_i^-1 r_i of a patient
are independent with variance 1 when the model holds
(Fitzmaurice, Laird & Ware 2011, Applied Longitudinal Analysis, 10.2).
"""

from typing import Any

import numpy as np
import pandas as pd

from easitrace.covariance import Array
from easitrace.models.design import Codes, Rows, prepare
from easitrace.models.fit import Fit


def residuals(fit: Fit, data: Any) -> pd.DataFrame:
    """Fitted values, residuals and Cholesky-whitened residuals of the rows a model was fitted to.

    Parameters
    ----------
    data : the data frame the fit was made from, or new rows with the same factor levels.

    Returns
    -------
    DataFrame
        One row per row used, patients together: `patient`, `visit`, `fitted`, `residual` (on the outcome's scale),
        `standardised`.
    """
    recipe = fit.recipe
    _, rows = prepare(
        recipe.formula, data, patient=recipe.patient, visit=recipe.visit, by=recipe.by, levels=recipe.levels
    )
    beta = fit.coefficients["estimate"].fillna(0.0).to_numpy()
    fitted = recipe.rows(rows.frame) @ beta
    residual = rows.y - fitted
    table = {"patient": rows.frame[recipe.patient], "visit": rows.frame[recipe.visit], "fitted": fitted}
    return pd.DataFrame({**table, "residual": residual, "standardised": _whitened(fit, rows, residual)})


def _whitened(fit: Fit, rows: Rows, residual: Array) -> Array:
    """Batched over the patients who were seen at the same visits and share a covariance."""
    seen = np.zeros((rows.n_patients, len(fit.visits)), dtype=bool)
    seen[rows.patient, rows.visit] = True
    group = _groups(fit, rows)
    key = np.column_stack([group, seen])
    spread = np.zeros((rows.n_patients, len(fit.visits)))
    spread[rows.patient, rows.visit] = residual
    for row in np.unique(key, axis=0):
        those, visits = (key == row).all(axis=1), row[1:].astype(bool)
        sigma = _sigmas(fit)[row[0]][np.ix_(visits, visits)]
        part = np.ix_(those, visits)
        spread[part] = np.linalg.solve(np.linalg.cholesky(sigma), spread[part].T).T
    standardised: Array = spread[rows.patient, rows.visit]
    return standardised


def _sigmas(fit: Fit) -> list[Array]:
    if isinstance(fit.covariance, dict):
        return [fit.covariance[level] for level in fit.recipe.levels[str(fit.by)]]
    return [fit.covariance]


def _groups(fit: Fit, rows: Rows) -> Codes:
    """The covariance group (n_patients,) of each patient."""
    group = np.zeros(rows.n_patients, dtype=np.int64)
    if fit.by is not None:
        group[rows.patient] = rows.frame[fit.by].cat.codes.to_numpy()
    return group
