"""Sentences about latent classes."""

from collections.abc import Sequence

import pandas as pd

from easitrace.models.class_fit import ClassFit
from easitrace.report.style import Style


def latent_verdict(best: ClassFit | None) -> str:
    """How many classes the data carry, as a template for `Chapter.say`."""
    if best is None:
        return "No model converged, so that no number of classes can be given."
    if best.classes == 1:
        return "One class has the smallest BIC: these data give no reason to divide the patients into latent courses."
    return "The smallest BIC belongs to {n_latent:d} classes, whose sizes are {latent_sizes} patients."


def unfitted(fits: Sequence[ClassFit]) -> str:
    """The models that carry no result, and why."""
    parts = [f"{fit.classes} classes: {fit.status}, {fit.message}" for fit in fits if fit.status != "converged"]
    return "Not usable: " + "; ".join(parts) + "." if parts else "Every number of classes could be fitted."


def latent_sentence(means: pd.DataFrame, style: Style) -> str:
    """The mean courses in words."""
    parts = []
    for name, own in means.groupby("class"):
        course = ", ".join(f"{style.number(row['mean'])} at {row['visit']}" for row in own.to_dict("records"))
        parts.append(f"class {name} (n = {int(own['patients'].iloc[0])}): {course}")
    return "Estimated means: " + "; ".join(parts) + "."
