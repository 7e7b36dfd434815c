"""Small cohorts written out by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from easitrace.cohort.cohort import Cohort, Visit
from easitrace.instruments import Instrument

WEEKS = (0.0, 4.0, 12.0, 24.0)


def cohort_of(
    patients: Mapping[str, Mapping[str, Any]],
    *,
    weeks: Sequence[float] = WEEKS,
    outcome: str = "easi",
    declared: Instrument | None = None,
) -> Cohort:
    """A cohort from {patient: {instrument: scores by visit, status, stop_week, stop_reason}}; None is not recorded.

    Visits planned after the week treatment stopped are marked as recorded after stopping.
    """
    schedule = tuple(Visit("baseline" if week == 0 else f"week {week:g}", week) for week in weeks)
    names = [key for key in next(iter(patients.values())) if key not in ("status", "stop_week", "stop_reason")]
    rows = [
        {
            "patient": patient,
            "visit": visit.label,
            "week": visit.week,
            "day": 7 * visit.week,
            "after_stop": visit.week > entry.get("stop_week", np.inf),
            **{name: entry[name][place] for name in names},
        }
        for patient, entry in sorted(patients.items())
        for place, visit in enumerate(schedule)
    ]
    visits = pd.DataFrame(rows).astype(dict.fromkeys(names, "float64"))
    visits["visit"] = pd.Categorical(visits["visit"], [visit.label for visit in schedule], ordered=True)
    people = pd.DataFrame(
        {
            "patient": sorted(patients),
            "stop_day": [7 * patients[p].get("stop_week", np.nan) for p in sorted(patients)],
            "stop_week": [float(patients[p].get("stop_week", np.nan)) for p in sorted(patients)],
            "stop_reason": pd.Series([patients[p].get("stop_reason") for p in sorted(patients)], dtype="str"),
            "status": [patients[p].get("status", "completed") for p in sorted(patients)],
        }
    )
    return Cohort(
        visits=visits,
        patients=people,
        schedule=schedule,
        outcome=outcome,
        events=pd.DataFrame(),
        flow=pd.DataFrame(),
        declared=declared,
    )


def stopped(week: float | None, reason: str | None, *scores: float | None) -> dict[str, Any]:
    """A patient who stopped treatment; a week of None is a time not recorded."""
    when = {} if week is None else {"stop_week": week}
    return {"easi": scores, "status": "stopped", "stop_reason": reason, **when}


def waiting(*scores: float | None) -> dict[str, Any]:
    """A patient who is still in follow-up."""
    return {"easi": scores, "status": "in follow-up"}


def seen(*scores: float | None) -> dict[str, Any]:
    """A patient who completed follow-up."""
    return {"easi": scores}
