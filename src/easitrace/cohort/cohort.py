"""The cohort: what was read and checked once, and is not checked again anywhere else."""

import datetime
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from easitrace.errors import Problem
from easitrace.instruments import INSTRUMENTS, Instrument

VISIT_COLUMNS = ("patient", "visit", "week", "day", "after_stop")


@dataclass(frozen=True)
class Visit:
    """A planned visit: its label in the report and its planned time in weeks from the start of treatment."""

    label: str
    week: float


@dataclass(frozen=True)
class Source:
    """A file that was read: its path as given and the SHA-256 of its bytes."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Calendar:
    """When the patients that are analysed were observed; None where the files have no dates.

    Attributes
    ----------
    first_start, last_start : date or None
        The first and the last day 0: start of treatment, or first date where no start is mapped.
    last_visit : date or None
        Of all visits used.
    cut : date or None
        The data cut, as it was declared: no date of the files lies after it.
    """

    first_start: datetime.date | None = None
    last_start: datetime.date | None = None
    last_visit: datetime.date | None = None
    cut: datetime.date | None = None


@dataclass(frozen=True)
class Cohort:
    """Patients and their visits, sorted, one row per patient and visit, scores in range or missing.

    Attributes
    ----------
    visits : DataFrame
        One row per patient and visit, sorted by patient and week. Columns `patient` (str), `visit`
        (ordered categorical of the schedule's labels), `week` (float, planned), `day` (float, days since
        baseline, missing when unknown), `after_stop` (bool: recorded after the day the patient stopped),
        then one float column per instrument (`easi`, `poem`, ...), missing where not recorded.
    patients : DataFrame
        One row per patient, sorted. Columns `patient`, `stop_day` (float), `stop_week` (float),
        `stop_reason` ("inefficacy", "side effects", "inefficacy and side effects", "other" or missing), `status`
        ("completed", "stopped", "in follow-up"), then age, sex and whatever else was mapped.
    schedule : tuple of Visit
        The planned visits in time order; the first is the baseline.
    outcome : str
        The column of `visits` that the report is about.
    arms : tuple of str
        The levels of `patients["arm"]`, a categorical, the reference first; empty when the report has no arms.
    events : DataFrame
        Adverse events: `patient`, `event`, `day`, `serious`; empty when none were given.
    flow : DataFrame
        Columns `step`, `n`, `detail`: from rows read to patients analysed; adds up.
    log : tuple of Problem
        Every repair (F...) and warning (W...), counted.
    missing_reasons : DataFrame
        Cells of the file that are missing for a stated reason: `role`, `reason`, `n`.
    calendar : Calendar
        The days of recruitment, of the last visit and of the data cut.
    identifiers : Series of str
        Every patient that any of the files names, also those who are not in `patients`: what no shared report may hold.
    """

    visits: pd.DataFrame
    patients: pd.DataFrame
    schedule: tuple[Visit, ...]
    outcome: str
    events: pd.DataFrame
    flow: pd.DataFrame
    log: tuple[Problem, ...] = ()
    sources: tuple[Source, ...] = ()
    synthetic: str = ""
    dictionary: pd.DataFrame = field(default_factory=pd.DataFrame)
    declared: Instrument | None = None
    arms: tuple[str, ...] = ()
    missing_reasons: pd.DataFrame = field(default_factory=pd.DataFrame)
    calendar: Calendar = Calendar()
    identifiers: "pd.Series[str]" = field(default_factory=lambda: pd.Series(dtype="str"))

    @property
    def baseline(self) -> Visit:
        """The first planned visit."""
        return self.schedule[0]

    @property
    def measured(self) -> list[str]:
        """The instruments recorded at visits, the outcome first."""
        others = [name for name in self.visits.columns if name not in (*VISIT_COLUMNS, self.outcome)]
        return [self.outcome, *others]

    def instrument(self, name: str | None = None) -> Instrument:
        """What a recorded instrument is; the outcome when no name is given."""
        wanted = name or self.outcome
        return self.declared if self.declared and self.declared.name == wanted else INSTRUMENTS[wanted]

    def wide(self, instrument: str | None = None) -> pd.DataFrame:
        """Scores with one row per patient and one column per planned week, missing where not seen."""
        column = instrument or self.outcome
        weeks = [visit.week for visit in self.schedule]
        table = self.visits.pivot(index="patient", columns="week", values=column)
        return table.reindex(index=self.patients["patient"], columns=weeks)
