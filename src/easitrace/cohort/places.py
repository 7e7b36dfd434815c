"""Where rows and patients stand when several files are read: a number of the file, and the row in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from easitrace.cohort.cells import Cells
from easitrace.cohort.findings import HELD_PER_CHECK, Findings, counted, place, row_list

Codes = npt.NDArray[np.int64]
NOWHERE = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Homes:
    """The place at which each patient is named: `file` (place in `files`) and `row`, shape (patients,)."""

    files: Sequence[Findings]
    file: Codes
    row: Codes

    def error(self, code: str, those: Any, what: str, remedy: str) -> None:
        """An error for every patient where `those` is true."""
        for patient in np.flatnonzero(those)[:HELD_PER_CHECK]:
            self.files[int(self.file[patient])].error(code, what, remedy, at=place(int(self.row[patient])))


def beside(first: Findings, file: str) -> Findings:
    """The findings of a further file, kept together with those of the first."""
    other = Findings(file)
    other.errors, other.log = first.errors, first.log
    return other


def first_rows(codes: Codes, patients: int, rows: Codes) -> Codes:
    """The first row of every patient, shape (patients,), `NOWHERE` without one."""
    first = np.full(patients, NOWHERE)
    np.minimum.at(first, codes[codes >= 0], rows[codes >= 0])
    return first


def note_rows(rows: pd.DataFrame, files: Sequence[Findings], code: str, what: str) -> None:
    """For every file, a note of how many of its rows are concerned, and which; `rows` has columns `file` and `row`."""
    for number, findings in enumerate(files):
        own = rows.loc[rows["file"] == number, "row"].sort_values()
        if len(own):
            findings.note(code, f"{counted(len(own), 'row')} {what} ({row_list(own)})")


def filled(cells: Cells, role: str, column: str) -> npt.NDArray[np.bool_]:
    """Which records have something in the column, neither blank nor a missing code."""
    return np.asarray(pc.is_valid(cells.words(role, column)).to_numpy(zero_copy_only=False), dtype=bool)


def always(what: str, remedy: str) -> Callable[[int], tuple[str, str]]:
    """The same problem and remedy for every row."""
    return lambda _: (what, remedy)
