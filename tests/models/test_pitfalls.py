"""Data that other programs fit without a word: each ends in a named status whose message names the visit or column."""

import numpy as np
import pandas as pd
import pytest
from simulated import cohort, skewed

from easitrace.covariance import STRUCTURES
from easitrace.errors import DataError, NotEstimableError, ParameterError
from easitrace.models.basis import to_basis
from easitrace.models.emmeans import contrasts, emmeans, joint_test
from easitrace.models.mmrm import FALLBACK, fit_mmrm
from easitrace.models.moments import collect
from easitrace.models.newton import smallest_eigenvalue
from easitrace.models.optimise import Model

VISITS = [0, 4, 8, 16]
NAMES = {"patient": "patient", "visit": "visit"}


def whole():
    return cohort(40, VISITS, 1, missing=0.05, dropout=0.2)


def wide(data):
    return data.pivot(index="patient", columns="visit", values="y")


def long(table):
    return table.stack().rename("y").reset_index()


def one_patient_at_16():
    data = whole()
    return data.drop(data.index[data["visit"] == 16][1:])


def never_together():
    """Half of the patients without visit 8, the others without visit 16."""
    data = whole()
    even = data["patient"].str[-1].astype(int) % 2 == 0
    return data[~(even & (data["visit"] == 8)) & ~(~even & (data["visit"] == 16))]


def zero_at_16():
    data = whole()
    return data.assign(y=data["y"].where(data["visit"] != 16, 0.0))


def copied_to_16():
    table = wide(whole())
    return long(table.assign(**{"16": table[8]}).drop(columns=16).rename(columns={"16": 16})).dropna()


def one_visit_each():
    return whole().groupby("patient").sample(1, random_state=1)


PITFALLS = {
    "a visit seen in one patient": (one_patient_at_16, "unidentified", "visit 16 was seen in 1 patient"),
    "a pair never seen together": (
        never_together,
        "unidentified",
        "visits 8 and 16 were never seen in the same patient",
    ),
    "one visit per patient": (one_visit_each, "unidentified", "every patient has one visit only"),
    "constant outcome": (lambda: whole().assign(y=7.3), "not started", "the mean fits y perfectly"),
    "a visit all zero": (zero_at_16, "singular", "visit 16 has no spread"),
    "copies carried forward": (copied_to_16, "singular", "visits 8 and 16 carry the same values"),
    "three patients": (lambda: cohort(3, VISITS, 2, missing=0, dropout=0), "singular", "all 4 visits: 3"),
    "two patients": (lambda: cohort(2, [0, 4], 2, missing=0, dropout=0), "singular", "together in only 2 patients"),
    "one patient": (lambda: cohort(1, VISITS, 2, missing=0, dropout=0), "not started", "4 observations for 4 coef"),
}


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger", "kenward-roger-mmrm", "between-within"])
@pytest.mark.parametrize("name", PITFALLS)
def test_pitfall(name, df):
    make, status, words = PITFALLS[name]
    fit = fit_mmrm("y ~ visit", make(), df=df, **NAMES)
    assert fit.status == status
    assert words in fit.message
    assert fit.coefficients[["df", "statistic", "p", "lower", "upper"]].isna().all(axis=None)
    assert emmeans(fit, "visit")[["df", "lower", "upper"]].isna().all(axis=None)
    assert contrasts(fit, "visit")["p"].isna().all()
    assert np.isnan(joint_test(fit, "visit")["p"].iloc[0])


@pytest.mark.parametrize("name", ["a visit all zero", "copies carried forward", "three patients"])
def test_singular_fits_hand_out_no_number(name):
    fit = fit_mmrm("y ~ visit", PITFALLS[name][0](), **NAMES)
    assert np.isnan(fit.log_likelihood)
    assert fit.coefficients["estimate"].isna().all()
    assert np.isnan(fit.covariance).all()


def test_grouped_pitfall_names_the_group():
    data = whole()
    control = data["arm"] == "control"
    last = data.index[control & (data["visit"] == 16)]
    fit = fit_mmrm("y ~ arm * visit", data.drop(last[1:]), by="arm", **NAMES)
    assert fit.status == "unidentified"
    assert "visit 16 was seen in 1 patient in arm control" in fit.message


