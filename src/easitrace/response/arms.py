"""The estimated course of the arms of a trial, and how they differ.

With g the scale, mu_j the mean of the reference arm at visit j and tau_aj what arm a differs from it,

    g(Y_ij) = mu_j + tau_a(i)j + x_i'beta + e_ij,    tau = 0 for the reference,

where `baseline` says how the score before treatment enters:

    common               tau = 0 at baseline: randomised arms have one mean there (constrained longitudinal data
                         analysis: Liang & Zeger 2000, Sankhya B 62:134; Lu 2010, Stat Med 29:1365)
    own                  tau is free at baseline too; the effect is the difference between the changes
    covariate            later visits only, with g(Y_i0) as a covariate with one slope
    covariate-by-visit   later visits only, with a slope of g(Y_i0) at each visit

Means are at the mean of covariates over the rows used, factors averaged with equal weights, as in `emmeans`.
"""

from typing import Any, Literal

import numpy as np
import pandas as pd

from easitrace.cohort.arms import ARM
from easitrace.cohort.cohort import Cohort
from easitrace.covariance import Array
from easitrace.models.emmeans import back_transform, marginal_means
from easitrace.models.fit import Fit

BaselineRule = Literal["common", "own", "covariate", "covariate-by-visit"]
TREATMENT, START = "treatment", "start"
TERMS: dict[BaselineRule, list[str]] = {
    "common": [],
    "own": [],
    "covariate": [START],
    "covariate-by-visit": [START, f"visit:{START}"],
}
SCORE, CHANGE = "score", "change"
NUMBERS = ("estimate", "lower", "upper", "statistic", "df", "p")
NO_DIFFERENCE = "no difference between the arms at any visit after baseline"
SAME_DIFFERENCE = "the same difference between the arms at every visit after baseline"


def arm_formula(covariates: list[str], baseline: BaselineRule) -> str:
    """`y ~ visit * treatment` with the baseline's terms and the covariates added."""
    return " + ".join([f"y ~ visit * {TREATMENT}", *TERMS[baseline], *covariates])


def arm_rows(rows: pd.DataFrame, cohort: Cohort, baseline: BaselineRule) -> pd.DataFrame:
    """Rows of `model_rows` with `treatment`, the factor of the model, and `start`, the baseline as a covariate."""
    first = rows["week"] == cohort.baseline.week
    if baseline in ("common", "own"):
        treatment = rows[ARM].mask(first, cohort.arms[0]) if baseline == "common" else rows[ARM]
        return rows.assign(treatment=treatment)
    start = rows[first].set_index("patient")["y"]
    later = rows[~first]
    seen = later["visit"].cat.remove_unused_categories()
    return later.assign(visit=seen, treatment=later[ARM], start=later["patient"].map(start)).reset_index(drop=True)


def of_arms(rows: pd.DataFrame) -> bool:
    """Whether these are rows of a model of arms."""
    return TREATMENT in rows


def arm_means(fit: Fit, rows: pd.DataFrame, scale: Any, level: float) -> pd.DataFrame:
    """Estimated mean of each arm at each visit, in points.

    Returns
    -------
    DataFrame
        `arm`, `visit`, `week`, `n` (patients seen), `mean`, `lower`, `upper` (points), `df`; missing for an arm nobody
        of which was seen at the visit.
    """
    cells = _cells(fit, rows)
    found = fit.estimate(np.stack(list(cells["L"])), level)
    with np.errstate(over="ignore"):
        table = back_transform(cells.drop(columns="L").assign(**found._asdict()), scale)
    return table.rename(columns={"estimate": "mean"})[["arm", "visit", "week", "n", "mean", "lower", "upper", "df"]]


def arm_changes(fit: Fit, rows: pd.DataFrame, level: float) -> pd.DataFrame:
    """Change from baseline of each arm at each later visit, on the model's scale.

    Where the baseline is a covariate, the mean at the visit less the baseline's mean, which is taken as known.

    Returns
    -------
    DataFrame
        `arm`, `visit`, `week`, `estimate`, `lower`, `upper`, `statistic`, `df`, `p`.
    """
    cells = _cells(fit, rows)
    if START not in rows:
        return _estimated(fit, _since_baseline(cells), level)
    table, start = _estimated(fit, cells, level), fit.covariate_means[START]
    moved = table.assign(**{name: table[name] - start for name in ("estimate", "lower", "upper")})
    return _tested(moved, (table["upper"] - table["lower"]) / 2, level)


