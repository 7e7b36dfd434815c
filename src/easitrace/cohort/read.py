"""Reading a file into a `Cohort`: every check once, every problem at once."""

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from easitrace.cohort.arms import with_arms
from easitrace.cohort.assemble import assemble
from easitrace.cohort.cells import Cells
from easitrace.cohort.cohort import Cohort
from easitrace.cohort.findings import Findings
from easitrace.cohort.flow import flow_frame, patient_steps
from easitrace.cohort.formats.options import Options
from easitrace.cohort.formats.source import check_unchanged, read_source
from easitrace.cohort.formats.table import is_text
from easitrace.cohort.join import Reading
from easitrace.cohort.layout import DATA, Layout, find_layout
from easitrace.cohort.mapping import build_mapping
from easitrace.cohort.roles import DATE_ROLES
from easitrace.errors import ParameterError, Problem


def read_cohort(
    data: str | Path,
    *,
    columns: MappingOf[str, str] | None = None,
    values: MappingOf[str, MappingOf[Any, Any]] | None = None,
    visits: MappingOf[Any, float] | None = None,
    windows: MappingOf[Any, Sequence[float]] | None = None,
    format: str | None = None,
    sheet: str | None = None,
    header_row: int = 1,
    delimiter: str | None = None,
    encoding: str = "utf-8",
    decimal: str = ".",
    date_format: str | None = None,
    missing_codes: Sequence[Any] | MappingOf[Any, str] = (),
    outcome: str = "easi",
    instrument: MappingOf[str, Any] | None = None,
    covariates: Sequence[str] = (),
    several: str | None = None,
    unscheduled: Sequence[str] = (),
    age_group: str | None = None,
    arm: str | None = None,
    reference_arm: str | None = None,
    strata: Sequence[str] = (),
) -> Cohort:
    """Read a file, long or wide, or a built-in cohort, into a checked `Cohort`.

    Parameters
    ----------
    data : str or Path
        Name of a built-in cohort, or path of a CSV, Excel, SPSS, SAS, Stata or Parquet file of this machine.
    columns : mapping of role to column name
        Roles: `patient`; `visit` (label), `week` (planned), `date` or `day`; instruments by name; `age`, `sex`,
        `start_date`, `stop_date`, `stop_day`, `stop_reason`, `status`, `rescue_date` or `rescue_day` (first rescue
        medication); `event`, `event_date` or `event_day`, `event_serious`; any other name is a patient-level
        covariate. EASI is computed from `easi_<region>_<part>` (regions head, upper_limbs, trunk, lower_limbs;
        parts area, erythema, induration, excoriation, lichenification), SCORAD from `scorad_a`, `scorad_b`,
        `scorad_c`; totals that are mapped too are compared. A `*` in the name of an instrument, part, date or day
        stands for the visit label (wide layout). `patient`, the outcome and the covariates default to columns of
        that name.
    values : mapping of role to {value in the file: value here}
        Recodes; None or "" makes a value missing.
    visits : mapping of visit label to planned week
        In time order, the baseline first.
    windows : mapping of visit label to [first day, last day]
        Needed when rows carry a date or day but no visit.
    format : str, optional
        "csv", "excel", "spss", "sas", "stata" or "parquet"; left out, the file's ending says it.
    sheet, header_row
        The sheet of a workbook that has several; the row of the column names in Excel and text files.
    delimiter, encoding, decimal, date_format, missing_codes
        How text is to be read; nothing is guessed, a separator found in the header is logged. Numbers and dates
        that the file types as such are taken as they are. Missing codes are a list, or say why a value is
        missing, `{-96: not applicable}`.
    outcome : str
        The instrument the report is about.
    instrument : mapping, optional
        Declares another instrument: name, label, minimum, maximum, grid, better.
    covariates : sequence of str
        Patient-level columns that must be there.
    several : str, optional
        What happens to several scored rows of one patient for one visit: "error", "nearest" (to the planned day,
        of two equally near the earlier), "last", "worst", "mean"; each instrument on its own. Left out, windows
        choose the nearest and labels give an error. A row that repeats another counts once.
    unscheduled : sequence of str
        Labels of visits outside the schedule: placed by windows when these and a day are there, else left out.
    age_group : str, optional
        "adult" (8 years and older) or "child" (below 8): which weights the regions of the EASI have, when it is
        computed from them and `age` is not mapped.
    arm, reference_arm, strata
        Patient-level column of the treatment group, the level that others are compared with, and the columns the
        randomisation was stratified by; see `easitrace.cohort.arms.with_arms`.

    Raises
    ------
    ParameterError
        For arguments that are missing or contradict each other.
    DataError
        With every problem of the file.
    """
    path = Path(data)
    needed = [*covariates, *strata, *([arm] if arm else [])]
    if _is_builtin(path):
        own = {"columns": columns, "values": values, "visits": visits, "windows": windows, "format": format,
               "sheet": sheet, "header_row": header_row != 1, "delimiter": delimiter,
               "date_format": date_format, "missing_codes": missing_codes, "instrument": instrument,
               "several": several, "unscheduled": unscheduled, "age_group": age_group,
               "encoding": encoding != "utf-8", "decimal": decimal != "."}  # fmt: skip
        return with_arms(_builtin(str(data), own, outcome, needed), arm, reference_arm, strata)
    mapping = build_mapping(
        columns=columns,
        values=values,
        visits=visits,
        windows=windows,
        decimal=decimal,
        date_format=date_format,
        missing_codes=missing_codes,
        outcome=outcome,
        instrument=instrument,
        covariates=needed,
        several=several,
        unscheduled=unscheduled,
        age_group=age_group,
    )
    findings = Findings(path.name)
    options = Options(delimiter, encoding, decimal, date_format, sheet, header_row)
    table, source = read_source(data, format, options, findings)
    layout = find_layout(mapping, table.header, findings)
    cells = Cells.of(table, layout.names, mapping, findings)
    _check_date_format(cells, layout)
    cohort = with_arms(assemble([Reading(DATA, cells, layout)]), arm, reference_arm, strata)
    check_unchanged(source, findings)
    findings.stop_if_wrong()
    reasons = cells.missing_reasons()
    return replace(cohort, log=tuple(findings.log), sources=(source,), missing_reasons=reasons)


