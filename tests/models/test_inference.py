"""Inference against lmerTest, pbkrtest, emmeans and nlme on a random intercept (reference/cohort.R)."""

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simulated import cohort

from easitrace.errors import ParameterError
from easitrace.models.emmeans import back_transform, contrasts, emmeans, joint_test
from easitrace.models.inference import FixedEffects, estimates, f_test
from easitrace.models.mmrm import fit_mmrm

FOLDER = Path(__file__).parents[1] / "reference"
LMER = 1e-6  # relative; lmer stops at about 1e-8 of the likelihood
NLME = 1e-6  # relative, log-likelihood at nlme's own stopping rule


@cache
def reference(name):
    return json.loads((FOLDER / "cohort.json").read_text())[name]


@cache
def fitted(df, information="observed", structure="random-intercept"):
    data = pd.read_csv(FOLDER / "cohort.csv")
    options = {"covariance": structure, "df": df, "information": information}
    return fit_mmrm("y ~ age + sex + arm * visit", data, patient="patient", visit="visit", **options)


def in_r(term):
    return "(Intercept)" if term == "Intercept" else re.sub(r"\[T\.(\w+)\]", r"\1", term)


def close(ours, theirs, tolerance=LMER):
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=tolerance, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "df", "information"),
    [("satterthwaite", "satterthwaite", "observed"), ("kenward_roger_expected", "kenward-roger", "expected")],
)
def test_coefficients(name, df, information):
    table, theirs = fitted(df, information).coefficients, pd.DataFrame(reference(name)).set_index("term")
    ours = table.set_index(table["term"].map(in_r)).loc[theirs.index]
    names = {"estimate": "Estimate", "se": "Std. Error", "df": "df", "statistic": "t value", "p": "Pr(>|t|)"}
    for column, other in names.items():
        close(ours[column], theirs[other])


def test_information_matters():
    one, other = (fitted("satterthwaite", which).coefficients["df"] for which in ("observed", "expected"))
    assert (np.abs(one / other - 1) > 1e-4).any()


@pytest.mark.parametrize("term", ["age", "sex", "arm", "visit", "arm:visit"])
def test_type_three(term):
    theirs = next(row for row in reference("type3_kenward_roger") if row["term"] == term)
    row = joint_test(fitted("kenward-roger", "expected"), term).iloc[0]
    assert row["df1"] == theirs["NumDF"]
    close([row["df2"], row["f"], row["p"]], [theirs["DenDF"], theirs["F value"], theirs["Pr(>F)"]])


@pytest.mark.parametrize("factor", ["arm", "visit"])
def test_proportional_weights(factor):
    ours = emmeans(fitted("satterthwaite"), factor, weights="proportional")
    theirs = pd.DataFrame(reference(f"proportional_{factor}"))
    assert ours[factor].astype(str).tolist() == theirs[factor].tolist()
    for column, other in {"estimate": "emmean", "se": "SE", "df": "df", "lower": "lower.CL"}.items():
        close(ours[column], theirs[other])
    equal = emmeans(fitted("satterthwaite"), factor)
    assert (np.abs(equal["estimate"] - ours["estimate"]) > 1e-4).all()


def test_means_at_chosen_values():
    ours = emmeans(fitted("kenward-roger", "expected"), ["arm", "visit"], at={"age": 30, "sex": ["female"]})
    theirs = pd.DataFrame(reference("at_age_30_female"))
    assert (ours["arm"] + ours["visit"].astype(str)).tolist() == (theirs["arm"] + theirs["visit"]).tolist()
    for column, other in {"estimate": "emmean", "se": "SE", "df": "df", "upper": "upper.CL"}.items():
        close(ours[column], theirs[other])
    several = emmeans(fitted("kenward-roger"), "arm", at={"age": [30, 60]})
    assert several["age"].tolist() == [30, 30, 60, 60]


def test_pairwise():
    ours = contrasts(fitted("kenward-roger", "expected"), "visit").set_index("contrast")
    theirs = pd.DataFrame(reference("pairs_visit"))
    theirs.index = theirs["contrast"].str.replace("visit", "")
    for column, other in {"estimate": "estimate", "se": "SE", "df": "df", "p": "p.value", "lower": "lower.CL"}.items():
        close(ours.loc[theirs.index, column], theirs[other])


