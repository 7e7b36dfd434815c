"""A synthetic cohort whose figures equal those of a published table, the same bytes from the same seed."""

import os
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from easitrace.cohort.builtin import FILES, cohort_from_files
from easitrace.cohort.cohort import Cohort
from easitrace.errors import DataError, MachineError, Problem
from easitrace.published import invent
from easitrace.published.course import Fates, assign_classes, bounds, draw_fates, draw_scores, last_seen
from easitrace.published.dictionary import dictionary
from easitrace.published.draws import Floats, Integers
from easitrace.published.figures import compare
from easitrace.published.possible import check_possible
from easitrace.published.search import search
from easitrace.published.summary import Summary, read_summary, summary_bytes
from easitrace.published.targets import Target, targets_of

STARTS = 300
SEARCHES = 8
ENOUGH = 4


def reconstruct(summary: Summary) -> Cohort:
    """A cohort that meets every figure of a published table, assumed ones included.

    Raises
    ------
    DataError
        E281 to E286 naming a figure that no cohort can meet, E287 one that the search did not meet.
    """
    return _cohort(summary, files_of(summary))


def write(summary_path: str | Path, folder: str | Path) -> pd.DataFrame:
    """Reconstruct a cohort and write its CSV files and the table it came from into a folder.

    `cohort.csv` holds visits and patients in one table, as `read_cohort` takes it.

    Returns
    -------
    DataFrame
        Every published figure beside the computed one, see `figures.compare`.

    Raises
    ------
    ParameterError, DataError
        See `read_summary` and `reconstruct`.
    MachineError
        E602 when the folder cannot be written.
    """
    summary = read_summary(summary_path)
    files = files_of(summary)
    extra = {"cohort.csv": _joined(files), "summary.yml": summary_bytes(summary_path)}
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in {**files, **extra}.items():
            _replace(folder / name, content)
    except OSError as error:
        what = error.strerror or str(error)
        raise MachineError(Problem("E602", str(folder), what, "give a folder that can be written")) from error
    return compare(summary, _cohort(summary, files))


def files_of(summary: Summary) -> dict[str, bytes]:
    """The CSV files of the reconstructed cohort, by name."""
    check_possible(summary)
    rng = np.random.default_rng(summary.seed)
    course = _course(summary, rng)
    grid = summary.measure().grid
    outcome = np.where(course.fates.seen, course.scores * grid, np.nan)
    days = invent.visit_days(summary, rng)
    stops = invent.stop_days(summary, course.fates, days, rng)
    scores = {summary.outcome: outcome, **invent.instruments(summary, outcome, rng)}
    names = [f"P{k + 1:0{len(str(summary.n))}d}" for k in range(summary.n)]
    last_day = np.where(np.isnan(stops), days[np.arange(summary.n), last_seen(course.fates.seen)], stops)
    events = invent.events(summary, course.fates, last_day.astype(np.int64), rng)
    events.insert(0, "patient", [names[k] for k in events.pop("k")])
    tables = {
        "visits.csv": _visit_table(summary, course.fates, days, scores, names),
        "patients.csv": _patient_table(course.fates, stops, invent.characteristics(summary, rng), names),
        "events.csv": events,
        "dictionary.csv": dictionary(summary),
    }
    files = {name: tables[name].to_csv(index=False, lineterminator="\n").encode() for name in FILES}
    _verify(summary, _cohort(summary, files))
    return files


def _cohort(summary: Summary, files: dict[str, bytes]) -> Cohort:
    return cohort_from_files(files, summary.study, summary.measure() if summary.instrument else None)


def _joined(files: dict[str, bytes]) -> bytes:
    """One row per patient and visit with the patient's own columns, every cell as written."""
    tables = [
        pd.read_csv(BytesIO(files[name]), dtype="str", keep_default_na=False) for name in ("visits.csv", "patients.csv")
    ]
    joined = tables[0].drop(columns="after_stop").merge(tables[1], on="patient", how="left", validate="many_to_one")
    return joined.to_csv(index=False, lineterminator="\n").encode()


