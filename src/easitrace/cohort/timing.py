"""Which planned visit a row belongs to: by its label, its planned week, or its day and the visit windows."""

import difflib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.cells import Cells, Floats
from easitrace.cohort.cohort import Visit
from easitrace.cohort.findings import HELD_PER_CHECK, Findings, counted, inert, place, quoted, row_list
from easitrace.cohort.flow import BEFORE, NO_WINDOW
from easitrace.cohort.places import Codes, filled

Mask = npt.NDArray[np.bool_]
Windows = Sequence[tuple[float, float]]

NO_VISIT, UNSCHEDULED = -1, -2


def visits_by_label(cells: Cells, column: str, scored: Mask) -> Codes:
    """The index of each row's label in the schedule, -2 for an unscheduled visit; others are errors and -1.

    The label of a row without a score (of demographics, say) need not be that of a visit: it counts as unscheduled.
    """
    words = cells.words("visit", column)
    labels = pa.array(cells.mapping.labels, type=words.type)
    codes = np.asarray(pc.fill_null(pc.index_in(words, value_set=labels), NO_VISIT), dtype=np.int64)
    extra = pa.array(cells.mapping.unscheduled, type=words.type)
    codes[np.asarray(pc.is_in(words, value_set=extra).to_numpy(zero_copy_only=False), dtype=bool)] = UNSCHEDULED
    codes[(codes == NO_VISIT) & ~scored] = UNSCHEDULED
    _check_visits(cells, column, words, codes, [*cells.mapping.labels, *cells.mapping.unscheduled])
    return codes


def planned_days(schedule: Sequence[Visit]) -> Floats:
    """The planned day of every visit."""
    return np.array([7 * visit.week for visit in schedule])


def visits_by_week(cells: Cells, column: str, scored: Mask) -> Codes:
    """The index of each row's planned week in the schedule; blank and unknown weeks are as in `visits_by_label`."""
    weeks = cells.numbers("week", column)
    planned = np.array([visit.week for visit in cells.mapping.schedule])
    nearest = np.minimum(np.searchsorted(planned, np.nan_to_num(weeks)), len(planned) - 1)
    codes = np.where(planned[nearest] == weeks, nearest, NO_VISIT).astype(np.int64)
    codes[(codes == NO_VISIT) & ~scored] = UNSCHEDULED
    unreadable = np.isnan(weeks) & filled(cells, "week", column)
    _check_visits(
        cells, column, cells.words("week", column), np.where(unreadable, 0, codes), [f"{week:g}" for week in planned]
    )
    return codes


def _check_visits(cells: Cells, column: str, words: Any, codes: Codes, known: list[str]) -> None:
    wrong = np.flatnonzero(codes == NO_VISIT)
    if not len(wrong):
        return
    text = pd.Series(pd.array(words.take(pa.array(wrong)), dtype="str"))
    blank = cells.rows[wrong[text.isna().to_numpy()]]
    cells.findings.errors_at("E226", blank, column, lambda _: ("the visit is blank", "fill in the visit"))
    for label, group in text.dropna().groupby(text, sort=False):
        rows = cells.rows[wrong[group.index.to_numpy()]]
        near = difflib.get_close_matches(str(label), known, n=1)
        hint = f" (nearest: {near[0]})" if near else ""
        cells.findings.error(
            "E216",
            f"{quoted(label)} is no planned visit, in {counted(len(rows), 'row')}{hint}; "
            f"the visits are {', '.join(inert(name) for name in known)}",
            "add it to visits, or recode it under values",
            at=f"{row_list(rows)}, column {inert(column)}",
        )


def start_dates(people: pd.DataFrame, entries: pd.DataFrame, labelled: bool, findings: Findings) -> "pd.Series[Any]":
    """The date of each patient's day 0, indexed by patient code, missing where unknown.

    It is the date of the baseline visit, or (dates without visit labels) the patient's first date, which is then
    stated in the log.
    """
    dated = entries[entries["date"].notna()]
    if labelled:
        at_baseline = dated[dated["visit"] == 0]
        start = at_baseline.groupby("patient")["date"].min().reindex(people.index)
        if start.isna().any():
            what = f"{counted(int(start.isna().sum()), 'patient')} without a baseline date: their days are unknown"
            findings.note("W213", what)
        return start
    findings.note("W212", "no start of treatment is mapped: day 0 is each patient's first date")
    return dated.groupby("patient")["date"].min().reindex(people.index)


