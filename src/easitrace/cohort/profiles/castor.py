"""Castor EDC: separated by semicolons, days first, missing values that say why they are missing.

A missing number is -95 to -99, a missing text `##USER_MISSING_95##`, a missing date lies in the years 2995 to 2999.
Repeating data come in files of their own, joined by participant.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.findings import Findings, counted, place
from easitrace.cohort.formats.table import Table, is_date, is_number, is_text
from easitrace.cohort.layout import starred
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.profiles.profile import Profile, Roles, first_present

PATIENT = ("Participant Id", "Participant ID", "Castor Participant ID", "Record Id", "Record ID", "Castor Record ID")
REASONS = {
    95: "measurement failed",
    96: "not applicable",
    97: "not asked",
    98: "unknown",
    99: "not done",
}
NUMBER = r"^\s*-(?P<code>9[5-9])(?:[.,]0*)?\s*$"
WORD = r"^\s*##_?USER_MISSING_(?P<code>9[5-9])##\s*$"
DATE = r"^\s*\d\d?-\d\d?-29(?P<code>9[5-9])(?:[ T;].*)?\s*$"

Codes = npt.NDArray[np.int64]


def roles(header: Sequence[str]) -> Roles:
    """The participant's number under one of the names it has had."""
    patient = first_present(PATIENT, header)
    return {} if patient is None else {"patient": patient}


def prepare(table: Table, columns: Roles, mapping: Mapping, findings: Findings) -> Table:
    """Missing values left empty, their reasons kept and counted."""
    emptied, reasons = {}, {}
    for name, column in table.columns(_read(table, columns, mapping)).items():
        codes = _codes(column)
        if not codes.any():
            continue
        missing = pa.array(codes > 0)
        emptied[name] = pc.if_else(missing, pa.scalar(None, column.type), column)
        meanings = [REASONS.get(code) for code in codes.tolist()]
        reasons[name] = pa.array(meanings, type=pa.large_string())
        number = int((codes > 0).sum())
        findings.note(
            "F207", f"{counted(number, 'cell')} with a missing code of Castor left empty", at=place(None, name)
        )
    return table.with_columns(emptied, reasons=reasons)


def is_missing(cell: str) -> bool:
    """Whether a cell says why its value is missing."""
    return any(re.search(pattern.replace("(?P<code>", "(?:"), cell) for pattern in (NUMBER, WORD, DATE))


def _read(table: Table, columns: Roles, mapping: Mapping) -> list[str]:
    """The columns that are read, save the one that names the participant."""
    patterns = [name for role, name in columns.items() if role != "patient"] + [mapping.outcome]
    of_patterns = (name for name in table.header if any(starred(pattern, name) is not None for pattern in patterns))
    return list(dict.fromkeys([*(name for name in patterns if name in table.header), *of_patterns]))


def _codes(column: Any) -> Codes:
    """95 to 99 where the cell says that it is missing, else 0."""
    if is_text(column):
        return sum((_matched(column, pattern) for pattern in (NUMBER, WORD, DATE)), np.zeros(len(column), np.int64))
    if is_number(column):
        values = -np.array(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False))
    elif is_date(column):
        values = np.array(pc.fill_null(pc.cast(pc.year(column), pa.float64()), 0.0)) - 2900
    else:
        return np.zeros(len(column), dtype=np.int64)
    return np.where(np.isin(values, list(REASONS)), np.nan_to_num(values), 0).astype(np.int64)


def _matched(column: Any, pattern: str) -> Codes:
    code = pc.struct_field(pc.extract_regex(column, pattern), "code")
    return np.array(pc.cast(pc.fill_null(code, "0"), pa.int64()))


CASTOR = Profile(roles, prepare, delimiter=";", date_format="dd-mm-yyyy")
