"""From the tidy tables of a run to what may be shared of them: all counts through the gate, then everything else."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from easitrace.cohort.arms import EVERYBODY
from easitrace.errors import DisclosureError, Problem
from easitrace.report.disclosure import gate
from easitrace.report.disclosure.derive import Keys, told_table
from easitrace.report.disclosure.entry import ARM, REFERENCE, Entry
from easitrace.report.disclosure.gate import COHORT, Key, Ledger, Told
from easitrace.report.disclosure.prepare import prepared
from easitrace.report.disclosure.profiles import Interval, Profile
from easitrace.report.disclosure.registry import SHAREABLE
from easitrace.report.tidy import read_tidy

Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Sheets:
    """What may be shared of a run.

    Attributes
    ----------
    tables : dict of DataFrame
        By name; masked cells hold `MASKED`.
    patients : int or None
        Size of the cohort as it is told.
    masked, cells : int
        How many cells of counts are masked, and how many there are.
    left_out : tuple of str
        Tables of the run that are not on the list of shareable ones.
    """

    tables: dict[str, pd.DataFrame]
    patients: int | None
    masked: int
    cells: int
    left_out: tuple[str, ...]


def shared_sheets(folder: Path, profile: Profile, interval: Interval, further: Frames | None = None) -> Sheets:
    """Read the shareable tables of a folder, put all their counts through the gate at once, derive the rest anew.

    Parameters
    ----------
    folder : Path
        The run's `tables/`.
    profile : Profile
        Which counts are masked.
    interval : Interval
        Of proportions.
    further : mapping of DataFrame
        Shareable tables that are in no file, by name.

    Raises
    ------
    DisclosureError
        E501, E502 of the gate; E503 a table lacks a column that the list has.
    """
    frames, keys, told = _through_the_gate(folder, profile, further or {})
    entries = {entry.table: entry for entry in SHAREABLE if entry.table in frames}
    tables = {name: told_table(frames[name], entry, keys, told, interval) for name, entry in entries.items()}
    cells = [told.count(key) for own in keys.values() for key in own.values()]
    others = sorted({path.stem for path in folder.glob("*.csv")} - set(entries))
    return Sheets(tables, told.count(COHORT), cells.count(None), len(cells), tuple(others))


def _through_the_gate(
    folder: Path, profile: Profile, further: Frames
) -> tuple[dict[str, pd.DataFrame], dict[str, Keys], Told]:
    """The tables, the keys of their counts, and what is told of them.

    What a report of a milder profile masks is masked here too, so that both together tell no more than the milder one.
    """
    frames = dict(_frames(folder, profile, further))
    ledger = _opened(frames)
    keys = {entry.table: _entered(frames[entry.table], entry, ledger) for entry in SHAREABLE if entry.table in frames}
    _add_up_arms(ledger)
    hidden = _through_the_gate(folder, profile.milder, further)[2].masked if profile.milder else frozenset()
    return frames, keys, gate.release(ledger, profile, hidden)


def _frames(folder: Path, profile: Profile, further: Frames) -> Iterator[tuple[str, pd.DataFrame]]:
    for entry in SHAREABLE:
        path = folder / f"{entry.table}.csv"
        table = further.get(entry.table, read_tidy(path) if path.is_file() else None)
        if table is not None:
            yield entry.table, _checked(prepared(table, entry, profile.least), entry).reset_index(drop=True)


def _checked(table: pd.DataFrame, entry: Entry) -> pd.DataFrame:
    absent = [name for name in entry.columns if name not in table.columns]
    if absent:
        raise DisclosureError(
            Problem("E503", f"table {entry.table}, column {name}", "is listed as shareable but not there")
            for name in absent
        )
    return table


def _opened(frames: Frames) -> Ledger:
    """A ledger with the cohort and its arms: who is known and who is not in the first variable of the first table."""
    ledger = Ledger()
    if "01_cohort_baseline" not in frames:
        raise DisclosureError(Problem("E503", "table 01_cohort_baseline", "is not there, so the cohort has no size"))
    known = frames["01_cohort_baseline"][["n", "missing"]].sum(axis=1)
    if ARM not in frames["01_cohort_baseline"]:
        ledger.enter(COHORT, known.iloc[0])
        return ledger
    sizes = known.groupby(frames["01_cohort_baseline"][ARM], sort=False).first().drop(EVERYBODY, errors="ignore")
    ledger.enter(COHORT, sizes.sum())
    ledger.adds_up(COHORT, [ledger.enter((ARM, arm), size) for arm, size in sizes.items()])
    return ledger


def _entered(table: pd.DataFrame, entry: Entry, ledger: Ledger) -> Keys:
    """The key of every count of a table, by row and column; the counts and their sums go into the ledger."""
    keys: Keys = {}
    for row, values in enumerate(table.to_dict("records")):
        for column, (kind, *labels) in entry.counts.items():
            count = values[column]
            if pd.notna(count):
                arm = _arm_of(values, entry, column)
                named = [*([] if arm is None else [arm]), *(values[label] for label in labels)]
                everybody = _everybody(values, entry, column, ledger)
                whole = kind == COHORT[0] and count == ledger.counts[everybody]
                keys[row, column] = ledger.enter(everybody if whole else (kind, *named, int(count)), count)
    for whole, parts in _sums(table, keys, entry, ledger):
        ledger.adds_up(whole, parts)
    return keys


def _sums(table: pd.DataFrame, keys: Keys, entry: Entry, ledger: Ledger) -> Iterator[tuple[Key, list[Key]]]:
    """Which keys add up: along each row, down the rows of a group, to the row of the total."""
    records = table.to_dict("records")
    for row, column in product(table.index, entry.within):
        if (row, column) in keys:
            yield _everybody(records[row], entry, column, ledger), [keys[row, column]]
    everybody = [_everybody(values, entry, "", ledger) for values in records]
    for row, whole in product(table.index, dict.fromkeys(entry.of.values())):
        own = [column for column, of in entry.of.items() if of == whole and column not in entry.down]
        parts = [keys[row, column] for column in own if (row, column) in keys]
        total = keys.get((row, whole), everybody[row])
        if parts and parts != [total]:
            yield total, parts
    for column, labels in entry.down.items():
        by = [label for label in (ARM, *labels) if label in table]
        for _, rows in table[table[column].notna()].groupby(by, sort=False):
            first = rows.index[0]
            yield keys.get((first, entry.of[column]), everybody[first]), [keys[row, column] for row in rows.index]
    if entry.total_row:
        arms = table[ARM] if ARM in table else pd.Series("", index=table.index)
        for _, rows in table.groupby(arms, sort=False):
            yield from _to_the_total(rows, keys, entry.total_row, next(iter(entry.counts)))


def _add_up_arms(ledger: Ledger) -> None:
    """Where one count stands in a table of all patients and in one by arm, the arms' counts are its parts."""
    arms = [key[1] for key in ledger.counts if key[0] == ARM]
    parts: dict[Key, list[Key]] = defaultdict(list)
    for key in ledger.counts:
        if len(key) > 2 and key[1] in arms:
            parts[key[0], *key[2:-1]].append(key)
    for own, keys in parts.items():
        for chosen in product(*([key for key in keys if key[1] == arm] for arm in arms)):
            whole = (*own, sum(ledger.counts[key] for key in chosen))
            if whole in ledger.counts:
                ledger.adds_up(whole, chosen)


def _to_the_total(
    rows: pd.DataFrame, keys: Keys, total_row: tuple[str, str], column: str
) -> Iterator[tuple[Key, list[Key]]]:
    """The rows that are parts of the row of the total."""
    label, word = total_row
    total = rows.index[rows[label] == word][0]
    others = [keys[row, column] for row in rows.index if row != total]
    yield from [(keys[total, column], others)] if others else []


def _everybody(row: Mapping[Any, Any], entry: Entry, column: str, ledger: Ledger) -> Key:
    """All whom a column of a row may be about: its arm where its size is known, else the cohort."""
    arm = (ARM, _arm_of(row, entry, column))
    return arm if arm in ledger.counts else COHORT


def _arm_of(row: Mapping[Any, Any], entry: Entry, column: str) -> Any:
    """The arm of the patients in a column; None in a table or a row of all arms."""
    arm = row.get(REFERENCE if column in entry.reference else ARM)
    return None if arm == EVERYBODY else arm
