"""The published figures as distances that the search brings to 0."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from easitrace.errors import NotEstimableError
from easitrace.paired import QuartileMethod, signed_rank
from easitrace.published.course import NON_RESPONDER, RESPONDER, TEMPORARY, Fates, last_seen
from easitrace.published.draws import Floats, Integers, Mask
from easitrace.published.margins import Margin, margin_of
from easitrace.published.possible import quantile_position
from easitrace.published.printed import Printed
from easitrace.published.summary import Statistics, Summary, TestEntry

P_WEIGHT = 30.0
MOMENT_WEIGHT = 0.25
Distance = Callable[[Integers], float]


@dataclass(frozen=True)
class Target:
    """One figure: `distance(scores)` is 0 when it is met; only the scores at `visits` matter to it."""

    name: str
    visits: frozenset[int]
    distance: Distance


def targets_of(summary: Summary, fates: Fates, classes: tuple[str, ...]) -> list[Target]:
    """Every figure of the outcome's course that the search has to meet."""
    found = [*_outcome(summary, fates.seen), *_tests(summary, fates.seen), *_responses(summary, fates.seen)]
    if summary.classes:
        found.append(_classes(summary, fates, classes))
    if summary.invented.outcome.worst:
        found.append(_worst(summary, fates.seen, summary.invented.outcome.worst))
    return found


def statistics_of(
    entry: Statistics, label: str, rows: Integers, grid: float, *, visit: int = 0, method: QuartileMethod
) -> Iterator[Target]:
    """The printed statistics of the scores (in grid steps) of some patients at one visit."""
    for statistic, figure in entry.given().items():
        compute = _statistic(statistic, len(rows), method)
        weight = MOMENT_WEIGHT * len(rows) * figure.unit / grid if statistic in ("mean", "sd") else 1.0
        distance = partial(_from_printed, visit=visit, rows=rows, compute=compute, figure=figure, grid=grid)
        yield Target(f"{label}: {statistic} {figure.text}", frozenset({visit}), partial(_weighted, weight, distance))


def _from_printed(
    scores: Integers,
    *,
    visit: int,
    rows: Integers,
    compute: Callable[[Integers], float],
    figure: Printed,
    grid: float,
) -> float:
    return figure.distance(compute(scores[rows, visit]) * grid)


def _weighted(weight: float, distance: Distance, scores: Integers) -> float:
    return weight * distance(scores)


def _outcome(summary: Summary, seen: Mask) -> Iterator[Target]:
    instrument = summary.measure()
    for visit, (label, entry) in enumerate(summary.visits.items()):
        rows = np.flatnonzero(seen[:, visit])
        name = f"{instrument.label}, {label}"
        yield from statistics_of(entry, name, rows, instrument.grid, visit=visit, method=summary.quartiles)


def _statistic(statistic: str, n: int, method: QuartileMethod) -> Callable[[Integers], float]:
    """Median, quartile, mean or SD of whole numbers, from whole-number sums."""
    if statistic == "mean":
        return lambda values: int(values.sum()) / n
    if statistic == "sd":
        return lambda values: math.sqrt((n * int((values**2).sum()) - int(values.sum()) ** 2) / (n * (n - 1)))
    below, share = quantile_position(statistic, n, method)
    above = min(below + 1, n - 1)

    def quantile(values: Integers) -> float:
        ascending = np.sort(values)
        return float((1 - share) * int(ascending[below]) + share * int(ascending[above]))

    return quantile


def _tests(summary: Summary, seen: Mask) -> Iterator[Target]:
    labels = list(summary.visits)
    for test in summary.tests:
        if test.instrument in (None, summary.outcome):
            later, earlier = labels.index(test.visit), labels.index(test.against)
            rows = np.flatnonzero(seen[:, later] & seen[:, earlier])
            yield Target(_name(test), frozenset({later, earlier}), _of_test(rows, later, earlier, test.p))


