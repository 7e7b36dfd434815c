"""Playing the attacker: which values of a masked count are compatible with everything that is told."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from easitrace.report.disclosure.profiles import COMPATIBLE

Key = tuple[object, ...]
Sum = tuple[Key, tuple[Key, ...]]
ENDLESS = 1_000_000_000
Counts = dict[Key, int]
Bounds = dict[Key, tuple[int, int | None]]


def exposed(sums: Sequence[Sum], bounds: Bounds, masked: Sequence[Key]) -> list[Key]:
    """The masked counts of which fewer than `COMPATIBLE` values fit to the sums and to what is known of the others.

    Whatever fits at all shows values of every count at once: only those that showed too few are looked at one by one.

    Parameters
    ----------
    sums : sequence of (whole, parts)
        Exact identities between counts.
    bounds : dict
        Smallest and largest value (None: no limit) of every count.
    masked : sequence of keys
        The counts to protect.
    """
    fitting = _program(sums, bounds)
    seen = [fitting(masked, 1), fitting(masked, -1)]
    found = []
    for key in masked:
        if _values(key, seen) < COMPATIBLE:
            lowest, highest = fitting([key], 1), fitting([key], -1)
            seen += [lowest, highest]
            if lowest is None or (highest is not None and _values(key, seen) < COMPATIBLE):
                found.append(key)
    return found


def _values(key: Key, seen: Sequence[Counts | None]) -> int:
    values = [counts[key] for counts in seen if counts is not None]
    return max(values) - min(values) + 1 if values else 0


def forced_zeros(sums: Sequence[Sum], keys: Sequence[Key], wanted: Sequence[Key]) -> set[Key]:
    """The wanted counts that the identities alone force to zero, whatever the data: these are no secret."""
    free: Bounds = dict.fromkeys(keys, (0, None))
    return {key for key, _, highest in reach(sums, free, wanted) if highest == 0}


def reach(sums: Sequence[Sum], bounds: Bounds, wanted: Sequence[Key]) -> Iterator[tuple[Key, int, int]]:
    """The smallest and the largest value of each wanted count, by integer programming (HiGHS).

    Yields
    ------
    (key, int, int)
        With all identities and bounds holding at once; `ENDLESS` where there is no largest value.
    """
    fitting = _program(sums, bounds)
    for key in wanted:
        lowest, highest = (ENDLESS if end is None else end[key] for end in (fitting([key], 1), fitting([key], -1)))
        yield key, lowest, highest


def _program(sums: Sequence[Sum], bounds: Bounds) -> Callable[[Sequence[Key], int], Counts | None]:
    """Finds counts that fit to all identities and bounds, with the smallest (1) or largest (-1) sum over some keys.

    None when nothing fits, or no sum is the largest.
    """
    from scipy.optimize import Bounds as Box
    from scipy.optimize import LinearConstraint, milp
    from scipy.sparse import csr_array

    keys = list(bounds)
    place = {key: number for number, key in enumerate(keys)}
    entries = [(row, place[part], -1.0) for row, (_, parts) in enumerate(sums) for part in parts]
    entries += [(row, place[whole], 1.0) for row, (whole, _) in enumerate(sums)]
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    matrix = csr_array((values, (rows, columns)), shape=(len(sums), len(keys)))
    limits = np.array([(low, np.inf if high is None else high) for low, high in bounds.values()], float).reshape(-1, 2)
    known = {
        "constraints": LinearConstraint(matrix, 0, 0) if sums else (),
        "bounds": Box(limits[:, 0], limits[:, 1]),
        "integrality": np.ones(len(keys)),
    }

    def fitting(aimed: Sequence[Key], sign: int) -> Counts | None:
        aim = np.zeros(len(keys))
        aim[[place[key] for key in aimed]] = sign
        found = milp(aim, **known).x
        return None if found is None else dict(zip(keys, found.round().astype(int).tolist(), strict=True))

    return fitting
