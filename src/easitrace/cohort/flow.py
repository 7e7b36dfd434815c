"""The flow of rows and patients from the file to the analysis; every part adds up to its whole."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.cohort import Visit

FLOW_COLUMNS = ["step", "n", "detail"]
NO_SCORE = "visits without a score"
KEPT_OUT = "visits kept out as unscheduled"
BEFORE = "visits before the baseline window"
NO_WINDOW = "visits in no window"
GAVE_WAY = "visits that gave way to another row"
JOINED = "visits joined with another row"
NO_BASELINE = "visits of patients without a baseline score"
LOST = (NO_SCORE, KEPT_OUT, BEFORE, NO_WINDOW, GAVE_WAY, JOINED, NO_BASELINE)
EVENTS_READ, EVENTS_LEFT_OUT, EVENTS_USED = "adverse events read", "adverse events left out", "adverse events used"
Step = tuple[str, int, str]


def flow_frame(steps: Sequence[Step]) -> pd.DataFrame:
    """The flow as a table with columns `step`, `n`, `detail`."""
    return pd.DataFrame(list(steps), columns=FLOW_COLUMNS).astype({"step": "str", "n": "int64", "detail": "str"})


def row_steps(counts: Mapping[str, int]) -> list[Step]:
    """From the rows read to the visits used: the visits read less all that `LOST` names."""
    return [(step, counts[step], "") for step in ("rows read", "visits read", *LOST, "visits used")]


def patient_steps(visits: pd.DataFrame, patients: pd.DataFrame, schedule: Sequence[Visit], outcome: str) -> list[Step]:
    """For each planned visit the patients seen, stopped, in follow-up and missed; `detail` is the visit.

    A patient counts as seen when the outcome was recorded. One who was not has *stopped* when the stop lies
    on or before the planned day (or, the day unknown, when nothing was recorded later), is *in follow-up*
    when still under treatment with nothing recorded later, and has *missed* the visit otherwise. The four
    add up to the patients analysed.
    """
    scored = visits[visits[outcome].notna()]
    code = np.asarray(pc.index_in(pa.array(scored["patient"]), value_set=pa.array(patients["patient"])))
    week = scored["week"].to_numpy()
    last_week = np.full(len(patients), -np.inf)
    np.maximum.at(last_week, code, week)
    stopped, waiting = ((patients["status"] == status).to_numpy() for status in ("stopped", "in follow-up"))
    stop_day = patients["stop_day"].to_numpy()
    steps: list[Step] = []
    for visit in schedule:
        seen = np.zeros(len(patients), dtype=bool)
        seen[code[week == visit.week]] = True
        nothing_later = last_week <= visit.week
        gone = ~seen & stopped & ((stop_day <= 7 * visit.week) | (np.isnan(stop_day) & nothing_later))
        not_yet = ~seen & waiting & nothing_later
        states = {"seen": seen, "stopped": gone, "in follow-up": not_yet, "missed": ~(seen | gone | not_yet)}
        steps += [(state, int(those.sum()), visit.label) for state, those in states.items()]
    return steps
