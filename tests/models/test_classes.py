"""Latent classes: against R's lcmm and lme4, against dense normal densities, simulated truth, and hopeless data."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from easitrace.errors import DataError, ParameterError
from easitrace.models.class_data import collect_patients
from easitrace.models.class_fit import class_means
from easitrace.models.class_selection import class_table, compare_classes
from easitrace.models.classes import fit_classes
from easitrace.models.mixture import expand, negative_log_likelihood, pack, unpack
from easitrace.models.mixture_em import draw_centres, em_step, smoothed_courses, start
from easitrace.models.mixture_search import search

FOLDER = Path(__file__).parents[1] / "reference"
FORMULA = "log_easi ~ time + spline"
HLME = json.loads((FOLDER / "hlme_intercept_spline.json").read_text())

HLME_STOPS = 1e-4  # log-likelihood units: hlme ends where its convergence criteria are met, a little below the optimum
HLME_ESTIMATE = 1e-3  # in standard errors, for the same reason
LME4 = 1e-6  # relative
WEEKS = np.array([0.0, 4, 8, 12, 16, 24])
TRUTH = {"share": [0.45, 0.33, 0.22], "root": 0.35, "sd": 0.28}
COURSES = np.array([[2.95, -6.2, 5.7], [2.85, -4.8, 6.4], [2.9, -0.5, 0.5]])


def with_time(data):
    return data.assign(time=data["week"] / 24, spline=np.maximum(data["week"] - 6, 0) / 24)


@cache
def reference_data():
    return with_time(pd.read_csv(FOLDER / "classes.csv"))


@cache
def fitted(classes, random="1"):
    return fit_classes(FORMULA, reference_data(), patient="patient", classes=classes, random=random)


def simulated(n, seed, weeks=WEEKS, missing=0.1, slope=0.0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(len(weeks)), weeks / 24, np.maximum(weeks - 6, 0) / 24])
    c = rng.choice(3, p=TRUTH["share"], size=n)
    y = (
        (COURSES @ X.T)[c]
        + TRUTH["root"] * rng.standard_normal((n, 1))
        + TRUTH["sd"] * rng.standard_normal((n, len(weeks)))
    )
    y += slope * rng.standard_normal((n, 1)) * weeks / 24
    frame = {"patient": np.repeat(np.arange(n), len(weeks)), "week": np.tile(weeks, n), "log_easi": y.ravel()}
    data = with_time(pd.DataFrame(frame))
    return data[(data["week"] == weeks[0]) | (rng.random(len(data)) >= missing)].reset_index(drop=True)


def by_patient(data):
    """X_i, y_i of every patient, in sorted order."""
    rows = [group for _, group in data.groupby("patient")]
    return [(np.column_stack([np.ones(len(r)), r["time"], r["spline"]]), r["log_easi"].to_numpy()) for r in rows]


def dense_log_densities(patients, beta, D, variance, random="1"):
    """log N(y_i; X_i beta_k, V_i), (n, K), patient by patient from the definition."""
    found = []
    for X, y in patients:
        Z = X[:, :1] if random == "1" else X[:, :2]
        V = Z @ D @ Z.T + variance * np.eye(len(y))
        R = y[:, None] - X @ beta.T
        square = (R * np.linalg.solve(V, R)).sum(axis=0)
        found.append(-0.5 * (len(y) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + square))
    return np.array(found)


def dense(data, fit):
    beta = fit.coefficients["estimate"].to_numpy().reshape(fit.classes, -1)
    D = fit.random_covariance.to_numpy()
    log_density = dense_log_densities(by_patient(data), beta, D, fit.residual_variance, fit.random)
    joint = np.exp(log_density) * fit.sizes["probability"].to_numpy()
    return float(np.log(joint.sum(axis=1)).sum()), joint / joint.sum(axis=1, keepdims=True)


# ---- against other programs


@pytest.mark.parametrize("classes", [1, 2, 3, 4])
def test_reaches_at_least_lcmm(classes):
    fit, other = fitted(classes), HLME[classes - 1]
    assert fit.log_likelihood >= other["log_likelihood"]
    assert len(HLME) == 4 and other["classes"] == classes
    if classes < 4:
        assert fit.status == "converged"
        assert fit.log_likelihood == pytest.approx(other["log_likelihood"], abs=HLME_STOPS)
        assert (fit.aic, fit.bic) == pytest.approx((other["aic"], other["bic"]), abs=2 * HLME_STOPS)
        assert fit.entropy == pytest.approx(other["entropy"], abs=1e-5)
        assert sorted(fit.sizes["patients"]) == sorted(np.atleast_1d(other["sizes"]))


def test_posterior_of_three_classes_agrees_with_lcmm():
    theirs = pd.DataFrame(HLME[2]["posterior"])
    ours = fitted(3).posterior
    assert ours["patient"].tolist() == theirs["patient"].tolist()
    table = pd.crosstab(ours["class"].to_numpy(), theirs["class"].to_numpy())
    assert (table > 0).sum(axis=1).tolist() == [1, 1, 1]
    assert table.max(axis=1).sum() == len(ours) == 300
    order = table.idxmax(axis=1)
    for k in (1, 2, 3):
        np.testing.assert_allclose(ours[f"probability_{k}"], theirs[f"prob{order[k]}"], atol=1e-4)


def test_estimates_of_three_classes_agree_with_lcmm():
    theirs, fit = HLME[2]["parameters"], fitted(3)
    names = {"Intercept": "intercept", "time": "time", "spline": "spline"}
    # ours by mean at week 24: sustained, none, temporary; lcmm's classes 3, 2, 1, its intercepts with a suffix
    for row in fit.coefficients.itertuples():
        suffix = ".1" if row.term == "Intercept" and row[1] != 1 else ""
        value = theirs[f"{names[row.term]} class{ {1: 3, 2: 2, 3: 1}[row[1]] }{suffix}"]
        assert abs(row.estimate - value) < HLME_ESTIMATE * row.se
    assert fit.random_covariance.iloc[0, 0] == pytest.approx(theirs["varcov 1"], rel=1e-4)
    assert fit.residual_variance == pytest.approx(theirs["stderr"] ** 2, rel=1e-4)


def test_one_class_is_the_mixed_model_of_lme4():
    other = json.loads((FOLDER / "lmm_intercept_slope_ml.json").read_text())
    data = pd.read_csv(FOLDER / "irregular.csv")
    data = data.assign(time=data["day"] / 84, age40=data["age"] - 40)
    formula = "np.log1p(easi) ~ age40 + time + I(time**2)"
    fit = fit_classes(formula, data, patient="patient", classes=1, random="1 + time")
    assert fit.status == "converged"
    assert fit.log_likelihood == pytest.approx(other["log_likelihood"], abs=1e-6)
    table = pd.DataFrame(other["satterthwaite"])
    np.testing.assert_allclose(fit.coefficients["estimate"], table["Estimate"], rtol=LME4)
    variances = {(r["grp"], r.get("var1"), r.get("var2")): r["vcov"] for r in other["random"]}
    D = fit.random_covariance.to_numpy()
    assert D[0, 0] == pytest.approx(variances["patient", "(Intercept)", None], rel=1e-4)
    assert D[0, 1] == pytest.approx(variances["patient", "(Intercept)", "time"], rel=1e-4)
    assert fit.residual_variance == pytest.approx(variances["Residual", None, None], rel=1e-4)


# ---- identities


@pytest.mark.parametrize(("classes", "random"), [(1, "1"), (3, "1"), (2, "1 + time")])
def test_log_likelihood_and_posterior_are_those_of_dense_normals(classes, random):
    fit = fitted(classes, random)
    log_likelihood, posterior = dense(reference_data(), fit)
    assert abs(fit.log_likelihood - log_likelihood) < 1e-10 * abs(log_likelihood)
    np.testing.assert_allclose(fit.posterior.filter(like="probability_"), posterior, atol=1e-9)
    assert np.abs(fit.gradient).max() < 1e-6


def some_mixture(random, classes=3, seed=1):
    data = collect_patients(FORMULA, simulated(40, seed, slope=0.4), patient="patient", random=random)
    courses = smoothed_courses(data.patients)
    rng = np.random.default_rng(seed)
    mixture = start(data.patients, courses[draw_centres(courses, classes, rng, spread_out=True)])
    theta = pack(mixture)
    theta = theta + 0.2 * rng.standard_normal(len(theta))
    return data.patients, theta, (*mixture.beta.shape, len(mixture.root))


@pytest.mark.parametrize("random", ["0", "1", "1 + time"])
def test_gradient_and_hessian_are_those_of_finite_differences(random):
    patients, theta, shape = some_mixture(random)
    local = expand(patients, unpack(theta, *shape))
    h = 1e-5
    for a in range(len(theta)):
        up, down = (unpack(theta + s * h * np.eye(len(theta))[a], *shape) for s in (1, -1))
        slope = (negative_log_likelihood(patients, up) - negative_log_likelihood(patients, down)) / (2 * h)
        bend = (expand(patients, up).gradient - expand(patients, down).gradient) / (2 * h)
        assert slope == pytest.approx(local.gradient[a], rel=1e-6, abs=1e-4)
        np.testing.assert_allclose(bend, local.hessian[a], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("random", ["0", "1", "1 + time"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_em_never_lowers_the_log_likelihood(random, seed):
    patients, theta, shape = some_mixture(random, seed=seed)
    mixture, values = unpack(theta, *shape), []
    for _ in range(40):
        mixture, found = em_step(patients, mixture)
        values.append(found.log_likelihood)
    assert np.diff(values).min() >= -1e-9
    assert values[-1] - values[0] > 1


@pytest.mark.parametrize("random", ["0", "1", "1 + time"])
def test_em_stands_still_at_the_optimum(random):
    data = collect_patients(FORMULA, simulated(150, 4, slope=0.4), patient="patient", random=random)
    found = search(data.patients, data.basis.anchor_in_basis, 2, 6, seed=0)
    after, _ = em_step(data.patients, found.best.mixture)
    np.testing.assert_allclose(pack(after), pack(found.best.mixture), atol=1e-6)


@pytest.mark.parametrize("spread_out", [False, True])
def test_starts_are_as_far_apart_as_patients_are_whatever_their_number(spread_out):
    for n in (100, 2000):
        data = collect_patients(FORMULA, simulated(n, 4), patient="patient", random="1")
        courses = smoothed_courses(data.patients)
        drawn = [draw_centres(courses, 3, np.random.default_rng(k), spread_out) for k in range(60)]
        assert all(len(set(centres)) == 3 for centres in drawn)
        ratio = courses[np.concatenate(drawn)].std(axis=0) / courses.std(axis=0)
        assert ratio.min() > 0.8 and ratio.max() < 1.7
        apart = np.mean([np.linalg.norm(courses[c][0] - courses[c][1]) for c in drawn])
        evenly = np.mean(np.linalg.norm(courses[1:] - courses[:-1], axis=1))
        assert (apart > 1.15 * evenly) == spread_out


def test_standard_errors_are_those_of_the_numerical_information():
    data = simulated(60, 5)
    fit = fit_classes(FORMULA, data, patient="patient", classes=2, starts=10)
    point = np.concatenate(
        [
            fit.coefficients["estimate"],
            [np.log(fit.sizes["probability"][0] / fit.sizes["probability"][1])],
            [fit.random_covariance.iloc[0, 0], fit.residual_variance],
        ]
    )

    patients = by_patient(data)

    def value(v):
        share = np.exp([v[6], 0]) / np.exp([v[6], 0]).sum()
        log_density = dense_log_densities(patients, v[:6].reshape(2, 3), np.array([[v[7]]]), v[8])
        return float(np.log((np.exp(log_density) * share).sum(axis=1)).sum())

    h, n = 1e-4, len(point)
    steps = h * np.eye(n)
    hessian = np.array(
        [
            [value(point + a + b) - value(point + a - b) - value(point - a + b) + value(point - a - b) for b in steps]
            for a in steps
        ]
    ) / (4 * h * h)
    se = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    np.testing.assert_allclose(fit.coefficients["se"], se[:6], rtol=2e-4)
    share = fit.sizes["probability"][0]
    np.testing.assert_allclose(fit.sizes["se"], np.full(2, se[6] * share * (1 - share)), rtol=2e-4)
    z = fit.coefficients["estimate"] / fit.coefficients["se"]
    np.testing.assert_allclose(fit.coefficients["p"], 2 * norm.sf(z.abs()), rtol=1e-9)
    width = fit.coefficients["upper"] - fit.coefficients["lower"]
    np.testing.assert_allclose(width, 2 * norm.ppf(0.975) * fit.coefficients["se"], rtol=1e-9)


def test_row_order_and_names_of_patients_change_nothing():
    data = simulated(80, 3)
    fit = fit_classes(FORMULA, data, patient="patient", classes=3, starts=8)
    names = {k: f"P{(k * 37) % 80:02d}" for k in range(80)}
    other_data = data.assign(patient=data["patient"].map(names)).sample(frac=1, random_state=4)
    other = fit_classes(FORMULA, other_data, patient="patient", classes=3, starts=8)
    assert other.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-9)
    np.testing.assert_allclose(other.coefficients["estimate"], fit.coefficients["estimate"], rtol=1e-8)
    np.testing.assert_allclose(other.starts["log_likelihood"], fit.starts["log_likelihood"], atol=1e-7)
    back = other.posterior.set_index("patient").loc[[names[k] for k in fit.posterior["patient"]]]
    assert back["class"].tolist() == fit.posterior["class"].tolist()


def test_a_constant_moves_only_intercepts_and_a_unit_only_the_scale():
    data = simulated(80, 3)
    fit = fit_classes(FORMULA, data, patient="patient", classes=2, starts=6)
    moved = data.assign(log_easi=1000 * data["log_easi"] + 1e6)
    other = fit_classes(FORMULA, moved, patient="patient", classes=2, starts=6)
    assert other.log_likelihood == pytest.approx(fit.log_likelihood - len(data) * np.log(1000), abs=1e-5)
    shift = np.where(fit.coefficients["term"] == "Intercept", 1e6, 0)
    np.testing.assert_allclose(
        other.coefficients["estimate"], 1000 * fit.coefficients["estimate"] + shift, rtol=1e-9, atol=1e-3
    )
    np.testing.assert_allclose(other.coefficients["se"], 1000 * fit.coefficients["se"], rtol=1e-6)
    np.testing.assert_allclose(other.random_covariance, 1e6 * fit.random_covariance, rtol=1e-6)


def test_no_random_effects_left_equals_a_model_without_them():
    rng = np.random.default_rng(1)
    data = simulated(60, 9)
    data["log_easi"] = 3 - 2 * data["time"] * (data["patient"] % 2) + 0.3 * rng.standard_normal(len(data))
    data["log_easi"] -= data.groupby("patient")["log_easi"].transform("mean") - 2.5  # levels too alike for a variance
    fit = fit_classes(FORMULA, data, patient="patient", classes=2, starts=10)
    plain = fit_classes(FORMULA, data, patient="patient", classes=2, starts=10, random="0")
    assert fit.status == "singular" and 'random="0"' in fit.message
    assert fit.coefficients["p"].isna().all()
    assert plain.status == "converged"
    assert plain.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-6)


# ---- simulated truth


def test_recovers_simulated_classes_within_two_and_a_half_standard_errors():
    fit = fit_classes(FORMULA, simulated(600, 11), patient="patient", classes=3, starts=20)
    assert fit.status == "converged"
    by_end = np.argsort(COURSES @ [1, 1, 0.75])
    truth = COURSES[by_end].ravel()
    z = (fit.coefficients["estimate"] - truth) / fit.coefficients["se"]
    assert z.abs().max() < 2.5
    share = (fit.sizes["probability"] - np.array(TRUTH["share"])[by_end]) / fit.sizes["se"]
    assert share.abs().max() < 2.5
    assert fit.random_covariance.iloc[0, 0] == pytest.approx(TRUTH["root"] ** 2, rel=0.2)
    assert fit.residual_variance == pytest.approx(TRUTH["sd"] ** 2, rel=0.1)


def test_classes_are_in_ascending_order_at_the_last_time():
    for classes in (2, 3, 4):
        fit = fitted(classes)
        last = class_means(fit, pd.DataFrame({"time": [1.0], "spline": [0.75]}))
        assert fit.data.time == "time"
        assert (np.diff(last["estimate"]) > 0).all()


def test_class_means_are_contrasts_of_the_coefficients():
    fit = fitted(3)
    at = pd.DataFrame({"time": [0.0, 1.0], "spline": [0.0, 0.75]})
    means = class_means(fit, at)
    first = means[means["time"] == 0]
    intercepts = fit.coefficients[fit.coefficients["term"] == "Intercept"]
    for name in ("estimate", "se", "lower", "upper"):
        np.testing.assert_allclose(first[name], intercepts[name], rtol=1e-10)
    assert list(means.columns) == ["class", "time", "spline", "estimate", "se", "lower", "upper"]


def test_figures_of_classification_are_those_of_the_posterior():
    fit = fitted(3)
    w = fit.posterior.filter(like="probability_").to_numpy()
    assigned = w.argmax(axis=1)
    for k, row in fit.sizes.iterrows():
        mean = w[assigned == k, k].mean()
        assert row["mean_posterior"] == pytest.approx(mean, rel=1e-12)
        share = row["probability"]
        assert row["odds_of_correct_classification"] == pytest.approx(
            (mean / (1 - mean)) / (share / (1 - share)), rel=1e-9
        )
        assert row["probability"] == pytest.approx(w[:, k].mean(), rel=1e-6)
    assert fit.sizes["patients"].sum() == 300 and fit.sizes["percent"].sum() == pytest.approx(100)


def test_starts_are_recorded_and_few_at_the_best_are_flagged():
    three, four = fitted(3), fitted(4)
    assert len(three.starts) == 50 and three.starts["at_best"].sum() == three.starts_at_best >= 25
    assert (three.starts["log_likelihood"] <= three.log_likelihood + 1e-9).all()
    assert (three.starts["log_likelihood"] >= three.starts["short_log_likelihood"] - 1e-6).all()
    assert four.status == "not replicated" and f"{four.starts_at_best} of 50" in four.message
    assert f"class 4 has few patients: {four.sizes['patients'][3]:.0f}" in four.message
    assert four.coefficients["p"].isna().all() and four.coefficients["estimate"].notna().all()
    fewer = fit_classes(FORMULA, reference_data(), patient="patient", classes=3, starts=3)
    np.testing.assert_array_equal(fewer.starts["short_log_likelihood"], three.starts["short_log_likelihood"][:3])
    other = fit_classes(FORMULA, reference_data(), patient="patient", classes=3, starts=3, seed=8)
    assert (other.starts["short_log_likelihood"] != fewer.starts["short_log_likelihood"]).all()


def test_table_of_classes():
    table = compare_classes(FORMULA, reference_data(), patient="patient", max_classes=2, starts=4)
    assert table["classes"].tolist() == [1, 2] and table["parameters"].tolist() == [5, 9]
    two = fit_classes(FORMULA, reference_data(), patient="patient", classes=2, starts=4)
    pd.testing.assert_frame_equal(table.iloc[1:].reset_index(drop=True), class_table([two]))
    assert table["smallest_class"].tolist() == [300, 134]
    assert table["bic"][1] - table["aic"][1] == pytest.approx(9 * (np.log(300) - 2))
    assert table["adjusted_bic"][1] - table["aic"][1] == pytest.approx(9 * (np.log(302 / 24) - 2))


# ---- data that cannot carry the model


def one_visit():
    return simulated(50, 1, weeks=WEEKS[:1])


def copies():
    data = simulated(40, 1, missing=0)
    return data.assign(log_easi=np.tile(data["log_easi"][:6], 40))


def carried_forward():
    data = simulated(40, 1)
    return data.assign(log_easi=data.groupby("patient")["log_easi"].transform("first"))


def two_lines():
    data = simulated(60, 1)
    return data.assign(log_easi=3.0 - data["time"] * (data["patient"] % 2))


HOPELESS = {
    "one visit": (one_visit, "log_easi ~ 1", 2, "not identifiable", "too few visits: 1 per patient at most"),
    "one visit, one class": (one_visit, "log_easi ~ 1", 1, "not identifiable", "too few visits"),
    "three visits, three classes": (
        lambda: simulated(200, 1, weeks=WEEKS[:3]),
        "log_easi ~ time",
        3,
        "not identifiable",
        "too few visits: 3 per patient at most cannot carry 3 classes, which need 4",
    ),
    "five patients": (lambda: simulated(5, 1), FORMULA, 2, "not identifiable", "too few patients: 5 "),
    "more classes than patients": (lambda: simulated(4, 1), "log_easi ~ 1", 5, "not identifiable", "too few patients"),
    "constant outcome": (
        lambda: simulated(40, 1).assign(log_easi=2.0),
        FORMULA,
        2,
        "not started",
        "perfectly (is it constant?)",
    ),
    "copies of one patient": (copies, FORMULA, 2, None, ""),
    "last observation carried forward": (carried_forward, FORMULA, 2, "not identifiable", "residual variance"),
    "two exact lines": (two_lines, FORMULA, 2, "not identifiable", "residual variance"),
}


@pytest.mark.parametrize("name", HOPELESS)
def test_hopeless_data_end_in_a_status_with_a_reason(name):
    make, formula, classes, status, reason = HOPELESS[name]
    fit = fit_classes(formula, make(), patient="patient", classes=classes, starts=10)
    assert fit.status != "converged" and fit.message
    assert status is None or fit.status == status
    assert reason in fit.message
    assert fit.coefficients["p"].isna().all()
    assert len(fit.posterior) == make()["patient"].nunique()
    row = class_table([fit]).iloc[0]
    assert row["status"] == fit.status


def test_one_class_with_few_patients_is_an_ordinary_mixed_model():
    fit = fit_classes(FORMULA, simulated(5, 1), patient="patient", classes=1)
    log_likelihood, _ = dense(simulated(5, 1), fit)
    assert fit.status == "converged"
    assert fit.log_likelihood == pytest.approx(log_likelihood, rel=1e-10)


def test_dropped_rows_and_terms_are_named():
    data = simulated(60, 2)
    data.loc[3, "log_easi"] = np.nan
    data["double"] = 2 * data["time"]
    fit = fit_classes("log_easi ~ time + double + spline", data, patient="patient", classes=2, starts=4)
    plain = fit_classes(FORMULA, data, patient="patient", classes=2, starts=4)
    assert fit.dropped_rows == {"log_easi": 1} and fit.dropped_terms == ("double",)
    assert "double" in fit.message and "log_easi 1" in fit.message
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-8)
    missing = fit.coefficients.set_index("term")["estimate"].isna()
    assert missing.loc["double"].all() and not missing.drop("double").any()
    at = pd.DataFrame({"time": [1.0, 1.0], "double": [2.0, 3.0], "spline": [0.75, 0.75]})
    assert class_means(fit, at)["estimate"].isna().tolist() == [False, True] * 2


def test_wrong_options_and_rows_are_refused():
    data = simulated(30, 2)
    for wrong in ({"classes": 0}, {"classes": 2.5}, {"starts": 0}, {"seed": -1}, {"level": 1.5}):
        with pytest.raises(ParameterError, match=next(iter(wrong))):
            fit_classes(FORMULA, data, patient="patient", **{"classes": 2, **wrong})
    with pytest.raises(DataError, match=r"E308 .*more than one row"):
        fit_classes(FORMULA, pd.concat([data, data.iloc[:1]]), patient="patient", classes=1)
    with pytest.raises(ParameterError, match="depend on each other"):
        fit_classes(FORMULA, data, patient="patient", classes=1, random="1 + time + I(2 * time)")
    with pytest.raises(DataError, match="E303 column nobody"):
        fit_classes(FORMULA, data, patient="nobody", classes=1)


def test_factors_splines_and_text_identifiers():
    data = reference_data()
    labels = [f"w{week:.0f}" for week in WEEKS]
    data = data.assign(
        visit=pd.Categorical([f"w{week}" for week in data["week"]], labels), name=data["patient"].map(str)
    )
    by_visit = fit_classes("log_easi ~ visit", data, patient="name", classes=2, starts=4)
    by_spline = fit_classes("log_easi ~ bs(time, df=5)", data, patient="patient", classes=2, starts=4)
    assert by_visit.log_likelihood == pytest.approx(by_spline.log_likelihood, abs=1e-7)  # six visits: one model
    assert (by_visit.data.time, by_spline.data.time) == ("visit", "time")
    visits = class_means(by_visit, pd.DataFrame({"visit": labels}))
    splines = class_means(by_spline, pd.DataFrame({"time": WEEKS / 24}))
    np.testing.assert_allclose(visits[["estimate", "se"]], splines[["estimate", "se"]], rtol=1e-6)
    assert by_visit.posterior["patient"].tolist() == sorted(data["name"].unique())
