"""Parquet files: columns as they are typed, fetched when asked for; nested ones are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.findings import Findings, counted, place
from easitrace.cohort.formats.options import Options
from easitrace.cohort.formats.table import TEXT, Columns, Table, check_header, one_array

Settle = Callable[[Any], Any]


def parse_parquet(path: Path, findings: Findings, _: Options) -> Table:
    """The table of a Parquet file; no option applies to one.

    Raises
    ------
    DataError
        For a file without columns or records, and for column names that are blank or come twice.
    """
    from pyarrow import parquet as arrow_parquet

    file = arrow_parquet.ParquetFile(path)
    header = list(file.schema_arrow.names)
    check_header(header, findings, None)
    if not header or not file.metadata.num_rows:
        findings.error("E202", "the file holds no record", "export the data again")
    findings.stop_if_wrong()

    def fetch(names: list[str]) -> Columns:
        found = file.read(columns=names, use_pandas_metadata=False)
        return {name: settled(one_array(found[name]), name, findings) for name in names}

    return Table(header, np.arange(1, file.metadata.num_rows + 1), fetch)


def settled(column: Any, name: str, findings: Findings) -> Any:
    """An array as one of the types of a `Table`; a column of another type is recorded as an error."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    for applies, settle in SETTLED:
        if applies(column.type):
            return settle(column)
    if pa.types.is_float32(column.type):
        return shortest(column, name, findings)
    remedy = "write it as text, number, date or true/false"
    findings.error("E252", f"a column of type {column.type} holds no single values", remedy, at=place(None, name))
    return pa.nulls(len(column), TEXT)


def shortest(column: Any, name: str, findings: Findings) -> Any:
    """Single-precision numbers as the shortest decimal that stands for each: 12.3, not 12.30000019."""
    plain = pc.cast(pc.cast(column, TEXT), pa.float64())
    changed = pc.sum(pc.not_equal(plain, pc.cast(column, pa.float64()))).as_py() or 0
    if changed:
        what = f"{counted(changed, 'number')} of single precision read as the shortest decimal"
        findings.note("F222", what, at=place(None, name))
    return plain


def _to(kind: Any) -> Settle:
    return lambda column: pc.cast(column, kind)


def _same(column: Any) -> Any:
    return column


SETTLED: tuple[tuple[Callable[[Any], bool], Settle], ...] = (
    (pa.types.is_large_string, _same),
    (lambda kind: pa.types.is_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind), _to(TEXT)),
    (pa.types.is_int64, _same),
    (pa.types.is_uint64, _to(pa.float64())),
    (pa.types.is_integer, _to(pa.int64())),
    (pa.types.is_float64, _same),
    (lambda kind: pa.types.is_decimal(kind) or pa.types.is_float16(kind), _to(pa.float64())),
    (pa.types.is_boolean, _same),
    (pa.types.is_date, _to(pa.date32())),
    (pa.types.is_timestamp, _same),
)
