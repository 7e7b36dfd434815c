"""From the mapped cells of a file to a `Cohort`: who, which visit, which day, and what is left out."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from easitrace.cohort.cells import Cells
from easitrace.cohort.cohort import Cohort
from easitrace.cohort.findings import Findings, counted, row_list
from easitrace.cohort.flow import NO_BASELINE, flow_frame, patient_steps, row_steps
from easitrace.cohort.layout import Layout
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.people import first_rows, identify, read_people, settle_status
from easitrace.cohort.placing import in_visits, scored_rows, with_days
from easitrace.cohort.several import one_per_visit
from easitrace.cohort.timing import check_order, days_between, start_dates

EVENT_COLUMNS = {"patient": "str", "event": "str", "day": "float64", "serious": "bool"}


def assemble(cells: Cells, layout: Layout) -> Cohort:
    """The cohort that the cells of a file make; what is wrong is recorded in their findings."""
    mapping, findings = cells.mapping, cells.findings
    codes, ids = identify(cells, layout.patient)
    people = read_people(cells, layout.patient_columns, codes, ids)
    entries, counts = _visits_of(cells, layout, codes, people)
    patients = settle_status(people, first_rows(codes, len(ids), cells.rows), findings)
    findings.stop_if_wrong()
    instruments = [name for name in mapping.instruments if name in entries]
    instruments.sort(key=lambda name: name != mapping.outcome)
    kept = _with_baseline(entries, patients, mapping, findings)
    used = entries[entries["patient"].isin(kept)]
    counts |= {NO_BASELINE: len(entries) - len(used), "visits used": len(used)}
    steps = [
        *row_steps(counts),
        ("patients read", len(patients), ""),
        ("patients without a baseline score", len(patients) - len(kept), ""),
        ("patients analysed", len(kept), ""),
    ]
    visits = _visit_table(used, patients, mapping, instruments)
    patients = patients.loc[kept].reset_index(drop=True)
    steps += patient_steps(visits, patients, mapping.schedule, mapping.outcome)
    events = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in EVENT_COLUMNS.items()})
    return Cohort(
        visits, patients, mapping.schedule, mapping.outcome, events, flow_frame(steps), declared=mapping.declared
    )


def _visits_of(cells: Cells, layout: Layout, codes: Any, people: pd.DataFrame) -> tuple[pd.DataFrame, Counter[str]]:
    """One row per patient and visit, with a day, and how many rows were lost on the way."""
    mapping, findings = cells.mapping, cells.findings
    entries, counts = scored_rows(cells, layout, codes)
    start = people.get("start_date")
    if "date" in entries:
        start = start_dates(people, entries, layout.labelled, findings)
    _stop_days(people, start, findings)
    entries, placed = in_visits(with_days(entries, start), cells, layout, codes)
    instruments = [name for name in mapping.instruments if name in entries]
    entries, merged = one_per_visit(entries.assign(file=0), mapping, instruments, [findings])
    check_order(entries, mapping.schedule, [findings])
    return entries, counts + placed + merged


def _stop_days(people: pd.DataFrame, start: "pd.Series[Any] | None", findings: Findings) -> None:
    """The patients' stop day, from their stop date."""
    if "stop_date" in people:
        if start is None:
            findings.error("E212", "a stop date is mapped but no other date", "map start_date, date or stop_day")
        else:
            people["stop_day"] = days_between(start, people["stop_date"])


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
