"""Columns of text read as words, numbers and dates; every cell that is not one is an error naming its row."""

import datetime
import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.findings import Findings, counted, inert, place, quoted, row_list
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.text import Sheet
from easitrace.errors import ParameterError, Problem

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

EARLIEST_YEAR = 1900
OLDEST = 120
CORRECT = "correct the cell, or add it to missing_codes"
DATE_PARTS = {"dd": r"(?P<d>\d\d)", "d": r"(?P<d>\d\d?)", "mm": r"(?P<m>\d\d)", "m": r"(?P<m>\d\d?)",
              "yyyy": r"(?P<y>\d{4})"}  # fmt: skip
MISSING_WORDS = re.compile(r"(?i)n\.?/?[ad]\.?|nan|null|none|missing|unknown|onbekend|[-.?x]+")


@dataclass(frozen=True)
class Cells:
    """The mapped columns of one file."""

    text: dict[str, Any]
    rows: npt.NDArray[np.int64]
    mapping: Mapping
    findings: Findings

    @classmethod
    def of(cls, sheet: Sheet, names: list[str], mapping: Mapping, findings: Findings) -> "Cells":
        """Take the named columns of a sheet, with the blanks around every cell trimmed and counted."""
        text = {name: _trimmed(column, name, findings) for name, column in sheet.columns(names).items()}
        return cls(text, sheet.rows, mapping, findings)

    def words(self, role: str, column: str) -> Any:
        """The column as an Arrow string array: blank cells and missing codes are null, values recoded."""
        text = self.text[column]
        codes = pa.array(self.mapping.missing_codes, type=text.type)
        coded = pc.is_in(text, value_set=codes)
        number = pc.sum(coded).as_py() or 0
        if number:
            what = f"{counted(number, 'cell')} with a missing code ({', '.join(self.mapping.missing_codes)}) left empty"
            self.findings.note("F207", what, at=place(None, column))
        text = pc.if_else(pc.or_(coded, pc.equal(text, "")), pa.scalar(None, text.type), text)
        return _recoded(text, self.mapping.values.get(role, {}))

    def blank_rows(self, role: str, column: str) -> npt.NDArray[np.int64]:
        """The spreadsheet rows whose cell is blank or holds a missing code."""
        return self.rows[_mask(pc.is_null(self.words(role, column)))]

    def listed_words(self, role: str, column: str, allowed: list[str] | None = None) -> Any:
        """Words of which each must be one of `allowed` or, when values are recoded, a recoded value."""
        words = self.words(role, column)
        recode = self.mapping.values.get(role)
        expected = allowed or (sorted({new for new in recode.values() if new is not None}) if recode else None)
        if expected is None:
            return words
        known = pc.or_(pc.is_null(words), pc.is_in(words, value_set=pa.array(expected, type=words.type)))
        self._report("E222", column, words, ~_mask(known), lambda cell: _unlisted(cell, role, expected))
        return pc.if_else(known, words, pa.scalar(None, words.type))

    def numbers(self, role: str, column: str) -> Floats:
        """The column as floats, missing as NaN; a cell that is no number is an E207 and NaN."""
        words = self.words(role, column)
        right = _mask(pc.fill_null(pc.match_substring_regex(words, _number_pattern(self.mapping.decimal)), False))
        wrong = ~right & _mask(pc.is_valid(words))
        self._report("E207", column, words, wrong, lambda cell: _not_a_number(cell, self.mapping.decimal))
        values = _floats(words, right, self.mapping.decimal)
        self._report("E207", column, words, np.isinf(values), lambda cell: (f"{quoted(cell)} is infinite", CORRECT))
        return np.where(np.isinf(values), np.nan, values)

    def ages(self, column: str) -> Floats:
        """Numbers from 0 to 120 years."""
        values = self.numbers("age", column)
        outside = (values < 0) | (values > OLDEST)
        limits = f"an age runs from 0 to {OLDEST} years"
        self._report("E217", column, self.text[column], outside, lambda cell: _outside(cell, limits))
        return np.where(outside, np.nan, values)

    def scores(self, role: str, column: str) -> Floats:
        """Numbers inside the range of their instrument: outside is an error, off its grid a warning."""
        values = self.numbers(role, column)
        instrument = self.mapping.instruments[role]
        outside = instrument.out_of_range(values)
        limits = f"{instrument.label} runs from {instrument.minimum:g} to {instrument.maximum:g}"
        self._report("E217", column, self.text[column], outside, lambda cell: _outside(cell, limits))
        off = instrument.off_grid(values)
        if off.any():
            what = (
                f"{counted(int(off.sum()), 'score')} not a multiple of {instrument.grid:g} ({row_list(self.rows[off])})"
            )
            self.findings.note("W201", what, at=place(None, column))
        return values

    def dates(self, role: str, column: str) -> Days:
        """The column as days (datetime64[D]), missing as NaT; only in the declared format."""
        words = self.words(role, column)
        pattern = date_pattern(self.mapping.date_format or "")
        parts = pc.extract_regex(words, pattern)
        wrong = _mask(pc.is_valid(words)) & ~_mask(pc.is_valid(parts))
        self._report("E218", column, words, wrong, lambda cell: _not_a_date(cell, self.mapping.date_format or ""))
        days, impossible, years = _calendar(parts)
        self._report("E219", column, words, impossible, lambda cell: _no_such_day(cell, self.mapping.date_format or ""))
        today = np.datetime64(datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1), "D")
        future = (days > today) | (years < EARLIEST_YEAR)
        self._report("E219", column, words, future & ~impossible, _not_yet)
        days[future] = np.datetime64("NaT")
        return days

    def covariate(self, role: str, column: str) -> Any:
        """Floats when the column holds numbers, words when it holds none; a mixture is an error."""
        words = self.words(role, column)
        numeric = pc.match_substring_regex(words, _number_pattern(self.mapping.decimal))
        return self.numbers(role, column) if pc.any(numeric).as_py() else self.listed_words(role, column)

    def _report(
        self,
        code: str,
        column: str,
        text: Any,
        wrong: npt.NDArray[np.bool_],
        describe: Callable[[str], tuple[str, str]],
    ) -> None:
        at = np.flatnonzero(wrong)
        if len(at):
            self.findings.errors_at(code, self.rows[at], column, lambda i: describe(text[int(at[i])].as_py()))


