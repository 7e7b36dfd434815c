"""Where the search starts: who is seen when, who is in which class, and a plausible skewed course for each."""

import math
from dataclasses import dataclass
from itertools import islice

import numpy as np

from easitrace.errors import DataError, Problem
from easitrace.published.draws import Floats, Integers, Mask, normal, plotting_positions, shuffled
from easitrace.published.margins import margin_of
from easitrace.published.printed import Printed
from easitrace.published.summary import Statistics, Summary

RESPONDER, TEMPORARY, NON_RESPONDER = "responder", "temporary responder", "non-responder"
WAITING, SIDE_EFFECTS = "in follow-up", "side effects"
COURSES = (RESPONDER, TEMPORARY, NON_RESPONDER)
QUARTER = 0.6744897501960817
MEAN_ABSOLUTE = math.sqrt(2 / math.pi)
LEAST = 1e-12


@dataclass(frozen=True)
class Fates:
    """What becomes of each patient.

    Attributes
    ----------
    seen : bool array, shape (n_patients, n_visits)
    reason : tuple of str, one per patient
        Stop reason, "" when treatment goes on.
    waiting : bool array, shape (n_patients,)
        Still in follow-up.
    """

    seen: Mask
    reason: tuple[str, ...]
    waiting: Mask


def draw_fates(summary: Summary, rng: np.random.Generator) -> Fates:
    """Spread the absences that the table prints over patients who stop, wait or miss a visit.

    A patient who stops or waits is absent from the printed visit on; further absences are earlier stops
    (for side effects first), and visits missed when there are not enough stops.
    """
    reason, gone_from = _departures(summary, rng)
    waiting = np.array([why == WAITING for why in reason])
    seen = np.ones((summary.n, len(summary.visits)), dtype=bool)
    for visit, entry in reversed(list(enumerate(summary.visits.values()))):
        absent = summary.n - int(entry.n.value) - int((gone_from <= visit).sum())
        could_stop_earlier = np.flatnonzero(gone_from == visit + 1).tolist() if visit else []
        stopping = [patient for patient in could_stop_earlier if reason[patient] and not waiting[patient]]
        earlier = sorted(stopping, key=lambda patient: SIDE_EFFECTS not in reason[patient])[: max(absent, 0)]
        gone_from[earlier] = visit
        staying = np.flatnonzero(gone_from > visit)
        missed = shuffled(rng, len(staying))[: max(absent - len(earlier), 0)]
        seen[staying[missed], visit] = False
    seen &= np.arange(seen.shape[1]) < gone_from[:, None]
    return Fates(seen, tuple("" if why == WAITING else why for why in reason), waiting)


def _departures(summary: Summary, rng: np.random.Generator) -> tuple[list[str], Integers]:
    """Why each patient is gone ("" when not), and the index of the visit from which on."""
    labels = list(summary.visits)
    leaving: list[tuple[str, Printed, str]] = []
    if stopped := summary.stopped:
        leaving += [(why, count, stopped.before) for why, count in stopped.reasons.items()]
    if summary.in_follow_up:
        leaving.append((WAITING, summary.in_follow_up.n, summary.in_follow_up.before))
    order = iter(shuffled(rng, summary.n).tolist())
    reason, gone_from = [""] * summary.n, np.full(summary.n, len(labels))
    for why, count, before in leaving:
        for patient in islice(order, int(count.value)):
            reason[patient], gone_from[patient] = why, labels.index(before)
    return reason, gone_from


def draw_scores(summary: Summary, fates: Fates, rng: np.random.Generator) -> Integers:
    """Scores in grid steps, shape (n_patients, n_visits): right-skewed at each visit, correlated between visits."""
    instrument, shape = summary.measure(), summary.invented.outcome
    n, visits = fates.seen.shape
    shared = normal(rng, n)[:, None]
    latent = math.sqrt(shape.correlation) * shared + math.sqrt(1 - shape.correlation) * normal(rng, n, visits)
    scores = np.zeros((n, visits), dtype=np.int64)
    for visit, entry in enumerate(summary.visits.values()):
        here = np.flatnonzero(fates.seen[:, visit])
        ranked = here[np.argsort(latent[here, visit], kind="stable")]
        spread = shape.spread if visit == 0 else shape.later_spread
        lowest = shape.lowest_baseline if visit == 0 and shape.lowest_baseline is not None else instrument.minimum
        scores[ranked, visit] = in_steps(skewed(entry, spread, len(here), lowest), instrument.grid)
    return np.clip(scores, *bounds(summary))


def skewed(entry: Statistics, spread: float, n: int, lowest: float) -> Floats:
    """`n` ascending values above `lowest` with about the printed statistics.

    Squares of a line of normal scores, bent at the median when quartiles are printed.
    """
    z = plotting_positions(n)
    if entry.mean and entry.sd:
        return lowest + _square(*_moments(entry.mean.value - lowest, entry.sd.value), z)
    center = entry.median or entry.mean
    middle = _root(center, lowest) if center else 1.0
    below = (middle - _root(entry.q1, lowest)) / QUARTER if entry.q1 else middle * spread
    above = (_root(entry.q3, lowest) - middle) / QUARTER if entry.q3 else middle * spread
    if entry.median and entry.mean and not entry.q3:
        above = _upper_slope(middle, below, entry.mean.value - lowest)
    return lowest + np.where(z < 0, _square(middle, below, z), _square(middle, above, z))


