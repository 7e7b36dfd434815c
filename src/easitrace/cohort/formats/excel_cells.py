"""Columns of a spreadsheet as Arrow arrays: typed when all their cells are of one kind, else text."""

import datetime
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from easitrace.cohort.dates import ISO, written_date
from easitrace.cohort.formats.options import Options
from easitrace.cohort.formats.table import TEXT, as_text

MIDNIGHT = datetime.time()
LARGEST_WHOLE = 2**63

Writer = Callable[[Any, Options], str]


def typed(values: Sequence[Any], options: Options) -> Any:
    """The values of a column, None where a cell is empty, as an Arrow array.

    Numbers that stand among text are written with the declared decimal sign, dates in the declared format
    (2024-04-03 when none is declared).
    """
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int} and all(value is None or abs(value) < LARGEST_WHOLE for value in values):
        return pa.array(values, pa.int64())
    if kinds and kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kinds and kinds <= {datetime.datetime, datetime.date}:
        return _dates(values)
    return pa.array(["" if value is None else _written(value, options) for value in values], TEXT)


def _dates(values: Sequence[Any]) -> Any:
    moments = [value and datetime.datetime(*value.timetuple()[:6]) for value in values]
    array = pa.array(moments, pa.timestamp("us"))
    return array if any(moment and moment.time() != MIDNIGHT for moment in moments) else array.cast(pa.date32())


def _written(value: Any, options: Options) -> str:
    return next(write for kind, write in WRITERS if isinstance(value, kind))(value, options)


def _number(value: float, options: Options) -> str:
    return str(as_text(pa.array([float(value)]))[0]).replace(".", options.decimal)


def _date(value: datetime.date, options: Options) -> str:
    time = value.time() if isinstance(value, datetime.datetime) else MIDNIGHT
    day = written_date(value, options.date_format or ISO)
    return day if time == MIDNIGHT else f"{day} {time.isoformat()}"


WRITERS: tuple[tuple[type, Writer], ...] = (
    (str, lambda value, _: value),
    (bool, lambda value, _: str(value).lower()),
    (int, _number),
    (float, _number),
    (datetime.date, _date),
    (object, lambda value, _: str(value)),
)
