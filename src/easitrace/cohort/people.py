"""What is known of a patient rather than of a visit."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from easitrace.cohort.cells import Cells
from easitrace.cohort.findings import HELD_PER_CHECK, counted, quoted, row_list
from easitrace.cohort.places import Codes, Homes, always, filled
from easitrace.cohort.roles import DATE_ROLES

COMPLETED, STOPPED, IN_FOLLOW_UP = "completed", "stopped", "in follow-up"
STATUSES = [COMPLETED, STOPPED, IN_FOLLOW_UP]
STOP_REASONS = ["inefficacy", "side effects", "inefficacy and side effects", "other"]
LISTED_ROLES: dict[str, list[str] | None] = {"status": STATUSES, "stop_reason": STOP_REASONS, "sex": None}


def read_people(cells: Cells, columns: dict[str, str], codes: Codes, patients: int) -> dict[str, Any]:
    """The patient-level roles of one file, an entry per patient; one that varies within a patient is an error."""
    table = {role: _constant(_typed(cells, role, name), codes, patients, name, cells) for role, name in columns.items()}
    if "start_date" in columns:
        _check_started(cells, columns["start_date"], codes)
    return table


def _check_started(cells: Cells, column: str, codes: Codes) -> None:
    """Every patient of the file has a start of treatment; the first row of one who has not is named."""
    given = filled(cells, "start_date", column)
    rows = pd.Series(cells.rows).groupby(codes).min()
    lacking = rows[(rows.index >= 0) & ~rows.index.isin(codes[given])].to_numpy()
    cells.findings.errors_at("E226", lacking, column, always("the patient has no start of treatment", "fill it in"))


def _typed(cells: Cells, role: str, column: str) -> Any:
    if role in DATE_ROLES:
        return cells.dates(role, column)
    if role == "age":
        return cells.ages(column)
    if role in ("stop_day", "rescue_day"):
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


def settle_status(people: pd.DataFrame, homes: Homes) -> pd.DataFrame:
    """Complete `stop_day`, `stop_week`, `stop_reason`, `status`; contradictions between them are errors."""
    table = people.drop(columns=[name for name in ("start_date", "stop_date", "rescue_date") if name in people])
    for role, kind in (("stop_day", "float64"), ("stop_reason", "str"), ("status", "str")):
        if role not in table:
            table[role] = pd.Series(pd.NA if kind == "str" else np.nan, index=table.index, dtype=kind)
    given = [name for name in ("stop_day", "stop_date", "stop_reason") if name in people]
    stopped = people[given].notna().any(axis=1)
    contradicted = stopped & table["status"].isin([COMPLETED, IN_FOLLOW_UP])
    homes.error("E223", contradicted, "the status is not stopped, yet a stop is given", "correct one of them")
    homes.error("E223", table["stop_day"] < 0, "the patient stops before day 0", "correct the date or day of the stop")
    derived = pd.Series(np.where(stopped, STOPPED, COMPLETED), index=table.index, dtype="str")
    table["status"] = table["status"].fillna(derived)
    table["stop_week"] = table["stop_day"] / 7
    ended = table["status"] == STOPPED
    for role, noun in (("stop_day", "day"), ("stop_reason", "reason")):
        lacking = int((ended & table[role].isna()).sum())
        if lacking:
            what = f"{lacking} of {int(ended.sum())} stopped patients have no stop {noun}"
            homes.files[0].note("W208", what)
    _check_rescue(table, homes)
    leading = ["patient", "stop_day", "stop_week", "stop_reason", "status"]
    return table[leading + [name for name in table if name not in leading]]


def _check_rescue(table: pd.DataFrame, homes: Homes) -> None:
    if "rescue_day" in table:
        day = table["rescue_day"]
        homes.error("E274", day < 0, "rescue medication before day 0", "correct the date or day, or leave it blank")
        number = int(day.notna().sum())
        if number:
            homes.files[0].note("W224", f"{counted(number, 'patient')} of {len(table)} had rescue medication")
