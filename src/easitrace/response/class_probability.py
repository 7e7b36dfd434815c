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
from easitrace.errors import DataError, NotEstimableError, Problem
from easitrace.instruments import lost_more_than
from easitrace.models.emmeans import BACK
from easitrace.models.fit import Fit
from easitrace.models.mmrm import fit_mmrm
from easitrace.models.predictive import Parameters, drawn, point, simulated
from easitrace.response.classify import CLASSES, HALF, NOT_YET, VISIT_MISSING, classify
from easitrace.response.criteria import criterion_of, met_by
from easitrace.response.estimands import recorded_under
from easitrace.response.expression import atoms
from easitrace.response.rules import Rule
from easitrace.response.trajectory import SCALES, ScaleName, model_formula, model_rows

RELIABILITIES = (1.0, 0.95, 0.9, 0.8)
SHOWN = 0.9
DRAWS = 4000
BUDGET = 60_000  # courses drawn per reliability; many patients share them
FEWEST_DRAWS = 8
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


def fitted(
    cohort: Cohort, scale: ScaleName, covariates: Sequence[str], *, covariance: str, df: str
) -> tuple[Fit | None, str]:
    """The trajectory model of a cohort under its estimand, or None and why there is none."""
    rows = model_rows(cohort, scale, covariates)
    try:
        fit = fit_mmrm(model_formula(covariates), rows, patient="patient", visit="visit", covariance=covariance, df=df)
    except (NotEstimableError, DataError) as error:
        problem = error.problems[0]
        return None, f"{problem.where} {problem.what}"
    return (fit, "") if fit.status == "converged" else (None, fit.message)


def obstacle(cohort: Cohort, fit: Fit, rule: Rule) -> str:
    """Why the model gives no class probabilities, "" when it does."""
    try:
        check_of_outcome(cohort, rule.criterion)
    except NotEstimableError as error:
        return error.problems[0].what
    known = {visit.week for visit in cohort.schedule if visit.label in fit.visits}
    return "" if rule.decision_week in known else f"nobody was seen at week {rule.decision_week:g}"


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


def reliabilities(fit: Fit) -> list[float]:
    """Those of `RELIABILITIES` that the fitted covariance has room for; 1 always."""
    least = least_reliability(fit)
    return [value for value in RELIABILITIES if value > least]


def shown_reliability(fit: Fit) -> float:
    """The reliability that a figure is drawn for: `SHOWN`, or the nearest above it that the covariance has room for."""
    return min(value for value in reliabilities(fit) if value >= SHOWN)


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
        points = on_grid(cohort, BACK[scale][0](courses))
        recorded = cohort.wide().loc[chosen.patients, scores.weeks].to_numpy(float)[:, None]
        exact = ~np.isnan(recorded) & (reliability == 1)
        table.loc[chosen.patients, list(CLASSES)] = _shares(cohort, chosen, np.where(exact, recorded, points), rule)
        table.loc[chosen.patients, "draws"] = count
    waiting = pd.Series(pending, index=scores.patients).reindex(observed.index, fill_value=False)
    return (
        table.assign(observed=observed, pending=waiting)
        .rename_axis("patient")
        .reset_index()[["patient", "observed", "pending", "draws", *CLASSES]]
    )


def by_reliability(
    cohort: Cohort, fit: Fit, rule: Rule, scale: ScaleName, covariates: Sequence[str] = (), *, seed: int
) -> pd.DataFrame:
    """`class_probabilities` for every one of `reliabilities`, below each other, with a column `reliability`."""
    arguments = (cohort, fit, rule, scale, covariates)
    tables = [
        class_probabilities(*arguments, reliability=value, seed=seed).assign(reliability=value)
        for value in reliabilities(fit)
    ]
    return pd.concat(tables, ignore_index=True)