def arm_differences(fit: Fit, rows: pd.DataFrame, level: float) -> pd.DataFrame:
    """Each other arm less the reference at each visit, on the model's scale.

    Returns
    -------
    DataFrame
        `arm`, `reference`, `visit`, `week`, `n`, `n_reference` (patients seen), `quantity` ("score", or "change"
        since baseline where the arms have baseline means of their own), `estimate`, `lower`, `upper`, `statistic`,
        `df`, `p`.
    """
    cells = _cells(fit, rows)
    free = _free_at_baseline(cells, rows)
    first = cells["week"].min()
    apart = _apart(cells if free or START in rows else cells[cells["week"] > first])
    parts = [_estimated(fit, apart, level).assign(quantity=SCORE)]
    if free:
        parts.append(_estimated(fit, _apart(_since_baseline(cells)), level).assign(quantity=CHANGE))
    reference = rows[ARM].cat.categories[0]
    n = cells.set_index([ARM, "visit"])["n"]
    table = pd.concat(parts, ignore_index=True).assign(
        reference=reference,
        n=lambda frame: [n[arm, visit] for arm, visit in zip(frame[ARM], frame["visit"], strict=True)],
        n_reference=lambda frame: [n[reference, visit] for visit in frame["visit"]],
    )
    return table[[ARM, "reference", "visit", "week", "n", "n_reference", "quantity", *NUMBERS]]


def effects(differences: pd.DataFrame) -> pd.DataFrame:
    """The rows of `arm_differences` that compare arms: of the changes where the arms have their own baseline means."""
    own = (differences["quantity"] == CHANGE).any()
    return differences[differences["quantity"] == (CHANGE if own else SCORE)]


def joint_tests(fit: Fit, rows: pd.DataFrame) -> pd.DataFrame:
    """F tests of all differences after baseline at once; of the changes where the arms have their own baseline.

    Returns
    -------
    DataFrame
        `hypothesis` (`NO_DIFFERENCE`, and with two visits or more `SAME_DIFFERENCE`), `df1`, `df2`, `f`, `p`.
    """
    cells = _cells(fit, rows)
    later = cells if START in rows else cells[cells["week"] > cells["week"].min()]
    effects = _apart(_since_baseline(cells) if _free_at_baseline(cells, rows) else later)
    hypotheses = {NO_DIFFERENCE: np.stack(list(effects["L"]))}
    if effects["week"].nunique() > 1:
        hypotheses[SAME_DIFFERENCE] = np.vstack([_from_first(own["L"]) for _, own in effects.groupby(ARM)])
    found = {name: fit.test(L) for name, L in hypotheses.items()}
    return pd.DataFrame([{"hypothesis": name, **test._asdict()} for name, test in found.items()])


def _cells(fit: Fit, rows: pd.DataFrame) -> pd.DataFrame:
    """`arm`, `visit`, `week`, `n`, `L` (all terms): the model's mean of each arm at each visit."""
    frame, L = marginal_means(fit, ["visit", TREATMENT], {}, "equal")
    means = {(visit, arm): row for (visit, arm), row in zip(frame.itertuples(index=False, name=None), L, strict=True)}
    given = rows.groupby("visit", observed=True)[TREATMENT].nunique()
    weeks = rows.groupby("visit", observed=True)["week"].first()
    counts = rows.groupby(["visit", ARM], observed=False).size()
    reference, *_ = arms = list(rows[ARM].cat.categories)
    common = given.index[(given == 1) & (weeks == weeks.min()) & (START not in rows)]
    cells = [
        {"arm": arm, "visit": visit, "week": weeks[visit], "n": int(counts[visit, arm]),
         "L": means[visit, reference if visit in common else arm]}
        for arm in arms
        for visit in fit.visits
    ]  # fmt: skip
    return pd.DataFrame(cells)


def _free_at_baseline(cells: pd.DataFrame, rows: pd.DataFrame) -> bool:
    """Whether the arms have baseline means of their own."""
    first = cells[cells["week"] == cells["week"].min()]
    return START not in rows and not all(np.array_equal(L, first["L"].iloc[0]) for L in first["L"])


def _since_baseline(cells: pd.DataFrame) -> pd.DataFrame:
    first = cells[cells["week"] == cells["week"].min()].set_index(ARM)["L"]
    later = cells[cells["week"] > cells["week"].min()]
    differences: pd.DataFrame = later.assign(L=[L - first[arm] for arm, L in zip(later[ARM], later["L"], strict=True)])
    return differences


def _apart(cells: pd.DataFrame) -> pd.DataFrame:
    """Each other arm less the first."""
    first = cells[cells[ARM] == cells[ARM].iloc[0]].set_index("visit")["L"]
    others = cells[cells[ARM] != cells[ARM].iloc[0]]
    differences: pd.DataFrame = others.assign(
        L=[L - first[visit] for visit, L in zip(others["visit"], others["L"], strict=True)]
    )
    return differences


def _from_first(L: "pd.Series[Any]") -> Array:
    rows = np.stack(list(L))
    differences: Array = rows[1:] - rows[0]
    return differences


def _estimated(fit: Fit, cells: pd.DataFrame, level: float) -> pd.DataFrame:
    found = fit.estimate(np.stack(list(cells["L"])), level)._asdict()
    return cells[[ARM, "visit", "week"]].assign(**{name: found[name] for name in NUMBERS}).reset_index(drop=True)


def _tested(table: pd.DataFrame, half: "pd.Series[float]", level: float) -> pd.DataFrame:
    """With t and P from the estimates and the half width of their intervals."""
    from scipy.special import stdtr, stdtrit

    statistic = table["estimate"] / half * stdtrit(table["df"], (1 + level) / 2)
    return table.assign(statistic=statistic, p=2 * stdtr(table["df"], -statistic.abs()))
