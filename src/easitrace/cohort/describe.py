"""Who was in the cohort: characteristics, attendance at the planned visits, follow-up time, missing values."""

import numpy as np
import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.paired import QuartileMethod, quartiles

STATES = ("seen", "stopped", "in follow-up", "missed")
BOOKKEEPING = ("patient", "stop_day", "stop_week", "stop_reason", "status", "start_date", "stop_date", "rescue_day")


def attendance(cohort: Cohort) -> pd.DataFrame:
    """The state of every patient at every planned visit.

    Returns
    -------
    DataFrame
        One row per patient and planned visit: `patient`, `visit`, `week`, `state` ("seen" when the outcome was
        recorded, else "stopped" when treatment had ended by then, "in follow-up" when the visit is not due yet,
        "missed"), `reason` (the stop reason, else missing).
    """
    scores = cohort.wide()
    labels = {visit.week: visit.label for visit in cohort.schedule}
    long = scores.notna().melt(ignore_index=False, var_name="week", value_name="seen").reset_index()
    long = long.merge(cohort.patients[["patient", "status", "stop_week", "stop_reason"]], on="patient")
    last_seen = long[long["seen"]].groupby("patient")["week"].max()
    later = long["week"] > long["patient"].map(last_seen).fillna(-np.inf)
    ended = np.where(long["stop_week"].notna(), long["stop_week"] <= long["week"], later)
    stopped = (long["status"] == "stopped") & ended
    waiting = (long["status"] == "in follow-up") & later
    long["state"] = np.select([long["seen"], stopped, waiting], STATES[:3], STATES[3])
    long["reason"] = long["stop_reason"].where(long["state"] == "stopped")
    long["visit"] = pd.Categorical(long["week"].map(labels), list(labels.values()), ordered=True)
    columns = ["patient", "visit", "week", "state", "reason"]
    return long.sort_values(["patient", "week"], ignore_index=True)[columns]


def attendance_counts(cohort: Cohort) -> pd.DataFrame:
    """Patients in each state at each planned visit, stop reasons apart; every visit's rows add up to the cohort.

    Returns
    -------
    DataFrame
        `visit`, `week`, `state`, `reason` ("" unless stopped), `n` (patients).
    """
    states = attendance(cohort).assign(reason=lambda frame: frame["reason"].fillna("").astype(str))
    keys = ["visit", "week", "state", "reason"]
    return states.groupby(keys, observed=True, sort=True).size().rename("n").reset_index()


def patients_without_baseline(cohort: Cohort) -> int:
    """Patients who were read but left out because they had no score at baseline."""
    return int(cohort.flow.loc[cohort.flow["step"] == "patients without a baseline score", "n"].sum())


def follow_up_weeks(cohort: Cohort) -> pd.Series:
    """Weeks from baseline to the last recorded outcome of each patient: actual days where known, else planned weeks."""
    seen = cohort.visits[cohort.visits[cohort.outcome].notna()]
    weeks = (seen["day"] / 7).fillna(seen["week"])
    return weeks.groupby(seen["patient"]).max().reindex(cohort.patients["patient"], fill_value=0.0)


def missing_counts(cohort: Cohort) -> pd.DataFrame:
    """Recorded and missing values of each instrument among the patients seen, by visit.

    Returns
    -------
    DataFrame
        `instrument`, `visit`, `week`, `seen` (patients with any instrument recorded), `recorded`, `missing`.
    """
    instruments = cohort.measured
    rows = cohort.visits[cohort.visits[instruments].notna().any(axis=1)]
    grouped = rows.groupby(["visit", "week"], observed=True)
    recorded = grouped[instruments].count().melt(ignore_index=False, var_name="instrument", value_name="recorded")
    table = recorded.reset_index().merge(grouped.size().rename("seen").reset_index(), on=["visit", "week"])
    table["missing"] = table["seen"] - table["recorded"]
    return table[["instrument", "visit", "week", "seen", "recorded", "missing"]]


def labels(cohort: Cohort) -> dict[str, str]:
    """The printed name of each instrument, with its range in points: `EASI (0\u201372)`."""
    known = {name: cohort.instrument(name) for name in cohort.measured}
    return {name: f"{one.label} ({one.minimum:g}\u2013{one.maximum:g})" for name, one in known.items()}


def log_frame(cohort: Cohort) -> pd.DataFrame:
    """The cleaning log as a table: `code`, `where`, `what`."""
    rows = [(entry.code, entry.where, entry.what) for entry in cohort.log]
    return pd.DataFrame(rows, columns=["code", "where", "what"])


def characteristics(cohort: Cohort, method: QuartileMethod = "linear") -> pd.DataFrame:
    """Baseline characteristics: patient-level columns, then each instrument at the first visit.

    Numbers are summarised by median and quartiles, categories by counts; both carry how many values are missing.

    Parameters
    ----------
    method : str
        Quartile definition, see `easitrace.paired.quartiles`.

    Returns
    -------
    DataFrame
        `variable`, `level` ("" for numbers), `n` (known values), `missing`, `count` (categories),
        `median`, `q1`, `q3` (numbers).
    """
    first = cohort.visits[cohort.visits["week"] == cohort.baseline.week].set_index("patient")[cohort.measured]
    patients = cohort.patients.set_index("patient")
    own = [name for name in patients.columns if name not in BOOKKEEPING]
    table = patients[own].join(first)
    return pd.concat([_describe(table[name], method) for name in table.columns], ignore_index=True)


def _describe(values: pd.Series, method: QuartileMethod) -> pd.DataFrame:
    known = values.dropna()
    shared = {"variable": values.name, "n": len(known), "missing": len(values) - len(known)}
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        cuts = quartiles(known.to_numpy(dtype=float), method)
        numbers = {"level": "", "median": cuts.median, "q1": cuts.lower, "q3": cuts.upper}
        return pd.DataFrame([shared | numbers])
    counts = known.astype(str).value_counts().sort_index()
    return pd.DataFrame([shared | {"level": level, "count": int(n)} for level, n in counts.items()])
