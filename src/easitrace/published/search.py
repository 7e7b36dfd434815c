"""Threshold accepting (Dueck & Scheuer 1990, J Comput Phys 90:161) on scores in whole grid steps."""

from collections.abc import Sequence

import numpy as np

from easitrace.published.draws import Integers, Mask
from easitrace.published.targets import Target

ITERATIONS = 12_000
FIRST_THRESHOLD = 1.0
LAST_THRESHOLD_AT = 0.7
LONGEST_STEP = 12
SWAPS = 0.2
STRAIN = 0.02
UNMET = 0.5

Cells = list[tuple[int, int]]


def search(
    scores: Integers,
    seen: Mask,
    bounds: tuple[Integers, Integers],
    targets: Sequence[Target],
    rng: np.random.Generator,
) -> dict[str, float]:
    """Change `scores` in place until every target is met; what is left of each that is not.

    A move shifts one score by a few grid steps or exchanges two scores of one visit. It is taken when the total
    distance, with a charge for every target unmet and a little for every step away from the plausible start, grows
    by no more than a threshold that falls to 0.
    """
    start = scores.copy()
    left = [target.distance(scores) for target in targets]
    by_visit = [[k for k, target in enumerate(targets) if visit in target.visits] for visit in range(seen.shape[1])]
    open_visits = [visit for visit in range(seen.shape[1]) if by_visit[visit]]
    rows = [np.flatnonzero(seen[:, visit]) for visit in range(seen.shape[1])]
    for iteration in range(ITERATIONS):
        if not any(left):
            break
        visit = open_visits[int(rng.integers(len(open_visits)))]
        cells = _move(scores, visit, rows[visit], bounds, rng)
        after = {k: targets[k].distance(scores) for k in by_visit[visit]}
        growth = sum(_cost(distance) - _cost(left[k]) for k, distance in after.items())
        growth += STRAIN * sum(_strain(scores, start, visit, patient, before) for patient, before in cells)
        if growth <= FIRST_THRESHOLD * max(0.0, 1 - iteration / (LAST_THRESHOLD_AT * ITERATIONS)):
            for k, distance in after.items():
                left[k] = distance
        else:
            for patient, before in cells:
                scores[patient, visit] = before
    return {target.name: distance for target, distance in zip(targets, left, strict=True) if distance > 0}


def _cost(distance: float) -> float:
    return distance + UNMET if distance > 0 else 0.0


def _strain(scores: Integers, start: Integers, visit: int, patient: int, before: int) -> int:
    """Grid steps by which a score is now further from its start than before."""
    origin = int(start[patient, visit])
    return abs(int(scores[patient, visit]) - origin) - abs(before - origin)


def _move(
    scores: Integers, visit: int, rows: Integers, bounds: tuple[Integers, Integers], rng: np.random.Generator
) -> Cells:
    """Make a random move; the patients it touched and their scores before."""
    one, other = (int(rows[k]) for k in rng.integers(len(rows), size=2))
    before = [(one, int(scores[one, visit])), (other, int(scores[other, visit]))]
    if rng.random() < SWAPS:
        scores[one, visit], scores[other, visit] = before[1][1], before[0][1]
        return before
    step = int(rng.integers(1, LONGEST_STEP + 1)) * (1 if rng.random() < 0.5 else -1)
    scores[one, visit] = min(max(before[0][1] + step, int(bounds[0][visit])), int(bounds[1][visit]))
    return before[:1]
