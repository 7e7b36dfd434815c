"""Tables of response: endpoints, classes, reasons, rules."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from easitrace.report.style import Style
from easitrace.report.tables.journal import capital, journal_table
from easitrace.report.words import SHORT_CLASSES

if TYPE_CHECKING:
    from great_tables import GT


def endpoint_table(data: pd.DataFrame, style: Style, level: float, names: Mapping[str, str]) -> "GT":
    """Responders out of an explicit denominator with their interval, by criterion and visit."""
    rows = [
        {
            "Criterion": names[row["criterion"]],
            "Visit": capital(row["visit"]),
            "Responders / n": style.count(int(row["responders"]), int(row["n"])),
            f"{level:.0%} CI, %": style.interval(100 * row["lower"], 100 * row["upper"], 0),
            "Not in n": str(int(row["left_out"])),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Visit"])


def class_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Response classes out of all patients, and the response groups out of those classified, with intervals."""
    rows = [
        {
            "Out of": f"Of the {row['n']} {'patients' if row['denominator'] == 'patients' else 'patients classified'}",
            "Class": capital(row["class"]),
            "Patients / n": style.count(int(row["count"]), int(row["n"])),
            f"{level:.0%} CI, %": style.interval(100 * row["lower"], 100 * row["upper"], 0),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Class"], groups="Out of")


def reasons_table(data: pd.DataFrame) -> "GT":
    """Why patients are in their class, and how many for each reason."""
    rows = [
        {"Class": capital(row["class"]), "Reason": row["reason"], "Patients": str(row["count"])}
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Reason"])


def rules_table(data: pd.DataFrame) -> "GT":
    """Patients in each class under every rule; `data` has a row per rule, classes as columns, then `changed`."""
    used = [name for name in SHORT_CLASSES if data[name].any()]
    rows = [
        {"Rule": row["rule"], **{SHORT_CLASSES[name]: str(row[name]) for name in used}, "Changed": str(row["changed"])}
        for row in data.to_dict("records")
    ]
    return journal_table(rows)
