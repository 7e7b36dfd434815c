"""How probable each response class is for each patient, given the scores that were seen.

Two things keep a class from being certain.

*Scores not seen yet.* For patients in follow-up, or not seen at the decision week, the scores up to the decision week
are drawn from the fitted trajectory model given those seen, and the class rule is applied to every draw, as if
treatment went on until then. The parameters of the model are drawn too. Every other patient's class is known.

*Measurement error.* The covariance of the model holds what differs between and within patients and the error of a
single score; one score per visit does not tell them apart. So the classes of the courses without error are given for
stated reliabilities: rho is the share of the variance (mean over the visits) that is no error. The error variance is
below the smallest eigenvalue of Sigma, so `least_reliability` is as low as rho can be.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import attendance
from easitrace.errors import NotEstimableError, Problem
from easitrace.models.emmeans import BACK
from easitrace.models.fit import Fit
from easitrace.models.predictive import Parameters, drawn, point, simulated
from easitrace.response.classify import CLASSES, NOT_YET, VISIT_MISSING, classify
from easitrace.response.criteria import criterion_of
from easitrace.response.estimands import recorded_under
from easitrace.response.expression import atoms
from easitrace.response.rules import Rule
from easitrace.response.trajectory import SCALES, ScaleName

RELIABILITIES = (1.0, 0.95, 0.9, 0.8)
DRAWS = 4000
BUDGET = 12_000  # classes decided per reliability; many patients share it
FEWEST_DRAWS = 20
PARAMETER_DRAWS = 1000


@dataclass(frozen=True)
class Scores:
    """Patients as the model has them.

    patients (n,), X (n, J, p) model rows, y (n, J) scores on the model's scale, missing where not seen, weeks (J,).
    """

    patients: Any
    X: Any
    y: Any
    weeks: Any


def check_of_outcome(cohort: Cohort, criterion: str) -> None:
    """Refuse a criterion that the trajectory model of the outcome says nothing about.

    Raises
    ------
    NotEstimableError
        E330, when the criterion is about another instrument.
    """
    others = sorted({atom.instrument for atom in atoms(criterion_of(cohort, criterion))} - {cohort.outcome})
    if others:
        what = f"{criterion!r} is about {', '.join(others)}; the trajectory model is of {cohort.outcome}"
        raise NotEstimableError(Problem("E330", "criterion", what))


def scores_of(cohort: Cohort, fit: Fit, scale: ScaleName, covariates: Sequence[str] = ()) -> Scores:
    """Every patient of a cohort who has the covariates, as the model has them."""
    wide = cohort.wide()
    weeks = [visit.week for visit in cohort.schedule if visit.label in fit.visits]
    people = cohort.patients.dropna(subset=list(covariates))
    visits = pd.DataFrame({"visit": list(fit.visits)})
    grid = people[["patient", *covariates]].merge(visits, how="cross")
    X = fit.recipe.rows(grid).reshape(len(people), len(weeks), -1)
    y = SCALES[scale].to(wide.loc[people["patient"], weeks].to_numpy(float))
    return Scores(people["patient"].to_numpy(), X, y, weeks)


def least_reliability(fit: Fit) -> float:
    """The share of the variance below which no course would be left beside the error."""
    sigma = point(fit).sigma[0]
    return float(1 - np.linalg.eigvalsh(sigma)[0] / np.diag(sigma).mean())


def class_probabilities(
    cohort: Cohort,
    fit: Fit,
    rule: Rule,
    scale: ScaleName,
    covariates: Sequence[str] = (),
    *,
    reliability: float = 1.0,
    seed: int,
    draws: int = DRAWS,
) -> pd.DataFrame:
    """Each patient's probability of every class.

    Parameters
    ----------
    cohort : Cohort
        The scores that count under the estimand (`recorded_under`).
    fit : Fit
        The trajectory model of the outcome on `scale`.
    reliability : float
        Above `least_reliability`, at most 1: share of the variance that is no measurement error.
    draws : int
        Courses per patient, at most; fewer where patients are so many that they would exceed `BUDGET`.

    Returns
    -------
    DataFrame
        `patient`, `observed` (class by the recorded scores), `pending` (scores up to the decision week are drawn),
        `draws` (0: the class is known), one column per class of `CLASSES`, which add up to 1.

    Raises
    ------
    NotEstimableError
        E330: the model has not converged, does not know the criterion's instrument, or leaves no room for the error.
    """
    check_of_outcome(cohort, rule.criterion)
    cohort = recorded_under(cohort, rule.estimand)
    observed = classify(cohort, **asdict(rule)).set_index("patient")["class"].astype(str)
    scores = scores_of(cohort, fit, scale, covariates)
    pending = _pending(cohort, observed, rule).reindex(scores.patients).to_numpy()
    uncertain = pending | (reliability < 1)
    known = pd.get_dummies(pd.Categorical(observed, categories=list(CLASSES))).astype(float).set_axis(observed.index)
    table = known.assign(draws=0)
    if uncertain.any():
        count = int(np.clip(BUDGET // uncertain.sum(), FEWEST_DRAWS, draws))
        chosen = Scores(scores.patients[uncertain], scores.X[uncertain], scores.y[uncertain], scores.weeks)
        courses = _courses(fit, chosen, pending[uncertain], rule, reliability, count, seed)
        shares = _shares(_cohort_of(cohort, chosen, courses, scale), rule, chosen.patients, count)
        table.loc[chosen.patients, list(CLASSES)] = shares
        table.loc[chosen.patients, "draws"] = count
    waiting = pd.Series(pending, index=scores.patients).reindex(observed.index, fill_value=False)
    return (
        table.assign(observed=observed, pending=waiting)
        .rename_axis("patient")
        .reset_index()[["patient", "observed", "pending", "draws", *CLASSES]]
    )


def expected_counts(
    cohort: Cohort, fit: Fit, rule: Rule, scale: ScaleName, covariates: Sequence[str] = (), *, seed: int
) -> pd.DataFrame:
    """How many patients are expected in each class: as observed, with the scores not seen, and without error.

    Returns
    -------
    DataFrame
        `class`, `observed` (patients), then `reliability`, `expected` (sum of all patients' probabilities), `confirmed`
        (sum over those observed in the class); a row per class and reliability of `RELIABILITIES` that the fitted
        covariance has room for.
    """
    tables = []
    for reliability in (value for value in RELIABILITIES if value > least_reliability(fit)):
        table = class_probabilities(cohort, fit, rule, scale, covariates, reliability=reliability, seed=seed)
        counts = table["observed"].value_counts().reindex(list(CLASSES), fill_value=0)
        expected = table[list(CLASSES)].sum()
        own = [table.loc[table["observed"] == name, name].sum() for name in CLASSES]
        frame = {"class": CLASSES, "observed": counts.to_numpy(), "reliability": reliability}
        tables.append(pd.DataFrame(frame).assign(expected=expected.to_numpy(), confirmed=own))
    return pd.concat(tables, ignore_index=True)


def pending_groups(table: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    """Mean probability of each class over the patients whose scores are drawn, by their response when last seen.

    Parameters
    ----------
    table : DataFrame
        From `class_probabilities`.
    states : DataFrame
        From `easitrace.response.states.response_states`.

    Returns
    -------
    DataFrame
        `observed` (class now), `visit` (last seen), `state` (there), `patients`, one column per class.
    """
    seen = states[states["judged"]].groupby("patient").last()[["visit", "state"]]
    joined = table[table["pending"]].merge(seen, left_on="patient", right_index=True, how="left")
    grouped = joined.astype({"visit": str, "state": str}).groupby(["observed", "visit", "state"], sort=True)
    counts = grouped.size().rename("patients")
    return pd.concat([counts, grouped[list(CLASSES)].mean()], axis=1).reset_index()


def _pending(cohort: Cohort, observed: "pd.Series[str]", rule: Rule) -> "pd.Series[bool]":
    """Who would have a class, had they been seen at the decision week: in follow-up, or missed it."""
    states = attendance(cohort)
    there = states[states["week"] == rule.decision_week].set_index("patient")["state"].reindex(observed.index)
    open_class = observed.isin((NOT_YET, VISIT_MISSING))
    return open_class & there.isin(("in follow-up", "missed"))


def _courses(fit: Fit, scores: Scores, pending: Any, rule: Rule, reliability: float, count: int, seed: int) -> Any:
    """Drawn courses (n, count, J); missing at visits that a patient's class does not use."""
    rng = np.random.default_rng([seed, round(1000 * reliability)])
    error = float((1 - reliability) * np.diag(point(fit).sigma[0]).mean())
    parameters = _room(drawn(fit, PARAMETER_DRAWS, rng), error, reliability)
    pick = rng.integers(len(parameters.beta), size=count)
    chosen = Parameters(parameters.beta[pick], parameters.sigma[pick])
    due = np.asarray(scores.weeks) <= rule.decision_week
    courses = np.full((len(scores.y), count, len(scores.weeks)), np.nan)
    for row in np.unique(~np.isnan(scores.y), axis=0):
        mine = (~np.isnan(scores.y) == row).all(axis=1)
        courses[mine] = simulated(chosen, scores.X[mine], scores.y[mine], row, error, rng)
    used = ~np.isnan(scores.y) | (pending[:, None] & due)
    exact = ~np.isnan(scores.y) if reliability == 1 else np.zeros_like(used)
    return np.where(exact[:, None], scores.y[:, None], np.where(used[:, None], courses, np.nan))


def _room(parameters: Parameters, error: float, reliability: float) -> Parameters:
    """Parameter values that leave room for the error, which is known of them."""
    left = parameters.with_room(error)
    if not len(left.beta):
        what = f"has no room for a reliability of {reliability:g}"
        raise NotEstimableError(Problem("E330", "fitted covariance", what))
    return left


def _cohort_of(cohort: Cohort, scores: Scores, courses: Any, scale: ScaleName) -> Cohort:
    """The cohort of drawn courses, as scores on the instrument's grid; a patient per draw, patient after patient."""
    n, count, J = courses.shape
    code = np.arange(n * count).astype(str)
    code = np.char.zfill(code, len(code[-1]))
    place = cohort.patients.set_index("patient").index.get_indexer(pd.Index(scores.patients))
    people = cohort.patients.iloc[np.repeat(place, count)].assign(patient=code)
    labels = {visit.week: visit.label for visit in cohort.schedule}
    visits = pd.DataFrame(
        {
            "patient": np.repeat(code, J),
            "week": np.tile(scores.weeks, n * count),
            "day": np.nan,
            "after_stop": False,
            cohort.outcome: on_grid(cohort, BACK[scale][0](courses)).ravel(),
        }
    )
    visits["visit"] = pd.Categorical(visits["week"].map(labels), categories=list(labels.values()), ordered=True)
    return replace(cohort, visits=visits, patients=people.reset_index(drop=True))


def on_grid(cohort: Cohort, points: Any) -> Any:
    """Points as scores the outcome can have: rounded to its grid, within its range."""
    one = cohort.instrument()
    steps = np.round((points - one.minimum) / one.grid)
    return np.clip(np.round(one.minimum + steps * one.grid, 6), one.minimum, one.maximum)


def _shares(drawn_cohort: Cohort, rule: Rule, patients: Any, count: int) -> Any:
    """Share of the draws of each patient in each class (n, number of classes)."""
    codes = classify(drawn_cohort, **asdict(rule))["class"].cat.codes.to_numpy().reshape(len(patients), count)
    return np.stack([(codes == k).mean(axis=1) for k in range(len(CLASSES))], axis=1)