def test_levels_without_patients_are_named():
    arms = collect("y ~ arm * visit", whole(), by="arm", levels={"arm": ["active", "control", "third"]}, **NAMES)
    assert fit_mmrm(moments=arms).status == "unidentified"
    assert "there is no patient in arm third" in fit_mmrm(moments=arms).message
    visits = collect("y ~ visit", whole(), levels={"visit": [*VISITS, 24]}, **NAMES)
    assert "visit 24 was seen in no patient" in fit_mmrm(moments=visits).message
    fit = fit_mmrm(moments=visits, covariance="ar1")
    assert fit.status == "converged"
    assert fit.dropped_terms == ("visit[T.24]",)


def test_random_intercept_without_variance_between_patients_is_not_reported_as_converged():
    rng = np.random.default_rng(3)
    y = rng.normal(size=(30, 3))
    y -= y.mean(axis=1, keepdims=True)
    data = pd.DataFrame({"patient": np.repeat(np.arange(30), 3), "visit": np.tile([0, 4, 8], 30), "y": y.ravel()})
    fit = fit_mmrm("y ~ visit", data, covariance="random-intercept", **NAMES)
    assert fit.status == "singular"
    assert "random intercept" in fit.message


def test_collinear_columns_are_dropped_later_ones_and_named():
    data = whole()
    data["months"] = 3 * data["age"] - 7
    fit = fit_mmrm("y ~ age + months + visit", data, **NAMES)
    plain = fit_mmrm("y ~ age + visit", data, **NAMES)
    assert fit.status == "converged"
    assert fit.dropped_terms == ("months",)
    assert "collinear with earlier columns, left out: months" in fit.message
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)
    table = fit.coefficients.set_index("term")
    assert table.loc["months"].isna().all()
    assert table.loc["age", "df"] == pytest.approx(plain.coefficients.set_index("term").loc["age", "df"], rel=1e-8)


def test_means_in_an_empty_cell_are_not_estimable():
    data = whole()
    gap = (data["arm"] == "control") & (data["visit"] == 16)
    fit = fit_mmrm("y ~ arm * visit", data[~gap], **NAMES)
    assert fit.dropped_terms == ("arm[T.control]:visit[T.16]",)
    means = emmeans(fit, ["arm", "visit"])
    empty = (means["arm"] == "control") & (means["visit"] == 16)
    assert means.loc[empty, "estimate"].isna().all()
    assert means.loc[~empty, "p" if "p" in means else "lower"].notna().all()
    assert emmeans(fit, "visit")["estimate"].isna().tolist() == [False, False, False, True]


def test_small_degrees_of_freedom_are_said():
    fit = fit_mmrm("y ~ visit", cohort(2, [0, 4], 2, missing=0, dropout=0), covariance="cs", **NAMES)
    assert fit.status == "converged"
    assert (fit.coefficients["df"] < 1).any() == ("degrees of freedom below 1" in fit.message)


def test_missing_values_are_counted():
    data = whole()
    data.loc[data.index[:3], "y"] = np.nan
    data.loc[data.index[2:5], "age"] = np.nan
    fit = fit_mmrm("y ~ age + visit", data, **NAMES)
    assert fit.dropped_rows == {"y": 3, "age": 2}
    assert "rows left out for a missing value: y 3, age 2" in fit.message
    assert fit.n_observations == len(data) - 5


