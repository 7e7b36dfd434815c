"""Patient identifiers, and what is known of a patient rather than of a visit."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.cells import Cells
from easitrace.cohort.findings import HELD_PER_CHECK, Findings, place, quoted, row_list
from easitrace.cohort.roles import DATE_ROLES

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

COMPLETED, STOPPED, IN_FOLLOW_UP = "completed", "stopped", "in follow-up"
STATUSES = [COMPLETED, STOPPED, IN_FOLLOW_UP]
STOP_REASONS = ["inefficacy", "side effects", "inefficacy and side effects", "other"]
LISTED_ROLES: dict[str, list[str] | None] = {"status": STATUSES, "stop_reason": STOP_REASONS, "sex": None}
MANGLED = r"^[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+$"


def identify(cells: Cells, column: str) -> tuple[Codes, Any]:
    """Patient codes per row (-1: blank) and the sorted identifiers they stand for (Arrow strings).

    Blank identifiers, identifiers alike but for leading zeros or case, and identifiers that a spreadsheet
    turned into powers of ten are recorded as errors.
    """
    encoded = pc.dictionary_encode(cells.text[column])
    order = np.asarray(pc.sort_indices(encoded.dictionary), dtype=np.int64)
    ids = encoded.dictionary.take(pa.array(order))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    codes = rank[np.asarray(encoded.indices)]
    if len(ids) and ids[0].as_py() == "":
        ids, codes = ids.slice(1), codes - 1
        blank = cells.rows[codes < 0]
        cells.findings.errors_at("E213", blank, column, lambda _: ("the patient is blank", "fill in the patient"))
    _check_alike(ids, codes, column, cells)
    return codes, ids


def _check_alike(ids: Any, codes: Codes, column: str, cells: Cells) -> None:
    folded = pc.replace_substring_regex(pc.utf8_lower(ids), "^0+([0-9]+)$", r"\1")
    groups = np.asarray(pc.dictionary_encode(folded).indices)
    alike = np.flatnonzero(pd.Series(groups).duplicated(keep=False).to_numpy())
    mangled = np.flatnonzero(np.asarray(pc.match_substring_regex(ids, MANGLED).to_numpy(zero_copy_only=False)))
    if not len(alike) and not len(mangled):
        return
    first = first_rows(codes, len(ids), cells.rows)
    for group in np.unique(groups[alike])[:HELD_PER_CHECK]:
        members = alike[groups[alike] == group]
        members = members[np.argsort(first[members])]
        names = " and ".join(quoted(ids[int(member)].as_py()) for member in members)
        cells.findings.error(
            "E214",
            f"{names} differ only in leading zeros or capitals",
            "write the patient the same way everywhere",
            at=f"{row_list(first[members])}, column {column}",
        )
    for member in mangled[:HELD_PER_CHECK]:
        cells.findings.error(
            "E227",
            f"{quoted(ids[int(member)].as_py())} is an identifier a spreadsheet turned into a power of ten",
            "format the column as text and export again",
            at=place(int(first[member]), column),
        )


def first_rows(codes: Codes, patients: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The first spreadsheet row of every patient, shape (patients,)."""
    first = np.full(patients, np.iinfo(np.int64).max)
    np.minimum.at(first, codes[codes >= 0], rows[codes >= 0])
    return first


def read_people(cells: Cells, columns: dict[str, str], codes: Codes, ids: Any) -> pd.DataFrame:
    """One row per patient with every patient-level role; a role that varies within a patient is an error."""
    table: dict[str, Any] = {"patient": pd.array(ids, dtype="str")}
    for role, column in columns.items():
        table[role] = _constant(_typed(cells, role, column), codes, len(ids), column, cells)
    if "start_date" in columns:
        _check_started(cells, columns["start_date"], codes, len(ids))
    return pd.DataFrame(table)


def _check_started(cells: Cells, column: str, codes: Codes, patients: int) -> None:
    given = ~np.isin(cells.rows, cells.blank_rows("start_date", column))
    lacking = np.setdiff1d(np.arange(patients), codes[given])
    rows = first_rows(codes, patients, cells.rows)[lacking]
    describe = ("the patient has no start of treatment", "fill in the date")
    cells.findings.errors_at("E226", rows, column, lambda _: describe)