def test_between_within_is_nlme():
    table, theirs = fitted("between-within").coefficients, pd.DataFrame(reference("lme_df")).set_index("term")["df"]
    assert table.set_index(table["term"].map(in_r))["df"].loc[theirs.index].tolist() == theirs.tolist()
    assert fitted("residual").coefficients["df"].unique().tolist() == [fitted("residual").n_observations - 10]


def test_log_likelihood_is_nlme():
    assert fitted("satterthwaite").log_likelihood == pytest.approx(reference("lme_log_likelihood"), rel=NLME)
    unstructured = fitted("satterthwaite", structure="us")
    assert unstructured.log_likelihood == pytest.approx(reference("gls_unstructured_log_likelihood"), rel=NLME)


def test_aic_and_bic_count():
    fit = fitted("satterthwaite", structure="us")
    assert fit.aic == pytest.approx(-2 * fit.log_likelihood + 2 * 10)
    assert fit.bic == pytest.approx(-2 * fit.log_likelihood + np.log(fit.n_patients) * 10)


def test_inference_needs_no_model():
    """Plain regression as the simplest case: one variance, so every df is the residual one and F is exact."""
    rng = np.random.default_rng(1)
    n = 30
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    y = X @ [1, 0.5, 0, -0.2] + rng.normal(size=n)
    beta, rss = np.linalg.lstsq(X, y)[:2]
    s2, XX = rss[0] / (n - 4), X.T @ X
    phi, slopes, W = s2 * np.linalg.inv(XX), -(XX / s2**2)[None], np.array([[2 * s2**2 / (n - 4)]])
    effects = FixedEffects("kenward-roger", beta, phi, phi, slopes, W, np.zeros(0))
    L = np.eye(4)
    found = estimates(effects, L, L, 0.95)
    close(found.df, n - 4, 1e-12)
    close(found.p, 2 * stats.t.sf(np.abs(beta / np.sqrt(np.diag(phi))), n - 4), 1e-10)
    for method in ("kenward-roger", "satterthwaite"):
        test = f_test(FixedEffects(method, beta, phi, phi, slopes, W, np.zeros(0)), L[1:], L[1:])
        reduced = np.sum((y - y.mean()) ** 2)
        F = (reduced - rss[0]) / 3 / s2
        close([test.df1, test.df2, test.f, test.p], [3, n - 4, F, stats.f.sf(F, 3, n - 4)], 1e-9)


@pytest.mark.parametrize(("scale", "forward", "back"), [("log1p", np.log1p, np.expm1), ("sqrt", np.sqrt, np.square)])
def test_back_transformation(scale, forward, back):
    data = cohort(60, [0, 4, 12], 32)
    data["easi"] = np.exp(data["y"])
    fit = fit_mmrm(f"np.{scale}(easi) ~ visit", data, patient="patient", visit="visit")
    plain = fit_mmrm("t ~ visit", data.assign(t=forward(data["easi"])), patient="patient", visit="visit")
    means = emmeans(fit, "visit")
    close(means["estimate"], emmeans(plain, "visit")["estimate"], 1e-10)
    moved = back_transform(means, scale)
    for column in ("estimate", "lower", "upper"):
        close(moved[column], back(means[column]), 1e-14)
    slope = (back(means["estimate"] + 1e-6) - back(means["estimate"] - 1e-6)) / 2e-6
    close(moved["se"], slope * means["se"], 1e-8)
    pd.testing.assert_frame_equal(back_transform(means, "raw"), means)


def test_back_transformation_is_refused_where_it_means_nothing():
    fit = fitted("satterthwaite")
    with pytest.raises(ParameterError, match="a difference has no value"):
        back_transform(contrasts(fit, "visit"), "log1p")
    with pytest.raises(ParameterError, match="'log' is unknown"):
        back_transform(emmeans(fit, "visit"), "log")
    below = back_transform(pd.DataFrame({"estimate": [0.5], "se": [1.0], "lower": [-1.0], "upper": [2.0]}), "sqrt")
    assert below["lower"].tolist() == [0.0]
