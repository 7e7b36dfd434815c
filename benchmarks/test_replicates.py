"""Refits per second of processor time of an unstructured model, 25 patients at 4 visits, on one thread."""

import time

import numpy as np
import pandas as pd

from easitrace.models.mmrm import fit_mmrm
from easitrace.models.replicates import refit

PER_SECOND = 4_000  # on a machine that does nothing else; neighbours cost up to half
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
    spent = []

    def timed():
        begin = time.process_time()
        found = refit(fit, data, Y)
        spent.append(time.process_time() - begin)
        return found

    found = benchmark.pedantic(timed, rounds=3, warmup_rounds=1)
    assert set(found.status) == {"converged"}
    print(f"{REPLICATES / min(spent):.0f} refits per second")
    assert REPLICATES / min(spent) > PER_SECOND
