"""Columns on which the publication is silent: plausible, tied to the outcome, marked as invented."""

import math
from typing import Any

import numpy as np
import pandas as pd

from easitrace.errors import DataError, Problem
from easitrace.instruments import INSTRUMENTS
from easitrace.paired import signed_rank
from easitrace.published.course import Fates, in_steps, last_seen, skewed
from easitrace.published.draws import Floats, Integers, normal, shuffled
from easitrace.published.search import search
from easitrace.published.summary import NumberEntry, RelatedEntry, Summary
from easitrace.published.targets import p_distance, statistics_of

DRAWS = 300
WARNING_DAYS = 10
SIDE_EFFECTS = "side effects"


def visit_days(summary: Summary, rng: np.random.Generator) -> Integers:
    """Days since the start, shape (n_patients, n_visits): 0, then around the planned days and in order.

    Raises
    ------
    DataError
        E288 when the jitter would let visits change places.
    """
    planned = in_steps(np.array([visit.week for visit in summary.visits.values()]), 1 / 7)
    jitter = summary.invented.day_jitter
    if len(planned) > 1 and 2 * jitter >= int(np.diff(planned).min()):
        what = f"{jitter} days around visits {int(np.diff(planned).min())} days apart"
        raise DataError(Problem("E288", "invented.day_jitter", what, "take less than half the gap"))
    spread = rng.integers(-jitter, jitter + 1, size=(2, summary.n, len(planned))).sum(axis=0) // 2
    days: Integers = planned + spread
    days[:, 0] = planned[0]
    return days


def stop_days(summary: Summary, fates: Fates, days: Integers, rng: np.random.Generator) -> Floats:
    """The day each patient stopped: after the last visit seen, before the next could be; missing without a stop."""
    earliest = [math.ceil(7 * visit.week) - summary.invented.day_jitter for visit in summary.visits.values()]
    found = np.full(summary.n, np.nan)
    for patient, last in enumerate(last_seen(fates.seen).tolist()):
        if fates.reason[patient]:
            from_day = int(days[patient, last]) + 1
            to_day = earliest[last + 1] - 1 if last + 1 < len(earliest) else from_day + WARNING_DAYS
            found[patient] = from_day + int(rng.integers(max(to_day - from_day, 0) + 1))
    return found


def instruments(summary: Summary, outcome: Floats, rng: np.random.Generator) -> dict[str, Floats]:
    """Invented scores by instrument, shape (n_patients, n_visits), missing where the outcome is.

    Raises
    ------
    DataError
        E287 naming a P value that `DRAWS` draws did not meet.
    """
    scores: dict[str, Floats] = {}
    for name, entry in summary.invented.related.items():
        scores[name] = _related(summary, name, entry, outcome, rng)
    for name, banded in summary.invented.banded.items():
        grades = sum(np.where(outcome > cut, 1.0, 0.0) for cut in banded.cuts)
        scores[name] = np.where(np.isnan(outcome), np.nan, grades)
    return scores


def _related(summary: Summary, name: str, entry: RelatedEntry, outcome: Floats, rng: np.random.Generator) -> Floats:
    instrument, (n, visits) = INSTRUMENTS[name], outcome.shape
    unmet = ""
    for _ in range(DRAWS):
        expected = entry.intercept + entry.slope * np.sqrt(outcome - summary.measure().minimum)
        drawn = expected + entry.patient_sd * normal(rng, n)[:, None] + entry.visit_sd * normal(rng, n, visits)
        on_grid = np.rint(drawn / instrument.grid) * instrument.grid
        scores = np.clip(on_grid, instrument.minimum, instrument.maximum)
        scores[rng.random(outcome.shape) < entry.missing] = np.nan
        unmet = _unmet(summary, name, scores)
        if not unmet:
            return scores
    raise DataError(Problem("E287", unmet, f"none of {DRAWS} draws of {name} meets it", "change invented.related"))


def _unmet(summary: Summary, name: str, scores: Floats) -> str:
    """The first P value of an instrument that the scores do not meet."""
    labels = list(summary.visits)
    for test in summary.tests:
        if test.instrument == name and name != summary.outcome:
            change = scores[:, labels.index(test.visit)] - scores[:, labels.index(test.against)]
            if p_distance(test.p, signed_rank(change[~np.isnan(change)]).p) > 0:
                return f"{name}: P {test.p.text} ({test.visit} v {test.against})"
    return ""


def characteristics(summary: Summary, rng: np.random.Generator) -> dict[str, Any]:
    """Patient-level columns: numbers that meet their printed figures, levels in their printed counts.

    Raises
    ------
    DataError
        E287 naming the figure that the search could not meet.
    """
    columns: dict[str, Any] = {name: _numbers(summary, entry, rng) for name, entry in summary.numbers.items()}
    for name, category in summary.categories.items():
        levels = [level for level, count in category.levels.items() for _ in range(int(count.value))]
        columns[name] = [levels[k] for k in shuffled(rng, summary.n)]
    return columns


def _numbers(summary: Summary, entry: NumberEntry, rng: np.random.Generator) -> Floats:
    n = summary.n
    low, high = in_steps(np.array([entry.minimum, entry.maximum]), entry.grid)
    steps = in_steps(skewed(entry, entry.spread, n, entry.minimum), entry.grid)
    steps = np.clip(steps, low, high)[shuffled(rng, n)][:, None]
    targets = list(statistics_of(entry, entry.label, np.arange(n), entry.grid, method=summary.quartiles))
    left = search(steps, np.ones((n, 1), dtype=bool), (np.array([low]), np.array([high])), targets, rng)
    if left:
        raise DataError(Problem("E287", max(left, key=lambda name: left[name]), "the search did not meet it"))
    return np.asarray(steps[:, 0] * entry.grid)


def events(summary: Summary, fates: Fates, last_day: Integers, rng: np.random.Generator) -> pd.DataFrame:
    """Adverse events while on treatment; whoever stopped for side effects has one that explains it.

    Parameters
    ----------
    last_day : int array, shape (n_patients,)
        Day of stopping, or of the last visit.
    """
    entries = summary.invented.events
    stopping = [name for name, entry in entries.items() if entry.stops]
    rows: list[tuple[int, str, int, bool]] = []
    for patient, reason in enumerate(fates.reason):
        if SIDE_EFFECTS in reason and stopping:
            day = max(1, int(last_day[patient]) - int(rng.integers(1, WARNING_DAYS)))
            rows.append((patient, stopping[int(rng.integers(len(stopping)))], day, False))
    for name, entry in entries.items():
        affected = [patient for patient, event, _, _ in rows if event == name]
        others = [k for k in shuffled(rng, summary.n).tolist() if k not in affected]
        for patient in others[: max(0, round(entry.share * summary.n) - len(affected))]:
            day = 1 + int(rng.integers(max(int(last_day[patient]), 1)))
            rows.append((patient, name, day, bool(rng.random() < entry.serious)))
    rows.sort(key=lambda row: (row[0], row[2], row[1]))
    return pd.DataFrame(rows, columns=["k", "event", "day", "serious"])
