"""The files of a study: which there are, and the mapped cells of each."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pandas as pd

from easitrace.cohort.cells import Cells
from easitrace.cohort.cohort import Source
from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.detect import by_ending
from easitrace.cohort.formats.options import CSV, EXCEL, USED_BY, Options
from easitrace.cohort.formats.source import check_unchanged, read_source
from easitrace.cohort.formats.table import Table, is_text
from easitrace.cohort.join import Reading
from easitrace.cohort.layout import DATA, OF_EVENTS, OF_PATIENTS, OF_VISITS, Opened, find_layouts
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.places import beside
from easitrace.cohort.roles import DATE_ROLES
from easitrace.errors import ParameterError, Problem

SHEET = "#"


@dataclass(frozen=True)
class StudyFile:
    """A file and the parameter that names it; of a workbook the sheet, written `study.xlsx#Patients`."""

    kind: str
    path: str
    sheet: str | None = None

    @property
    def name(self) -> str:
        """What problems call it."""
        return Path(self.path).name + (f"{SHEET}{self.sheet}" if self.sheet else "")


def study_files(
    data: str | Path,
    visit_data: Sequence[str | Path],
    patient_data: str | Path | None,
    event_data: str | Path | None,
) -> list[StudyFile]:
    """All files of a study, `data` first.

    Raises
    ------
    ParameterError
        E106 for two files of one name, which no problem could tell apart.
    """
    further = [(OF_VISITS, path) for path in visit_data]
    further += [(kind, path) for kind, path in ((OF_PATIENTS, patient_data), (OF_EVENTS, event_data)) if path]
    files = [StudyFile(DATA, str(data)), *(_of(kind, str(path)) for kind, path in further)]
    names = [file.name for file in files]
    faults = [
        Problem("E106", file.kind, f"two files are called {file.name}", "give one of them another name")
        for at, file in enumerate(files)
        if file.name in names[:at]
    ]
    if faults:
        raise ParameterError(faults)
    return files


def _of(kind: str, path: str) -> StudyFile:
    file, _, sheet = path.rpartition(SHEET)
    return StudyFile(kind, file, sheet) if file and by_ending(Path(file)) == EXCEL else StudyFile(kind, path)


@dataclass(frozen=True)
class OpenFile:
    """A file that was read: its table, and what was found while reading."""

    kind: str
    table: Table
    source: Source
    findings: Findings


def open_files(files: Sequence[StudyFile], declared: str | None, options: Options) -> list[OpenFile]:
    """Read every file. `declared`, the sheet and the row of the header are those of `data`.

    Raises
    ------
    ParameterError, DataError
        From `read_source`.
    """
    findings = Findings(files[0].name)
    table, source = read_source(files[0].path, declared, options, findings)
    opened = [OpenFile(DATA, table, source, findings)]
    for file in files[1:]:
        own = beside(findings, file.name)
        table, source = read_source(file.path, None, _options(options, file), own)
        opened.append(OpenFile(file.kind, table, source, own))
    return opened


def _options(options: Options, file: StudyFile) -> Options:
    """What was said of `data`, as far as it applies to a further file."""
    file_format = by_ending(Path(file.path)) or CSV
    defaults = {option.name: option.default for option in fields(Options)}
    foreign = {name: defaults[name] for name, users in USED_BY.items() if file_format not in users}
    return replace(options, **foreign | {"header_row": defaults["header_row"], "sheet": file.sheet})


def readings_of(opened: Sequence[OpenFile], mapping: Mapping) -> list[Reading]:
    """The mapped cells of every file.

    Raises
    ------
    DataError
        From `find_layouts`.
    ParameterError
        E104 when dates are text whose format is not declared.
    """
    layouts = find_layouts(mapping, [Opened(file.kind, file.table.header, file.findings) for file in opened])
    readings = [
        Reading(file.kind, Cells.of(file.table, layout.names, mapping, file.findings), layout)
        for file, layout in zip(opened, layouts, strict=True)
    ]
    _check_date_format(readings, mapping)
    return readings


def _check_date_format(readings: Sequence[Reading], mapping: Mapping) -> None:
    written = {
        role
        for reading in readings
        for role, column in reading.layout.by_role
        if role in DATE_ROLES and is_text(reading.cells.columns[column])
    }
    if written and mapping.date_format is None:
        what = f"{' and '.join(sorted(written))} is text whose format is not declared"
        remedy = "set date_format, for example dd-mm-yyyy: 03/04/2024 has two readings"
        raise ParameterError(Problem("E104", "date_format", what, remedy))


def check_files_unchanged(opened: Sequence[OpenFile]) -> None:
    """No file may have changed while the files were read.

    Raises
    ------
    DataError
        E225.
    """
    for file in opened:
        check_unchanged(file.source, file.findings)


def missing_reasons(readings: Sequence[Reading]) -> pd.DataFrame:
    """Cells of all files that are missing for a stated reason: columns `role`, `reason`, `n`."""
    found = pd.concat([reading.cells.missing_reasons() for reading in readings])
    return found.groupby(["role", "reason"], sort=False)["n"].sum().reset_index()
