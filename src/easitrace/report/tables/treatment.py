"""Tables of the treatment course: drug survival, reasons for stopping, adverse events."""

from typing import TYPE_CHECKING

import pandas as pd

from easitrace.report.style import MISSING, Style
from easitrace.report.tables.journal import arm_cell, arm_group, capital, journal_table, unbroken

if TYPE_CHECKING:
    from great_tables import GT


def survival_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Patients at risk, stopped and censored by week, and the Kaplan-Meier proportion still on treatment."""
    rows = [
        {
            **arm_cell(row),
            "Week": f"{row['week']:g}",
            "At risk": str(row["at_risk"]),
            "Stopped by then": str(row["stopped"]),
            "Censored by then": str(row["censored"]),
            "On treatment": style.percent(row["survival"]),
            f"{level:.0%} CI, %": _limits(row["lower"], row["upper"], style),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups=arm_group(data))


def stop_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Patients who stopped for each reason, and the cumulative incidence at the end of follow-up.

    `data` has the columns of `easitrace.response.survival.stop_reasons` and `incidence`, `incidence_lower`,
    `incidence_upper`.
    """
    rows = [
        {
            **arm_cell(row),
            "Reason": capital(row["reason"]),
            "Patients / n": unbroken(style.count(int(row["stopped"]), int(row["n"]))),
            f"{level:.0%} CI, %": style.interval(100 * row["lower"], 100 * row["upper"], 0),
            "Cumulative incidence": style.percent(row["incidence"]),
            f"{level:.0%} CI of it, %": _limits(row["incidence_lower"], row["incidence_upper"], style),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups=arm_group(data))


def events_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Adverse events: patients, events, serious events, and the rate per 100 patient-years with its exact limits."""
    rows = [
        {
            **arm_cell(row),
            "Event": capital(row["event"]),
            "Patients / n": unbroken(style.count(int(row["patients"]), int(row["n"]))),
            f"{level:.0%} CI, %": _limits(row["lower"], row["upper"], style),
            "Events": str(row["events"]),
            "Serious": str(row["serious"]),
            "Per 100 patient-years": style.number(row["rate"], 0),
            f"{level:.0%} CI of the rate": style.interval(row["rate_lower"], row["rate_upper"], 0),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups=arm_group(data))


def _limits(lower: float, upper: float, style: Style) -> str:
    return MISSING if pd.isna(lower) else style.interval(100 * lower, 100 * upper, 0)
