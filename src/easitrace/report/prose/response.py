"""Sentences and notes about response."""

from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.report.prose.words_of_numbers import number_keys
from easitrace.report.style import Style
from easitrace.report.tables.response import share_of_n
from easitrace.report.words import (
    ENDPOINT_NUMBERS,
    INTERVAL_NAMES,
    LOSS_NAMES,
    MISSING_NAMES,
)
from easitrace.response.criteria import criterion_label

RESPONSE_RULE = (
    "Response is {criterion}, judged at the last visit on treatment in or after week {week:d}. A response that was "
    "reached counts as lost when {lost}. The estimand is {estimand}."
)


def interval_note(interval: str, level: float) -> str:
    """Which interval a proportion has."""
    return f"{level:.0%} CI: {INTERVAL_NAMES[interval]}."


RULES = {
    "observed": "n: patients whose response at the visit is known. {failures}Not in n: stopped, in follow-up, visit "
    "missed, or criterion undefined from the baseline.",
    "nri": "n: patients whose response at the visit is known and, by rule, those who had stopped treatment before it, "
    "whatever the reason, as non-responders. Patients in follow-up never are. Not in n: in follow-up, visit missed, or "
    "criterion undefined from the baseline.",
    "locf": "n: patients whose response at the visit is known and, by rule, those whose last recorded score is carried "
    "to it. {failures}Nothing is carried to a visit that is not due yet. The rule assumes that scores stand still once "
    "nobody looks and takes carried scores for measured ones, so that its intervals are too short: it is no basis for "
    "a conclusion. Not in n: in follow-up, no score to carry, or criterion undefined from the baseline.",
    "mi": "n: patients whose response at the visit is known and, by rule, those whose score was imputed {imputations} "
    "times from the trajectory model, also where the visit is not due yet. {failures}Not in n: criterion undefined "
    "from the baseline, or a covariate or a score of another instrument is missing.",
}
FAILURES = "Patients who stopped for inefficacy or side effects before the visit count as non-responders. "


def endpoint_note(estimand: str, missing: str, imputations: int, interval: str, level: float) -> str:
    """Who is in the denominator under the estimand and the missing-data rule, who is not, and which interval it is."""
    failures = FAILURES if estimand == "composite" else ""
    who = RULES[missing].format(failures=failures, imputations=imputations)
    if missing == "mi":
        pooled = "Wilson's interval for imputed data (Lott & Reiter 2020)"
        return f"{who} {level:.0%} CI: {pooled}; recorded only: {INTERVAL_NAMES[interval]}."
    return f"{who} {interval_note(interval, level)}"


def rule_numbers(ruled: pd.DataFrame) -> dict[str, Any]:
    """`rule_share_easi50_week_12`, `rule_n_...` of every criterion and visit, under a rule that fills in."""
    keyed = ruled[ruled["missing"] != "observed"]
    keyed = keyed.assign(key=keyed["criterion"] + " " + keyed["visit"].astype(str))
    columns = {"proportion": "share", "lower": "share_lower", "upper": "share_upper", "n": "n", "by_rule": "filled"}
    return number_keys(keyed, "key", {name: f"rule_{short}" for name, short in columns.items()})


def endpoint_numbers(endpoints: pd.DataFrame) -> dict[str, Any]:
    """`responders_easi50_week_12`, `n_...`, `share_...`, `share_lower_...`, ... for every criterion and visit."""
    keyed = endpoints.assign(key=endpoints["criterion"] + " " + endpoints["visit"].astype(str))
    return number_keys(keyed, "key", ENDPOINT_NUMBERS)


def shares_caption(missing: str, level: float) -> str:
    """What is drawn, one beside the other."""
    drawn = "observed" if missing == "observed" else f"{MISSING_NAMES[missing]}, {MISSING_NAMES['observed']}"
    return f"Responders by visit, percent of n with {level:.0%} intervals: {drawn}, and by the marginal model."


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
    parts = [f"{row['criterion']} at {row['visit']}: {share_of_n(row, style)}" for row in endpoints.to_dict("records")]
    return "; ".join(parts) + "."


def classes_sentence(counts: pd.DataFrame) -> str:
    """Class sizes in words."""
    return "Patients by class: " + ", ".join(f"{name} {n}" for name, n in counts[["class", "count"]].values) + "."
