"""Where rows and patients stand when several files are read: a number of the file, and the row in it."""

from collections.abc import Callable, Sequence

import pandas as pd

from easitrace.cohort.findings import Findings, counted, row_list


def beside(first: Findings, file: str) -> Findings:
    """The findings of a further file, kept together with those of the first."""
    other = Findings(file)
    other.errors, other.log = first.errors, first.log
    return other


def note_rows(rows: pd.DataFrame, files: Sequence[Findings], code: str, what: str) -> None:
    """For every file, a note of how many of its rows are concerned, and which; `rows` has columns `file` and `row`."""
    for number, findings in enumerate(files):
        own = rows.loc[rows["file"] == number, "row"].sort_values()
        if len(own):
            findings.note(code, f"{counted(len(own), 'row')} {what} ({row_list(own)})")


def always(what: str, remedy: str) -> Callable[[int], tuple[str, str]]:
    """The same problem and remedy for every row."""
    return lambda _: (what, remedy)
