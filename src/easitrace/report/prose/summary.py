"""Sentences of the first page."""

from collections.abc import Mapping
from typing import Any

from easitrace.report.words import (
    ESTIMAND_NAMES,
    SCALE_NOTES,
)


def change_template(change: Mapping[str, Any]) -> str:
    """The sentence on the change at the decision week, as far as its numbers are there."""
    observed = (
        "{outcome} changed by {shift} points ({level:%} CI {shift_lower} to {shift_upper}; {p:p}) from baseline to "
        "week {week:d} in the {pairs:d} patients seen at both."
    )
    model = (
        " The mixed model, which uses the scores of all patients, estimates a change of {model_change}{unit} "
        "({level:%} CI {model_change_lower} to {model_change_upper}; {model_p:p})."
    )
    unfitted = " The trajectory model was not estimable from these data."
    parts = observed if change["shift"] is not None else "No paired change of {outcome} can be given for week {week:d}."
    return parts + (model if change["model_change"] is not None else unfitted)


def glance_note(estimand: str, scale: str) -> str:
    """Which scores the columns rest on."""
    return (
        f"Estimand: {ESTIMAND_NAMES[estimand]}. Median: of the patients seen. Estimated mean: mixed model, all "
        f"patients. {SCALE_NOTES[scale]} Responders: of the patients whose response is known."
    )


def source_note(source: str) -> str:
    """Where published figures are from."""
    return f"Source: {' '.join(source.split())}"