WRONG_DATA = [
    ("y ~ visit", lambda d: pd.concat([d, d.iloc[[5, 7]]]), DataError, r"E308 .*more than one row; 2 rows too many"),
    ("y ~ weight + visit", lambda d: d, DataError, "E303 column weight: is not in the data"),
    ("y ~ visit", lambda d: d.assign(y=np.nan), DataError, "E306 data: no row has all variables"),
    ("y ~ visit", lambda d: d.assign(y=d["y"].where(d["visit"] != 4, np.inf)), DataError, "E307 outcome y: "),
    ("y ~ visit", lambda d: d.assign(visit="week " + d["visit"].astype(str)), DataError, "E305 .*text without"),
    ("y ~ 1", lambda d: d[d["visit"] == 0], NotEstimableError, "column visit: has one visit"),
    ("y ~ (visit", lambda d: d, ParameterError, "E302 .*is not a formula"),
    ("y ~ np.log(visit)", lambda d: d, ParameterError, "E302 .*cannot be evaluated"),
    ("y ~ nonsense(age)", lambda d: d, ParameterError, "E302 .*cannot be evaluated"),
    ("np.wrong(y) ~ visit", lambda d: d, ParameterError, "E302 .*cannot be evaluated"),
    ("y ~ visit + sex", lambda d: d.assign(sex=d["sex"].where(d["visit"] > 0, 3)), DataError, "E305 .*mixes"),
    ("~ visit", lambda d: d, ParameterError, "E302 .*needs one outcome"),
    ("y + age ~ visit", lambda d: d, ParameterError, "E302 .*needs one outcome"),
]


@pytest.mark.parametrize(("formula", "spoil", "kind", "words"), WRONG_DATA, ids=[w[0] + w[3] for w in WRONG_DATA])
def test_wrong_data_are_named(formula, spoil, kind, words):
    with pytest.raises(kind, match=words):
        fit_mmrm(formula, spoil(whole()), **NAMES)


def test_wrong_options_are_named():
    for options, words in [
        ({"covariance": "unstructured"}, "unknown covariance structure 'unstructured'"),
        ({"df": "kr"}, "df: 'kr' is unknown"),
        ({"information": "fisher"}, "information: 'fisher' is unknown"),
        ({"df": "kenward-roger", "reml": False}, "defined for reml=True"),
        ({"level": 95}, "level: 95 is not between"),
        ({"times": [0, 1]}, "2 times for 4 visits"),
    ]:
        with pytest.raises(ParameterError, match=words):
            fit_mmrm("y ~ visit", whole(), **NAMES, **options)
    with pytest.raises(DataError, match="E309 column age: changes within a patient"):
        fit_mmrm("y ~ visit", whole().assign(age=range(len(whole()))), by="age", **NAMES)
    fit = fit_mmrm("y ~ arm + visit", whole(), **NAMES)
    for call, words in [
        (lambda: emmeans(fit, "age"), "E312 age: is not a factor"),
        (lambda: emmeans(fit, "arm", weights="flat"), "weights: 'flat' is unknown"),
        (lambda: contrasts(fit, "arm", against="placebo"), "E312 against: 'placebo' is not a level"),
        (lambda: joint_test(fit, "arm:visit"), "E312 arm:visit: is not a term"),
    ]:
        with pytest.raises(ParameterError, match=words):
            call()


def test_fallback_is_an_option_recorded_and_printed():
    data = cohort(3, VISITS, 2, missing=0, dropout=0)
    fit = fit_mmrm("y ~ visit", data, fallback=True, **NAMES)
    assert fit.status == "converged"
    assert fit.structure == "ar1h"
    assert fit.tried == (("us", "singular"), ("toeph", "singular"))
    assert "tried before: us singular; toeph singular" in fit.message


@pytest.mark.parametrize(
    ("name", "value", "status", "words"),
    [
        ("MAX_ITERATIONS", 1, "maxit", "no optimum after 1 iterations"),
        ("TOLERANCE", 0.0, "precision-limited", "cannot be raised further"),
    ],
)
def test_an_optimiser_that_does_not_arrive_says_so(monkeypatch, name, value, status, words):
    from easitrace.models import newton

    monkeypatch.setattr(newton, name, value)
    fit = fit_mmrm("y ~ visit", whole(), **NAMES)
    assert fit.status == status
    assert words in fit.message
    assert fit.coefficients["estimate"].notna().all()
    assert fit.coefficients[["df", "p", "lower"]].isna().all(axis=None)


def test_the_highest_of_several_optima_is_taken():
    """Cohort 370 has two optima, 2.2 log-likelihood units apart; the highest is kept, and both are recorded."""
    fit = fit_mmrm("y ~ visit", skewed(370), **NAMES)
    ends = [run.local.value for run in fit.optimum.runs if run.end == "stationary"]
    assert max(ends) - min(ends) > 2
    assert fit.optimum.runs[fit.optimum.best].local.value == min(ends)


