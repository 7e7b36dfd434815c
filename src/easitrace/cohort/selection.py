"""Only the rows an analyst asks for: an analysis set, a site, a parameter."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.findings import Findings, counted, inert, quoted
from easitrace.cohort.formats.table import TEXT, Table, as_text


def selected(table: Table, only: Mapping[str, Sequence[str]], findings: Findings) -> Table:
    """The rows whose cells are among the wanted ones, column by column; those left out are counted.

    A value that no row has is an error, and so is a cell of these columns that has no value to read.
    """
    for column, wanted in only.items():
        findings.errors += table.faults.get(column, ())
        labels = table.labels.get(column, {})
        cells = pc.utf8_trim_whitespace(as_text(table.columns([column])[column]))
        codes = [*wanted, *(code for code, label in labels.items() if label in wanted)]
        absent = [value for value in wanted if not _present(value, cells, labels)]
        if absent:
            listed = ", ".join(quoted(value) for value in absent)
            findings.error("E265", f"no row has {listed} in column {inert(column)}", "correct only")
            continue
        keep = pc.is_in(cells, value_set=pa.array(codes, type=TEXT)).to_numpy(zero_copy_only=False)
        out = int((~keep).sum())
        listed = " or ".join(quoted(value) for value in wanted)
        findings.note("W235", f"{counted(out, 'row')} left out, only {listed} in column {inert(column)} being read")
        table = table.filter(keep)
    return table


def _present(value: str, cells: object, labels: Mapping[str, str]) -> bool:
    known = [value, *(code for code, label in labels.items() if label == value)]
    return bool(pc.any(pc.is_in(cells, value_set=pa.array(known, type=TEXT))).as_py())
