"""Tables of the first page and of the validation."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from easitrace.report.chapter import linked
from easitrace.report.style import MISSING, Style
from easitrace.report.tables.journal import arm_cell, arm_group, capital, journal_table
from easitrace.report.words import PROGRAMS

if TYPE_CHECKING:
    from great_tables import GT


def published_table(data: pd.DataFrame, style: Style) -> "GT":
    """Published figures beside those computed here, and whether they agree at the printed precision."""
    rows = [
        {
            "Figure": capital(row["figure"]),
            "Published": _printed(row["published"]),
            "This report": _as_published(row["computed"], row["published"], style),
            "Agree": MISSING if pd.isna(row["agrees"]) else "yes" if row["agrees"] else "no",
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Agree"])


def key_table(data: pd.DataFrame) -> "GT":
    """The six questions a reader has first, and their answers."""
    rows = [{"Question": row["question"], "Answer": row["answer"]} for row in data.to_dict("records")]
    return journal_table(rows, text=["Answer"])


def checklist_table(data: pd.DataFrame) -> "GT":
    """The reporting checklist by parts of an article, with links to where each item is."""
    rows = [
        {"Part": row["part"], "Item": row["item"], "What it asks for": row["asks"], "Where": linked(row["where"])}
        for row in data.to_dict("records")
    ]
    table = journal_table(rows, text=["What it asks for", "Where"], groups="Part")
    return table.fmt(str, columns="Where")  # already HTML


def glance_table(data: pd.DataFrame, style: Style, level: float, criterion: str) -> "GT":
    """The course at a glance: per visit the patients seen, the median, the estimated mean, the responders."""
    rows = [
        {
            **arm_cell(row),
            "Visit": capital(row["visit"]),
            "Seen, n": MISSING if pd.isna(row["n"]) else str(int(row["n"])),
            "Median [Q1\u2013Q3]": _spread(row, style),
            f"Estimated mean ({level:.0%} CI)": _estimate(row, style),
            f"{criterion}, responders/n": MISSING
            if pd.isna(row["responders"])
            else style.count(int(row["responders"]), int(row["n_known"])),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups=arm_group(data))


def validation_table(data: pd.DataFrame) -> "GT":
    """The largest difference of each quantity from the reference, as powers of ten, beside its tolerance."""
    rows = [
        {
            "Reference": PROGRAMS[row["program"]],
            "Quantity": row["quantity"],
            "Files": str(row["files"]),
            "Largest difference": f"{row['difference']:.0e}",
            "Tolerance": f"{row['tolerance']:.0e}",
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Quantity"], groups="Reference")


def kenward_roger_table(data: pd.DataFrame, style: Style) -> "GT":
    """One contrast by each method of degrees of freedom."""
    rows = [
        {
            "Patients": f"{row['patients']} patients",
            "Method": row["df_method"],
            "Estimate": style.number(row["estimate"], 3),
            "SE": style.number(row["se"], 4),
            "df": style.number(row["df"], 2),
            "P": style.p(row["p"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups="Patients")


def _spread(row: Mapping[Any, Any], style: Style) -> str:
    if pd.isna(row["median"]):
        return MISSING
    return f"{style.number(row['median'])} [{style.range(row['q1'], row['q3'])}]"


def _estimate(row: Mapping[Any, Any], style: Style) -> str:
    if pd.isna(row["mean"]):
        return MISSING
    return f"{style.number(row['mean'])} ({style.interval(row['lower'], row['upper'])})"


def _as_published(value: float, published: str, style: Style) -> str:
    """A figure in the form it was published in: its digits, its percent sign; a P value as every other."""
    if published[0] in "=<>":
        return style.p(value)
    digits = len(match[1]) if (match := re.search(r"\.(\d+)", published)) else 0
    return style.number(value, digits) + ("%" if published.endswith("%") else "")


def _printed(published: str) -> str:
    """A published figure with the marks of this report: `84%`, and `.003` under a heading that says P."""
    return published.replace(" %", "%").removeprefix("= ")
