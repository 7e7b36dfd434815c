"""Figures that no cohort can have: found before any search, each named.

Whole-number arithmetic on the grid of the score: GRIM for means (Brown & Heathers 2017, Soc Psychol Personal
Sci 8:363) and GRIMMER for SDs (Anaya 2016, PeerJ Preprints 4:e2400v1).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from easitrace.errors import DataError, Problem
from easitrace.paired import LARGEST_EXACT, QuartileMethod
from easitrace.published.printed import DUST, Printed
from easitrace.published.summary import Statistics, Summary

PROBABILITIES = {"q1": 0.25, "median": 0.5, "q3": 0.75}


def check_possible(summary: Summary) -> None:
    """Refuse a table that holds an impossible figure.

    Raises
    ------
    DataError
        E281 a median or quartile out of order, range or grid; E282 a mean or SD that no scores have; E283 a P value
        below the smallest of its pairs; E284 more responders than patients; E285 a percentage that is not that of its
        count; E286 counts that do not add up.
    """
    problems = [*_flow(summary), *_categories(summary), *_responses(summary)]
    if not problems:
        problems = [*_distributions(summary), *_tests(summary)]
    if problems:
        raise DataError(problems)


def quantile_position(statistic: str, n: int, method: QuartileMethod) -> tuple[int, float]:
    """Index k and share s of a quantile of n ascending values: (1 - s) * value[k] + s * value[k + 1]."""
    position = float(np.quantile(np.arange(n), PROBABILITIES[statistic], method=method))
    return int(position), position - int(position)


def _flow(summary: Summary) -> Iterator[Problem]:
    if stopped := summary.stopped:
        total = sum(int(count.value) for count in stopped.reasons.values())
        if total != stopped.n.value:
            what = f"{stopped.n.text} patients, but the reasons add up to {total}"
            yield Problem("E286", f"stopped before {stopped.before}", what, "correct a count")
    weeks = {label: entry.week for label, entry in summary.visits.items()}
    gone = [entry for entry in (summary.stopped, summary.in_follow_up) if entry]
    for label, entry in summary.visits.items():
        away = sum(int(one.n.value) for one in gone if weeks[one.before] <= entry.week)
        if entry.n.value + away > summary.n:
            name = f"{summary.measure().label}, {label}: n"
            what = f"{entry.n.text} seen and {away} stopped or in follow-up are more than {summary.n} patients"
            yield Problem("E286", name, what, "correct a count")


def _categories(summary: Summary) -> Iterator[Problem]:
    for entry in summary.categories.values():
        total = sum(int(count.value) for count in entry.levels.values())
        if total != summary.n:
            what = f"the levels add up to {total}, not to {summary.n} patients"
            yield Problem("E286", entry.label, what, "give every level, or correct a count")
        for level, percent in entry.percent.items():
            if level not in entry.levels:
                yield Problem("E285", f"{entry.label}: {level}, %", "the level has no count", "give its count")
            else:
                yield from _percentage(f"{entry.label}: {level}, %", percent, entry.levels[level], summary.patients)


def _responses(summary: Summary) -> Iterator[Problem]:
    for response in summary.responses:
        name = f"{response.criterion} at {response.visit}"
        seen = summary.visits[response.visit].n
        if response.count.value > seen.value:
            what = f"{response.count.text} of {seen.text} patients"
            yield Problem("E284", f"{name}: n", what, "correct the count or n at the visit")
        elif response.percent:
            yield from _percentage(f"{name}: %", response.percent, response.count, seen)


def _percentage(name: str, percent: Printed, count: Printed, total: Printed) -> Iterator[Problem]:
    share = 100 * count.value / total.value
    if not percent.agrees(share):
        what = f"{percent.text} is printed, {count.text}/{total.text} is {share:.4g} %"
        yield Problem("E285", name, what, "correct the count or the percentage")


def _tests(summary: Summary) -> Iterator[Problem]:
    for test in summary.tests:
        pairs = int(min(summary.visits[test.visit].n.value, summary.visits[test.against].n.value))
        label = summary.measure(test.instrument).label
        smallest = 2.0 ** (1 - pairs) if pairs <= LARGEST_EXACT else 0.0
        if not (test.p.lower <= 1 and test.p.upper >= smallest):
            what = f"{test.p.text} is out of reach: with {pairs} pairs the smallest P is {smallest:.2g}, the largest 1"
            name = f"{label}, {test.visit} v {test.against}: P ({test.test})"
            yield Problem("E283", name, what, "correct P or n")


@dataclass(frozen=True)
class _Scale:
    """n scores from `low` to `high` in steps of `grid`."""

    n: int
    low: int
    high: int
    grid: float
    method: QuartileMethod


def _distributions(summary: Summary) -> Iterator[Problem]:
    instrument = summary.measure()
    for label, visit in summary.visits.items():
        scale = _scale(summary, int(visit.n.value), instrument.minimum, instrument.maximum, instrument.grid)
        yield from _statistics(f"{instrument.label}, {label}", visit, scale)
    for entry in summary.numbers.values():
        yield from _statistics(entry.label, entry, _scale(summary, summary.n, entry.minimum, entry.maximum, entry.grid))


def _scale(summary: Summary, n: int, minimum: float, maximum: float, grid: float) -> _Scale:
    return _Scale(n, round(minimum / grid), round(maximum / grid), grid, summary.quartiles)


def _statistics(label: str, entry: Statistics, scale: _Scale) -> Iterator[Problem]:
    figures = entry.given()
    if figures and scale.n == 0:
        yield Problem("E281", f"{label}: {next(iter(figures))}", "nobody is seen there", "correct n")
        return
    for name in ("median", "q1", "q3", "mean"):
        if name in figures:
            yield from _in_range(f"{label}: {name}", figures[name], scale)
    for lower, upper in (("q1", "median"), ("median", "q3"), ("q1", "q3")):
        if lower in figures and upper in figures and figures[lower].lower > figures[upper].upper:
            what = f"{figures[lower].text} is above the {upper} {figures[upper].text}"
            yield Problem("E281", f"{label}: {lower}", what, "a median lies between its quartiles")
    for name in PROBABILITIES:
        if name in figures and not _on_grid(name, figures[name], scale):
            what = f"{figures[name].text} is no {name} of {scale.n} scores in steps of {scale.grid:g}"
            yield Problem("E281", f"{label}: {name}", what, "correct the figure, n or the quartile definition")
    yield from _moments(label, entry, scale)


def _in_range(name: str, figure: Printed, scale: _Scale) -> Iterator[Problem]:
    low, high = scale.low * scale.grid, scale.high * scale.grid
    if figure.upper < low or figure.lower > high:
        what = f"{figure.text} is outside {low:g} to {high:g}"
        yield Problem("E281" if "mean" not in name else "E282", name, what, "correct the figure")


def _on_grid(name: str, figure: Printed, scale: _Scale) -> bool:
    """Whether k + share * m is printed so for some whole k and m >= 0."""
    _, share = quantile_position(name, scale.n, scale.method)
    lower, upper = (limit / scale.grid for limit in (figure.lower, figure.upper))
    shifts = range(1 if share == 0 else 100)
    return any(math.floor(upper - share * m + DUST) >= lower - share * m - DUST for m in shifts)


def _moments(label: str, entry: Statistics, scale: _Scale) -> Iterator[Problem]:
    if entry.mean:
        sums = _sums(entry.mean, scale)
        if not sums:
            what = f"{entry.mean.text} is no mean of {scale.n} scores in steps of {scale.grid:g} (GRIM)"
            yield Problem("E282", f"{label}: mean", what, "correct the mean or n")
        elif entry.sd and not any(_sd_fits(total, entry.sd, scale) for total in sums):
            what = f"{entry.sd.text} is no SD of {scale.n} scores with mean {entry.mean.text} (GRIMMER)"
            yield Problem("E282", f"{label}: sd", what, "correct the SD, the mean or n")
    elif entry.sd:
        widest = (scale.high - scale.low) / 2 * scale.grid * math.sqrt(scale.n / max(scale.n - 1, 1))
        if entry.sd.lower > widest:
            what = f"{entry.sd.text} is above {widest:.4g}, the largest SD of {scale.n} scores"
            yield Problem("E282", f"{label}: sd", what, "correct the SD or n")


def _sums(mean: Printed, scale: _Scale) -> range:
    """The sums of scores, in grid steps, whose mean is printed so."""
    lower, upper = (scale.n * limit / scale.grid for limit in (mean.lower, mean.upper))
    first, last = math.ceil(lower - DUST), math.floor(upper + DUST)
    return range(max(first, scale.n * scale.low), min(last, scale.n * scale.high) + 1)


def _sd_fits(total: int, sd: Printed, scale: _Scale) -> bool:
    """Whether n scores with this sum can have a sum of squares whose SD is printed so.

    The sum of squares is odd when the sum is, least when the scores are level, largest when they are at the ends.
    """
    n = scale.n
    if n == 1:
        return False
    level, ones = divmod(total, n)
    least = n * level**2 + ones * (2 * level + 1)
    at_top, rest = divmod(total - n * scale.low, max(scale.high - scale.low, 1))
    most = at_top * scale.high**2 + (n - at_top) * scale.low**2
    most += (scale.low + rest) ** 2 - scale.low**2 if rest else 0
    lower, upper = (n * (n - 1) * (max(limit, 0) / scale.grid) ** 2 for limit in (sd.lower, sd.upper))
    first = max(math.ceil((lower + total**2) / n - DUST), least)
    last = min(math.floor((upper + total**2) / n + DUST), most)
    return first + (first - total) % 2 <= last
