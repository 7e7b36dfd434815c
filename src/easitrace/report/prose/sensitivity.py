"""Sentences and notes about what was not seen, and what hangs on it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import attendance
from easitrace.report.prose.words_of_numbers import joined, number_keys
from easitrace.report.style import Style
from easitrace.report.words import INTERVAL_NAMES, MISSING_NAMES, UNITS
from easitrace.response.imputation import Imputed
from easitrace.response.sensitivity import distinct

SENSITIVITY_NUMBERS = {
    "change": "change",
    "change_lower": "change_lower",
    "change_upper": "change_upper",
    "share": "share",
    "share_lower": "share_lower",
    "share_upper": "share_upper",
    "n": "n",
}
UNSEEN = {
    "stopped": "had stopped treatment",
    "in follow-up": "are still in follow-up (the visit is not due yet)",
    "missed": "missed the visit",
}


def unseen_sentence(cohort: Cohort, week: float) -> str:
    """Who was not seen at a visit and why, and how many scores were recorded after stopping."""
    states = attendance(cohort)
    here = states.loc[states["week"] == week, "state"]
    others = [f"{int((here == name).sum())} {words}" for name, words in UNSEEN.items() if (here == name).any()]
    after = int(cohort.visits.loc[cohort.visits["after_stop"], cohort.outcome].notna().sum())
    return (
        f"At week {week:g}, {int((here == 'seen').sum())} of {len(here)} patients have a score"
        f"{f'; {joined(others)}' if others else ''}. "
        f"{after or 'No'} {'score was' if after < 2 else 'scores were'} recorded after treatment was stopped."
    )


def estimand_numbers(table: pd.DataFrame) -> dict[str, Any]:
    """`change_composite_mi`, `share_composite_mi`, ... for every estimand and rule."""
    keyed = table.assign(key=table["estimand"] + " " + table["missing"])
    return number_keys(keyed, "key", SENSITIVITY_NUMBERS)


def estimands_note(table: pd.DataFrame, interval: str, imputations: int) -> str:
    """How each row was computed, and why a row is empty."""
    different, patients = distinct(table), int(table["n"].iloc[0] + table["left_out"].iloc[0])
    failed = different[different["message"].str.startswith("not estimable")]
    reasons = [f"{row['estimand']}, {MISSING_NAMES[row['missing']]}: {row['message']}." for row in _records(failed)]
    return " ".join(
        [
            "Scores: patients whose scores enter the mean and its change. Recorded only: mean and change from the "
            "trajectory model, proportion of the patients whose response is known. Stopped = non-response: no score is "
            "filled in. Last score carried: paired analysis; nothing is carried to visits that are not due yet. By "
            "rule: those of n whose response was not recorded but counted as non-response, carried forward or imputed. "
            f"Not in n, of {patients} patients: response not known, or criterion out of reach.",
            f"Proportions: {INTERVAL_NAMES[interval]}; with {imputations} imputations Wilson's interval for imputed "
            "data (Lott & Reiter 2020).",
            *reasons,
        ]
    )


def chosen_sentence(table: pd.DataFrame, chosen: Mapping[str, str], scale: str, style: Style) -> str:
    """The report's own choice, and the range of all others."""
    own = table[(table["estimand"] == chosen["estimand"]) & (table["missing"] == chosen["missing"])].iloc[0]
    unit, name = UNITS[scale], f"{chosen['estimand'].replace('-', ' ')} with {MISSING_NAMES[chosen['missing']]}"
    different = distinct(table)
    change, share = different.dropna(subset=["change"]), 100 * different["share"].dropna()
    parts = [f"The choice of this report is {name}."]
    if pd.notna(own["change"]):
        limits = style.interval(own["change_lower"], own["change_upper"])
        parts.append(f"It gives a change of {style.number(own['change'])}{unit} ({limits}).")
    if pd.notna(own["share"]):
        limits = style.interval(100 * own["share_lower"], 100 * own["share_upper"], 0)
        parts.append(f"It gives {style.percent(own['share'])} responders ({limits}) of {own['n']} patients.")
    if len(change):
        apart = int((change["change_lower"] * change["change_upper"] > 0).sum())
        span = style.interval(change["change"].min(), change["change"].max())
        parts.append(f"Over all {len(change)} different analyses of the scores the change runs from {span}{unit};")
        parts.append(f"in {'all' if apart == len(change) else apart} of them its interval excludes zero.")
    if len(share):
        parts.append(f"The proportion of responders runs from {style.interval(share.min(), share.max(), 0)}%.")
    return " ".join(parts)


def imputation_sentence(imputed: Imputed) -> str:
    """What was imputed, and what had to be mended on the way."""
    m, gaps = len(imputed.scores), int(imputed.missing.sum())
    parts = [
        f"{gaps} scores were imputed {m} times, {int(imputed.stopped.sum())} of them after treatment was stopped.",
        f"Draws beyond the range of the instrument, moved to its end: {imputed.beyond} of {imputed.drawn}.",
    ]
    if imputed.redrawn:
        parts.append(f"{imputed.redrawn} draws of the covariance matrix were not positive definite and drawn anew.")
    if imputed.left_out:
        parts.append(f"{imputed.left_out} patients without a covariate of the model could not be imputed.")
    return " ".join(parts)


def tipping_sentence(table: pd.DataFrame, point: float | None, floor: float, scale: str, style: Style) -> str:
    """The tipping point in words."""
    first, last, unit = table.iloc[0], table.iloc[-1], UNITS[scale]
    if not first["worsened"]:
        return "No score at this visit was imputed after stopping: there is nothing to make worse."
    kept = {-1: "lies below zero", 0: "includes zero", 1: "lies above zero"}[int(first["conclusion"])]
    tips = (
        f"That stays so up to the last \u03b4 of {last['delta']:g} points."
        if point is None
        else f"That changes when the {int(first['worsened'])} scores imputed after stopping are worse by "
        f"\u03b4 = {point:g} points, where the change is {style.number(_at(table, point)['change'])}{unit}."
    )
    shares = f"{style.percent(first['share'])} to {style.percent(last['share'])}"
    return (
        f"As imputed, the interval of the change {kept}. {tips} The proportion of responders goes from {shares} "
        f"and does not change any more from \u03b4 = {floor:g} points on."
    )


def tipping_caption(table: pd.DataFrame, label: str, week: float, level: float) -> str:
    """Caption of the tipping point: how many scores are made worse."""
    n, patients = table["worsened"].iloc[0], table["n"].iloc[0]
    return (
        f"Change of {label} from baseline to week {week:g} and responders, of {patients} patients, with {level:.0%} "
        f"intervals, when the {n} scores imputed after stopping are worse by \u03b4 points."
    )


def _at(table: pd.DataFrame, delta: float) -> "pd.Series[Any]":
    return table[table["delta"] == delta].iloc[0]


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")
