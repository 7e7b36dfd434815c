"""From the mapped cells of files to a `Cohort`: who, which visit, which day, and what is left out."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from easitrace.cohort.adverse_events import analysed, read_events
from easitrace.cohort.cohort import Calendar, Cohort
from easitrace.cohort.findings import Findings, counted, inert, row_list
from easitrace.cohort.flow import NO_BASELINE, NO_SCORE, Step, flow_frame, patient_steps, row_steps
from easitrace.cohort.join import Joined, Reading, homes, join
from easitrace.cohort.layout import DATA, WITH_VISITS
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.parts import below_8_years
from easitrace.cohort.people import read_people, settle_status
from easitrace.cohort.places import Codes
from easitrace.cohort.placing import in_visits, scored_rows, with_days, without_scores
from easitrace.cohort.several import one_per_visit
from easitrace.cohort.timing import check_order, days_between, start_dates


def assemble(readings: Sequence[Reading]) -> Cohort:
    """The cohort that the cells of the files make, `data` first; what is wrong is recorded in their findings."""
    cells = readings[0].cells
    mapping, findings = cells.mapping, cells.findings
    joined = join(readings)
    people = _people(joined)
    entries, counts, start = _visits(joined, people)
    _days_of_dates(people, start, findings)
    patients = settle_status(people, homes(joined))
    events = read_events(joined, start)
    findings.stop_if_wrong()
    kept = _with_baseline(entries, patients, mapping, [reading.cells.findings for reading in readings])
    used = entries[entries["patient"].isin(kept)]
    counts |= Counter({NO_BASELINE: len(entries) - len(used), "visits used": len(used)})
    events, event_steps = analysed(events, joined, kept, patients["patient"])
    visits = _visit_table(used, patients, mapping)
    analysed_patients = patients.loc[kept].reset_index(drop=True)
    steps: list[Step] = [
        *row_steps(counts),
        ("patients read", len(patients), ""),
        ("patients without a baseline score", len(patients) - len(kept), ""),
        ("patients analysed", len(kept), ""),
        *event_steps,
        *patient_steps(visits, analysed_patients, mapping.printed, mapping.outcome),
    ]
    return Cohort(
        visits,
        analysed_patients,
        mapping.printed,
        mapping.outcome,
        events,
        flow_frame(steps),
        declared=mapping.declared,
        calendar=_calendar(used, start, mapping),
        identifiers=pd.Series(joined.named, dtype="str"),
    )


def _people(joined: Joined) -> pd.DataFrame:
    """One row per patient with every patient-level role, whichever file has it."""
    table: dict[str, Any] = {"patient": pd.array(joined.ids, dtype="str")}
    for reading, codes in zip(joined.readings, joined.codes, strict=True):
        table |= read_people(reading.cells, reading.layout.patient_columns, codes, len(joined.ids))
    order = [role for role in joined.readings[0].cells.mapping.columns if role in table]
    return pd.DataFrame(table)[list(dict.fromkeys(["patient", *order, *table]))]


def _visits(joined: Joined, people: pd.DataFrame) -> tuple[pd.DataFrame, Counter[str], "pd.Series[Any] | None"]:
    """One row per patient and visit with a day; how many rows were lost on the way; the dates of day 0."""
    mapping = joined.readings[0].cells.mapping
    young = below_8_years(mapping, people)
    start, listed = people.get("start_date"), _listed(joined)
    tables, counts = [], Counter[str]()
    for at, reading, codes in joined.of(*WITH_VISITS):
        cells, layout = reading.cells, reading.layout
        below_8 = np.append(young, np.nan)[codes]
        entries, steps = scored_rows(cells, layout, codes, below_8, dated=len(joined.of(*WITH_VISITS)) > 1)
        counts += steps
        if "date" in entries and start is None:
            start = _start(people, entries, joined, at)
        entries, steps = in_visits(with_days(entries, start), cells, layout, listed)
        tables.append(entries.assign(file=at))
        counts += steps
    files = [reading.cells.findings for reading in joined.readings]
    entries, steps = one_per_visit(pd.concat(tables, ignore_index=True), mapping, files)
    bare = without_scores(entries, [name for name in mapping.instruments if name in entries], files)
    counts += steps + Counter({NO_SCORE: int(bare.sum())})
    entries = entries[~bare].reset_index(drop=True)
    check_order(entries, mapping.schedule, files)
    return entries, counts, start


def _listed(joined: Joined) -> Codes:
    """The patients of the file that has the start of treatment: who has none there is reported there."""
    pairs = zip(joined.readings, joined.codes, strict=True)
    holders = [codes for reading, codes in pairs if "start_date" in reading.layout.patient_columns]
    return holders[0] if holders else np.arange(len(joined.ids))


def _start(people: pd.DataFrame, entries: pd.DataFrame, joined: Joined, at: int) -> "pd.Series[Any] | None":
    """Day 0 from the dates of `data`; those of a further file cannot tell it."""
    reading = joined.readings[at]
    if reading.kind == DATA:
        return start_dates(people, entries, reading.layout.labelled, reading.cells.findings)
    what = f"dates are mapped but {inert(joined.readings[0].file)} has none from which days could be counted"
    reading.cells.findings.error("E212", what, "map start_date")
    return None


def _days_of_dates(people: pd.DataFrame, start: "pd.Series[Any] | None", findings: Findings) -> None:
    """The days of the patients' stop and rescue, from their dates."""
    for event, role in (("stop", "stop_date"), ("rescue", "rescue_date")):
        if role not in people:
            continue
        if start is None:
            what = f"a {event} date is mapped but no other date"
            findings.error("E212", what, f"map start_date, date or {event}_day")
        else:
            people[f"{event}_day"] = days_between(start, people[role])


