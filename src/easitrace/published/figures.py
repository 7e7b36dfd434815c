"""Every published figure beside the one computed from a cohort."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import attendance
from easitrace.errors import EasitraceError
from easitrace.paired import QuartileMethod, quartiles, signed_rank
from easitrace.published.printed import Printed
from easitrace.published.summary import ClassEntry, Summary, TestEntry
from easitrace.response.classify import classify
from easitrace.response.criteria import met


def compare(summary: Summary, cohort: Cohort, *, assumed: bool = False) -> pd.DataFrame:
    """Set every published figure beside the one computed from a cohort.

    Parameters
    ----------
    summary : Summary
        The published table.
    cohort : Cohort
        Any cohort; visits are matched by planned week, and what it does not hold is missing in the result.
    assumed : bool
        Also list the figures on which the publication is silent and that were assumed.

    Returns
    -------
    DataFrame
        `figure` (str), `published` (str, as printed), `computed` (float, missing when the cohort lacks what is
        needed), `agrees` (boolean: printed to the published digits they are equal; missing likewise).
    """
    listed = [figure for figure in _figures(summary, _View(cohort, summary)) if assumed or not figure.printed.assumed]
    rows = [(figure.name, figure.printed.text, *_judged(figure)) for figure in listed]
    table = pd.DataFrame(rows, columns=["figure", "published", "computed", "agrees"])
    return table.astype({"figure": "str", "published": "str", "computed": "float64", "agrees": "boolean"})


def summarise(values: ArrayLike, statistic: str, method: QuartileMethod) -> float:
    """Median, a quartile by the named definition, mean or SD (n - 1) of the values that are not missing."""
    numbers = np.asarray(values, dtype=float)
    known = numbers[~np.isnan(numbers)]
    if len(known) < (2 if statistic == "sd" else 1):
        return math.nan
    if statistic == "mean":
        return float(np.mean(known))
    if statistic == "sd":
        return float(np.std(known, ddof=1))
    cuts = quartiles(known, method)
    return {"q1": cuts.lower, "median": cuts.median, "q3": cuts.upper}[statistic]


@dataclass(frozen=True)
class _Figure:
    name: str
    printed: Printed
    compute: Callable[[], float]


def _judged(figure: _Figure) -> tuple[float, object]:
    """The figure computed, and whether it agrees; both missing when the cohort cannot give it."""
    try:
        computed = float(figure.compute())
    except (EasitraceError, KeyError):
        computed = math.nan
    return computed, pd.NA if math.isnan(computed) else figure.printed.agrees(computed)


def _figures(summary: Summary, view: "_View") -> Iterator[_Figure]:
    yield _Figure("patients", summary.patients, view.patients)
    yield from _characteristics(summary, view)
    yield from _visits(summary, view)
    for test in summary.tests:
        label = summary.measure(test.instrument).label
        name = f"{label}, {test.visit} v {test.against}: P ({test.test})"
        yield _Figure(name, test.p, partial(view.p, test))
    yield from _flow(summary, view)
    if summary.classes:
        for label, count in summary.classes.counts.items():
            yield _Figure(f"class: {label}", count, partial(view.in_class, label))
    for response in summary.responses:
        name = f"{response.criterion} at {response.visit}"
        at = summary.visits[response.visit].week
        yield _Figure(f"{name}: n", response.count, partial(view.responders, response.criterion, at))
        if response.percent:
            yield _Figure(f"{name}: %", response.percent, partial(view.response_percent, response.criterion, at))


def _characteristics(summary: Summary, view: "_View") -> Iterator[_Figure]:
    for name, entry in summary.numbers.items():
        for statistic, figure in entry.given().items():
            yield _Figure(f"{entry.label}: {statistic}", figure, partial(view.characteristic, name, statistic))
    for name, category in summary.categories.items():
        for level, count in category.levels.items():
            yield _Figure(f"{category.label}: {level}, n", count, partial(view.level, name, level))
        for level, percent in category.percent.items():
            yield _Figure(f"{category.label}: {level}, %", percent, partial(view.level_percent, name, level))


def _visits(summary: Summary, view: "_View") -> Iterator[_Figure]:
    label = summary.measure().label
    for visit, entry in summary.visits.items():
        yield _Figure(f"{label}, {visit}: n", entry.n, partial(view.seen, entry.week))
        for statistic, figure in entry.given().items():
            yield _Figure(f"{label}, {visit}: {statistic}", figure, partial(view.statistic, entry.week, statistic))


def _flow(summary: Summary, view: "_View") -> Iterator[_Figure]:
    if stopped := summary.stopped:
        name, at = f"stopped before {stopped.before}", summary.visits[stopped.before].week
        yield _Figure(name, stopped.n, partial(view.absent, at, "stopped"))
        for reason, count in stopped.reasons.items():
            yield _Figure(f"{name}: {reason}", count, partial(view.absent, at, "stopped", reason))
    if waiting := summary.in_follow_up:
        at = summary.visits[waiting.before].week
        name = f"in follow-up, {waiting.before} not reached"
        yield _Figure(name, waiting.n, partial(view.absent, at, "in follow-up"))


class _View:
    """What the figures need of a cohort, each computed once."""

    def __init__(self, cohort: Cohort, summary: Summary) -> None:
        self.cohort = cohort
        self.summary = summary

    @cached_property
    def attendance(self) -> pd.DataFrame:
        return attendance(self.cohort)

    @cached_property
    def class_counts(self) -> "pd.Series[int]":
        rule = self.summary.classes
        assert isinstance(rule, ClassEntry)
        table = classify(self.cohort, rule.criterion, rule.loss_rule, rule.decision_week, rule.estimand)
        return table["class"].value_counts()

    def patients(self) -> float:
        return len(self.cohort.patients)

    def in_class(self, label: str) -> float:
        return float(self.class_counts[label])

    def scores(self, week: float, instrument: str | None = None) -> "pd.Series[float]":
        return self.cohort.wide(instrument or self.summary.outcome)[week]

    def seen(self, week: float) -> float:
        return int(self.scores(week).notna().sum())

    def statistic(self, week: float, statistic: str) -> float:
        return summarise(self.scores(week), statistic, self.summary.quartiles)

    def p(self, test: TestEntry) -> float:
        weeks = [self.summary.visits[visit].week for visit in (test.visit, test.against)]
        later, earlier = (self.scores(week, test.instrument) for week in weeks)
        return signed_rank((later - earlier).dropna()).p

    def characteristic(self, name: str, statistic: str) -> float:
        return summarise(self.cohort.patients[name], statistic, self.summary.quartiles)

    def level(self, name: str, level: str) -> float:
        return int((self.cohort.patients[name] == level).sum())

    def level_percent(self, name: str, level: str) -> float:
        return 100 * self.level(name, level) / int(self.cohort.patients[name].notna().sum())

    def absent(self, week: float, state: str, reason: str | None = None) -> float:
        weeks = self.attendance["week"]
        if week not in set(weeks):
            raise KeyError(week)
        rows = self.attendance[(weeks == week) & (self.attendance["state"] == state)]
        return int((rows["reason"] == reason).sum()) if reason else len(rows)

    def answers(self, criterion: str, week: float) -> "pd.Series[bool]":
        """Whether those whose response at a week is known met the criterion."""
        return met(self.cohort, criterion)[week].dropna().astype(bool)

    def responders(self, criterion: str, week: float) -> float:
        return int(self.answers(criterion, week).sum())

    def response_percent(self, criterion: str, week: float) -> float:
        return float(100 * self.answers(criterion, week).mean())
