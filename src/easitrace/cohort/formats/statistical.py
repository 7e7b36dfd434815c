"""SPSS, SAS and Stata files: values with their labels, and why a value is missing."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from easitrace.cohort.findings import Findings, place
from easitrace.cohort.formats.options import Options
from easitrace.cohort.formats.parquet import shortest
from easitrace.cohort.formats.table import TEXT, Table, as_text, check_header

SPSS_START, TRANSPORT_START = b"$FL", b"HEADER RECORD*******LIB"
TRANSPORT_MEMBER = b"HEADER RECORD*******MEM"
SAS_START = bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00"

Ranges = Sequence[Mapping[str, Any]]
Labels = Mapping[Any, str]


def parse_statistical(path: Path, findings: Findings, options: Options) -> Table:
    """The table of a .sav, .zsav, .sas7bdat, .xpt or .dta file, every case in its place.

    SPSS user-missing values, .A to .Z of SAS and .a to .z of Stata are missing with a reason: the label of the
    value, or the value itself. (SAS transport files: missing without a reason.)

    Raises
    ------
    DataError
        For a file without cases, and for a transport file with several datasets.
    """
    read, arguments = _reader(path, findings)
    if options.encoding != "utf-8":
        arguments["encoding"] = options.encoding
    values, about = read(path, output_format="dict", **arguments)
    check_header(about.column_names, findings, None)
    if not any(len(column) for column in values.values()):
        findings.error("E202", "the file holds no case", "export the data again")
    findings.stop_if_wrong()
    columns, reasons = {}, {}
    for name, column in values.items():
        columns[name], causes = _column(name, column, about, findings)
        if causes is not None:
            reasons[name] = causes
    labels = {name: _meanings(meanings, about, name) for name, meanings in about.variable_value_labels.items()}
    return Table.of(columns, labels={name: kept for name, kept in labels.items() if kept}, reasons=reasons)


def _reader(path: Path, findings: Findings) -> tuple[Any, dict[str, Any]]:
    """The function that reads the file, by its first bytes, and how it keeps missing values."""
    import pyreadstat

    with path.open("rb") as file:
        start = file.read(len(SAS_START))
    if start.startswith(SPSS_START):
        return pyreadstat.read_sav, {"user_missing": True}
    if start.startswith(SAS_START):
        return pyreadstat.read_sas7bdat, {"user_missing": True}
    if start.startswith(TRANSPORT_START):
        _check_members(path, findings)
        return pyreadstat.read_xport, {}
    return pyreadstat.read_dta, {"user_missing": True}


def _check_members(path: Path, findings: Findings) -> None:
    members = path.read_bytes().count(TRANSPORT_MEMBER)
    if members > 1:
        what = f"the transport file holds {members} datasets, of which only the first could be read"
        findings.error("E253", what, "write one dataset to a file")
        findings.stop_if_wrong()


def _column(name: str, values: list[Any], about: Any, findings: Findings) -> tuple[Any, Any]:
    """The column as an Arrow array, and why values are missing (None: for no stated reason)."""
    ranges: Ranges = about.missing_ranges.get(name, ())
    labels: Labels = about.variable_value_labels.get(name, {})
    if about.readstat_variable_types[name] == "string":
        causes = [labels.get(value, value) if _in_ranges(value, ranges) else None for value in values]
        return pa.array(_without(values, causes), TEXT), _reasons(causes)
    if about.missing_user_values.get(name):
        causes = [labels.get(value, f".{value}") if isinstance(value, str) else None for value in values]
        values = _without(values, causes)
    elif ranges and not any(isinstance(value, datetime.date) for value in values):
        causes = _causes(values, ranges, labels)
        values = _without(values, causes)
    else:
        causes = []
        if ranges:
            findings.note("W221", "user-missing values of a date are read as dates", at=place(None, name))
    return _typed(name, values, about.readstat_variable_types[name], findings), _reasons(causes)


def _typed(name: str, values: list[Any], kind: str, findings: Findings) -> Any:
    """Numbers or dates as an array; times of day, which have no type in a `Table`, as text."""
    given = {type(value) for value in values} - {type(None)}
    if given == {datetime.time}:
        return pa.array([value and value.isoformat() for value in values], TEXT)
    if given == {datetime.date}:
        return pa.array(values, pa.date32())
    if datetime.datetime in given:
        return pa.array(values, pa.timestamp("us"))
    if kind == "float":
        return shortest(pa.array(values, pa.float32()), name, findings)
    return pa.array(values, pa.float64() if float in given or not given else pa.int64())


def _causes(values: list[Any], ranges: Ranges, labels: Labels) -> list[str | None]:
    numbers = np.array(values, dtype=np.float64)
    coded = np.zeros(len(numbers), dtype=bool)
    for limits in ranges:
        coded |= (numbers >= limits["lo"]) & (numbers <= limits["hi"])
    causes: list[str | None] = [None] * len(values)
    for i in np.flatnonzero(coded):
        causes[i] = labels.get(values[i]) or _code(values[i])
    return causes


def _in_ranges(value: Any, ranges: Ranges) -> bool:
    return value is not None and any(limits["lo"] <= value <= limits["hi"] for limits in ranges)


def _without(values: list[Any], causes: list[str | None]) -> list[Any]:
    return [value if cause is None else None for value, cause in zip(values, causes, strict=True)]


def _reasons(causes: list[str | None]) -> Any:
    return pa.array(causes, TEXT) if any(causes) else None


def _meanings(labels: Labels, about: Any, name: str) -> dict[str, str]:
    """What the codes mean, those that mean missing left out."""
    ranges, tags = about.missing_ranges.get(name, ()), about.missing_user_values.get(name, ())
    return {_code(code): label for code, label in labels.items() if code not in tags and not _in_ranges(code, ranges)}


def _code(value: Any) -> str:
    return value if isinstance(value, str) else str(as_text(pa.array([float(value)]))[0])
