"""The gate: counts go in, told or masked counts come out, and nothing is derived from a count before it went through.

Three steps. A count from 1 up to the threshold is masked; so is a zero, unless two other parts of its total reach the
threshold (else it would say that everybody is in one group). The other counts are rounded to 5. Last, an attacker is
played who knows these rules and all sums: wherever fewer than `COMPATIBLE` values of a masked count fit to what is
told, its totals and all their parts are masked, if need be also those around them, and so on outwards; masking only one
more would tell by being needed which value it protects. What no table shows, the rest of a total, is protected like a
masked count, but it binds nothing: nobody was told it.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from easitrace.errors import DisclosureError, Problem
from easitrace.report.disclosure.audit import Bounds, Sum, exposed, forced_zeros
from easitrace.report.disclosure.profiles import Profile

Key = tuple[object, ...]
COHORT: Key = ("cohort",)
REST = "rest of"


@dataclass
class Ledger:
    """Every count of a report by its key, and which of them add up to which.

    Attributes
    ----------
    counts : dict
        Patients by key.
    sums : list of Sum
        (whole, parts), keys; a part that no table shows is in here too: what is left of a total is a count like others.
    """

    counts: dict[Key, int] = field(default_factory=dict)
    sums: list[Sum] = field(default_factory=list)

    def enter(self, key: Key, count: float) -> Key:
        """Keep a count under its key.

        Raises
        ------
        DisclosureError
            E501 when it is no count, or the key stands for another one.
        """
        if not count >= 0 or count != int(count) or self.counts.setdefault(key, int(count)) != count:
            raise DisclosureError(Problem("E501", _named(key), f"{count} is not the count it should be"))
        return key

    def adds_up(self, whole: Key, parts: Iterable[Key]) -> None:
        """Say that the parts are of the whole; what is left of it, and of one part always, becomes a part of its own.

        Raises
        ------
        DisclosureError
            E501 when the parts are more than the whole.
        """
        own = tuple(dict.fromkeys(parts))
        left = self.counts[whole] - sum(self.counts[part] for part in own)
        rest = () if left == 0 and len(own) > 1 else (self.enter((REST, whole, *own), left),)
        entry = (whole, (*own, *rest))
        if entry not in self.sums:
            self.sums.append(entry)


@dataclass(frozen=True)
class Told:
    """What passed the gate: the rounded count of every key that is told; a key that is absent is masked.

    `masked` are those keys; of them `large` are masked for others' sake alone, and that they reach the threshold is
    taken as known.
    """

    profile: Profile
    counts: dict[Key, int]
    masked: frozenset[Key] = frozenset()
    large: frozenset[Key] = frozenset()

    def count(self, key: Key) -> int | None:
        """The count as it is told, None when it is masked."""
        return self.counts.get(key)

    def quantile(self, key: Key, name: str) -> bool:
        """Whether a quantile of as many patients may be told."""
        told = self.count(key)
        return told is not None and self.profile.quantile_is_safe(told, name)

    def all_large(self, keys: Sequence[Key]) -> bool:
        """Whether all of these counts reach the threshold, so that an estimate from them is told."""
        return bool(keys) and all(self.counts.get(key) or key in self.large for key in keys)


def release(ledger: Ledger, profile: Profile, hidden: Set[Key] = frozenset()) -> Told:
    """Mask and round until no masked count can be recovered.

    Parameters
    ----------
    ledger : Ledger
        All counts of the report and their sums.
    profile : Profile
        From which count on they are told.
    hidden : set of keys
        Counts that are masked already, since a report of a milder profile masks them.

    Raises
    ------
    DisclosureError
        E502 when a masked count stays exposed though everything round it is masked.
    """
    rests = [key for key, count in ledger.counts.items() if key[0] == REST and not count]
    known = forced_zeros(ledger.sums, list(ledger.counts), rests)
    small = {key for key, count in ledger.counts.items() if count < profile.least} - known
    zeros_told = _harmless_zeros(small, known, ledger, profile) - hidden
    zeros = {key for key in zeros_told if not ledger.counts[key]}
    primary = small - zeros
    masked = primary | (hidden & ledger.counts.keys())
    while found := exposed(ledger.sums, _bounds(ledger, profile, masked, zeros_told), sorted(primary, key=repr)):
        masked |= set().union(*(_round_about(key, ledger, masked | zeros) for key in found))
    told = {key: profile.rounded(count) for key, count in ledger.counts.items() if key not in masked}
    large = frozenset(key for key in masked if ledger.counts[key] >= profile.least)
    return Told(profile, told, frozenset(masked), large)


def _harmless_zeros(small: set[Key], known: set[Key], ledger: Ledger, profile: Profile) -> set[Key]:
    """The small counts that are told when they are zero: two other parts of each of their large totals are large.

    A small total and its parts, such as a class in all and in each arm, are told together or not at all. Which counts
    these are hangs on large counts only, so that it does not tell a masked zero from a masked small count.
    """
    told = {key for key in small if _zero_is_harmless(key, ledger, profile)}
    together = [{whole, *parts} - known for whole, parts in ledger.sums if whole in small]
    while wrong := {key for group in together if not group <= told for key in group & told}:
        told -= wrong
    return told


def _zero_is_harmless(key: Key, ledger: Ledger, profile: Profile) -> bool:
    totals = [parts for whole, parts in ledger.sums if key in parts and ledger.counts[whole] >= profile.least]
    others = [sum(ledger.counts[part] >= profile.least for part in parts if part != key) for parts in totals]
    return bool(others) and min(others) > 1


def _bounds(ledger: Ledger, profile: Profile, masked: Set[Key], zeros_told: Set[Key]) -> Bounds:
    """What an attacker knows of each count from the rules alone; of the rest of a total that is nothing."""
    bounds: Bounds = {}
    for key, count in ledger.counts.items():
        if key[0] == REST:
            bounds[key] = (0, None)
        elif key not in masked:
            bounds[key] = profile.compatible(profile.rounded(count))
        elif count >= profile.least:
            bounds[key] = (profile.least, None)
        else:
            bounds[key] = (int(key in zeros_told), profile.least - 1)
    return bounds


def _round_about(key: Key, ledger: Ledger, spared: set[Key]) -> set[Key]:
    """What protects an exposed count: the nearest counts not masked or spared so far, the cohort's size last of all."""
    shown = {other for other in ledger.counts if other[0] != REST}
    for near in (*_rings(key, ledger.sums), shown - {COHORT}, {COHORT}):
        if told := (near & shown) - spared:
            return told
    raise DisclosureError(Problem("E502", _named(key), "stays exposed", "share no report of so few patients"))


def _rings(key: Key, sums: Sequence[Sum]) -> Iterator[set[Key]]:
    """A count's totals with all their parts, then all sums that one of these is in, and so on outwards."""
    reached, border = {COHORT}, {key}
    while border:
        reached |= border
        border = set().union(*({whole, *parts} for whole, parts in sums if border & {whole, *parts})) - reached
        yield border


def _named(key: Key) -> str:
    return "count of " + ", ".join(str(part) for part in key)