@dataclass(frozen=True)
class _Course:
    """A start of the search: its fates, scores in grid steps and targets."""

    fates: Fates
    scores: Integers
    targets: list[Target]

    def distance(self) -> float:
        return sum(target.distance(self.scores) for target in self.targets)


def _course(summary: Summary, rng: np.random.Generator) -> _Course:
    """The course that meets every figure and strays least from its plausible start, of several searches."""
    starts = sorted(_starts(summary, rng), key=_Course.distance)[:SEARCHES]
    found: list[tuple[int, _Course]] = []
    unmet: dict[str, float] = {}
    for start in starts:
        if len(found) == ENOUGH:
            break
        scores = start.scores.copy()
        left = search(scores, start.fates.seen, bounds(summary), start.targets, rng)
        if left:
            unmet = left if not unmet or sum(left.values()) < sum(unmet.values()) else unmet
        else:
            strain = int(np.abs(scores - start.scores).sum())
            found.append((strain, _Course(start.fates, scores, start.targets)))
    if not found:
        hardest = max(unmet, key=lambda name: unmet[name])
        what = f"none of {len(starts)} searches meets it together with the other figures"
        raise DataError(Problem("E287", hardest, what, "check the figure (was it another test?), or try another seed"))
    return min(found, key=lambda pair: pair[0])[1]


def _starts(summary: Summary, rng: np.random.Generator) -> list[_Course]:
    """Plausible courses whose absences leave room for the class counts.

    Raises
    ------
    DataError
        E284 when none does.
    """
    starts: list[_Course] = []
    refused: list[DataError] = []
    for _ in range(STARTS):
        fates = draw_fates(summary, rng)
        scores = draw_scores(summary, fates, rng)
        try:
            classes = assign_classes(summary, fates, scores)
        except DataError as error:
            refused.append(error)
        else:
            starts.append(_Course(fates, scores, targets_of(summary, fates, classes)))
    if not starts:
        raise refused[0]
    return starts


def _visit_table(
    summary: Summary, fates: Fates, days: Integers, scores: dict[str, Floats], names: list[str]
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for patient, visit in np.argwhere(fates.seen).tolist():
        label, week = list(summary.visits)[visit], list(summary.visits.values())[visit].week
        row = {"patient": names[patient], "visit": label, "week": f"{week:g}", "day": str(days[patient, visit])}
        row["after_stop"] = "False"
        row |= {name: _printed(table[patient, visit], summary.measure(name).grid) for name, table in scores.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def _patient_table(fates: Fates, stops: Floats, characteristics: dict[str, Any], names: list[str]) -> pd.DataFrame:
    going = np.where(fates.waiting, "in follow-up", "completed")
    table = {
        "patient": names,
        "stop_day": [_printed(day, 1) for day in stops],
        "stop_reason": list(fates.reason),
        "status": np.where([bool(reason) for reason in fates.reason], "stopped", going),
    }
    written = {
        name: [value if isinstance(value, str) else f"{value:.10g}" for value in values]
        for name, values in characteristics.items()
    }
    return pd.DataFrame(table | written)


def _printed(value: float, grid: float) -> str:
    """A score with the digits of its grid; nothing when it is missing."""
    digits = len(f"{grid:.10g}".partition(".")[2])
    return "" if np.isnan(value) else f"{value + 0.0:.{digits}f}"


def _verify(summary: Summary, cohort: Cohort) -> None:
    """Every figure once more, by the functions a report uses."""
    table = compare(summary, cohort, assumed=True)
    wrong = table[~table["agrees"].fillna(False).astype(bool)]
    if len(wrong):
        raise DataError(
            Problem("E287", str(figure), f"published {text}, reconstructed {computed:g}")
            for figure, text, computed in zip(wrong["figure"], wrong["published"], wrong["computed"], strict=True)
        )


def _replace(path: Path, content: bytes) -> None:
    """Write beside the target and put it in place whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as staged:
        staged.write(content)
        staged.flush()
        os.fsync(staged.fileno())
    Path(staged.name).chmod(0o644)
    Path(staged.name).replace(path)