def test_one_thread_of_linear_algebra(monkeypatch):
    from threadpoolctl import threadpool_info

    from easitrace.models import mmrm

    seen, real = [], mmrm.to_basis

    def spy(moments):
        seen.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")
        return real(moments)

    monkeypatch.setattr(mmrm, "to_basis", spy)
    fit_mmrm("y ~ visit", whole(), **NAMES)
    assert set(seen) == {1}


def check_skewed_cohort(seed):
    """A fit that passes, with zero gradient and positive definite Hessian by finite differences, or a stated reason."""
    data = skewed(seed)
    fit = fit_mmrm("y ~ visit", data, df="kenward-roger", **NAMES)
    if fit.status != "converged":
        assert fit.status in ("singular", "unidentified", "precision-limited")
        assert fit.message
        fit = fit_mmrm("y ~ visit", data, df="kenward-roger", fallback=True, **NAMES)
        assert fit.tried[0][0] == FALLBACK[0]
    assert fit.status == "converged"
    moments = collect("y ~ visit", data, **NAMES)
    _, blocks = to_basis(moments)
    model = Model(blocks, STRUCTURES[fit.structure], np.arange(len(fit.visits), dtype=float), True)
    theta, unit = fit.optimum.theta, 1 / np.sqrt(np.diag(fit.optimum.hessian))
    steps = 1e-4 * np.diag(unit)
    gradient = [(model.value(theta + e) - model.value(theta - e)) / 2e-4 for e in steps]
    assert np.abs(gradient).max() < 1e-5
    hessian = np.array([(model.local(theta + e).gradient - model.local(theta - e).gradient) / 2e-4 for e in steps])
    assert np.linalg.eigvalsh((hessian * unit + (hessian * unit).T) / 2).min() > 0
    assert (fit.coefficients["df"] > 0).all()


@pytest.mark.parametrize("seed", range(40))
def test_skewed_cohorts(seed):
    check_skewed_cohort(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40, 500))
def test_more_skewed_cohorts(seed):
    check_skewed_cohort(seed)


def test_no_curvature_at_all_is_not_scaled_into_an_identified_parameter():
    rounding = np.diag([6.5, 1.1e-16, 1.3e-15])
    assert smallest_eigenvalue(rounding) <= 0
    assert smallest_eigenvalue(np.diag([6.5, 1.1e-4, 1.3e-5])) == pytest.approx(1)


@pytest.mark.parametrize("transform", [lambda y: y, np.log1p, np.sqrt])
def test_a_visit_of_one_patient_is_not_identified_on_any_scale(transform):
    rng = np.random.default_rng(11)
    frame = pd.DataFrame({"patient": range(14), "week": 0, "y": transform(rng.uniform(5, 40, 14).round(1))})
    alone = pd.DataFrame({"patient": [3], "week": [4], "y": transform(np.array([15.0]))})
    for covariance in ("us", "toeph", "ar1h", "csh"):
        fit = fit_mmrm("y ~ C(week)", pd.concat([frame, alone]), patient="patient", visit="week", covariance=covariance)
        assert fit.status == "unidentified" and "visit 4 was seen in 1 patient" in fit.message


def test_a_planned_visit_nobody_attended_is_no_level(tmp_path):
    from easitrace.models.mmrm import fit_mmrm

    rng = np.random.default_rng(4)
    scores = rng.normal(10, 2, (12, 2)) + rng.normal(0, 2, (12, 1))
    visits = pd.Categorical(["start", "end"] * 12, categories=["start", "never", "end"], ordered=True)
    rows = pd.DataFrame({"patient": np.repeat(np.arange(12), 2), "visit": visits, "y": scores.ravel()})
    fit, plain = (
        fit_mmrm("y ~ visit", data, patient="patient", visit="visit")
        for data in (rows, rows.assign(visit=rows["visit"].cat.remove_unused_categories()))
    )
    assert list(fit.visits) == ["start", "end"]
    assert fit.log_likelihood == plain.log_likelihood
