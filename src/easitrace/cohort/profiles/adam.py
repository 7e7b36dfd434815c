"""ADaM basic data structure: a row for every subject, parameter and visit, turned into a row for every visit.

Parameters named under `columns` by their PARAMCD become columns that hold AVAL. Analysis flags decide which record
counts (ANL01FL), the baseline flag which is the baseline (ABLFL); derived records (DTYPE) are left out. BASE and CHG
are checked against AVAL; their cells that are no number are counted. The study day (ADY) has no day 0: day 1 is the
start, which is day 0 here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.cells import Cells
from easitrace.cohort.findings import Findings, counted, inert, place, quoted, row_list
from easitrace.cohort.formats.table import TEXT, Table, as_text, is_number
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.profiles.profile import Profile, Roles, first_present
from easitrace.cohort.roles import KEY_ROLES

PARAMETER, VALUE, BASELINE_VALUE, CHANGE = "PARAMCD", "AVAL", "BASE", "CHG"
ANALYSED, BASELINE, DERIVED = "ANL01FL", "ABLFL", "DTYPE"
STUDY_DAY = "ADY"
YES = "Y"
TOLERANCE = 1e-6
NONE = -1
SHOWN = 10

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Records:
    """The rows of the parameters that are read: their place in the table, subject, parameter and visit as text."""

    table: Table
    columns: dict[str, Any]
    at: npt.NDArray[np.int64]
    findings: Findings

    def text(self, name: str) -> "pd.Series[str]":
        """A column as text, "" where the table has none such."""
        if name not in self.columns:
            return pd.Series("", index=range(len(self.at)), dtype="str")
        return pd.Series(pd.array(as_text(self.columns[name].take(pa.array(self.at))), dtype="str"))

    def taken(self, name: str) -> Table:
        """A table of one column."""
        return Table.of({name: self.columns[name].take(pa.array(self.at))}, self.table.rows[self.at])

    def where(self, keep: Mask) -> "Records":
        """Some of them."""
        return Records(self.table, self.columns, self.at[keep], self.findings)

    def left_out(self, out: Mask, why: str) -> "Records":
        """The others, after a note of those left out."""
        if out.any():
            rows = self.table.rows[self.at[out]]
            self.findings.note("W234", f"{counted(int(out.sum()), 'record')} left out: {why} ({row_list(rows)})")
        return self.where(~out)


def roles(header: Sequence[str]) -> Roles:
    """Subject, analysis visit and study day under their ADaM names."""
    known = {"patient": "USUBJID", "visit": "AVISIT", "day": STUDY_DAY}
    return {role: name for role, name in known.items() if first_present([name], header)}


def prepare(table: Table, columns: Roles, mapping: Mapping, findings: Findings) -> Table:
    """One row per subject and visit (or day), one column per parameter."""
    if not {PARAMETER, VALUE} <= {*table.header}:
        missing = " and ".join(sorted({PARAMETER, VALUE} - {*table.header}))
        findings.error("E263", f"there is no column {missing}: not an ADaM basic data structure", "leave format out")
        findings.stop_if_wrong()
    parameters = _parameters(table, [*columns.values(), mapping.outcome], findings)
    records = _counting(_records(table, columns, parameters, findings))
    records, visits = _visits(records, columns, mapping)
    _check_constant(records, columns, {*mapping.instruments, *KEY_ROLES})
    _check_derived(records, columns["patient"], mapping)
    findings.letters = {**table.letters, **dict.fromkeys(parameters, table.letters.get(VALUE, ""))}
    outcome = columns.get(mapping.outcome, mapping.outcome)
    parameters.sort(key=lambda name: name != outcome)
    return _with_days(_spread(records, visits, columns, parameters), columns, mapping, findings)


def _parameters(table: Table, named: list[str], findings: Findings) -> list[str]:
    """The parameters that are named under columns."""
    present = dict.fromkeys(pc.unique(as_text(table.columns([PARAMETER])[PARAMETER])).to_pylist())
    found = [name for name in dict.fromkeys(named) if name in present and name not in table.header]
    if not found:
        there = ", ".join(quoted(name) for name in [*present][:SHOWN])
        what = f"no record has a {PARAMETER} that is under columns; there is {there}"
        findings.error("E211", what, "name the parameters under columns, such as easi: EASI")
        findings.stop_if_wrong()
    return found


def _records(table: Table, roles_of: Roles, parameters: list[str], findings: Findings) -> Records:
    own = [PARAMETER, VALUE, BASELINE_VALUE, CHANGE, ANALYSED, BASELINE, DERIVED, *roles_of.values()]
    columns = table.columns([name for name in dict.fromkeys(own) if name in table.header])
    read_on = {*roles_of.values()}
    findings.errors += [fault for name in columns if name not in read_on for fault in table.faults.get(name, ())]
    wanted = pc.is_in(as_text(columns[PARAMETER]), value_set=pa.array(parameters, type=TEXT))
    return Records(table, columns, np.flatnonzero(np.array(wanted)), findings)


def _counting(records: Records) -> Records:
    """Records that count: not derived, and flagged for analysis or as the baseline where there are such flags."""
    derived = records.text(DERIVED).str.strip()
    for kind in sorted({*derived} - {""}):
        records = records.left_out((records.text(DERIVED).str.strip() == kind).to_numpy(), f"{DERIVED} {inert(kind)}")
    if ANALYSED in records.columns:
        flagged = (records.text(ANALYSED) == YES) | (records.text(BASELINE) == YES)
        records = records.left_out(~flagged.to_numpy(), f"{ANALYSED} is not {YES}")
    return records


def _visits(records: Records, roles_of: Roles, mapping: Mapping) -> tuple[Records, "pd.Series[str]"]:
    """The visit of every record; the flagged record is the baseline, whatever its visit is called."""
    column = _visit_column(roles_of)
    if column not in records.columns:
        return records, pd.Series("", index=range(len(records.at)), dtype="str")
    if BASELINE not in records.columns:
        return _named(records, column)
    first = mapping.schedule[0]
    label = first.label if "visit" in roles_of else f"{first.week:g}"
    flagged = (records.text(BASELINE) == YES).to_numpy()
    unflagged = (records.text(column).str.strip() == label).to_numpy() & ~flagged
    records = records.left_out(unflagged, f"at {inert(label)} without {BASELINE} {YES}")
    records, visits = _named(records, column, keep=flagged[~unflagged])
    return records, visits.mask((records.text(BASELINE) == YES), label)


def _visit_column(roles_of: Roles) -> str:
    return roles_of.get("visit") or roles_of.get("week", "")


def _named(records: Records, column: str, keep: Mask | None = None) -> tuple[Records, "pd.Series[str]"]:
    blank = (records.text(column).str.strip() == "").to_numpy()
    out = blank if keep is None else blank & ~keep
    records = records.left_out(out, f"{column} is blank")
    return records, records.text(column).str.strip()


def _check_constant(records: Records, roles_of: Roles, by_visit: set[str]) -> None:
    """What is known of a subject must be the same in all records, of which only some are read on."""
    subject = records.text(roles_of["patient"])
    for role, name in roles_of.items():
        if role in by_visit or name not in records.columns:
            continue
        values = records.text(name)
        given = values[values != ""]
        first = given.groupby(subject[given.index]).transform("first")
        for i in np.flatnonzero((given != first).to_numpy())[:10]:
            at = given.index[i]
            row = records.table.rows[records.at[at]]
            what = f'one patient has "{inert(first[at])}" and "{inert(values[at])}"'
            records.findings.error(
                "E221", what, "give a patient the same value in every row", at=f"row {row}, column {name}"
            )


def _numbers(table: Table, name: str, mapping: Mapping) -> Floats:
    """A column as numbers, missing where a cell is none; whoever reads the column says which these are."""
    return Cells.of(table, [name], mapping, Findings("")).numbers("", name)


def _compared(records: Records, name: str, mapping: Mapping) -> "pd.Series[float]":
    """A column that is only compared, as numbers; cells that are none are counted here, as nothing else reads them."""
    if name not in records.columns:
        return pd.Series(np.nan, index=range(len(records.at)))
    cells = Cells.of(records.taken(name), [name], mapping, Findings(""))
    numbers = cells.numbers("", name)
    unread = np.isnan(numbers) & np.asarray(cells.words("", name).is_valid())
    if unread.any():
        what = f"{counted(int(unread.sum()), 'cell')} not compared with {VALUE}, being no number"
        records.findings.note("W239", f"{what} ({row_list(cells.rows[unread])})", at=place(None, name))
    return pd.Series(numbers)


def _check_derived(records: Records, subject: str, mapping: Mapping) -> None:
    """BASE is the value of the flagged record of its subject and parameter; CHG is AVAL - BASE."""
    value = pd.Series(_numbers(records.taken(VALUE), VALUE, mapping))
    base, change = (_compared(records, name, mapping) for name in (BASELINE_VALUE, CHANGE))
    rows = records.table.rows[records.at]
    if BASELINE in records.columns:
        keys = [records.text(subject), records.text(PARAMETER)]
        at_baseline = value.where(records.text(BASELINE) == YES).groupby(keys).transform("first")
        wrong = np.flatnonzero((base - at_baseline).abs() > TOLERANCE)
        told = [f"{base[i]:g} is not the {at_baseline[i]:g} of the baseline record" for i in wrong]
        remedy = f"correct {BASELINE_VALUE} or the flag {BASELINE}"
        records.findings.errors_at("E264", rows[wrong], BASELINE_VALUE, lambda i: (told[i], remedy))
    wrong = np.flatnonzero((value - base - change).abs() > TOLERANCE)
    sums = [f"{change[i]:g} is not {VALUE} {value[i]:g} minus {BASELINE_VALUE} {base[i]:g}" for i in wrong]
    records.findings.errors_at(
        "E264", rows[wrong], CHANGE, lambda i: (sums[i], f"correct {CHANGE} or {BASELINE_VALUE}")
    )


def _spread(records: Records, visits: "pd.Series[str]", roles_of: Roles, parameters: list[str]) -> Table:
    """Records of one subject and visit side by side; a second record of the same parameter makes a second row."""
    keys = pd.DataFrame({"subject": records.text(roles_of["patient"]), "visit": visits})
    if not visits.any():
        keys["visit"] = records.text(roles_of.get("date", roles_of.get("day", "")))
    keys["parameter"] = records.text(PARAMETER)
    keys["again"] = keys.groupby(["subject", "visit", "parameter"]).cumcount()
    numbers = keys.groupby(["subject", "visit", "again"], sort=False).ngroup()
    group = np.asarray(numbers, dtype=np.int64)
    places = np.full((int(group.max(initial=-1)) + 1, len(parameters)), NONE)
    column = pd.Index(parameters).get_indexer(pd.Index(keys["parameter"]))
    places[group, column] = records.at
    first = visits.groupby(group).first()
    return _side_by_side(records, places, {_visit_column(roles_of): first}, parameters)


def _side_by_side(
    records: Records, places: npt.NDArray[np.int64], visits: "dict[str, pd.Series[str]]", parameters: list[str]
) -> Table:
    """What is known of a row is that of its first parameter, the outcome where it has one."""
    anchor = places[np.arange(len(places)), np.argmax(places != NONE, axis=1)]
    columns = {
        name: pa.array(labels.to_numpy(dtype=object), type=TEXT)
        for name, labels in visits.items()
        if name in records.columns
    }
    table, at = records.table, {name: places[:, j] for j, name in enumerate(parameters)}
    known = {name: pa.array(own, mask=own == NONE) for name, own in at.items()}
    columns |= {name: records.columns[VALUE].take(own) for name, own in known.items()}
    reasons = {name: table.reasons[VALUE].take(own) for name, own in known.items() if VALUE in table.reasons}
    rows = {name: table.rows[own] for name, own in at.items()}
    return table.take(anchor).with_columns(columns, reasons=reasons, own_rows=rows)


def _with_days(table: Table, roles_of: Roles, mapping: Mapping, findings: Findings) -> Table:
    """The study days counted from 0; a cell that is no day stays as it is, for whoever reads the column."""
    name = roles_of.get("day")
    if name != STUDY_DAY or name not in table.header:
        return table
    column = table.columns([name])[name]
    days = _numbers(table, name, mapping)
    findings.note("F230", f"{STUDY_DAY} has no day 0: its day 1, the start of treatment, is day 0 here")
    zero = np.flatnonzero(days == 0)
    findings.errors_at("E264", table.rows[zero], name, lambda _: (f"{STUDY_DAY} cannot be 0", "correct it"))
    earlier = pa.array(np.where(days > 0, days - 1, days), from_pandas=True)
    if not is_number(column):
        column, earlier = as_text(column), as_text(earlier)
    reasons = {name: table.reasons[name]} if name in table.reasons else {}
    return table.with_columns({name: pc.if_else(pa.array(days > 0), earlier, column)}, reasons=reasons)


ADAM = Profile(roles, prepare, every_file=False)
