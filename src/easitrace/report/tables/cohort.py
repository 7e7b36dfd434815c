"""Tables of the cohort: Table 1, missing values, the cleaning log."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from easitrace.report.style import MISSING, Style
from easitrace.report.tables.journal import capital, journal_table

if TYPE_CHECKING:
    from great_tables import GT


def characteristics_table(data: pd.DataFrame, style: Style, labels: Mapping[str, str]) -> "GT":
    """Table 1: median [quartiles] for numbers, n (%) for categories, both over the known values, and n missing.

    With `arm` a column for each, all patients last.
    """
    if "arm" in data:
        return _characteristics_by_arm(data, style, labels)
    rows = []
    for variable, part in data.groupby("variable", sort=False):
        name = capital(labels[str(variable)])
        levels = part[part["level"] != ""]
        if levels.empty:
            rows.append(_number_row(name, part.iloc[0], style))
        elif set(levels["level"]) <= {"yes", "no"}:
            rows.append(_category_row(name, levels.iloc[-1], style, yes=True))
        else:
            rows.append({"Characteristic": name, "n known": str(part["n"].iloc[0]), "Value": "", "Missing": ""})
            rows += [_category_row(f"\u2003{row['level']}", row, style) for _, row in levels.iterrows()]
    return journal_table(rows)


def missing_table(data: pd.DataFrame, labels: Mapping[str, str]) -> "GT":
    """Recorded values of each instrument out of the patients seen, by visit."""
    rows = []
    for instrument, part in data.groupby("instrument", sort=False):
        cells = {
            capital(str(visit)): f"{recorded}/{seen}"
            for visit, recorded, seen in part[["visit", "recorded", "seen"]].itertuples(index=False)
        }
        rows.append({"Instrument": capital(labels[str(instrument)]), **cells})
    return journal_table(rows)


def reasons_for_missing_table(reasons: pd.DataFrame, names: Mapping[str, str]) -> "GT":
    """Cells of the file that are missing for a stated reason."""
    rows = [
        {"Column": capital(names.get(role, role)), "Reason": reason, "Cells": str(n)}
        for role, reason, n in reasons[["role", "reason", "n"]].itertuples(index=False)
    ]
    return journal_table(rows, text=["Reason"])


def log_table(log: pd.DataFrame) -> "GT":
    """The cleaning log: every repair and warning with its place."""
    rows = [{"Code": code, "Where": where, "What": what} for code, where, what in log.itertuples(index=False)]
    return journal_table(rows, text=["Where", "What"])


def _characteristics_by_arm(data: pd.DataFrame, style: Style, labels: Mapping[str, str]) -> "GT":
    arms = list(dict.fromkeys(data["arm"]))
    first = {arm: data[data["arm"] == arm].iloc[0] for arm in arms}
    headings = {arm: f"{arm}, n = {row['n'] + row['missing']}" for arm, row in first.items()}
    rows = []
    for variable, part in data.groupby("variable", sort=False):
        name, own = capital(labels[str(variable)]), {arm: part[part["arm"] == arm] for arm in arms}
        levels = list(dict.fromkeys(part.loc[part["level"] != "", "level"]))
        if not levels:
            rows.append({"Characteristic": name, **{headings[arm]: _spread(own[arm].iloc[0], style) for arm in arms}})
        elif set(levels) <= {"yes", "no"}:
            rows.append({"Characteristic": name, **{headings[arm]: _counted(own[arm], "yes", style) for arm in arms}})
        else:
            rows.append({"Characteristic": name, **dict.fromkeys(headings.values(), "")})
            for level in sorted(levels):
                cells = {headings[arm]: _counted(own[arm], level, style) for arm in arms}
                rows.append({"Characteristic": f"\u2003{level}", **cells})
    return journal_table(rows)


def _spread(row: Any, style: Style) -> str:
    """Median [quartiles], and of how many where some are missing."""
    value = f"{style.number(row['median'])} [{style.range(row['q1'], row['q3'])}]"
    return f"{value}, n = {row['n']}" if row["missing"] else value


def _counted(part: pd.DataFrame, level: str, style: Style) -> str:
    """Patients with a level out of those known; none known has no row."""
    if part.empty:
        return MISSING
    count = part.loc[part["level"] == level, "count"]
    return style.count(int(count.iloc[0]) if len(count) else 0, int(part["n"].iloc[0]))


def _number_row(name: str, row: Any, style: Style) -> dict[str, str]:
    value = f"{style.number(row['median'])} [{style.range(row['q1'], row['q3'])}]"
    return {"Characteristic": name, "n known": str(row["n"]), "Value": value, "Missing": str(row["missing"])}


def _category_row(name: str, row: Any, style: Style, *, yes: bool = False) -> dict[str, str]:
    count = int(row["count"]) if not yes or row["level"] == "yes" else 0
    value = style.count(count, int(row["n"]))
    return {"Characteristic": name, "n known": str(row["n"]), "Value": value, "Missing": str(row["missing"])}
