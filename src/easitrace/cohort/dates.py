"""Dates as a declared format writes them, and what to say of text that is none."""

import datetime
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.findings import quoted
from easitrace.errors import ParameterError, Problem

Days = npt.NDArray[np.datetime64]

EARLIEST_YEAR = 1900
ISO = "yyyy-mm-dd"
DATE_PARTS = {"dd": r"(?P<d>\d\d)", "d": r"(?P<d>\d\d?)", "mm": r"(?P<m>\d\d)", "m": r"(?P<m>\d\d?)",
              "yyyy": r"(?P<y>\d{4})"}  # fmt: skip


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


def written_date(day: datetime.date, date_format: str) -> str:
    """A day as the format writes it."""
    parts = {"dd": f"{day.day:02}", "d": str(day.day), "mm": f"{day.month:02}", "m": str(day.month)}
    parts["yyyy"] = f"{day.year:04}"
    return re.sub("[A-Za-z]+", lambda match: parts[match[0].lower()], date_format)


def calendar(parts: Any) -> tuple[Days, npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Days of the matches of a `date_pattern`, which of them do not exist, and their years."""
    valid = np.asarray(pc.is_valid(parts).to_numpy(zero_copy_only=False), dtype=bool)
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


def not_a_date(cell: str, date_format: str) -> tuple[str, str]:
    """What is wrong with text that does not fit the format, and the remedy."""
    what = f"{quoted(cell)} is not a date written {date_format}"
    if re.fullmatch(r"\d{5}", cell):
        return what, "this is a spreadsheet's day number: format the column as a date and export again"
    if re.fullmatch(r"\d\d?([-/.])\d\d?\1\d\d", cell):
        return what, "write the year with four digits"
    return what, "correct the cell or date_format"


def no_such_day(cell: str, date_format: str) -> tuple[str, str]:
    """What is wrong with a day that no calendar has, and the remedy."""
    numbers = re.findall(r"\d+", cell)
    order = [part[0] for part in re.findall(r"[a-z]+", date_format.lower())]
    parts = dict(zip(order, numbers, strict=False))
    if int(parts.get("m", 0)) > 12 >= int(parts.get("d", 99)):
        swapped = date_format.translate(str.maketrans("dDmM", "mMdD"))
        return f"{quoted(cell)} has no month {parts['m']} when read as {date_format}", f"is it {swapped}?"
    return f"{quoted(cell)} is a day that does not exist", "correct the cell"


def declared_day(text: str) -> datetime.date:
    """The day of a parameter, written yyyy-mm-dd.

    Raises
    ------
    ValueError
        With what is wrong and the remedy, when it is no such day or lies in the future.
    """
    try:
        day = datetime.date.fromisoformat(text if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else "")
    except ValueError:
        raise ValueError(f"{quoted(text)} is no day", f"write it {ISO}") from None
    if day > latest_day():
        raise ValueError(f"{quoted(text)} lies in the future", "write the day on which the data were taken")
    return day


def latest_day() -> datetime.date:
    """The last day that has begun anywhere on earth."""
    return datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)


def not_yet(cell: str) -> tuple[str, str]:
    """What is wrong with a day that nobody can have recorded, and the remedy."""
    return (
        f"{quoted(cell)} lies in the future or before {EARLIEST_YEAR}",
        "correct the cell, or add it to missing_codes",
    )


def after_the_cut(cell: str, cut: datetime.date) -> tuple[str, str]:
    """What is wrong with a day that data taken earlier cannot hold, and the remedy."""
    return f"{quoted(cell)} lies after the data cut, {cut}", "correct the cell or data_cut"
