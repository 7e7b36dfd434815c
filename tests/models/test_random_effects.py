"""Random effects at the patients' own days: against lme4, lmerTest and pbkrtest, dense algebra and identities."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from easitrace.errors import DataError, ParameterError
from easitrace.models.emmeans import contrasts, emmeans, joint_test
from easitrace.models.individual_rows import individuals, to_basis
from easitrace.models.likelihood import profile
from easitrace.models.mmrm import fit_mmrm
from easitrace.models.random_effects import fit_random_effects
from easitrace.models.trajectories import predict_patients, random_effects
from easitrace.models.woodbury import (
    curvature,
    expand,
    expected_information,
    natural_point,
    negative_log_likelihood,
    weigh,
    working_point,
)

FOLDER = Path(__file__).parents[1] / "reference"
FILES = sorted(path.stem for path in FOLDER.glob("lmm_*.json"))
FORMULA = "y ~ age40 + time + I(time**2)"
RANDOM = {1: "1", 3: "1 + time"}  # by the number of variances and covariances in the file

LMER = 1e-6  # relative, or in standard errors; lmer stops at about 1e-8 of its optimum
P_IN_LMER = 1e-6  # of log P: an error of 3e-8 in df moves a P of 1e-59 by 4e-6 of itself


@cache
def irregular():
    data = pd.read_csv(FOLDER / "irregular.csv")
    return data.assign(time=data["day"] / 84, y=np.log1p(data["easi"]), age40=data["age"] - 40)


@cache
def reference(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


@cache
def fitted(name, df="satterthwaite", information="observed"):
    of = reference(name)
    random = RANDOM[len(of["random"]) - 1]
    options = {"reml": of["reml"], "df": df, "information": information}
    return fit_random_effects(FORMULA, irregular(), patient="patient", random=random, **options)


def simulated(n=40, visits=4, between=1.0, seed=3):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n), visits)
    time = np.tile(np.arange(visits), n) + rng.uniform(-0.3, 0.3, n * visits)
    effects = between * rng.multivariate_normal([0, 0], [[1.0, -0.2], [-0.2, 0.3]], n)[patient]
    y = 5 - time + effects[:, 0] + effects[:, 1] * time + rng.normal(0, 0.6, n * visits)
    arm = np.where(patient % 2, "drug", "placebo")
    return pd.DataFrame({"patient": patient, "time": time, "visit": np.tile(np.arange(visits), n), "arm": arm, "y": y})


def no_spread_between(seed=0):
    """Patients' means all alike: the best variance between them is zero."""
    data = simulated(30, seed=seed)
    noise = np.random.default_rng(seed).normal(size=(30, 4))
    return data.assign(y=(noise - 0.9 * noise.mean(axis=1, keepdims=True)).ravel())


def test_all_files_are_here():
    assert FILES == ["lmm_intercept_reml", "lmm_intercept_slope_ml", "lmm_intercept_slope_reml"]


@pytest.mark.parametrize("name", FILES)
def test_likelihood_and_covariance_of_lmer(name):
    fit, of = fitted(name), reference(name)
    assert fit.status == "converged"
    assert abs(fit.log_likelihood - of["log_likelihood"]) < 1e-9
    index = {"(Intercept)": 0, "time": 1}
    for row in of["random"]:
        if row["grp"] == "Residual":
            ours = fit.residual_variance
        else:
            ours = fit.covariance[index[row["var1"]], index[row.get("var2", row["var1"])]]
        assert abs(ours / row["vcov"] - 1) < LMER


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("table", "df", "information"),
    [("satterthwaite", "satterthwaite", "observed"), ("kenward_roger", "kenward-roger", "expected")],
)
def test_coefficients_of_lmer_test(name, table, df, information):
    of = reference(name)
    if df == "kenward-roger" and not of["reml"]:
        with pytest.raises(ParameterError, match="reml=True"):
            fitted(name, df, information)
        return
    ours, theirs = fitted(name, df, information).coefficients, pd.DataFrame(of[table])
    assert len(ours) == len(theirs) == 4
    assert (abs(ours["estimate"] - theirs["Estimate"]) / theirs["Std. Error"]).max() < LMER
    assert abs(ours["se"] / theirs["Std. Error"] - 1).max() < LMER
    assert abs(ours["df"] / theirs["df"] - 1).max() < LMER
    assert abs(np.log(ours["p"]) / np.log(theirs["Pr(>|t|)"]) - 1).max() < P_IN_LMER
    assert abs(ours["p"] - theirs["Pr(>|t|)"]).max() < LMER