def days_between(start: "pd.Series[Any]", dates: "pd.Series[Any]") -> Floats:
    """Whole days from `start` to `dates`, missing where either is."""
    return np.asarray((dates - start).dt.days, dtype=np.float64)


def place_in_windows(entries: pd.DataFrame, windows: Windows, findings: Findings) -> tuple[pd.DataFrame, Counter[str]]:
    """Give each row the visit in whose window its day falls.

    Returns
    -------
    entries : DataFrame
        The rows in a window; a patient may have several for one visit.
    steps : Counter
        Rows before the first window and rows in no window, for the flow; both are listed in the log.
    """
    day = entries["day"].to_numpy()
    visit = _window_of(day, windows)
    early, nowhere = day < windows[0][0], (visit < 0) & (day >= windows[0][0])
    for code, those, what in (
        ("W223", early, f"before the baseline window (day {windows[0][0]:g}) left out"),
        ("W204", nowhere, "on a day in no window left out"),
    ):
        rows = entries.loc[those, "row"]
        if len(rows):
            findings.note(code, f"{counted(len(rows), 'row')} {what} ({row_list(rows)})")
    steps = Counter({BEFORE: int(early.sum()), NO_WINDOW: int(nowhere.sum())})
    return entries.assign(visit=visit)[visit >= 0], steps


def _window_of(day: Floats, windows: Windows) -> Codes:
    first = np.array([window[0] for window in windows])
    last = np.array([window[1] for window in windows])
    index = np.searchsorted(first, day, side="right") - 1
    return np.where((index >= 0) & (day <= last[index]), index, NO_VISIT).astype(np.int64)


def report_duplicates(entries: pd.DataFrame, keys: list[str], what: str, remedy: str, findings: Findings) -> None:
    """An E215 for every set of rows with the same keys, naming the rows."""
    twice = entries[entries.duplicated(keys, keep=False)]
    for number, (_, rows) in enumerate(twice.groupby(keys)["row"]):
        if number == HELD_PER_CHECK:
            findings.error("E215", f"{what}, more than {HELD_PER_CHECK} times")
            return
        findings.error("E215", what, remedy, at=row_list(sorted(set(rows))))


def check_windows(entries: pd.DataFrame, schedule: Sequence[Visit], windows: Windows, findings: Findings) -> None:
    """Warn of labelled visits whose day lies outside the window of their visit."""
    known = entries[entries["day"].notna()]
    outside = known[_window_of(known["day"].to_numpy(), windows) != known["visit"]]
    for code in np.unique(outside["visit"]):
        rows, label = outside.loc[outside["visit"] == code, "row"], inert(schedule[code].label)
        findings.note("W205", f"{counted(len(rows), 'row')} of {label} on a day outside its window ({row_list(rows)})")


def check_order(entries: pd.DataFrame, schedule: Sequence[Visit], files: Sequence[Findings]) -> None:
    """A visit must come later than the planned visits before it, the baseline included."""
    known = entries[entries["day"].notna()].sort_values(["patient", "visit"], kind="stable")
    same = known["patient"].to_numpy()[1:] == known["patient"].to_numpy()[:-1]
    back = np.flatnonzero(same & (np.diff(known["day"].to_numpy()) <= 0))
    rows, visits, file = (known[name].to_numpy() for name in ("row", "visit", "file"))
    for i in back[:HELD_PER_CHECK]:
        earlier, later = schedule[int(visits[i])].label, schedule[int(visits[i + 1])].label
        elsewhere = "" if file[i] == file[i + 1] else f" of {files[int(file[i])].file}"
        files[int(file[i + 1])].error(
            "E220",
            f"{inert(later)} is not after {inert(earlier)} (row {rows[i]}{elsewhere})",
            "correct the date or the visit",
            at=place(int(rows[i + 1])),
        )
