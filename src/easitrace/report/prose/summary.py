"""Sentences of the first page."""

from easitrace.report.words import (
    ESTIMAND_NAMES,
    SCALE_NOTES,
)


def glance_note(estimand: str, scale: str) -> str:
    """Which scores the columns rest on."""
    return (
        f"The estimand is {ESTIMAND_NAMES[estimand]}. Median: of the patients seen. Estimated mean: mixed model, all "
        f"patients. {SCALE_NOTES[scale]} Responders: of the patients whose response is known."
    )


def source_note(source: str) -> str:
    """Where published figures are from."""
    return f"Source: {' '.join(source.split())}"
