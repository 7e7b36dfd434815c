"""The second opinion: statsmodels agrees where it is the same model, and disagreement is seen."""

import numpy as np
import pandas as pd
import pytest

from easitrace.models import crosscheck
from easitrace.models.crosscheck import random_intercept


def cohort(n=50, seed=4, share=0.6):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"patient": np.repeat(np.arange(n), 4), "visit": np.tile(np.arange(4), n)})
    noise = rng.normal(size=(n, 4))
    y = np.sqrt(share) * rng.normal(size=(n, 1)) + np.sqrt(1 - share) * noise
    return data.assign(y=(y - 0.3 * np.arange(4)).ravel())[rng.uniform(size=4 * n) < 0.9]


def test_two_programs_agree():
    found = random_intercept("y ~ visit", cohort(), patient="patient", visit="visit")
    assert found.estimate < 1e-4
    assert found.sd < 1e-4
    assert found.correlation == pytest.approx(0.6, abs=0.15)


def test_a_negative_correlation_is_reported():
    """No random intercept has it: the correlation says why the programs differ."""
    data = cohort()
    noise = np.random.default_rng(0).normal(size=len(data))
    mean = pd.Series(noise).groupby(data["patient"].to_numpy()).transform("mean").to_numpy()
    found = random_intercept("y ~ visit", data.assign(y=noise - 0.9 * mean), patient="patient", visit="visit")
    assert found.correlation < 0
    assert found.sd > 1e-3 or np.isnan(found.sd)


def test_disagreement_is_seen(monkeypatch):
    """The same check against a fit of other data."""
    data = cohort()
    other = crosscheck.fit_mmrm

    def shifted(formula, frame, **options):
        return other(formula, frame.assign(y=frame["y"] + 0.1 * frame["visit"]), **options)

    monkeypatch.setattr(crosscheck, "fit_mmrm", shifted)
    found = random_intercept("y ~ visit", data, patient="patient", visit="visit")
    assert found.estimate > 0.5
