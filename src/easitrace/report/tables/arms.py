"""Tables of the arms of a trial and of what they differ in."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from easitrace.report.style import MISSING, Style
from easitrace.report.tables.journal import capital, journal_table
from easitrace.report.words import QUANTITY_NAMES, SHORT_MISSING

if TYPE_CHECKING:
    from great_tables import GT


def differences_table(data: pd.DataFrame, style: Style, level: float, unit: str) -> "GT":
    """Each arm against the reference by visit in `unit`, with interval, degrees of freedom and P.

    `data` is `easitrace.response.trajectory.arm_differences`.
    """
    digits = style.digits if unit.endswith("%") else style.digits + 1
    rows = [
        {
            "Arms": f"{capital(row['name'])}{QUANTITY_NAMES[row['quantity']]}",
            "Visit": capital(row["visit"]),
            "n": f"{row['n']} v {row['n_reference']}",
            unit: style.number(row["estimate"], digits),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"], digits),
            "t": style.number(row["statistic"], 2),
            "df": style.number(row["df"]),
            "P": style.p(row["p"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups="Arms")


def comparisons_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Observed scores of each arm against the reference by visit: medians, Hodges-Lehmann shift with interval, P.

    `data` is `easitrace.response.arm_ranks.arm_comparisons`.
    """
    rows = [
        {
            "Arms": capital(row["name"]),
            "Visit": capital(row["visit"]),
            "n": f"{row['n']} v {row['n_reference']}",
            "Median, arm": style.number(row["median"]),
            "Median, reference": style.number(row["reference_median"]),
            "Shift, points": style.number(row["shift"], style.digits + 1),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"], style.digits + 1),
            "P": style.p(row["p"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups="Arms")


def classes_by_arm_table(data: pd.DataFrame, style: Style) -> "GT":
    """Response classes with a column per arm; `data` is `easitrace.response.arm_endpoints.classes_by_arm`."""
    headings = {"patients": "Of all patients", "classified": "Of the patients classified"}
    rows = []
    for (denominator, name), part in data.groupby(["denominator", "class"], sort=False, observed=True):
        cells = {row["arm"]: style.count(int(row["count"]), int(row["n"])) for row in part.to_dict("records")}
        rows.append({"Out of": headings[str(denominator)], "Class": capital(name), **cells})
    return journal_table(rows, text=["Class"], groups="Out of")


def responders_by_arm_table(data: pd.DataFrame, style: Style, level: float, names: Mapping[str, str]) -> "GT":
    """Responders of each arm and of the reference, their difference and odds ratio, by criterion and visit.

    `data` is the second of `easitrace.response.arm_endpoints.compared_endpoints`.
    """
    rows = [
        {
            "Criterion": f"{names[row['criterion']]}, {row['arm']} v {row['reference']}",
            "Visit": capital(row["visit"]),
            "Arm": _share(row["responders"], row["n"], row["proportion"], style),
            "Reference": _share(row["reference_responders"], row["reference_n"], row["reference_proportion"], style),
            f"Difference, % points ({level:.0%} CI)": _with_limits(
                100 * row["difference"], 100 * row["difference_lower"], 100 * row["difference_upper"], style, 0
            ),
            f"Odds ratio ({level:.0%} CI)": _with_limits(
                row["odds_ratio"], row["odds_lower"], row["odds_upper"], style, 1
            ),
            "P": style.p(row["odds_p"]),
        }
        for row in data.sort_values(["criterion", "arm"], key=_in_order, kind="stable").to_dict("records")
    ]
    return journal_table(rows, groups="Criterion")


def _in_order(column: pd.Series) -> pd.Series:
    """By first appearance."""
    return pd.Series(pd.factorize(column)[0], index=column.index)


def _share(responders: float, n: int, proportion: float, style: Style) -> str:
    """Responders/n, or the percentage of n where responses were imputed."""
    return style.count(int(responders), int(n)) if pd.notna(responders) else f"{style.percent(proportion)} of {n}"


def _with_limits(estimate: float, lower: float, upper: float, style: Style, digits: int) -> str:
    if pd.isna(estimate):
        return MISSING
    return f"{style.number(estimate, digits)} ({style.interval(lower, upper, digits)})"


def arm_estimands_table(data: pd.DataFrame, style: Style, level: float, unit: str) -> "GT":
    """The difference between arms under every estimand and rule; `data` is `arm_sensitivity.compare_arms`."""
    digits = style.digits if unit.endswith("%") else style.digits + 1
    rows = [
        {
            "Estimand": f"{capital(row['estimand'].replace('-', ' '))}, {row['arm']} v {row['reference']}",
            "Rule": SHORT_MISSING[row["missing"]],
            f"{unit} ({level:.0%} CI)": _with_limits(row["estimate"], row["lower"], row["upper"], style, digits),
            "P": style.p(row["p"]),
            f"Responders: difference, % points ({level:.0%} CI)": _with_limits(
                100 * row["difference"], 100 * row["difference_lower"], 100 * row["difference_upper"], style, 0
            ),
        }
        for row in data.sort_values(["estimand", "arm"], key=_in_order, kind="stable").to_dict("records")
    ]
    return journal_table(rows, groups="Estimand")
