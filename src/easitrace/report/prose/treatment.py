"""Sentences and notes about the treatment course."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.report.prose.arms import of_arm
from easitrace.report.prose.response import interval_note
from easitrace.report.prose.words_of_numbers import joined, number_keys
from easitrace.report.style import Style
from easitrace.report.words import INTERVAL_NAMES
from easitrace.response.survival import REASONS, median_time
from easitrace.response.swimmer import MOST_PATIENTS


def exposure_sentence(exposure: dict[str, Any]) -> str:
    """A template that says how long patients were followed on treatment; its fields are recorded by the chapter."""
    left_out = " {without_time:d} who stopped on a day not recorded are left out of the times."
    return (
        "{followed:d} patients were followed on treatment for {patient_years:.1f} patient-years: median "
        "{median_days:.0f} days (quartiles {q1_days:.0f} to {q3_days:.0f}, range {shortest_days:.0f} to "
        "{longest_days:.0f})." + (left_out if exposure["without_time"] else "")
    )


def median_sentence(median: dict[str, float]) -> str:
    """A template about the median time on treatment, or that it was not reached."""
    if pd.isna(median["median"]):
        return "The median time on treatment was not reached."
    upper = "{median_upper:.0f} days" if pd.notna(median["upper"]) else "not reached"
    return (
        "The median time on treatment was {median_time:.0f} days (interval from {median_lower:.0f} to " + upper + ")."
    )


def medians_of_arms(curve: pd.DataFrame, style: Style) -> str:
    """The median time on treatment of each arm, or that it was not reached."""
    parts = []
    for arm, rows in curve.groupby("arm", sort=False):
        found = median_time(rows)
        upper = style.number(found["upper"], 0) if pd.notna(found["upper"]) else "not reached"
        limits = f"{style.number(found['median'], 0)} days (interval from {style.number(found['lower'], 0)} to {upper})"
        parts.append(f"{limits if pd.notna(found['median']) else 'not reached'} in {arm}")
    return f"Median time on treatment: {'; '.join(parts)}."


def log_rank_template(strata: Sequence[str], df: int) -> str:
    """A sentence on the test that the arms stay on treatment alike; its fields are recorded by the chapter."""
    by = f", stratified by {joined([name.replace('_', ' ') for name in strata])}" if strata else ""
    degrees = "degree" if df == 1 else "degrees"
    return (
        f"Log-rank test of the same drug survival in all arms{by}: \u03c7\u00b2 = {{log_rank_chi_square:.2f}} on "
        f"{{log_rank_df:d}} {degrees} of freedom, {{log_rank_p:p}}, {{log_rank_n:d}} patients."
    )


def survival_numbers(weeks: pd.DataFrame) -> dict[str, Any]:
    """`on_treatment_week_12`, `at_risk_week_12`, ... for every planned week."""
    keyed = weeks.assign(key=[f"week {week:g}" for week in weeks["week"]])
    columns = {"survival": "on_treatment", "lower": "on_treatment_lower", "upper": "on_treatment_upper"}
    return number_keys(keyed, "key", {**columns, "at_risk": "at_risk", "stopped": "stopped_by"})


def survival_caption(drug: str, level: float) -> str:
    """What the Kaplan-Meier figure shows."""
    what = f"Patients still on {drug}" if drug else "Patients still on treatment"
    marks = "vertical marks: last visit of patients who had not stopped"
    return f"{what} (Kaplan-Meier) with {level:.0%} confidence band; {marks}."


def survival_sentence(weeks: pd.DataFrame, style: Style) -> str:
    """The curve in words at the planned weeks."""
    parts = [
        f"{style.percent(row['survival'])} at week {row['week']:g}{of_arm(row)} ({row['at_risk']} at risk)"
        for row in weeks.to_dict("records")
    ]
    return f"Still on treatment: {', '.join(parts)}."


SURVIVAL_NOTE = (
    "At risk: still on treatment and followed to the planned day; a patient whose last visit was some days before it "
    "is censored there. Limits on the scale of log(\u2212log S) with Greenwood's standard error. A dash: nobody had "
    "stopped yet, or nobody was followed that long."
)


def stops_with_incidence(reasons: pd.DataFrame, incidence: pd.DataFrame, curve: pd.DataFrame) -> pd.DataFrame:
    """The reasons table with the cumulative incidence at the end; of any reason, one minus the Kaplan-Meier curve."""
    if "arm" in reasons:
        tables = [reasons, incidence, curve]
        own = {arm: [t[t["arm"] == arm].drop(columns="arm") for t in tables] for arm in dict.fromkeys(reasons["arm"])}
        parts = [stops_with_incidence(*parts).assign(arm=arm) for arm, parts in own.items()]
        table = pd.concat(parts, ignore_index=True)
        return table[["arm", *(name for name in table.columns if name != "arm")]]
    ends = incidence.groupby("reason", sort=False).last()
    last = curve.iloc[-1]
    whole = pd.DataFrame(
        {"incidence": [1 - last["survival"]], "lower": [1 - last["upper"]], "upper": [1 - last["lower"]]},
        index=["any reason"],
    )
    columns = {"incidence": "incidence", "lower": "incidence_lower", "upper": "incidence_upper"}
    together = pd.concat([ends[list(columns)], whole]).rename(columns=columns)
    return reasons.join(together, on="reason")


def stops_note(interval: str, level: float) -> str:
    """What the two proportions of a reason are."""
    return (
        "Patients / n: of all patients, also those still in follow-up. Cumulative incidence: by the end of follow-up, "
        "the other reasons competing (Aalen-Johansen); the reasons add up to one minus the Kaplan-Meier curve; "
        "its limits are on the scale of log(\u2212log F) with Aalen's standard error, those of any reason as for the "
        f"curve. Of patients / n, {interval_note(interval, level)}"
    )


def stops_sentence(reasons: pd.DataFrame, style: Style) -> str:
    """The reasons in words."""
    rows = reasons[reasons["reason"].isin(REASONS)]
    parts = [f"{row['reason']} {style.percent(row['incidence'])}{of_arm(row)}" for row in rows.to_dict("records")]
    return f"Cumulative incidence of stopping by reason: {', '.join(parts)}."


def events_note(events: pd.DataFrame, interval: str, level: float) -> str:
    """Which events count, how many do not, and which limits are printed."""
    after, untimed = (int((events["counted"] == name).sum()) for name in ("after", "no time"))
    undated = int(events.loc[events["counted"] == "yes", "day"].isna().sum())
    parts = [
        f"{after} events after the end of a patient's time on treatment are not counted." if after else "",
        f"{untimed} events of patients whose time on treatment is not known are not counted." if untimed else "",
        f"{undated} events without a day are counted." if undated else "",
    ]
    exact = (
        f"{level:.0%} CI: {INTERVAL_NAMES[interval]} for proportions of patients; exact Poisson limits of the rate, "
        "with events taken as independent, also within a patient."
    )
    return " ".join([*filter(None, parts), exact])


def events_compared(cohort: Cohort) -> str:
    """What the adverse events can tell of their cause."""
    if not cohort.arms:
        return "Adverse events without a comparison group say nothing about cause."
    return (
        "Adverse events are counted by arm and not tested: small numbers of many kinds. Curves and log-rank test say "
        "how long patients stayed on treatment; that hangs on the rules of the trial as well as on the treatment."
    )


def swimmer_left_out(patients: int) -> str:
    """Why there is no swimmer plot, or "" when there is one."""
    return f"With more than {MOST_PATIENTS} patients the bars are not drawn." if patients > MOST_PATIENTS else ""


def swimmer_sentence(bars: pd.DataFrame, visits: pd.DataFrame, criterion: str) -> str:
    """The swimmer plot in words: how the patients ended, how often the criterion was met."""
    ends = ", ".join(f"{end} {n}" for end, n in bars["end"].value_counts(sort=True).items())
    met = int((visits["state"] == "met").sum())
    return f"Patients by end of treatment: {ends}. {criterion} was met at {met} of {len(visits)} visits after baseline."