def _with_baseline(
    entries: pd.DataFrame, patients: pd.DataFrame, mapping: Mapping, files: Sequence[Findings]
) -> "pd.Index[Any]":
    """Codes of the patients whose outcome was recorded at baseline; the others are listed in the log."""
    findings = files[0]
    baseline = entries[(entries["visit"] == 0) & entries[mapping.outcome].notna()]
    kept = patients.index[patients.index.isin(baseline["patient"])]
    if not len(kept):
        findings.error("E224", f"no patient has {mapping.outcome} at {mapping.schedule[0].label}", "check visits")
        findings.stop_if_wrong()
    lacking = len(patients) - len(kept)
    if lacking:
        own = entries[~entries["patient"].isin(kept) & (entries["file"] == 0)]
        rows = own.groupby("patient")["row"].min()
        listed = f" ({row_list(rows)})" if len(rows) else ""
        findings.note("W202", f"{counted(lacking, 'patient')} without a baseline score left out{listed}")
    best = baseline[baseline[mapping.outcome] == mapping.instruments[mapping.outcome].best]
    noun = "with the best possible score at baseline: no improvement is possible"
    for number, holder in enumerate(files):
        rows = best.loc[best["file"] == number, "row"]
        if len(rows):
            holder.note("W206", f"{counted(len(rows), 'patient')} {noun} ({row_list(rows)})")
    return kept


def _calendar(used: pd.DataFrame, start: "pd.Series[Any] | None", mapping: Mapping) -> Calendar:
    """When the patients analysed began and were last seen."""
    days = pd.Series(dtype="datetime64[s]") if start is None else start.reindex(used["patient"].unique()).dropna()
    if days.empty:
        return Calendar(cut=mapping.data_cut)
    seen = (days.reindex(used["patient"]) + pd.to_timedelta(used["day"].to_numpy(), unit="D")).dropna()
    last = None if seen.empty else seen.max().date()
    return Calendar(days.min().date(), days.max().date(), last, mapping.data_cut)


def _visit_table(used: pd.DataFrame, patients: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    instruments = [name for name in mapping.instruments if name in used]
    instruments.sort(key=lambda name: name != mapping.outcome)
    used = used.sort_values(["patient", "visit"])
    code, visit = used["patient"].to_numpy(), used["visit"].to_numpy()
    week = np.array([planned.week for planned in mapping.schedule])[visit]
    labels = pd.Index([planned.label for planned in mapping.printed])
    day = used["day"].to_numpy()
    stop = patients["stop_day"].to_numpy()[code]
    table = pd.DataFrame(
        {
            "patient": patients["patient"].array.take(code),
            "visit": pd.Categorical.from_codes(visit, categories=labels, ordered=True),
            "week": week,
            "day": day,
            "after_stop": np.where(np.isnan(day), 7 * week, day) > stop,
        }
    )
    return pd.concat([table, used[instruments].reset_index(drop=True)], axis=1)
