"""Tidy tables brought into the form that is shared: long, grouped, and without rare words."""

import re
from collections.abc import Callable

import pandas as pd

from easitrace.report.disclosure.entry import ARM, Entry
from easitrace.report.disclosure.registry import (
    ARM_ESTIMANDS,
    ESTIMANDS,
    RESPONDERS_BY_ARM,
    RESPONDERS_BY_RULE,
    RULES,
    TARGETS,
    TREATMENT_COURSE,
)

OTHER = "other"
IMPUTED = "imputed"
WITHHELD = "(text left out)"
HARMLESS = re.compile(r"(?![=+@-])[\w ,.%<>=()+/&:;'\u2013-]{0,80}")
DAY = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")


def prepared(table: pd.DataFrame, entry: Entry, threshold: int) -> pd.DataFrame:
    """The table as its entry in the list describes it.

    Parameters
    ----------
    table : DataFrame
        As the chapter wrote it.
    entry : Entry
        What the table is.
    threshold : int
        The smallest count, in patients, that is told.
    """
    table = table.reindex(columns=[*table.columns, *(name for name in entry.optional if name not in table)])
    table = RESHAPED[entry.table](table, threshold) if entry.table in RESHAPED else table
    if entry.pooled:
        table = _pooled(table, entry, threshold)
    words = [name for name in entry.labels_of(table) if not pd.api.types.is_numeric_dtype(table[name])]
    return table.assign(**{name: table[name].map(harmless, na_action="ignore") for name in words})


def harmless(text: str) -> str:
    """A label without anything but words and numbers of one short line, and without a day; else `WITHHELD`."""
    return text if HARMLESS.fullmatch(text) and not DAY.search(text) else WITHHELD


def _pooled(table: pd.DataFrame, entry: Entry, threshold: int) -> pd.DataFrame:
    """Rows of a variable with a small count joined: a rare word is nobody's business."""
    column = next(name for name in entry.down)
    rare = table[column].lt(threshold)
    by = [label for label in (ARM, *entry.down[column]) if label in table]
    joined = table[rare].groupby(by, sort=False)
    others = joined.agg(dict.fromkeys(table.columns, "first") | {column: "sum"}).reset_index(drop=True)
    order = {name: place for place, name in enumerate(dict.fromkeys(table[entry.down[column][0]]))}
    whole = pd.concat([table[~rare], others.assign(**{entry.written: OTHER})], ignore_index=True)
    return whole.sort_values(entry.down[column][0], key=lambda names: names.map(order), kind="stable")


def _by_rule(rules: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """A row per rule and class; how many patients change class between two rules is not shared."""
    kept = [name for name in (ARM, "rule") if name in rules]
    return rules.drop(columns="changed").melt(kept, var_name="class", value_name="count")


def _grouped_weeks(weeks: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Stops between planned weeks, neighbouring weeks joined until at least `threshold` patients stopped."""
    if ARM in weeks:
        arms = weeks.groupby(ARM, sort=False)
        parts = [_grouped_weeks(own.drop(columns=ARM), threshold).assign(arm=arm) for arm, own in arms]
        return pd.concat(parts, ignore_index=True)
    rows = []
    start = {"week": 0.0, "stopped": 0.0, "censored": 0.0}
    total = float(weeks["at_risk"].iloc[0])
    for row in weeks.to_dict("records"):
        stopped, censored = row["stopped"] - start["stopped"], row["censored"] - start["censored"]
        if stopped >= threshold:
            at_risk = total - start["stopped"] - start["censored"]
            span = {"from_week": start["week"], "to_week": row["week"], "at_risk": at_risk}
            rows.append({**span, "stopped": stopped, "censored": censored, "left": at_risk - stopped - censored})
            start = {name: row[name] for name in start}
    return pd.DataFrame(rows, columns=["from_week", "to_week", "at_risk", "stopped", "censored", "left"], dtype=float)


def _expected(shares: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Responders under multiple imputation, no whole number, as the nearest one; `imputed` says where."""
    shares = shares.rename(columns={"share": "proportion"})
    imputed = shares["responders"].isna() & shares["n"].gt(0)
    for before in [name.removesuffix("n") for name in ("n", "reference_n") if name in shares]:
        expected = (shares[f"{before}proportion"] * shares[f"{before}n"]).round()
        shares[f"{before}responders"] = shares[f"{before}responders"].fillna(expected)
    return shares.assign(**{IMPUTED: imputed})


def _assessed(targets: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """The targets, groups and components that could be assessed."""
    return targets[targets["n"].notna()]


def _of_scores(estimands: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """The missing-data rules that say something about scores, with a model that could be fitted."""
    return estimands.dropna(subset=["mean" if "mean" in estimands else "estimate"])


RESHAPED: dict[str, Callable[[pd.DataFrame, int], pd.DataFrame]] = {
    RESPONDERS_BY_RULE: _expected,
    RESPONDERS_BY_ARM: _expected,
    ARM_ESTIMANDS: _of_scores,
    ESTIMANDS: _of_scores,
    RULES: _by_rule,
    TARGETS: _assessed,
    TREATMENT_COURSE: _grouped_weeks,
}
