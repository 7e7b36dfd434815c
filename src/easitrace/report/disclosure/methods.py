"""What was done, in a paragraph for the report for others: from parameters alone, no number of the data."""

from collections.abc import Mapping
from typing import Any

from easitrace.report.words import (
    COVARIANCE_NAMES,
    DF_NAMES,
    ESTIMAND_NAMES,
    INTERVAL_NAMES,
    MISSING_NAMES,
    SCALE_NAMES,
)

NEEDED = ("criterion", "decision_week", "estimand", "missing", "scale", "covariance", "df", "interval", "level")


def methods_paragraph(choices: Mapping[str, Any], outcome: str, criterion: str) -> str:
    """The paragraph.

    Parameters
    ----------
    choices : mapping
        The parameters `NEEDED`, by name.
    outcome, criterion : str
        In words.
    """
    strategy, meaning = ESTIMAND_NAMES[choices["estimand"]].split(": ")
    return (
        f"The outcome is {outcome}; response is {criterion}, judged at week {choices['decision_week']:g}. The estimand "
        f"follows the strategy {strategy}: {meaning}. Proportions of responders: {MISSING_NAMES[choices['missing']]}, "
        f"{INTERVAL_NAMES[choices['interval']]} {choices['level']:.0%} intervals. Observed changes are Hodges-Lehmann "
        "shifts with Wilcoxon tests; the mean course is from a mixed model for repeated measures of "
        f"{SCALE_NAMES[choices['scale']]} with {COVARIANCE_NAMES[choices['covariance']]} covariance and "
        f"{DF_NAMES[choices['df']]}, or with the covariance that could be estimated in its place."
    )
