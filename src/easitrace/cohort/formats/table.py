"""A table from any file: its columns as Arrow arrays, the row of every record, and what codes mean.

Whatever reads a format ends in a `Table`; whatever prepares one (a profile) is a function from `Table` to `Table`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.findings import Findings, place, quoted
from easitrace.errors import Problem

Rows = npt.NDArray[np.int64]
Columns = dict[str, Any]
TEXT = pa.large_string()
EXACT_WHOLE = float(2**53)


@dataclass(frozen=True)
class Table:
    """Columns of equal length, fetched when they are asked for.

    Attributes
    ----------
    header : list of str
        The column names, each once, in the order of the file.
    rows : ndarray of int64
        The number of every record as a person sees it: the spreadsheet row of CSV and Excel files (the header is
        row 1), the case number of SPSS, SAS, Stata and Parquet files. Several records may carry one number.
    fetch : callable
        From column names to Arrow arrays, one entry per element of `rows`: large_string (missing is "" or null),
        float64, int64, bool, date32 or timestamp.
    labels : mapping of column to {code: label}
        Value labels; a code is written as `as_text` writes it ("7", not "7.0").
    reasons : mapping of column to Arrow array
        Why a missing entry is missing, null elsewhere.
    letters : mapping of column to str
        The letters a spreadsheet shows above the column; empty for other files.
    own_rows : mapping of column to ndarray
        The numbers of the records a column's entries come from, where these are not `rows`.
    faults : mapping of column to problems
        Cells that have no value to read; they are errors when the column is read.
    """

    header: list[str]
    rows: Rows
    fetch: Callable[[list[str]], Columns]
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    reasons: Mapping[str, Any] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    own_rows: Mapping[str, Rows] = field(default_factory=dict)
    faults: Mapping[str, Sequence[Problem]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        columns: Mapping[str, Any],
        rows: Rows | None = None,
        *,
        labels: Mapping[str, Mapping[str, str]] | None = None,
        reasons: Mapping[str, Any] | None = None,
        letters: Mapping[str, str] | None = None,
        faults: Mapping[str, Sequence[Problem]] | None = None,
    ) -> "Table":
        """A table that holds Arrow arrays; without `rows` the records are numbered from 1."""
        length = len(next(iter(columns.values()), ()))
        numbers = np.arange(1, length + 1) if rows is None else rows
        return cls(
            list(columns),
            numbers,
            lambda names: {name: columns[name] for name in names},
            labels or {},
            reasons or {},
            letters or {},
            faults=faults or {},
        )

    def columns(self, names: Iterable[str]) -> Columns:
        """The named columns as Arrow arrays."""
        return self.fetch(list(dict.fromkeys(names)))

    def rows_of(self, column: str) -> Rows:
        """The numbers of the records that the entries of a column come from."""
        return self.own_rows.get(column, self.rows)

    def select(self, names: Sequence[str]) -> "Table":
        """Only these columns, in this order."""
        return replace(self, header=list(names))

    def rename(self, names: Mapping[str, str]) -> "Table":
        """Columns under new names, `{old: new}`; the others keep theirs."""
        old = {names.get(name, name): name for name in self.header}

        def fetch(wanted: list[str]) -> Columns:
            found = self.fetch([old[name] for name in wanted])
            return {name: found[old[name]] for name in wanted}

        labels = {names.get(name, name): meaning for name, meaning in self.labels.items()}
        reasons = {names.get(name, name): array for name, array in self.reasons.items()}
        letters = {names.get(name, name): letter for name, letter in self.letters.items()}
        own_rows = {names.get(name, name): rows for name, rows in self.own_rows.items()}
        faults = {names.get(name, name): found for name, found in self.faults.items()}
        return Table(list(old), self.rows, fetch, labels, reasons, letters, own_rows, faults)

    def take(self, indices: npt.ArrayLike) -> "Table":
        """The records at these positions, in this order; a position may come several times."""
        at = np.asarray(indices, dtype=np.int64)
        chosen = pa.array(at)

        def fetch(wanted: list[str]) -> Columns:
            return {name: column.take(chosen) for name, column in self.fetch(wanted).items()}

        reasons = {name: column.take(chosen) for name, column in self.reasons.items()}
        own_rows = {name: rows[at] for name, rows in self.own_rows.items()}
        return replace(self, rows=self.rows[at], fetch=fetch, reasons=reasons, own_rows=own_rows)

    def filter(self, keep: npt.NDArray[np.bool_]) -> "Table":
        """The records where `keep` is true."""
        return self.take(np.flatnonzero(keep))

    def with_columns(
        self,
        columns: Mapping[str, Any],
        *,
        labels: Mapping[str, Mapping[str, str]] | None = None,
        reasons: Mapping[str, Any] | None = None,
        own_rows: Mapping[str, Rows] | None = None,
    ) -> "Table":
        """More columns, or other arrays in the place of columns; what is told of those is what is given here."""

        def fetch(wanted: list[str]) -> Columns:
            old = self.fetch([name for name in wanted if name not in columns])
            return {name: columns[name] if name in columns else old[name] for name in wanted}

        header = list(dict.fromkeys([*self.header, *columns]))
        kept_labels = {name: meaning for name, meaning in self.labels.items() if name not in columns}
        kept_reasons = {name: array for name, array in self.reasons.items() if name not in columns}
        kept_rows = {name: rows for name, rows in self.own_rows.items() if name not in columns}
        meanings, causes = kept_labels | dict(labels or {}), kept_reasons | dict(reasons or {})
        origins = kept_rows | dict(own_rows or {})
        return Table(header, self.rows, fetch, meanings, causes, self.letters, origins, self.faults)


def is_text(column: Any) -> bool:
    """Whether an Arrow array holds text."""
    return bool(pa.types.is_large_string(column.type) or pa.types.is_string(column.type))


def is_number(column: Any) -> bool:
    """Whether an Arrow array holds numbers."""
    return bool(pa.types.is_floating(column.type) or pa.types.is_integer(column.type))


def is_date(column: Any) -> bool:
    """Whether an Arrow array holds dates, with or without a time of day."""
    return bool(pa.types.is_date(column.type) or pa.types.is_timestamp(column.type))


def as_text(column: Any) -> Any:
    """An array as text, missing as "": numbers as short as can be ("7", "12.5"), dates as 2024-04-03."""
    if pa.types.is_floating(column.type):
        text = _number_text(column)
    elif pa.types.is_timestamp(column.type):
        text = pc.replace_substring_regex(pc.cast(wall_time(column), TEXT), r" 00:00:00(\.0*)?$|(\.0+)$", "")
    else:
        text = pc.cast(column, TEXT)
    return pc.fill_null(text, "")


def one_array(column: Any) -> Any:
    """The chunks of a column as one array, copied only when there are several."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def wall_time(column: Any) -> Any:
    """Timestamps as the clock of their own time zone shows them."""
    return column if column.type.tz is None else pc.local_timestamp(column)


def _number_text(column: Any) -> Any:
    column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    whole = pc.and_(pc.equal(column, pc.trunc(column)), pc.less(pc.abs(column), EXACT_WHOLE))
    digits = pc.cast(pc.if_else(whole, column, 0.0), pa.int64())
    return pc.if_else(whole, pc.cast(digits, TEXT), pc.cast(column, TEXT))


def check_header(names: Sequence[str], findings: Findings, row: int | None = 1) -> None:
    """Record an error for every column whose name is blank or comes twice; `row` is where the names stand."""
    first: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if not name:
            findings.error("E210", f"column {number} has no name", "name or delete it", at=place(row))
        elif name in first:
            what = f"columns {first[name]} and {number} are both named {quoted(name)}"
            findings.error("E210", what, "rename one of them", at=place(row))
        first.setdefault(name, number)
