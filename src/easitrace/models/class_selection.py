"""One table of latent class models with 1 to K classes, with what GRoLTS asks a report to show."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from easitrace.models.class_data import collect_patients
from easitrace.models.class_fit import ClassFit
from easitrace.models.classes import check_search, fit_collected
from easitrace.models.threads import one_thread


def compare_classes(
    formula: str,
    data: Any,
    *,
    patient: str,
    max_classes: int,
    random: str = "1",
    starts: int = 50,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit 1 to `max_classes` classes and set them side by side.

    Parameters
    ----------
    formula, data, patient, random, starts, seed : as `fit_classes`.
    max_classes : largest number of classes.

    Returns
    -------
    One row per number of classes: classes, log_likelihood, parameters, aic, bic, adjusted_bic (sample-size adjusted),
    entropy, smallest_class (patients), smallest_percent, lowest_mean_posterior (over the classes), starts_at_best,
    starts, status, message. Figures are missing where nothing was fitted; choose only among those that converged.
    Source: van de Schoot et al. 2017, Struct Equ Modeling 24:451.

    Raises
    ------
    DataError, ParameterError : as `fit_classes`.
    """
    check_search(max_classes, starts, seed, level=0.95)
    with one_thread():
        collected = collect_patients(formula, data, patient=patient, random=random)
        return class_table([fit_collected(collected, k, starts, seed, 0.95) for k in range(1, max_classes + 1)])


def class_table(fits: Sequence[ClassFit]) -> pd.DataFrame:
    """The table of `compare_classes` for fits that exist."""
    return pd.DataFrame([_row(fit) for fit in fits])


def _row(fit: ClassFit) -> dict[str, Any]:
    same = ("classes", "log_likelihood", "parameters", "aic", "bic", "adjusted_bic", "entropy")
    return {
        **{name: getattr(fit, name) for name in same},
        "smallest_class": fit.sizes["patients"].min(skipna=False),
        "smallest_percent": fit.sizes["percent"].min(skipna=False),
        "lowest_mean_posterior": fit.sizes["mean_posterior"].min(),
        "starts_at_best": fit.starts_at_best,
        "starts": len(fit.starts),
        "status": fit.status,
        "message": fit.message,
    }
