"""Time and memory of a fit, beside statsmodels' MixedLM (random intercept only) in the same run.

Run with `pytest benchmarks` (add `-m slow` for the large ones). Ours is an unstructured covariance by REML with
Kenward-Roger degrees of freedom, from the data frame to the table of coefficients; MixedLM has one random intercept and
no degrees of freedom. Targets allow a factor of two for a busy machine; the figures of a quiet one are in README.md.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cohorts import FORMULA, trial
from easitrace.models.mmrm import fit_mmrm

TARGETS = {(200, 4): 0.015, (10_000, 4): 0.040, (100_000, 4): 0.2, (1000, 10): 0.080}
BUSY = 2.0
NAMES = {"patient": "patient", "visit": "week", "df": "kenward-roger"}


def mixedlm_seconds(data):
    from statsmodels.regression.mixed_linear_model import MixedLM

    start = time.perf_counter()
    MixedLM.from_formula(FORMULA, data, groups="patient").fit(reml=True)
    return time.perf_counter() - start


@pytest.mark.parametrize(("n", "visits"), TARGETS)
def test_fit(benchmark, n, visits):
    data = trial(n, visits)
    fit = benchmark.pedantic(fit_mmrm, (FORMULA, data), NAMES, rounds=10, warmup_rounds=2)
    assert fit.status == "converged"
    assert benchmark.stats.stats.min < BUSY * TARGETS[n, visits]


@pytest.mark.parametrize("n", [200, 10_000, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore:.*:statsmodels.tools.sm_exceptions.ConvergenceWarning")
def test_ratio_to_mixedlm(benchmark, n):
    data = trial(n)
    benchmark.pedantic(fit_mmrm, (FORMULA, data), NAMES, rounds=5, warmup_rounds=1)
    theirs = mixedlm_seconds(data)
    ratio = theirs / benchmark.stats.stats.min
    benchmark.extra_info |= {"mixedlm_seconds": theirs, "ratio": ratio}
    assert ratio > 3


def in_a_process(*arguments):
    """Seconds and peak memory (GB) of a fit in a process of its own."""
    script = Path(__file__).parent / "measure.py"
    done = subprocess.run([sys.executable, script, *map(str, arguments)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_million_patients():
    found = in_a_process("frame", 1_000_000)
    assert found["status"] == "converged"
    assert found["fit_seconds"] < BUSY * 1.5
    assert found["peak_gb"] < 1.5


@pytest.mark.slow
def test_ten_million_patients_from_parquet(tmp_path):
    found = in_a_process("parquet", 10_000_000, tmp_path)
    assert found["status"] == "converged"
    assert found["n_patients"] > 9_900_000
    assert found["peak_gb"] < 1.0
