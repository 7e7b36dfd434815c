"""How told tables are printed, and described in words."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from easitrace.instruments import INSTRUMENTS
from easitrace.report.disclosure.derive import MASKED
from easitrace.report.disclosure.registry import ARM, RULES, Entry
from easitrace.report.style import Style
from easitrace.report.tables.journal import capital, journal_table
from easitrace.report.words import COVARIANCE_NAMES, SHORT_CLASSES

if TYPE_CHECKING:
    from great_tables import GT

HEADERS = {
    "n": "n",
    "n_pairs": "Pairs",
    "count": "Patients",
    "missing": "Not recorded",
    "at_risk": "At risk",
    "p": "P",
    "name": "Comparison",
}
VERBATIM = {"criterion", "scale", "level", "event"}
HIDDEN = {"week", "proportion", "lower", "upper", "median", "q1", "q3", "mean", "shift", "estimate", "p", "left"}


def printed(table: pd.DataFrame, entry: Entry, style: Style, level: float) -> "GT":
    """A told table in the form of a journal's.

    Parameters
    ----------
    table : DataFrame
        As `told_table` gives it.
    entry : Entry
        What its columns are.
    style : Style
        How numbers are printed.
    level : float
        Confidence level of its intervals.
    """
    if entry.table == RULES:
        return _classes_by_rule(table)
    named = [*entry.labels_of(table), *entry.counts]
    rows = [_row(row, named, entry, style, level) for row in table.to_dict("records")]
    return journal_table(rows, text=[_header(label) for label in entry.labels_of(table)])


def _classes_by_rule(table: pd.DataFrame) -> "GT":
    """A row per rule, a column per class."""
    by = [name for name in (ARM, "rule") if name in table]
    wide = table.pivot(index=by, columns="class", values="count")
    wide = wide.reindex(index=table.set_index(by).index.unique(), columns=list(SHORT_CLASSES)).dropna(axis="columns")
    rows = [
        {**{_header(name): value for name, value in zip(by, index if len(by) > 1 else [index], strict=True)}, **cells}
        for index, cells in zip(wide.index, _short(wide), strict=True)
    ]
    return journal_table(rows, text=[_header(name) for name in by])


def _short(wide: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {SHORT_CLASSES[str(name)]: _cell(value, "count") for name, value in row.items()}
        for row in wide.to_dict("records")
    ]


def _row(row: dict[Any, Any], named: list[str], entry: Entry, style: Style, level: float) -> dict[str, str]:
    cells = {_header(name): _cell(row[name], name) for name in named if name not in HIDDEN}
    if entry.share:
        cells["%"] = _number(row["proportion"], style, 100, 0)
        cells[f"{level:.0%} CI, %"] = _between(row["lower"], row["upper"], style, 100, 0)
    if entry.quantiles:
        cells["Median"] = _number(row["median"], style)
        cells["Quartiles"] = _between(row["q1"], row["q3"], style)
    if entry.estimates:
        cells[capital(entry.estimates[0])] = _number(row[entry.estimates[0]], style)
        cells[f"{level:.0%} CI"] = _between(row["lower"], row["upper"], style)
    if entry.p:
        cells["P"] = row["p"].replace("<", "< ") if isinstance(row["p"], str) else _number(row["p"], style, 1, 2)
    if "survival" in row:
        cells["Still on treatment, %"] = _number(row["survival"], style, 100, 0)
    return cells


def _header(name: str) -> str:
    return HEADERS.get(name, capital(name.replace("_", " ")))


def _cell(value: Any, name: str) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, str):
        if name in VERBATIM:
            return value
        known = value in INSTRUMENTS and name in ("instrument", "variable")
        return INSTRUMENTS[value].label if known else capital(COVARIANCE_NAMES.get(value, value).replace("_", " "))
    return f"{value:g}"


def _number(value: Any, style: Style, factor: float = 1, digits: int | None = None) -> str:
    return value if isinstance(value, str) else "" if pd.isna(value) else style.number(factor * value, digits)


def _between(lower: Any, upper: Any, style: Style, factor: float = 1, digits: int | None = None) -> str:
    if MASKED in (lower, upper):
        return MASKED
    return "" if pd.isna(lower) or pd.isna(upper) else style.interval(factor * lower, factor * upper, digits)


def in_words(table: pd.DataFrame, label: str, value: str, style: Style, factor: float = 1, digits: int = 1) -> str:
    """The told values of a column, one after the other: `baseline 13.0, week 4 6.0, week 12 masked`."""
    parts = [
        f"{row[label]} {'masked' if row[value] == MASKED else style.number(factor * row[value], digits)}"
        for row in table.to_dict("records")
        if pd.notna(row[value])
    ]
    return ", ".join(parts)
