"""Captions that name the published cohorts drawn beside ours."""

import pandas as pd

from easitrace.report.prose.words_of_numbers import joined


def context_caption(what: str, context: pd.DataFrame) -> str:
    """What is drawn, and the source of every published figure in it."""
    sources = "; ".join(f"{joined(studies)}: {source}" for source, studies in _sources(context).items())
    return f"{what} of this cohort (filled) and of published ones (open), as context. {sources}."


def context_sentence(context: pd.DataFrame) -> str:
    """The published figures in words, for readers who cannot see them."""
    parts = [
        f"{row['study']}{', ' + row['drug'] if row['drug'] else ''}, week {row['week']:g}: {row['value']:.3g}"
        for row in context.to_dict("records")
    ]
    return f"Published figures: {'; '.join(parts)}."


CONTEXT_NOTE = "Other patients, other baselines, other methods: context, not a comparison group."


def _sources(context: pd.DataFrame) -> dict[str, list[str]]:
    """The studies of each source."""
    pairs = context[["study", "source"]].drop_duplicates()
    return {str(source): list(rows["study"]) for source, rows in pairs.groupby("source", sort=False)}
