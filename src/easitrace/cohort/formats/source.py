"""From a file to a `Table`: guarded, recognised, and read by the reader of its format."""

import hashlib
from pathlib import Path

from easitrace.cohort.cohort import Source
from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.child import parse_apart
from easitrace.cohort.formats.detect import detect
from easitrace.cohort.formats.guard import check_columns, check_place, check_size
from easitrace.cohort.formats.options import CSV, Options, check_options
from easitrace.cohort.formats.table import Table
from easitrace.cohort.text import read_sheet


def read_source(data: str | Path, declared: str | None, options: Options, findings: Findings) -> tuple[Table, Source]:
    """The table of a file in the declared format, or that of its ending, and the file with its hash.

    Raises
    ------
    ParameterError
        For a format or an option that is not known or does not apply.
    DataError
        For a file that cannot be read.
    """
    check_place(data, findings)
    path = Path(data)
    file_format = detect(path, declared, findings)
    check_options(options, file_format)
    check_size(path, file_format, findings)
    source = Source(path, _digest(path))
    if file_format == CSV:
        table = read_sheet(path, findings, options).table()
    else:
        table = parse_apart(path, file_format, findings, options)
    check_columns(len(table.header), findings)
    findings.letters = table.letters
    return table, source


def check_unchanged(source: Source, findings: Findings) -> None:
    """Hash the file again: it must not have changed while it was read.

    Raises
    ------
    DataError
        E225.
    """
    if not source.path.is_file() or _digest(source.path) != source.sha256:
        findings.error("E225", "the file changed while it was read", "read it again when nobody writes to it")
        findings.stop_if_wrong()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
