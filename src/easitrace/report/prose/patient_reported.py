"""Sentences and notes about further outcome measures and composite targets."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.instruments import INSTRUMENTS
from easitrace.report.prose.cohort import quartile_note
from easitrace.report.prose.course import at_zero
from easitrace.report.prose.response import interval_note
from easitrace.report.prose.words_of_numbers import joined, number_keys
from easitrace.report.style import Style
from easitrace.report.tables.journal import capital
from easitrace.response.criteria import criterion_label
from easitrace.response.targets import ASSESSED, TARGETS, Target, not_recorded


def nothing_else(cohort: Cohort, names: Sequence[str]) -> str:
    """Why there is nothing to report besides the outcome, or "" when there is."""
    if len(cohort.schedule) == 1:
        return "No visit was planned after the baseline."
    return "" if names else f"No outcome measure besides {cohort.instrument().label} was recorded."


def instrument_titles(cohort: Cohort, names: Sequence[str]) -> dict[str, str]:
    """`POEM, 0\u201328 points` for every instrument."""
    known = {name: cohort.instrument(name) for name in names}
    return {name: f"{capital(one.label)}, {one.minimum:g}\u2013{one.maximum:g} points" for name, one in known.items()}


def instrument_names(cohort: Cohort, names: Sequence[str]) -> dict[str, str]:
    """The printed name of every instrument, with a capital."""
    return {name: capital(cohort.instrument(name).label) for name in names}


def instruments_numbers(courses: pd.DataFrame, changes: pd.DataFrame) -> dict[str, Any]:
    """`n_poem_week_4`, `median_poem_week_4`, `shift_poem_week_4`, ... for every instrument and visit."""
    seen = courses.assign(key=courses["instrument"] + " " + courses["visit"].astype(str))
    paired = changes.assign(key=changes["instrument"] + " " + changes["to"].astype(str))
    shifts = {"n_pairs": "pairs", "shift": "shift", "lower": "shift_lower", "upper": "shift_upper", "p": "p"}
    return number_keys(seen, "key", {"n": "n", "median": "median"}) | number_keys(paired, "key", shifts)


def instruments_sentence(courses: pd.DataFrame, names: dict[str, str], style: Style) -> str:
    """The medians of every instrument in words."""
    parts = []
    for instrument, rows in courses.groupby("instrument", sort=False):
        medians = [f"{style.number(row['median'])} at {row['visit']}" for row in rows.to_dict("records")]
        parts.append(f"{names[str(instrument)]} {', '.join(medians)}")
    return f"Medians by visit: {'; '.join(parts)}."


def gains(changes: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """The paired changes that have an important change, as improvements: `gain`, `gain_lower`, `gain_upper`."""
    rows = changes.dropna(subset=["important", "shift"])
    lower_is_better = rows["instrument"].map(lambda name: cohort.instrument(name).better == "lower").astype(bool)
    sides = {"gain": ("shift", "shift"), "gain_lower": ("lower", "upper"), "gain_upper": ("upper", "lower")}
    columns = {name: rows[same].mask(lower_is_better, -rows[turned]) for name, (same, turned) in sides.items()}
    return rows.assign(**columns)


def gains_sentence(rows: pd.DataFrame, names: dict[str, str], style: Style) -> str:
    """Improvements against the change that matters in words."""
    parts = [
        f"{names[row['instrument']]} at {row['to']} {style.number(row['gain'])} "
        f"({style.interval(row['gain_lower'], row['gain_upper'])}) of {row['important']:g}"
        for row in rows.to_dict("records")
    ]
    return f"Improvement with interval, of the important change, points: {'; '.join(parts)}."


def important_note(changes: pd.DataFrame, names: dict[str, str]) -> str:
    """Which test, which important changes and whose."""
    own = changes.dropna(subset=["important"]).drop_duplicates("instrument").to_dict("records")
    sources = [f"{names[row['instrument']]} {row['important']:g} ({row['meaning']}, {row['source']})" for row in own]
    against = f" Important change, points: {'; '.join(sources)}." if sources else ""
    methods = "; ".join(dict.fromkeys(changes["method"]))
    return f"Shift: Hodges-Lehmann, below zero is a drop. P: {methods}; not adjusted.{at_zero(changes)}{against}"


def definition_names(cohort: Cohort, responders: pd.DataFrame) -> dict[str, str]:
    """The criteria of the responder definitions as a journal writes them."""
    return {text: capital(criterion_label(text, cohort)) for text in dict.fromkeys(responders["criterion"])}


def definitions_note(responders: pd.DataFrame, names: dict[str, str], interval: str, level: float) -> str:
    """What each definition means and who says so, who is in its denominator and who is counted apart."""
    own = responders.drop_duplicates("criterion").to_dict("records")
    sources = "; ".join(f"{names[row['criterion']]}: {row['meaning']}, {row['source']}" for row in own)
    return (
        f"{sources}. n: patients whose answer is known. Out of reach: the baseline leaves no room for the change; "
        "these patients are not in n. Not known: stopped, in follow-up, or a score is missing. Met at baseline: of all "
        f"patients. {interval_note(interval, level)}"
    )


def instruments_note(quartiles: str) -> str:
    """Which quartiles, and what missing counts."""
    return f"{quartile_note(quartiles)} Missing: of all patients."


def correlation_note(outcome: str) -> str:
    """What is correlated and how its interval is made."""
    return (
        f"Change since baseline against the change of {outcome} at the same visit, of the n patients with all four "
        "scores. Limits on Fisher's z scale with the standard error of Bonett and Wright. Above zero: they improve "
        "together."
    )


def part_names(cohort: Cohort, table: pd.DataFrame) -> dict[str, str]:
    """The components of the targets as a journal writes them."""
    parts = table.loc[table["kind"] == "component", "label"]
    return {part: capital(criterion_label(part, cohort)) for part in dict.fromkeys(parts)}


def targets_note(cohort: Cohort, interval: str, level: float) -> str:
    """Sources, what was not recorded, which figures are left out, and how unknown parts are treated."""
    sources = dict.fromkeys(target.source for target in TARGETS)
    names = dict.fromkeys(name for one in TARGETS for name in not_recorded(cohort, one))
    absent = [INSTRUMENTS[name].label for name in names]
    parts = [f"Not recorded, and so in no rule: {joined(absent)}."] if absent else []
    left_out = [f"{target.left_out} of {target.label}" for target in TARGETS if target.left_out]
    parts.append(f"Left out, because not verified in the source: {'; '.join(left_out)}.")
    logic = "A part that is not known leaves the target open unless another part decides it."
    return " ".join([f"Sources: {'; '.join(sources)}.", *parts, logic, interval_note(interval, level)])


def targets_numbers(table: pd.DataFrame) -> dict[str, Any]:
    """`target_met_...` and `target_n_...` of the targets that could be assessed."""
    whole = table[(table["kind"] == "target") & (table["status"] == ASSESSED)]
    return number_keys(whole, "target", {"met": "target_met", "n": "target_n"}) if len(whole) else {}


def targets_sentence(table: pd.DataFrame, style: Style) -> str:
    """Every target in words: how many met it, or why it is not assessable."""
    parts = []
    for row in table[table["kind"] == "target"].to_dict("records"):
        known = row["status"] == ASSESSED
        said = f"met by {_share(row, style)}" if known else row["status"].replace(":", ",")
        parts.append(f"{row['target']}: {said}.")
    return " ".join(parts)


def together_caption(target: Target, visit: str) -> str:
    """What the columns of the combinations are."""
    return f"{target.label}: which components were met together at {visit}, and by how many patients."


def together_note(table: pd.DataFrame, patients: int, most: int) -> str:
    """How many patients are shown, how many not and why."""
    shown, rest = int(table["patients"].head(most).sum()), int(table["patients"].iloc[most:].sum())
    known = int(table["patients"].sum())
    further = f" {rest} patients with rarer combinations are not drawn." if rest else ""
    return (
        f"Shown: {shown} patients.{further} Not shown: {patients - known} patients of whom no component is known at "
        "this visit. Beside each component: patients who met it / patients of whom it is known."
    )


def together_sentence(table: pd.DataFrame, names: dict[str, str]) -> str:
    """The combinations in words."""
    parts = []
    for row in table.to_dict("records"):
        met = [names[name] for name in table.columns if row[name] == "met"]
        parts.append(f"{joined(met) or 'none'}: {row['patients']}")
    return f"Patients by components met: {'; '.join(parts)}."


def _share(row: Mapping[Any, Any], style: Style) -> str:
    """`1/18 (6%), interval 1 to 26%`."""
    count = style.count(int(row["met"]), int(row["n"]))
    return f"{count}, interval {style.interval(100 * row['lower'], 100 * row['upper'], 0)}%" if row["n"] else count
