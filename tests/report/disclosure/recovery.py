"""An attacker who has shared tables and the published rules, and tries to find the masked counts.

Written apart from the gate: interval arithmetic to a fixed point over what is told, what is masked, all totals, all
percentages and their intervals, and several reports at once.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from easitrace.report.disclosure.registry import SHAREABLE

Cell = tuple[str, int, str]
Interval = tuple[float, float]
ENDLESS = 10**6


def interval_of(told: Any, threshold: int, half: int) -> Interval:
    """What one cell says: a masked one is small, a told one within `half` of what is told."""
    if told == "[c]":
        return 0, threshold - 1
    return (0, 0) if told == 0 else (max(threshold, float(told) - half), float(told) + half)


class Attack:
    """Everything known of a cohort from one or more reports.

    `half` is how far a told count may be from the true one: 2 for rounding to 5, 0 without rounding.
    """

    def __init__(self, half: int = 2) -> None:
        self.half = half
        self.known: dict[Any, Interval] = {}
        self.sums: list[tuple[Any, list[Any], bool]] = []
        self.masked: set[Any] = set()
        self.told: set[Any] = set()
        self.size: Any = None

    def read(self, tables: Mapping[str, pd.DataFrame], threshold: int, report: str = "") -> None:
        """Take in the tables of a report; counts of one kind and label are the same count in every report."""
        self.size = tables["01_cohort_baseline"]["n"].iloc[-1]  # with arms the last rows are of all
        self._learn(("cohort",), self.size, threshold)
        for entry in SHAREABLE:
            if entry.table in tables:
                self._read_table(tables[entry.table].reset_index(drop=True), entry, threshold, report)
        self._add_up_arms()

    def _add_up_arms(self) -> None:
        """A count of all is the sum of those of the arms."""
        arms = {key[1] for key in self.known if len(key) > 1} - {None}
        for kind, _, *labels in [key for key in self.known if len(key) > 1 and key[1] is None]:
            parts = [(kind, arm, *labels) for arm in arms]
            if arms and all(part in self.known for part in parts):
                self.sums.append(((kind, None, *labels), parts, True))

    def _read_table(self, table: pd.DataFrame, entry: Any, threshold: int, report: str) -> None:
        keys = {}
        for row, values in table.iterrows():
            for column, (kind, *labels) in entry.counts.items():
                if pd.notna(values[column]):
                    own = [values[name] for name in ("rule", "criterion") if name in table] or [report]
                    arm = values.get("reference" if column in entry.reference else "arm")
                    arm = None if arm == "All" else arm
                    own += [values[column]] if kind == "cohort" else []  # all of an arm, or those classified
                    named = (kind, arm, *(values[label] for label in labels), *own)
                    everybody = kind == "cohort" and values[column] == self.size and arm is None
                    keys[row, column] = ("cohort",) if everybody else named
                    self._learn(keys[row, column], values[column], threshold)
        for row in table.index:
            for whole in set(entry.of.values()):
                parts = [c for c, of in entry.of.items() if of == whole and c not in entry.down and (row, c) in keys]
                if parts:
                    self.sums.append((keys.get((row, whole), ("cohort",)), [keys[row, c] for c in parts], False))
        for column, labels in entry.down.items():
            by = [label for label in ("arm", *labels) if label in table]
            for _, rows in table[table[column].notna()].groupby(by, sort=False):
                whole = keys.get((rows.index[0], entry.of[column]), ("cohort",))
                self.sums.append((whole, [keys[row, column] for row in rows.index], True))

    def _learn(self, key: Any, told: Any, threshold: int) -> None:
        low, high = interval_of(told, threshold, self.half)
        before = self.known.get(key, (0, ENDLESS))
        both = max(low, before[0]), min(high, before[1])
        self.known[key] = both if both[0] <= both[1] else before  # masked as part of a total, told elsewhere
        (self.masked if told == "[c]" else self.told).add(key)

    def run(self) -> dict[Any, Interval]:
        """The interval of every count that no report tells; one of width 0 is recovered."""
        for _ in range(50):
            before = dict(self.known)
            for whole, parts, complete in self.sums:
                self._narrow(whole, parts, complete)
            if before == self.known:
                break
        return {key: self.known[key] for key in self.masked - self.told}

    def _narrow(self, whole: Any, parts: Sequence[Any], complete: bool) -> None:
        own = list(dict.fromkeys(parts))
        low, high = sum(self.known[p][0] for p in own), sum(self.known[p][1] for p in own)
        self._set(whole, low, high if complete else ENDLESS)
        for part in own:
            rest_low, rest_high = low - self.known[part][0], high - self.known[part][1]
            self._set(part, self.known[whole][0] - rest_high if complete else 0, self.known[whole][1] - rest_low)

    def _set(self, key: Any, low: float, high: float) -> None:
        before = self.known[key]
        after = max(before[0], low), min(before[1], high)
        if after[0] <= after[1]:
            self.known[key] = after


def recovered(ranges: Mapping[Any, Interval]) -> list[Any]:
    """The masked counts of which one value is left."""
    return [key for key, (low, high) in ranges.items() if low == high]


def default_tables() -> Path:
    """The tidy tables of the built-in cohort's report."""
    return Path(__file__).parents[3] / "reports" / "baricitinib" / "tables"
