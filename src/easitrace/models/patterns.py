"""Visit patterns and their triangular factors: the additive core of the sufficient statistics."""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array

CHUNK_ROWS = 8192  # of one orthogonal factorisation
Mask = NDArray[np.bool_]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Patterns:
    """Patients by the visits they were seen at, and by covariance group.

    seen : (P, J) visits of each pattern; group : (P,) index of its covariance group; counts : (P,) its patients;
    factor : (R, w + J) the patterns' triangular factors, one below the other; owner : (R,) whose row it is.
    """

    seen: Mask
    group: Index
    counts: Index
    factor: Array
    owner: Index

    @property
    def n_patients(self) -> int:
        """Patients with at least one observed outcome."""
        return int(self.counts.sum())

    @property
    def n_observations(self) -> int:
        """Observed outcomes."""
        return int(self.counts @ self.seen.sum(axis=1))

    def __add__(self, other: "Patterns") -> "Patterns":
        """Equal patterns put together by factorising their factors, stacked."""
        seen = np.concatenate([self.seen, other.seen])
        group = np.concatenate([self.group, other.group])
        keys, first, which = np.unique(_keys(seen, group), return_index=True, return_inverse=True)
        factor = np.concatenate([self.factor, other.factor])
        owner = which[np.concatenate([self.owner, other.owner + len(self.counts)])]
        order = np.argsort(owner, kind="stable")
        sizes = np.bincount(owner, minlength=len(keys))
        stacked, new_owner = _triangles(factor[order], sizes)
        counts = np.zeros(len(keys), dtype=np.int64)
        np.add.at(counts, which, np.concatenate([self.counts, other.counts]))
        return Patterns(seen[first], group[first], counts, stacked, new_owner)

    def select(self, keep: Mask) -> "Patterns":
        """The patterns (P,) to keep."""
        rows = keep[self.owner]
        renumbered = np.cumsum(keep) - 1
        owner = renumbered[self.owner[rows]]
        return Patterns(self.seen[keep], self.group[keep], self.counts[keep], self.factor[rows], owner)


def by_pattern(rows: Array, seen: Mask, group: Index) -> Patterns:
    """Patterns of patients: rows (n, w + J), seen (n, J), group (n,)."""
    key = _keys(seen, group)
    order = np.argsort(key, kind="stable")
    _, first, counts = np.unique(key[order], return_index=True, return_counts=True)
    factor, owner = _triangles(rows[order], counts)
    example = order[first]
    return Patterns(seen[example], group[example], counts.astype(np.int64), factor, owner)


def _keys(seen: Mask, group: Index) -> Index:
    J = seen.shape[1]
    keys: Index = group * (1 << J) + seen @ (1 << np.arange(J))
    return keys


def _triangles(rows: Array, sizes: Index) -> tuple[Array, Index]:
    """The triangular factor of each run of rows, stacked, and whose rows they are."""
    ends = np.cumsum(sizes)
    factors = [triangle(rows[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
    return np.concatenate(factors), np.repeat(np.arange(len(sizes)), [len(f) for f in factors])


def triangle(rows: Array) -> Array:
    """R with R'R = rows'rows, from orthogonal factorisations chunk after chunk."""
    chunks = (rows[low : low + CHUNK_ROWS] for low in range(0, len(rows), CHUNK_ROWS))
    return reduce(lambda R, chunk: upper(np.concatenate([R, chunk])), chunks, rows[:0])


def upper(rows: Array) -> Array:
    """The upper triangular factor of one orthogonal factorisation."""
    R: Array = np.linalg.qr(rows, mode="r")  # type: ignore[assignment]  # numpy types the other modes
    return R
