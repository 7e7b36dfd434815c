"""From the mapped cells of a file to a `Cohort`: who, which visit, which day, and what is left out."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from easitrace.cohort.cells import Cells
from easitrace.cohort.cohort import Cohort
from easitrace.cohort.findings import Findings, counted, row_list
from easitrace.cohort.flow import flow_frame, patient_steps
from easitrace.cohort.layout import Block, Layout
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.people import first_rows, identify, read_people, settle_status
from easitrace.cohort.timing import (
    NO_VISIT,
    check_order,
    check_windows,
    choose_in_windows,
    days_between,
    report_duplicates,
    start_dates,
    visits_by_label,
    visits_by_week,
)

EVENT_COLUMNS = {"patient": "str", "event": "str", "day": "float64", "serious": "bool"}


def assemble(cells: Cells, layout: Layout) -> Cohort:
    """The cohort that the cells of a file make; what is wrong is recorded in their findings."""
    mapping, findings = cells.mapping, cells.findings
    codes, ids = identify(cells, layout.patient)
    people = read_people(cells, layout.patient_columns, codes, ids)
    entries = pd.concat([_block_entries(cells, block, codes) for block in layout.blocks], ignore_index=True)
    entries, steps = _placed(entries, people, cells, layout)
    patients = settle_status(people, first_rows(codes, len(ids), cells.rows), findings)
    findings.stop_if_wrong()
    instruments = [name for name in mapping.instruments if name in entries]
    instruments.sort(key=lambda name: name != mapping.outcome)
    kept = _with_baseline(entries, patients, mapping, findings)
    dropped = len(patients) - len(kept)
    used = entries[entries["patient"].isin(kept)]
    steps += [
        ("visits of patients without a baseline score", len(entries) - len(used), ""),
        ("visits used", len(used), ""),
        ("patients read", len(patients), ""),
        ("patients without a baseline score", dropped, ""),
        ("patients analysed", len(kept), ""),
    ]
    visits = _visit_table(used, patients, mapping, instruments)
    patients = patients.loc[kept].reset_index(drop=True)
    steps += patient_steps(visits, patients, mapping.schedule, mapping.outcome)
    events = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in EVENT_COLUMNS.items()})
    return Cohort(
        visits, patients, mapping.schedule, mapping.outcome, events, flow_frame(steps), declared=mapping.declared
    )


def _block_entries(cells: Cells, block: Block, codes: npt.NDArray[np.int64]) -> pd.DataFrame:
    """The rows of one block as numbers: `row`, `patient`, `visit`, `date`, `day` and the scores."""
    table: dict[str, Any] = {"row": cells.rows, "patient": codes}
    if "visit" in block.columns:
        table["visit"] = visits_by_label(cells, block.columns["visit"])
    elif "week" in block.columns:
        table["visit"] = visits_by_week(cells, block.columns["week"])
    else:
        table["visit"] = NO_VISIT if block.visit is None else block.visit
    for role, column in block.columns.items():
        if role == "date":
            table["date"] = cells.dates(role, column).astype("datetime64[s]")
        elif role == "day":
            table["day"] = cells.numbers(role, column)
        elif role in cells.mapping.instruments:
            table[role] = cells.scores(role, column)
    return pd.DataFrame(table)


def _placed(
    entries: pd.DataFrame, people: pd.DataFrame, cells: Cells, layout: Layout
) -> tuple[pd.DataFrame, list[tuple[str, int, str]]]:
    """Entries with a visit and a day, one per patient and visit, and the steps that led to them."""
    mapping, findings = cells.mapping, cells.findings
    labelled = layout.wide or bool({"visit", "week"} & layout.blocks[0].columns.keys())
    steps = [("rows read", len(cells.rows), ""), ("visits read", len(entries), "")]
    entries = entries[entries["patient"] >= 0]
    if labelled:
        entries = entries[entries["visit"] >= 0]
        what = "one patient has two rows" if layout.wide else "one patient has two rows for one visit"
        report_duplicates(_once(entries, layout), ["patient", "visit"], what, findings)
    scored = entries[[name for name in mapping.instruments if name in entries]].notna().any(axis=1)
    empty = entries.loc[~scored, "row"]
    if len(empty) and not layout.wide:
        findings.note("F208", f"{counted(len(empty), 'row')} without any score left out ({row_list(empty)})")
    entries = entries[scored].reset_index(drop=True)
    entries = _with_days(entries, people, labelled, findings)
    outside = outranked = 0
    if labelled:
        check_order(entries, mapping.schedule, findings)
        if mapping.windows is not None:
            check_windows(entries, mapping.schedule, mapping.windows, findings)
    else:
        role = "date" if "date" in layout.blocks[0].columns else "day"
        column = layout.blocks[0].columns[role]
        undated = np.intersect1d(entries["row"], cells.blank_rows(role, column))
        remedy = "fill it in, or map the visit"
        findings.errors_at("E226", undated, column, lambda _: (f"a scored row has no {role}", remedy))
        entries, outside, outranked = choose_in_windows(
            entries[entries["day"].notna()], mapping.schedule, mapping.windows or (), findings
        )
    steps += [
        ("visits without a score", len(empty), ""),
        ("visits in no window", outside, ""),
        ("visits outranked in their window", outranked, ""),
    ]
    return entries, steps


def _once(entries: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    return entries[entries["visit"] == 0] if layout.wide else entries


def _with_days(entries: pd.DataFrame, people: pd.DataFrame, labelled: bool, findings: Findings) -> pd.DataFrame:
    """Days since the start; the patients' stop day likewise (in place of their stop date)."""
    start = people.get("start_date")
    if "date" in entries:
        start = start_dates(people, entries, labelled, findings)
        by_row = start.reindex(entries["patient"]).reset_index(drop=True)
        entries = entries.assign(day=days_between(by_row, entries["date"])).drop(columns="date")
    elif "day" not in entries:
        entries = entries.assign(day=np.nan)
    if "stop_date" in people:
        if start is None:
            findings.error("E212", "a stop date is mapped but no other date", "map start_date, date or stop_day")
        else:
            people["stop_day"] = days_between(start, people["stop_date"])
    return entries


