"""Playing the attacker: which values of a masked count are compatible with everything that is told."""

from collections.abc import Iterator, Sequence

import numpy as np

from easitrace.report.disclosure.profiles import COMPATIBLE

Key = tuple[object, ...]
Sum = tuple[Key, tuple[Key, ...]]
ENDLESS = 1_000_000_000
Bounds = dict[Key, tuple[int, int | None]]


def exposed(sums: Sequence[Sum], bounds: Bounds, masked: Sequence[Key]) -> list[Key]:
    """The masked counts of which fewer than `COMPATIBLE` values fit to the sums and to what is known of the others.

    Parameters
    ----------
    sums : sequence of (whole, parts)
        Exact identities between counts.
    bounds : dict
        Smallest and largest value (None: no limit) of every count.
    masked : sequence of keys
        The counts to protect.
    """
    return [key for key, lowest, highest in reach(sums, bounds, masked) if highest - lowest + 1 < COMPATIBLE]


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
    for key in wanted:
        aim = np.zeros(len(keys))
        aim[place[key]] = 1.0
        ends = [milp(sign * aim, **known).x for sign in (1, -1)]
        lowest, highest = (ENDLESS if end is None else round(end[place[key]]) for end in ends)
        yield key, lowest, highest
