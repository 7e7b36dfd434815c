"""Cohorts that ship with the package: synthetic, reconstructed from published summaries."""

import hashlib
from collections.abc import Mapping
from importlib import resources
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import VISIT_COLUMNS, Cohort, Source, Visit
from easitrace.cohort.flow import flow_frame, patient_steps
from easitrace.instruments import Instrument

BUILTIN = ("baricitinib",)
BANNER = "Synthetic cohort reconstructed from published summaries; not patient data."
FILES = ("visits.csv", "patients.csv", "events.csv", "dictionary.csv")
_VISIT_TYPES = {"patient": "str", "visit": "str", "after_stop": "bool"}
_PATIENT_TYPES = {"patient": "str", "stop_reason": "str", "status": "str"}
_EVENT_TYPES = {"patient": "str", "event": "str", "day": "float64", "serious": "bool"}


def load_builtin(name: str) -> Cohort:
    """A built-in cohort: `name` is one of `BUILTIN`.

    Raises
    ------
    KeyError
        When there is no cohort of that name.
    """
    if name not in BUILTIN:
        raise KeyError(name)
    folder = resources.files("easitrace.cohort").joinpath("data", name)
    return cohort_from_files({file: folder.joinpath(file).read_bytes() for file in FILES}, name)


def cohort_from_files(files: Mapping[str, bytes], name: str, declared: Instrument | None = None) -> Cohort:
    """The cohort in the bytes of `visits.csv`, `patients.csv`, `events.csv` and `dictionary.csv`.

    The outcome is the first score column of the visits, `declared` says what it is when no known instrument has
    its name; the schedule is that of the visits' rows.
    """
    visits = _table(files["visits.csv"], _VISIT_TYPES)
    patients = _table(files["patients.csv"], _PATIENT_TYPES)
    planned = visits[["visit", "week"]].drop_duplicates().sort_values("week")
    schedule = tuple(Visit(str(label), float(week)) for label, week in planned.itertuples(index=False))
    visits["visit"] = pd.Categorical(visits["visit"], [visit.label for visit in schedule], ordered=True)
    scores = [str(column) for column in visits if column not in VISIT_COLUMNS]
    visits = visits.astype(dict.fromkeys(["week", "day", *scores], "float64"))
    numbers = ["stop_day", *patients.select_dtypes("number").columns]
    patients = patients.astype(dict.fromkeys(numbers, "float64"))
    patients.insert(2, "stop_week", patients["stop_day"] / 7)
    steps = [
        ("visits read", len(visits), ""),
        ("visits used", len(visits), ""),
        ("patients read", len(patients), ""),
        ("patients analysed", len(patients), ""),
        *patient_steps(visits, patients, schedule, scores[0]),
    ]
    return Cohort(
        visits=visits,
        patients=patients,
        schedule=schedule,
        outcome=scores[0],
        events=_table(files["events.csv"], _EVENT_TYPES),
        flow=flow_frame(steps),
        sources=tuple(_source(name, file, files[file]) for file in FILES),
        synthetic=BANNER,
        dictionary=_table(files["dictionary.csv"], {}).fillna(""),
        declared=declared,
        identifiers=patients["patient"],
    )


def _table(raw: bytes, types: Mapping[str, str]) -> pd.DataFrame:
    options: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}
    table: pd.DataFrame = pd.read_csv(BytesIO(raw), dtype=dict(types), **options)
    return table


def _source(name: str, file: str, raw: bytes) -> Source:
    return Source(Path(PurePosixPath(name, file)), hashlib.sha256(raw).hexdigest())
