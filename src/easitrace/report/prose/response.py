"""Sentences and notes about response."""

from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.report.prose.words_of_numbers import number_keys
from easitrace.report.style import Style
from easitrace.report.words import (
    INTERVAL_NAMES,
    LOSS_NAMES,
)
from easitrace.response.criteria import criterion_label


def interval_note(interval: str, level: float) -> str:
    """Which interval a proportion has."""
    return f"{level:.0%} CI: {INTERVAL_NAMES[interval]}."


def endpoint_note(estimand: str, interval: str, level: float) -> str:
    """Who is in the denominator under the estimand, who is not, and which interval is printed."""
    failures = (
        "Patients who stopped for inefficacy or side effects before the visit count as non-responders. "
        if estimand == "composite"
        else ""
    )
    return (
        f"n: patients whose response at the visit is known. {failures}Not in n: stopped, in follow-up, visit missed, "
        f"or criterion undefined from the baseline. {interval_note(interval, level)}"
    )


def endpoint_numbers(endpoints: pd.DataFrame) -> dict[str, Any]:
    """`responders_easi50_week_12`, `n_easi50_week_12`, `share_...` for every criterion and visit."""
    keyed = endpoints.assign(key=endpoints["criterion"] + " " + endpoints["visit"].astype(str))
    return number_keys(keyed, "key", {"responders": "responders", "n": "n", "proportion": "share"})


def rules_in_words(counts: pd.DataFrame, table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Counts by rule, each rule named by what differs from the first."""
    rules = table.drop_duplicates("rule")[["criterion", "loss_rule", "estimand"]].to_dict("records")
    chosen = rules[0]
    words = ["The rule of this report"]
    for rule in rules[1:]:
        parts = {
            "criterion": criterion_label(rule["criterion"], cohort),
            "loss_rule": f"Lost when {LOSS_NAMES[rule['loss_rule']]}",
            "estimand": f"Estimand {rule['estimand'].replace('-', ' ')}",
        }
        words.append("; ".join(parts[key] for key in parts if rule[key] != chosen[key]))
    return counts.assign(rule=words)


def shares_sentence(endpoints: pd.DataFrame, style: Style) -> str:
    """Responder proportions in words."""
    parts = [
        f"{row['criterion']} at {row['visit']}: {style.count(int(row['responders']), int(row['n']))}"
        for row in endpoints.to_dict("records")
    ]
    return "; ".join(parts) + "."


def classes_sentence(counts: pd.DataFrame) -> str:
    """Class sizes in words."""
    return "Patients by class: " + ", ".join(f"{name} {n}" for name, n in counts[["class", "count"]].values) + "."
