"""From the rows of one file to visits: named by their label, placed by their day, or kept out and counted."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from easitrace.cohort.cells import Cells, Floats
from easitrace.cohort.findings import Findings, counted, row_list
from easitrace.cohort.flow import KEPT_OUT, NO_SCORE
from easitrace.cohort.layout import Block, Layout
from easitrace.cohort.parts import with_computed
from easitrace.cohort.places import Codes, always, filled, note_rows
from easitrace.cohort.several import CHOOSE
from easitrace.cohort.timing import (
    NO_VISIT,
    UNSCHEDULED,
    check_windows,
    days_between,
    place_in_windows,
    report_duplicates,
    visits_by_label,
    visits_by_week,
)

Steps = Counter[str]


def scored_rows(
    cells: Cells, layout: Layout, codes: Codes, young: Floats, *, dated: bool
) -> tuple[pd.DataFrame, Steps]:
    """The rows of one file that have a score: `row`, `patient`, `visit`, `date` or `day`, and the scores.

    `visit` is `UNSCHEDULED` where no label says which visit it is. `codes` and `young` (1 below 8 years) are by row.
    With `dated` also the rows that only date a visit, whose scores another file has.
    """
    blocks = [_block_entries(cells, block, codes, young) for block in layout.blocks]
    entries = pd.concat(blocks, ignore_index=True)
    steps = Counter({"rows read": len(cells.rows), "visits read": len(entries)})
    entries = entries[(entries["patient"] >= 0) & (entries["visit"] != NO_VISIT)]
    if layout.wide and cells.mapping.several in (None, "error"):
        first = entries[entries["visit"] == 0]
        report_duplicates(first, ["patient"], "one patient has two rows", CHOOSE, cells.findings)
        entries = entries.drop_duplicates(["patient", "visit"])
    scored = entries[[name for name in cells.mapping.instruments if name in entries]].notna().any(axis=1)
    kept = scored | _only_dated(entries, scored) if dated else scored
    empty = entries.loc[~kept, "row"]
    if len(empty) and not layout.wide:
        cells.findings.note("F208", f"{counted(len(empty), 'row')} without any score left out ({row_list(empty)})")
    steps[NO_SCORE] = len(empty)
    return entries[kept].reset_index(drop=True), steps


def _only_dated(entries: pd.DataFrame, scored: "pd.Series[bool]") -> "pd.Series[bool]":
    """Rows that give the date or day of a named visit of which the file has no score."""
    told = scored.groupby([entries["patient"], entries["visit"]]).transform("any")
    known = entries[[name for name in ("date", "day") if name in entries]].notna().any(axis=1)
    return ~told & (entries["visit"] >= 0) & known


def without_scores(entries: pd.DataFrame, instruments: list[str], files: Sequence[Findings]) -> "pd.Series[bool]":
    """The visits of which no file has a score, after a note of them."""
    bare = entries[instruments].isna().all(axis=1)
    note_rows(entries[bare], files, "F208", "without any score left out")
    return bare


def _block_entries(cells: Cells, block: Block, codes: Codes, young: Floats) -> pd.DataFrame:
    recorded = {role: name for role, name in block.columns.items() if role in cells.mapping.instruments}
    scores = {role: cells.scores(role, name) for role, name in recorded.items()}
    scores = with_computed(cells, block, scores, young)
    table: dict[str, Any] = {"row": cells.rows, "patient": codes, "visit": _visits(cells, block, scores)}
    if "date" in block.columns:
        table["date"] = cells.dates("date", block.columns["date"]).astype("datetime64[s]")
    if "day" in block.columns:
        table["day"] = cells.numbers("day", block.columns["day"])
    return pd.DataFrame(table | scores)


def _visits(cells: Cells, block: Block, scores: dict[str, Floats]) -> Any:
    scored = ~np.all([np.isnan(values) for values in scores.values()], axis=0)
    if "visit" in block.columns:
        return visits_by_label(cells, block.columns["visit"], scored)
    if "week" in block.columns:
        return visits_by_week(cells, block.columns["week"], scored)
    return UNSCHEDULED if block.visit is None else block.visit


def with_days(entries: pd.DataFrame, start: "pd.Series[Any] | None") -> pd.DataFrame:
    """Days since `start`, the date of every patient's day 0, in place of dates."""
    if "date" in entries and start is not None:
        by_row = start.reindex(entries["patient"]).reset_index(drop=True)
        return entries.assign(day=days_between(by_row, entries["date"])).drop(columns="date")
    return entries if "day" in entries else entries.assign(day=np.nan).drop(columns="date", errors="ignore")


def in_visits(entries: pd.DataFrame, cells: Cells, layout: Layout, listed: Codes) -> tuple[pd.DataFrame, Steps]:
    """Every row with a visit: the one it names (`named`), or the one in whose window its day falls.

    `listed` are the patients of the file that has the start of treatment.
    """
    mapping = cells.mapping
    named = entries["visit"] >= 0
    loose, steps = entries[~named], Counter[str]()
    if layout.labelled:
        loose, steps = _kept_out(loose, cells)
    else:
        loose = _dated(loose, cells, layout, listed)
    if mapping.windows is not None:
        check_windows(entries[named], mapping.schedule, mapping.windows, cells.findings)
        loose, placed = place_in_windows(loose, mapping.windows, cells.findings)
        steps += placed
    return pd.concat([entries[named].assign(named=True), loose.assign(named=False)], ignore_index=True), steps


def _kept_out(loose: pd.DataFrame, cells: Cells) -> tuple[pd.DataFrame, Steps]:
    """Unscheduled rows that windows can place: those with a day, when there are windows."""
    placeable = loose["day"].notna() & (cells.mapping.windows is not None)
    out = loose.loc[~placeable, "row"]
    if len(out):
        what = f"{counted(len(out), 'unscheduled visit')} left out ({row_list(out)})"
        cells.findings.note("W233", what)
    return loose[placeable], Counter({KEPT_OUT: len(out)})


def _dated(loose: pd.DataFrame, cells: Cells, layout: Layout, listed: Codes) -> pd.DataFrame:
    """Rows that only their day can place; one without a day is an error."""
    role = "date" if "date" in layout.blocks[0].columns else "day"
    column = layout.blocks[0].columns[role]
    lacking = loose[loose["day"].isna()]
    blank = lacking["row"].isin(cells.rows[~filled(cells, role, column)])
    unlisted = ~blank & ~lacking["patient"].isin(listed)
    for those, what, remedy in (
        (blank, f"a scored row has no {role}", "fill it in, or map the visit"),
        (unlisted, "the patient's day 0 is not known, so the date tells no visit", "give the start of treatment"),
    ):
        cells.findings.errors_at("E226", lacking.loc[those, "row"].to_numpy(), column, always(what, remedy))
    return loose[loose["day"].notna()]
