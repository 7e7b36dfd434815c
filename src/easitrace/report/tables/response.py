"""Tables of response: endpoints, classes, reasons, rules."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from easitrace.report.style import Style
from easitrace.report.tables.journal import capital, journal_table, unbroken
from easitrace.report.words import SHORT_CLASSES

if TYPE_CHECKING:
    from great_tables import GT


def endpoint_table(data: pd.DataFrame, style: Style, level: float, names: Mapping[str, str]) -> "GT":
    """Responders out of an explicit denominator with their interval, by criterion and visit.

    `data` is `endpoints_by_rule(...)`; under a rule that fills in, what is known from recorded scores stands beside.
    """
    rows = [
        {
            "Criterion": names[row["criterion"]],
            "Visit": unbroken(capital(row["visit"])),
            "Responders / n": unbroken(share_of_n(row, style)),
            f"{level:.0%} CI, %": _limits(row, style),
            **({} if row["missing"] == "observed" else {"By rule": str(int(row["by_rule"]))}),
            "Not in n": str(int(row["left_out"])),
            **({} if row["missing"] == "observed" else _recorded(row, style, level)),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Visit"])


def share_of_n(row: Mapping[Any, Any], style: Style) -> str:
    """`7/20 (35%)`, or `37% of 25` where responders were imputed and are no whole number."""
    if row["n"] and row.get("missing") == "mi":
        return f"{style.percent(row['proportion'])} of {int(row['n'])}"
    return style.count(int(row["responders"]) if row["n"] else 0, int(row["n"]))


def _recorded(row: Mapping[Any, Any], style: Style, level: float) -> dict[str, str]:
    known = {name: row[f"recorded_{name}"] for name in ("responders", "n", "lower", "upper")}
    count, limits = style.count(int(known["responders"]), int(known["n"])), _limits(known, style)
    return {"Recorded only / n": unbroken(count), f"Recorded only, {level:.0%} CI, %": limits}


def _limits(row: Mapping[Any, Any], style: Style) -> str:
    return style.interval(100 * row["lower"], 100 * row["upper"], 0)


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
