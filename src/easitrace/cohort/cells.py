"""Mapped columns read as words, numbers and dates; every cell that is not one is an error naming its row."""

import difflib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.dates import (
    EARLIEST_YEAR,
    ISO,
    Days,
    after_the_cut,
    calendar,
    date_pattern,
    latest_day,
    no_such_day,
    not_a_date,
    not_yet,
)
from easitrace.cohort.findings import Findings, counted, inert, place, quoted, row_list
from easitrace.cohort.formats.table import TEXT, Columns, Table, as_text, is_date, is_number, is_text, wall_time
from easitrace.cohort.mapping import Mapping

Floats = npt.NDArray[np.float64]

OLDEST = 120
CORRECT = "correct the cell, or add it to missing_codes"
LABEL = "label it, or add it to missing_codes"
MISSING_WORDS = re.compile(r"(?i)n\.?/?[ad]\.?|nan|null|none|missing|unknown|onbekend|[-.?x]+")


class Texts(dict[str, Any]):
    """Columns as text, missing as ""; typed ones are written out when first asked for."""

    def __init__(self, columns: Columns) -> None:
        super().__init__()
        self._columns = columns

    def __missing__(self, column: str) -> Any:
        self[column] = as_text(self._columns[column])
        return self[column]


@dataclass(frozen=True)
class Cells:
    """The mapped columns of one table.

    Attributes
    ----------
    columns : dict
        Arrow arrays as the table has them, the blanks round text trimmed.
    text : dict
        The same as text, a code as itself and not as its label.
    missing : dict
        For a role and column, how many cells are missing for which reason.
    """

    columns: Columns
    text: Texts
    table: Table
    mapping: Mapping
    findings: Findings
    missing: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table, names: list[str], mapping: Mapping, findings: Findings) -> "Cells":
        """Take the named columns of a table, with the blanks around every text trimmed and counted."""
        columns = {
            name: _trimmed(column, name, findings) if is_text(column) else column
            for name, column in table.columns(names).items()
        }
        findings.errors += [problem for name in columns for problem in table.faults.get(name, ())]
        return cls(columns, Texts(columns), table, mapping, findings)

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """The number of every record as a person sees it."""
        return self.table.rows

    def words(self, role: str, column: str) -> Any:
        """The column as Arrow strings: blank cells and missing codes are null, codes labelled, values recoded."""
        return self._words(role, column, dict(self.table.labels.get(column, {})))

    def _words(self, role: str, column: str, labels: dict[str, str]) -> Any:
        text = self.text[column]
        codes = pa.array(self._missing_codes(column), type=text.type)
        coded = pc.is_in(text, value_set=codes)
        self._keep_missing(role, column, coded, text)
        text = pc.if_else(pc.or_(coded, pc.equal(text, "")), pa.scalar(None, text.type), text)
        recode = self.mapping.values.get(role, {})
        return _recoded(
            text, recode | {code: recode.get(label, recode.get(code, label)) for code, label in labels.items()}
        )

    def _missing_codes(self, column: str) -> dict[str, str]:
        """The missing codes as the column's text would write them, and the reason each stands for."""
        codes = self.mapping.missing_codes
        if not is_number(self.columns[column]):
            return codes
        numeric = re.compile(_number_pattern(self.mapping.decimal))
        values = {code: float(code.replace(",", ".")) for code in codes if numeric.match(code)}
        return {as_text(pa.array([value]))[0].as_py(): codes[code] for code, value in values.items()}

    def _keep_missing(self, role: str, column: str, coded: Any, text: Any) -> None:
        number = pc.sum(coded).as_py() or 0
        if number:
            what = f"{counted(number, 'cell')} with a missing code ({', '.join(self.mapping.missing_codes)}) left empty"
            self.findings.note("F207", what, at=place(None, column))
        reasons = self._missing_codes(column)
        found: Counter[str] = Counter()
        for entry in pc.value_counts(text.filter(coded)).to_pylist() if any(reasons.values()) else ():
            found[reasons[entry["values"]]] += entry["counts"]
        if column in self.table.reasons:
            given = self.table.reasons[column].drop_null()
            found.update({entry["values"]: entry["counts"] for entry in pc.value_counts(given).to_pylist()})
        self.missing[role, column] = found

    def missing_reasons(self) -> pd.DataFrame:
        """Cells that are missing for a stated reason: columns `role`, `reason`, `n`."""
        total: Counter[tuple[str, str]] = Counter()
        for (role, _), found in self.missing.items():
            total.update({(role, reason): n for reason, n in sorted(found.items()) if reason})
        rows = [(role, reason, n) for (role, reason), n in total.items()]
        return pd.DataFrame(rows, columns=["role", "reason", "n"]).astype(
            {"role": "str", "reason": "str", "n": "int64"}
        )

    def listed_words(self, role: str, column: str, allowed: list[str] | None = None) -> Any:
        """Words of which each must be one of `allowed` or, when values are recoded, a recoded value."""
        words = self.words(role, column)
        recode = self.mapping.values.get(role)
        expected = allowed or (sorted({new for new in recode.values() if new is not None}) if recode else None)
        if expected is None:
            return words
        known = pc.or_(pc.is_null(words), pc.is_in(words, value_set=pa.array(expected, type=words.type)))
        self._report("E222", column, ~_mask(known), lambda cell: _unlisted(cell, role, expected), words)
        return pc.if_else(known, words, pa.scalar(None, words.type))

    def numbers(self, role: str, column: str) -> Floats:
        """The column as floats, missing as NaN; a cell that is no number is an E207 and NaN."""
        typed = is_number(self.columns[column])
        if typed and role not in self.mapping.values:
            values = self._plain_numbers(role, column)
        else:
            values = self._parsed_numbers(role, column, "." if typed else self.mapping.decimal)
        infinite = np.isinf(values)
        self._report("E207", column, infinite, lambda cell: (f"{quoted(cell)} is infinite", CORRECT))
        return np.where(infinite, np.nan, values)

    def _plain_numbers(self, role: str, column: str) -> Floats:
        values = _as_floats(self.columns[column])
        codes = [float(code) for code in self._missing_codes(column)]
        coded = np.isin(values, codes) if codes else np.zeros(len(values), dtype=bool)
        if coded.any() or column in self.table.reasons:
            self._keep_missing(role, column, pa.array(coded), self.text[column])
        return np.where(coded, np.nan, values)

    def _parsed_numbers(self, role: str, column: str, decimal: str) -> Floats:
        words = self._words(role, column, {})
        right = _mask(pc.fill_null(pc.match_substring_regex(words, _number_pattern(decimal)), False))
        wrong = ~right & _mask(pc.is_valid(words))
        self._report("E207", column, wrong, lambda cell: _not_a_number(cell, decimal), words)
        return _floats(words, right, decimal)

    def ages(self, column: str) -> Floats:
        """Numbers from 0 to 120 years."""
        values = self.numbers("age", column)
        outside = (values < 0) | (values > OLDEST)
        limits = f"an age runs from 0 to {OLDEST} years"
        self._report("E217", column, outside, lambda cell: _outside(cell, limits))
        return np.where(outside, np.nan, values)

    def scores(self, role: str, column: str) -> Floats:
        """Numbers inside the range of their instrument: outside is an error, off its grid a warning."""
        values = self.numbers(role, column)
        instrument = self.mapping.instruments[role]
        outside = instrument.out_of_range(values)
        limits = f"{instrument.label} runs from {instrument.minimum:g} to {instrument.maximum:g}"
        self._report("E217", column, outside, lambda cell: _outside(cell, limits))
        off, rows = instrument.off_grid(values), self.table.rows_of(column)
        if off.any():
            what = f"{counted(int(off.sum()), 'score')} not a multiple of {instrument.grid:g} ({row_list(rows[off])})"
            self.findings.note("W201", what, at=place(None, column))
        return values

    def dates(self, role: str, column: str) -> Days:
        """The column as days (datetime64[D]), missing as NaT; text only in the declared format."""
        if is_date(self.columns[column]) and not self._recodes_dates(role):
            days, years = self._plain_days(role, column)
        else:
            days, years = self._parsed_days(role, column)
        future = ~np.isnat(days) & ((days > np.datetime64(latest_day(), "D")) | (years < EARLIEST_YEAR))
        self._report("E219", column, future, not_yet)
        days[future] = np.datetime64("NaT")
        if cut := self.mapping.data_cut:
            late = days > np.datetime64(cut, "D")
            self._report("E275", column, late, lambda cell: after_the_cut(cell, cut))
            days[late] = np.datetime64("NaT")
        return days

    def _recodes_dates(self, role: str) -> bool:
        return bool(
            role in self.mapping.values or any(re.match(date_pattern(ISO), c) for c in self.mapping.missing_codes)
        )

    def _plain_days(self, role: str, column: str) -> tuple[Days, npt.NDArray[np.int64]]:
        days = _dateless(self.columns[column], column, self.findings)
        self._keep_missing(role, column, pa.array(np.zeros(len(days), dtype=bool)), self.columns[column])
        return days, days.astype("datetime64[Y]").astype(np.int64) + 1970

    def _parsed_days(self, role: str, column: str) -> tuple[Days, npt.NDArray[np.int64]]:
        written = ISO if is_date(self.columns[column]) else self.mapping.date_format or ""
        words = self._words(role, column, {})
        parts = pc.extract_regex(words, date_pattern(written))
        wrong = _mask(pc.is_valid(words)) & ~_mask(pc.is_valid(parts))
        self._report("E218", column, wrong, lambda cell: not_a_date(cell, written), words)
        days, impossible, years = calendar(parts)
        self._report("E219", column, impossible, lambda cell: no_such_day(cell, written), words)
        return days, years

    def covariate(self, role: str, column: str) -> Any:
        """Floats when the column holds numbers, words when it holds none; a mixture is an error."""
        if is_number(self.columns[column]):
            return self.listed_words(role, column) if self._labelled(column) else self.numbers(role, column)
        words = self.words(role, column)
        numeric = pc.match_substring_regex(words, _number_pattern(self.mapping.decimal))
        return self.numbers(role, column) if pc.any(numeric).as_py() else self.listed_words(role, column)

    def _labelled(self, column: str) -> bool:
        """Whether the codes of a column have labels; some with and some without are an error."""
        labels = pa.array(list(self.table.labels.get(column, {})), TEXT)
        text = self.text[column]
        given = _mask(pc.not_equal(text, "")) & ~_mask(
            pc.is_in(text, value_set=pa.array(self._missing_codes(column), TEXT))
        )
        bare = given & ~_mask(pc.is_in(text, value_set=labels))
        if (bare == given).all():
            return False
        self._report("E222", column, bare, lambda cell: (f"{quoted(cell)} has no label, other codes have", LABEL))
        return True

    def _report(
        self,
        code: str,
        column: str,
        wrong: npt.NDArray[np.bool_],
        describe: Callable[[str], tuple[str, str]],
        words: Any = None,
    ) -> None:
        at = np.flatnonzero(wrong)
        if len(at):
            text = self.text[column] if words is None else words
            self.findings.errors_at(
                code, self.table.rows_of(column)[at], column, lambda i: describe(text[int(at[i])].as_py())
            )


