"""The profiles of disclosure: which counts are masked, and how coarsely the others are told."""

import math
from dataclasses import dataclass

INTERNAL = "internal"
THRESHOLDS = {"share-5": 5, "share-8": 8, "share-11": 11}
BASE = 5
HALF = BASE // 2
COMPATIBLE = 2
SIDES = {"median": 2, "q1": 4, "q3": 4}


@dataclass(frozen=True)
class Profile:
    """How counts are told to others.

    Every count that is told is rounded to the nearest multiple of `BASE` in all profiles: the same count is told the
    same way in every report, and the difference of two told counts, in one report or between two, leaves open how many
    patients it is.

    Attributes
    ----------
    name : str
        "share-5"; "share-8", counts up to 7 masked and others rounded to 5 as NHS England and OpenSAFELY do;
        "share-11", counts up to 10 masked as the EMA (policy 0070) and the CMS (cell size suppression policy) do.
    threshold : int
        The smallest group of patients that statistics may be of.
    """

    name: str
    threshold: int

    @property
    def least(self) -> int:
        """The smallest count that is told: the threshold, or the next count from which on all are rounded alike.

        So 11 and 12 are masked with 8 to 10, which a report with a lower threshold tells as the same 10: several
        reports beside each other divide the counts no finer than one of them.
        """
        begins = BASE * math.ceil((self.threshold + HALF) / BASE) - HALF
        return self.threshold if self.threshold == min(THRESHOLDS.values()) else begins

    @property
    def milder(self) -> "Profile | None":
        """The profile with the next lower threshold, None when there is none."""
        lower = [(threshold, name) for name, threshold in THRESHOLDS.items() if threshold < self.threshold]
        return Profile(*max(lower)[::-1]) if lower else None

    def rounded(self, count: int) -> int:
        """A count of no one or of at least `least` as it is told, a multiple of `BASE`."""
        return BASE * round(count / BASE)

    def compatible(self, told: int) -> tuple[int, int]:
        """The smallest and the largest count that are told as `told`."""
        return (max(self.least, told - HALF), told + HALF) if told else (0, 0)

    def quantile_is_safe(self, told: int, name: str) -> bool:
        """Whether at least `threshold` patients lie between the quantile and its neighbours, for all compatible n.

        A percentile is a cut between groups, and each group is a count: Griffiths et al. (2019) Handbook on
        Statistical Disclosure Control for Outputs, section 5 (Safe Data Access Professionals).
        """
        return self.compatible(told)[0] >= SIDES[name] * self.threshold


@dataclass(frozen=True)
class Interval:
    """How the intervals of proportions are computed: their name and level."""

    method: str = "wilson"
    level: float = 0.95


def profile_named(name: str, min_cell: int | None = None) -> Profile:
    """A profile by its name, its threshold raised to `min_cell` when that is given."""
    return Profile(name, max(THRESHOLDS[name], min_cell or 0))


def coarse(value: float, least: float = 0.0) -> float:
    """A number to two significant digits and no finer than `least`, too coarse to be one patient's decimals."""
    if not math.isfinite(value) or value == 0:
        return value
    step = max(least, 10.0 ** (math.floor(math.log10(abs(value))) - 1))
    return round(round(value / step) * step, 10)