def _upper_slope(middle: float, below: float, mean: float) -> float:
    """The slope above the median that gives squares of the bent line this mean; 0 when it is too small for any.

    With E|z| = sqrt(2/pi) the two halves have means m^2 -+ 2 m slope E|z| + slope^2.
    """
    lower_half = middle**2 - 2 * middle * below * MEAN_ABSOLUTE + below**2
    lacking = 2 * mean - lower_half - middle**2
    return math.sqrt(max((middle * MEAN_ABSOLUTE) ** 2 + lacking, 0.0)) - middle * MEAN_ABSOLUTE if lacking > 0 else 0.0


def _root(figure: Printed, lowest: float) -> float:
    return math.sqrt(max(figure.value - lowest, 0.0))


def in_steps(values: Floats, grid: float) -> Integers:
    """Scores in whole steps of the grid."""
    steps: Integers = np.rint(values / grid).astype(np.int64)
    return steps


def bounds(summary: Summary) -> tuple[Integers, Integers]:
    """Lowest and highest score of each visit in grid steps; at baseline the best score is left out."""
    instrument, lowest = summary.measure(), summary.invented.outcome.lowest_baseline
    ends = in_steps(np.array([instrument.minimum, instrument.maximum]), instrument.grid)
    low, high = (np.full(len(summary.visits), end) for end in ends)
    if instrument.better == "lower":
        low[0] = 1 + (low[0] if lowest is None else round(lowest / instrument.grid))
    else:
        high[0] -= 1
    return low, high


def assign_classes(summary: Summary, fates: Fates, scores: Integers) -> tuple[str, ...]:
    """The class each patient is to end in ("" for those whose fate decides): the best courses become responders.

    Raises
    ------
    DataError
        E284 naming the class count that the flow makes impossible.
    """
    if summary.classes is None:
        return ("",) * summary.n
    decision = [visit.week for visit in summary.visits.values()].index(summary.classes.decision_week)
    observed = fates.seen[:, decision:].any(axis=1) & fates.seen[:, 0]
    failures = ("inefficacy", SIDE_EFFECTS) if summary.classes.estimand == "composite" else ("inefficacy",)
    failed = np.array([any(word in why for word in failures) for why in fates.reason]) & ~observed
    needed = _needed(summary, int(failed.sum()), int(observed.sum()))
    classes = np.full(summary.n, "", dtype=object)
    classes[failed | observed] = NON_RESPONDER
    best_before, last = _margins(summary, fates, scores)
    reached_before = np.isfinite(best_before)
    ranked = np.flatnonzero(observed)
    ranked = ranked[np.lexsort((last[ranked], ~reached_before[ranked]))]
    responders, rest = np.split(ranked, [needed[RESPONDER]])
    classes[responders] = RESPONDER
    classes[rest[np.argsort(best_before[rest], kind="stable")][: needed[TEMPORARY]]] = TEMPORARY
    return tuple(classes.tolist())


def _margins(summary: Summary, fates: Fates, scores: Integers) -> tuple[Floats, Floats]:
    """Best margin of the criterion, relative to the baseline, before the last visit seen, and that at it."""
    assert summary.classes
    margin = margin_of(summary.classes.criterion, summary.measure())
    relative = np.where(fates.seen, margin(scores[:, :1], scores) / np.maximum(scores[:, :1], 1), np.inf)
    ends = last_seen(fates.seen)
    best = np.array([row[1:end].min(initial=np.inf) for row, end in zip(relative, ends.tolist(), strict=True)])
    return best, relative[np.arange(summary.n), ends]


def last_seen(seen: Mask) -> Integers:
    """Index of the last visit each patient was seen at, shape (n_patients,)."""
    return np.asarray(seen.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1), dtype=np.int64)


def _needed(summary: Summary, failed: int, judged: int) -> dict[str, int]:
    """How many of the patients judged at a visit go into each class."""
    assert summary.classes
    printed = {str(label): count for label, count in summary.classes.counts.items() if label in COURSES}
    needed = {course: int(printed[course].value) if course in printed else 0 for course in COURSES}
    needed[NON_RESPONDER] -= failed
    if needed[NON_RESPONDER] < 0:
        what = f"fewer than the {failed} who stopped for inefficacy"
        raise DataError(Problem("E284", "class: non-responder", what, "correct the count or the stops"))
    if (total := sum(needed.values())) != judged:
        counts = " + ".join(count.text for count in printed.values())
        what = f"{counts} leaves {total} for the {judged} patients seen at or after week"
        where = f"{what} {summary.classes.decision_week:g}, beside {failed} who stopped and count as non-responders"
        raise DataError(Problem("E284", "class counts", where, "correct the counts, the stops or n at the visit"))
    return needed


def _square(middle: float, slope: float, z: Floats) -> Floats:
    return np.asarray(np.maximum(middle + slope * z, 0.0) ** 2)


def _moments(mean: float, sd: float) -> tuple[float, float]:
    """a, b such that (a + b z)^2 has this mean and SD when z is standard normal."""
    b_squared = mean - math.sqrt(max(mean**2 - sd**2 / 2, LEAST))
    return math.sqrt(max(mean - b_squared, 0.0)), math.sqrt(b_squared)
