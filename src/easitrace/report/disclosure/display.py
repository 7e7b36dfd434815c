"""How told tables are printed, and described in words."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from easitrace.instruments import INSTRUMENTS
from easitrace.report.disclosure.derive import MASKED
from easitrace.report.disclosure.entry import ARM, Entry
from easitrace.report.disclosure.prepare import WITHHELD
from easitrace.report.disclosure.registry import RULES
from easitrace.report.style import Style
from easitrace.report.tables.journal import capital, journal_table
from easitrace.report.words import COVARIANCE_NAMES, ESTIMAND_NAMES, SHORT_CLASSES, SHORT_MISSING, SHORT_SCALES

if TYPE_CHECKING:
    from great_tables import GT

HEADERS = {
    "n": "n",
    "n_pairs": "Pairs",
    "count": "Patients",
    "missing": "Not recorded",
    "n_reference": "n, reference",
    "reference_n": "n, reference",
    "reference_responders": "Responders, reference",
    "recorded_n": "n recorded",
    "recorded_responders": "Responders, recorded scores",
    "excluded": "Without a baseline score",
    "in_follow_up": "In follow-up",
    "at_risk": "At risk",
    "p": "P",
    "name": "Comparison",
}
VERBATIM = {"criterion", "level", "event", "arm", "reference"}
HIDDEN = {"week", "left"}
LIMITS = ["lower", "upper"]
WORDS = {
    "covariance": COVARIANCE_NAMES,
    "scale": SHORT_SCALES,
    "missing": SHORT_MISSING,
    "estimand": {name: name.replace("-", " ") for name in ESTIMAND_NAMES},
}


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
    return journal_table(rows, text=[_header(label, label=True) for label in entry.labels_of(table)])


def worded(table: pd.DataFrame, criterion: Callable[[str], str]) -> pd.DataFrame:
    """A table with its criteria in words, `EASI-50` for `easi50`, also those in the names of rules."""
    named = {"criterion": lambda text: text if text == WITHHELD else criterion(text), "rule": _rule_words(criterion)}
    return table.assign(**{name: table[name].map(word) for name, word in named.items() if name in table})


def _rule_words(criterion: Callable[[str], str]) -> Callable[[str], str]:
    def words(rule: str) -> str:
        if rule == WITHHELD:
            return rule
        first, loss, estimand = rule.rsplit(", ", 2)
        return f"{criterion(first)}, {loss.replace('_', ' ')}, {estimand.replace('-', ' ')}"

    return words


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
    labels, cells = set(entry.labels), {}
    for name in named:
        if name not in HIDDEN:
            cells[_header(name, label=name in labels)] = _cell(row[name], name)
    if entry.share:
        cells["%"] = _number(row["proportion"], style, 100, 0)
        cells[f"{level:.0%} CI, %"] = _between(row["lower"], row["upper"], style, 100, 0)
    if entry.quantiles:
        cells["Median"] = _number(row["median"], style)
        cells["Quartiles"] = _between(row["q1"], row["q3"], style)
    for name, lower, upper in zip(entry.estimates[::3], entry.estimates[1::3], entry.estimates[2::3], strict=True):
        cells[capital(name)] = _number(row[name], style)
        of = f", {name}" if len(entry.estimates) > len(LIMITS) + 1 else ""
        cells[f"{level:.0%} CI{of}"] = _between(row[lower], row[upper], style)
    if "difference" in row:
        cells["Difference, % points"] = _number(row["difference"], style, 100, 0)
        limits = _between(row["difference_lower"], row["difference_upper"], style, 100, 0)
        cells[f"{level:.0%} CI, % points"] = limits
    if entry.p:
        cells["P"] = printed_p(row["p"], style)
    if "survival" in row:
        cells["Still on treatment, %"] = _number(row["survival"], style, 100, 0)
    return cells


def _header(name: str, *, label: bool = False) -> str:
    if label and name == "missing":
        return "Missing scores"
    return HEADERS.get(name, capital(name.replace("_", " ")))


def _cell(value: Any, name: str) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, str):
        if name in VERBATIM:
            return value
        if value in INSTRUMENTS and name in ("instrument", "variable"):
            return INSTRUMENTS[value].label
        return capital(WORDS.get(name, {}).get(value, value).replace("_", " "))
    return f"{value:g}"


def _number(value: Any, style: Style, factor: float = 1, digits: int | None = None) -> str:
    return value if isinstance(value, str) else "" if pd.isna(value) else style.number(factor * value, digits)


def printed_p(p: Any, style: Style) -> str:
    """A told P value to its two decimals, `< .01` or `.09`; masked as it is, "" when missing."""
    if p == MASKED or pd.isna(p):
        return MASKED if p == MASKED else ""
    below, value = ("< ", float(p.removeprefix("<"))) if isinstance(p, str) else ("", p)
    text = style.number(value, 2)
    return below + (text if style.p_leading_zero else text.removeprefix("0"))


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
