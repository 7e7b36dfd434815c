"""Adverse events from a file: what happened to whom, on which day, and whether it was serious."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from easitrace.cohort.cells import Cells
from easitrace.cohort.findings import Findings, counted, quoted, row_list
from easitrace.cohort.flow import EVENTS_LEFT_OUT, EVENTS_READ, EVENTS_USED, Step
from easitrace.cohort.join import UNKNOWN, Joined, Reading, of_events
from easitrace.cohort.layout import OF_EVENTS
from easitrace.cohort.places import Codes, always, filled
from easitrace.cohort.timing import days_between

COLUMNS = {"patient": "str", "event": "str", "day": "float64", "serious": "bool"}
SERIOUS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def read_events(joined: Joined, start: "pd.Series[Any] | None") -> pd.DataFrame:
    """Adverse events of every patient: `row`, `patient` (a code), `event`, `day` since day 0, `serious`.

    In a file of its own every row is an event and must be named; in `data` a row without a name is none.

    Parameters
    ----------
    start : Series of dates or None
        Day 0 by patient code.
    """
    found = of_events(joined)
    if found is None:
        return pd.DataFrame({"row": [], **{name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()}})
    reading, codes = found
    cells, columns = reading.cells, reading.layout.event_columns
    names = cells.words("event", columns["event"])
    table = pd.DataFrame(
        {
            "row": cells.rows,
            "patient": codes,
            "event": pd.array(names, dtype="str"),
            "day": _days(cells, columns, codes, start),
            "serious": _serious(cells, columns),
        }
    )
    blank = table["event"].isna()
    if reading.kind == OF_EVENTS:
        lacking = cells.rows[blank.to_numpy() & (codes != -1)]
        named = always("an adverse event without a name", "name it, or delete the row")
        cells.findings.errors_at("E273", lacking, columns["event"], named)
    return _on_treatment(table[~blank & (table["patient"] != -1)], reading)


def analysed(
    events: pd.DataFrame, joined: Joined, kept: "pd.Index[Any]", ids: "pd.Series[str]"
) -> tuple[pd.DataFrame, list[Step]]:
    """The events of the patients analysed, by identifier, and what the flow says of events; the rest is in the log."""
    found = of_events(joined)
    if found is None:
        return events[list(COLUMNS)], []
    reading, _ = found
    unknown = events["patient"] == UNKNOWN
    others = ~unknown & ~events["patient"].isin(kept)
    for code, those, what in (
        ("W228", unknown, f"of patients that {joined.readings[0].file} does not have left out"),
        ("W229", others, "of patients not analysed left out"),
    ):
        _note(reading.cells.findings, code, events.loc[those, "row"], what)
    used = events[~(unknown | others)]
    names = ids.array.take(used["patient"].to_numpy(dtype=np.int64))
    table = used.assign(patient=names).sort_values(["patient", "day"], kind="stable", ignore_index=True)
    read = len(reading.cells.rows) if reading.kind == OF_EVENTS else len(events)
    steps = [(EVENTS_READ, read, ""), (EVENTS_LEFT_OUT, read - len(used), ""), (EVENTS_USED, len(used), "")]
    return table[list(COLUMNS)], steps


def _days(cells: Cells, columns: dict[str, str], codes: Codes, start: "pd.Series[Any] | None") -> Any:
    if "event_day" in columns:
        return cells.numbers("event_day", columns["event_day"])
    if "event_date" not in columns:
        return np.nan
    dates = pd.Series(cells.dates("event_date", columns["event_date"]).astype("datetime64[s]"))
    if start is None:
        remedy = "map start_date, date or event_day"
        cells.findings.error("E212", "the dates of adverse events are mapped but no other date", remedy)
        return np.nan
    return days_between(start.reindex(codes).reset_index(drop=True), dates)


def _serious(cells: Cells, columns: dict[str, str]) -> npt.NDArray[np.bool_]:
    if "event_serious" not in columns:
        what = "nothing tells which adverse events were serious: none is counted as serious"
        cells.findings.note("W237", what, "map event_serious")
        return np.zeros(len(cells.rows), dtype=bool)
    column = columns["event_serious"]
    words = pd.Series(pd.array(pc.utf8_lower(cells.words("event_serious", column)), dtype="str"))
    known = words.map(SERIOUS)
    named = filled(cells, "event", columns["event"])
    wrong = np.flatnonzero(known.isna().to_numpy() & named)
    shown = cells.text[column]
    cells.findings.errors_at(
        "E222",
        cells.table.rows_of(column)[wrong],
        column,
        lambda i: (
            f"{quoted(shown[int(wrong[i])].as_py())} is not yes or no",
            "say whether the event was serious, or recode it under values.event_serious",
        ),
    )
    return np.asarray(known == True, dtype=bool)  # noqa: E712  (missing is not True)


def _on_treatment(table: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """Events from day 0 on; those before, those without a day and those alike in everything are in the log."""
    findings = reading.cells.findings
    early = table["day"] < 0
    _note(findings, "W238", table.loc[early, "row"], "before day 0 left out")
    own = table[~early]
    _note(findings, "W230", own.loc[own["day"].isna(), "row"], "without a day, counted all the same")
    again = own.duplicated(["patient", "event", "day", "serious"])
    _note(findings, "W236", own.loc[again, "row"], "alike in everything to one before, counted all the same")
    return own


def _note(findings: Findings, code: str, rows: "pd.Series[int]", what: str) -> None:
    if len(rows):
        findings.note(code, f"{counted(len(rows), 'adverse event')} {what} ({row_list(rows)})")
