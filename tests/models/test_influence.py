"""Leave-one-patient-out: each row is the fit without that patient."""

import numpy as np
import pandas as pd
import pytest

from easitrace.errors import ParameterError
from easitrace.models.influence import influence
from easitrace.models.mmrm import fit_mmrm

CONTRAST = {"visit[T.3]": 1.0, "visit[T.3]:arm[T.placebo]": 0.5}


def cohort(n=24, seed=0, missing=0.12):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"patient": np.repeat([f"P{i:02}" for i in range(n)], 4), "visit": np.tile(np.arange(4), n)})
    data["arm"] = np.repeat(np.where(np.arange(n) % 2, "drug", "placebo"), 4)
    data["easi"] = np.exp(2 + 0.5 * rng.normal(size=4 * n) + np.repeat(rng.normal(size=n), 4) - 0.2 * data["visit"])
    gone = rng.uniform(size=4 * n) < missing
    gone[::4] = False
    return data.assign(easi=data["easi"].mask(gone))


def fitted(data, formula="np.log1p(easi) ~ visit * arm", **options):
    return fit_mmrm(formula, data, patient="patient", visit="visit", **options)


def assert_is_the_fit_without(table, data, whole, contrast, **options):
    weights = np.array([contrast.get(term, 0.0) for term in whole.coefficients["term"]])
    for row in table.itertuples():
        one = fitted(data[data["patient"] != row.patient], **options)
        assert row.status == one.status
        found = one.estimate(weights[None], 0.95)
        assert abs(row.estimate - found.estimate[0]) < 1e-8 * found.se[0]
        assert abs(row.se / found.se[0] - 1) < 1e-8


@pytest.mark.parametrize("reml", [True, False])
def test_each_row_is_the_fit_without_the_patient(reml):
    data = cohort()
    whole = fitted(data, reml=reml)
    table = influence(whole, data, CONTRAST)
    assert table["patient"].tolist() == data["patient"].unique().tolist()
    assert table["visits"].sum() == data["easi"].notna().sum()
    assert_is_the_fit_without(table, data, whole, CONTRAST, reml=reml)
    row = whole.estimate(np.array([[CONTRAST.get(t, 0.0) for t in whole.coefficients["term"]]]), 0.95)
    np.testing.assert_allclose(table["shift"], (table["estimate"] - row.estimate[0]) / row.se[0], rtol=1e-9)


@pytest.mark.parametrize("options", [{"covariance": "ar1h"}, {"by": "arm"}])
def test_other_structures_and_groups(options):
    data = cohort(20)
    whole = fitted(data, **options)
    table = influence(whole, data, CONTRAST)
    assert_is_the_fit_without(table, data, whole, CONTRAST, **options)


def test_kenward_roger_is_measured_in_unadjusted_standard_errors():
    data = cohort()
    plain, adjusted = (influence(fitted(data, df=df), data, CONTRAST) for df in ("satterthwaite", "kenward-roger"))
    pd.testing.assert_frame_equal(plain, adjusted)


def test_a_contrast_that_hangs_on_one_patient():
    """The only patient of a site: without it the site's coefficient cannot be estimated."""
    data = cohort()
    alone = data["patient"] == "P05"
    data = data.assign(site=np.where(alone, "b", "a"))
    whole = fitted(data, "np.log1p(easi) ~ visit + site")
    table = influence(whole, data, {"site[T.b]": 1.0}).set_index("patient")
    assert np.isnan(table.loc["P05", "estimate"])
    assert table.drop(index="P05")["estimate"].notna().all()


def test_an_outlier_stands_out():
    data = cohort()
    data.loc[(data["patient"] == "P07") & (data["visit"] == 3), "easi"] = 5000.0
    table = influence(fitted(data), data, {"visit[T.3]": 1.0}).set_index("patient")
    assert table["shift"].abs().idxmax() == "P07"


def test_wrong_contrasts_and_fits_are_refused():
    data = cohort()
    with pytest.raises(ParameterError, match="week"):
        influence(fitted(data), data, {"week": 1.0})
    with pytest.raises(ParameterError, match="converged"):
        influence(fitted(data.assign(easi=3.0), "easi ~ visit"), data, {"Intercept": 1.0})
