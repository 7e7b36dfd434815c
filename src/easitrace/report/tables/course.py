"""Tables of the course: observed, paired, estimated, by other models."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from easitrace.report.style import MISSING, Style
from easitrace.report.tables.journal import arm_cell, arm_group, capital, journal_table
from easitrace.report.words import COVARIANCE_NAMES, SCALE_NAMES

if TYPE_CHECKING:
    from great_tables import GT


def course_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """The observed course: n, median [quartiles], mean (SD) by visit, and both kinds of relative change."""
    rows = []
    for row in data.to_dict("records"):
        spread = f"{style.number(row['median'])} [{style.range(row['q1'], row['q3'])}]"
        rows.append(
            {
                **arm_cell(row),
                "Visit": capital(row["visit"]),
                "n": str(row["n"]),
                "Median [Q1\u2013Q3]": spread,
                "Mean (SD)": f"{style.number(row['mean'])} ({style.number(row['sd'])})",
                f"Change of the median, % ({level:.0%} CI)": _change(row, "change_of_median", "change", style),
                "Pairs": style.number(row["n_change"], 0),
                f"Median of the changes, % ({level:.0%} CI)": _change(row, "median_change", "median_change", style),
            }
        )
    return journal_table(rows, groups=arm_group(data))


def paired_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Exact paired tests: the pairs, their medians, the Hodges-Lehmann shift with its interval, P."""
    rows = [
        {
            **arm_cell(row),
            "Comparison": capital(row["name"]),
            "Pairs": str(row["n_pairs"]),
            "Median, earlier": style.number(row["median_from"]),
            "Median, later": style.number(row["median_to"]),
            "Shift, points": style.number(row["shift"], style.digits + 1),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"], style.digits + 1),
            "P": style.p(row["p"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups=arm_group(data))


def means_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Model-based means on the outcome's own scale with intervals and degrees of freedom."""
    rows = [
        {
            **arm_cell(row),
            "Visit": capital(row["visit"]),
            "n": str(row["n"]),
            "Estimated mean": style.number(row["mean"]),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"]),
            "df": style.number(row["df"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups=arm_group(data))


def contrasts_table(data: pd.DataFrame, style: Style, level: float, unit: str) -> "GT":
    """Contrasts between visits in `unit` with interval, degrees of freedom and P."""
    rows = [
        {
            **arm_cell(row),
            "Contrast": capital(row["name"]),
            unit: style.number(row["estimate"], style.digits if unit.endswith("%") else style.digits + 1),
            f"{level:.0%} CI": style.interval(
                row["lower"], row["upper"], style.digits if unit.endswith("%") else style.digits + 1
            ),
            "t": style.number(row["statistic"], 2),
            "df": style.number(row["df"]),
            "P": style.p(row["p"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups=arm_group(data))


def sensitivity_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """One estimate under every structure and scale; a model that is not estimable says so."""
    rows = [
        {
            "Scale": capital(SCALE_NAMES[row["scale"]]),
            "Covariance": capital(COVARIANCE_NAMES[row["covariance"]]) if first else "",
            **arm_cell(row),
            "Estimated mean": style.number(row["mean"]) if row["status"] == "converged" else "not estimable",
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"]) if row["status"] == "converged" else MISSING,
            **_difference(row, style, level),
            "AIC": (style.number(row["aic"], 1) if row["status"] == "converged" else MISSING) if first else "",
        }
        for row, first in zip(data.to_dict("records"), ~data.duplicated(["scale", "covariance"]), strict=True)
    ]
    return journal_table(rows, text=["Covariance", "Arm"], groups="Scale")


def _difference(row: Mapping[Any, Any], style: Style, level: float) -> dict[str, str]:
    """Against the reference in the unit of the scale; nothing when there are no arms."""
    if "difference" not in row:
        return {}
    known = pd.notna(row["difference"])
    limits = style.interval(row["difference_lower"], row["difference_upper"]) if known else MISSING
    shown = f"{style.number(row['difference'])} ({limits})" if known else MISSING
    return {f"Difference ({level:.0%} CI)": shown, "P": style.p(row["p"])}


def _change(row: Mapping[Any, Any], estimate: str, limits: str, style: Style) -> str:
    if pd.isna(row[estimate]):
        return MISSING
    interval = style.interval(row[f"{limits}_lower"], row[f"{limits}_upper"])
    return f"{style.number(row[estimate])} ({interval})"
