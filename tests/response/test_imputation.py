"""Multiple imputation: proper, seeded, within the instrument's range, and in agreement with the likelihood."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit
from scipy.stats import ttest_rel
from small_cohorts import cohort_of, seen, stopped, waiting

from easitrace import read_cohort
from easitrace.cohort.cohort import Cohort
from easitrace.errors import NotEstimableError, ParameterError
from easitrace.response.endpoints import endpoints
from easitrace.response.sensitivity import Case, Plan, compare, pooled_change
from easitrace.response.tipping import floor_of_share, grid, tipping, tipping_point

PLAN = Plan("easi50", 12, "log1p", (), "us", "kenward-roger", 0.95, "wilson", imputations=20, seed=1)
WEEKS = (0.0, 4.0, 12.0)


def plan(**changes: Any) -> Plan:
    return replace(PLAN, **changes)


def complete(n: int, seed: int) -> dict[str, tuple[float, ...]]:
    """Complete courses: log(1 + EASI) is trivariate normal."""
    random = np.random.default_rng(seed)
    sigma = np.array([[0.20, 0.12, 0.10], [0.12, 0.30, 0.20], [0.10, 0.20, 0.40]])
    values = random.multivariate_normal([2.7, 2.1, 2.2], sigma, size=n)
    scores = np.clip(np.round(np.expm1(values), 1), 0, 72)
    return {f"P{i:04d}": tuple(row) for i, row in enumerate(scores.tolist())}


def dropped(courses: dict[str, tuple[float, ...]], seed: int) -> dict[str, dict[str, Any]]:
    """Missing at random: the worse at week 4, the likelier to have stopped before week 12."""
    random = np.random.default_rng(seed)
    patients: dict[str, dict[str, Any]] = {}
    for name, (start, middle, end) in courses.items():
        gone = random.uniform() < 1 / (1 + np.exp(-(np.log1p(middle) - 2.3) * 3))
        patients[name] = stopped(8, "inefficacy", start, middle, None) if gone else seen(start, middle, end)
    return patients


@pytest.fixture(scope="module")
def at_random() -> Cohort:
    return cohort_of(dropped(complete(300, 5), 6), weeks=WEEKS)


@pytest.fixture(scope="module")
def baricitinib() -> Cohort:
    return read_cohort("baricitinib")


def rows_of(table: pd.DataFrame, **wanted: str) -> pd.Series:
    for column, value in wanted.items():
        table = table[table[column] == value]
    return table.iloc[0]


def test_with_nothing_missing_every_rule_is_the_complete_analysis() -> None:
    cohort = cohort_of({name: seen(*scores) for name, scores in complete(30, 2).items()}, weeks=WEEKS)
    table = compare(cohort, PLAN).set_index("missing")
    columns = ["mean", "mean_lower", "mean_upper", "change", "change_lower", "change_upper", "df"]
    for rule in ("locf", "mi"):
        np.testing.assert_allclose(
            table.loc[rule, columns].to_numpy(float), table.loc["observed", columns].to_numpy(float), rtol=1e-8
        )
    paired = np.log1p(cohort.wide().to_numpy(float))
    test = ttest_rel(paired[:, 2], paired[:, 0]).confidence_interval()
    assert table.loc["mi", "change_lower"].iloc[0] == pytest.approx(100 * np.expm1(test.low), rel=1e-9)
    shares = table[["share", "share_lower", "share_upper", "n"]].to_numpy(float)
    np.testing.assert_allclose(shares, np.broadcast_to(shares[0], shares.shape), rtol=1e-12)


def test_under_missing_at_random_imputation_agrees_with_the_likelihood(at_random: Cohort) -> None:
    case = Case(at_random, "while-on-treatment", plan(imputations=2000))
    table = compare(at_random, plan(imputations=2))
    likelihood = rows_of(table, estimand="while-on-treatment", missing="observed")
    imputed = pd.Series(pooled_change(case, case.imputed))
    se = regression_error(at_random)
    monte_carlo = se / np.sqrt(2000)
    assert np.log1p(imputed["mean"]) == pytest.approx(np.log1p(likelihood["mean"]), abs=3 * monte_carlo)
    half = (np.log1p(imputed["mean_upper"]) - np.log1p(imputed["mean_lower"])) / 2
    assert half / stdtrit(200, 0.975) == pytest.approx(se, rel=0.02)
    seen_only = np.log1p(at_random.wide()[12.0].dropna().to_numpy(float)).mean()
    assert seen_only < np.log1p(likelihood["mean"]) - se


def regression_error(cohort: Cohort) -> float:
    """Large-sample standard error of the mean at the last visit when only that visit is missing.

    The likelihood factors (Anderson 1957, J Am Stat Assoc 52:200): mean = mean of the regression on the visits before,
    fitted to those seen, at everybody's scores. The trajectory model's own standard error is smaller: it
    holds when visits are missing completely at random (Kenward & Molenberghs 1998, Stat Sci 13:236).
    """
    y = np.log1p(cohort.wide().to_numpy(float))
    known = ~np.isnan(y[:, 2])
    n = len(y)
    x = np.column_stack([np.ones(n), y[:, :2]])
    b, (rss,), *_ = np.linalg.lstsq(x[known], y[known, 2])
    at = x.mean(axis=0)
    residual = rss / (known.sum() - 3) * (at @ np.linalg.solve(x[known].T @ x[known], at))
    return float(np.sqrt(residual + b[1:] @ np.cov(y[:, :2].T) @ b[1:] / n))


def test_under_missing_completely_at_random_the_intervals_agree_too() -> None:
    random = np.random.default_rng(4)
    courses = complete(300, 3).items()
    patients = {name: seen(*one[:2], None if random.uniform() < 0.4 else one[2]) for name, one in courses}
    table = compare(cohort_of(patients, weeks=WEEKS), plan(imputations=1000))
    rows = [rows_of(table, estimand="while-on-treatment", missing=rule) for rule in ("observed", "mi")]
    for name in ("mean", "change"):
        likelihood, imputed = (row[[f"{name}_lower", f"{name}_upper"]].to_numpy(float) for row in rows)
        assert np.ptp(imputed) == pytest.approx(np.ptp(likelihood), rel=0.03)


def test_imputed_scores_have_the_conditional_distribution(at_random: Cohort) -> None:
    case = Case(at_random, "while-on-treatment", plan(imputations=400))
    fit, imputed = case.fit, case.imputed
    mu = fit.coefficients["estimate"].to_numpy() @ np.array([[1, 1, 1], [0, 1, 0], [0, 0, 1]])
    sigma = fit.covariance
    assert isinstance(sigma, np.ndarray)
    gap = np.flatnonzero(imputed.missing[:, 2])
    y = np.log1p(at_random.wide().to_numpy(float))[gap]
    weights = np.linalg.solve(sigma[:2, :2], sigma[:2, 2])
    expected = mu[2] + (y[:, :2] - mu[:2]) @ weights
    error = np.log1p(imputed.at("week 12")[:, gap]) - expected
    conditional = sigma[2, 2] - sigma[2, :2] @ weights
    assert error.mean() == pytest.approx(0, abs=0.02)
    assert error.var() == pytest.approx(conditional, rel=0.06)
    between = error.mean(axis=1).var()
    assert between > 2 * conditional / len(gap)  # the parameters were drawn, not only the scores


def test_the_seed_makes_the_scores(baricitinib: Cohort) -> None:
    def scores(seed: int) -> np.ndarray:
        return Case(baricitinib, "hypothetical", plan(seed=seed)).imputed.scores

    np.testing.assert_array_equal(scores(3), scores(3))
    assert (scores(3) != scores(4)).any()


def test_recorded_scores_are_kept_and_imputed_ones_are_possible(baricitinib: Cohort) -> None:
    case = Case(baricitinib, "hypothetical", plan(scale="raw", imputations=100))
    imputed, recorded = case.imputed, baricitinib.wide().to_numpy(float)
    known = ~np.isnan(recorded)
    assert (imputed.scores[:, known] == recorded[known]).all()
    assert imputed.scores.min() >= 0 and imputed.scores.max() <= 72
    assert imputed.beyond == (imputed.scores[:, ~known] == 0).sum() > 0
    assert imputed.drawn == 100 * (~known).sum()


def test_patients_in_follow_up_are_imputed_and_are_no_failures() -> None:
    patients = dropped(complete(40, 8), 9)
    patients |= {f"W{i}": waiting(20.0, 2.0, None) for i in range(5)}
    cohort = cohort_of(patients, weeks=WEEKS)
    table = compare(cohort, PLAN)
    for estimand in ("composite", "treatment-policy"):
        assert rows_of(table, estimand=estimand, missing="nri")["left_out"] == 5
        assert rows_of(table, estimand=estimand, missing="locf")["left_out"] == 5
        assert rows_of(table, estimand=estimand, missing="mi")["left_out"] == 0
    case = Case(cohort, "composite", PLAN)
    assert not case.imputed.stopped[-5:].any() and case.imputed.missing[-5:, 2].all()
    assert not case.never[[f"W{i}" for i in range(5)]].any()


def test_composite_failures_are_non_responders_in_every_imputation() -> None:
    patients = dropped(complete(60, 11), 12) | {"L": stopped(8, "inefficacy", 6.0, 9.0, None)}  # set back to 6
    cohort = cohort_of(patients, weeks=WEEKS)
    row = rows_of(compare(cohort, plan(criterion="easi<=7")), estimand="composite", missing="mi")
    counted = endpoints(cohort, ["easi<=7"], estimand="composite").set_index("week").loc[12]
    assert row["failures"] == counted["counted_as_failure"] > 0
    assert row["share"] * row["n"] == pytest.approx(counted["responders"])


def test_rows_add_up(baricitinib: Cohort) -> None:
    table = compare(baricitinib, PLAN)
    assert len(table) == 16
    assert (table["known"] + table["failures"] + table["decided"] == table["n"]).all()
    assert (table["n"] + table["left_out"] == 25).all()
    filled = table[table["missing"].isin(["locf", "mi"])]
    assert (filled["recorded"] + filled["filled"] == filled["patients"]).all()


def test_a_model_that_fails_takes_only_its_rows(baricitinib: Cohort) -> None:
    few = replace(baricitinib, visits=baricitinib.visits.copy())
    few.visits["easi"] = few.visits["easi"].where(few.visits["week"] < 12, 5.0)
    few.visits["easi"] = few.visits["easi"].where(few.visits["week"] != 4)
    table = compare(few, PLAN)
    of_the_model = table[table["missing"].isin(["observed", "mi"])]
    assert of_the_model["message"].str.startswith("not estimable because").all()
    assert of_the_model["mean"].isna().all()
    assert table.loc[table["missing"] == "nri", "share"].notna().all()
    assert table.loc[table["missing"] == "observed", "share"].notna().all()
    with pytest.raises(NotEstimableError, match="E331 "):
        tipping(few, "hypothetical", PLAN)


def test_one_imputation_is_refused(baricitinib: Cohort) -> None:
    with pytest.raises(ParameterError, match="2 or more"):
        _ = Case(baricitinib, "hypothetical", plan(imputations=1)).imputed


def test_worse_scores_after_stopping_make_everything_worse(baricitinib: Cohort) -> None:
    table = tipping(baricitinib, "while-on-treatment", PLAN)
    assert table["delta"].tolist() == [float(delta) for delta in range(37)]
    assert (table["mean"].diff().dropna() > 0).all() and (table["change"].diff().dropna() > 0).all()
    assert (table["share"].diff().dropna() <= 0).all()
    assert table["worsened"].unique().tolist() == [4]
    at = tipping_point(table)
    assert at is not None and 0 < at < 36
    before, after = table[table["delta"] < at], table[table["delta"] == at]
    assert (before["change_upper"] < 0).all() and (after["change_upper"] > 0).all()
    assert floor_of_share(table) <= 36


def test_only_scores_after_stopping_are_made_worse(baricitinib: Cohort) -> None:
    imputed = Case(baricitinib, "hypothetical", PLAN).imputed
    worse = imputed.worsened(100)
    assert (worse.scores[:, imputed.stopped] == 72).all()
    assert (worse.scores[:, ~imputed.stopped] == imputed.scores[:, ~imputed.stopped]).all()
    better = replace(imputed, instrument=replace(imputed.instrument, better="higher")).worsened(100)
    assert (better.scores[:, imputed.stopped] == 0).all()


def test_nothing_tips_when_nobody_stopped() -> None:
    cohort = cohort_of({name: seen(*scores) for name, scores in complete(30, 2).items()}, weeks=WEEKS)
    table = tipping(cohort, "hypothetical", PLAN)
    assert tipping_point(table) is None and table["worsened"].eq(0).all() and table["change"].nunique() == 1


@pytest.mark.parametrize(
    ("grid_step", "maximum", "last", "count"), [(0.1, 72, 36, 37), (1, 28, 14, 15), (1, 10, 5, 6), (1, 360, 180, 37)]
)
def test_deltas_lie_on_the_grid_of_the_instrument(
    baricitinib: Cohort, grid_step: float, maximum: float, last: float, count: int
) -> None:
    values = grid(replace(baricitinib.instrument(), grid=grid_step, minimum=0, maximum=maximum))
    assert (values[0], values[-1], len(values)) == (0, last, count)
