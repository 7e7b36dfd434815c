"""Reading a file into a `Cohort`: every check once, every problem at once."""

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

from easitrace.cohort.arms import with_arms
from easitrace.cohort.assemble import assemble
from easitrace.cohort.cohort import Cohort
from easitrace.cohort.flow import flow_frame, patient_steps
from easitrace.cohort.formats.options import Options
from easitrace.cohort.mapping import Mapping, build_mapping
from easitrace.cohort.preparation import prepared
from easitrace.cohort.profiles import PROFILES
from easitrace.cohort.study_files import (
    OpenFile,
    check_files_unchanged,
    missing_reasons,
    open_files,
    readings_of,
    study_files,
)
from easitrace.errors import ParameterError, Problem

OF_ANY_COHORT = ("data", "outcome", "covariates", "arm", "reference_arm", "strata")


def read_cohort(
    data: str | Path,
    *,
    visit_data: Sequence[str | Path] = (),
    patient_data: str | Path | None = None,
    event_data: str | Path | None = None,
    columns: MappingOf[str, str | Sequence[str]] | None = None,
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
    data_cut: str | None = None,
    outcome: str = "easi",
    instrument: MappingOf[str, Any] | None = None,
    covariates: Sequence[str] = (),
    several: str | None = None,
    unscheduled: Sequence[str] = (),
    age_group: str | None = None,
    only: MappingOf[str, Sequence[str]] | None = None,
    arm: str | None = None,
    reference_arm: str | None = None,
    strata: Sequence[str] = (),
) -> Cohort:
    """Read a file, long or wide, or a built-in cohort, into a checked `Cohort`.

    Parameters
    ----------
    data : str or Path
        Name of a built-in cohort, or path of a CSV, Excel, SPSS, SAS, Stata or Parquet file of this machine.
    visit_data, patient_data, event_data
        Further files that are joined by patient: with rows per visit, with one row per patient, with one row per
        adverse event. A sheet of a workbook is written `study.xlsx#Patients`.
    columns : mapping of role to column name
        Roles: `patient`; `visit` (label), `week` (planned), `date` or `day`; instruments by name; `age`, `sex`,
        `start_date`, `stop_date`, `stop_day`, `stop_reason`, `status`, `rescue_date` or `rescue_day` (first rescue
        medication); `event`, `event_date` or `event_day`, `event_serious`; any other name is a patient-level
        covariate. EASI is computed from `easi_<region>_<part>` (regions head, upper_limbs, trunk, lower_limbs;
        parts area, erythema, induration, excoriation, lichenification), SCORAD from `scorad_a`, `scorad_b`,
        `scorad_c`; totals that are mapped too are compared. A `*` in the name of an instrument, part, date or day
        stands for the visit label (wide layout). `patient`, the outcome and the covariates default to columns of
        that name. A column is looked for in every file that can have it; one that several have is written
        `file.csv:name`. The patient, visit, week, date and day may have a list of names, one for each file.
    values : mapping of role to {value in the file: value here}
        Recodes; None or "" makes a value missing.
    visits : mapping of visit label to planned week
        In time order, the baseline first. Labels that are bare numbers become `baseline` and `week 4` in the cohort
        when all of them are the planned weeks, else `visit 1` and `visit 2`, unless another visit is called so.
    windows : mapping of visit label to [first day, last day]
        Needed when rows carry a date or day but no visit.
    format : str, optional
        "csv", "excel", "spss", "sas", "stata" or "parquet"; left out, the file's ending says it. "redcap", "castor"
        and "adam" are exports of these systems, in a file of any kind; see `easitrace.cohort.profiles`.
    sheet, header_row
        The sheet of a workbook that has several; the row of the column names in Excel and text files.
    delimiter, encoding, decimal, date_format, missing_codes
        How text is to be read; nothing is guessed, a separator found in the header is logged. Numbers and dates
        that the file types as such are taken as they are. Missing codes are a list, or say why a value is
        missing, `{-96: not applicable}`.
    data_cut : str, optional
        The day on which the data were taken, yyyy-mm-dd: no date of the files may lie after it.
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
    only : mapping of column to values
        Read only the rows whose cell is one of these values, e.g. of an analysis set, {"ITTFL": ["Y"]}.
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
    given = locals()
    path = Path(data)
    needed = [*covariates, *strata, *([arm] if arm else [])]
    if _is_builtin(path):
        return with_arms(_builtin(str(data), _of_files(given), outcome, needed), arm, reference_arm, strata)
    profile = PROFILES.get(format or "")
    if profile:
        date_format, delimiter = date_format or profile.date_format, delimiter or profile.delimiter_of(path)
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
        data_cut=data_cut,
        events_apart=event_data is not None,
    )
    files = study_files(data, visit_data, patient_data, event_data)
    options = Options(delimiter, encoding, decimal, date_format, sheet, header_row)
    opened = open_files(files, None if profile else format, options)
    return with_arms(_assembled(*prepared(opened, mapping, profile, only or {})), arm, reference_arm, strata)


def _assembled(opened: Sequence[OpenFile], mapping: Mapping) -> Cohort:
    """The cohort of the prepared files, with what was found while they were read."""
    readings = readings_of(opened, mapping)
    cohort = assemble(readings)
    check_files_unchanged(opened)
    log, sources = tuple(opened[0].findings.log), tuple(file.source for file in opened)
    return replace(cohort, log=log, sources=sources, missing_reasons=missing_reasons(readings))


def _is_builtin(path: Path) -> bool:
    if path.suffix or path.parent != Path():
        return False
    from easitrace.cohort.builtin import BUILTIN

    return str(path) in BUILTIN


def _of_files(given: MappingOf[str, Any]) -> list[str]:
    """The arguments other than their defaults that say how files are read."""
    defaults = {name: parameter.default for name, parameter in signature(read_cohort).parameters.items()}
    return [name for name in given if name not in OF_ANY_COHORT and (given[name] or None) != (defaults[name] or None)]


def _builtin(name: str, own: Sequence[str], outcome: str, covariates: Sequence[str]) -> Cohort:
    from easitrace.cohort.builtin import load_builtin

    cohort = load_builtin(name)
    faults = [Problem("E106", key, f'the built-in cohort "{name}" has its own', f"leave {key} out") for key in own]
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
