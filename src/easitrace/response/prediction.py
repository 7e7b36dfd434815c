"""Early prediction: the probability of response at the decision week, given the baseline and the first follow-up visit.

On the model's scale the score at the decision week is normal given the two scores seen (`models.predictive`). The
criterion is met up to a limit that depends on the baseline, exactly on the instrument's grid; the probability is that
of a score that rounds to the limit or better, averaged over draws of the model's parameters.

Its worth is judged on patients that the model has not seen (leave-one-out), beside the share of responders among the
others (base rate) and logistic regressions, by the Brier score (Brier 1950, Mon Weather Rev 78:1).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from easitrace.cohort.cohort import Cohort, Visit
from easitrace.covariance import Array
from easitrace.errors import NotEstimableError, Problem
from easitrace.instruments import UNITS_PER_POINT
from easitrace.models.emmeans import marginal_means
from easitrace.models.fit import Fit
from easitrace.models.marginal import is_separated
from easitrace.models.mmrm import fit_mmrm
from easitrace.models.predictive import Parameters, drawn, expected, spread
from easitrace.response.class_probability import check_of_outcome, scores_of
from easitrace.response.criteria import met
from easitrace.response.limits import limit_in_units, response_limit
from easitrace.response.proportions import with_proportions
from easitrace.response.trajectory import SCALES, ScaleName, model_formula, model_rows

PARAMETER_DRAWS = 500
MOST_LEFT_ONE_OUT = 100
FOLDS = 20
CHART_POINTS = 45
CHUNK = 256
GROUP_SIZE = 6
MOST_GROUPS = 10
MODEL, BASE_RATE, EARLY_ONLY, BOTH = (
    "trajectory model",
    "base rate",
    "logistic, first follow-up score",
    "logistic, baseline and first follow-up score",
)
METHODS = (MODEL, BASE_RATE, EARLY_ONLY, BOTH)
Terms = Callable[[pd.DataFrame], Any]


@dataclass(frozen=True)
class Question:
    """What is predicted, and from what: is the criterion met at the decision week, given the first two visits?"""

    criterion: str
    decision_week: float
    scale: ScaleName
    covariates: tuple[str, ...] = ()


def check_question(cohort: Cohort, question: Question) -> None:
    """Refuse what cannot be predicted.

    Raises
    ------
    NotEstimableError
        E330: the criterion is not about the outcome, or the decision week is the first visit after baseline.
    """
    check_of_outcome(cohort, question.criterion)
    if question.decision_week <= cohort.schedule[1].week:
        what = f"week {question.decision_week:g} is the first visit after baseline: nothing to predict it from"
        raise NotEstimableError(Problem("E330", "decision_week", what))


def obstacle(cohort: Cohort, fit: Fit, question: Question) -> str:
    """Why the model predicts no response, "" when it does."""
    try:
        check_question(cohort, question)
    except NotEstimableError as error:
        return error.problems[0].what
    if question.decision_week not in {visit.week for visit in cohort.schedule if visit.label in fit.visits}:
        return f"nobody was seen at week {question.decision_week:g}"
    known = _candidates(cohort, question)["response"].dropna()
    if known.empty:
        return "nobody has a baseline score, a first follow-up score and a known response"
    same = {0: "none", len(known): "all"}.get(int(known.sum()))
    return f"{same} of the {len(known)} patients whose response is known responded" if same else ""


def visits_of(cohort: Cohort, decision_week: float) -> tuple[Visit, Visit]:
    """The first visit after baseline, and the visit that is predicted."""
    (decided,) = (visit for visit in cohort.schedule if visit.week == decision_week)
    return cohort.schedule[1], decided


def predicted(cohort: Cohort, fit: Fit, question: Question, *, seed: int) -> pd.DataFrame:
    """Every patient's probability of response at the decision week from the baseline and first follow-up scores.

    Returns
    -------
    DataFrame
        `patient`, `baseline`, `early` (points), `response` (boolean; missing where not known), `probability`; patients
        with both scores and every covariate, and a criterion within reach.
    """
    check_question(cohort, question)
    table = _candidates(cohort, question)
    parameters = drawn(fit, PARAMETER_DRAWS, np.random.default_rng([seed, 1]))
    return table.assign(probability=_of_patients(cohort, fit, parameters, question, table))


def chart(cohort: Cohort, fit: Fit, question: Question, *, seed: int) -> pd.DataFrame:
    """The probability of response over a grid of baseline and first follow-up scores, a little wider than those seen.

    Covariates are at their mean over the patients, factors averaged in proportion to their frequency.

    Returns
    -------
    DataFrame
        `baseline`, `early` (points), `probability`, `limit` (score at which the criterion is just met from that
        baseline, not rounded to the grid), `beyond` (distance from the convex hull of the scores seen together, on the
        model's scale; negative inside); `CHART_POINTS` squared rows, `baseline` slowest.
    """
    check_question(cohort, question)
    seen = _candidates(cohort, question)
    grid = pd.DataFrame(
        [(b, f) for b in _ticks(cohort, seen["baseline"]) for f in _ticks(cohort, seen["early"])],
        columns=["baseline", "early"],
    )
    _, L = marginal_means(fit, [fit.recipe.visit], {}, "proportional")
    parameters = drawn(fit, PARAMETER_DRAWS, np.random.default_rng([seed, 1]))
    X = np.broadcast_to(L, (len(grid), *L.shape))
    limit = limit_in_units(cohort, question.criterion, grid["baseline"]) / UNITS_PER_POINT
    found = _probability(cohort, fit, parameters, question, X, grid, _border(cohort, limit, 0.0, question.scale))
    return grid.assign(probability=found, limit=limit, beyond=_beyond(grid, seen, question.scale))


def cross_validated(cohort: Cohort, fit: Fit, question: Question, *, seed: int) -> pd.DataFrame:
    """Predictions for patients that were left out, by every method of `METHODS`.

    Up to `MOST_LEFT_ONE_OUT` patients each is left out alone, above that in `FOLDS` random groups.

    Returns
    -------
    DataFrame
        `patient`, `fold`, `response` (bool), one column of probabilities per method: missing where the model fitted
        without the patient did not converge, or the logistic regression is separated.
    """
    check_question(cohort, question)
    table = _candidates(cohort, question).dropna(subset=["response"]).reset_index(drop=True)
    table = table.assign(response=table["response"].astype(bool), fold=_folds(len(table), seed))
    rows = model_rows(cohort, question.scale, question.covariates)
    parts = [_without(cohort, fit, question, rows, table, fold, seed) for fold in range(int(table["fold"].max()) + 1)]
    return pd.concat(parts, ignore_index=True)[["patient", "fold", "response", *METHODS]]


def brier_table(validated: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """How good the predictions of patients left out were.

    Returns
    -------
    DataFrame
        `method`, `n`, `responders`, `expected` (sum of the probabilities), `brier` (mean squared distance, 0 is best),
        `difference` from the base rate's, paired by patient, with the t interval `lower`, `upper`, `not_estimable`
        (patients without a prediction; then every number is missing).
    """
    from scipy.stats import t

    outcome = validated["response"].to_numpy(float)
    n, rows = len(outcome), []
    losses = {name: (validated[name].to_numpy(float) - outcome) ** 2 for name in METHODS}
    for name in METHODS:
        gap = losses[name] - losses[BASE_RATE]
        middle = gap.mean() if n else np.nan
        half = t.ppf((1 + level) / 2, n - 1) * gap.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        rows.append(
            {
                "method": name,
                "n": n,
                "responders": int(outcome.sum()),
                "expected": validated[name].sum(skipna=False),
                "brier": losses[name].mean() if n else np.nan,
                "difference": middle,
                "lower": middle - half,
                "upper": middle + half,
                "not_estimable": int(validated[name].isna().sum()),
            }
        )
    return pd.DataFrame(rows)


def calibration(validated: pd.DataFrame, method: str = MODEL, level: float = 0.95) -> pd.DataFrame:
    """Predicted against observed response in groups of patients with like predictions.

    Returns
    -------
    DataFrame
        `group`, `n`, `predicted` (mean probability), `responders`, `proportion`, `lower`, `upper` (Wilson); as many
        groups, of like size, as leave `GROUP_SIZE` patients in each, at most `MOST_GROUPS`. Patients without a
        prediction are not in it.
    """
    known = validated.dropna(subset=[method]).sort_values(method, kind="stable")
    groups = int(np.clip(len(known) // GROUP_SIZE, 1, MOST_GROUPS))
    known = known.assign(group=np.arange(len(known)) * groups // max(len(known), 1) + 1)
    table = known.groupby("group").agg(
        n=("response", "size"), predicted=(method, "mean"), responders=("response", "sum")
    )
    return with_proportions(table.reset_index(), "responders", level=level, interval="wilson")


def _candidates(cohort: Cohort, question: Question) -> pd.DataFrame:
    """Patients that can be predicted, with what is known of their response."""
    wide = cohort.wide()
    early = cohort.schedule[1].week
    table = pd.DataFrame({"baseline": wide[cohort.baseline.week], "early": wide[early]})
    table["response"] = met(cohort, question.criterion)[question.decision_week].reindex(table.index)
    complete = cohort.patients.set_index("patient")[list(question.covariates)].notna().all(axis=1)
    table = table[table[["baseline", "early"]].notna().all(axis=1) & complete.reindex(table.index)]
    reachable = ~np.isnan(response_limit(cohort, question.criterion, table["baseline"]))
    candidates: pd.DataFrame = table[reachable].rename_axis("patient").reset_index()
    return candidates


def _of_patients(cohort: Cohort, fit: Fit, parameters: Parameters, question: Question, table: pd.DataFrame) -> Any:
    scores = scores_of(cohort, fit, question.scale, question.covariates)
    X = scores.X[pd.Index(scores.patients).get_indexer(pd.Index(table["patient"]))]
    limit = response_limit(cohort, question.criterion, table["baseline"])
    border = _border(cohort, limit, cohort.instrument().grid / 2, question.scale)
    return _probability(cohort, fit, parameters, question, X, table, border)


def _probability(
    cohort: Cohort, fit: Fit, parameters: Parameters, question: Question, X: Array, table: pd.DataFrame, border: Array
) -> Any:
    """P(score at the decision week up to the border) (n,), given `baseline` and `early`; model rows X (n, J, p)."""
    from scipy.special import ndtr

    weeks = [visit.week for visit in cohort.schedule if visit.label in fit.visits]
    seen = np.isin(np.arange(len(weeks)), [0, 1])
    decision = weeks.index(question.decision_week)
    y = np.full((len(table), len(weeks)), np.nan)
    y[:, seen] = SCALES[question.scale].to(table[["baseline", "early"]].to_numpy(float))
    sd = np.sqrt(spread(parameters.sigma, seen)[:, decision, decision])
    better = 1 if cohort.instrument().better == "lower" else -1
    found = np.full(len(table), np.nan)
    for low in range(0, len(table), CHUNK):
        part = slice(low, low + CHUNK)
        middle = expected(parameters, X[part], y[part], seen)[:, :, decision]
        found[part] = ndtr(better * (border[part, None] - middle) / sd).mean(axis=1)
    return found


def _border(cohort: Cohort, limit: Any, margin: float, scale: ScaleName) -> Any:
    """The limit (n,) on the model's scale, `margin` points beyond it; none where every score meets it."""
    one = cohort.instrument()
    if one.better == "lower":
        reached = np.where(limit >= one.maximum, np.inf, limit)
        return SCALES[scale].to(np.where(reached < one.minimum, np.nan, reached) + margin)
    reached = np.where(limit > one.maximum, np.nan, limit)
    return np.where(limit <= one.minimum, -np.inf, SCALES[scale].to(reached - margin))


def _ticks(cohort: Cohort, scores: "pd.Series[float]") -> Any:
    """Scores of an axis of the chart, within the instrument's range."""
    one = cohort.instrument()
    low, high = float(scores.min()), float(scores.max())
    margin = 0.05 * max(high - low, one.grid)
    return np.linspace(max(one.minimum, low - margin), min(one.maximum, high + margin), CHART_POINTS)


def _beyond(grid: pd.DataFrame, seen: pd.DataFrame, scale: ScaleName) -> Any:
    """How far each point lies outside the hull of the scores seen; infinite when those lie on a line."""
    from scipy.spatial import ConvexHull, QhullError

    to = SCALES[scale].to
    try:
        hull = ConvexHull(to(seen[["baseline", "early"]].to_numpy(float)))
    except (QhullError, ValueError):
        return np.full(len(grid), np.inf)
    points = to(grid[["baseline", "early"]].to_numpy(float))
    return (points @ hull.equations[:, :2].T + hull.equations[:, 2]).max(axis=1)


def _folds(n: int, seed: int) -> Any:
    if n <= MOST_LEFT_ONE_OUT:
        return np.arange(n)
    return np.random.default_rng([seed, 2]).permutation(np.arange(n) % FOLDS)


def _without(
    cohort: Cohort, fit: Fit, question: Question, rows: pd.DataFrame, table: pd.DataFrame, fold: int, seed: int
) -> pd.DataFrame:
    """Predictions of one fold by methods that have not seen its patients."""
    out, rest = table[table["fold"] == fold], table[table["fold"] != fold]
    refit = fit_mmrm(
        model_formula(question.covariates),
        rows[~rows["patient"].isin(out["patient"])],
        patient="patient",
        visit="visit",
        covariance=fit.structure,
        df="residual",
    )
    by_model = np.full(len(out), np.nan)
    if refit.status == "converged" and refit.visits == fit.visits:
        parameters = drawn(refit, PARAMETER_DRAWS, np.random.default_rng([seed, 1]))
        by_model = _of_patients(cohort, refit, parameters, question, out)
    to = SCALES[question.scale].to
    columns = {EARLY_ONLY: ["early"], BOTH: ["baseline", "early"]}
    logistic = {name: _logistic(partial(_terms, to, chosen), rest, out) for name, chosen in columns.items()}
    base = rest["response"].mean() if len(rest) else np.nan
    return out.assign(**{MODEL: by_model, BASE_RATE: base, **logistic})


def _terms(to: Callable[[Any], Any], columns: Sequence[str], table: pd.DataFrame) -> Any:
    return np.column_stack([np.ones(len(table)), to(table[list(columns)].to_numpy(float))])


def _logistic(terms: Terms, known: pd.DataFrame, new: pd.DataFrame) -> Any:
    """Probabilities by a logistic regression of those known; missing when it is separated."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    X, y = terms(known), known["response"].to_numpy(float)
    if len(y) <= X.shape[1] or np.linalg.matrix_rank(X) < X.shape[1] or is_separated(X, y):
        return np.full(len(new), np.nan)
    probabilities: Array = GLM(y, X, family=Binomial()).fit().predict(terms(new))
    return probabilities
