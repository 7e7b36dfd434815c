"""Whether a fit can be trusted: one ladder of named ends, with what in the data explains them.

converged; precision-limited (the likelihood cannot be raised further, yet the Newton decrement is not below 1e-12, nor
after one more full step); unidentified (the smallest eigenvalue of the scaled Hessian is below 1e-7); singular (Sigma
has no inverse to working accuracy); not started (the mean fits perfectly); maxit.
"""

from itertools import combinations
from typing import Any

import numpy as np

from easitrace.covariance import Array
from easitrace.models.basis import Basis
from easitrace.models.fit import Optimum, Status
from easitrace.models.moments import Moments
from easitrace.models.newton import Run, smallest_eigenvalue
from easitrace.models.optimise import singularity

UNIDENTIFIED = 1e-7
NEAR_PERFECT_CORRELATION = 0.999
FEW_TOGETHER = 4  # patients below whom a perfect correlation is no sign of copies


def judge(
    moments: Moments, runs: tuple[Run, ...], best: int, scale: float, *, sigmas: list[Array], boundary: str
) -> tuple[Optimum, Status, str]:
    """The record of the optimum, its status and the reason in words."""
    run = runs[best]
    smallest = smallest_eigenvalue(run.local.hessian)
    optimum = Optimum(runs, best, run.theta, run.local.gradient, run.local.hessian, smallest, scale)
    if run.end == "singular" or any(singularity(sigma) for sigma in sigmas):
        return optimum, "singular", f"covariance matrix singular: {explain_singular(moments, sigmas)}"
    if boundary:
        return optimum, "singular", boundary
    if run.end == "maxit":
        return optimum, "maxit", f"no optimum after {run.iterations} iterations{_hint(moments)}"
    if smallest < UNIDENTIFIED:
        reason = explain_unidentified(moments) or "the data do not determine every covariance parameter"
        return optimum, "unidentified", f"covariance not identified: {reason}"
    if run.end == "precision-limited":
        what = f"likelihood cannot be raised further at Newton decrement {run.decrement:.1e}"
        return optimum, "precision-limited", what + _hint(moments)
    return optimum, "converged", ""


def explain_perfect(moments: Moments, basis: Basis) -> str:
    """Why there is nothing left to model."""
    if moments.n_observations <= len(basis.kept):
        return f"{moments.n_observations} observations for {len(basis.kept)} coefficients"
    return f"the mean fits {moments.recipe.outcome} perfectly (is it constant?)"


def explain_unidentified(moments: Moments) -> str:
    """Visits seen in too few patients, pairs of visits never seen together, patients with one visit only."""
    found = []
    for group, seen, counts in _by_group(moments):
        together = np.einsum("p,pj,pk->jk", counts, seen, seen)
        visits = moments.recipe.visits
        for j, visit in enumerate(visits):
            if together[j, j] <= 1:
                found.append(f"visit {visit} was seen in {'1' if together[j, j] else 'no'} patient{group}")
        rare = {j for j in range(len(visits)) if together[j, j] <= 1}
        for j in range(len(visits)):
            for k in range(j + 1, len(visits)):
                if together[j, k] == 0 and not {j, k} & rare:
                    found.append(f"visits {visits[j]} and {visits[k]} were never seen in the same patient{group}")
        if seen.sum(axis=1).max(initial=0) <= 1:
            found = [f"every patient has one visit only{group}" if len(counts) else f"there is no patient{group}"]
    return "; ".join(found)


def explain_singular(moments: Moments, sigmas: list[Array]) -> str:
    """Visits without spread, pairs of visits that are copies of each other or share few patients, too few patients."""
    found: list[str] = []
    for (group, seen, counts), sigma in zip(_by_group(moments), sigmas, strict=True):
        if np.isfinite(sigma).all() and singularity(sigma):
            reasons = _flat_or_copied(moments.recipe.visits, sigma, seen.T @ (counts[:, None] * seen), group)
            complete = int(counts[seen.all(axis=1)].sum())
            if complete < len(sigma) or not reasons:
                reasons.append(f"too few patients with all {len(sigma)} visits{group}: {complete}")
            found += reasons
    other = explain_unidentified(moments)
    return "; ".join([*found, other] if other else found)


def _flat_or_copied(visits: tuple[Any, ...], sigma: Array, together: Array, group: str) -> list[str]:
    sd = np.sqrt(np.diag(sigma))
    flat = sd < 1e-3 * sd.max()
    R = np.abs(sigma / np.outer(sd, sd))
    found = [f"visit {visit} has no spread{group}" for visit, none in zip(visits, flat, strict=True) if none]
    for j, k in combinations(np.flatnonzero(~flat), 2):
        if R[j, k] > NEAR_PERFECT_CORRELATION:
            n = int(together[j, k])
            copied = "carry the same values" if n >= FEW_TOGETHER else f"were seen together in only {n} patients"
            found.append(f"visits {visits[j]} and {visits[k]} {copied}{group}")
    return found


def _hint(moments: Moments) -> str:
    reason = explain_unidentified(moments)
    return f": {reason}" if reason else ""


def _by_group(moments: Moments) -> list[tuple[str, Array, Array]]:
    """Suffix naming the group, seen (P, J) and counts (P,) of every covariance group."""
    by = moments.recipe.by
    names = [f" in {by} {level}" for level in moments.recipe.levels[by]] if by else [""]
    patterns = moments.patterns
    members = [patterns.group == g for g in range(len(names))]
    return [
        (name, patterns.seen[mine].astype(float), patterns.counts[mine].astype(float))
        for name, mine in zip(names, members, strict=True)
    ]