def _check_date_format(cells: Cells, layout: Layout) -> None:
    by_role = [*layout.patient_columns.items(), *(pair for block in layout.blocks for pair in block.columns.items())]
    written = {role for role, column in by_role if role in DATE_ROLES and is_text(cells.columns[column])}
    if written and cells.mapping.date_format is None:
        what = f"{' and '.join(sorted(written))} is text whose format is not declared"
        remedy = "set date_format, for example dd-mm-yyyy: 03/04/2024 has two readings"
        raise ParameterError(Problem("E104", "date_format", what, remedy))


def _is_builtin(path: Path) -> bool:
    if path.suffix or path.parent != Path():
        return False
    from easitrace.cohort.builtin import BUILTIN

    return str(path) in BUILTIN


def _builtin(name: str, given: dict[str, Any], outcome: str, covariates: Sequence[str]) -> Cohort:
    from easitrace.cohort.builtin import load_builtin

    cohort = load_builtin(name)
    faults = [
        Problem("E106", key, f'the built-in cohort "{name}" has its own', f"leave {key} out")
        for key, value in given.items()
        if value
    ]
    faults += [
        Problem("E106", "covariates", f'"{name}" has no {covariate}', f"it has {', '.join(map(str, cohort.patients))}")
        for covariate in covariates
        if covariate not in cohort.patients
    ]
    if outcome not in cohort.visits:
        faults.append(Problem("E106", "outcome", f'"{name}" has no {outcome}', "choose another outcome"))
    if faults:
        raise ParameterError(faults)
    if outcome == cohort.outcome:
        return cohort
    rows = cohort.flow[cohort.flow["detail"] == ""].itertuples(index=False, name=None)
    seen = patient_steps(cohort.visits, cohort.patients, cohort.schedule, outcome)
    return replace(cohort, outcome=outcome, flow=flow_frame([*rows, *seen]))