def _mask(booleans: Any) -> npt.NDArray[np.bool_]:
    return np.asarray(booleans.to_numpy(zero_copy_only=False), dtype=bool)


def _trimmed(column: Any, name: str, findings: Findings) -> Any:
    column = pc.fill_null(column, "")
    trimmed = pc.utf8_trim_whitespace(column)
    number = pc.sum(pc.not_equal(trimmed, column)).as_py() or 0
    if number:
        findings.note("F205", f"blanks trimmed from {counted(number, 'cell')}", at=place(None, name))
    return trimmed


def _recoded(text: Any, recode: dict[str, str | None]) -> Any:
    if not recode:
        return text
    place_in = pc.index_in(text, value_set=pa.array(list(recode), type=text.type))
    new = pc.take(pa.array(list(recode.values()), type=text.type), place_in)
    return pc.if_else(pc.is_valid(place_in), new, text)


def _number_pattern(decimal: str) -> str:
    sign = re.escape(decimal)
    return rf"^[+-]?(?:[0-9]+(?:{sign}[0-9]*)?|{sign}[0-9]+)(?:[eE][+-]?[0-9]+)?$"


def _floats(words: Any, right: npt.NDArray[np.bool_], decimal: str) -> Floats:
    plain = pc.replace_substring(words, ",", ".") if decimal == "," else words
    plain = pc.if_else(pa.array(right), plain, pa.scalar(None, plain.type))
    return np.array(pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _as_floats(column: Any) -> Floats:
    return np.array(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _dateless(column: Any, name: str, findings: Findings) -> Days:
    """The days of dates or timestamps; times of day are left out and counted."""
    if pa.types.is_timestamp(column.type):
        column = wall_time(column)
        day = pc.floor_temporal(column, unit="day")
        timed = pc.sum(pc.not_equal(column, day)).as_py() or 0
        if timed:
            findings.note("F220", f"the time of day left out of {counted(timed, 'date')}", at=place(None, name))
        column = day
    return np.array(pc.cast(column, pa.date32()).to_numpy(zero_copy_only=False), dtype="datetime64[D]")


def _not_a_number(cell: str, decimal: str) -> tuple[str, str]:
    other = "," if decimal == "." else "."
    what = f'{quoted(cell)} is not a number with decimal "{decimal}"'
    if re.search(_number_pattern(other), cell):
        return what, f'set decimal: "{other}"'
    if cell.startswith("#"):
        return what, "correct the formula in the spreadsheet"
    if re.match(r"[<>≤≥]\s*[0-9]", cell):
        return what, f"a limit is not a value; decide on one under values ({inert(cell)}: ...)"
    if "%" in cell:
        return what, "export the number without %"
    if MISSING_WORDS.fullmatch(cell):
        return what, f"add {quoted(cell)} to missing_codes if it means missing"
    return what, CORRECT


def _outside(cell: str, limits: str) -> tuple[str, str]:
    if re.fullmatch(r"-?9+(?:[.,]0+)?", cell):
        return f"{quoted(cell)} is out of range; {limits}", f"add {quoted(cell)} to missing_codes if it means missing"
    return f"{quoted(cell)} is out of range; {limits}", "correct the cell"


def _unlisted(cell: str, role: str, expected: list[str]) -> tuple[str, str]:
    near = difflib.get_close_matches(cell, expected, n=1)
    hint = f" (nearest: {near[0]})" if near else ""
    return f"{quoted(cell)} is not one of {', '.join(expected)}{hint}", f"recode it under values.{role}"