def date_pattern(date_format: str) -> str:
    """The regular expression of a format written with d, dd, m, mm, yyyy.

    Raises
    ------
    ParameterError
        For a format that lacks day, month or year, has another letter, or a two-digit year.
    """
    parts = re.findall(r"[A-Za-z]+|[^A-Za-z]+", date_format)
    pattern = "".join(DATE_PARTS.get(part.lower(), re.escape(part)) for part in parts)
    if sorted(part.lower()[0] for part in parts if part.lower() in DATE_PARTS) != ["d", "m", "y"] or any(
        part.isalpha() and part.lower() not in DATE_PARTS for part in parts
    ):
        remedy = "write it with dd or d, mm or m, and yyyy, for example dd-mm-yyyy"
        raise ParameterError(Problem("E105", "date_format", f"{quoted(date_format)} is not a date format", remedy))
    return f"^{pattern}$"


def _mask(booleans: Any) -> npt.NDArray[np.bool_]:
    return np.asarray(booleans.to_numpy(zero_copy_only=False), dtype=bool)


def _trimmed(column: Any, name: str, findings: Findings) -> Any:
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


def _calendar(parts: Any) -> tuple[Days, npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    valid = _mask(pc.is_valid(parts))
    y, m, d = (
        np.asarray(pc.cast(pc.fill_null(pc.struct_field(parts, name), fill), pa.int64()))
        for name, fill in (("y", "2000"), ("m", "1"), ("d", "1"))
    )
    right_month = (m >= 1) & (m <= 12)
    month = ((y - 1970) * 12 + np.where(right_month, m, 1) - 1).astype("datetime64[M]")
    days = month.astype("datetime64[D]") + (d - 1)
    impossible = valid & (~right_month | (d < 1) | (days.astype("datetime64[M]") != month))
    days[impossible | ~valid] = np.datetime64("NaT")
    return days, impossible, y


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


def _not_a_date(cell: str, date_format: str) -> tuple[str, str]:
    what = f"{quoted(cell)} is not a date written {date_format}"
    if re.fullmatch(r"\d{5}", cell):
        return what, "this is a spreadsheet's day number: format the column as a date and export again"
    if re.fullmatch(r"\d\d?([-/.])\d\d?\1\d\d", cell):
        return what, "write the year with four digits"
    return what, "correct the cell or date_format"


def _no_such_day(cell: str, date_format: str) -> tuple[str, str]:
    numbers = re.findall(r"\d+", cell)
    order = [part[0] for part in re.findall(r"[a-z]+", date_format.lower())]
    parts = dict(zip(order, numbers, strict=False))
    if int(parts.get("m", 0)) > 12 >= int(parts.get("d", 99)):
        swapped = date_format.translate(str.maketrans("dDmM", "mMdD"))
        return f"{quoted(cell)} has no month {parts['m']} when read as {date_format}", f"is it {swapped}?"
    return f"{quoted(cell)} is a day that does not exist", "correct the cell"


def _not_yet(cell: str) -> tuple[str, str]:
    return (
        f"{quoted(cell)} lies in the future or before {EARLIEST_YEAR}",
        CORRECT,
    )


def _unlisted(cell: str, role: str, expected: list[str]) -> tuple[str, str]:
    near = difflib.get_close_matches(cell, expected, n=1)
    hint = f" (nearest: {near[0]})" if near else ""
    return f"{quoted(cell)} is not one of {', '.join(expected)}{hint}", f"recode it under values.{role}"
