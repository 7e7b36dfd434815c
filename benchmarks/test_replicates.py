"""Refits per second of an unstructured model, 25 patients at 4 visits, on one thread."""

import numpy as np
import pandas as pd

from easitrace.models.mmrm import fit_mmrm
from easitrace.models.replicates import refit

PER_SECOND = 4_000  # on an idle machine
REPLICATES = 4_000


def test_refits_per_second(benchmark):
    rng = np.random.default_rng(0)
    n, J = 25, 4
    data = pd.DataFrame({"patient": np.repeat(np.arange(n), J), "visit": np.tile(np.arange(J), n)})
    gone = rng.uniform(size=n * J) < 0.1
    gone[::J] = False
    Y = rng.normal(size=(n * J, REPLICATES)) + np.repeat(rng.normal(size=(n, REPLICATES)), J, axis=0)
    Y[gone] = np.nan
    fit = fit_mmrm("y ~ visit", data.assign(y=Y[:, 0]), patient="patient", visit="visit")
    found = benchmark.pedantic(refit, (fit, data, Y), rounds=3, warmup_rounds=1)
    assert set(found.status) == {"converged"}
    assert REPLICATES / benchmark.stats.stats.min > PER_SECOND
