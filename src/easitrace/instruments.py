"""What EASI and the other eczema measures are: range, grid, severity bands, changes that matter, exact arithmetic.

Scores are compared as integers, in millionths of a point, because `(b - f) / b >= 0.75` in floating point
misclassifies some of the pairs that meet EASI-75 exactly. A score with at most six decimals is compared
exactly. A missing score gives a missing answer, never False.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from easitrace.errors import ParameterError, Problem

UNITS_PER_POINT = 1_000_000
UNITS_PER_PERCENT = 1_000


@dataclass(frozen=True)
class Bands:
    """Severity bands without gaps: each border is (score, "<=" or "<"), the upper end of its band.

    Borders (0, "<="), (1, "<="), (7, "<=") make the bands [minimum, 0], (0, 1], (1, 7], (7, maximum].
    """

    source: str
    labels: tuple[str, ...]
    borders: tuple[tuple[float, Literal["<=", "<"]], ...]


@dataclass(frozen=True)
class Threshold:
    """A change, in points, that a source calls important."""

    points: float
    meaning: str
    source: str


@dataclass(frozen=True)
class Instrument:
    """A numeric outcome measure: scores run from `minimum` to `maximum` in steps of `grid`."""

    name: str
    label: str
    minimum: float
    maximum: float
    grid: float
    better: Literal["lower", "higher"] = "lower"
    bands: tuple[Bands, ...] = ()
    thresholds: tuple[Threshold, ...] = ()

    @property
    def best(self) -> float:
        """The best possible score; from there no relative improvement is defined."""
        return self.minimum if self.better == "lower" else self.maximum

    def out_of_range(self, scores: Any) -> npt.NDArray[np.bool_]:
        """Which scores lie outside the range or are infinite; a missing score does not."""
        values = _values(scores)
        return np.asarray((values < self.minimum) | (values > self.maximum))

    def off_grid(self, scores: Any) -> npt.NDArray[np.bool_]:
        """Which finite scores are no whole number of grid steps above the minimum."""
        values = _values(scores)
        finite = np.isfinite(values)
        steps = _units(np.where(finite, values - self.minimum, 0.0))
        return np.asarray(finite & (steps % round(self.grid * UNITS_PER_POINT) != 0))


def _upto(*cuts: float) -> tuple[tuple[float, Literal["<=", "<"]], ...]:
    return tuple((cut, "<=") for cut in cuts)


def _below(*cuts: float) -> tuple[tuple[float, Literal["<=", "<"]], ...]:
    return tuple((cut, "<") for cut in cuts)


FOUR_GRADES = ("clear", "mild", "moderate", "severe")
MCID = "minimal clinically important difference"

EASI = Instrument(
    "easi",
    "EASI",
    minimum=0,
    maximum=72,
    grid=0.1,
    bands=(
        Bands(
            "Leshem 2015",
            ("clear", "almost clear", "mild", "moderate", "severe", "very severe"),
            _upto(0, 1, 7, 21, 50),
        ),
        Bands("Chopra 2017", FOUR_GRADES, _upto(0) + _below(6, 23)),
    ),
    thresholds=(Threshold(6.6, MCID, "Schram 2012"),),
)
SCORAD = Instrument(
    "scorad",
    "SCORAD",
    minimum=0,
    maximum=103,
    grid=0.1,
    bands=(Bands("Chopra 2017", FOUR_GRADES, _below(10, 29, 49)),),
    thresholds=(Threshold(8.7, MCID, "Schram 2012"),),
)
OBJECTIVE_SCORAD = Instrument(
    "oscorad",
    "objective SCORAD",
    minimum=0,
    maximum=83,
    grid=0.1,
    bands=(Bands("Chopra 2017", FOUR_GRADES, _below(8, 24, 38)),),
    thresholds=(Threshold(8.2, MCID, "Schram 2012"),),
)
POEM = Instrument(
    "poem",
    "POEM",
    minimum=0,
    maximum=28,
    grid=1,
    bands=(
        Bands(
            "Charman 2013",
            ("clear or almost clear", "mild", "moderate", "severe", "very severe"),
            _upto(2, 7, 16, 24),
        ),
    ),
    thresholds=(
        Threshold(3.4, MCID, "Schram 2012"),
        Threshold(4, "very likely important change, while up to 2 may be measurement error", "Howells 2018"),
    ),
)
DLQI = Instrument(
    "dlqi",
    "DLQI",
    minimum=0,
    maximum=30,
    grid=1,
    bands=(
        Bands(
            "Hongbo 2005",
            ("no effect", "small effect", "moderate effect", "very large effect", "extremely large effect"),
            _upto(1, 5, 10, 20),
        ),
    ),
    thresholds=(Threshold(4, MCID, "Basra 2015"),),
)
ITCH_NRS = Instrument(
    "itch_nrs",
    "peak pruritus NRS",
    minimum=0,
    maximum=10,
    grid=1,
    bands=(Bands("PP-NRS 0-3, 4-6, 7-10", ("mild", "moderate", "severe"), _upto(3, 6)),),
    thresholds=(Threshold(4, "response", "trial usage"),),
)
VIGA_AD = Instrument("viga_ad", "vIGA-AD", minimum=0, maximum=4, grid=1)
IGA = Instrument("iga", "IGA (6-level)", minimum=0, maximum=5, grid=1)
PATIENT_GLOBAL = Instrument(
    "patient_global",
    "patient global assessment",
    minimum=0,
    maximum=4,
    grid=1,
    bands=(Bands("PGAD", ("excellent", "very good", "good", "fair", "poor"), _upto(0, 1, 2, 3)),),
    thresholds=(Threshold(1, "one level, acceptable target at 3 months", "De Bruin-Weller 2021"),),
)
ADCT = Instrument(
    "adct",
    "ADCT",
    minimum=0,
    maximum=24,
    grid=1,
    bands=(Bands("Pariser 2020, doi 10.1080/03007995.2019.1699516", ("controlled", "not controlled"), _below(7)),),
    thresholds=(Threshold(5, "meaningful change within a person", "Simpson 2019, doi 10.1186/s12895-019-0095-3"),),
)
RECAP = Instrument(
    "recap",
    "RECAP",
    minimum=0,
    maximum=28,
    grid=1,
    thresholds=(
        Threshold(
            4,
            "very likely important change, while less than 2 may be measurement error",
            "Baker 2024, doi 10.1002/ski2.470",
        ),
    ),
)

INSTRUMENTS: dict[str, Instrument] = {
    instrument.name: instrument
    for instrument in (
        EASI, SCORAD, OBJECTIVE_SCORAD, POEM, DLQI, ITCH_NRS, VIGA_AD, IGA, PATIENT_GLOBAL, ADCT, RECAP
    )
}  # fmt: skip


def declare_instrument(declaration: Mapping[str, Any]) -> Instrument:
    """The instrument a parameter file declares as `{name, label, minimum, maximum, grid, better}`.

    Raises
    ------
    ParameterError
        For a missing or unknown key, a range that is no range, a grid that is not positive.
    """
    required = {"name", "minimum", "maximum", "grid", "better"}
    faults = [f'key "{key}" is missing' for key in sorted(required - set(declaration))]
    faults += [f'unknown key "{key}"' for key in sorted(set(declaration) - required - {"label"})]
    if not faults:
        if not _number(declaration["minimum"]) or not _number(declaration["maximum"]):
            faults.append("minimum and maximum must be numbers")
        elif declaration["minimum"] >= declaration["maximum"]:
            faults.append("minimum must be below maximum")
        if not _number(declaration["grid"]) or declaration["grid"] <= 0:
            faults.append("grid must be a number above 0")
        if declaration["better"] not in ("lower", "higher"):
            faults.append("better must be lower or higher")
    if faults:
        raise ParameterError(Problem("E105", "instrument", fault) for fault in faults)
    return Instrument(**{"label": declaration["name"], **declaration})


def improved_by(baseline: Any, followup: Any, percent: float, better: str = "lower") -> "pd.Series[Any]":
    """Whether a score improved by at least `percent` of its baseline, exactly (EASI-75 is `percent=75`).

    Parameters
    ----------
    baseline, followup : array of shape (n,)
        Scores in points, paired.
    percent : float
        Percentage of the baseline, with at most three decimals.
    better : "lower" or "higher"
        Direction of improvement.

    Returns
    -------
    Series of dtype boolean, shape (n,)
        Missing where a score is missing, and where the baseline is 0 (no percentage is defined).
    """
    start, now = _values(baseline), _values(followup)
    known = np.isfinite(start) & np.isfinite(now) & (start != 0)
    gain = _improvement(start, now, better, known)
    needed = round(percent * UNITS_PER_PERCENT) * _units(np.where(known, start, 0.0))
    return _answer(gain * (100 * UNITS_PER_PERCENT) >= needed, known, baseline)


def improved_points(baseline: Any, followup: Any, points: float, better: str = "lower") -> "pd.Series[Any]":
    """Whether a score improved by at least `points`, exactly; missing where a score is missing."""
    start, now = _values(baseline), _values(followup)
    known = np.isfinite(start) & np.isfinite(now)
    return _answer(_improvement(start, now, better, known) >= _unit(points), known, baseline)


def at_least_as_good(score: Any, target: float, better: str = "lower") -> "pd.Series[Any]":
    """Whether a score is at or beyond `target` (EASI <= 7 is `target=7`), exactly; missing stays missing."""
    values = _values(score)
    known = np.isfinite(values)
    units = _units(np.where(known, values, 0.0))
    reached = units <= _unit(target) if better == "lower" else units >= _unit(target)
    return _answer(reached, known, score)


def lost_more_than(baseline: Any, best: Any, followup: Any, percent: float, better: str = "lower") -> "pd.Series[Any]":
    """Whether more than `percent` of the best improvement since baseline has been lost again, exactly.

    Missing where a score is missing, and where `best` is no improvement on the baseline.
    """
    start, top, now = _values(baseline), _values(best), _values(followup)
    known = np.isfinite(start) & np.isfinite(top) & np.isfinite(now)
    gained = _improvement(start, top, better, known)
    lost = gained - _improvement(start, now, better, known)
    over = lost * (100 * UNITS_PER_PERCENT) > round(percent * UNITS_PER_PERCENT) * gained
    return _answer(over, known & (gained > 0), baseline)


def percent_change(baseline: Any, followup: Any) -> npt.NDArray[np.float64]:
    """Change from baseline in percent, shape (n,); missing where a score is missing or the baseline is 0."""
    start, now = _values(baseline), _values(followup)
    change = np.full(start.shape, np.nan)
    np.divide(100 * (now - start), start, out=change, where=start != 0)
    return change


def severity(scores: Any, bands: Bands) -> "pd.Categorical[Any]":
    """The severity band of each score, ordered from mild to severe; missing stays missing."""
    values = _values(scores)
    known = np.isfinite(values)
    units = _units(np.where(known, values, 0.0))
    above = [units > _unit(cut) if side == "<=" else units >= _unit(cut) for cut, side in bands.borders]
    codes = np.where(known, np.sum(above, axis=0, dtype=np.int64), -1)
    return pd.Categorical.from_codes(codes, categories=pd.Index(bands.labels), ordered=True)


def _values(scores: Any) -> npt.NDArray[np.float64]:
    if isinstance(scores, pd.Series):
        return scores.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(scores, dtype=np.float64)


def _unit(points: float) -> int:
    return round(points * UNITS_PER_POINT)


def _units(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.rint(points * UNITS_PER_POINT).astype(np.int64)


def _improvement(
    start: npt.NDArray[np.float64], now: npt.NDArray[np.float64], better: str, known: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    change = _units(np.where(known, start, 0.0)) - _units(np.where(known, now, 0.0))
    return change if better == "lower" else -change


def _answer(answer: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_], like: Any) -> "pd.Series[Any]":
    index = like.index if isinstance(like, pd.Series) else None
    return pd.Series(pd.arrays.BooleanArray(answer, ~known), index=index)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
