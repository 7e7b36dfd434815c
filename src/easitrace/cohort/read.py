"""Reading a file into a `Cohort`: every check once, every problem at once."""

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from easitrace.cohort.cells import Cells
from easitrace.cohort.cohort import Cohort
from easitrace.cohort.findings import Findings, counted, row_list
from easitrace.cohort.flow import flow_frame, patient_steps
from easitrace.cohort.layout import Block, Layout, find_layout
from easitrace.cohort.mapping import Mapping, build_mapping
from easitrace.cohort.people import first_rows, identify, read_people, settle_status
from easitrace.cohort.text import check_unchanged, read_sheet
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
from easitrace.errors import ParameterError, Problem

EVENT_COLUMNS = {"patient": "str", "event": "str", "day": "float64", "serious": "bool"}


def read_cohort(
    data: str | Path,
    *,
    columns: MappingOf[str, str] | None = None,
    values: MappingOf[str, MappingOf[Any, Any]] | None = None,
    visits: MappingOf[Any, float] | None = None,
    windows: MappingOf[Any, Sequence[float]] | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8",
    decimal: str = ".",
    date_format: str | None = None,
    missing_codes: Sequence[Any] = (),
    outcome: str = "easi",
    instrument: MappingOf[str, Any] | None = None,
    covariates: Sequence[str] = (),
) -> Cohort:
    """Read a CSV or TSV file, long or wide, or a built-in cohort, into a checked `Cohort`.

    Parameters
    ----------
    data : str or Path
        Name of a built-in cohort, or path of a text file.
    columns : mapping of role to column name
        Roles: `patient`; `visit` (label), `week` (planned), `date` or `day`; instruments by name; `age`,
        `sex`, `start_date`, `stop_date`, `stop_day`, `stop_reason`, `status`; any other name is a
        patient-level covariate. A `*` in the name of an instrument, date or day stands for the visit
        label (wide layout). `patient`, the outcome and the covariates default to columns of that name.
    values : mapping of role to {value in the file: value here}
        Recodes; None or "" makes a value missing.
    visits : mapping of visit label to planned week
        In time order, the baseline first.
    windows : mapping of visit label to [first day, last day]
        Needed when rows carry a date or day but no visit.
    delimiter, encoding, decimal, date_format, missing_codes
        How the text is to be read; nothing is guessed, a separator found in the header is logged.
    outcome : str
        The instrument the report is about.
    instrument : mapping, optional
        Declares another instrument: name, label, minimum, maximum, grid, better.
    covariates : sequence of str
        Patient-level columns that must be there.

    Raises
    ------
    ParameterError
        For arguments that are missing or contradict each other.
    DataError
        With every problem of the file.
    """
    path = Path(data)
    if _is_builtin(path):
        own = {"columns": columns, "values": values, "visits": visits, "windows": windows, "delimiter": delimiter,
               "date_format": date_format, "missing_codes": missing_codes, "instrument": instrument,
               "encoding": encoding != "utf-8", "decimal": decimal != "."}  # fmt: skip
        return _builtin(str(data), own, outcome, covariates)
    mapping = build_mapping(
        columns=columns,
        values=values,
        visits=visits,
        windows=windows,
        decimal=decimal,
        date_format=date_format,
        missing_codes=missing_codes,
        outcome=outcome,
        instrument=instrument,
        covariates=covariates,
    )
    findings = Findings(path.name)
    sheet, source = read_sheet(path, findings, delimiter, encoding)
    layout = find_layout(mapping, sheet.header, findings)
    cells = Cells.of(sheet, layout.names, mapping, findings)
    cohort = _assemble(cells, layout)
    check_unchanged(path, source, findings)
    findings.stop_if_wrong()
    return replace(cohort, log=tuple(findings.log), sources=(source,))


def _is_builtin(path: Path) -> bool:
    if path.suffix or path.parent != Path():
        return False
    from easitrace.cohort.builtin import BUILTIN

    return str(path) in BUILTIN


def _builtin(name: str, given: dict[str, Any], outcome: str, covariates: Sequence[str]) -> Cohort:
    from easitrace.cohort.builtin import load_builtin

    cohort = load_builtin(name)
    faults = [
        Problem("E106", key, f'the built-in cohort "{name}" has its own', f"leave {key} out")
        for key, value in given.items()
        if value
    ]
    faults += [
        Problem("E106", "covariates", f'"{name}" has no {covariate}', f"it has {', '.join(map(str, cohort.patients))}")
        for covariate in covariates
        if covariate not in cohort.patients
    ]
    if outcome not in cohort.visits:
        faults.append(Problem("E106", "outcome", f'"{name}" has no {outcome}', "choose another outcome"))
    if faults:
        raise ParameterError(faults)
    if outcome == cohort.outcome:
        return cohort
    rows = cohort.flow[cohort.flow["detail"] == ""].itertuples(index=False, name=None)
    seen = patient_steps(cohort.visits, cohort.patients, cohort.schedule, outcome)
    return replace(cohort, outcome=outcome, flow=flow_frame([*rows, *seen]))


def _assemble(cells: Cells, layout: Layout) -> Cohort:
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
