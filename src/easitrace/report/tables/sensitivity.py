"""Tables of sensitivity: the same result under every estimand and missing-data rule."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from easitrace.report.style import MISSING, Style
from easitrace.report.tables.journal import capital, journal_table
from easitrace.report.words import SHORT_MISSING

if TYPE_CHECKING:
    from great_tables import GT


def estimands_table(data: pd.DataFrame, style: Style, level: float, unit: str) -> "GT":
    """Mean, change and responders by estimand and rule, each with its patients; what is not estimable says so.

    `data` is `sensitivity.distinct(...)`, `unit` the heading of the change.
    """
    whole = unit.endswith("%")
    rows = [
        {
            "Estimand": capital(row["estimand"].replace("-", " ")),
            "Rule": SHORT_MISSING[row["missing"]],
            "Scores (filled in)": f"{row['patients']} ({row['filled']})" if row["patients"] else MISSING,
            f"Mean, points ({level:.0%} CI)": _estimate(row, "mean", style, style.digits),
            f"{unit} ({level:.0%} CI)": _estimate(row, "change", style, style.digits if whole else style.digits + 1),
            f"Responders, % ({level:.0%} CI)": _share(row, style),
            "n (by rule)": f"{row['n']} ({row['failures'] + row['decided']})",
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups="Estimand", text=["Rule"])


def _estimate(row: dict[Any, Any], name: str, style: Style, digits: int) -> str:
    if row["message"].startswith("not estimable"):
        return "not estimable"
    if pd.isna(row[name]):
        return MISSING
    return f"{style.number(row[name], digits)} ({style.interval(row[f'{name}_lower'], row[f'{name}_upper'], digits)})"


def _share(row: dict[Any, Any], style: Style) -> str:
    if pd.isna(row["share"]):
        return "not estimable"
    limits = style.interval(100 * row["share_lower"], 100 * row["share_upper"], 0)
    return f"{style.number(100 * row['share'], 0)} ({limits})"