def _typed(cells: Cells, role: str, column: str) -> Any:
    if role in DATE_ROLES:
        return cells.dates(role, column)
    if role == "age":
        return cells.ages(column)
    if role == "stop_day":
        return cells.numbers(role, column)
    if role in LISTED_ROLES:
        return cells.listed_words(role, column, LISTED_ROLES[role])
    return cells.covariate(role, column)


def _constant(values: Any, codes: Codes, patients: int, column: str, cells: Cells) -> Any:
    """The one value each patient has, missing when none is given."""
    if isinstance(values, np.ndarray):
        levels, uniques = pd.factorize(values)
    else:
        encoded = pc.dictionary_encode(values)
        levels = np.asarray(pc.fill_null(encoded.indices, -1))
        uniques = pd.array(encoded.dictionary, dtype="str")
    given = (levels >= 0) & (codes >= 0)
    low, high = np.full(patients, len(uniques)), np.full(patients, -1)
    np.minimum.at(low, codes[given], levels[given])
    np.maximum.at(high, codes[given], levels[given])
    _check_constant(np.flatnonzero(high > low), levels, codes, column, cells)
    return pd.Series(uniques).reindex(low).reset_index(drop=True)


def _check_constant(varying: Codes, levels: Codes, codes: Codes, column: str, cells: Cells) -> None:
    if not len(varying):
        return
    at = np.flatnonzero(np.isin(codes, varying[:HELD_PER_CHECK]) & (levels >= 0))
    for _, rows in pd.Series(at).groupby(codes[at]):
        first = int(rows.iloc[0])
        second = int(rows[levels[rows] != levels[first]].iloc[0])
        one, other = cells.text[column][first].as_py(), cells.text[column][second].as_py()
        cells.findings.error(
            "E221",
            f"one patient has {quoted(one)} and {quoted(other)}",
            "give a patient the same value in every row",
            at=f"{row_list(cells.rows[[first, second]])}, column {column}",
        )


def settle_status(people: pd.DataFrame, first: npt.NDArray[np.int64], findings: Findings) -> pd.DataFrame:
    """Complete `stop_day`, `stop_week`, `stop_reason`, `status`; contradictions between them are errors."""
    table = people.drop(columns=[name for name in ("start_date", "stop_date") if name in people])
    for role, kind in (("stop_day", "float64"), ("stop_reason", "str"), ("status", "str")):
        if role not in table:
            table[role] = pd.Series(pd.NA if kind == "str" else np.nan, index=table.index, dtype=kind)
    given = [name for name in ("stop_day", "stop_date", "stop_reason") if name in people]
    stopped = people[given].notna().any(axis=1)
    contradicted = stopped & table["status"].isin([COMPLETED, IN_FOLLOW_UP])
    _patient_errors(
        findings, first[contradicted], "the status is not stopped, yet a stop is given", "correct one of them"
    )
    early = table["stop_day"] < 0
    _patient_errors(findings, first[early], "the patient stops before day 0", "correct the date or day of the stop")
    derived = pd.Series(np.where(stopped, STOPPED, COMPLETED), index=table.index, dtype="str")
    table["status"] = table["status"].fillna(derived)
    table["stop_week"] = table["stop_day"] / 7
    ended = table["status"] == STOPPED
    for role, noun in (("stop_day", "day"), ("stop_reason", "reason")):
        lacking = first[ended & table[role].isna()]
        if len(lacking):
            findings.note("W208", f"{len(lacking)} of {int(ended.sum())} stopped patients have no stop {noun}")
    leading = ["patient", "stop_day", "stop_week", "stop_reason", "status"]
    return table[leading + [name for name in table if name not in leading]]


def _patient_errors(findings: Findings, rows: npt.NDArray[np.int64], what: str, remedy: str) -> None:
    for row in rows[:HELD_PER_CHECK].tolist():
        findings.error("E223", what, remedy, at=place(row))
