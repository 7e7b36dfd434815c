"""Where the search starts: who is seen when, who is in which class, and a plausible skewed course for each."""

import math
from dataclasses import dataclass

import numpy as np

from easitrace.errors import DataError, Problem
from easitrace.published.draws import Floats, Integers, Mask, normal, plotting_positions, shuffled
from easitrace.published.margins import margin_of
from easitrace.published.printed import Printed
from easitrace.published.summary import Statistics, Summary

RESPONDER, TEMPORARY, NON_RESPONDER = "responder", "temporary responder", "non-responder"
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
    n, labels = summary.n, list(summary.visits)

    def by_reason(patient: int) -> bool:
        return "side effects" not in reason[patient]

    order = iter(shuffled(rng, n).tolist())
    gone_from = np.full(n, len(labels))
    reason, waiting = [""] * n, np.zeros(n, dtype=bool)
    if summary.stopped:
        for why, count in summary.stopped.reasons.items():
            for _ in range(int(count.value)):
                patient = next(order)
                reason[patient], gone_from[patient] = why, labels.index(summary.stopped.before)
    if summary.in_follow_up:
        for _ in range(int(summary.in_follow_up.n.value)):
            patient = next(order)
            waiting[patient], gone_from[patient] = True, labels.index(summary.in_follow_up.before)
    seen = np.ones((n, len(labels)), dtype=bool)
    for visit in reversed(range(len(labels))):
        absent = n - int(summary.visits[labels[visit]].n.value) - int((gone_from <= visit).sum())
        early = sorted(
            (p for p in np.flatnonzero(gone_from == visit + 1).tolist() if visit and reason[p]), key=by_reason
        )
        for patient in early[: max(absent, 0)]:
            gone_from[patient] = visit
            absent -= 1
        staying = np.flatnonzero(gone_from > visit)
        missed = staying[shuffled(rng, len(staying))[: max(absent, 0)]]
        seen[missed, visit] = False
    seen &= np.arange(len(labels)) < gone_from[:, None]
    return Fates(seen, tuple(reason), waiting)


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
    classes = [""] * summary.n
    if summary.classes is None:
        return tuple(classes)
    decision = [visit.week for visit in summary.visits.values()].index(summary.classes.decision_week)
    counted = ("inefficacy", "side effects") if summary.classes.estimand == "composite" else ("inefficacy",)
    observed = fates.seen[:, decision:].any(axis=1) & fates.seen[:, 0]
    failed = np.array([any(word in why for word in counted) for why in fates.reason]) & ~observed
    judged = np.flatnonzero(observed)
    counts = {str(label): count for label, count in summary.classes.counts.items()}
    needed = {course: int(counts[course].value) for course in COURSES if course in counts}
    needed[NON_RESPONDER] = needed.get(NON_RESPONDER, 0) - int(failed.sum())
    _check_class_counts(summary, needed, int(failed.sum()), len(judged))
    for patient in np.flatnonzero(failed):
        classes[patient] = NON_RESPONDER
    margin = margin_of(summary.classes.criterion, summary.measure())
    margins = np.where(fates.seen, margin(scores[:, :1], scores) / np.maximum(scores[:, :1], 1), np.inf)
    last = margins[np.arange(summary.n), last_seen(fates.seen)]
    best_before = np.array([margins[p, 1:end].min(initial=np.inf) for p, end in enumerate(last_seen(fates.seen))])
    by_last = judged[np.argsort(last[judged], kind="stable")]
    by_last = np.concatenate([by_last[np.isfinite(best_before[by_last])], by_last[~np.isfinite(best_before[by_last])]])
    responders, rest = by_last[: needed.get(RESPONDER, 0)], by_last[needed.get(RESPONDER, 0) :]
    rest = rest[np.argsort(best_before[rest], kind="stable")]
    temporary = rest[: needed.get(TEMPORARY, 0)]
    for patient in judged:
        classes[patient] = RESPONDER if patient in responders else TEMPORARY if patient in temporary else NON_RESPONDER
    return tuple(classes)


def last_seen(seen: Mask) -> Integers:
    """Index of the last visit each patient was seen at, shape (n_patients,)."""
    return np.asarray(seen.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1), dtype=np.int64)


def _check_class_counts(summary: Summary, needed: dict[str, int], failed: int, judged: int) -> None:
    if needed[NON_RESPONDER] < 0:
        what = f"fewer than the {failed} who stopped for inefficacy"
        raise DataError(Problem("E284", "class: non-responder", what, "correct the count or the stops"))
    total = sum(needed.values())
    if total != judged:
        assert summary.classes
        printed = " + ".join(summary.classes.counts[c].text for c in COURSES if c in summary.classes.counts)
        what = f"{printed} leaves {total} for the {judged} patients seen at or after week"
        where = f"{what} {summary.classes.decision_week:g} and {failed} who stopped for inefficacy"
        raise DataError(Problem("E284", "class counts", where, "correct the counts, the stops or n at the visit"))


def _square(middle: float, slope: float, z: Floats) -> Floats:
    return np.asarray(np.maximum(middle + slope * z, 0.0) ** 2)


def _moments(mean: float, sd: float) -> tuple[float, float]:
    """a, b such that (a + b z)^2 has this mean and SD when z is standard normal."""
    b_squared = mean - math.sqrt(max(mean**2 - sd**2 / 2, LEAST))
    return math.sqrt(max(mean - b_squared, 0.0)), math.sqrt(b_squared)
