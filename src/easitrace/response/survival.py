"""Drug survival: time on treatment, how long patients stayed on it, and for which reasons they stopped.

With d_r(t) patients stopping at day t for reason r, d(t) all who stop then, and n(t) at risk just before,

    S(t)   = product over s <= t of 1 - d(s) / n(s)                    Kaplan & Meier (1958) JASA 53:457
    F_r(t) = sum over s <= t of S(s-) d_r(s) / n(s)                    Aalen & Johansen (1978) Scand J Stat 5:141

so that 1 - S(t) is the sum of F_r(t) over the reasons. Standard errors: Greenwood's for S, Aalen's for F_r; limits on
the scale of log(-log p), which keeps them between 0 and 1.

Times of a cohort with arms say which arm a patient is in, and every table made of them is one of each arm.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from statistics import NormalDist
from typing import Any, Concatenate, ParamSpec

import numpy as np
import numpy.typing as npt
import pandas as pd

from easitrace.cohort.arms import ARM
from easitrace.cohort.cohort import Cohort
from easitrace.paired import QuartileMethod, quartiles
from easitrace.response.proportions import with_proportions

STOPPED = "stopped"
NO_REASON = "reason not recorded"
REASONS = ("inefficacy", "side effects", "inefficacy and side effects", "other", NO_REASON)
DAYS_PER_YEAR = 365.25
DAYS_PER_WEEK = 7
HALF = 0.5
Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
P = ParamSpec("P")
OfTimes = Callable[Concatenate[pd.DataFrame, P], pd.DataFrame]


def of_each_arm(compute: OfTimes[P]) -> OfTimes[P]:
    """The table of each arm, one below the other with `arm` first, where the times have arms."""

    @wraps(compute)
    def by_arm(times: pd.DataFrame, /, *args: P.args, **kwargs: P.kwargs) -> pd.DataFrame:
        if ARM not in times:
            return compute(times, *args, **kwargs)
        parts = []
        for arm, own in times.groupby(ARM, observed=True, sort=True):
            part = compute(own.drop(columns=ARM), *args, **kwargs)
            part.insert(0, ARM, str(arm))
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    return by_arm


def time_on_treatment(cohort: Cohort) -> pd.DataFrame:
    """Days on treatment of every patient: to the stop, or to the last visit of those who had not stopped by then.

    Returns
    -------
    DataFrame
        `patient`, `days` (missing when a patient stopped on a day not recorded; 0 when last seen before day 0),
        `stopped` (bool), `reason` (one of `REASONS`, "" when not stopped), `status`; a row per patient, as the cohort.
        With arms also `arm`.
    """
    people = cohort.patients
    stopped = people["status"] == STOPPED
    days = people["stop_day"].where(stopped, people["patient"].map(_last_day(cohort)).clip(lower=0.0))
    reason = people["stop_reason"].astype(object).fillna(NO_REASON).where(stopped, "")
    columns = {"patient": people["patient"], "days": days, "stopped": stopped, "reason": reason}
    arm = {ARM: people[ARM]} if cohort.arms else {}
    return pd.DataFrame({**columns, "status": people["status"], **arm})


@of_each_arm
def kaplan_meier(times: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Proportion still on treatment after each day on which somebody stopped.

    Parameters
    ----------
    times : DataFrame
        With `days` and `stopped`, as from `time_on_treatment`; rows without days are left out.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        `day`, `at_risk`, `stopped`, `survival`, `se` (Greenwood), `lower`, `upper` (missing while nobody has
        stopped and when nobody is left); the first row is day 0 before any stop.
    """
    from statsmodels.duration.survfunc import SurvfuncRight

    known = times.dropna(subset=["days"])
    start = {"day": 0.0, "at_risk": len(known), "stopped": 0, "survival": 1.0, "se": 0.0}
    rows = pd.DataFrame([start])
    if known["stopped"].any():
        curve = SurvfuncRight(known["days"].to_numpy(float), known["stopped"].to_numpy(int))
        at_risk, stopped = np.asarray(curve.n_risk, int), np.asarray(curve.n_events, int)
        columns = {"day": curve.surv_times, "at_risk": at_risk, "stopped": stopped, "survival": curve.surv_prob}
        se = np.where(curve.surv_prob > 0, np.nan_to_num(curve.surv_prob_se), 0.0)
        rows = pd.concat([rows, pd.DataFrame({**columns, "se": se})], ignore_index=True)
    return _with_limits(rows, "survival", level)


