"""Tables on their way from the process that parses a file: an Arrow stream, with what was found in its metadata."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.table import Table, one_array
from easitrace.errors import Problem

NOTES = b"easitrace"
ROWS, COLUMN, REASON = "rows", "column", "reason"


def send(table: Table | None, names: Sequence[str], findings: Findings, stream: Any) -> None:
    """Write the named columns of a table; without a table only what was found.

    Names, labels and findings travel as JSON; the fields are called `rows`, `column0`, `reason0`, ...
    """
    arrays: dict[str, Any] = {}
    notes: dict[str, Any] = {}
    if table is not None:
        arrays[ROWS] = pa.array(table.rows)
        found = table.columns(names)
        arrays |= {f"{COLUMN}{i}": found[name] for i, name in enumerate(names)}
        arrays |= {f"{REASON}{i}": table.reasons[name] for i, name in enumerate(names) if name in table.reasons}
        labels = {name: dict(meaning) for name, meaning in table.labels.items()}
        notes = {"header": table.header, "names": list(names), "labels": labels, "letters": dict(table.letters)}
        notes["faults"] = {name: _listed(found) for name, found in table.faults.items()}
    notes |= {"errors": _listed(findings.errors), "log": _listed(findings.log)}
    whole = pa.table(arrays).replace_schema_metadata({NOTES: json.dumps(notes)})
    with pa.ipc.new_stream(stream, whole.schema) as writer:
        writer.write_table(whole)


def _listed(problems: Sequence[Problem]) -> list[list[str]]:
    return [[problem.code, problem.where, problem.what, problem.remedy] for problem in problems]


def _problems(listed: list[list[str]]) -> tuple[Problem, ...]:
    return tuple(Problem(*entry) for entry in listed)


def receive(stream: Any, findings: Findings) -> Table:
    """The table that `send` wrote; what was found goes to `findings`.

    Raises
    ------
    DataError
        When there were errors and no table.
    ArrowInvalid
        When the stream is not whole.
    """
    with pa.ipc.open_stream(stream) as reader:
        whole = reader.read_all()
    whole.validate(full=True)
    notes = json.loads(whole.schema.metadata[NOTES])
    findings.errors += _problems(notes["errors"])
    findings.log += [problem for problem in _problems(notes["log"]) if problem not in findings.log]
    if "header" not in notes:
        findings.stop_if_wrong()
    columns = {name: one_array(whole[f"{COLUMN}{i}"]) for i, name in enumerate(notes["names"])}
    fields = set(whole.column_names)
    reasons = {
        name: one_array(whole[f"{REASON}{i}"]) for i, name in enumerate(notes["names"]) if f"{REASON}{i}" in fields
    }
    rows = np.asarray(one_array(whole[ROWS]))
    faults = {name: _problems(listed) for name, listed in notes["faults"].items()}
    held = Table.of(columns, rows, labels=notes["labels"], reasons=reasons, letters=notes["letters"], faults=faults)
    return held.select(notes["header"])
