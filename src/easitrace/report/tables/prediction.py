"""Tables of marginal and class probabilities and of early prediction."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from easitrace.report.style import MISSING, Style
from easitrace.report.tables.journal import capital, journal_table
from easitrace.report.words import SHORT_CLASSES

if TYPE_CHECKING:
    from great_tables import GT


def marginal_table(data: pd.DataFrame, style: Style, level: float, names: Mapping[str, str]) -> "GT":
    """Observed proportion and marginal probability with its interval, by criterion and visit."""
    rows = [
        {
            "Criterion": names[row["criterion"]],
            "Visit": capital(row["visit"]),
            "Responders / n": style.count(int(row["responders"]), int(row["n"])),
            "Probability, %": style.number(100 * row["probability"], 1),
            f"{level:.0%} CI, %": style.interval(100 * row["lower"], 100 * row["upper"], 1)
            if row["se"] > 0
            else MISSING,
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Visit"])


def pending_table(data: pd.DataFrame, style: Style) -> "GT":
    """Probability of each class of the patients whose scores are not all seen, by how they were when last judged."""
    used = [name for name in SHORT_CLASSES if data[name].any()]
    rows = [
        {
            "Class by the recorded scores": capital(row["observed"]),
            "When last judged": f"{capital(row['state'])} at {row['visit']}" if row["state"] else "Not judged yet",
            "Patients": str(row["patients"]),
            **{f"{SHORT_CLASSES[name]}, %": style.number(100 * row[name], 0) for name in used},
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["When last judged"])


def expected_table(data: pd.DataFrame, style: Style) -> "GT":
    """Patients in each class as observed and as expected; in brackets how many of those observed in the class."""
    rows = []
    for name, own in data.groupby("class", sort=False):
        if not (own["observed"].any() or own["expected"].any()):
            continue
        row = {"Class": capital(name), "Observed": str(int(own["observed"].iloc[0]))}
        for reliability, expected, confirmed in own[["reliability", "expected", "confirmed"]].to_numpy(float):
            header = "No error" if reliability == 1 else f"Reliability {style.percent(reliability)}"
            row[header] = f"{style.number(expected, 1)} ({style.number(confirmed, 1)})"
        rows.append(row)
    return journal_table(rows)


def brier_table(data: pd.DataFrame, style: Style, level: float, names: Mapping[str, str]) -> "GT":
    """Brier scores of patients left out, and their difference from the base rate's."""
    rows = [
        {
            "Predicted by": names[row["method"]],
            "Responders / n": style.count(int(row["responders"]), int(row["n"])),
            "Expected": style.number(row["expected"], 1),
            "Brier score": style.number(row["brier"], 3),
            "Difference from base rate": style.number(row["difference"], 3),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"], 3)
            if row["lower"] < row["upper"]
            else MISSING,
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows)
