"""Sentences and notes about the course."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.models.crosscheck import CrossCheck
from easitrace.report.prose.arms import of_arm
from easitrace.report.prose.cohort import quartile_note
from easitrace.report.prose.words_of_numbers import below, joined, number_keys
from easitrace.report.style import Style
from easitrace.report.words import (
    DF_NAMES,
    DIFFERENCE_NOTES,
)

SMALL_P = 0.05


def spaghetti_caption(cohort: Cohort) -> str:
    """Caption of the individual courses, with the source of the severity bands."""
    outcome = cohort.instrument()
    shaded = f" Severity bands: {outcome.bands[0].source}." if outcome.bands and not cohort.arms else ""
    return f"{outcome.label} of every patient (thin) and medians with quartiles (heavy) at the planned visits.{shaded}"


def better_side(cohort: Cohort) -> str:
    """On which side of zero a change of the outcome is an improvement."""
    return "below" if cohort.instrument().better == "lower" else "above"


def course_note(quartiles: str, level: float) -> str:
    """How the columns of the course table were computed."""
    return (
        f"{quartile_note(quartiles)} Change of the median: median at the visit against the median at baseline, of the "
        f"patients seen at either; {level:.0%} CI by percentile bootstrap of patients. Median of the changes: of the "
        f"patients seen at both visits with a baseline above zero; {level:.0%} CI between order statistics."
    )


def paired_note(changes: pd.DataFrame) -> str:
    """Which test was done and how the shift is defined."""
    methods = "; ".join(dict.fromkeys(changes["method"]))
    shift = "Shift: Hodges-Lehmann estimate, later minus earlier. P values are not adjusted."
    return f"P: {methods}. {shift}{at_zero(changes)}"


def at_zero(changes: pd.DataFrame) -> str:
    """Why a limit can be zero beside a small P value; nothing where none is."""
    ends = (changes["lower"] == 0) | (changes["upper"] == 0)
    if not (ends & (changes["p"] < SMALL_P)).any():
        return ""
    return " Shifts of scores with few steps move in steps too: an interval can end at zero beside a small P value."


def changes_sentence(changes: pd.DataFrame, style: Style) -> str:
    """Paired shifts with their intervals in words."""
    parts = [
        f"{row['name']}{of_arm(row)}: {style.number(row['shift'])} ({style.interval(row['lower'], row['upper'])}), "
        f"{row['n_pairs']} pairs"
        for row in changes.to_dict("records")
    ]
    return "Shift with interval, points: " + "; ".join(parts) + "."


def course_sentence(course: pd.DataFrame, label: str, style: Style) -> str:
    """The observed course in words: n and median at each visit."""
    parts = [
        f"{style.number(row['median'])} at {row['visit']}{of_arm(row)} (n = {row['n']})"
        for row in course.to_dict("records")
    ]
    return f"Median {label}: " + ", ".join(parts) + "."


def means_sentence(means: pd.DataFrame, label: str, style: Style) -> str:
    """Estimated means with their intervals in words."""
    parts = [
        f"{style.number(row['mean'])} ({style.interval(row['lower'], row['upper'])}) at {row['visit']}{of_arm(row)}"
        for row in means.to_dict("records")
    ]
    return f"Estimated mean {label} with interval: " + ", ".join(parts) + "."


def adjusted_for(covariates: Sequence[str]) -> str:
    """`, adjusted for age and sex`, or nothing."""
    names = [name.replace("_", " ") for name in covariates]
    return f", adjusted for {joined(names)}" if names else ""


def residual_sentence(residuals: pd.DataFrame, style: Style) -> str:
    """The residual panel in words: how many, how spread, how far out."""
    values = residuals["standardised"]
    return (
        f"{len(values)} standardised residuals with standard deviation {style.number(values.std(), 2)}, from "
        f"{style.number(values.min())} to {style.number(values.max())}; {int((values.abs() > 2).sum())} lie beyond two."
    )


def crosscheck_sentence(check: CrossCheck, style: Style) -> str:
    """How far apart the two programs are, and why they may be."""
    if check.failure:
        return f"MixedLM could not fit the model: {check.failure}."
    apart = (
        f"The largest difference of a coefficient is {below(check.estimate)} standard errors, that of the standard "
        f"deviation {below(check.sd)} of its value; the correlation between visits is "
        f"{style.number(check.correlation, 2)}."
    )
    negative = (
        " A random intercept cannot have a negative correlation, so the two differ." if check.correlation < 0 else ""
    )
    return apart + negative


def contrast_note(scale: str, df: str) -> str:
    """What a contrast is, and by which inference."""
    return f"{DIFFERENCE_NOTES[scale]} {DF_NAMES[df][0].upper()}{DF_NAMES[df][1:]}. P values are not adjusted."


def sensitivity_numbers(table: pd.DataFrame) -> dict[str, Any]:
    """`sensitivity_mean_us_log1p`, ... for every structure and scale."""
    keyed = table.assign(key=table["covariance"] + " " + table["scale"])
    differences = {"difference": "sensitivity_difference"} if "difference" in table else {}
    return number_keys(keyed, "key", {"mean": "sensitivity_mean", **differences})


def sensitivity_sentence(table: pd.DataFrame, style: Style) -> str:
    """The range of the estimates over the models that could be fitted."""
    fitted = table.dropna(subset=["mean"])
    if fitted.empty:
        return "No model could be fitted."
    span = f"{style.number(fitted['mean'].min())} to {style.number(fitted['mean'].max())}"
    arms = f" in {table['arm'].nunique()} arms" if "arm" in table else ""
    models = ["covariance", "scale"]
    n, of = len(fitted[models].drop_duplicates()), len(table[models].drop_duplicates())
    return f"Estimated means from {span} points{arms} over {n} of {of} models."
