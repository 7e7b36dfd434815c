"""Newton's method for many data sets at once: every run takes the steps that `newton.minimise` takes for it alone.

Theta, scaling, eigenvalue floor, damping, longest step and ends are those of `newton`; so the runs lead to the same
optima however bent the likelihood is.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from easitrace.covariance import Array
from easitrace.models.batch import Batch, Index, Mask, Weighed, derivatives, some, weigh
from easitrace.models.batch_shape import Shapes, least_eigenvalue, no_shapes
from easitrace.models.newton import (
    EIGENVALUE_FLOOR,
    JOINED,
    LARGEST_DAMPING,
    LARGEST_STEP,
    MAX_ITERATIONS,
    MOST_IDLE,
    TOLERANCE,
)
from easitrace.models.optimise import SINGULAR_CORRELATION, SINGULAR_SD


@dataclass(frozen=True)
class Runs:
    """One run of every data set: where it stands, and at the end how it ended.

    theta (m, B); factor C (J, J, B) of Sigma = C C'; value -l (B,); b (p, B); phi (p, p, B); hessian (m, m, B) at the
    last point before the polishing step; least (B,) a lower bound of its eigenvalues, scaled;
    stationary, joined (B,) as the ends of `newton.Run`;
    smooth (B,) : every step was a Newton step, and none was shortened or taken back.
    """

    theta: Array
    factor: Array
    value: Array
    b: Array
    phi: Array
    hessian: Array
    least: Array
    stationary: Mask
    joined: Mask
    smooth: Mask

    def take(self, which: Index) -> "Runs":
        """Those of some of the data sets."""
        parts: dict[str, Any] = {name: some(part, which) for name, part in vars(self).items()}
        return Runs(**parts)

    def put(self, which: Mask, other: "Runs") -> "Runs":
        """These, with those of `other` where `which` (B,) says so."""
        return Runs(**{name: np.where(which, getattr(other, name), part) for name, part in vars(self).items()})

    def arrive(self, which: Index, theta: Array, w: Weighed) -> None:
        """Note the points that some of the data sets have come to."""
        self.theta[:, which], self.factor[..., which], self.value[which] = theta, w.factor, w.value
        self.b[:, which], self.phi[..., which] = w.b, w.phi


@dataclass(frozen=True)
class Progress:
    """Of every data set: damping, steps taken, steps in a row without gain (B,); `last` : the step is the last one."""

    damping: Array
    steps: Index
    idle: Index
    last: Mask

    def note(self, which: Index, moved: Mask, gained: Mask) -> None:
        """Note which trial points of some of the data sets were taken, and which of them lowered the function."""
        damping = self.damping[which]
        self.damping[which] = np.where(moved, np.where(damping > 1e-4, damping / 16, 0), np.maximum(4 * damping, 1e-3))
        self.steps[which] += moved
        self.idle[which] = np.where(moved & ~gained, self.idle[which] + 1, np.where(moved, 0, self.idle[which]))

    def exhausted(self, which: Index) -> Mask:
        """Where `newton.minimise` gives up."""
        tired = (self.steps[which] == MAX_ITERATIONS) | (self.idle[which] == MOST_IDLE)
        return np.asarray(tired | (self.damping[which] > LARGEST_DAMPING))


def minimise(batch: Batch, theta: Array, known: Runs | None = None) -> Runs:
    """One run per data set from theta (m, B); a run that comes close to its `known` stationary optimum joins it."""
    m, B = theta.shape
    runs, shapes = _blank(m, batch.seen.shape[1], batch.xx.shape[1], B), no_shapes(m, B)
    none = np.zeros(B, dtype=np.int64)
    progress = Progress(np.zeros(B), none, none.copy(), np.zeros(B, dtype=bool))
    active, trial = np.arange(B), theta
    while len(active):
        w = weigh(batch, trial)
        moved, left = _settle(runs, progress, active, trial, w, known)
        fresh = moved & left
        if fresh.any():
            new = active[fresh]
            gradient, hessian = derivatives(batch.take(fresh), w.take(fresh))
            runs.hessian[..., new] = hessian
            shapes.update(new, gradient, hessian)
        active, batch = active[left], batch.take(left)
        trial = _proposed(runs, progress, shapes, active)
    runs.least[:] = shapes.least
    return runs


def _blank(m: int, J: int, p: int, B: int) -> Runs:
    """B runs that have not begun: their value is infinite."""
    shapes = [(m,), (J, J), (), (p,), (p, p), (m, m), ()]
    theta, C, value, b, phi, hessian, least = [np.full((*shape, B), np.inf) for shape in shapes]
    no, yes = np.zeros(B, dtype=bool), np.ones(B, dtype=bool)
    return Runs(theta, C, value, b, phi, hessian, least, stationary=no, joined=no.copy(), smooth=yes)


def _settle(
    runs: Runs, progress: Progress, active: Index, trial: Array, w: Weighed, known: Runs | None
) -> tuple[Mask, Mask]:
    """Take the trial points that are good enough; which of the active runs moved, and which go on."""
    before, last = runs.value[active], progress.last[active]
    begun = np.isfinite(before)
    noise = np.where(begun, 1e-14 * np.maximum(np.abs(before), 1.0), 0.0)
    moved = np.isfinite(w.value) & (last | (w.value <= before + noise))
    arrived, singular = w.take(moved), np.zeros(len(active), dtype=bool)
    runs.arrive(active[moved], some(trial, moved), arrived)
    singular[moved] = _degenerate(arrived.factor)
    runs.stationary[active[last]] = True
    runs.smooth[active] &= moved
    progress.note(active[begun], moved[begun], (w.value <= before - noise)[begun])
    ended = last | progress.exhausted(active) | np.where(begun, singular, ~moved)
    if known is not None:
        joins = ~ended & moved & _joins(runs, known, active)
        runs.joined[active[joins]] = True
        ended |= joins
    return moved, ~ended


def _degenerate(C: Array) -> Mask:
    """Whether Sigma = C C' is singular to working accuracy, as `optimise.singularity`."""
    J = len(C)
    sd = np.sqrt((C**2).sum(axis=1))
    flat: Mask = ~(sd.min(axis=0) >= SINGULAR_SD * sd.max(axis=0))
    determinant = ((C[np.arange(J), np.arange(J)] / sd) ** 2).prod(axis=0)
    near = ~(least_eigenvalue(determinant, J) > 10 * SINGULAR_CORRELATION) & ~flat
    unit = np.moveaxis(C[..., near] / sd[:, None, near], 2, 0)
    flat[near] = np.linalg.eigvalsh(unit @ unit.swapaxes(1, 2))[:, 0] < SINGULAR_CORRELATION
    return flat


def _joins(runs: Runs, known: Runs, active: Index) -> Mask:
    """Whether a run lies in the quadratic neighbourhood of the known optimum, at the height expected there."""
    apart = some(runs.theta, active) - some(known.theta, active)
    height = (apart * np.einsum("acb,cb->ab", some(known.hessian, active), apart)).sum(axis=0) / 2
    with np.errstate(invalid="ignore"):
        above = runs.value[active] - known.value[active] - height
        near: Mask = (height >= 0) & (height < JOINED) & (np.abs(above) < 0.1 * height + 1e-9)
    return near & known.stationary[active]


def _proposed(runs: Runs, progress: Progress, shapes: Shapes, active: Index) -> Array:
    """The next points (m, active) of the runs that go on; notes which are the last."""
    last = shapes.decrement[active] < TOLERANCE
    step = shapes.step(active, np.where(last, 0.0, progress.damping[active]))
    longest = np.abs(step).max(axis=0, initial=0.0)
    runs.smooth[active] &= (shapes.least[active] > EIGENVALUE_FLOOR) & (longest <= LARGEST_STEP)
    progress.last[active] = last
    return np.asarray(some(runs.theta, active) + step * np.minimum(1.0, LARGEST_STEP / np.maximum(longest, 1e-300)))
