"""An attacker who has shared tables and the published rules, and tries to find the masked counts.

Written apart from the gate: interval arithmetic to a fixed point over what is told, what is masked, all totals, all
percentages and their intervals, and several reports at once. The attacker is even told which masked counts are small
and which are masked for their sake, so that a count that is found is found and not guessed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from easitrace.report.disclosure import gate
from easitrace.report.disclosure.gate import Told
from easitrace.report.disclosure.profiles import Interval, Profile
from easitrace.report.disclosure.registry import SHAREABLE, TREATMENT_COURSE
from easitrace.report.disclosure.sheets import Sheets, shared_sheets

Range = tuple[float, float]
Frames = Mapping[str, pd.DataFrame]
ENDLESS = 10**6
MASKED = "[c]"


def sheets_and_truth(folder: Path, profile: Profile, further: Frames | None = None) -> tuple[Sheets, Frames]:
    """What is shared of the tables in a folder, and the same tables with all counts as they are."""

    sheets = shared_sheets(folder, profile, Interval(), further)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "release", lambda ledger, profile, hidden: Told(profile, dict(ledger.counts)))
        return sheets, shared_sheets(folder, profile, Interval(), further).tables


class Attack:
    """Everything known of a cohort from one or more reports.

    `half` is how far a told count may be from the true one: 2 for rounding to 5, 0 without rounding.
    """

    def __init__(self, half: int = 2) -> None:
        self.half = half
        self.known: dict[Any, Range] = {}
        self.sums: list[tuple[Any, list[Any], bool]] = []
        self.true: dict[Any, int] = {}
        self.sizes: dict[Any, Any] = {}
        self.masked: set[Any] = set()
        self.told: set[Any] = set()

    def read(self, tables: Frames, truth: Frames, threshold: int, report: str = "") -> None:
        """Take in the tables of a report; counts of one kind, label and size are the same count in every report."""
        self._count_everybody(truth["01_cohort_baseline"])
        for entry in SHAREABLE:
            if entry.table in tables:
                table = tables[entry.table].reset_index(drop=True)
                keys = {}
                true = {at: count for _, at, _, count in _counts(truth[entry.table], entry, threshold, report)}
                for row, at, named, told in _counts(table, entry, threshold, report):
                    keys[row, at[0]] = (*named, int(true[at]))
                    self._learn(keys[row, at[0]], told, int(true[at]), threshold)
                self._add_up(table, entry, keys)
        self._add_up_arms()

    def _count_everybody(self, baseline: pd.DataFrame) -> None:
        """The names of the sizes of the cohort and its arms: who is known and who is not in the first variable."""
        arms = baseline["arm"] if "arm" in baseline else pd.Series("All", index=baseline.index)
        first = baseline[["n", "missing"]].sum(axis=1).groupby(arms, sort=False).first()
        named = {None if arm == "All" else arm: int(size) for arm, size in first.items()}
        self.sizes = {arm: ("cohort", arm, False, size) for arm, size in named.items()}
        for size in self.sizes.values():
            self.known.setdefault(size, (0, ENDLESS))

    def _add_up_arms(self) -> None:
        """A count of all is the sum of those of the arms."""
        arms = {key[1] for key in self.known if len(key) > 1} - {None}
        parts = defaultdict(list)
        for key in self.known:
            parts[key[0], *key[2:-1], key[1]].append(key)
        for kind, _, *labels, count in [key for key in self.known if key[1] is None]:
            for chosen in product(*(parts[kind, *labels, arm] for arm in arms)):
                if arms and sum(key[-1] for key in chosen) == count:
                    self.sums.append(((kind, None, *labels, count), list(chosen), True))

    def _add_up(self, table: pd.DataFrame, entry: Any, keys: Mapping[tuple[Any, str], Any]) -> None:
        """The totals of a table, along its rows and down its columns."""
        arms = table["arm"].replace("All", None) if "arm" in table else [None] * len(table)
        everybody = [self.sizes[arm] for arm in arms]
        for row, whole in product(table.index, set(entry.of.values())):
            own = [column for column, of in entry.of.items() if of == whole and column not in entry.down]
            parts = [keys[row, column] for column in own if (row, column) in keys]
            self.sums.append((keys.get((row, whole), everybody[row]), parts, False))
        for column, labels in entry.down.items():
            by = [label for label in ("arm", *labels) if label in table]
            for _, rows in table[table[column].notna()].groupby(by, sort=False):
                first = rows.index[0]
                whole = keys.get((first, entry.of[column]), everybody[first])
                self.sums.append((whole, [keys[row, column] for row in rows.index], True))

    def _learn(self, key: Any, told: Any, true: int, threshold: int) -> None:
        """What one cell says: a masked one whether it is small, a told one that it is within `half` of what is told.

        Of several reports the first that masks a count says whether it is small: read the mildest one first.
        """
        if told == MASKED:
            if key in self.masked:
                return
            low, high = (0, threshold - 1) if true < threshold else (threshold, ENDLESS)
        else:
            low, high = (0, 0) if told == 0 else (max(threshold, told - self.half), told + self.half)
        before = self.known.get(key, (0, ENDLESS))
        self.known[key] = max(low, before[0]), min(high, before[1])
        self.true[key] = true
        (self.masked if told == MASKED else self.told).add(key)

    def run(self) -> dict[Any, Range]:
        """The interval of every count that no report tells; one of width 0 is recovered."""
        for _ in range(50):
            before = dict(self.known)
            for whole, parts, complete in self.sums:
                self._narrow(whole, parts, complete)
            if before == self.known:
                break
        wrong = [key for key, count in self.true.items() if not self.known[key][0] <= count <= self.known[key][1]]
        assert wrong == []
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
        self.known[key] = max(before[0], low), min(before[1], high)


def _counts(table: pd.DataFrame, entry: Any, threshold: int, report: str) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Row, place, name and told value of every count of a table; what is joined is others at other thresholds."""
    for row, values in table.reset_index(drop=True).iterrows():
        for column, (kind, *labels) in entry.counts.items():
            if pd.notna(values[column]):
                arm = values.get("reference" if column in entry.reference else "arm")
                arm = None if arm == "All" else arm
                own = [values[name] for name in ("rule", "criterion") if name in table] or [report]
                named = [values[label] for label in labels] + own
                if "other" in named or entry.table == TREATMENT_COURSE:
                    named.append(threshold)
                if kind == "cohort":  # all of an arm, or those classified
                    named = [values.get("denominator") == "classified"]
                place = (column, *(values[label] for label in entry.labels_of(table)))
                yield row, place, (kind, arm, *named), values[column]


def recovered(ranges: Mapping[Any, Range]) -> list[Any]:
    """The masked counts of which one value is left."""
    return [key for key, (low, high) in ranges.items() if low == high]


def default_tables() -> Path:
    """The tidy tables of the built-in cohort's report."""
    return Path(__file__).parents[3] / "reports" / "baricitinib" / "tables"