@pytest.mark.parametrize("name", FILES)
def test_predicted_random_effects_of_lmer(name):
    ours, theirs = random_effects(fitted(name)), pd.DataFrame(reference(name)["blup"])
    assert ours["patient"].tolist() == theirs["patient"].tolist()
    assert ours["observations"].sum() == len(irregular())
    columns = [c for c in theirs.columns if c in ("(Intercept)", "time")]
    difference = ours.iloc[:, 2:].to_numpy() - theirs[columns].to_numpy()
    assert difference.shape[1] == len(columns)
    assert np.abs(difference).max() < LMER


# ---- the likelihood against dense algebra ------------------------------------------------------------------------


def dense(reml, random="1 + time", seed=0):
    """A point, the engine's view of it, and the N x N matrices it stands for."""
    of = individuals(FORMULA, random, irregular(), "patient")
    basis, root, patients = to_basis(of)
    q = len(root)
    rng = np.random.default_rng(seed)
    theta = np.append(-0.4, 0.4 * rng.normal(size=q * (q + 1) // 2) + np.eye(q)[np.tril_indices(q)])
    point = working_point(theta, q)
    Z = of.Z @ np.linalg.inv(root)
    X = of.X @ np.linalg.inv(basis.root)
    y = (of.y - of.X @ np.linalg.solve(basis.root, basis.target)) / basis.scale
    code = np.repeat(np.arange(of.n_patients), np.diff(np.append(of.start, len(y))))
    same = code[:, None] == code
    omega = np.linalg.inv(point.s * np.eye(len(y)) + (Z @ point.G.value @ Z.T) * same)
    H = X.T @ omega @ X
    projected = omega - omega @ X @ np.linalg.solve(H, X.T @ omega) if reml else omega
    return patients, theta, q, Z, X, y, same, omega, H, projected


@pytest.mark.parametrize("random", ["1", "1 + time", "bs(time, df=3)"])
@pytest.mark.parametrize("reml", [True, False])
def test_value_is_the_dense_multivariate_normal(reml, random):
    patients, theta, q, _, X, y, _, omega, H, _ = dense(reml, random)
    r = y - X @ np.linalg.solve(H, X.T @ omega @ y)
    n = len(y) - (X.shape[1] if reml else 0)
    logs = -np.linalg.slogdet(omega)[1] + (np.linalg.slogdet(H)[1] if reml else 0.0)
    expected = 0.5 * (n * np.log(2 * np.pi) + logs + r @ omega @ r)
    point = working_point(theta, q)
    value = negative_log_likelihood(patients, weigh(patients, point.s, point.G.value), reml)
    assert abs(value - expected) < 1e-10 * max(abs(expected), 1)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("random", ["1", "1 + time", "1 + time + I(time**2)"])
@pytest.mark.parametrize("reml", [True, False])
def test_gradient_and_hessian_are_finite_differences(reml, random, seed):
    of = individuals(FORMULA, random, irregular(), "patient")
    _, root, patients = to_basis(of)
    q, rng, h = len(root), np.random.default_rng(seed), 1e-5
    theta = 0.4 * rng.normal(size=1 + q * (q + 1) // 2)

    def at(point):
        found = working_point(point, q)
        return expand(patients, weigh(patients, found.s, found.G.value), found, reml)

    ours = at(theta)
    ends = [(at(theta + h * e), at(theta - h * e)) for e in np.eye(len(theta))]
    gradient = np.array([up.value - down.value for up, down in ends]) / (2 * h)
    hessian = np.array([up.gradient - down.gradient for up, down in ends]) / (2 * h)
    assert np.abs(ours.gradient - gradient).max() < 1e-7 * np.abs(gradient).max() + 1e-7
    assert np.abs(ours.hessian - hessian).max() < 1e-7 * np.abs(hessian).max()


@pytest.mark.parametrize("reml", [True, False])
def test_expected_information_and_curvature_are_dense_traces(reml):
    patients, theta, q, Z, X, _, same, omega, _, projected = dense(reml)
    at = working_point(theta, q)
    point, w = natural_point(at.s, at.G.value), weigh(patients, at.s, at.G.value)
    D = [np.eye(len(Z)), *[(Z @ E @ Z.T) * same for E in point.G.first]]
    information = np.array([[np.sum((projected @ a) * (projected @ b).T) / 2 for a in D] for b in D])
    ours = expected_information(patients, w, point, profile(w.A), reml)
    assert np.abs(ours - information).max() < 1e-12 * np.abs(information).max()
    W = np.linalg.inv(information)
    half = omega @ X
    bent = sum(W[a, b] * half.T @ D[a] @ omega @ D[b] @ half for a in range(len(D)) for b in range(len(D)))
    assert np.abs(curvature(patients, w, point, W) - bent).max() < 1e-12 * np.abs(bent).max()


# ---- identities --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within", "residual"])
@pytest.mark.parametrize("information", ["observed", "expected"])
def test_random_intercept_is_compound_symmetry(df, information):
    data = simulated().drop(index=[3, 10, 11, 40])
    options = {"patient": "patient", "df": df, "information": information}
    ours = fit_random_effects("y ~ C(visit) * arm", data, **options)
    theirs = fit_mmrm("y ~ C(visit) * arm", data, visit="visit", covariance="cs", **options)
    assert theirs.covariance[0, 1] > 0
    assert abs(ours.log_likelihood - theirs.log_likelihood) < 1e-10
    numbers = ["estimate", "se", "df", "p", "lower", "upper"]
    np.testing.assert_allclose(ours.coefficients[numbers], theirs.coefficients[numbers], rtol=1e-9, atol=1e-10)
    assert abs(ours.covariance[0, 0] / theirs.covariance[0, 1] - 1) < 1e-9
    assert abs(ours.residual_variance / (theirs.covariance[0, 0] - theirs.covariance[0, 1]) - 1) < 1e-9
    assert ours.coefficients["term"].tolist() == theirs.coefficients["term"].tolist()
    for table in (emmeans, lambda fit, by: contrasts(fit, by[1], within=by[0])):
        one, other = table(ours, ["visit", "arm"]), table(theirs, ["visit", "arm"])
        pd.testing.assert_frame_equal(one, other, rtol=1e-9, check_dtype=False)
    pd.testing.assert_frame_equal(joint_test(ours, "C(visit):arm"), joint_test(theirs, "C(visit):arm"), rtol=1e-8)


def test_kenward_roger_does_not_depend_on_second_derivatives():
    full, linear = (fitted(FILES[2], df).coefficients for df in ("kenward-roger", "kenward-roger-linear"))
    pd.testing.assert_frame_equal(full, linear)


def test_unit_and_origin_of_time_change_nothing():
    """Days instead of twelve weeks, counted from another day: the same model."""
    data = simulated()
    later = data.assign(time=84 * data["time"] + 1000)
    ours, moved = (fit_random_effects("y ~ time", d, patient="patient", random="1 + time") for d in (data, later))
    jacobian = 2 * np.log(84)  # REML: log|det| of the change of X (one 84); none of y
    assert abs(ours.log_likelihood - moved.log_likelihood - jacobian / 2) < 1e-8
    slope, moved_slope = ours.coefficients.iloc[1], moved.coefficients.iloc[1]
    for name, factor in (("estimate", 84), ("se", 84), ("df", 1), ("p", 1)):
        assert abs(factor * moved_slope[name] / slope[name] - 1) < 1e-7
    assert abs(84**2 * moved.covariance[1, 1] / ours.covariance[1, 1] - 1) < 1e-7


def test_adding_a_constant_moves_the_intercept_only():
    data = simulated()
    ours, moved = (
        fit_random_effects("y ~ time", d, patient="patient", random="1 + time")
        for d in (data, data.assign(y=data["y"] + 1e6))
    )
    assert abs(moved.coefficients["estimate"][0] - ours.coefficients["estimate"][0] - 1e6) < 1e-7
    np.testing.assert_allclose(moved.coefficients["se"], ours.coefficients["se"], rtol=1e-8)
    np.testing.assert_allclose(moved.coefficients["df"], ours.coefficients["df"], rtol=1e-6)


def test_order_of_rows_changes_nothing():
    data = simulated()
    shuffled = data.sample(frac=1, random_state=5)
    ours, other = (fit_random_effects("y ~ time", d, patient="patient", random="1 + time") for d in (data, shuffled))
    assert abs(ours.log_likelihood - other.log_likelihood) < 1e-10
    np.testing.assert_allclose(ours.coefficients.iloc[:, 1:], other.coefficients.iloc[:, 1:], rtol=1e-8)


def test_gradient_is_nothing_at_the_optimum():
    for name in FILES:
        assert np.abs(fitted(name).optimum.gradient).max() < 1e-9
        assert np.linalg.eigvalsh(fitted(name).optimum.hessian)[0] > 0


def test_counts_of_parameters():
    reml, ml = fitted("lmm_intercept_slope_reml"), fitted("lmm_intercept_slope_ml")
    assert reml.aic == pytest.approx(-2 * reml.log_likelihood + 2 * 4)
    assert ml.aic == pytest.approx(-2 * ml.log_likelihood + 2 * (4 + 4))
    assert ml.bic == pytest.approx(-2 * ml.log_likelihood + np.log(80) * 8)


def test_truth_is_recovered():
    data = simulated(2000, seed=8)
    fit = fit_random_effects("y ~ time", data, patient="patient", random="1 + time")
    z = (fit.coefficients["estimate"] - [5, -1]) / fit.coefficients["se"]
    assert np.abs(z).max() < 2.5
    np.testing.assert_allclose(fit.covariance, [[1.0, -0.2], [-0.2, 0.3]], atol=0.06)
    assert fit.residual_variance == pytest.approx(0.36, rel=0.05)


# ---- predictions -------------------------------------------------------------------------------------------------


def mixed_model_equations(fit, of):
    """Henderson's equations for all coefficients and effects at once: solution and its error covariance."""
    n, q = of.n_patients, of.Z.shape[1]
    code = np.repeat(np.arange(n), np.diff(np.append(of.start, len(of.y))))
    spread = np.zeros((len(of.y), n, q))
    spread[np.arange(len(of.y)), code] = of.Z
    W = np.column_stack([of.X, spread.reshape(len(of.y), n * q)])
    left = W.T @ W / fit.residual_variance
    p = of.X.shape[1]
    left[p:, p:] += np.kron(np.eye(n), np.linalg.inv(fit.covariance))
    return np.linalg.solve(left, W.T @ of.y / fit.residual_variance), np.linalg.inv(left)


def test_predictions_solve_the_mixed_model_equations():
    fit = fitted("lmm_intercept_slope_reml")
    of = individuals(FORMULA, "1 + time", irregular(), "patient")
    solution, covariance = mixed_model_equations(fit, of)
    table = predict_patients(fit, [0.0, 1.5])
    assert len(table) == 160
    ages = irregular().groupby("patient")["age40"].first()
    for k in (0, 7, 79):
        for time, row in zip((0.0, 1.5), table.iloc[2 * k : 2 * k + 2].itertuples(), strict=True):
            w = np.zeros(len(solution))
            w[:4] = [1, ages.iloc[k], time, time**2]
            w[4 + 2 * k : 6 + 2 * k] = [1, time]
            assert row.time == time
            assert abs(row.predicted - w @ solution) < 1e-9
            assert abs(row.fixed - w[:4] @ solution[:4]) < 1e-9
            assert abs(row.se - np.sqrt(w @ covariance @ w)) < 1e-9


def test_interval_of_a_score_adds_the_residual_variance():
    fit = fitted("lmm_intercept_slope_reml")
    course, score = (predict_patients(fit, [1.0], interval=kind, level=0.9) for kind in ("course", "score"))
    np.testing.assert_allclose(score["se"] ** 2 - course["se"] ** 2, fit.residual_variance)
    np.testing.assert_allclose((course["upper"] - course["lower"]) / course["se"], 2 * 1.6448536269514722)


def test_a_new_patient_gets_the_mean_course_and_the_spread_between_patients():
    fit = fitted("lmm_intercept_slope_reml")
    row = predict_patients(fit, pd.DataFrame({"patient": ["new"], "age40": [0.0], "time": [1.0]})).iloc[0]
    x, z = np.array([1, 0, 1, 1.0]), np.array([1, 1.0])
    assert row["observations"] == 0
    assert row["predicted"] == row["fixed"]
    assert row["predicted"] == pytest.approx(x @ fit.coefficients["estimate"])
    assert row["se"] ** 2 == pytest.approx(x @ fit.beta_covariance @ x + z @ fit.covariance @ z, rel=1e-6)


def test_intervals_hold_the_true_courses():
    data = simulated(1500, seed=21)
    held = data.groupby("patient").tail(1)
    fit = fit_random_effects("y ~ time", data.drop(held.index), patient="patient", random="1 + time")
    table = predict_patients(fit, held, interval="score")
    inside = (table["lower"] < held["y"].to_numpy()) & (held["y"].to_numpy() < table["upper"])
    assert abs(inside.mean() - 0.95) < 3 * np.sqrt(0.95 * 0.05 / len(held))


def test_predictions_refuse_what_they_cannot_use():
    fit = fitted("lmm_intercept_slope_reml")
    with pytest.raises(ParameterError, match="choose course or score"):
        predict_patients(fit, [1.0], interval="prediction")
    with pytest.raises(DataError, match="age40"):
        predict_patients(fit, pd.DataFrame({"patient": ["P001"], "age40": [np.nan], "time": [1.0]}))
    two = fit_random_effects("y ~ time + w", simulated().assign(w=lambda d: d["time"] ** 2), patient="patient")
    with pytest.raises(ParameterError, match="give a data frame"):
        predict_patients(two, [1.0])


# ---- the ladder of ends ------------------------------------------------------------------------------------------


def test_no_variance_between_patients_is_said():
    from scipy.stats import linregress

    data = no_spread_between()
    fit = fit_random_effects("y ~ time", data, patient="patient")
    assert fit.status == "singular"
    assert "variance of the random effect Intercept is estimated as 0" in fit.message
    assert fit.covariance[0, 0] < 1e-12
    assert fit.coefficients[["df", "p", "lower", "upper"]].isna().all(axis=None)
    plain = linregress(data["time"], data["y"])
    assert fit.coefficients["estimate"][1] == pytest.approx(plain.slope, rel=1e-9)
    assert fit.coefficients["se"][1] == pytest.approx(plain.stderr, rel=1e-9)


def test_perfect_correlation_is_said():
    fit = fit_random_effects("y ~ time", no_spread_between(), patient="patient", random="1 + time")
    assert fit.status == "singular"
    assert "perfectly correlated" in fit.message


def test_one_row_per_patient_is_not_identified():
    fit = fit_random_effects("y ~ time", simulated().groupby("patient").head(1), patient="patient")
    assert fit.status == "unidentified"
    assert "no patient has more rows than random effects" in fit.message
    assert fit.coefficients["p"].isna().all()


def test_constant_outcome_is_not_started():
    fit = fit_random_effects("y ~ time", simulated().assign(y=4.0), patient="patient")
    assert (fit.status, fit.optimum) == ("not started", None)
    assert fit.coefficients["estimate"].isna().all()
    with pytest.raises(ParameterError, match="no predictions"):
        random_effects(fit)


def test_courses_without_noise_are_singular():
    data = simulated()
    exact = data.assign(y=data["patient"] + 0.1 * data["patient"] ** 2 * data["time"])
    fit = fit_random_effects("y ~ time", exact, patient="patient", random="1 + time")
    assert fit.status == "singular"
    assert "residual variance is estimated as 0" in fit.message
    assert np.isnan(fit.log_likelihood)


def test_missing_rows_and_collinear_terms_are_said():
    data = simulated()
    data.loc[[2, 5], "y"] = np.nan
    fit = fit_random_effects("y ~ time + twice", data.assign(twice=2 * data["time"]), patient="patient")
    assert fit.dropped_rows == {"y": 2}
    assert fit.dropped_terms == ("twice",)
    assert "rows left out for a missing value: y 2" in fit.message
    assert "collinear with earlier columns, left out: twice" in fit.message
    assert fit.n_observations == len(data) - 2


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"random": "1 + time + I(2 * time)"}, "depend on each other"),
        ({"random": "0"}, "no column"),
        ({"df": "kenward-roger-mmrm"}, "belongs to fit_mmrm"),
        ({"df": "exact"}, "unknown"),
        ({"information": "both"}, "choose observed or expected"),
        ({"level": 1.0}, "not between 0 and 1"),
        ({"df": "kenward-roger", "reml": False}, "reml=True"),
    ],
)
def test_wrong_options_are_refused(changes, match):
    with pytest.raises(ParameterError, match=match):
        fit_random_effects("y ~ time", simulated(), patient="patient", **changes)


def test_absent_columns_are_named():
    with pytest.raises(DataError, match="column week"):
        fit_random_effects("y ~ time", simulated(), patient="patient", random="1 + week")
