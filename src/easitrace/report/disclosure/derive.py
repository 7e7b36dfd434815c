"""What follows from told counts: percentages and intervals computed from them, statistics shown or masked by them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from easitrace.report.disclosure.entry import ARM, REFERENCE, Entry
from easitrace.report.disclosure.gate import Key, Told
from easitrace.report.disclosure.prepare import IMPUTED
from easitrace.report.disclosure.profiles import Interval, coarse
from easitrace.report.disclosure.registry import RESPONDERS_BY_ARM, TREATMENT_COURSE
from easitrace.response.proportions import limits

MASKED = "[c]"
SMALLEST_P = 0.01
SHARE = ["proportion", "lower", "upper"]
LIMITS = ("lower", "upper", "difference_lower", "difference_upper")
DIFFERENCE = ["difference", "difference_lower", "difference_upper"]
Keys = dict[tuple[int, str], Key]


def told_table(
    table: pd.DataFrame, entry: Entry, keys: Mapping[str, Keys], told: Told, interval: Interval
) -> pd.DataFrame:
    """A table with nothing in it that did not pass the gate or was not derived from what did.

    Parameters
    ----------
    table : DataFrame
        Prepared, with a row number as index; its words, quantiles and estimates are used, its counts are not.
    entry : Entry
        What its columns are.
    keys : mapping of table name to keys
        The keys of all tables' counts.
    told : Told
        What the gate lets through.
    interval : Interval
        For proportions.
    """
    shown = table[entry.labels_of(table)].astype(object)
    for column in entry.counts:
        shown[column] = [_count(keys[entry.table].get((row, column)), told) for row in table.index]
    bases = [_bases(row, keys, entry) for row in table.index]
    for column in entry.quantiles:
        safe = [all(told.quantile(key, column) for key in base) for base in bases]
        shown[column] = _values(table[column], safe, entry.finest)
    safe = [told.all_large(base) for base in bases]
    for column in entry.estimates:
        shown[column] = _values(table[column], safe, entry.finest)
    if entry.p:
        shown[entry.p] = [_p(p) if one else MASKED for p, one in zip(table[entry.p], safe, strict=True)]
    return _completed(shown, table, entry, interval)


def _completed(shown: pd.DataFrame, table: pd.DataFrame, entry: Entry, interval: Interval) -> pd.DataFrame:
    """Percentages, differences and curves, which are made of the table's own told counts.

    An interval of imputed responses is not told: that of the rounded number of responders would be too narrow.
    """
    if entry.share:
        shown[SHARE] = _shares(shown[entry.share[0]], shown[entry.share[1]], interval)
    if entry.table == RESPONDERS_BY_ARM:
        shown[DIFFERENCE] = _differences(shown, interval)
    if IMPUTED in table:
        shown.loc[table[IMPUTED].tolist(), [name for name in LIMITS if name in shown]] = None
    if entry.table == TREATMENT_COURSE:
        shown["survival"] = _survival(shown)
    if entry.written and not entry.pooled:
        shown = shown[shown[next(iter(entry.counts))].ne(MASKED)]
    return shown.reset_index(drop=True)


def _count(key: Key | None, told: Told) -> Any:
    count = None if key is None else told.count(key)
    return None if key is None else MASKED if count is None else count


def _bases(row: int, keys: Mapping[str, Keys], entry: Entry) -> list[Key]:
    """The counts of patients that the statistics of a row are from."""
    bases: list[Key] = []
    for source in entry.n_of:
        other, _, column = source.rpartition(".")
        own = keys.get(other or entry.table, {})
        bases += [key for (at, name), key in own.items() if name == column and (other or at == row)]
    return bases


def _values(values: "pd.Series[float]", safe: Sequence[bool], finest: float) -> list[Any]:
    pairs = zip(values, safe, strict=True)
    return [None if pd.isna(value) else coarse(value, finest) if one else MASKED for value, one in pairs]


def _p(p: float) -> Any:
    """Two decimals: an exact P value is a multiple of a power of one half that depends on the number of pairs."""
    if pd.isna(p):
        return None
    return f"<{SMALLEST_P:g}" if p < SMALLEST_P else round(float(p), 2)


def _shares(parts: "pd.Series[Any]", wholes: "pd.Series[Any]", interval: Interval) -> pd.DataFrame:
    """Proportions with intervals of told counts out of told totals; nothing where either is masked."""
    numbers = pd.DataFrame({"k": pd.to_numeric(parts, errors="coerce"), "n": pd.to_numeric(wholes, errors="coerce")})
    known = numbers.dropna()[lambda rows: rows["n"] > 0]
    shares = pd.DataFrame(MASKED, index=parts.index, columns=SHARE, dtype=object)
    shares[parts.isna()] = None
    lower, upper = limits(known["k"], known["n"], level=interval.level, interval=interval.method)
    shares.loc[known.index] = np.column_stack([known["k"] / known["n"], lower, upper]).round(2)
    return shares


def _differences(shown: pd.DataFrame, interval: Interval) -> pd.DataFrame:
    """What told proportions of two arms differ in, with Newcombe's limits; nothing where one of them is masked."""
    from easitrace.response.arm_endpoints import risk_differences

    differences = pd.DataFrame(MASKED, index=shown.index, columns=DIFFERENCE, dtype=object)
    counts = ["responders", "n", "reference_responders", "reference_n"]
    numbers = shown[counts].apply(pd.to_numeric, errors="coerce").dropna()
    for row, (*own, theirs, total) in zip(numbers.index, numbers.to_numpy(), strict=True):
        pair = pd.DataFrame([(REFERENCE, theirs, total), (ARM, *own)], columns=[ARM, "responders", "n"])
        pair = pair.assign(proportion=pair["responders"] / pair["n"], lower=0.0, upper=0.0)
        pair[["criterion", "visit", "week"]] = ""
        differences.loc[row] = risk_differences(pair, interval.level)[DIFFERENCE].iloc[0].astype(float).round(2)
    differences[shown[counts].isna().any(axis=1)] = None
    return differences


def _survival(groups: pd.DataFrame) -> list[Any]:
    """The life table's proportion still on treatment at the end of each group, masked from the first masked count on.

    Of those censored within a group half count as at risk: Cutler & Ederer (1958) J Chronic Dis 8:699.
    """
    still, shown = 1.0, []
    for at_risk, stopped, censored in groups[["at_risk", "stopped", "censored"]].to_numpy():
        known = MASKED not in (at_risk, stopped, censored)
        still = still * (1 - stopped / (at_risk - censored / 2)) if known else np.nan
        shown.append(round(max(still, 0.0), 2) if known and np.isfinite(still) else MASKED)
    return shown