def _with_baseline(
    entries: pd.DataFrame, patients: pd.DataFrame, mapping: Mapping, findings: Findings
) -> "pd.Index[Any]":
    """Codes of the patients whose outcome was recorded at baseline; the others are listed in the log."""
    baseline = entries[(entries["visit"] == 0) & entries[mapping.outcome].notna()]
    kept = patients.index[patients.index.isin(baseline["patient"])]
    if not len(kept):
        findings.error("E224", f"no patient has {mapping.outcome} at {mapping.schedule[0].label}", "check visits")
        findings.stop_if_wrong()
    lacking = len(patients) - len(kept)
    if lacking:
        rows = entries[~entries["patient"].isin(kept)].groupby("patient")["row"].min()
        listed = f" ({row_list(rows)})" if len(rows) else ""
        findings.note("W202", f"{counted(lacking, 'patient')} without a baseline score left out{listed}")
    best = baseline[baseline[mapping.outcome] == mapping.instruments[mapping.outcome].best]
    if len(best):
        what = f"{counted(len(best), 'patient')} with the best possible score at baseline: no improvement is possible"
        findings.note("W206", f"{what} ({row_list(best['row'])})")
    return kept


def _visit_table(used: pd.DataFrame, patients: pd.DataFrame, mapping: Mapping, instruments: list[str]) -> pd.DataFrame:
    used = used.sort_values(["patient", "visit"])
    code, visit = used["patient"].to_numpy(), used["visit"].to_numpy()
    week = np.array([planned.week for planned in mapping.schedule])[visit]
    day = used["day"].to_numpy()
    stop = patients["stop_day"].to_numpy()[code]
    table = pd.DataFrame(
        {
            "patient": patients["patient"].array.take(code),
            "visit": pd.Categorical.from_codes(visit, categories=pd.Index(mapping.labels), ordered=True),
            "week": week,
            "day": day,
            "after_stop": np.where(np.isnan(day), 7 * week, day) > stop,
        }
    )
    return pd.concat([table, used[instruments].reset_index(drop=True)], axis=1)
