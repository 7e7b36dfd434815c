"""Identities that hold exactly: paired and two-sample t tests, shifts and units, random effects, exact F tests."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simulated import cohort

from easitrace.models.emmeans import contrasts, emmeans, joint_test
from easitrace.models.mmrm import fit_mmrm

EXACT = 1e-9  # relative; a Newton optimum with decrement < 1e-12, polished
METHODS = ["satterthwaite", "kenward-roger", "kenward-roger-linear"]


def complete(n, visits, seed):
    return cohort(n, visits, seed, missing=0, dropout=0)


def wide(data):
    return data.pivot(index="patient", columns="visit", values="y")


@pytest.mark.parametrize("n", [4, 8, 25, 300])
@pytest.mark.parametrize("df", METHODS)
def test_two_complete_visits_are_the_paired_t_test(n, df):
    data = complete(n, [0, 12], n)
    fit = fit_mmrm("y ~ visit", data, patient="patient", visit="visit", df=df)
    row, y = contrasts(fit, "visit").iloc[0], wide(data)
    paired = stats.ttest_rel(y[12], y[0])
    interval = paired.confidence_interval()
    assert row["estimate"] == pytest.approx((y[12] - y[0]).mean(), rel=EXACT)
    assert row["se"] == pytest.approx((y[12] - y[0]).sem(), rel=EXACT)
    assert row["df"] == pytest.approx(n - 1, rel=EXACT)
    assert row["p"] == pytest.approx(paired.pvalue, rel=EXACT)
    assert (row["lower"], row["upper"]) == pytest.approx(tuple(interval), rel=1e-8)


def test_kenward_roger_in_mmrm_parameters_is_not_the_paired_t_test():
    data = complete(8, [0, 12], 8)
    fit = fit_mmrm("y ~ visit", data, patient="patient", visit="visit", df="kenward-roger-mmrm")
    y = wide(data)
    assert contrasts(fit, "visit")["se"].iloc[0] < 0.95 * (y[12] - y[0]).sem()


def test_arm_difference_at_one_visit_of_complete_data_is_the_two_sample_t_test():
    data = complete(31, [4, 8, 12], 2)
    fit = fit_mmrm("y ~ arm * visit", data, patient="patient", visit="visit", df="kenward-roger")
    rows = contrasts(fit, "arm", within="visit").set_index("visit")
    for visit in (4, 8, 12):
        y = data[data["visit"] == visit]
        test = stats.ttest_ind(*(y["y"][y["arm"] == arm] for arm in ("control", "active")))
        assert rows.loc[visit, "df"] == pytest.approx(29, rel=1e-8)
        assert rows.loc[visit, "p"] == pytest.approx(test.pvalue, rel=1e-8)


def test_joint_test_of_visits_of_complete_data_is_hotelling():
    """Kenward-Roger's F for the visit means of one complete sample: F(J - 1, n - J + 1), exactly Hotelling's T2."""
    n, J = 20, 4
    data = complete(n, [0, 4, 8, 12], 6)
    fit = fit_mmrm("y ~ visit", data, patient="patient", visit="visit", df="kenward-roger")
    D = np.diff(wide(data).to_numpy(), axis=1)
    mean, S = D.mean(axis=0), np.cov(D.T)
    F = n * mean @ np.linalg.solve(S, mean) * (n - J + 1) / ((n - 1) * (J - 1))
    row = joint_test(fit, "visit").iloc[0]
    assert (row["df1"], row["df2"]) == (3, pytest.approx(n - J + 1, rel=1e-8))
    assert row["f"] == pytest.approx(F, rel=1e-8)
    assert row["p"] == pytest.approx(stats.f.sf(F, J - 1, n - J + 1), rel=1e-7)


def test_complete_data_give_the_sample_covariance():
    data = complete(30, [0, 4, 12], 9)
    S = np.cov(wide(data).to_numpy().T)
    reml = fit_mmrm("y ~ visit", data, patient="patient", visit="visit")
    ml = fit_mmrm("y ~ visit", data, patient="patient", visit="visit", reml=False)
    np.testing.assert_allclose(reml.covariance, S, rtol=1e-9)
    np.testing.assert_allclose(ml.covariance, S * 29 / 30, rtol=1e-9)


@pytest.mark.parametrize("structure", ["us", "toeph", "ar1h", "cs"])
@pytest.mark.parametrize("df", METHODS)
def test_a_constant_added_to_y_moves_only_the_intercept(structure, df):
    data = cohort(60, [0, 4, 12], 3)
    options = {"patient": "patient", "visit": "visit", "covariance": structure, "df": df}
    one = fit_mmrm("y ~ age + arm * visit", data, **options)
    other = fit_mmrm("y ~ age + arm * visit", data.assign(y=data["y"] + 1e6), **options)
    moved = other.coefficients["estimate"] - one.coefficients["estimate"]
    assert moved.iloc[0] == pytest.approx(1e6, rel=1e-12)
    se = one.coefficients["se"]
    assert (np.abs(moved[1:] / se[1:]) < 1e-8).all()
    for column in ("se", "df"):
        np.testing.assert_allclose(other.coefficients[column], one.coefficients[column], rtol=1e-8)


@pytest.mark.parametrize("unit", [1e-6, 0.5, 1e5])
def test_units_of_y_and_covariates_do_not_matter(unit):
    data = cohort(50, [0, 4, 12], 5)
    options = {"patient": "patient", "visit": "visit", "df": "kenward-roger"}
    one = fit_mmrm("y ~ age + visit", data, **options)
    other = fit_mmrm("y ~ age + visit", data.assign(y=unit * data["y"], age=1e6 + data["age"]), **options)
    moved = one.log_likelihood - (one.n_observations - 4) * np.log(unit)
    assert other.log_likelihood == pytest.approx(moved, abs=1e-6)
    slopes = [fit.coefficients.set_index("term").loc["age", "estimate"] for fit in (one, other)]
    assert slopes[1] == pytest.approx(unit * slopes[0], rel=1e-8)
    means, theirs = emmeans(one, "visit"), emmeans(other, "visit")
    np.testing.assert_allclose(theirs["estimate"], unit * means["estimate"], rtol=1e-8)
    np.testing.assert_allclose(theirs["se"], unit * means["se"], rtol=1e-8)
    np.testing.assert_allclose(theirs["df"], means["df"], rtol=1e-8)


@pytest.mark.parametrize("df", METHODS)
def test_compound_symmetry_is_the_random_intercept(df):
    data = cohort(70, [0, 4, 8, 12], 4)
    options = {"patient": "patient", "visit": "visit", "df": df}
    one = fit_mmrm("y ~ age + arm * visit", data, covariance="cs", **options)
    other = fit_mmrm("y ~ age + arm * visit", data, covariance="random-intercept", **options)
    assert one.covariance[0, 1] > 0
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-8)
    for column in ("estimate", "se", "df", "p"):
        np.testing.assert_allclose(one.coefficients[column], other.coefficients[column], rtol=1e-7)


def test_order_of_rows_and_names_of_patients_do_not_matter():
    data = cohort(40, [0, 4, 12], 7)
    mixed = data.sample(frac=1, random_state=1).assign(patient=lambda d: d["patient"].str[::-1])
    one, other = (fit_mmrm("y ~ arm * visit", d, patient="patient", visit="visit") for d in (data, mixed))
    for column in ("estimate", "se", "df"):
        np.testing.assert_allclose(one.coefficients[column], other.coefficients[column], rtol=1e-9)


def test_means_without_interaction_and_contrasts_agree():
    data = cohort(40, [0, 4, 12], 8)
    fit = fit_mmrm("y ~ age + arm * visit", data, patient="patient", visit="visit", df="kenward-roger")
    means, differences = emmeans(fit, ["arm", "visit"]), contrasts(fit, "arm", within="visit")
    pair = means.pivot(index="visit", columns="arm", values="estimate")
    np.testing.assert_allclose(differences["estimate"], pair["control"] - pair["active"], rtol=1e-10)
    reverse = contrasts(fit, "arm", within="visit", against="control")
    np.testing.assert_allclose(reverse["estimate"], -differences["estimate"], rtol=1e-12)
    assert reverse["contrast"].tolist() == ["active - control"] * 3


def test_one_dimensional_joint_test_is_the_t_test():
    data = cohort(40, [0, 12], 12)
    for df in [*METHODS, "between-within", "residual"]:
        fit = fit_mmrm("y ~ age + visit", data, patient="patient", visit="visit", df=df)
        row = fit.coefficients.set_index("term").loc["age"]
        test = joint_test(fit, "age").iloc[0]
        assert (test["df1"], test["df2"]) == (1, pytest.approx(row["df"]))
        assert test["f"] == pytest.approx(row["statistic"] ** 2, rel=1e-9)
        assert test["p"] == pytest.approx(row["p"], rel=1e-7)


def test_redundant_contrasts_are_reduced_first():
    data = cohort(80, [0, 4, 12], 13)
    fit = fit_mmrm("y ~ age + arm * visit", data, patient="patient", visit="visit")
    L = np.eye(7)[[5, 6]]
    reduced, redundant = fit.test(L), fit.test(np.concatenate([L, L, L.sum(axis=0, keepdims=True)]))
    assert redundant == pytest.approx(reduced, rel=1e-9)
    assert isinstance(fit.coefficients, pd.DataFrame)