@of_each_arm
def cumulative_incidence(times: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Proportion that has stopped for each reason, the other reasons competing, after each day of a stop.

    Returns
    -------
    DataFrame
        `reason`, `day`, `incidence`, `se` (Aalen), `lower`, `upper` (missing while it is 0); per reason that
        occurred a first row at day 0 and a row for each day on which somebody stopped for any reason.
    """
    known = times.dropna(subset=["days"])
    reasons = [reason for reason in REASONS if (known["reason"] == reason).any()]
    if not reasons:
        return pd.DataFrame(columns=["reason", "day", "incidence", "se", "lower", "upper"])
    days = np.unique(known.loc[known["stopped"], "days"].to_numpy(float))
    at_risk = (known["days"].to_numpy(float)[:, None] >= days).sum(axis=0)
    stops = {
        reason: (known.loc[known["reason"] == reason, "days"].to_numpy(float)[:, None] == days).sum(axis=0)
        for reason in reasons
    }
    still = np.cumprod(1 - sum(stops.values()) / at_risk)
    parts = []
    for reason, own in stops.items():
        incidence, se = _aalen_johansen(own, sum(stops.values()), at_risk, np.array([1.0, *still[:-1]]))
        values = {"day": [0.0, *days], "incidence": [0.0, *incidence], "se": [0.0, *se]}
        parts.append(pd.DataFrame({"reason": reason, **values}))
    return _with_limits(pd.concat(parts, ignore_index=True), "incidence", level)


def at_weeks(curve: pd.DataFrame, times: pd.DataFrame, weeks: list[float]) -> pd.DataFrame:
    """The Kaplan-Meier curve at some weeks, with the patients at risk then.

    Returns
    -------
    DataFrame
        `week`, `at_risk`, `stopped`, `censored` (both up to and on that day), `survival`, `lower`, `upper`: missing
        after the last day anybody was followed.
    """
    if ARM in curve:
        own = {arm: rows.drop(columns=ARM) for arm, rows in curve.groupby(ARM, sort=False)}
        parts = [at_weeks(own[arm], times[times[ARM] == arm], weeks).assign(arm=arm) for arm in own]
        table = pd.concat(parts, ignore_index=True)
        return table[[ARM, *(name for name in table.columns if name != ARM)]]
    known = times.dropna(subset=["days"])
    rows = []
    for week in weeks:
        day = DAYS_PER_WEEK * week
        past = known[known["days"] <= day]
        stopped = int(past["stopped"].sum())
        counts = {"at_risk": int((known["days"] >= day).sum()), "stopped": stopped, "censored": len(past) - stopped}
        reached = day <= known["days"].max() or curve["survival"].iloc[-1] == 0
        last: Any = curve[curve["day"] <= day].iloc[-1] if reached else {}
        rows.append(
            {"week": week, **counts, **{name: last.get(name, np.nan) for name in ("survival", "lower", "upper")}}
        )
    return pd.DataFrame(rows)


def log_rank(times: pd.DataFrame, cohort: Cohort, strata: Sequence[str] = ()) -> dict[str, float]:
    """Log-rank test of the same drug survival in all arms, stratified by patient-level columns where some are given.

    Patients without days or without a stratum are left out.

    Returns
    -------
    dict
        `chi_square`, `df` (arms less one), `p`, `n`; missing where nobody stopped.
    """
    from statsmodels.duration.survfunc import survdiff

    table = times.merge(cohort.patients[["patient", *strata]], on="patient").dropna(subset=["days", *strata])
    df = len(cohort.arms) - 1
    if not table["stopped"].any() or table[ARM].nunique() <= df:
        return {"chi_square": np.nan, "df": df, "p": np.nan, "n": len(table)}
    stratum = table[list(strata)].astype(str).agg(", ".join, axis=1).to_numpy() if strata else None
    days, stopped = table["days"].to_numpy(float), table["stopped"].to_numpy(int)
    chi_square, p = survdiff(days, stopped, table[ARM].astype(str).to_numpy(), strata=stratum)
    return {"chi_square": float(chi_square), "df": df, "p": float(p), "n": len(table)}


def median_time(curve: pd.DataFrame) -> dict[str, float]:
    """Days by which half of the patients have stopped, with limits where the band crosses one half.

    Missing where it is not reached. Brookmeyer & Crowley (1982) Biometrics 38:29.
    """
    crossings = {"median": "survival", "lower": "lower", "upper": "upper"}
    first = {name: curve.loc[curve[column] <= HALF, "day"] for name, column in crossings.items()}
    return {name: float(days.iloc[0]) if len(days) else np.nan for name, days in first.items()}


@of_each_arm
def stop_reasons(times: pd.DataFrame, *, level: float = 0.95, interval: str = "wilson") -> pd.DataFrame:
    """Patients who stopped for each reason that occurred, then for any, out of all patients.

    Returns
    -------
    DataFrame
        `reason` ("any reason" in the last row), `stopped`, `n` (patients), `proportion`, `lower`, `upper`, `method`.
    """
    counts = times.loc[times["stopped"], "reason"].value_counts()
    rows = [(reason, int(counts[reason])) for reason in REASONS if reason in counts.index]
    table = pd.DataFrame([*rows, ("any reason", int(times["stopped"].sum()))], columns=["reason", "stopped"])
    return with_proportions(table.assign(n=len(times)), "stopped", level=level, interval=interval)


def exposure(times: pd.DataFrame, method: QuartileMethod = "linear") -> dict[str, Any]:
    """Time under observation on treatment.

    Returns
    -------
    dict
        `followed` (patients with days known), `without_time` (stopped on a day not recorded), `patient_years`, and of
        the days `median_days`, `q1_days`, `q3_days`, `shortest_days`, `longest_days`.
    """
    days = times["days"].dropna().to_numpy(float)
    cuts = quartiles(days, method)
    return {
        "followed": len(days),
        "without_time": len(times) - len(days),
        "patient_years": float(days.sum()) / DAYS_PER_YEAR,
        "median_days": cuts.median,
        "q1_days": cuts.lower,
        "q3_days": cuts.upper,
        "shortest_days": float(days.min()) if len(days) else np.nan,
        "longest_days": float(days.max()) if len(days) else np.nan,
    }


def _last_day(cohort: Cohort) -> "pd.Series[float]":
    """Day of the last visit at which anything was recorded, by patient; the planned day where none is known."""
    seen = cohort.visits[cohort.visits[cohort.measured].notna().any(axis=1)]
    days = seen["day"].fillna(DAYS_PER_WEEK * seen["week"])
    return days.groupby(seen["patient"]).max()


def _aalen_johansen(own: Counts, stops: Counts, at_risk: Counts, before: Numbers) -> tuple[Numbers, Numbers]:
    """F_r and its standard error at each day of a stop, from d_r, d, n and S(s-), all of shape (n_days,).

    Marubini & Valsecchi (1995) Analysing Survival Data, section 10.4; without censoring the binomial variance.
    """
    step = before * own / at_risk
    incidence = np.cumsum(step)
    left = at_risk - stops
    hazard = np.divide(stops, at_risk * left, out=np.zeros(len(own)), where=left > 0)
    to_come = np.tril(incidence[:, None] - incidence)
    own_variance = np.cumsum(before**2 * own * (at_risk - own) / at_risk**3)
    variance = to_come**2 @ hazard + own_variance - 2 * to_come @ (step / at_risk)
    return incidence, np.sqrt(np.maximum(variance, 0.0))


def _with_limits(table: pd.DataFrame, name: str, level: float) -> pd.DataFrame:
    """Limits p^exp(-+ z se / (p log p)), missing where p is 0 or 1 (Kalbfleisch & Prentice 2002, section 1.4)."""
    p, se = table[name].to_numpy(float), table["se"].to_numpy(float)
    inside = (p > 0) & (p < 1)
    share = np.where(inside, p, HALF)
    width = NormalDist().inv_cdf((1 + level) / 2) * se / (share * np.abs(np.log(share)))
    limits = {"lower": share ** np.exp(width), "upper": share ** np.exp(-width)}
    return table.assign(**{side: np.where(inside, limit, np.nan) for side, limit in limits.items()})
