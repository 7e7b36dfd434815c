"""Speed of latent classes from data frame and formula: 50 starts, each taken to its optimum, on one thread."""

import numpy as np
import pandas as pd
import pytest

from easitrace.models.classes import fit_classes

FORMULA = "log_easi ~ time + spline"
WEEKS = np.array([0.0, 4, 8, 12, 16, 24])
COURSES = np.array([[2.9, 1.9, 1.4, 1.2, 1.1, 1.0], [2.9, 1.8, 1.7, 2.2, 2.5, 2.7], [2.9, 2.8, 2.8, 2.75, 2.8, 2.75]])
PATIENTS, STARTS, SECONDS = 5_000, 50, 8.0
PLANNED, ACTUAL = 0, 10  # days that visits lie off the plan at most


def simulated(n, days_off):
    rng = np.random.default_rng(1)
    c = rng.choice(3, p=[0.45, 0.2, 0.35], size=n)
    y = COURSES[c] + 0.35 * rng.standard_normal((n, 1)) + 0.28 * rng.standard_normal((n, 6))
    week = WEEKS + np.where(WEEKS > 0, rng.integers(-days_off, days_off + 1, (n, 6)) / 7, 0)
    frame = {"patient": np.repeat(np.arange(n), 6), "week": week.ravel(), "log_easi": y.ravel()}
    data = pd.DataFrame(frame)
    data = data.assign(time=data["week"] / 24, spline=np.maximum(data["week"] - 6, 0) / 24)
    return data[(data["week"] == 0) | (rng.random(len(data)) > 0.08)]


@pytest.mark.parametrize("days_off", [PLANNED, ACTUAL], ids=["planned visits", "actual days"])
def test_three_classes_of_five_thousand_patients(benchmark, days_off):
    data = simulated(PATIENTS, days_off)
    options = {"patient": "patient", "classes": 3, "starts": STARTS}
    fit = benchmark.pedantic(fit_classes, (FORMULA, data), options, rounds=2)
    assert fit.status == "converged" and len(fit.starts) == STARTS
    assert benchmark.stats.stats.min < SECONDS
