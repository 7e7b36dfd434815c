"""Latent courses of a cohort: how many classes the data carry, their mean courses, the rule-based classes in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from easitrace.models.class_fit import ClassFit, class_means
from easitrace.models.classes import fit_classes
from easitrace.models.emmeans import back_transform
from easitrace.response.trajectory import ScaleName


@dataclass(frozen=True)
class Search:
    """Fits with 1 to K classes, and the one of smallest BIC among those that converged (None when there is none)."""

    fits: tuple[ClassFit, ...]
    best: ClassFit | None


def search_classes(rows: pd.DataFrame, *, max_classes: int, starts: int, seed: int, level: float = 0.95) -> Search:
    """Fit 1 to `max_classes` latent classes with a mean per visit and a random intercept to `model_rows`."""
    fits = tuple(
        fit_classes("y ~ visit", rows, patient="patient", classes=k, starts=starts, seed=seed, level=level)
        for k in range(1, max_classes + 1)
    )
    converged = [fit for fit in fits if fit.status == "converged"]
    return Search(fits, min(converged, key=lambda fit: fit.bic) if converged else None)


def course_of_classes(fit: ClassFit, rows: pd.DataFrame, scale: ScaleName) -> pd.DataFrame:
    """The mean course of every latent class in points.

    Returns
    -------
    DataFrame
        `class`, `visit`, `week`, `mean`, `lower`, `upper` (points), `patients` (most likely in the class).
    """
    planned = rows[["visit", "week"]].drop_duplicates().sort_values("week")
    with np.errstate(over="ignore"):
        table = back_transform(class_means(fit, planned), scale).rename(columns={"estimate": "mean"})
    sizes = fit.sizes.set_index("class")["patients"]
    return table.assign(patients=table["class"].map(sizes))[
        ["class", "visit", "week", "mean", "lower", "upper", "patients"]
    ]


def agreement(fit: ClassFit, classes: pd.DataFrame) -> pd.DataFrame:
    """Patients by rule-based class (rows) and most likely latent class (columns `latent_1`, ...)."""
    joined = fit.posterior[["patient", "class"]].merge(classes, on="patient", suffixes=("_latent", "_rule"))
    counts = pd.crosstab(joined["class_rule"], joined["class_latent"])
    named: Sequence[str] = [f"latent_{name}" for name in counts.columns]
    return counts.set_axis(list(named), axis=1).reset_index().rename(columns={"class_rule": "class"})
