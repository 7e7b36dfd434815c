"""Tables of further outcome measures and of composite targets."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from easitrace.report.style import MISSING, Style
from easitrace.report.tables.journal import capital, journal_table, unbroken
from easitrace.response.targets import ASSESSED

if TYPE_CHECKING:
    from great_tables import GT


def instruments_table(data: pd.DataFrame, style: Style, labels: Mapping[str, str]) -> "GT":
    """n, missing n and median [quartiles] of every instrument by visit."""
    rows = [
        {
            "Instrument": capital(labels[row["instrument"]]),
            "Visit": capital(row["visit"]),
            "n": str(row["n"]),
            "Missing": str(row["missing"]),
            "Median [Q1\u2013Q3]": f"{style.number(row['median'])} [{style.range(row['q1'], row['q3'])}]",
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Visit"], groups="Instrument")


def important_table(data: pd.DataFrame, style: Style, level: float, labels: Mapping[str, str]) -> "GT":
    """Paired shifts of every instrument with interval and P, the change that matters, and whether it is reached."""
    rows = [
        {
            "Instrument": capital(labels[row["instrument"]]),
            "Comparison": capital(row["name"]),
            "Pairs": str(row["n_pairs"]),
            "Shift, points": style.number(row["shift"]),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"]),
            "P": style.p(row["p"]),
            "Important change": f"{row['important']:g}" if pd.notna(row["important"]) else MISSING,
            "Improvement against it": capital(row["against"]) or MISSING,
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Comparison", "Improvement against it"], groups="Instrument")


def definitions_table(
    data: pd.DataFrame, style: Style, level: float, labels: Mapping[str, str], names: Mapping[str, str]
) -> "GT":
    """Patients who meet each responder definition out of those who can, with those who cannot counted apart."""
    rows = [
        {
            "Instrument": capital(labels[row["instrument"]]),
            "Definition": names[row["criterion"]],
            "Visit": unbroken(capital(row["visit"])),
            "Met / n": unbroken(style.count(int(row["responders"]), int(row["n"]))),
            f"{level:.0%} CI, %": style.interval(100 * row["lower"], 100 * row["upper"], 0),
            "Out of reach": str(int(row["undefined"])),
            "Not known": str(int(row["left_out"] - row["undefined"])),
            "Met at baseline": str(int(row["met_at_baseline"])),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Definition", "Visit"], groups="Instrument")


def correlation_table(data: pd.DataFrame, style: Style, level: float, labels: Mapping[str, str]) -> "GT":
    """Spearman correlations of changes with their intervals and n."""
    rows = [
        {
            "Instrument": capital(labels[row["instrument"]]),
            "Visit": capital(row["visit"]),
            "n": str(row["n_pairs"]),
            "Spearman’s \u03c1": style.number(row["rho"], 2),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"], 2),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Visit"])


def targets_table(data: pd.DataFrame, style: Style, level: float, names: Mapping[str, str]) -> "GT":
    """Every target, its groups and components: met, not met, out of reach, not known; or why it is not assessable."""
    return journal_table([_target_row(row, style, level, names) for row in data.to_dict("records")], groups="Target")


def _target_row(row: Mapping[Any, Any], style: Style, level: float, names: Mapping[str, str]) -> dict[str, str]:
    where = f"{row['target']}, judged at {row['visit']}" if row["visit"] else row["target"]
    indent = {"target": "", "group": "\u2003", "component": "\u2003\u2003"}[row["kind"]]
    part = {"target": "The whole target", "group": capital(row["label"])}.get(row["kind"]) or names[row["label"]]
    known = row["status"] == ASSESSED
    counts = ("not_met", "undefined", "not_known")
    not_met, undefined, not_known = (str(int(row[name])) if known else MISSING for name in counts)
    share = unbroken(style.count(int(row["met"]), int(row["n"]))) if known else MISSING
    limits = style.interval(100 * row["lower"], 100 * row["upper"], 0) if known else MISSING
    return {
        "Target": where,
        "Part": f"{indent}{part}" if known else f"{indent}{capital(row['status'])}",
        "Met / n": share,
        f"{level:.0%} CI, %": limits,
        "Not met": not_met,
        "Out of reach": undefined,
        "Not known": not_known,
    }
