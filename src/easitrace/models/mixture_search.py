"""From many starts to the best optimum of a growth mixture, with the record of every start.

Each start is a short run of EM, then Newton steps on the exact Hessian to a gradient of about zero; a start that comes
close to the best optimum so far is counted there ("joined") and not taken to the end again.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from easitrace.covariance import Array
from easitrace.models.class_data import Patients
from easitrace.models.mixture import Mixture, expand, negative_log_likelihood, pack, unpack
from easitrace.models.mixture_em import ShortRun, degeneracy, draw_centres, short_run, smoothed_courses, start
from easitrace.models.newton import Local, Run, minimise

SAME_OPTIMUM = 1e-4  # difference of two log-likelihoods

StartEnd = Literal[
    "stationary", "joined", "singular", "precision-limited", "maxit", "empty class", "perfect fit", "no estimate"
]


@dataclass(frozen=True)
class Attempt:
    """One start: log-likelihood in the basis after EM and at the end, how it ended, and where."""

    short: float
    final: float
    end: StartEnd
    mixture: Mixture | None = None


@dataclass(frozen=True)
class Search:
    """Every start in order; `best` is the one of highest likelihood, None when no start gave an estimate."""

    attempts: tuple[Attempt, ...]
    best: Attempt | None

    @property
    def at_best(self) -> tuple[bool, ...]:
        """Which starts reached the best log-likelihood."""
        if self.best is None:
            return (False,) * len(self.attempts)
        return tuple(attempt.final > self.best.final - SAME_OPTIMUM for attempt in self.attempts)


def search(patients: Patients, anchor: Array, classes: int, starts: int, seed: int) -> Search:
    """Run every start; classes in the order of `anchor` (p,) times their course. One class needs one start only."""
    courses = smoothed_courses(patients)
    known: Run | None = None
    attempts: list[Attempt] = []
    for number in range(1 if classes == 1 else starts):
        rng = np.random.default_rng((seed, classes, number))
        centres = courses[draw_centres(courses, classes, rng, spread_out=number % 2 == 1)]
        try:
            short = short_run(patients, start(patients, centres))
        except np.linalg.LinAlgError:
            attempts.append(Attempt(np.nan, -np.inf, "no estimate"))
            continue
        attempt, run = _polish(patients, anchor, short, known)
        attempts.append(attempt)
        if run is not None and run.end == "stationary" and (known is None or run.local.value < known.local.value):
            known = run
    estimated = [attempt for attempt in attempts if attempt.mixture is not None]
    best = max(estimated, key=lambda attempt: attempt.final, default=None)
    return Search(tuple(attempts), best)


def _polish(patients: Patients, anchor: Array, short: ShortRun, known: Run | None) -> tuple[Attempt, Run | None]:
    """The start taken to its optimum, unless EM found it degenerate."""
    mixture = in_order(short.mixture, anchor)
    if short.end != "short run":
        return Attempt(short.log_likelihood, short.log_likelihood, short.end, mixture), None
    shape = (*mixture.beta.shape, len(mixture.root))

    def value(theta: Array) -> float:
        return negative_log_likelihood(patients, unpack(theta, *shape))

    def local(theta: Array) -> Local:
        return expand(patients, unpack(theta, *shape))

    def degenerate(theta: Array) -> bool:
        found = unpack(theta, *shape)
        return degeneracy(patients.n * found.share, found.log_sd) is not None

    run = minimise(value, local, pack(mixture), degenerate, known)
    if run.end == "joined" and known is not None:
        return Attempt(short.log_likelihood, -known.local.value, "joined"), run
    found = unpack(run.theta, *shape)
    end = (degeneracy(patients.n * found.share, found.log_sd) or run.end) if run.end == "singular" else run.end
    return Attempt(short.log_likelihood, -run.local.value, end, in_order(found, anchor)), run


def in_order(mixture: Mixture, anchor: Array) -> Mixture:
    """The mixture with its classes in ascending order of the mean at the last time."""
    return mixture.ordered(np.argsort(mixture.beta @ anchor, kind="stable"))
