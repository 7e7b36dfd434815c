"""One row per patient and visit: what happens to several scored rows for one visit, by the declared rule."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from easitrace.cohort.findings import Findings, inert
from easitrace.cohort.flow import GAVE_WAY, JOINED
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.places import always, note_rows
from easitrace.cohort.timing import planned_days, report_duplicates

KEYS = ["patient", "visit"]
CHOOSE = "keep one of them, or choose a rule under several"
WITHOUT_A_DAY = "fill in the day, or choose worst or mean under several"
ON_ONE_DAY = "keep one of them, or choose worst or mean under several"
REASONS = {
    "own": "{visit} has a row of its own",
    "nearest": "another day is nearer to {visit}",
    "last": "a later day counts for {visit}",
    "worst": "a worse score counts for {visit}",
    "mean": "it repeats another row of {visit}",
}


def one_per_visit(
    entries: pd.DataFrame, mapping: Mapping, files: Sequence[Findings]
) -> tuple[pd.DataFrame, Counter[str]]:
    """Apply the rule `several` to every instrument on its own; the day is that of the outcome's score if it has one.

    Without a rule, of rows that windows place the nearest to the planned day counts (tie: the earlier), after a row
    whose label names the visit; two rows whose labels name one visit are an error. Rows alike in everything that is
    read count once.

    Parameters
    ----------
    entries : DataFrame
        `patient`, `visit`, `day`, `row`, `file` (place in `files`), `named` (its label names the visit) and scores.

    Returns
    -------
    entries : DataFrame
        One row per patient and visit.
    steps : Counter
        Rows that gave way to another, rows joined with another: what the flow counts. They are in the log too.
    """
    twice = entries.duplicated(KEYS, keep=False)
    if not twice.any():
        return entries, Counter()
    instruments = [name for name in mapping.instruments if name in entries]
    many, errors = entries[twice], len(files[0].errors)
    for number, findings in enumerate(files):
        _refuse(many[many["file"] == number], mapping.several, instruments, findings)
    if len(files[0].errors) > errors:
        return entries.drop_duplicates(KEYS), Counter()
    once = many.drop_duplicates(["file", *KEYS, "day", *instruments])
    chosen, used = _chosen(_ordered(once, mapping), mapping, instruments)
    unused = many.drop(used.index)
    _note_unused(unused, many, mapping, files)
    _note_joined(used[used[instruments].notna().any(axis=1)], mapping, files)
    steps = Counter({GAVE_WAY: len(unused), JOINED: len(used) - len(chosen)})
    return pd.concat([entries[~twice], chosen[entries.columns]], ignore_index=True), steps


def _refuse(rows: pd.DataFrame, rule: str | None, instruments: list[str], findings: Findings) -> None:
    """Errors for the rows of one file among which the rule cannot or must not choose."""
    if rule == "error":
        report_duplicates(rows, KEYS, "one patient has two rows for one visit", CHOOSE, findings)
    elif rule is None:
        named = rows["named"]
        report_duplicates(rows[named], KEYS, "one patient has two rows for one visit", CHOOSE, findings)
        report_duplicates(rows[~named], [*KEYS, "day"], "one patient has two rows on one day", CHOOSE, findings)
    elif rule in ("nearest", "last"):
        _refuse_undecided(rows.drop_duplicates([*KEYS, "day", *instruments]), rule, instruments, findings)


def _refuse_undecided(rows: pd.DataFrame, rule: str, instruments: list[str], findings: Findings) -> None:
    """Rows without a day, and rows with two scores on one day: no day decides between them."""
    for name in instruments:
        rivals = rows[rows[name].notna()]
        rivals = rivals[rivals.duplicated(KEYS, keep=False)]
        what = f"one of several rows for a visit, without a day by which the {rule} could be told"
        undated = rivals.loc[rivals["day"].isna(), "row"].to_numpy()
        findings.errors_at("E226", undated, None, always(what, WITHOUT_A_DAY))
        dated = rivals[rivals["day"].notna()]
        report_duplicates(dated, [*KEYS, "day"], f"one patient has two {name} on one day", ON_ONE_DAY, findings)


def _ordered(many: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    """The rows with the one that counts first, as far as days tell."""
    distance = np.abs(many["day"] - planned_days(mapping.schedule)[many["visit"]])
    placed = many.assign(placed=~many["named"], distance=distance)
    if mapping.several == "last":
        return placed.sort_values("day", ascending=False, kind="stable")
    by_day = ["distance", "day"]
    return placed.sort_values(["placed", *by_day] if mapping.several is None else by_day, kind="stable")


def _chosen(ordered: pd.DataFrame, mapping: Mapping, instruments: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per patient and visit, and the rows that went into it; one without a score gives its day."""
    first = ordered.drop_duplicates(KEYS)
    scores, used = {}, []
    for name in instruments:
        known = ordered[ordered[name].notna()]
        if mapping.several == "worst":
            lower = mapping.instruments[name].better == "lower"
            known = known.sort_values(name, ascending=not lower, kind="stable")
        picked = known.drop_duplicates(KEYS)
        if name == mapping.outcome:
            first = pd.concat([picked, first]).drop_duplicates(KEYS)
        mean = mapping.several == "mean"
        scores[name] = known.groupby(KEYS)[name].mean() if mean else picked.set_index(KEYS)[name]
        used.append(known if mean else picked)
    days = ordered.groupby(KEYS)["day"].first()
    rows = first.set_index(KEYS).assign(**scores, day=lambda table: table["day"].fillna(days))
    together = pd.concat([*used, ordered[ordered[instruments].isna().all(axis=1)]])
    return rows.reset_index(), together[~together.index.duplicated()]


def _note_unused(unused: pd.DataFrame, many: pd.DataFrame, mapping: Mapping, files: Sequence[Findings]) -> None:
    rule = mapping.several or "nearest"
    own = pd.Series(False, index=unused.index)
    if mapping.several is None:
        own = many.groupby(KEYS)["named"].transform("any").reindex(unused.index)
    for code, label in enumerate(mapping.labels):
        for named in (True, False):
            rows = unused[(unused["visit"] == code) & (own == named)]
            reason = REASONS["own" if named else rule].format(visit=inert(label))
            note_rows(rows, files, "W203", f"left out: {reason}")


def _note_joined(used: pd.DataFrame, mapping: Mapping, files: Sequence[Findings]) -> None:
    """Rows of one file that share a visit; to join those of different files is what files are joined for."""
    shared = used[used.duplicated(["file", *KEYS], keep=False)]
    if mapping.several == "mean":
        note_rows(shared, files, "W232", "entered the mean of a visit")
    else:
        note_rows(shared, files, "W231", "gave different scores to one visit")
