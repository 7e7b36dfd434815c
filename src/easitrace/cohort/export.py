"""The checked cohort as tidy files with a data dictionary, for whoever analyses it elsewhere."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from easitrace.cohort.cohort import VISIT_COLUMNS, Cohort
from easitrace.cohort.inert import inert
from easitrace.errors import MachineError, Problem

Format = Literal["csv", "parquet"]
DICTIONARY = ["file", "column", "type", "unit", "minimum", "maximum", "missing", "meaning"]
TYPES = {"float64": "number", "bool": "true or false", "category": "text, in order", "str": "text"}
UNITS = {"week": "weeks", "day": "days", "stop_day": "days", "rescue_day": "days", "age": "years"}
MEANINGS = {
    "patient": "identifier of the patient",
    "visit": "planned visit",
    "week": "planned time since the start of treatment",
    "day": "actual time since the start of treatment",
    "after_stop": "whether it was recorded after treatment was stopped",
    "stop_day": "time from the start to the stop of treatment",
    "stop_reason": "why treatment was stopped",
    "status": "completed, stopped, or in follow-up (later visits not due yet)",
    "rescue_day": "time from the start of treatment to the first rescue medication",
    "age": "age at the start of treatment",
    "event": "adverse event",
    "serious": "whether the event was serious",
}


def tidy(cohort: Cohort) -> dict[str, pd.DataFrame]:
    """The cohort's tables by name: `visits`, `patients`, `events` (when there are any) and their `dictionary`.

    Returns
    -------
    dict of DataFrame
        One row per patient and visit, per patient, per event, and per column of these three. `stop_week`, which
        repeats `stop_day`, is left out.
    """
    tables = {"visits": cohort.visits, "patients": cohort.patients.drop(columns="stop_week")}
    if len(cohort.events):
        tables["events"] = cohort.events
    rows = [_described(cohort, name, table[column]) for name, table in tables.items() for column in table]
    return tables | {"dictionary": pd.DataFrame(rows, columns=DICTIONARY)}


def write_cohort(cohort: Cohort, folder: str | Path, format: Format = "csv") -> list[Path]:
    """Write the tables of `tidy` into a folder, one file each, and return their paths.

    In CSV files a text that a spreadsheet would take for a formula is preceded by an apostrophe.

    Raises
    ------
    MachineError
        E602 when the folder cannot be written.
    """
    writer = WRITERS[format]
    folder, paths = Path(folder), []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tidy(cohort).items():
            path = folder / f"{name}.{format}"
            draft = path.with_name(f".{path.name}.draft")
            draft.write_bytes(writer(table))
            draft.replace(path)
            paths.append(path)
    except OSError as error:
        what = error.strerror or str(error)
        raise MachineError(Problem("E602", str(folder), what, "give a folder that can be written")) from error
    return paths


def _described(cohort: Cohort, file: str, column: "pd.Series[Any]") -> tuple[Any, ...]:
    name = str(column.name)
    scored = file == "visits" and name not in VISIT_COLUMNS
    scale = cohort.instrument(name) if scored else None
    unit = "points" if scale else UNITS.get(name, "")
    limits = (scale.minimum, scale.maximum) if scale else (None, None)
    meaning = scale.label if scale else MEANINGS.get(name, name.replace("_", " "))
    kind = TYPES.get(str(column.dtype), str(column.dtype))
    return file, name, kind, unit, *limits, int(column.isna().sum()), meaning


def _csv(table: pd.DataFrame) -> bytes:
    harmless = inert(table)
    whole = {str(name): harmless[name].map(_number, na_action="ignore") for name in harmless.select_dtypes("float")}
    return harmless.assign(**whole).to_csv(index=False, lineterminator="\n").encode()


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else repr(value)


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = BytesIO()
    table.astype(dict.fromkeys(table.select_dtypes("category"), "str")).to_parquet(buffer, index=False)
    return buffer.getvalue()


WRITERS: dict[str, Callable[[pd.DataFrame], bytes]] = {"csv": _csv, "parquet": _parquet}
