"""Against R's mmrm: every reference file, none skipped."""

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from easitrace.models.emmeans import contrasts, emmeans, joint_test
from easitrace.models.mmrm import fit_mmrm

FOLDER = Path(__file__).parents[1] / "reference"
FILES = sorted(path.stem for path in FOLDER.glob("mmrm_*.json"))
NATURAL = json.loads((FOLDER / "kenward_roger_natural.json").read_text())

LOG_LIKELIHOOD = 1e-8  # absolute; the files' fits are polished to a gradient of 1e-11
COEFFICIENT = 1e-8  # in standard errors
STANDARD_ERROR = 1e-8  # relative
DEGREES = 1e-7  # relative
P_VALUE = 1e-6  # relative
NUMERICAL_DERIVATIVES = 1e-6  # relative, of kenward_roger_natural.R


@cache
def two_arm():
    data = pd.read_csv(FOLDER / "two_arm.csv")
    data["arm"] = pd.Categorical(data["arm"], ["placebo", "drug"])
    return data


@cache
def reference(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def method(of):
    if of["df_method"] == "Satterthwaite":
        return "satterthwaite"
    return "kenward-roger-linear" if of["vcov"] == "Kenward-Roger-Linear" else "kenward-roger-mmrm"


@cache
def fitted(name):
    of = reference(name)
    by = "arm" if of["grouped_by_arm"] else None
    options = {"covariance": of["structure"], "by": by, "reml": of["reml"], "df": method(of)}
    return fit_mmrm(of["formula"], two_arm(), patient="patient", visit="week", **options)


def in_r(term):
    return "(Intercept)" if term == "Intercept" else re.sub(r"\[T\.(\w+)\]", r"\1", term)


def close(ours, theirs, tolerance):
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=tolerance, atol=0)


def close_rows(ours, theirs, names):
    se = theirs[names["se"]].to_numpy()
    assert np.max(np.abs(ours["estimate"].to_numpy() - theirs[names["estimate"]].to_numpy()) / se) < COEFFICIENT
    close(ours["se"], se, STANDARD_ERROR)
    close(ours["df"], theirs[names["df"]], DEGREES)
    if "p" in names:
        close(ours["p"], theirs[names["p"]], P_VALUE)
    if "lower" in names:
        for end in ("lower", "upper"):
            assert np.max(np.abs(ours[end].to_numpy() - theirs[names[end]].to_numpy()) / se) < DEGREES


def test_all_files_are_here():
    assert len(FILES) == 21
    assert len(NATURAL) == 5


@pytest.mark.parametrize("name", FILES)
def test_fit(name):
    fit, of = fitted(name), reference(name)
    assert fit.status == "converged"
    assert (fit.n_patients, fit.n_observations) == (of["n_patients"], of["n_obs"])
    assert abs(fit.log_likelihood - of["log_likelihood"]) < LOG_LIKELIHOOD
    counted = 0 if of["reml"] else len(of["coefficients"])  # under ML we count the fixed effects too
    assert abs(fit.aic - of["aic"] - 2 * counted) < 2 * LOG_LIKELIHOOD
    assert abs(fit.bic - of["bic"] - np.log(of["n_patients"]) * counted) < 2 * LOG_LIKELIHOOD
    ours = fit.covariance if isinstance(fit.covariance, dict) else {"": fit.covariance}
    theirs = of["covariance"] if isinstance(of["covariance"], dict) else {"": of["covariance"]}
    for group, sigma in theirs.items():
        close(ours[group], sigma, 1e-7)


@pytest.mark.parametrize("name", FILES)
def test_coefficients(name):
    fit, theirs = fitted(name), pd.DataFrame(reference(name)["coefficients"]).set_index("term")
    ours = fit.coefficients.set_index(fit.coefficients["term"].map(in_r))
    assert set(ours.index) == set(theirs.index)
    names = {"estimate": "Estimate", "se": "Std. Error", "df": "df", "p": "Pr(>|t|)"}
    close_rows(ours.loc[theirs.index], theirs, names)
    order = [list(ours.index).index(term) for term in theirs.index]
    V, se = np.array(reference(name)["vcov_beta"]), theirs["Std. Error"].to_numpy()
    difference = (fit.beta_covariance[np.ix_(order, order)] - V) / np.outer(se, se)
    assert np.abs(difference).max() < STANDARD_ERROR


@pytest.mark.parametrize("name", [name for name in FILES if "emmeans" in reference(name)])
def test_means_contrasts_and_joint_test(name):
    fit, of = fitted(name), reference(name)
    means, theirs = emmeans(fit, ["arm", "week"]), pd.DataFrame(of["emmeans"])
    assert (means["arm"].astype(str) + means["week"].astype(str)).tolist() == (theirs["arm"] + theirs["week"]).tolist()
    ends = {"lower": "lower.CL", "upper": "upper.CL"}
    close_rows(means, theirs, {"estimate": "emmean", "se": "SE", "df": "df", **ends})
    differences, theirs = contrasts(fit, "arm", within="week"), pd.DataFrame(of["contrasts"])
    assert differences["contrast"].tolist() == theirs["contrast"].tolist()
    assert differences["week"].astype(str).tolist() == theirs["week"].tolist()
    close_rows(differences, theirs, {"estimate": "estimate", "se": "SE", "df": "df", "p": "p.value", **ends})
    test = joint_test(fit, "arm:week").iloc[0]
    joint = {key: np.ravel(value)[0] for key, value in of["joint_arm_by_week"].items()}
    assert test["df1"] == joint["num_df"]
    close(test["df2"], joint["denom_df"], DEGREES)
    close(test["f"], joint["f_stat"], P_VALUE)
    close(test["p"], joint["p_val"], P_VALUE)


@pytest.mark.parametrize("of", NATURAL, ids=lambda of: of["structure"])
@pytest.mark.parametrize(
    ("df", "column"),
    [("kenward-roger", "se"), ("kenward-roger-linear", "se_linear"), ("kenward-roger-mmrm", "se_mmrm")],
)
def test_kenward_roger_standard_errors(of, df, column):
    formula = "change ~ baseline + sex + site + arm * week"
    fit = fit_mmrm(formula, two_arm(), patient="patient", visit="week", covariance=of["structure"], df=df)
    ours = fit.coefficients.set_index(fit.coefficients["term"].map(in_r))["se"].loc[of["term"]]
    close(ours, of[column], NUMERICAL_DERIVATIVES)


@pytest.mark.parametrize("structure", ["us", "cs", "toep"])
def test_kenward_roger_equals_linear_where_sigma_is_linear(structure):
    formula = "change ~ baseline + sex + site + arm * week"
    options = {"patient": "patient", "visit": "week", "covariance": structure}
    full = fit_mmrm(formula, two_arm(), df="kenward-roger", **options)
    linear = fit_mmrm(formula, two_arm(), df="kenward-roger-linear", **options)
    close(full.coefficients["se"], linear.coefficients["se"], 1e-13)
