"""Adverse events: how many patients had them, and how often they came per time on treatment."""

from typing import Any

import numpy as np
import pandas as pd

from easitrace.cohort.arms import ARM
from easitrace.cohort.cohort import Cohort
from easitrace.errors import ParameterError, Problem
from easitrace.response.proportions import with_proportions
from easitrace.response.survival import DAYS_PER_YEAR

ANY_EVENT = "any event"
ANY_SERIOUS = "any serious event"
PER_YEARS = 100


def events_on_treatment(cohort: Cohort, times: pd.DataFrame) -> pd.DataFrame:
    """Every recorded event and whether it counts.

    Parameters
    ----------
    times : DataFrame
        From `easitrace.response.survival.time_on_treatment`.

    Returns
    -------
    DataFrame
        `patient`, `event`, `day`, `serious`, `counted` ("yes"; "after": later than the patient's time on treatment,
        which would not be in the denominator of a rate; "no time": the patient's time is not known). An event
        without a day counts. With arms also `arm`.
    """
    if cohort.events.empty:
        return pd.DataFrame(columns=["patient", "event", "day", "serious", "counted"])
    known = times.set_index("patient")
    days = cohort.events["patient"].map(known["days"])
    counted = np.select([days.isna(), cohort.events["day"] > days], ["no time", "after"], "yes")
    arm = {ARM: cohort.events["patient"].map(known[ARM]).astype(str)} if cohort.arms else {}
    return cohort.events.assign(counted=counted, **arm)


def event_rates(
    events: pd.DataFrame, times: pd.DataFrame, *, level: float = 0.95, interval: str = "wilson"
) -> pd.DataFrame:
    """Patients with each kind of event, and events per 100 patient-years of treatment.

    Parameters
    ----------
    events : DataFrame
        From `events_on_treatment`; those that do not count are left out.
    times : DataFrame
        From `easitrace.response.survival.time_on_treatment`.

    Returns
    -------
    DataFrame
        `event` (first any, then any serious if there is one, then kinds, frequent ones first), `patients`, `n`
        (patients whose time is known), `proportion`, `lower`, `upper`, `method` (of the proportion), `events`,
        `serious`, `patient_years`, `rate`, `rate_lower`, `rate_upper` (per 100 patient-years, exact Poisson limits);
        with `arm` in both tables those of each arm, `arm` first.
    """
    if ARM in times:
        return _of_arms(events, times, level=level, interval=interval)
    own = events[events["counted"] == "yes"]
    serious = own[own["serious"].astype(bool)]
    kinds = [_count(str(name), rows) for name, rows in own.groupby("event", sort=True)]
    kinds.sort(key=lambda row: (-row["patients"], -row["events"], row["event"]))
    first = [_count(ANY_EVENT, own), *([_count(ANY_SERIOUS, serious)] if len(serious) else [])]
    days = times["days"].dropna()
    table = pd.DataFrame([*first, *kinds]).assign(n=len(days), patient_years=days.sum() / DAYS_PER_YEAR)
    lower, upper = poisson_limits(table["events"], level=level)
    per = PER_YEARS / table["patient_years"].where(table["patient_years"] > 0)
    table = table.assign(rate=table["events"] * per, rate_lower=lower * per, rate_upper=upper * per)
    table = with_proportions(table, "patients", level=level, interval=interval)
    columns = ["event", "patients", "n", "proportion", "lower", "upper", "method", "events", "serious"]
    return table[[*columns, "patient_years", "rate", "rate_lower", "rate_upper"]]


def _of_arms(events: pd.DataFrame, times: pd.DataFrame, *, level: float, interval: str) -> pd.DataFrame:
    parts = []
    for arm in times[ARM].cat.categories:
        own = events[events[ARM] == arm] if ARM in events else events
        followed = times[times[ARM] == arm].drop(columns=ARM)
        parts.append(event_rates(own, followed, level=level, interval=interval).assign(arm=arm))
    table = pd.concat(parts, ignore_index=True)
    return table[[ARM, *(name for name in table.columns if name != ARM)]]


def poisson_limits(counts: Any, *, level: float = 0.95) -> tuple[Any, Any]:
    """Exact limits of the mean of Poisson counts, arrays of shape (n_counts,). Garwood (1936) Biometrika 28:437.

    Raises
    ------
    ParameterError
        When the level is out of range.
    """
    from scipy.stats import chi2

    if not 0.5 < level < 1:
        raise ParameterError(Problem("E105", "level", f"{level} is not between 0.5 and 1", "write 0.95 for 95 %"))
    k = np.asarray(counts, dtype=np.float64)
    tail = (1 - level) / 2
    lower = np.where(k > 0, chi2.ppf(tail, np.where(k > 0, 2 * k, 1)) / 2, 0.0)
    return lower, chi2.ppf(1 - tail, 2 * k + 2) / 2


def _count(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    serious = int(rows["serious"].astype(bool).sum())
    return {"event": name, "patients": rows["patient"].nunique(), "events": len(rows), "serious": serious}
