"""The tidy tables of a report, read back from their files."""

from pathlib import Path

import pandas as pd

WORDS = ("arm", "reference", "visit", "name", "from", "to", "level", "event", "reason")


def read_tidy(path: Path) -> pd.DataFrame:
    """A table as a chapter wrote it: labels from data or parameters stay words, only an empty cell is missing.

    An arm may be called 1 or 01, a visit NA.
    """
    return pd.read_csv(path, dtype=dict.fromkeys(WORDS, str), keep_default_na=False, na_values=[""])
