"""Visit patterns and their triangular factors: the additive core of the sufficient statistics."""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array

CHUNK_ROWS = 8192  # of one orthogonal factorisation
DENSE_CELLS = 1_000_000  # counted in a table, more by sorting
Mask = NDArray[np.bool_]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Patterns:
    """Patients by the visits they were seen at, and by covariance group.

    seen : (P, J) visits of each pattern; group : (P,) index of its covariance group; counts : (P,) its patients;
    factor : (R, w + J) the patterns' triangular factors, one below the other; owner : (R,) whose row it is;
    sums : (P, c) of numeric covariates over the rows; cells : (K, 3) pattern, code of a combination of factor levels,
    rows with it.
    """

    seen: Mask
    group: Index
    counts: Index
    factor: Array
    owner: Index
    sums: Array
    cells: Index

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
        seen, group = np.concatenate([self.seen, other.seen]), np.concatenate([self.group, other.group])
        keys, first, which = np.unique(_keys(seen, group), return_index=True, return_inverse=True)
        owner = which[np.concatenate([self.owner, other.owner + len(self.counts)])]
        order = np.argsort(owner, kind="stable")
        stacked = np.concatenate([self.factor, other.factor])[order]
        factor, owner = _triangles(stacked, np.bincount(owner, minlength=len(keys)))
        counts = np.zeros(len(keys), dtype=np.int64)
        np.add.at(counts, which, np.concatenate([self.counts, other.counts]))
        sums = np.zeros((len(keys), self.sums.shape[1]))
        np.add.at(sums, which, np.concatenate([self.sums, other.sums]))
        theirs = other.cells + np.array([len(self.counts), 0, 0])
        cells = np.concatenate([self.cells, theirs])
        cells[:, 0] = which[cells[:, 0]]
        return Patterns(seen[first], group[first], counts, factor, owner, sums, _added_cells(cells))

    def select(self, keep: Mask) -> "Patterns":
        """The patterns (P,) to keep."""
        rows, cells = keep[self.owner], self.cells[keep[self.cells[:, 0]]]
        renumbered = np.cumsum(keep) - 1
        cells[:, 0] = renumbered[cells[:, 0]]
        return Patterns(
            self.seen[keep],
            self.group[keep],
            self.counts[keep],
            self.factor[rows],
            renumbered[self.owner[rows]],
            self.sums[keep],
            cells,
        )


@dataclass(frozen=True)
class Observed:
    """What describes the rows used: patient (N,), covariates (N, c), code (N,) of the combination of factor levels."""

    patient: Index
    covariates: Array
    code: Index


def by_pattern(rows: Array, seen: Mask, group: Index, observed: Observed) -> Patterns:
    """Patterns of patients: rows (n, w + J), seen (n, J), group (n,)."""
    key = _keys(seen, group)
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    counts = np.diff(starts, append=len(key)).astype(np.int64)
    factor, owner = _triangles(rows[order], counts)
    which = np.empty(len(key), dtype=np.int64)
    which[order] = np.repeat(np.arange(len(counts)), counts)
    pattern = which[observed.patient]
    sums = np.zeros((len(counts), observed.covariates.shape[1]))
    for c, column in enumerate(observed.covariates.T):
        sums[:, c] = np.bincount(pattern, weights=column, minlength=len(counts))
    example = order[starts]
    return Patterns(
        seen[example],
        group[example],
        counts,
        factor,
        owner,
        sums,
        _counted_cells(pattern, observed.code),
    )


def _counted_cells(pattern: Index, code: Index) -> Index:
    """Pattern, code and number of rows with both (K, 3)."""
    size = int(code.max(initial=0)) + 1
    both = pattern * size + code
    if (int(pattern.max(initial=0)) + 1) * size <= DENSE_CELLS:
        counts = np.bincount(both)
        found = np.flatnonzero(counts)
        counts = counts[found]
    else:
        found, counts = np.unique(both, return_counts=True)
    return np.column_stack([found // size, found % size, counts]).astype(np.int64)


def _added_cells(cells: Index) -> Index:
    """Rows with the same pattern and code put together."""
    found, which = np.unique(cells[:, :2], axis=0, return_inverse=True)
    counts = np.zeros(len(found), dtype=np.int64)
    np.add.at(counts, which.ravel(), cells[:, 2])
    return np.column_stack([found, counts])


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
