"""The flow of rows and patients from the file to the analysis; every part adds up to its whole."""

from collections.abc import Sequence

import pandas as pd

from easitrace.cohort.cohort import Visit

FLOW_COLUMNS = ["step", "n", "detail"]
Step = tuple[str, int, str]


def flow_frame(steps: Sequence[Step]) -> pd.DataFrame:
    """The flow as a table with columns `step`, `n`, `detail`."""
    return pd.DataFrame(list(steps), columns=FLOW_COLUMNS).astype({"step": "str", "n": "int64", "detail": "str"})


def patient_steps(visits: pd.DataFrame, patients: pd.DataFrame, schedule: Sequence[Visit], outcome: str) -> list[Step]:
    """For each planned visit the patients seen, stopped, in follow-up and missed; `detail` is the visit.

    A patient counts as seen when the outcome was recorded. One who was not has *stopped* when the
    stop lies on or before the planned day (or, the day unknown, when nothing was recorded later), is *in
    follow-up* when still under treatment with nothing recorded later, and has *missed* the visit otherwise.
    The four add up to the patients analysed.
    """
    scores = visits.loc[visits[outcome].notna()]
    last_week = scores.groupby("patient")["week"].max().reindex(patients["patient"]).to_numpy()
    stopped, waiting = (patients["status"].to_numpy() == status for status in ("stopped", "in follow-up"))
    stop_day = patients["stop_day"].to_numpy()
    steps: list[Step] = []
    for visit in schedule:
        here = patients["patient"].isin(scores.loc[scores["week"] == visit.week, "patient"]).to_numpy()
        nothing_later = ~(last_week > visit.week)
        gone = ~here & stopped & ((stop_day <= 7 * visit.week) | (pd.isna(stop_day) & nothing_later))
        not_yet = ~here & waiting & nothing_later
        counts = {"seen": here, "stopped": gone, "in follow-up": not_yet,
                  "missed": ~(here | gone | not_yet)}  # fmt: skip
        steps += [(step, int(those.sum()), visit.label) for step, those in counts.items()]
    return steps
