"""The display tables of the chapters: tidy results in, a great-tables table in journal style out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from easitrace.report.style import MISSING, Style

if TYPE_CHECKING:
    from great_tables import GT

VARIABLE_NAMES = {"age": "Age, years", "sex": "Sex"}


def journal_table(rows: Sequence[Mapping[str, str]], text: Sequence[str] = (), groups: str = "") -> "GT":
    """A table whose column names are its headers; text columns to the left, numbers to the right.

    Parameters
    ----------
    rows : sequence of mappings
        Header to formatted cell, the same headers in every row.
    text : sequence of str
        Headers of the left-aligned columns besides the first.
    groups : str
        Header whose values become row groups.
    """
    from great_tables import GT

    frame = pd.DataFrame(list(rows))
    table = GT(frame, groupname_col=groups or None)
    left = [name for name in frame.columns if name in text or name == frame.columns[0]]
    right = [name for name in frame.columns if name not in left]
    return table.cols_align("left", columns=left).cols_align("right", columns=right)


def characteristics_table(data: pd.DataFrame, style: Style, labels: Mapping[str, str]) -> "GT":
    """Table 1: median [quartiles] for numbers, n (%) for categories, both over the known values, and n missing."""
    rows = []
    for variable, part in data.groupby("variable", sort=False):
        name = labels.get(
            str(variable), VARIABLE_NAMES.get(str(variable), str(variable).replace("_", " ").capitalize())
        )
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
            str(visit): f"{recorded}/{seen}"
            for visit, recorded, seen in part[["visit", "recorded", "seen"]].itertuples(index=False)
        }
        rows.append({"Instrument": labels.get(str(instrument), str(instrument)), **cells})
    return journal_table(rows)


def log_table(log: pd.DataFrame) -> "GT":
    """The cleaning log: every repair and warning with its place."""
    rows = [{"Code": code, "Where": where, "What": what} for code, where, what in log.itertuples(index=False)]
    return journal_table(rows, text=["Where", "What"])


def course_table(data: pd.DataFrame, style: Style) -> "GT":
    """The observed course: n, median [quartiles], mean (SD) by visit and both kinds of relative change."""
    rows = []
    for row in data.to_dict("records"):
        spread = f"{style.number(row['median'])} [{style.range(row['q1'], row['q3'])}]"
        rows.append(
            {
                "Visit": str(row["visit"]).capitalize(),
                "n": str(row["n"]),
                "Median [Q1\u2013Q3]": spread,
                "Mean (SD)": f"{style.number(row['mean'])} ({style.number(row['sd'])})",
                "Change of the median, %": style.number(row["change_of_median"]),
                "Median of the changes, %": style.number(row["median_change"]),
                "n of changes": MISSING if pd.isna(row["median_change"]) else str(int(row["n_change"])),
            }
        )
    return journal_table(rows)


def paired_table(data: pd.DataFrame, style: Style) -> "GT":
    """Exact paired tests: the pairs, their medians, the Hodges-Lehmann shift with its interval, P."""
    rows = [
        {
            "Comparison": comparison_name(row["from"], row["to"]),
            "Pairs": str(row["n_pairs"]),
            "Median, earlier": style.number(row["median_from"]),
            "Median, later": style.number(row["median_to"]),
            "Shift": style.number(row["shift"], 2),
            "Interval": style.interval(row["lower"], row["upper"], 2),
            "P": style.p(row["p"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows)


def means_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Model-based means on the outcome's own scale with intervals and degrees of freedom."""
    rows = [
        {
            "Visit": str(row["visit"]).capitalize(),
            "n": str(row["n"]),
            "Estimated mean": style.number(row["mean"]),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"]),
            "df": style.number(row["df"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows)


def contrasts_table(data: pd.DataFrame, style: Style, level: float, unit: str) -> "GT":
    """Contrasts between visits in `unit` with interval, degrees of freedom and P."""
    rows = [
        {
            "Contrast": row["name"],
            unit: style.number(row["estimate"], 2),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"], 2),
            "t": style.number(row["statistic"], 2),
            "df": style.number(row["df"]),
            "P": style.p(row["p"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows)


def endpoint_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Responders out of an explicit denominator with their interval, by criterion and visit."""
    rows = [
        {
            "Criterion": row["criterion"],
            "Visit": str(row["visit"]).capitalize(),
            "Responders / n": style.count(int(row["responders"]), int(row["n"])),
            f"{level:.0%} CI, %": style.interval(100 * row["lower"], 100 * row["upper"], 0),
            "Not in the denominator": str(int(row["left_out"])),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Visit"])


def class_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Response classes with counts, share of the cohort and interval."""
    rows = [
        {
            "Class": str(row["class"]).capitalize(),
            "Patients / n": style.count(int(row["count"]), int(row["n"])),
            f"{level:.0%} CI, %": style.interval(100 * row["lower"], 100 * row["upper"], 0),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows)


def rules_table(data: pd.DataFrame) -> "GT":
    """Patients in each class under every rule; `data` has a row per rule, classes as columns, then `changed`."""
    rows = [{str(name).capitalize(): str(value) for name, value in row.items()} for row in data.to_dict("records")]
    return journal_table(rows)


def published_table(data: pd.DataFrame) -> "GT":
    """Published figures beside those computed here, and whether they agree at the printed precision."""
    rows = [
        {
            "Figure": row["figure"],
            "Published": str(row["published"]),
            "This report": str(row["computed"]),
            "Agree": "yes" if row["agrees"] else "no",
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows)


def comparison_name(earlier: Any, later: Any) -> str:
    """`Week 12 v baseline`."""
    return f"{str(later).capitalize()} v {earlier}"


def _number_row(name: str, row: Any, style: Style) -> dict[str, str]:
    value = f"{style.number(row['median'])} [{style.range(row['q1'], row['q3'])}]"
    return {"Characteristic": name, "n known": str(row["n"]), "Value": value, "Missing": str(row["missing"])}


def _category_row(name: str, row: Any, style: Style, *, yes: bool = False) -> dict[str, str]:
    count = int(row["count"]) if not yes or row["level"] == "yes" else 0
    value = style.count(count, int(row["n"]))
    return {"Characteristic": name, "n known": str(row["n"]), "Value": value, "Missing": str(row["missing"])}
