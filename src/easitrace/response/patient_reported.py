"""Further outcome measures: course, change against the change that matters, response, and agreement with the outcome.

Correlations are Spearman's; their limits are on Fisher's z scale with the standard error of Bonett & Wright (2000)
Psychometrika 65:23, sqrt((1 + r^2 / 2) / (n - 3)).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.instruments import Instrument
from easitrace.paired import QuartileMethod, quartiles
from easitrace.response.course import paired_changes
from easitrace.response.criteria import ALREADY_MET, reach
from easitrace.response.endpoints import endpoints

FEWEST_PAIRS = 4
EXCEEDS, REACHES, BELOW = "whole interval beyond", "estimate beyond", "not reached"


@dataclass(frozen=True)
class Definition:
    """A responder definition: a criterion, what meeting it means, and who says so."""

    criterion: str
    meaning: str
    source: str


STATES: dict[str, tuple[Definition, ...]] = {
    "poem": (
        Definition("poem<=7", "optimal target", "De Bruin-Weller 2021"),
        Definition("poem<=2", "optimal target", "AHEAD 2024"),
    ),
    "dlqi": (
        Definition("dlqi<=5", "optimal target", "De Bruin-Weller 2021"),
        Definition("dlqi<=1", "optimal target", "AHEAD 2024"),
    ),
    "itch_nrs": (
        Definition("itch_nrs<=4", "optimal target", "De Bruin-Weller 2021"),
        Definition("itch_nrs<=1", "optimal target", "AHEAD 2024"),
    ),
    "iga": (Definition("iga<=1", "clear or almost clear", "AHEAD 2024"),),
    "viga_ad": (Definition("viga_ad<=1 and viga_ad drop>=2", "response", "trial usage"),),
    "patient_global": (Definition("patient_global<=2", "good or better; optimal target", "De Bruin-Weller 2021"),),
    "adct": (Definition("adct<=6", "controlled, as 7 or more is not", "Pariser 2020"),),
}


def other_instruments(cohort: Cohort) -> list[str]:
    """The instruments besides the outcome that have at least one score."""
    return [name for name in cohort.measured[1:] if cohort.visits[name].notna().any()]


def definitions(instrument: Instrument) -> list[Definition]:
    """Responder definitions of an instrument: its changes that matter, then the states named in `STATES`."""
    word = "drop" if instrument.better == "lower" else "rise"
    changes = [
        Definition(f"{instrument.name} {word}>={threshold.points:g}", threshold.meaning, threshold.source)
        for threshold in instrument.thresholds
    ]
    return [*changes, *STATES.get(instrument.name, ())]


def courses(cohort: Cohort, names: Sequence[str], method: QuartileMethod = "linear") -> pd.DataFrame:
    """Scores of several instruments at each planned visit.

    Returns
    -------
    DataFrame
        `instrument`, `visit`, `week`, `n`, `missing` (of all patients), `median`, `q1`, `q3` (points).
    """
    rows = []
    for name in names:
        scores = cohort.wide(name)
        for visit in cohort.schedule:
            cuts = quartiles(scores[visit.week].to_numpy(float), method)
            numbers = {"n": cuts.n, "missing": len(scores) - cuts.n, "median": cuts.median}
            place: dict[str, Any] = {"instrument": name, "visit": visit.label, "week": visit.week}
            rows.append({**place, **numbers, "q1": cuts.lower, "q3": cuts.upper})
    return pd.DataFrame(rows)


def changes(cohort: Cohort, names: Sequence[str], *, level: float = 0.95) -> pd.DataFrame:
    """Paired change since baseline of several instruments, against the first change that their sources call important.

    Returns
    -------
    DataFrame
        `instrument`, then the columns of `easitrace.response.course.paired_changes` for each visit v baseline, then
        `important` (points, missing when no source names one), `meaning`, `source`, and `against`: whether the
        improvement is beyond it with its whole interval (`EXCEEDS`), with its estimate (`REACHES`) or not (`BELOW`);
        "" when there is no estimate or no important change.
    """
    tables = []
    for name in names:
        own = paired_changes(cohort, instrument=name, level=level)
        own = own[own["from"] == cohort.baseline.label].assign(**_important(cohort.instrument(name)))
        own.insert(0, "instrument", name)
        tables.append(own)
    table = pd.concat(tables, ignore_index=True)
    better = {name: cohort.instrument(name).better for name in names}
    return table.assign(against=[_against(row, better[row["instrument"]]) for row in table.to_dict("records")])


def responders(
    cohort: Cohort, names: Sequence[str], *, estimand: str, level: float = 0.95, interval: str = "wilson"
) -> pd.DataFrame:
    """Patients who meet each responder definition, by visit.

    Returns
    -------
    DataFrame
        `instrument`, `meaning`, `source`, then the columns of `easitrace.response.endpoints.endpoints` (`undefined`:
        patients who cannot reach the change from their baseline, not in `n`), and `met_at_baseline`.
    """
    wanted = [(name, item) for name in names for item in definitions(cohort.instrument(name))]
    if not wanted:
        return pd.DataFrame(columns=["instrument", "criterion"])
    about = pd.DataFrame(
        {
            "criterion": [item.criterion for _, item in wanted],
            "instrument": [name for name, _ in wanted],
            "meaning": [item.meaning for _, item in wanted],
            "source": [item.source for _, item in wanted],
            "met_at_baseline": [int((reach(cohort, item.criterion) == ALREADY_MET).sum()) for _, item in wanted],
        }
    )
    table = endpoints(cohort, list(about["criterion"]), estimand=estimand, level=level, interval=interval)
    first = ["instrument", "meaning", "source"]
    return about.merge(table, on="criterion", sort=False)[[*first, *table.columns, "met_at_baseline"]]


def correlations(cohort: Cohort, names: Sequence[str], *, level: float = 0.95) -> pd.DataFrame:
    """Spearman correlation of the change since baseline with that of the outcome, by visit.

    Returns
    -------
    DataFrame
        `instrument`, `visit`, `week`, `n_pairs` (patients with all four scores), `rho`, `lower`, `upper`; missing
        with fewer than 4 patients, or when a change is the same in all of them.
    """
    rows = []
    outcome = _since_baseline(cohort, cohort.outcome)
    for name in names:
        other = _since_baseline(cohort, name)
        for visit in cohort.schedule[1:]:
            both = pd.concat([outcome[visit.week], other[visit.week]], axis=1).dropna().to_numpy(float)
            place = {"instrument": name, "visit": visit.label, "week": visit.week}
            rows.append({**place, **spearman(both[:, 0], both[:, 1], level=level)})
    return pd.DataFrame(rows)


def spearman(first: Any, second: Any, *, level: float = 0.95) -> dict[str, float]:
    """`n_pairs`, `rho`, `lower`, `upper` of two arrays of shape (n_pairs,) without missing values."""
    from scipy.stats import rankdata

    n = len(first)
    ranks = np.array([rankdata(first), rankdata(second)]) if n else np.zeros((2, 0))
    if n < FEWEST_PAIRS or (ranks.std(axis=1) == 0).any():
        return {"n_pairs": n, "rho": math.nan, "lower": math.nan, "upper": math.nan}
    rho = float(np.clip(np.corrcoef(ranks)[0, 1], -1, 1))
    if abs(rho) == 1:
        return {"n_pairs": n, "rho": rho, "lower": math.nan, "upper": math.nan}
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    centre = math.atanh(rho)
    return {"n_pairs": n, "rho": rho, "lower": math.tanh(centre - half), "upper": math.tanh(centre + half)}


def _since_baseline(cohort: Cohort, name: str) -> pd.DataFrame:
    scores = cohort.wide(name)
    return scores.sub(scores[cohort.baseline.week], axis=0)


def _important(instrument: Instrument) -> dict[str, Any]:
    if not instrument.thresholds:
        return {"important": math.nan, "meaning": "", "source": ""}
    threshold = instrument.thresholds[0]
    return {"important": threshold.points, "meaning": threshold.meaning, "source": threshold.source}


def _against(row: Any, better: str) -> str:
    if math.isnan(row["shift"]) or math.isnan(row["important"]):
        return ""
    gain, worst = (-row["shift"], -row["upper"]) if better == "lower" else (row["shift"], row["lower"])
    if worst >= row["important"]:
        return EXCEEDS
    return REACHES if gain >= row["important"] else BELOW