def expected_counts(table: pd.DataFrame) -> pd.DataFrame:
    """How many patients are expected in each class, from `by_reliability`.

    Returns
    -------
    DataFrame
        `class`, `observed` (patients), then `reliability`, `expected` (sum of all patients' probabilities), `confirmed`
        (sum over those observed in the class); a row per class and reliability.
    """
    rows = []
    for reliability, own in table.groupby("reliability", sort=False):
        for name in CLASSES:
            mine = own["observed"] == name
            sums = {"expected": own[name].sum(), "confirmed": own.loc[mine, name].sum()}
            rows.append({"class": name, "observed": int(mine.sum()), "reliability": reliability, **sums})
    return pd.DataFrame(rows)


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
        `observed` (class now), `visit` (the last at which response was judged; "" when at none), `state` (there; ""),
        `patients`, one column per class.
    """
    seen = states[states["judged"]].groupby("patient").last()[["visit", "state"]]
    joined = table[table["pending"]].merge(seen, left_on="patient", right_index=True, how="left")
    joined = joined.assign(**{name: joined[name].astype(object).fillna("") for name in ("visit", "state")})
    grouped = joined.groupby(["observed", "visit", "state"], sort=True)
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
    return np.where(used[:, None], courses, np.nan)


def _room(parameters: Parameters, error: float, reliability: float) -> Parameters:
    """Parameter values that leave room for the error, which is known of them."""
    left = parameters.with_room(error)
    if not len(left.beta):
        what = f"has no room for a reliability of {reliability:g}"
        raise NotEstimableError(Problem("E330", "fitted covariance", what))
    return left


def _cohort_of(cohort: Cohort, patients: Any, weeks: Any, points: Any) -> Cohort:
    """The cohort of courses (m, J) in points, each a patient of its own with what is known of `patients` (m,)."""
    m, J = points.shape
    code = np.char.zfill(np.arange(m).astype(str), len(str(m)))
    place = pd.Index(cohort.patients["patient"]).get_indexer(pd.Index(patients))
    labels = {visit.week: visit.label for visit in cohort.schedule}
    visits = pd.DataFrame(
        {
            "patient": np.repeat(code, J),
            "week": np.tile(weeks, m),
            "day": np.nan,
            "after_stop": False,
            cohort.outcome: points.ravel(),
        }
    )
    visits["visit"] = pd.Categorical(visits["week"].map(labels), categories=list(labels.values()), ordered=True)
    people = cohort.patients.iloc[place].assign(patient=code).reset_index(drop=True)
    return replace(cohort, visits=visits, patients=people)


def on_grid(cohort: Cohort, points: Any) -> Any:
    """Points as scores the outcome can have: rounded to its grid, within its range."""
    one = cohort.instrument()
    steps = np.round((points - one.minimum) / one.grid)
    return np.clip(np.round(one.minimum + steps * one.grid, 6), one.minimum, one.maximum)


def _shares(cohort: Cohort, scores: Scores, points: Any, rule: Rule) -> Any:
    """Share of the courses (n, count, J) of each patient in each class (n, number of classes).

    Courses of a patient with the same answers have the same class, so that one of each kind is classified.
    """
    n, count, J = points.shape
    flat = points.reshape(n * count, J)
    kinds = np.column_stack([np.repeat(np.arange(n), count), _answers(cohort, flat, rule)])
    _, first, kind = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
    patients = np.repeat(scores.patients, count)[first]
    found = classify(_cohort_of(cohort, patients, scores.weeks, flat[first]), **asdict(rule))["class"]
    codes = found.cat.codes.to_numpy()[kind].reshape(n, count)
    return np.stack([(codes == k).mean(axis=1) for k in range(len(CLASSES))], axis=1)


def _answers(cohort: Cohort, points: Any, rule: Rule) -> Any:
    """All that a class takes from scores (m, J): is the criterion within reach, met at each later visit, half lost."""
    one, expression = cohort.instrument(), criterion_of(cohort, rule.criterion)
    start, later = pd.Series(points[:, 0]), points[:, 1:]
    best = np.column_stack([np.full(len(points), one.best), later])
    met = [met_by(cohort, expression, {one.name: start}, {one.name: pd.Series(now)}) for now in best.T]
    answers = [answer.to_numpy(float, na_value=-1) for answer in met]
    if rule.loss_rule != "strict":
        so_far = (np.fmin if one.better == "lower" else np.fmax).accumulate(later, axis=1)
        lost = [lost_more_than(start, *pair, HALF, one.better) for pair in zip(so_far.T, later.T, strict=True)]
        answers += [answer.to_numpy(float, na_value=-1) for answer in lost]
    return np.column_stack(answers)
