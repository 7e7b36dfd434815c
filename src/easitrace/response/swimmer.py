"""The data of a swimmer plot: every patient's time on treatment, response at each visit, and how it ended."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.response.criteria import met
from easitrace.response.estimands import recorded_under
from easitrace.response.survival import DAYS_PER_WEEK, STOPPED

MOST_PATIENTS = 60
STATES = ("met", "not met", "not known")


@dataclass(frozen=True)
class Swimmer:
    """Patients by rank, longest on treatment first; nothing here says who they are.

    Attributes
    ----------
    bars : DataFrame
        `rank`, `days`, `end` ("completed", "in follow-up", or "stopped: " and the reason).
    visits : DataFrame
        `rank`, `day`, `state` (one of `STATES`): the visits after baseline at which the outcome counts.
    """

    bars: pd.DataFrame
    visits: pd.DataFrame


def swimmer(cohort: Cohort, times: pd.DataFrame, criterion: str, estimand: str) -> Swimmer:
    """Time on treatment and response of every patient whose time is known.

    Parameters
    ----------
    times : DataFrame
        From `easitrace.response.survival.time_on_treatment`.
    criterion, estimand : str
        As for `easitrace.response.classify.classify`; under an estimand that leaves scores after a stop out, so
        does this.
    """
    ranked = times.dropna(subset=["days"]).sort_values("days", ascending=False, kind="stable").reset_index(drop=True)
    ends = ranked["status"].where(ranked["status"] != STOPPED, "stopped: " + ranked["reason"].astype(str))
    bars = pd.DataFrame({"rank": ranked.index, "days": ranked["days"], "end": ends})
    ranks = pd.Series(ranked.index, index=ranked["patient"])
    return Swimmer(bars, _visits(recorded_under(cohort, estimand), criterion, ranks))


def _visits(counted: Cohort, criterion: str, ranks: "pd.Series[int]") -> pd.DataFrame:
    answers = met(counted, criterion).melt(ignore_index=False, var_name="week", value_name="met")
    answers = answers.rename_axis("patient").reset_index()
    seen = counted.visits[counted.visits[counted.outcome].notna() & counted.visits["patient"].isin(ranks.index)]
    rows = seen[["patient", "week", "day"]].merge(answers, on=["patient", "week"])
    states = np.select([rows["met"].isna(), rows["met"].fillna(False).astype(bool)], [STATES[2], STATES[0]], STATES[1])
    day = rows["day"].fillna(DAYS_PER_WEEK * rows["week"])
    return pd.DataFrame({"rank": rows["patient"].map(ranks), "day": day, "state": states})
