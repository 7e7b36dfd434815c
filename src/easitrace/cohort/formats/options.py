"""What the caller says about a file, and which formats each of it applies to."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from easitrace.errors import ParameterError, Problem

CSV, EXCEL, SPSS, SAS, STATA, PARQUET = "csv", "excel", "spss", "sas", "stata", "parquet"
NAMES = {
    CSV: "a text file",
    EXCEL: "an Excel workbook",
    SPSS: "an SPSS file",
    SAS: "a SAS file",
    STATA: "a Stata file",
    PARQUET: "a Parquet file",
}
USED_BY = {
    "delimiter": (CSV,),
    "sheet": (EXCEL,),
    "header_row": (CSV, EXCEL),
    "encoding": (CSV, SPSS, SAS, STATA),
}


@dataclass(frozen=True)
class Options:
    """How a file is to be read; `header_row` counts from 1."""

    delimiter: str | None = None
    encoding: str = "utf-8"
    decimal: str = "."
    date_format: str | None = None
    sheet: str | None = None
    header_row: int = 1


def check_options(options: Options, file_format: str) -> None:
    """Refuse what would be ignored.

    Raises
    ------
    ParameterError
        E105 for a header row below 1, E106 for every option that does not apply to the format.
    """
    faults = [*unused_options(options, file_format)]
    if options.header_row < 1:
        faults.append(Problem("E105", "header_row", f"{options.header_row} is no row", "count the rows from 1"))
    if faults:
        raise ParameterError(faults)


def unused_options(options: Options, file_format: str) -> Iterator[Problem]:
    """An E106 for every option that the format would ignore."""
    for option in fields(Options):
        users = USED_BY.get(option.name)
        if users and file_format not in users and getattr(options, option.name) != option.default:
            what = f"{NAMES[file_format]} has none"
            yield Problem("E106", option.name, what, f"remove it; it is for {' and '.join(NAMES[u] for u in users)}")