def _worst(summary: Summary, seen: Mask, worst: float) -> Target:
    every = range(len(summary.visits))
    high_is_bad = summary.measure().better == "lower"

    def distance(scores: Integers) -> float:
        start = scores[:, :1]
        excess = scores - worst * start if high_is_bad else start / worst - scores
        return float(sum(over for over in excess[seen].tolist() if over > 0))

    return Target(f"invented.outcome.worst {worst:g}", frozenset(every), distance)


def _name(test: TestEntry) -> str:
    return f"P {test.p.text} ({test.visit} v {test.against})"


def _of_test(rows: Integers, later: int, earlier: int, figure: Printed) -> Distance:
    def distance(scores: Integers) -> float:
        try:
            p = signed_rank(scores[rows, later] - scores[rows, earlier]).p
        except NotEstimableError:
            p = 1.0
        return P_WEIGHT * p_distance(figure, p)

    return distance


def p_distance(figure: Printed, p: float) -> float:
    """How far a P value is from being printed so, as a log ratio."""
    inside = 0.02 * figure.unit if math.isfinite(figure.lower) and math.isfinite(figure.upper) else 0.0
    if p > figure.upper - inside:
        return math.log(p / (figure.upper - inside))
    if p < figure.lower + inside and figure.lower + inside > 0:
        return math.log((figure.lower + inside) / max(p, 1e-300))
    return 0.0


def _responses(summary: Summary, seen: Mask) -> Iterator[Target]:
    labels = list(summary.visits)
    for response in summary.responses:
        visit = labels.index(response.visit)
        rows = np.flatnonzero(seen[:, visit] & seen[:, 0])
        margin = margin_of(response.criterion, summary.measure())
        name = f"{response.criterion} at {response.visit}: {response.count.text}"
        yield Target(name, frozenset({0, visit}), _of_count(rows, visit, margin, int(response.count.value)))


def _of_count(rows: Integers, visit: int, margin: Margin, count: int) -> Distance:
    def distance(scores: Integers) -> float:
        margins = np.sort(margin(scores[rows, 0], scores[rows, visit]))
        lacking, spare = margins[:count], margins[count:]
        return float(sum(m for m in lacking.tolist() if m > 0) + sum(1 - m for m in spare.tolist() if m <= 0))

    return distance


def _classes(summary: Summary, fates: Fates, classes: tuple[str, ...]) -> Target:
    """Each patient in the wanted class: grid steps by which scores miss it, added over patients."""
    rule = summary.classes
    assert rule
    margin = margin_of(rule.criterion, summary.measure())
    half = rule.loss_rule == "half_of_best"
    sign = 1 if summary.measure().better == "lower" else -1
    wanted = np.array(classes)
    later = fates.seen.copy()
    later[:, 0] = False
    never = later & (wanted == NON_RESPONDER)[:, None]
    once = np.flatnonzero((wanted == TEMPORARY) | ((wanted == RESPONDER) & half))
    kept, lost = np.flatnonzero(wanted == RESPONDER), np.flatnonzero(wanted == TEMPORARY)
    ends = last_seen(fates.seen)

    def distance(scores: Integers) -> float:
        margins = margin(scores[:, :1], scores)
        loss = _loss(scores, later, ends, sign) if half else margins[np.arange(len(ends)), ends]
        refused = margins[never]
        total = (1 - refused[refused <= 0]).tolist()
        total += np.maximum(np.where(later[once], margins[once], np.inf).min(axis=1), 0).tolist()
        total += np.maximum(loss[kept], 0).tolist()
        still = loss[lost]
        return math.fsum(total + (1 - still[still <= 0]).tolist())

    counts = ", ".join(f"{label} {count.text}" for label, count in rule.counts.items())
    return Target(f"class counts: {counts}", frozenset(range(len(summary.visits))), distance)


def _loss(scores: Integers, later: Mask, ends: Integers, sign: int) -> Floats:
    """Above 0 where more than half of the best improvement is lost at the last visit, in grid steps."""
    gains = sign * (scores[:, :1] - scores)
    best = np.where(later, gains, -np.inf).max(axis=1)
    return np.asarray(best / 2 - gains[np.arange(len(ends)), ends])
