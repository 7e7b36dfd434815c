"""Every published figure beside the one computed from a cohort."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import attendance
from easitrace.errors import EasitraceError
from easitrace.paired import quartiles, signed_rank
from easitrace.published.printed import Printed
from easitrace.published.summary import ClassEntry, Summary, TestEntry
from easitrace.response.classify import classify
from easitrace.response.criteria import met

Floats = npt.NDArray[np.float64]
STATISTICS = ("median", "q1", "q3", "mean", "sd")


def compare(summary: Summary, cohort: Cohort, *, assumed: bool = False) -> pd.DataFrame:
    """Set every published figure beside the one computed from a cohort.

    Parameters
    ----------
    summary : Summary
        The published table.
    cohort : Cohort
        Any cohort; what it does not hold is missing in the result.
    assumed : bool
        Also list the figures on which the publication is silent and that were assumed.

    Returns
    -------
    DataFrame
        `figure` (str), `published` (str, as printed), `computed` (float, missing when the cohort lacks what is
        needed), `agrees` (boolean: printed to the published digits they are equal; missing likewise).
    """
    rows = [
        (figure.name, figure.printed.text, computed, figure.printed.agrees(computed) if computed == computed else pd.NA)
        for figure, computed in _computed(summary, cohort)
        if assumed or not figure.printed.assumed
    ]
    table = pd.DataFrame(rows, columns=["figure", "published", "computed", "agrees"])
    return table.astype({"figure": "str", "published": "str", "computed": "float64", "agrees": "boolean"})


def summarise(values: Floats, statistic: str, method: str) -> float:
    """Median, a quartile by the named definition, mean or SD (n - 1) of values that are not missing."""
    known = values[~np.isnan(values)]
    if len(known) < (2 if statistic == "sd" else 1):
        return float("nan")
    if statistic == "mean":
        return float(np.mean(known))
    if statistic == "sd":
        return float(np.std(known, ddof=1))
    cuts = quartiles(known, method)  # type: ignore[arg-type]
    return {"q1": cuts.lower, "median": cuts.median, "q3": cuts.upper}[statistic]


@dataclass(frozen=True)
class _Figure:
    name: str
    printed: Printed
    compute: Callable[[], float]


def _computed(summary: Summary, cohort: Cohort) -> Iterator[tuple[_Figure, float]]:
    for figure in _figures(summary, _View(cohort, summary)):
        try:
            yield figure, float(figure.compute())
        except (EasitraceError, KeyError):
            yield figure, float("nan")


def _figures(summary: Summary, view: "_View") -> Iterator[_Figure]:
    yield _Figure("patients", summary.patients, lambda: len(view.cohort.patients))
    yield from _characteristics(summary, view)
    yield from _visits(summary, view)
    for test in summary.tests:
        yield _Figure(_test_name(test, summary), test.p, lambda test=test: view.p(test))
    yield from _flow(summary, view)
    if summary.classes:
        for label, count in summary.classes.counts.items():
            yield _Figure(f"class: {label}", count, lambda label=label: int(view.classes.get(label, 0)))
    for response in summary.responses:
        name = f"{response.criterion} at {response.visit}"
        at = summary.visits[response.visit].week
        yield _Figure(f"{name}: n", response.count, lambda r=response, at=at: view.responders(r.criterion, at)[0])
        if response.percent:
            yield _Figure(
                f"{name}: %", response.percent, lambda r=response, at=at: _percent(*view.responders(r.criterion, at))
            )


def _characteristics(summary: Summary, view: "_View") -> Iterator[_Figure]:
    for name, entry in summary.numbers.items():
        for statistic, figure in entry.given().items():
            yield _Figure(
                f"{entry.label}: {statistic}",
                figure,
                lambda name=name, statistic=statistic: view.characteristic(name, statistic),
            )
    for name, category in summary.categories.items():
        for level, count in category.levels.items():
            yield _Figure(
                f"{category.label}: {level}, n", count, lambda name=name, level=level: view.level(name, level)
            )
        for level, percent in category.percent.items():
            yield _Figure(
                f"{category.label}: {level}, %",
                percent,
                lambda name=name, level=level: _percent(view.level(name, level), len(view.cohort.patients)),
            )


def _visits(summary: Summary, view: "_View") -> Iterator[_Figure]:
    label = summary.measure().label
    for visit, entry in summary.visits.items():
        yield _Figure(f"{label}, {visit}: n", entry.n, lambda at=entry.week: len(view.scores(at).dropna()))
        for statistic, figure in entry.given().items():
            yield _Figure(
                f"{label}, {visit}: {statistic}",
                figure,
                lambda at=entry.week, statistic=statistic: view.statistic(at, statistic),
            )


def _flow(summary: Summary, view: "_View") -> Iterator[_Figure]:
    if stopped := summary.stopped:
        at = summary.visits[stopped.before].week
        yield _Figure(f"stopped before {stopped.before}", stopped.n, lambda: view.absent(at, "stopped"))
        for reason, count in stopped.reasons.items():
            yield _Figure(
                f"stopped before {stopped.before}: {reason}",
                count,
                lambda reason=reason: view.absent(at, "stopped", reason),
            )
    if waiting := summary.in_follow_up:
        due = summary.visits[waiting.before].week
        yield _Figure(f"in follow-up before {waiting.before}", waiting.n, lambda: view.absent(due, "in follow-up"))


def _test_name(test: TestEntry, summary: Summary) -> str:
    label = summary.measure(test.instrument).label
    return f"{label}, {test.visit} v {test.against}: P ({test.test})"


def _percent(count: float, total: float) -> float:
    return 100 * count / total if total else float("nan")


class _View:
    """What the figures need of a cohort, each computed once."""

    def __init__(self, cohort: Cohort, summary: Summary) -> None:
        self.cohort = cohort
        self.summary = summary

    @cached_property
    def attendance(self) -> pd.DataFrame:
        return attendance(self.cohort)

    @cached_property
    def classes(self) -> "pd.Series[int]":
        rule: ClassEntry = self.summary.classes  # type: ignore[assignment]
        table = classify(self.cohort, rule.criterion, rule.loss_rule, rule.decision_week, rule.estimand)
        return table["class"].value_counts()

    def scores(self, week: float, instrument: str | None = None) -> "pd.Series[float]":
        return self.cohort.wide(instrument or self.summary.outcome)[week]

    def statistic(self, week: float, statistic: str) -> float:
        return summarise(self.scores(week).to_numpy(), statistic, self.summary.quartiles)

    def p(self, test: TestEntry) -> float:
        later, earlier = (
            self.scores(self.summary.visits[visit].week, test.instrument) for visit in (test.visit, test.against)
        )
        return signed_rank((later - earlier).dropna()).p

    def characteristic(self, name: str, statistic: str) -> float:
        return summarise(self.cohort.patients[name].to_numpy(dtype=float), statistic, self.summary.quartiles)

    def level(self, name: str, level: str) -> int:
        return int((self.cohort.patients[name] == level).sum())

    def absent(self, week: float, state: str, reason: str | None = None) -> int:
        rows = self.attendance[(self.attendance["week"] == week) & (self.attendance["state"] == state)]
        return int((rows["reason"] == reason).sum()) if reason else len(rows)

    def responders(self, criterion: str, week: float) -> tuple[int, int]:
        """Patients seen at a week who meet the criterion, and those who can be judged there."""
        answers = met(self.cohort, criterion)[week].dropna()
        return int(answers.sum()), len(answers)
