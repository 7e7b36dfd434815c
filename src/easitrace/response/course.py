"""The observed course: summaries by visit and paired changes between visits, before any model."""

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from easitrace.cohort.cohort import Cohort, Visit
from easitrace.errors import NotEstimableError
from easitrace.instruments import percent_change
from easitrace.paired import QuartileMethod, hodges_lehmann, quartiles, signed_rank

RESAMPLES = 1000
Numbers = npt.NDArray[np.float64]


def observed_course(
    cohort: Cohort,
    *,
    instrument: str | None = None,
    quartiles: QuartileMethod = "linear",
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Scores at each visit and their relative change since baseline, in the two ways that are often confused.

    `change_of_median` is the median at the visit against the median at baseline, in percent: of different people
    when fewer were seen. `median_change` is the median of the patients' own percentage changes.

    Parameters
    ----------
    instrument : str or None
        The outcome when None.
    quartiles : str
        Definition of medians and quartiles, see `easitrace.paired.quartiles`.
    level : float
        Confidence level of the intervals of the changes.
    seed : int
        Start of the random numbers of the bootstrap.

    Returns
    -------
    DataFrame
        One row per planned visit: `visit`, `week`, `n`, `missing`, `median`, `q1`, `q3`, `mean`, `sd`, `minimum`,
        `maximum` (points); `change_of_median`, `change_lower`, `change_upper` (percent; percentile bootstrap of
        patients); `median_change`, `median_change_lower`, `median_change_upper` (percent; interval between order
        statistics) of `n_change` patients seen at both visits with a baseline above 0.
    """
    scores = cohort.wide(instrument).to_numpy(dtype=np.float64)
    resampled = _resampled_medians(scores, quartiles, seed)
    rows: list[dict[str, Any]] = []
    for place, visit in enumerate(cohort.schedule):
        row = {"visit": visit.label, "week": visit.week, **_summary(scores[:, place], quartiles)}
        if place:
            row |= _change_of_median(rows[0]["median"], row["median"], resampled[:, [0, place]], level)
            row |= _median_change(percent_change(scores[:, 0], scores[:, place]), level)
        rows.append(row)
    return pd.DataFrame(rows)


def paired_changes(cohort: Cohort, *, instrument: str | None = None, level: float = 0.95) -> pd.DataFrame:
    """Paired change between every two visits: exact Wilcoxon signed-rank test and Hodges-Lehmann shift.

    Returns
    -------
    DataFrame
        `name` ("week 12 v baseline"), `from`, `to`, `n_pairs`, `median_from`, `median_to` (of the pairs), `shift`,
        `lower`, `upper` (points, later minus earlier), `achieved` (the interval's level, below `level` when there
        are fewer than 6 pairs at 95 %), `statistic`, `p`, `method`. Where no test is possible the numbers are
        missing and `method` says why. P values are not adjusted.
    """
    scores = cohort.wide(instrument)
    pairs = combinations(cohort.schedule, 2)
    return pd.DataFrame([_paired(scores, earlier, later, level) for earlier, later in pairs])


def _summary(values: Numbers, method: QuartileMethod) -> dict[str, Any]:
    cuts = quartiles(values, method)
    seen = values[~np.isnan(values)]
    return {
        "n": cuts.n,
        "missing": len(values) - cuts.n,
        "median": cuts.median,
        "q1": cuts.lower,
        "q3": cuts.upper,
        "mean": float(seen.mean()) if cuts.n else np.nan,
        "sd": float(seen.std(ddof=1)) if cuts.n > 1 else np.nan,
        "minimum": float(seen.min()) if cuts.n else np.nan,
        "maximum": float(seen.max()) if cuts.n else np.nan,
    }


def _resampled_medians(scores: Numbers, method: QuartileMethod, seed: int) -> Numbers:
    """Medians of resampled patients, shape (RESAMPLES, n_visits); whoever was seen at two visits stays paired."""
    random = np.random.default_rng(seed)
    n, visits = scores.shape
    draws = (scores[random.integers(n, size=n)] for _ in range(RESAMPLES))
    return np.array([[quartiles(draw[:, visit], method).median for visit in range(visits)] for draw in draws])


def _change_of_median(before: float, after: float, resampled: Numbers, level: float) -> dict[str, float]:
    """Percent, with the percentile bootstrap interval; `resampled` has the two medians, shape (RESAMPLES, 2)."""
    changes = _relative(resampled[:, 0], resampled[:, 1])
    changes = changes[~np.isnan(changes)]
    tails = [(1 - level) / 2, (1 + level) / 2]
    lower, upper = np.quantile(changes, tails).tolist() if len(changes) else (np.nan, np.nan)
    change = float(_relative(np.array(before), np.array(after)))
    return {"change_of_median": change, "change_lower": lower, "change_upper": upper}


def _relative(before: Numbers, after: Numbers) -> Numbers:
    """Percent; missing where the median before is 0."""
    change = np.full(before.shape, np.nan)
    np.divide(100 * (after - before), before, out=change, where=before > 0)
    return change


def _median_change(changes: Numbers, level: float) -> dict[str, float]:
    """Percent, with the interval between two order statistics that covers at least `level` (sign test)."""
    known = np.sort(changes[~np.isnan(changes)])
    lower, upper = _median_interval(known, level)
    median = float(np.median(known)) if len(known) else np.nan
    return {
        "median_change": median,
        "median_change_lower": lower,
        "median_change_upper": upper,
        "n_change": len(known),
    }


def _median_interval(ascending: Numbers, level: float) -> tuple[float, float]:
    """Missing when even the smallest and largest value do not cover `level`."""
    from scipy.stats import binom

    n = len(ascending)
    order = int(binom.ppf((1 - level) / 2, n, 0.5)) if n else 0
    if order < 1:
        return np.nan, np.nan
    return float(ascending[order - 1]), float(ascending[n - order])


def _paired(scores: pd.DataFrame, earlier: Visit, later: Visit, level: float) -> dict[str, Any]:
    pairs = scores[[earlier.week, later.week]].dropna().to_numpy(dtype=np.float64)
    row: dict[str, Any] = {
        "name": f"{later.label} v {earlier.label}",
        "from": earlier.label,
        "to": later.label,
        "n_pairs": len(pairs),
        "median_from": float(np.median(pairs[:, 0])) if len(pairs) else np.nan,
        "median_to": float(np.median(pairs[:, 1])) if len(pairs) else np.nan,
    }
    return row | _shift(pairs[:, 1] - pairs[:, 0], level) | _test(pairs[:, 1] - pairs[:, 0])


def _shift(differences: Numbers, level: float) -> dict[str, float]:
    try:
        shift = hodges_lehmann(differences, level)
    except NotEstimableError:
        return dict.fromkeys(["shift", "lower", "upper", "achieved"], np.nan)
    return {"shift": shift.estimate, "lower": shift.lower, "upper": shift.upper, "achieved": shift.achieved}


def _test(differences: Numbers) -> dict[str, Any]:
    try:
        test = signed_rank(differences)
    except NotEstimableError as error:
        return {"statistic": np.nan, "p": np.nan, "method": f"no test: {error.problems[0].what}"}
    return {"statistic": test.statistic, "p": test.p, "method": test.method}
